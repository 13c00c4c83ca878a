"""Kernels of the forward convolution and of the input's gradient; `conv` explains what they compute, and how.

They depend on `register_tiles` only, and read and write flat memory where a `conv_plan.TileLayout` says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from ... import operators
from ...runtime.placeholders import real
from ...runtime.types import Fn
from ..simd import NARROW_CHANNELS, WIDE_CHANNELS
from . import register_tiles
from .register_tiles import (
    copy_rows,
    copy_rows_bias,
    copy_rows_bias_high,
    copy_rows_relu_grad,
    gather_narrow,
    gather_wide,
)

# What `jit.variant` binds in `conv_tiles`: register tiles (narrow ones for groups of few output channels) and their
# channels, and whether weights are packed. All else are operands, as each variant takes seconds to compile.
tile_1, tile_2, tile_3 = (vars(register_tiles)[f"wide_{v}"] for v in (1, 2, 3))
channels, packs = WIDE_CHANNELS, True
WIDE_TILES: dict[str, Any] = {f"tile_{v}": vars(register_tiles)[f"wide_{v}"] for v in (1, 2, 3)}
NARROW_TILES: dict[str, Any] = {f"tile_{v}": vars(register_tiles)[f"narrow_{v}"] for v in (1, 2, 3)}
WIDE_TILES["channels"], NARROW_TILES["channels"] = WIDE_CHANNELS, NARROW_CHANNELS
# Activations as limits: sums below the first become it, sums above the second become it.
LIMITS: dict[Fn, tuple[float, float]] = {
    operators.id: (-math.inf, math.inf),
    operators.relu: (0.0, math.inf),
    operators.relu6: (0.0, 6.0),
}


def fill(
    scratch: Any, scratch_offset: int, x: Any, relu_result: Any, masked: bool, phases: Any, corner: Any,
    padded_height: int, padded_width: int, clear: bool,
) -> None:  # fmt: skip
    """Copy pixels ``x`` (C, H, W) into a scratch image, phase by phase; the margins around them keep their zeros.

    ``corner`` is what `TileLayout` says, less the rows of the image above a band. With ``clear``, rows without pixels
    are filled with zeros: they hold another band's pixels. If ``masked``, which goes with one phase, pixels are copied
    as 0 where ``relu_result`` is 0 (nan is not).
    """
    channels, height, width = x.shape
    plane_size = padded_height * padded_width
    for a in range(phases[0]):
        top = max(0, (corner[0] - a + phases[0] - 1) // phases[0])
        bottom = max(top, min(padded_height, (height - 1 - a + corner[0]) // phases[0] + 1))
        for b in range(phases[1]):
            left = max(0, (corner[1] - b + phases[1] - 1) // phases[1])
            right = min(padded_width, (width - 1 - b + corner[1]) // phases[1] + 1)
            y, z = top * phases[0] + a - corner[0], left * phases[1] + b - corner[1]
            rows, count = bottom - top, right - left
            for c in range(channels):
                plane = scratch_offset + ((c * phases[0] + a) * phases[1] + b) * plane_size
                target, source = plane + top * padded_width + left, (c * height + y) * width + z
                if rows <= 0 or count <= 0:
                    pass
                elif masked:
                    copy_rows_relu_grad(
                        scratch, target, padded_width, x, source, width, rows, count, relu_result
                    )
                elif phases[1] == 1:
                    copy_rows(
                        scratch, target, padded_width, x, source, phases[0] * width, rows, count, real(0)
                    )
                else:
                    for r in range(rows):
                        row, pixels = scratch[target + r * padded_width :], x[c, y + r * phases[0], z:]
                        for k in range(count):
                            row[k] = pixels[k * phases[1]]
                if clear:
                    scratch[plane : plane + min(top, padded_height) * padded_width] = real(0)
                    scratch[plane + bottom * padded_width : plane + plane_size] = real(0)


def pack_block(
    packed: Any, number: int, w: Any, taps: Any, strides: Any, outs: int, ins: int, channels: int
) -> None:
    """Lay out the weights of one block of channels as (taps of all inputs, channels).

    Args:
        packed: Where all blocks lie: (groups, blocks of channels, taps of all inputs, channels).
        number: The block's number, of all groups.
        w: The weights, packed.
        taps: Numbers of the taps that are taken from each pair of channels.
        strides: Elements between the weights of two groups, two results and two inputs.
        outs: Output channels of a group.
        ins: Input channels of a group.
        channels: Output channels of a register tile; the last block of a group is filled up with zeros.
    """
    weights, blocks = w.reshape(w.size), (outs + channels - 1) // channels
    g, first = number // blocks, number % blocks * channels
    target = number * ins * len(taps) * channels
    for c in range(ins):
        for k in range(len(taps)):
            source = g * strides[0] + first * strides[1] + c * strides[2] + taps[k]
            if first + channels <= outs and channels == WIDE_CHANNELS:
                gather_wide(packed, target, weights, source, strides[1])
            elif first + channels <= outs:
                gather_narrow(packed, target, weights, source, strides[1])
            else:
                for m in range(channels):
                    packed[target + m] = weights[source + m * strides[1]] if first + m < outs else real(0)
            target += channels


def conv_tiles(
    out: Any, packed: Any, x: Any, relu_result: Any, masked: bool, w: Any, taps: Any, w_strides: Any, bias: Any,
    limits: Any, offsets: Any, layout: Any,
) -> None:  # fmt: skip
    """Sum weights times the pixels at ``offsets``, add ``bias``, keep to ``limits``, write each out_stride-th pixel.

    A share is some bands of images and some blocks of channels. If ``masked``, pixels count where ``relu_result`` is
    not 0. If weights are not packed (``packs``), ``packed`` is ``w`` as one row.
    """
    (
        groups,
        lanes,
        shares,
        parts,
        bands,
        band_rows,
        direct,
        phases,
        corner,
        padded_height,
        padded_width,
        rows,
        cols,
        first,
        step,
    ) = layout
    batch, height, width = x.shape[0], x.shape[2], x.shape[3]
    ins, outs = x.shape[1] // groups, out.shape[1] // groups
    blocks = (outs + channels - 1) // channels
    count = len(offsets)
    tap_stride, channel_stride = channels if packs else 1, 1 if packs else count
    most = ((band_rows - 1) * padded_width + cols + lanes - 1) // lanes * lanes
    scratch = sums = x.reshape(x.size)
    fresh = True  # what a thread allocates for its first share serves its next ones
    if packs:
        for number in prange(groups * blocks):
            pack_block(packed, number, w, taps, w_strides, outs, ins, channels)
    for t in prange(shares * parts):
        if fresh:
            if not direct:
                scratch = np.zeros(
                    ins * phases[0] * phases[1] * padded_height * padded_width + 4 * lanes, x.dtype
                )
            sums = np.empty(channels * most, x.dtype)
            fresh = False
        share, part = t // parts, t % parts
        low_block, high_block = part * groups * blocks // parts, (part + 1) * groups * blocks // parts
        for unit in range(share * batch * bands // shares, (share + 1) * batch * bands // shares):
            n, low_row = unit // bands, unit % bands * band_rows
            high_row = min(low_row + band_rows, rows)
            # Vectors of pixels cover whole padded rows. Those of an image itself end with its last pixel.
            pixels = (high_row - low_row - 1) * padded_width + cols
            padded = (pixels + lanes - 1) // lanes * lanes
            end = pixels if direct else padded
            for number in range(low_block, high_block):
                g, block = number // blocks, number % blocks
                low = g * ins
                # Load.
                source = (n * x.shape[1] + low) * height * width + low_row * width if direct else 0
                if not direct and (number == low_block or block == 0):
                    top = (corner[0] - low_row * phases[0], corner[1])
                    fill(
                        scratch, 0, x[n, low : low + ins], relu_result[n, low : low + ins], masked, phases, top,
                        padded_height, padded_width, bands > 1,
                    )  # fmt: skip
                # Multiply: vectors of pixels by threes, the last four as two and two. Without packed weights, the last
                # block of a group begins early enough to be whole.
                first_channel = block * channels if packs else min(block * channels, outs - channels)
                w_offset = number * count * channels if packs else (g * outs + first_channel) * count
                pixel, left = 0, padded // lanes
                while left >= 3 and left != 4:
                    start = min(pixel, end - 3 * lanes)
                    tile_3(
                        sums, start, most, scratch, source + start, offsets, packed, w_offset, tap_stride,
                        channel_stride, count, False,
                    )  # fmt: skip
                    pixel, left = pixel + 3 * lanes, left - 3
                while left >= 2:
                    start = min(pixel, end - 2 * lanes)
                    tile_2(
                        sums, start, most, scratch, source + start, offsets, packed, w_offset, tap_stride,
                        channel_stride, count, False,
                    )  # fmt: skip
                    pixel, left = pixel + 2 * lanes, left - 2
                if left:
                    start = min(pixel, end - lanes)
                    tile_1(
                        sums, start, most, scratch, source + start, offsets, packed, w_offset, tap_stride,
                        channel_stride, count, False,
                    )  # fmt: skip
                # Store.
                for o in range(block * channels, min((block + 1) * channels, outs)):
                    target, line_offset = out[n, g * outs + o], (o - first_channel) * most
                    channel_bias = bias[g * outs + o]
                    if step[1] == 1:
                        row_stride = step[0] * out.shape[3]
                        out_offset = (first[0] + low_row * step[0]) * out.shape[3] + first[1]
                        extra = (channel_bias, limits[0], limits[1])
                        if limits[1] < np.inf:
                            copy_rows_bias_high(
                                target, out_offset, row_stride, sums, line_offset, padded_width, high_row - low_row,
                                cols, extra,
                            )  # fmt: skip
                        else:
                            copy_rows_bias(
                                target, out_offset, row_stride, sums, line_offset, padded_width, high_row - low_row,
                                cols, extra,
                            )  # fmt: skip
                    else:
                        for r in range(high_row - low_row):
                            line = sums[line_offset + r * padded_width :]
                            row = target[first[0] + (low_row + r) * step[0], first[1] :]
                            for k in range(cols):
                                row[k * step[1]] = line[k] + channel_bias
