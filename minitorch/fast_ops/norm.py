"""Fused kernels of the Numba backend: normalisation, activations, softmax and cross-entropy.

A channel is summed, centred and written by one thread, so its elements come from memory once. Sums over a channel are
kept in double precision from row to row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from .. import operators
from ..runtime.placeholders import real
from .sums import PADDING, moments, total, weighted

COLUMNS = 64  # of a row that one thread takes at a time


finish, gate = operators.relu, operators.relu_back


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale and shift each channel of ``x`` (A, C, L); see `CompositeOps.norm`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        # Both moments in one pass: taken around the mean of the first row, no digits cancel.
        near = total(x, c * inner, inner) / real(inner)
        plain, squares = 0.0, 0.0
        for a in range(outer):
            part, square = moments(x, (a * channels + c) * inner, inner, near)
            plain += part
            squares += square
        off = plain / (outer * inner)
        middle = real(near + off)
        spread = squares / (outer * inner) - off * off
        spread = spread if spread > 0.0 or spread != spread else 0.0
        mean[c], var[c] = middle, real(spread)
        scale = real(w[c] / math.sqrt(spread + eps))
        shift = b[c]
        for a in range(outer):
            for i in range(inner):
                y[a, c, i] = finish((x[a, c, i] - middle) * scale + shift)


def norm_grad(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float
) -> None:
    """Derivatives of `norm`; see `CompositeOps.norm_grad`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        middle = mean[c]
        root = math.sqrt(var[c] + eps)
        scale, shift = real(w[c] / root), b[c]
        plain, leaning = 0.0, 0.0
        for a in range(outer):
            for i in range(inner):
                dx[a, c, i] = gate((x[a, c, i] - middle) * scale + shift, d[a, c, i])
            part, product = weighted(dx, x, (a * channels + c) * inner, inner, middle)
            plain += part
            leaning += product
        leaning /= root
        dw[c], db[c] = real(leaning), real(plain)
        average = real(plain / (outer * inner))
        slope = real(leaning / (outer * inner) / root)
        for a in range(outer):
            for i in range(inner):
                dx[a, c, i] = (dx[a, c, i] - average - (x[a, c, i] - middle) * slope) * scale


def scale_shift(y: Any, x: Any, w: Any, b: Any) -> None:
    """Activate ``x * w + b``, channel by channel."""
    outer, channels, inner = x.shape
    for t in prange(outer * channels):
        a, c = t // channels, t % channels
        for i in range(inner):
            y[a, c, i] = finish(x[a, c, i] * w[c] + b[c])


def activation_channels(before: Any, sums: Any, threads: int, y: Any, d: Any) -> None:
    """Derivative before an activation of (A, C, L), and its sums by channel; see `CompositeOps.activation_grad`.

    A thread takes a share of A, as convolution and pooling do: what it reads may still be in its core's cache.
    """
    outer, channels, inner = y.shape
    partial = np.zeros((threads, channels + PADDING))
    for t in prange(threads):
        for a in range(t * outer // threads, (t + 1) * outer // threads):
            for c in range(channels):
                for i in range(inner):
                    before[a, c, i] = gate(y[a, c, i], d[a, c, i])
                partial[t, c] += total(before, (a * channels + c) * inner, inner)
    for c in range(channels):
        whole = 0.0
        for t in range(threads):
            whole += partial[t, c]
        sums[c] = real(whole)


def activation_columns(before: Any, sums: Any, y: Any, d: Any) -> None:
    """The same for rows (A, C), piece by piece of the columns."""
    rows, columns = y.shape
    for t in prange((columns + COLUMNS - 1) // COLUMNS):
        low, high = t * COLUMNS, min((t + 1) * COLUMNS, columns)
        for c in range(low, high):
            sums[c] = real(0)
        for a in range(rows):
            for c in range(low, high):
                v = gate(y[a, c], d[a, c])
                before[a, c] = v
                sums[c] += v


def shift_rows(y: Any, b: Any) -> None:
    """Add ``b`` to each row, and activate, in place."""
    rows, columns = y.shape
    for a in prange(rows):
        for c in range(columns):
            y[a, c] = finish(y[a, c] + b[c])
