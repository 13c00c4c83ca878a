"""The weight's gradient for many input channels: a pixel at a time, with vectors of channels; see `conv`.

The formula: for each tap, the gradients (O, P) of P pixels times what the tap reads at them, (P, C):

    dw[o, c, tap] = sum over pixels p of  d[o, p] * x[c, p + tap]

`register_tiles` computes such products: here its "channels" are output channels, its vectors hold input channels, and
its "taps" are pixels. So no lanes are left to be added up at the end, as in `dot_kernels`, and a stride costs nothing.

Layout. Both operands are transposed first, an image after the other:

    scratch    [image][padded row][padded column][C and a gap]    margins are zeros
    grads      [image][block of channels][pixel][channels of a block]
    partial    [share][group][O][tap][C, in whole vectors]

Some images together have PASS_PIXELS pixels, and sums are read and written once for so many.

Cost: N * O * C * KH * KW * rows * cols multiply-adds, none of them with a margin; x and d are read once for each part.
Source: channels in vectors, as in Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD
Architectures", 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ...runtime.placeholders import real
from ..simd import WIDE_CHANNELS
from ..sums import total
from .conv_plan import PASS_PIXELS
from .dot_kernels import clear
from .register_tiles import copy_rows, copy_rows_relu_grad, wide_1, wide_2
from .winograd_transforms import transpose_tile, transpose_vector

PIECE = 128  # pixels that are transposed at a time


def transpose_image(
    scratch: Any, offset: Any, x: Any, lines: Any, square: Any, line: int, corner: Any, padded_width: int, lanes: int
) -> None:  # fmt: skip
    """Copy pixels ``x`` (C, H, W) into a scratch image (padded row, padded column, C); the margins keep their zeros.

    ``lines`` holds a vector of channels of some pixels, ``square`` the same pixel by pixel. Where channels do not fill
    it, old ones are copied with them, into the rest of a line of the scratch image, which belongs to no result.
    """
    channels, height, width = x.shape
    for first in range(0, channels, lanes):
        held = min(lanes, channels - first)
        for low in range(0, height * width, PIECE):
            count = min(PIECE, height * width - low)
            copy_rows(lines, 0, PIECE, x, first * height * width + low, height * width, held, count, real(0))
            for p in range(0, count, lanes):
                transpose_vector(square, p * lanes, lanes, lines, p, PIECE)
            y, z = low // width, low % width
            for p in range(count):
                target = offset + ((y + corner[0]) * padded_width + z + corner[1]) * line + first
                copy_rows(scratch, target, 0, square, p * lanes, 0, 1, lanes, real(0))
                z += 1
                if z == width:
                    y, z = y + 1, 0


def pixel_tiles(
    out: Any, bias_grad: Any, checksum: Any, partial: Any, partial_bias: Any, x: Any, d: Any, relu_result: Any,
    pixels: Any, taps: Any, layout: Any,
) -> None:  # fmt: skip
    """Sum gradients ``d`` times the pixels that each tap reads, over all images; and ``d`` by channel.

    A share is some images and has its own row of ``partial`` and ``partial_bias``. Of a share, each part takes some
    blocks of output channels. For pixel p of the results of a few images, ``pixels[p]`` is the place in ``scratch``
    where its window begins, and each tap reads ``taps[k]`` elements behind it. ``relu_result`` and ``checksum`` are
    those of `dot_kernels.dot_tiles`.
    """
    groups, lanes, shares, parts, chunk, corner, padded_height, padded_width, line = layout
    batch, rows, cols = x.shape[0], d.shape[2], d.shape[3]
    ins, outs, size = x.shape[1] // groups, d.shape[1] // groups, rows * cols
    columns = (ins + lanes - 1) // lanes * lanes
    blocks = (outs + WIDE_CHANNELS - 1) // WIDE_CHANNELS
    image_size = padded_height * padded_width * line
    padded = (size + WIDE_CHANNELS - 1) // WIDE_CHANNELS * WIDE_CHANNELS
    block_size = (chunk * size + WIDE_CHANNELS) * WIDE_CHANNELS  # squares end beyond the last pixel
    scratch = grads = lines = square = channel_lines = x.reshape(x.size)
    fresh = True  # what a thread allocates for its first share serves its next ones
    for t in prange(shares * parts):
        if fresh:
            scratch, grads = np.zeros(chunk * image_size, x.dtype), np.empty(blocks * block_size, x.dtype)
            lines, square = np.zeros(lanes * PIECE, x.dtype), np.empty(lanes * PIECE, x.dtype)
            channel_lines = np.zeros(WIDE_CHANNELS * padded, x.dtype)
            fresh = False
        share, part = t // parts, t % parts
        low_block, high_block = part * groups * blocks // parts, (part + 1) * groups * blocks // parts
        products = partial[share]
        clear(partial_bias[share], low_block, high_block, blocks, outs, WIDE_CHANNELS)
        adds, end = False, (share + 1) * batch // shares
        for low in range(share * batch // shares, end, chunk):
            images = min(chunk, end - low)
            for g in range(low_block // blocks, (high_block + blocks - 1) // blocks):
                first, last = max(low_block - g * blocks, 0), min(high_block - g * blocks, blocks)
                # Load and transpose.
                for b in range(images):
                    transpose_image(
                        scratch, b * image_size, x[low + b, g * ins : (g + 1) * ins], lines, square, line, corner,
                        padded_width, lanes,
                    )  # fmt: skip
                    for block in range(first, last):
                        for m in range(WIDE_CHANNELS):
                            o, c = block * WIDE_CHANNELS + m, g * outs + block * WIDE_CHANNELS + m
                            if o >= outs:
                                channel_lines[m * padded : (m + 1) * padded] = real(0)
                            elif relu_result is None:
                                copy_rows(channel_lines, m * padded, 0, d[low + b, c], 0, 0, 1, size, real(0))
                            else:
                                copy_rows_relu_grad(
                                    channel_lines, m * padded, 0, d[low + b, c], 0, 0, 1, size, relu_result[low + b, c]
                                )  # fmt: skip
                            if o < outs:
                                partial_bias[share, c] += total(channel_lines, m * padded, size)
                        target = block * block_size + b * size * WIDE_CHANNELS
                        for p in range(0, size, WIDE_CHANNELS):
                            transpose_tile(
                                grads, target + p * WIDE_CHANNELS, WIDE_CHANNELS, channel_lines, p, padded
                            )
                # Multiply.
                for low_pixel in range(0, images * size, PASS_PIXELS):
                    count = min(PASS_PIXELS, images * size - low_pixel)
                    for k in range(len(taps)):
                        for c in range(0, columns, 2 * lanes):
                            for block in range(first, last):
                                target = ((g * blocks + block) * WIDE_CHANNELS * len(taps) + k) * columns + c
                                grads_offset = block * block_size + low_pixel * WIDE_CHANNELS
                                if c + lanes < columns:
                                    wide_2(
                                        products, target, len(taps) * columns, scratch, taps[k] + c,
                                        pixels[low_pixel:], grads, grads_offset, WIDE_CHANNELS, 1, count,
                                        adds or low_pixel > 0,
                                    )  # fmt: skip
                                else:
                                    wide_1(
                                        products, target, len(taps) * columns, scratch, taps[k] + c,
                                        pixels[low_pixel:], grads, grads_offset, WIDE_CHANNELS, 1, count,
                                        adds or low_pixel > 0,
                                    )  # fmt: skip
            adds = True
    # Add up what the shares found, in order.
    for o in prange(out.shape[0]):
        row, channel_sum = (o // outs * blocks * WIDE_CHANNELS + o % outs) * len(taps) * columns, 0.0
        for share in range(shares):
            channel_sum += partial_bias[share, o]
        bias_grad[o] = real(channel_sum)
        elements = out[o].ravel()
        for k in range(len(taps)):
            for c in range(ins):
                element = partial[0, row + k * columns + c]
                for share in range(1, shares):
                    element += partial[share, row + k * columns + c]
                elements[c * len(taps) + k] = element
    checksum[0] = total(out, 0, out.size)
