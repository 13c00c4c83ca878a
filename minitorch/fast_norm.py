"""Fused kernels of the Numba room: normalisation, activations, softmax and cross-entropy.

A channel is summed, centred and written by one thread, so its cells come from memory once. Sums over a channel are
kept in double precision from row to row. It refuses to know everything but packed arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from . import operators

COLUMNS = 64  # of a row that one thread takes at a time

# Names that `jit.kernel` binds: the dtype's own type; the activation, and its derivative.
real: Any = np.float64
finish, gate = operators.relu, operators.relu_back


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale and shift each channel of ``x`` (A, C, L); see `OptionalOps.norm`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        # Both moments in one pass: taken around the mean of the first row, no digits cancel.
        near = real(0)
        for i in range(inner):
            near += x[0, c, i]
        near /= real(inner)
        total, squares = 0.0, 0.0
        for a in range(outer):
            part, square = real(0), real(0)
            for i in range(inner):
                part += x[a, c, i] - near
                square += (x[a, c, i] - near) * (x[a, c, i] - near)
            total += part
            squares += square
        off = total / (outer * inner)
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
    """Derivatives of `norm`; see `OptionalOps.norm_grad`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        middle = mean[c]
        root = math.sqrt(var[c] + eps)
        scale, shift = real(w[c] / root), b[c]
        plain, weighted = 0.0, 0.0
        for a in range(outer):
            part, product = real(0), real(0)
            for i in range(inner):
                v = x[a, c, i] - middle
                change = gate(v * scale + shift, d[a, c, i])
                part += change
                product += change * v
            plain += part
            weighted += product
        weighted /= root
        dw[c], db[c] = real(weighted), real(plain)
        average = real(plain / (outer * inner))
        slope = real(weighted / (outer * inner) / root)
        for a in range(outer):
            for i in range(inner):
                v = x[a, c, i] - middle
                dx[a, c, i] = (gate(v * scale + shift, d[a, c, i]) - average - v * slope) * scale


def scale_shift(y: Any, x: Any, w: Any, b: Any) -> None:
    """Activate ``x * w + b``, channel by channel."""
    outer, channels, inner = x.shape
    for t in prange(outer * channels):
        a, c = t // channels, t % channels
        for i in range(inner):
            y[a, c, i] = finish(x[a, c, i] * w[c] + b[c])


def act_channels(before: Any, partial: Any, y: Any, d: Any) -> None:
    """Derivative before an activation of (A, C, L), and each thread's sums by channel; see `OptionalOps.act_grad`.

    A thread takes a share of A, as convolution and pooling do: what it reads may still be in its core's cache.
    """
    outer, channels, inner = y.shape
    threads = len(partial)
    for t in prange(threads):
        for c in range(channels):
            partial[t, c] = 0.0
        for a in range(t * outer // threads, (t + 1) * outer // threads):
            for c in range(channels):
                part = real(0)
                for i in range(inner):
                    v = gate(y[a, c, i], d[a, c, i])
                    before[a, c, i] = v
                    part += v
                partial[t, c] += part


def act_columns(before: Any, sums: Any, y: Any, d: Any) -> None:
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


def highest(row: Any) -> Any:
    """Return the largest number of a row; nan wins."""
    top = row[0]
    for k in range(1, len(row)):
        top = row[k] if (row[k] > top) | (row[k] != row[k]) else top
    return top


def log_softmax(y: Any, x: Any) -> None:
    """Log-softmax of each row; see `OptionalOps.log_softmax`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = highest(x[n])
        # Written down in between: the compiler may regroup sums, and top + log(total) would lose digits.
        for k in range(classes):
            y[n, k] = x[n, k] - top
        total = real(0)
        for k in range(classes):
            total += math.exp(y[n, k])
        log_total = real(math.log(total))
        for k in range(classes):
            y[n, k] -= log_total


def log_softmax_grad(dx: Any, y: Any, d: Any) -> None:
    """Derivative of `log_softmax`, whose result was ``y``."""
    rows, classes = y.shape
    for n in prange(rows):
        total = real(0)
        for k in range(classes):
            total += d[n, k]
        for k in range(classes):
            dx[n, k] = d[n, k] - real(math.exp(y[n, k])) * total


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Loss and derivative of each row; see `OptionalOps.cross_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = highest(x[n])
        for k in range(classes):
            grad[n, k] = x[n, k] - top
        total, weight, picked = real(0), real(0), real(0)
        for k in range(classes):
            # A class of probability 0 does not count, even where its score is -inf.
            share, score = target[n, k], grad[n, k]
            part = share * score
            picked += part if share != real(0) else real(0)
            weight += share
        for k in range(classes):
            e = math.exp(grad[n, k])
            grad[n, k] = e
            total += e
        scale = weight / total
        for k in range(classes):
            grad[n, k] = grad[n, k] * scale - target[n, k]
        losses[n] = weight * real(math.log(total)) - picked
