"""Convolution and pooling of the Numba room.

The input is padded once into a scratch image per thread; after that every tap of the kernel is the same row of
pixels, shifted, and the inner loops run over a row. It refuses to know everything but arrays: (batch, channels,
height, width), packed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange

from . import jit

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]  # top, bottom, left, right
SERIAL = 200_000  # multiplications up to which waking the threads does not pay

real: Any = np.float64  # bound by `jit.kernel` to the dtype's own type


def conv_rows(out: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Convolve: a thread takes an image, four output channels and one row at a time."""
    batch, _, height, width = x.shape
    outs, ins, kh, kw = w.shape
    rows, cols = out.shape[2], out.shape[3]
    per_group = outs // groups
    blocks = (per_group + 3) // 4
    tall, wide = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for t in prange(batch * groups):
        n, g = t // groups, t % groups
        image = np.zeros((ins, tall, wide), x.dtype)
        image[:, padding[0] : padding[0] + height, padding[2] : padding[2] + width] = x[
            n, g * ins : (g + 1) * ins
        ]
        total = np.empty((4, cols), x.dtype)
        for block in range(blocks):
            first = g * per_group + block * 4
            count = min(4, (g + 1) * per_group - first)
            for y in range(rows):
                total[:] = real(0)
                for c in range(ins):
                    for i in range(kh):
                        row = image[c, y * stride[0] + i * dilation[0]]
                        for j in range(kw):
                            pixels = row[j * dilation[1] :]
                            w0 = w[first, c, i, j]
                            w1 = w[first + 1, c, i, j] if count > 1 else real(0)
                            w2 = w[first + 2, c, i, j] if count > 2 else real(0)
                            w3 = w[first + 3, c, i, j] if count > 3 else real(0)
                            if stride[1] == 1:
                                for z in range(cols):
                                    v = pixels[z]
                                    total[0, z] += w0 * v
                                    total[1, z] += w1 * v
                                    total[2, z] += w2 * v
                                    total[3, z] += w3 * v
                            else:
                                for z in range(cols):
                                    v = pixels[z * stride[1]]
                                    total[0, z] += w0 * v
                                    total[1, z] += w1 * v
                                    total[2, z] += w2 * v
                                    total[3, z] += w3 * v
                for k in range(count):
                    out[n, first + k, y] = total[k]


