"""Plain loops for convolution: the course's kernels, and the twins of the register tiles.

The input is padded once into a scratch image per thread; after that every tap of the kernel is the same row of
pixels, shifted, and the inner loops run over a row. It refuses to know everything but arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from . import jit

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


def finish_channels(out: Any, shift: Any, act: Any) -> None:
    """Add a number to each channel, and activate each cell, in place."""
    out += shift[:, None, None]
    out[...] = np.vectorize(act, otypes=[out.dtype])(out)


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


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The convolution as the course writes it: one cell of ``out`` after the other, the outer loop on all cores.

    ``out[n, o, y, z] = sum of input[n, c, y + i, z + j] * weight[o, c, i, j]``, with ``y - i`` and ``z - j`` if
    ``reverse``; cells outside count as 0.
    """
    channels, height, width = input_shape[1], input_shape[2], input_shape[3]
    kh, kw = weight_shape[2], weight_shape[3]
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
                    at = n * input_strides[0] + c * input_strides[1] + r * input_strides[2]
                    by = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(kw):
                        k = z + sign * j
                        if 0 <= k < width:
                            total += input[at + k * input_strides[3]] * weight[by + j * weight_strides[3]]
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + z * out_strides[3]] = total


def anchored_conv1d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The one-dimensional form of `anchored_conv2d`."""
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, o = t % out_shape[2], t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(input_shape[1]):
            at = n * input_strides[0] + c * input_strides[1]
            by = o * weight_strides[0] + c * weight_strides[1]
            for j in range(weight_shape[2]):
                k = z + sign * j
                if 0 <= k < input_shape[2]:
                    total += input[at + k * input_strides[2]] * weight[by + j * weight_strides[2]]
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = jit.njit(anchored_conv1d, parallel=True)
tensor_conv2d = jit.njit(anchored_conv2d, parallel=True)
