"""Convolution as plain Numba loops over padded rows: what register tiles are measured against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from minitorch.runtime.placeholders import real


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


def finish_channels(out: Any, shift: Any, activation: Any) -> None:
    """Add a number to each channel, and activate each element, in place."""
    out += shift[:, None, None]
    out[...] = np.vectorize(activation, otypes=[out.dtype])(out)


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
