"""3x3 convolutions of the Numba backend with a quarter of the multiplications: Winograd's F(4x4, 3x3).

The formula (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). The result is cut into tiles
of 4x4 pixels; each depends on an input tile of 6x6 pixels, and neighbouring input tiles overlap by 2. For output
channel o

    Y[o] = A^T ( sum over c of  (G g[o, c] G^T) * (B^T d[c] B) ) A        (* is elementwise, on 6x6 matrices)

so each pair of channels costs 36 multiplications a tile, not 4 * 4 * 9 = 144. The sum over c, at each of the 36
places, is a matrix product: weights (O, C) times tiles (C, T). `register_tiles` computes the 36 products. The
derivative with respect to the weight runs the other way round, with sums over tiles:

    dg[o, c] = G^T ( sum over tiles of  (A dY[o] A^T) * (B^T d[c] B) ) G

and that with respect to the input is a convolution of dY with the weights flipped and transposed.

Memory. A share (`shares`) takes ``group_images`` images at a time, so many that their tiles fill vectors but stay in a
core's cache (CACHE_BYTES), or a band of the tile rows of one large image. Tile rows come first, then images, then tile
columns; a line has T tiles, whole vectors and a gap:

    planes    [column 0..5][row mod 4][tile row, image, tile column]   one input channel, sorted by place in a tile:
                                                                       pixel (4k + a, 4t + j) is in planes[j][a][k, t]
    vertical  [frequency 0..5][column 0..5][T]                         B^T times the six rows
    tiles     [frequency 0..35][C][T]                                  ... times B: the 36 input matrices
    weights   [frequency 0..35][block of O][C][channels of a block]    transformed once per call: `winograd_weights`
    sums      [frequency 0..35][O][T]                                  the 36 products, then A^T . A, then the result

The six rows of a tile, 4k .. 4k + 5, are the rows mod 4 of tile row k and two of tile row k + 1, so tiles that overlap
need no copies; ``offsets.input_rows`` says where they begin. The products take three vectors of tiles at a time, of all
channels: these stay in a core's nearest cache for all blocks of weights. Where weights are many and tiles are few, the
weight's gradient is divided into parts of the output channels.

Cost for a tile: 36 * C * O multiply-adds, and the transforms' 12 * C and 10 * O applications of a small matrix. The
transforms do not grow with C * O, so the algorithm pays from MIN_CHANNELS channels on. Rounding errors are some ten
times those of a plain sum. Where a result is not finite (inf - inf is nan in a transform), the caller computes it
plainly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from ...runtime import allocator
from ...runtime.placeholders import activation, real
from ...runtime.types import Array, ConvParams, Padding, Shape
from .. import jit
from ..simd import WIDE_CHANNELS
from ..sums import total
from .register_tiles import wide_1, wide_2, wide_3
from .scratch import borrow, give_back
from .winograd_plan import Launch
from .winograd_transforms import (
    interleave_2,
    interleave_4,
    interleave_8,
    prefetch,
    split_4_of_2,
    split_4_of_4,
    split_4_of_8,
    split_6_of_2,
    split_6_of_4,
    split_6_of_8,
    transform_gradient,
    transform_input,
    transform_output,
    transpose_tile,
    transpose_vector,
)
from .winograd_weights import FLIPPED_TAPS, TAPS, WEIGHT_LINES, weight_grads, weight_tiles

MIN_CHANNELS = 24  # channels, in and out, from which the products outweigh the transforms
MIN_TILES = 48  # tiles of a result from which transformed weights pay


def load_channel(
    planes: Any, line: Any, pixels: Any, image: int, group_images: int, top: int, tile_rows: int, band: int,
    corner: Any, tile_cols: int,
) -> None:  # fmt: skip
    """Sort a channel of an image by where its pixels lie in the 6x6 tiles: by column 0..5, and by row modulo 4.

    Pixel (4 * (top + k) + a, 4t + j) goes to ``planes[j][a][(k * group_images + image) * tile_cols + t]``, for
    ``band`` rows k of tiles. Margins stay zeros, or become zeros again if they may hold pixels of another band.
    """
    height, width = pixels.shape
    plane_size = (band + 1) * group_images * tile_cols
    column_stride = 4 * plane_size
    for r in range(4 * band + 2):
        y = 4 * top + r - corner[0]
        offset = r % 4 * plane_size + (r // 4 * group_images + image) * tile_cols
        if 0 <= y < height:
            prefetch(pixels, (height + y) * width, width)  # the next channel's
            row, inside = pixels[y], line[corner[1] :]  # to index with a sum would make scattered stores
            for k in range(min(width, 4 * tile_cols + 2 - corner[1])):
                inside[k] = row[k]
            t = 0
            while t + 8 <= tile_cols:
                split_6_of_8(planes, offset + t, column_stride, line, 4 * t)
                t += 8
            if t + 4 <= tile_cols:
                split_6_of_4(planes, offset + t, column_stride, line, 4 * t)
                t += 4
            if t + 2 <= tile_cols:
                split_6_of_2(planes, offset + t, column_stride, line, 4 * t)
                t += 2
            if t < tile_cols:
                for j in range(6):
                    planes[offset + t + j * column_stride] = line[4 * t + j]
        elif band < tile_rows:
            for j in range(6):
                planes[offset + j * column_stride : offset + j * column_stride + tile_cols] = real(0)


def store_row(row: Any, results: Any, results_offset: int, column_stride: int, tile_cols: int) -> None:
    """Write pixel 4t + s of a row from ``results[results_offset + s * column_stride + t]``."""
    t = 0
    while t + 8 <= tile_cols and 4 * t + 32 <= len(row):
        interleave_8(row, 4 * t, results, results_offset + t, column_stride)
        t += 8
    if t + 4 <= tile_cols and 4 * t + 16 <= len(row):
        interleave_4(row, 4 * t, results, results_offset + t, column_stride)
        t += 4
    if t + 2 <= tile_cols and 4 * t + 8 <= len(row):
        interleave_2(row, 4 * t, results, results_offset + t, column_stride)
        t += 2
    for k in range(4 * t, len(row)):
        row[k] = results[results_offset + k % 4 * column_stride + k // 4]


def load_gradient_row(grads: Any, grads_offset: int, column_stride: int, row: Any) -> None:
    """Write pixel 4t + s of a row into ``grads[grads_offset + s * column_stride + t]``."""
    t, whole_tiles = 0, len(row) // 4
    while t + 8 <= whole_tiles:
        split_4_of_8(grads, grads_offset + t, column_stride, row, 4 * t)
        t += 8
    if t + 4 <= whole_tiles:
        split_4_of_4(grads, grads_offset + t, column_stride, row, 4 * t)
        t += 4
    if t + 2 <= whole_tiles:
        split_4_of_2(grads, grads_offset + t, column_stride, row, 4 * t)
        t += 2
    for k in range(4 * t, len(row)):
        grads[grads_offset + k % 4 * column_stride + k // 4] = row[k]


def winograd_forward(
    out: Any, flaws: Any, x: Any, weights: Any, bias: Any, scratch: Any, taken: Any, offsets: Any, layout: Any
) -> None:  # fmt: skip
    """Convolve ``x`` with transformed weights (36, blocks, line), add ``bias``, apply the activation.

    A share is some images. ``flaws[share]`` is nan where a sum was not finite, else 0.
    """
    (
        group_images, band, corner, tile_rows, tile_cols, lanes, channels, shares, _, padded, step, sums_step,
        line_size, planes_size, _,
    ) = layout  # fmt: skip
    input_rows, lines, channel_lines, output_rows, _, _ = offsets
    batch, ins, outs, rows = len(x), x.shape[1], out.shape[1], out.shape[2]
    blocks = (outs + channels - 1) // channels
    weights_line = weights.shape[2]
    plane_size = (band + 1) * group_images * tile_cols
    vectors = (band * group_images * tile_cols + lanes - 1) // lanes
    whole = vectors * lanes  # tiles that are computed, of T
    for t in prange(shares):
        piece = borrow(taken)
        free = scratch[piece]
        line, free = free[:line_size], free[line_size:]
        planes, free = free[:planes_size], free[planes_size:]
        vertical, free = free[: 36 * padded], free[36 * padded :]
        results, free = free[: 16 * padded], free[16 * padded :]
        tiles, sums = free[: 36 * step], free[36 * step :]
        line[:], planes[:] = real(0), real(0)
        flaw = real(0)
        end = (t + 1) * batch // shares
        for first in range(t * batch // shares, end, group_images):
            for top in range(0, tile_rows, band):
                # Load and transform the input tiles, channel by channel.
                for c in range(ins):
                    for b in range(min(group_images, end - first)):
                        load_channel(
                            planes, line, x[first + b, c], b, group_images, top, tile_rows, band, corner, tile_cols,
                        )  # fmt: skip
                    for j in range(6):
                        transform_input(
                            vertical, j * padded, 6 * padded, planes, j * 4 * plane_size, input_rows, vectors
                        )
                    for m in range(6):
                        target = m * 6 * step + c * padded
                        transform_input(tiles, target, step, vertical, m * 6 * padded, lines, vectors)
                # Multiply: 36 matrix products. A few vectors of all channels stay in a core's nearest cache.
                for f in range(36):
                    vector = 0
                    while vector < vectors:
                        left, tiles_offset = vectors - vector, f * step + vector * lanes
                        for block in range(blocks):
                            w_offset = (f * blocks + block) * weights_line
                            sums_offset = f * sums_step + block * channels * padded + vector * lanes
                            if left >= 3 and left != 4:
                                wide_3(
                                    sums, sums_offset, padded, tiles, tiles_offset, channel_lines, weights, w_offset,
                                    WIDE_CHANNELS, 1, ins, False,
                                )  # fmt: skip
                            elif left >= 2:
                                wide_2(
                                    sums, sums_offset, padded, tiles, tiles_offset, channel_lines, weights, w_offset,
                                    WIDE_CHANNELS, 1, ins, False,
                                )  # fmt: skip
                            else:
                                wide_1(
                                    sums, sums_offset, padded, tiles, tiles_offset, channel_lines, weights, w_offset,
                                    WIDE_CHANNELS, 1, ins, False,
                                )  # fmt: skip
                        vector += 3 if left >= 3 and left != 4 else min(left, 2)
                # Transform the sums back, and store.
                for o in range(outs):
                    for n in range(6):
                        source = n * sums_step + o * padded
                        transform_output(vertical, n * padded, 6 * padded, sums, source, output_rows, vectors)
                    for r in range(4):
                        transform_output(
                            results, r * 4 * whole, whole, vertical, r * 6 * padded, lines, vectors
                        )
                    channel_bias = bias[o]
                    flaw += total(results, 0, 16 * whole) * real(0)
                    for k in range(16 * whole):
                        results[k] = activation(results[k] + channel_bias)
                    for b in range(min(group_images, end - first)):
                        for y in range(4 * top, min(4 * (top + band), rows)):
                            source = y % 4 * 4 * whole + ((y // 4 - top) * group_images + b) * tile_cols
                            store_row(out[first + b, o, y], results, source, whole, tile_cols)
        flaws[t] = flaw
        give_back(taken, piece)


def winograd_weight_grad(
    partial: Any, x: Any, d: Any, scratch: Any, taken: Any, offsets: Any, layout: Any
) -> None:
    """Sum the products of transformed input tiles and output gradients over all tiles.

    A share is some images and some blocks of channels. It adds into its own part of ``partial`` (shares, 36,
    blocks * channels, columns), where columns are the input channels, padded to whole vectors. Here the long side of
    the register tiles runs over input channels, and a "tap" is a tile of the image: so both operands are transposed
    first.
    """
    (
        group_images, band, corner, tile_rows, tile_cols, lanes, channels, shares, parts, padded, step, sums_step,
        line_size, planes_size, _,
    ) = layout  # fmt: skip
    input_rows, lines, _, _, gradient_rows, tile_lines = offsets
    batch, ins, outs, rows = len(x), x.shape[1], d.shape[1], d.shape[2]
    blocks = (outs + channels - 1) // channels
    plane_size = (band + 1) * group_images * tile_cols
    used = band * group_images * tile_cols
    vectors = (used + lanes - 1) // lanes
    columns = (ins + lanes - 1) // lanes * lanes
    held = (blocks + parts - 1) // parts  # blocks of a part, at most
    tile_line = tile_lines[1]  # elements from a tile's channels to the next tile's
    for t in prange(shares * parts):
        share, part = t // parts, t % parts
        low_block, high_block = part * blocks // parts, (part + 1) * blocks // parts
        piece = borrow(taken)
        free = scratch[piece]
        line, free = free[:line_size], free[line_size:]
        planes, free = free[:planes_size], free[planes_size:]
        vertical, free = free[: 40 * padded], free[40 * padded :]
        square, free = free[: 36 * step], free[36 * step :]
        tiles, grads = free[: 36 * sums_step], free[36 * sums_step :]
        sums = partial[share].ravel()
        line[:], planes[:], square[:] = real(0), real(0), real(0)
        adds = False
        end = (share + 1) * batch // shares
        for first in range(share * batch // shares, end, group_images):
            for top in range(0, tile_rows, band):
                images = min(group_images, end - first)
                # Transform and transpose the input tiles: for each of the 36, a line of channels per tile.
                for c_first in range(0, ins, lanes):
                    for c in range(c_first, min(c_first + lanes, ins)):
                        for b in range(images):
                            load_channel(
                                planes, line, x[first + b, c], b, group_images, top, tile_rows, band, corner, tile_cols,
                            )  # fmt: skip
                        for j in range(6):
                            transform_input(
                                vertical, j * padded, 6 * padded, planes, j * 4 * plane_size, input_rows, vectors,
                            )  # fmt: skip
                        for m in range(6):
                            target = m * 6 * step + (c - c_first) * padded
                            transform_input(square, target, step, vertical, m * 6 * padded, lines, vectors)
                    for f in range(36):
                        for p in range(0, vectors * lanes, lanes):
                            target = f * sums_step + p * tile_line + c_first
                            transpose_vector(tiles, target, tile_line, square, f * step + p, padded)
                # Transform and transpose the gradients: for each of the 36 and each block of channels, a line per tile.
                for block in range(low_block, high_block):
                    for m in range(channels):
                        o = block * channels + m
                        vertical[: 16 * padded] = real(0)
                        if o < outs:
                            for b in range(images):
                                for y in range(4 * top, min(4 * (top + band), rows)):
                                    target = (
                                        y % 4 * 4 * padded + ((y // 4 - top) * group_images + b) * tile_cols
                                    )
                                    load_gradient_row(vertical, target, padded, d[first + b, o, y])
                        for s in range(4):
                            transform_gradient(
                                vertical, (16 + s) * padded, 4 * padded, vertical, s * padded, gradient_rows, vectors
                            )  # fmt: skip
                        for n in range(6):
                            target, source = n * 6 * step + m * padded, (16 + n * 4) * padded
                            transform_gradient(square, target, step, vertical, source, lines, vectors)
                    for f in range(36):
                        target = (f * held + block - low_block) * padded * channels
                        for p in range(0, vectors * lanes, channels):
                            transpose_tile(
                                grads, target + p * channels, channels, square, f * step + p, padded
                            )
                # Multiply: 36 matrix products, added to those of the images before.
                for f in range(36):
                    for c in range(0, columns, 2 * lanes):
                        tiles_offset = f * sums_step + c
                        for block in range(low_block, high_block):
                            sums_offset = (f * blocks + block) * channels * columns + c
                            grads_offset = (f * held + block - low_block) * padded * channels
                            if c + lanes < columns:
                                wide_2(
                                    sums, sums_offset, columns, tiles, tiles_offset, tile_lines, grads, grads_offset,
                                    WIDE_CHANNELS, 1, used, adds,
                                )  # fmt: skip
                            else:
                                wide_1(
                                    sums, sums_offset, columns, tiles, tiles_offset, tile_lines, grads, grads_offset,
                                    WIDE_CHANNELS, 1, used, adds,
                                )  # fmt: skip
                adds = True
        give_back(taken, piece)


def applies(w: Array, params: ConvParams) -> bool:
    """Return whether Winograd's algorithm is faster for a convolution with weight ``w`` and these settings."""
    if w.shape[2:] != (3, 3) or min(w.shape[:2]) < MIN_CHANNELS:
        return False
    stride, padding, dilation, groups = params
    return stride == dilation == (1, 1) and groups == 1 and max(padding) <= 2


