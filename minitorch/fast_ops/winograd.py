"""3x3 convolutions of the Numba backend with a quarter of the multiplications: Winograd's F(4x4, 3x3).

Cut an image into 6x6 pieces that overlap by 2; then 4x4 results need 36 products, not 144, between a transformed piece
and a transformed weight (Lavin and Gray, 2016). The 36 sums over channels are matrix products, on the register tiles
of `minitorch.fast_tile`. The weight's derivative is the same transposed round: 36 products of transformed pieces and
transformed derivatives. Pieces of several images lie side by side (rows of pieces, then images, then columns), so that
vectors are full for images of any size. Rounding errors are some ten times those of a plain sum; where a result is
not finite, the caller computes it plainly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ..runtime import allocator
from ..runtime.placeholders import finish, real
from ..runtime.types import Array, ConvParams, Padding
from . import jit, matmul, simd
from .register_tiles import more_1, more_2, wide_1, wide_2, wide_3
from .sums import total
from .threads import thread_count
from .winograd_transforms import (
    mix_change,
    mix_input,
    mix_output,
    part_2,
    part_4,
    part_8,
    turn_full,
    turn_tall,
    unweave_2,
    unweave_4,
    unweave_8,
    weave_2,
    weave_4,
    weave_8,
)

LEAST = 24  # channels, in and out, from which the products outweigh the transformations
CACHE_BYTES = 1_500_000  # bytes of transformed pieces that stay in a core's cache
WEIGHT = np.array(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
     [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
)  # fmt: skip
BOTH = np.kron(WEIGHT, WEIGHT)  # (36, 9)


def lay_out(
    planes: Any, line: Any, pixels: Any, image: int, images: int, corner: Any, tall: int, wide: int
) -> None:
    """Sort a channel of an image by where its pixels lie in the 6x6 pieces: by column 0..5, and by row modulo 4.

    Pixel (4k + a, 4t + j) goes to ``planes[j][a][(k * images + image) * wide + t]``. Margins stay as they are.
    """
    height, width = pixels.shape
    size = (tall + 1) * images * wide
    for r in range(4 * tall + 2):
        y = r - corner[0]
        if 0 <= y < height:
            at = r % 4 * size + (r // 4 * images + image) * wide
            row = pixels[y]
            for k in range(min(width, 4 * wide + 2 - corner[1])):
                line[corner[1] + k] = row[k]
            t = 0
            while t + 8 <= wide:
                unweave_8(planes, at + t, 4 * size, line, 4 * t)
                t += 8
            if t + 4 <= wide:
                unweave_4(planes, at + t, 4 * size, line, 4 * t)
                t += 4
            if t + 2 <= wide:
                unweave_2(planes, at + t, 4 * size, line, 4 * t)
                t += 2
            if t < wide:
                for j in range(6):
                    planes[at + t + j * 4 * size] = line[4 * t + j]


def write_row(row: Any, elements: Any, start: int, step: int, wide: int) -> None:
    """Write pixel 4t + s of a row from ``elements[start + s * step + t]``."""
    t = 0
    while t + 8 <= wide and 4 * t + 32 <= len(row):
        weave_8(row, 4 * t, elements, start + t, step)
        t += 8
    if t + 4 <= wide and 4 * t + 16 <= len(row):
        weave_4(row, 4 * t, elements, start + t, step)
        t += 4
    if t + 2 <= wide and 4 * t + 8 <= len(row):
        weave_2(row, 4 * t, elements, start + t, step)
        t += 2
    for k in range(4 * t, len(row)):
        row[k] = elements[start + k % 4 * step + k // 4]


def read_row(elements: Any, start: int, step: int, row: Any) -> None:
    """Write pixel 4t + s of a row into ``elements[start + s * step + t]``."""
    t, wide = 0, len(row) // 4
    while t + 8 <= wide:
        part_8(elements, start + t, step, row, 4 * t)
        t += 8
    if t + 4 <= wide:
        part_4(elements, start + t, step, row, 4 * t)
        t += 4
    if t + 2 <= wide:
        part_2(elements, start + t, step, row, 4 * t)
        t += 2
    for k in range(4 * t, len(row)):
        elements[start + k % 4 * step + k // 4] = row[k]


def conv_pieces(
    out: Any, flaws: Any, x: Any, packed: Any, shift: Any, scratch: Any, places: Any,
    images: int, corner: Any, tall: int, wide: int, lanes: int, channels: int, threads: int,
) -> None:  # fmt: skip
    """Convolve ``x`` with transformed weights (36, blocks, C, channels), add ``shift``, activate."""
    batch, ins, outs, rows = len(x), x.shape[1], out.shape[1], out.shape[2]
    blocks = (outs + channels - 1) // channels
    size = (tall + 1) * images * wide
    count = (tall * images * wide + lanes - 1) // lanes
    padded = count * lanes
    for t in prange(threads):
        mine = scratch[t]
        line, mine = mine[: 4 * wide + 48], mine[4 * wide + 48 :]
        planes, mine = mine[: 24 * size + 2 * padded], mine[24 * size + 2 * padded :]
        half, mine = mine[: 36 * padded], mine[36 * padded :]
        done, mine = mine[: 16 * padded], mine[16 * padded :]
        pieces, sums = mine[: 36 * ins * padded], mine[36 * ins * padded :]
        line[:], planes[:] = real(0), real(0)
        flaw = real(0)
        end = (t + 1) * batch // threads
        for low in range(t * batch // threads, end, images):
            for c in range(ins):
                for b in range(min(images, end - low)):
                    lay_out(planes, line, x[low + b, c], b, images, corner, tall, wide)
                for j in range(6):
                    mix_input(half, j * padded, 6 * padded, planes, j * 4 * size, places[0], count)
                for m in range(6):
                    at = (m * 6 * ins + c) * padded
                    mix_input(pieces, at, ins * padded, half, m * 6 * padded, places[1], count)
            for k in range(36):
                for block in range(blocks):
                    first = (k * blocks + block) * ins * channels
                    to, of = (k * blocks + block) * channels * padded, k * ins * padded
                    at, left = 0, count
                    while left >= 3 and left != 4:
                        wide_3(sums, to + at, padded, pieces, of + at, places[2], packed, first, ins)
                        at, left = at + 3 * lanes, left - 3
                    while left >= 2:
                        wide_2(sums, to + at, padded, pieces, of + at, places[2], packed, first, ins)
                        at, left = at + 2 * lanes, left - 2
                    if left:
                        wide_1(sums, to + at, padded, pieces, of + at, places[2], packed, first, ins)
            for o in range(outs):
                for n in range(6):
                    at = (n * blocks * channels + o) * padded
                    mix_output(half, n * padded, 6 * padded, sums, at, places[3], count)
                for r in range(4):
                    mix_output(done, r * 4 * padded, padded, half, r * 6 * padded, places[1], count)
                more = shift[o]
                flaw += total(done, 0, 16 * padded) * real(0)
                for k in range(16 * padded):
                    done[k] = finish(done[k] + more)
                for b in range(min(images, end - low)):
                    for y in range(rows):
                        start = y % 4 * 4 * padded + (y // 4 * images + b) * wide
                        write_row(out[low + b, o, y], done, start, padded, wide)
        flaws[t] = flaw


def weigh_pieces(
    partial: Any, x: Any, d: Any, scratch: Any, places: Any,
    images: int, corner: Any, tall: int, wide: int, lanes: int, channels: int, threads: int,
) -> None:  # fmt: skip
    """Sum the products of transformed pieces and derivatives, each thread into its own (36, blocks * channels, C)."""
    batch, ins, outs, rows = len(x), x.shape[1], d.shape[1], d.shape[2]
    blocks = (outs + channels - 1) // channels
    size = (tall + 1) * images * wide
    used = tall * images * wide
    count = (used + lanes - 1) // lanes
    padded = count * lanes
    columns = (ins + lanes - 1) // lanes * lanes
    for t in prange(threads):
        mine = scratch[t]
        line, mine = mine[: 4 * wide + 48], mine[4 * wide + 48 :]
        planes, mine = mine[: 24 * size + 2 * padded], mine[24 * size + 2 * padded :]
        half, mine = mine[: 40 * padded], mine[40 * padded :]
        square, mine = mine[: 36 * lanes * padded], mine[36 * lanes * padded :]
        pieces, changes = mine[: 36 * columns * padded], mine[36 * columns * padded :]
        sums = partial[t].ravel()
        line[:], planes[:], square[:], sums[:] = real(0), real(0), real(0), real(0)
        end = (t + 1) * batch // threads
        for low in range(t * batch // threads, end, images):
            here = min(images, end - low)
            # Pieces of the image, transposed: for each of the 36, a line of channels for each piece.
            for first in range(0, ins, lanes):
                for c in range(first, min(first + lanes, ins)):
                    for b in range(here):
                        lay_out(planes, line, x[low + b, c], b, images, corner, tall, wide)
                    for j in range(6):
                        mix_input(half, j * padded, 6 * padded, planes, j * 4 * size, places[0], count)
                    for m in range(6):
                        at = (m * 6 * lanes + c - first) * padded
                        mix_input(square, at, lanes * padded, half, m * 6 * padded, places[1], count)
                for k in range(36):
                    for p in range(0, padded, lanes):
                        at = (k * padded + p) * columns + first
                        turn_full(pieces, at, columns, square, k * lanes * padded + p, padded)
            # Derivatives, transposed: for each of the 36 and each block of channels, a line for each piece.
            for block in range(blocks):
                for m in range(channels):
                    o = block * channels + m
                    half[: 16 * padded] = real(0)
                    if o < outs:
                        for b in range(here):
                            for y in range(rows):
                                row = d[low + b, o, y]
                                read_row(half, y % 4 * 4 * padded + (y // 4 * images + b) * wide, padded, row)
                    for s in range(4):
                        mix_change(half, (16 + s) * padded, 4 * padded, half, s * padded, places[4], count)
                    for n in range(6):
                        at = (n * 6 * lanes + m) * padded
                        mix_change(square, at, lanes * padded, half, (16 + n * 4) * padded, places[1], count)
                for k in range(36):
                    at = (k * blocks + block) * padded * channels
                    for p in range(0, padded, channels):
                        turn_tall(
                            changes, at + p * channels, channels, square, k * lanes * padded + p, padded
                        )
            for k in range(36):
                for block in range(blocks):
                    to = (k * blocks + block) * channels * columns
                    first = (k * blocks + block) * padded * channels
                    at, left = 0, columns // lanes
                    while left >= 2:
                        more_2(
                            sums, to + at, columns, pieces, k * padded * columns + at, places[5], changes, first, used
                        )  # fmt: skip
                        at, left = at + 2 * lanes, left - 2
                    if left:
                        more_1(
                            sums, to + at, columns, pieces, k * padded * columns + at, places[5], changes, first, used
                        )  # fmt: skip


def suits(w: Array, params: ConvParams) -> bool:
    """Return whether Winograd's algorithm is faster for a convolution with weight ``w`` and these settings."""
    if w.shape[2:] != (3, 3) or min(w.shape[:2]) < LEAST:
        return False
    stride, padding, dilation, groups = params
    return stride == dilation == (1, 1) and groups == 1 and max(padding) <= 2


