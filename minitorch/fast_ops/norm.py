"""Normalisation and activations of the Numba backend, on arrays (A, C, L): outer, channel, inner.

Batch norm has A = N images and L = H * W pixels; layer and group norm have A = 1 and a channel per group. A share
takes channels, in all loops but two, so a channel's elements come from memory once and from the cache after that. The
formula for a channel of m = A * L elements (Ioffe and Szegedy, 2015), with xhat = (x - mean) / sqrt(var + eps):

    y  = activation(xhat * w + b)
    d  = activation's gradient of dy
    db = sum d          dw = sum d * xhat          dx = (d - db / m - xhat * dw / m) * w / sqrt(var + eps)

Mean and variance come from one pass: the sums of (x - c) and (x - c) ** 2, where c is the mean of the channel's first
row. c is close to the mean, so that var = sum2 / m - (sum1 / m) ** 2 loses no digits. Within a row sums run in lanes
(`sums`); from row to row they are kept in double precision.

Cost: `norm` reads x twice and writes y; `norm_grad` reads x three times and d once, and writes dx twice: all but the
first time from the cache where a channel fits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from ..runtime.placeholders import activation, activation_grad, real
from .sums import moments, total, weighted

COLUMNS = 64  # columns of a matrix that are added up together
SHARES = 16  # shares of `activation_channels`, whose sums are added up
GROUP = 256  # rows of a matrix that are added up before their sum is added to others


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale and shift each channel of ``x`` (A, C, L); see `CompositeOps.norm`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        center = total(x, c * inner, inner) / real(inner)
        deviations, squares = 0.0, 0.0
        for a in range(outer):
            row_deviations, row_squares = moments(x, (a * channels + c) * inner, inner, center)
            deviations += row_deviations
            squares += row_squares
        offset = deviations / (outer * inner)
        channel_mean = real(center + offset)
        variance = squares / (outer * inner) - offset * offset
        variance = variance if variance > 0.0 or variance != variance else 0.0  # not below 0; nan stays
        mean[c], var[c] = channel_mean, real(variance)
        scale = real(w[c] / math.sqrt(variance + eps))
        shift = b[c]
        for a in range(outer):
            for i in range(inner):
                y[a, c, i] = activation((x[a, c, i] - channel_mean) * scale + shift)


def norm_grad(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float
) -> None:
    """Derivatives of `norm`; see `CompositeOps.norm_grad`."""
    outer, channels, inner = x.shape
    for c in prange(channels):
        channel_mean = mean[c]
        deviation = math.sqrt(var[c] + eps)
        scale, shift = real(w[c] / deviation), b[c]
        grads, products = 0.0, 0.0
        for a in range(outer):
            for i in range(inner):
                dx[a, c, i] = activation_grad((x[a, c, i] - channel_mean) * scale + shift, d[a, c, i])
            row_grads, row_products = weighted(dx, x, (a * channels + c) * inner, inner, channel_mean)
            grads += row_grads
            products += row_products
        products /= deviation
        dw[c], db[c] = real(products), real(grads)
        mean_grad = real(grads / (outer * inner))
        slope = real(products / (outer * inner) / deviation)
        for a in range(outer):
            for i in range(inner):
                dx[a, c, i] = (dx[a, c, i] - mean_grad - (x[a, c, i] - channel_mean) * slope) * scale


def scale_shift(y: Any, x: Any, w: Any, b: Any) -> None:
    """Write the activation of ``x * w + b``, with ``w`` and ``b`` per channel. An iteration is a row (a, c)."""
    outer, channels, inner = x.shape
    for t in prange(outer * channels):
        a, c = t // channels, t % channels
        for i in range(inner):
            y[a, c, i] = activation(x[a, c, i] * w[c] + b[c])


def activation_channels(input_grad: Any, sums: Any, partial: Any, y: Any, d: Any) -> None:
    """Write the gradient before an activation, and its sums by channel; see `CompositeOps.activation_grad`.

    A share takes a part of A, as convolution and pooling do: what it reads may still be in its core's cache. Each adds
    into a row of ``partial`` (shares, C and a gap): CACHE_LINE_GAP elements lie between the sums of two shares.
    """
    outer, channels, inner = y.shape
    shares = len(partial)
    for t in prange(shares):
        partial[t] = 0.0
        for a in range(t * outer // shares, (t + 1) * outer // shares):
            for c in range(channels):
                for i in range(inner):
                    input_grad[a, c, i] = activation_grad(y[a, c, i], d[a, c, i])
                partial[t, c] += total(input_grad, (a * channels + c) * inner, inner)
    for c in range(channels):
        channel_sum = 0.0
        for t in range(shares):
            channel_sum += partial[t, c]
        sums[c] = real(channel_sum)


def activation_columns(input_grad: Any, sums: Any, y: Any, d: Any) -> None:
    """Do what `activation_channels` does for a matrix (A, C). An iteration is COLUMNS columns, from top to bottom.

    Rows are added in groups of GROUP: the rounding error of a sum grows with GROUP + A / GROUP, not with A.
    """
    rows, columns = y.shape
    for t in prange((columns + COLUMNS - 1) // COLUMNS):
        low, high = t * COLUMNS, min((t + 1) * COLUMNS, columns)
        for c in range(low, high):
            sums[c] = real(0)
        part = np.empty(COLUMNS, y.dtype)
        for first in range(0, rows, GROUP):
            part[:] = real(0)
            for a in range(first, min(first + GROUP, rows)):
                for c in range(low, high):
                    v = activation_grad(y[a, c], d[a, c])
                    input_grad[a, c] = v
                    part[c - low] += v
            for c in range(low, high):
                sums[c] += part[c - low]


def shift_rows(y: Any, b: Any) -> None:
    """Add ``b`` to each row of a matrix, and apply the activation, in place. An iteration is a row."""
    rows, columns = y.shape
    for a in prange(rows):
        for c in range(columns):
            y[a, c] = activation(y[a, c] + b[c])