def pays(out: Shape) -> bool:
    """Return whether a result (N, C, H, W) has images for several threads, and tiles that are worth the weights'."""
    return out[0] > 1 and out[0] * -(-out[2] // 4) * -(-out[3] // 4) >= MIN_TILES


def forward(
    out: Array, x: Array, w: Array, padding: Padding, bias: Array, activation: Any, transposed: bool = False
) -> bool:  # fmt: skip
    """Convolve, add ``bias`` to the channels, apply the activation; return whether all sums were finite.

    If ``transposed``, with the weight's channels exchanged and its taps the other way round.
    """
    outs, ins = out.shape[1], x.shape[1]
    corner = (padding[0], padding[2])
    launch = Launch(len(x), ins, outs, out.shape[2], out.shape[3], corner, out.itemsize, False)
    weights = allocator.empty(math.prod(launch.weights), out.dtype).reshape(launch.weights)
    strides, taps = ((9, 9 * outs), FLIPPED_TAPS) if transposed else ((9 * ins, 9), TAPS)
    transform = jit.variant(weight_tiles, out.dtype, True)
    transform(weights, w, strides, taps, ins, outs, WEIGHT_LINES, launch.layout.lanes)
    flaws = np.zeros(launch.layout.shares, out.dtype)
    launch.run(winograd_forward, out.dtype, out, flaws, x, weights, bias, activation=activation)
    return bool((flaws == 0).all())


def grad_weight(out: Array, x: Array, d: Array, padding: Padding) -> bool:
    """Write the derivative with respect to the weight; return whether all sums were finite."""
    outs, ins = out.shape[:2]
    corner = (padding[0], padding[2])
    launch = Launch(len(x), ins, outs, d.shape[2], d.shape[3], corner, out.itemsize, True)
    shape = (launch.layout.shares, 36, launch.padded_outs, launch.columns)
    partial = allocator.empty(math.prod(shape), out.dtype).reshape(shape)
    launch.run(winograd_weight_grad, out.dtype, partial, x, d)
    flaws = np.empty(outs, out.dtype)
    transform = jit.variant(weight_grads, out.dtype, True)
    transform(out, flaws, partial, launch.partial_lines, launch.layout.lanes)
    return bool((flaws == 0).all())