def conv_grad_input_rows(
    out: Any, d: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Spread each derivative over the pixels it came from: a thread takes one input channel of an image."""
    batch, channels, height, width = out.shape
    outs, ins, kh, kw = w.shape
    rows, cols = d.shape[2], d.shape[3]
    per_group = outs // groups
    tall, wide = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for t in prange(batch * channels):
        n, c = t // channels, t % channels
        g, k = c // ins, c % ins
        image = np.zeros((tall, wide), out.dtype)
        for o in range(g * per_group, (g + 1) * per_group):
            for i in range(kh):
                for y in range(rows):
                    row = image[y * stride[0] + i * dilation[0]]
                    change = d[n, o, y]
                    for j in range(kw):
                        v = w[o, k, i, j]
                        pixels = row[j * dilation[1] :]
                        if stride[1] == 1:
                            for z in range(cols):
                                pixels[z] += v * change[z]
                        else:
                            for z in range(cols):
                                pixels[z * stride[1]] += v * change[z]
        out[n, c] = image[padding[0] : padding[0] + height, padding[2] : padding[2] + width]


def conv_grad_weight_rows(
    out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Gather the products of pixels and derivatives: a thread takes one input channel of all images."""
    batch, channels, height, width = x.shape
    outs, ins, kh, kw = out.shape
    rows, cols = d.shape[2], d.shape[3]
    per_group = outs // groups
    tall, wide = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for c in prange(channels):
        g, k = c // ins, c % ins
        image = np.zeros((tall, wide), x.dtype)
        for o in range(g * per_group, (g + 1) * per_group):
            out[o, k] = real(0)
        for n in range(batch):
            image[padding[0] : padding[0] + height, padding[2] : padding[2] + width] = x[n, c]
            for o in range(g * per_group, (g + 1) * per_group):
                for i in range(kh):
                    for j in range(kw):
                        total = real(0)
                        for y in range(rows):
                            pixels = image[y * stride[0] + i * dilation[0], j * dilation[1] :]
                            change = d[n, o, y]
                            if stride[1] == 1:
                                for z in range(cols):
                                    total += change[z] * pixels[z]
                            else:
                                for z in range(cols):
                                    total += change[z] * pixels[z * stride[1]]
                        out[o, k, i, j] += total


def max_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Take the largest cell of each window; nan wins, padding never."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(result.shape[0]):
            for z in range(result.shape[1]):
                best = real(-np.inf)
                for i in range(window[0]):
                    r = y * stride[0] + i * dilation[0] - padding[0]
                    if 0 <= r < height:
                        for j in range(window[1]):
                            k = z * stride[1] + j * dilation[1] - padding[2]
                            if 0 <= k < width and (image[r, k] > best or image[r, k] != image[r, k]):
                                best = image[r, k]
                result[y, z] = best


def max_pool_grad(out: Any, x: Any, d: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Pass each derivative to the first largest cell of its window."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        result[:] = real(0)
        for y in range(change.shape[0]):
            for z in range(change.shape[1]):
                best_r, best_k = -1, -1
                for i in range(window[0]):
                    r = y * stride[0] + i * dilation[0] - padding[0]
                    if 0 <= r < height:
                        for j in range(window[1]):
                            k = z * stride[1] + j * dilation[1] - padding[2]
                            if 0 <= k < width:
                                best = image[best_r, best_k]
                                v = image[r, k]
                                if best_r < 0 or v > best or (v != v and best == best):
                                    best_r, best_k = r, k
                if best_r >= 0:
                    result[best_r, best_k] += change[y, z]


def avg_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Average each window: cells added row by row, then divided."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(result.shape[0]):
            top = y * stride[0] - padding[0]
            bottom = min(top + window[0], height + padding[1])
            low, high = max(top, 0), min(bottom, height)
            for z in range(result.shape[1]):
                left = z * stride[1] - padding[2]
                right = min(left + window[1], width + padding[3])
                first, last = max(left, 0), min(right, width)
                total = real(0)
                for r in range(low, high):
                    for k in range(first, last):
                        total += image[r, k]
                count = (bottom - top) * (right - left) if count_pad else (high - low) * (last - first)
                result[y, z] = total / real(count)


def avg_pool_grad(out: Any, d: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Spread each derivative evenly over its window."""
    batch, channels, height, width = out.shape
    for t in prange(batch * channels):
        change, result = d[t // channels, t % channels], out[t // channels, t % channels]
        result[:] = real(0)
        for y in range(change.shape[0]):
            top = y * stride[0] - padding[0]
            bottom = min(top + window[0], height + padding[1])
            low, high = max(top, 0), min(bottom, height)
            for z in range(change.shape[1]):
                left = z * stride[1] - padding[2]
                right = min(left + window[1], width + padding[3])
                first, last = max(left, 0), min(right, width)
                count = (bottom - top) * (right - left) if count_pad else (high - low) * (last - first)
                share = change[y, z] / real(count)
                for r in range(low, high):
                    for k in range(first, last):
                        result[r, k] += share


_made: dict[tuple[Any, ...], Callable[..., None]] = {}


def _kernel(loop: Callable[..., None], dtype: Any, work: int, flags: tuple[str, ...] = jit.CONTRACT) -> Any:
    key = (loop, dtype.itemsize, work > SERIAL)
    if key not in _made:
        _made[key] = jit.kernel(loop, dtype, parallel=work > SERIAL, flags=flags)
    return _made[key]


def _work(positions: Any, w: Any) -> int:
    return int(positions.shape[0] * positions.shape[2] * positions.shape[3] * w.size)


def forward(out: Any, x: Any, w: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> None:
    """Write the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C / groups, KH, KW) into ``out``."""
    _kernel(conv_rows, out.dtype, _work(out, w))(out, x, w, stride, padding, dilation, groups)


def grad_input(out: Any, d: Any, w: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> None:
    """Write the derivative with respect to the input into ``out``."""
    _kernel(conv_grad_input_rows, out.dtype, _work(d, w))(out, d, w, stride, padding, dilation, groups)


def grad_weight(
    out: Any, x: Any, d: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int
) -> None:
    """Write the derivative with respect to the weight into ``out``."""
    loop = _kernel(conv_grad_weight_rows, out.dtype, _work(d, out), jit.REASSOCIATE)
    loop(out, x, d, stride, padding, dilation, groups)


def pool(
    out: Any, x: Any, kind: str, window: Pair, stride: Pair, padding: Padding, dilation: Pair, count_pad: bool
) -> None:
    """Write the largest or average cell of each window into ``out``."""
    work = out.size * window[0] * window[1]
    if kind == "max":
        _kernel(max_pool, out.dtype, work)(out, x, window, stride, padding, dilation)
    else:
        _kernel(avg_pool, out.dtype, work)(out, x, window, stride, padding, count_pad)


def pool_grad(
    out: Any,
    x: Any,
    d: Any,
    kind: str,
    window: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    count_pad: bool,
) -> None:
    """Write the derivative of `pool` with respect to its input into ``out``."""
    work = d.size * window[0] * window[1]
    if kind == "max":
        _kernel(max_pool_grad, out.dtype, work)(out, x, d, window, stride, padding, dilation)
    else:
        _kernel(avg_pool_grad, out.dtype, work)(out, d, window, stride, padding, count_pad)


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    x: Any, x_shape: Any, x_strides: Any,
    w: Any, w_shape: Any, w_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The convolution as the course writes it: one cell of ``out`` after the other, the outer loop on all cores.

    ``out[n, o, y, z] = sum of x[n, c, y + i, z + j] * w[o, c, i, j]``, with ``y - i`` and ``z - j`` if ``reverse``;
    cells outside count as 0.
    """
    channels, height, width = x_shape[1], x_shape[2], x_shape[3]
    kh, kw = w_shape[2], w_shape[3]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, y = t % out_shape[3], t // out_shape[3] % out_shape[2]
        o, n = (
            t // (out_shape[3] * out_shape[2]) % out_shape[1],
            t // (out_shape[3] * out_shape[2] * out_shape[1]),
        )
        total = 0.0
        for c in range(channels):
            for i in range(kh):
                r = y + sign * i
                if 0 <= r < height:
                    for j in range(kw):
                        k = z + sign * j
                        if 0 <= k < width:
                            pixel = x[
                                n * x_strides[0] + c * x_strides[1] + r * x_strides[2] + k * x_strides[3]
                            ]
                            weight = w[
                                o * w_strides[0] + c * w_strides[1] + i * w_strides[2] + j * w_strides[3]
                            ]
                            total += pixel * weight
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + z * out_strides[3]] = total


def anchored_conv1d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    x: Any, x_shape: Any, x_strides: Any,
    w: Any, w_shape: Any, w_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The one-dimensional form of `anchored_conv2d`."""
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, o = t % out_shape[2], t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(x_shape[1]):
            for j in range(w_shape[2]):
                k = z + sign * j
                if 0 <= k < x_shape[2]:
                    pixel = x[n * x_strides[0] + c * x_strides[1] + k * x_strides[2]]
                    total += pixel * w[o * w_strides[0] + c * w_strides[1] + j * w_strides[2]]
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = jit.njit(anchored_conv1d, parallel=True)
tensor_conv2d = jit.njit(anchored_conv2d, parallel=True)
