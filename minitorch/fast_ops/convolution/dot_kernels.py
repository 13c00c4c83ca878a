"""Kernels of the weight's gradient; `conv` explains what they compute, and how.

They depend on `register_tiles`, `sums` and `tile_kernels.fill` only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ...runtime.placeholders import real
from ..simd import DOT_CHANNELS, DOT_TAPS
from ..sums import total
from .register_tiles import copy_rows, copy_rows_relu_grad, dot_tile
from .tile_kernels import fill


def gather(
    out: Any, bias_grad: Any, partial: Any, partial_bias: Any, outs: int, padded_outs: int, columns: int
) -> None:
    """Add up what the shares of `dot_tiles` found, in order.

    Args:
        out: The weight's gradient (O, C, KH, KW).
        bias_grad: The bias's gradient (O,).
        partial: Sums of each share (shares, groups * padded_outs * columns).
        partial_bias: Sums of each share and channel (shares, O and a gap).
        outs: Output channels of a group.
        padded_outs: These, rounded up to whole dot tiles.
        columns: Taps of all input channels, rounded up to whole dot tiles.
    """
    elements, taps = out.reshape(out.size), out.size // out.shape[0]
    for o in range(out.shape[0]):
        row, channel_sum = o // outs * padded_outs + o % outs, 0.0
        for t in range(len(partial)):
            channel_sum += partial_bias[t, o]
        bias_grad[o] = real(channel_sum)
        for k in range(taps):
            element = partial[0, row * columns + k]
            for t in range(1, len(partial)):
                element += partial[t, row * columns + k]
            elements[o * taps + k] = element


def clear(channel_sums: Any, low_block: int, high_block: int, blocks: int, outs: int, channels: int) -> None:
    """Set the sums (O,) of the output channels of some blocks to 0; a group has ``blocks`` of up to ``channels``."""
    for number in range(low_block, high_block):
        first = number % blocks * channels
        for o in range(first, min(first + channels, outs)):
            channel_sums[number // blocks * outs + o] = 0.0


def dot_tiles(
    out: Any, bias_grad: Any, checksum: Any, partial: Any, partial_bias: Any, x: Any, d: Any, relu_result: Any,
    offsets: Any, layout: Any,
) -> None:  # fmt: skip
    """Sum gradients ``d`` times the pixels at ``offsets`` over all images; and ``d`` by channel.

    A share is some images, taken in chunks, and has its own row of ``partial`` and ``partial_bias``; see `gather`. Of
    a share, each part takes some blocks of output channels.
    Where ``relu_result`` is given, gradients count where it is not 0. ``checksum[0]`` is the sum of ``out``: a number
    unless ``out`` holds nan or infinity, or the sum overflows.
    """
    groups, lanes, shares, parts, chunk, phases, corner, padded_height, padded_width = layout
    batch = x.shape[0]
    ins, outs, rows, cols = x.shape[1] // groups, d.shape[1] // groups, d.shape[2], d.shape[3]
    pixels = (rows - 1) * padded_width + cols
    padded = (pixels + lanes - 1) // lanes * lanes
    blocks = (outs + DOT_CHANNELS - 1) // DOT_CHANNELS
    padded_outs = blocks * DOT_CHANNELS
    size = ins * phases[0] * phases[1] * padded_height * padded_width
    scratch = grads = x.reshape(x.size)
    fresh = True  # what a thread allocates for its first share serves its next ones
    for t in prange(shares * parts):
        if fresh:
            scratch = np.zeros(chunk * size + padded + lanes, x.dtype)
            grads = np.zeros(chunk * padded_outs * padded, x.dtype)
            fresh = False
        share, part = t // parts, t % parts
        low_block, high_block = part * groups * blocks // parts, (part + 1) * groups * blocks // parts
        products = partial[share]
        products[low_block * DOT_CHANNELS * len(offsets) : high_block * DOT_CHANNELS * len(offsets)] = real(0)
        clear(partial_bias[share], low_block, high_block, blocks, outs, DOT_CHANNELS)
        end = (share + 1) * batch // shares
        for low in range(share * batch // shares, end, chunk):
            images = min(chunk, end - low)
            for g in range(low_block // blocks, (high_block + blocks - 1) // blocks):
                first = max(low_block - g * blocks, 0) * DOT_CHANNELS
                last = min((high_block - g * blocks) * DOT_CHANNELS, padded_outs)
                # Load.
                for b in range(images):
                    group = x[low + b, g * ins : (g + 1) * ins]
                    fill(
                        scratch, b * size, group, group, False, phases, corner, padded_height, padded_width, False
                    )  # fmt: skip
                    for o in range(first, min(last, outs)):
                        target, c = (b * padded_outs + o) * padded, g * outs + o
                        if relu_result is None:
                            copy_rows(
                                grads, target, padded_width, d[low + b, c], 0, cols, rows, cols, real(0)
                            )
                        else:
                            copy_rows_relu_grad(
                                grads, target, padded_width, d[low + b, c], 0, cols, rows, cols, relu_result[low + b, c]
                            )  # fmt: skip
                        partial_bias[share, c] += total(grads, target, padded)
                # Multiply.
                for o in range(first, last, DOT_CHANNELS):
                    for k in range(0, len(offsets), DOT_TAPS):
                        target = (g * padded_outs + o) * len(offsets) + k
                        dot_tile(
                            products, target, len(offsets), grads, o * padded, padded, padded_outs * padded,
                            scratch, 0, size, offsets, k, padded // lanes, images,
                        )  # fmt: skip
    gather(out, bias_grad, partial, partial_bias, outs, padded_outs, len(offsets))
    checksum[0] = total(out, 0, out.size)


def dot_windows(out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Do what `dot_tiles` does, with the pixels of each window only: no margin of zeros meets an infinite pixel.

    It is many times slower. A thread takes a pair of channels.
    """
    batch, _, height, width = x.shape
    rows, cols = d.shape[2:]
    ins, outs = out.shape[1], out.shape[0] // groups
    for t in prange(out.shape[0] * ins):
        o, c = t // ins, t % ins
        channel = o // outs * ins + c
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                top, left = i * dilation[0] - padding[0], j * dilation[1] - padding[2]
                product = real(0)
                for n in range(batch):
                    for y in range(rows):
                        r, row_product = y * stride[0] + top, real(0)
                        if 0 <= r < height:
                            for z in range(cols):
                                k = z * stride[1] + left
                                if 0 <= k < width:
                                    row_product += d[n, o, y, z] * x[n, channel, r, k]
                        product += row_product
                out[o, c, i, j] = product
