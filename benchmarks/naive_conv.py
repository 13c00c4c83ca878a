"""Convolution as plain Numba loops over padded rows: what the register tiles of `fast_ops.conv` are measured against.

The algorithm is that of `fast_ops.conv` (a padded scratch image, a loop over taps) without what makes that fast: sums
lie in memory, not in registers; strides are read with a step, not as phases; the image's margin is not used to make
one long row. `ablation.py` runs it with `fast_ops.jit`, which binds ``real``. Arguments are those of `ConvParams`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from minitorch.runtime.placeholders import real


def conv_rows(out: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Convolve: a thread takes an image, four output channels and one row at a time."""
    batch, _, height, width = x.shape
    outs, ins, kernel_height, kernel_width = w.shape
    rows, cols = out.shape[2], out.shape[3]
    per_group = outs // groups
    blocks = (per_group + 3) // 4
    padded_height, padded_width = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for t in prange(batch * groups):
        n, g = t // groups, t % groups
        image = np.zeros((ins, padded_height, padded_width), x.dtype)
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
                    for i in range(kernel_height):
                        row = image[c, y * stride[0] + i * dilation[0]]
                        for j in range(kernel_width):
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
    """Add each gradient to the pixels that it comes from: a thread takes one input channel of an image."""
    batch, channels, height, width = out.shape
    outs, ins, kernel_height, kernel_width = w.shape
    rows, cols = d.shape[2], d.shape[3]
    per_group = outs // groups
    padded_height, padded_width = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for t in prange(batch * channels):
        n, c = t // channels, t % channels
        g, k = c // ins, c % ins
        image = np.zeros((padded_height, padded_width), out.dtype)
        for o in range(g * per_group, (g + 1) * per_group):
            for i in range(kernel_height):
                for y in range(rows):
                    row = image[y * stride[0] + i * dilation[0]]
                    grads = d[n, o, y]
                    for j in range(kernel_width):
                        v = w[o, k, i, j]
                        pixels = row[j * dilation[1] :]
                        if stride[1] == 1:
                            for z in range(cols):
                                pixels[z] += v * grads[z]
                        else:
                            for z in range(cols):
                                pixels[z * stride[1]] += v * grads[z]
        out[n, c] = image[padding[0] : padding[0] + height, padding[2] : padding[2] + width]


def conv_grad_weight_rows(
    out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Sum the products of pixels and gradients: a thread takes one input channel of all images."""
    batch, channels, height, width = x.shape
    outs, ins, kernel_height, kernel_width = out.shape
    rows, cols = d.shape[2], d.shape[3]
    per_group = outs // groups
    padded_height, padded_width = height + padding[0] + padding[1], width + padding[2] + padding[3]
    for c in prange(channels):
        g, k = c // ins, c % ins
        image = np.zeros((padded_height, padded_width), x.dtype)
        for o in range(g * per_group, (g + 1) * per_group):
            out[o, k] = real(0)
        for n in range(batch):
            image[padding[0] : padding[0] + height, padding[2] : padding[2] + width] = x[n, c]
            for o in range(g * per_group, (g + 1) * per_group):
                for i in range(kernel_height):
                    for j in range(kernel_width):
                        total = real(0)
                        for y in range(rows):
                            pixels = image[y * stride[0] + i * dilation[0], j * dilation[1] :]
                            grads = d[n, o, y]
                            if stride[1] == 1:
                                for z in range(cols):
                                    total += grads[z] * pixels[z]
                            else:
                                for z in range(cols):
                                    total += grads[z] * pixels[z * stride[1]]
                        out[o, k, i, j] += total
