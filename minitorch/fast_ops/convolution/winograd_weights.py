"""Kernels for the weights of `winograd`: into the form that its products take, and gradients back from it.

Weights are transformed a few channels at a time, so that what lies between the two matrices stays in a core's nearest
cache. Cost: each weight is read once from main memory, and the 36 numbers of a pair of channels are written once; and
the other way round. `winograd` has the formula and its source.

    weight_tiles     G g G^T     w (O, C, 3, 3)                            ->  [frequency 0..35][block of O][line]
    weight_grads     G^T M G     [share][frequency 0..35][O][columns]      ->  out (O, C, 3, 3)

A line holds (C, channels), and a gap that makes it whole vectors; ``channels`` is the height of a register tile.
Channels of a block that the weight does not have are zeros. ``columns`` is C, padded to whole vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ...runtime.placeholders import real
from ..simd import WIDE_CHANNELS
from ..sums import total
from .register_tiles import gather_wide
from .winograd_transforms import transform_weight, transform_weight_grad

INPUTS = 16  # input channels that are transformed at a time: whole vectors, with the channels of a block
TAPS = np.arange(9)  # where each tap of a weight lies
FLIPPED_TAPS = TAPS[::-1].copy()
# Where the lines of the two transforms of a weight begin: taps of a column are three taps apart, those of a row one.
WEIGHT_LINES = tuple(step * INPUTS * WIDE_CHANNELS * np.arange(3) for step in (3, 1))


def weight_tiles(
    out: Any, w: Any, strides: Any, taps: Any, ins: int, outs: int, offsets: Any, lanes: int
) -> None:
    """Write the transformed weights ``w`` into ``out`` (36, blocks, line).

    Args:
        out: The result.
        w: The weights, packed.
        strides: Elements from an output channel to the next, and from an input channel to the next.
        taps: `TAPS` or `FLIPPED_TAPS`.
        ins: Input channels C.
        outs: Output channels O.
        offsets: `WEIGHT_LINES`.
        lanes: Elements of a vector register.
    """
    size, blocks, line = INPUTS * WIDE_CHANNELS, out.shape[1], out.shape[2]
    elements, weights = out.reshape(out.size), w.reshape(w.size)
    pixels = half = weights
    fresh = True  # what a thread allocates for its first share serves its next ones
    for block in prange(blocks):
        if fresh:
            pixels, half = np.zeros(9 * size, w.dtype), np.empty(18 * size, w.dtype)
            fresh = False
        first = block * WIDE_CHANNELS
        for low in range(0, ins, INPUTS):
            count = min(INPUTS, ins - low)
            for c in range(count):
                source, target = first * strides[0] + (low + c) * strides[1], c * WIDE_CHANNELS
                for k in range(9):
                    if first + WIDE_CHANNELS <= outs:
                        gather_wide(pixels, k * size + target, weights, source + taps[k], strides[0])
                    else:
                        for m in range(WIDE_CHANNELS):
                            weight = source + taps[k] + m * strides[0]
                            pixels[k * size + target + m] = weights[weight] if first + m < outs else real(0)
            for j in range(3):
                transform_weight(half, j * size, 3 * size, pixels, j * size, offsets[0], size // lanes)
            vectors = (count * WIDE_CHANNELS + lanes - 1) // lanes
            for k in range(6):
                target = (k * 6 * blocks + block) * line + low * WIDE_CHANNELS
                transform_weight(elements, target, blocks * line, half, k * 3 * size, offsets[1], vectors)


def weight_grads(out: Any, flaws: Any, partial: Any, offsets: Any, lanes: int) -> None:
    """Write the sum of all shares of ``partial`` (shares, 36, O, columns), transformed back, into ``out``.

    ``flaws[o]`` is nan where a number was not finite, else 0. ``offsets`` says where the lines of the two transforms
    begin: 0 to 5 times six lines of columns, and times one line.
    """
    shares, columns = partial.shape[0], partial.shape[3]
    sums = half = taps = out.reshape(out.size)
    fresh = True  # what a thread allocates for its first share serves its next ones
    for o in prange(out.shape[0]):
        if fresh:
            sums, half = np.empty(36 * columns, out.dtype), np.empty(18 * columns, out.dtype)
            taps = np.empty(9 * columns, out.dtype)
            fresh = False
        for f in range(36):
            for c in range(columns):
                sums[f * columns + c] = partial[0, f, o, c]
            for share in range(1, shares):
                for c in range(columns):
                    sums[f * columns + c] += partial[share, f, o, c]
        for n in range(6):
            transform_weight_grad(
                half, n * columns, 6 * columns, sums, n * columns, offsets[0], columns // lanes
            )
        for i in range(3):
            transform_weight_grad(
                taps, i * 3 * columns, columns, half, i * 6 * columns, offsets[1], columns // lanes
            )
        flaws[o] = total(taps, 0, 9 * columns) * real(0)
        for c in range(out.shape[1]):
            for i in range(3):
                for j in range(3):
                    out[o, c, i, j] = taps[(i * 3 + j) * columns + c]
