"""Fused kernels of the Numba room for normalisation and cross-entropy: each cell is read while it is in the cache.

A channel is summed, centred and written by one thread, so its cells come from memory once. Sums over a channel are
kept in double precision from row to row. It refuses to know everything but packed arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

real: Any = np.float64  # bound by `jit.kernel` to the dtype's own type


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale and shift each channel of ``x`` (A, C, L); see `OptionalOps.norm`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        total = 0.0
        for a in range(outer):
            part = real(0)
            for i in range(inner):
                part += x[a, c, i]
            total += part
        middle = real(total / (outer * inner))
        total = 0.0
        for a in range(outer):
            part = real(0)
            for i in range(inner):
                part += (x[a, c, i] - middle) * (x[a, c, i] - middle)
            total += part
        spread = total / (outer * inner)
        mean[c], var[c] = middle, real(spread)
        scale = real(w[c] / math.sqrt(spread + eps))
        shift = b[c]
        for a in range(outer):
            for i in range(inner):
                y[a, c, i] = (x[a, c, i] - middle) * scale + shift


def norm_grad(dx: Any, dw: Any, db: Any, x: Any, w: Any, d: Any, mean: Any, var: Any, eps: float) -> None:
    """Derivatives of `norm`; see `OptionalOps.norm_grad`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        middle = mean[c]
        plain, weighted = 0.0, 0.0
        for a in range(outer):
            part, product = real(0), real(0)
            for i in range(inner):
                part += d[a, c, i]
                product += d[a, c, i] * (x[a, c, i] - middle)
            plain += part
            weighted += product
        root = math.sqrt(var[c] + eps)
        weighted /= root
        dw[c], db[c] = real(weighted), real(plain)
        scale = real(w[c] / root)
        average = real(plain / (outer * inner))
        slope = real(weighted / (outer * inner) / root)
        for a in range(outer):
            for i in range(inner):
                dx[a, c, i] = (d[a, c, i] - average - (x[a, c, i] - middle) * slope) * scale


def scale_shift(y: Any, x: Any, w: Any, b: Any) -> None:
    """Write ``x * w + b``, channel by channel."""
    outer, channels, inner = x.shape
    for t in prange(outer * channels):
        a, c = t // channels, t % channels
        for i in range(inner):
            y[a, c, i] = x[a, c, i] * w[c] + b[c]


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Loss and derivative of each row; see `OptionalOps.cross_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = x[n, 0]
        for k in range(1, classes):
            if x[n, k] > top or x[n, k] != x[n, k]:
                top = x[n, k]
        total, weight = real(0), real(0)
        for k in range(classes):
            grad[n, k] = math.exp(x[n, k] - top)
            total += grad[n, k]
            weight += target[n, k]
        log_total = real(math.log(total))
        loss = real(0)
        for k in range(classes):
            # A class of probability 0 does not count, even where its score is -inf.
            if target[n, k] != real(0):
                loss -= target[n, k] * (x[n, k] - top - log_total)
            grad[n, k] = grad[n, k] / total * weight - target[n, k]
        losses[n] = loss