class _Layout:
    """How many images lie side by side, and where in a thread's scratch memory everything is."""

    def __init__(
        self, batch: int, ins: int, outs: int, rows: int, cols: int, itemsize: int, transposed: bool
    ) -> None:
        self.channels, self.lanes = simd.WIDE, simd.BYTES // itemsize
        self.tall, self.wide = -(-rows // 4), -(-cols // 4)
        pieces = self.tall * self.wide
        self.threads = min(thread_count() if batch * rows * cols * ins * outs > jit.SERIAL else 1, batch)
        share = -(-batch // self.threads)
        blocks = -(-outs // self.channels) * self.channels
        columns = -(-ins // self.lanes) * self.lanes if transposed else ins
        aim = max(
            3 * self.lanes, CACHE_BYTES // (36 * (columns + blocks) * itemsize) // self.lanes * self.lanes
        )
        turns = max(1, -(-share * pieces // aim))
        self.images = -(-share // turns)
        size = (self.tall + 1) * self.images * self.wide
        padded = -(-self.tall * self.images * self.wide // self.lanes) * self.lanes
        work = 4 * self.wide + 48 + 24 * size + 2 * padded + 40 * padded
        work += 36 * self.lanes * padded if transposed else 16 * padded
        self.scratch = work + 36 * (columns + blocks) * padded
        near = np.arange(max(ins, padded, 6), dtype=np.int64)
        step = self.images * self.wide
        self.places = (
            np.array([0, size, 2 * size, 3 * size, step, size + step]),
            near[:6] * padded,
            near[:ins] * padded,
            near[:6] * 6 * blocks * padded,
            near[:4] * 4 * padded,
            near[:padded] * columns,
        )

    def run(self, loop: Any, dtype: Any, *operands: Any, corner: tuple[int, int], **fns: Any) -> None:
        """Launch ``loop``, on scratch memory for each thread."""
        scratch = allocator.empty(self.threads * self.scratch, dtype).reshape(self.threads, self.scratch)
        kernel = jit.variant(loop, dtype, self.threads > 1, **fns)
        kernel(
            *operands, scratch, self.places, self.images, corner, self.tall, self.wide, self.lanes, self.channels,
            self.threads,
        )  # fmt: skip


def conv(out: Array, x: Array, w: Array, padding: Padding, shift: Array, activation: Any) -> bool:
    """Convolve, add ``shift`` to the channels, activate; tell whether all sums were finite."""
    outs, ins = w.shape[:2]
    plan = _Layout(len(x), ins, outs, out.shape[2], out.shape[3], out.itemsize, False)
    blocks = -(-outs // plan.channels)
    filled = np.zeros((blocks * plan.channels, ins, 9), out.dtype)
    filled[:outs] = w.reshape(outs, ins, 9)
    lines = filled.reshape(blocks, plan.channels, ins, 9).transpose(3, 0, 2, 1).reshape(9, -1)
    packed = allocator.empty(36 * lines.shape[1], out.dtype)
    matmul.matmul(packed.reshape(36, -1), BOTH.astype(out.dtype), lines)
    flaws = np.zeros(plan.threads, out.dtype)
    plan.run(
        conv_pieces,
        out.dtype,
        out,
        flaws,
        x,
        packed,
        shift,
        corner=(padding[0], padding[2]),
        finish=activation,
    )
    return bool((flaws == 0).all())


def grad_weight(out: Array, x: Array, d: Array, padding: Padding) -> bool:
    """Write the derivative with respect to the weight; tell whether all sums were finite."""
    if not len(x):
        out[...] = 0
        return True
    outs, ins = out.shape[:2]
    plan = _Layout(len(x), ins, outs, d.shape[2], d.shape[3], out.itemsize, True)
    lines, columns = -(-outs // plan.channels) * plan.channels, -(-ins // plan.lanes) * plan.lanes
    partial = allocator.empty(plan.threads * 36 * lines * columns, out.dtype).reshape(
        plan.threads, 36, lines, columns
    )
    plan.run(weigh_pieces, out.dtype, partial, x, d, corner=(padding[0], padding[2]))
    sums = partial.sum(axis=0) if plan.threads > 1 else partial[0]
    transposed = np.empty((9, lines * columns), out.dtype)
    matmul.matmul(transposed, BOTH.T.astype(out.dtype), sums.reshape(36, -1))
    out[...] = transposed.reshape(3, 3, lines, columns)[:, :, :outs, :ins].transpose(2, 3, 0, 1)
    return bool(np.isfinite(out).all())
