"""Convolution of the CUDA backend as a matrix product whose left matrix is never built.

A block of threads computes a tile of the result. Step by step it gathers a slice of both matrices into shared memory,
and each thread multiplies it into the elements that it keeps in registers. One kernel serves the result and the derivative
of the input, which is a convolution too: one for each remainder of position by stride. The derivative of the weight
sums over positions, in slices that a second kernel adds up in a fixed order. No atomics: every run gives the same bits.
Padding is zeros that take part in the product, so an infinite weight on padding gives nan.
"""

from __future__ import annotations

import functools
import types
from typing import Any, NamedTuple

import numpy as np

from ..runtime.placeholders import finish, real
from ..runtime.types import Fn
from .device.functions import slices_of
from .device.numba_cuda import SIMULATED, cuda

# A signed index may be negative, and then costs more than the product it serves: it would be counted from the end.
place: Any = int if SIMULATED else np.uint64
short: Any = int if SIMULATED else np.int32
word: Any = np.int32
# Shared memory made of these lies so that a card reads two neighbours of 32 bits at once.
pair: Any = np.int64
PAD = 4  # elements after a row in shared memory, so that threads which write a column meet different banks
# Bound by `shaped` to those of a tile.
THREADS, ROWS, COLS, DEPTH, DOWN, ACROSS = 4, 4, 4, 2, 2, 2
LEFT_LINE, RIGHT_LINE, LEFT_PAIRS, RIGHT_PAIRS, LEFT_LOADS, RIGHT_LOADS, TABLE = 8, 8, 16, 16, 2, 2, 12


class Tile(NamedTuple):
    """What a block of threads computes.

    Attributes:
        rows: Of the tile; a divisor of the threads.
        cols: Of the tile.
        depth: How many products of a element are taken per step; a divisor of the threads.
        down: Rows that a thread computes; even.
        across: Columns that a thread computes; even.
    """

    rows: int
    cols: int
    depth: int
    down: int
    across: int

    @property
    def threads(self) -> int:
        """How many threads a block has."""
        return self.rows * self.cols // (self.down * self.across)

    def needed(self, rows: int, cols: int) -> int:
        """Return how many tiles cover a matrix."""
        return -(-rows // self.rows) * -(-cols // self.cols)

    def used(self, rows: int, cols: int, depth: int) -> float:
        """Return which part of the work is not done on padding, if a product of such sizes is covered by tiles."""
        covered = self.needed(rows, cols) * self.rows * self.cols * -(-depth // self.depth) * self.depth
        return rows * cols * depth / covered if covered else 0.0


@functools.cache
def shaped(loop: Fn, tile: Tile, dtype: Any) -> Fn:
    """Return ``loop`` with the numbers of a tile known when it is compiled: its sums then live in registers."""
    threads, left, right, size = tile.threads, tile.rows + PAD, tile.cols + PAD, np.dtype(dtype).itemsize
    known = {
        "THREADS": threads,
        "ROWS": tile.rows,
        "COLS": tile.cols,
        "DEPTH": tile.depth,
        "DOWN": tile.down,
        "ACROSS": tile.across,
        "LEFT_LINE": left,
        "RIGHT_LINE": right,
        "LEFT_PAIRS": left * tile.depth * size // 8,
        "RIGHT_PAIRS": right * tile.depth * size // 8,
        "LEFT_LOADS": tile.rows * tile.depth // threads,
        "RIGHT_LOADS": tile.cols * tile.depth // threads,
        "TABLE": 3 * tile.cols,
    }
    name = f"{loop.__name__}_{tile.rows}x{tile.cols}_{tile.down}x{tile.across}"
    return types.FunctionType(loop.__code__, {**loop.__globals__, **known}, name)


def add_products(sums: Any, left: Any, right: Any, row: int, col: int, hops: Any) -> None:
    """Add the products of one line of each slice to the elements of one thread; see `multiply`."""
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            sums[i, j] += (
                left[place(row + i // 2 * hops[0] + i % 2)] * right[place(col + j // 2 * hops[1] + j % 2)]
            )


def multiply(sums: Any, left: Any, right: Any, row: int, col: int, lines: Any, hops: Any) -> None:
    """Add the product of two slices to the elements of one thread.

    Args:
        sums: Its elements.
        left: A slice of the left matrix, column by column, ``lines[0]`` apart.
        right: A slice of the right matrix, row by row, ``lines[1]`` apart.
        row: The first row of the thread. The second follows, the next pairs ``hops[0]`` apart: neighbours read
            neighbours.
        col: Its first column, likewise.
        lines: See ``left``.
        hops: See ``row``.
    """
    # Two lines per round: to count rounds costs a card as much as some of their products.
    while row < left.size:
        add_products(sums, left, right, row, col, hops)
        add_products(sums, left, right, row + lines[0], col + lines[1], hops)
        row += 2 * lines[0]
        col += 2 * lines[1]


def axis(
    reverse: bool, phase: int, stride: int, pad: int, dilation: int, window: int, every: int
) -> Any:  # fmt: skip
    """Return how one direction of a result meets that of its source.

    Place number ``u`` of the result is ``first + u * apart``; at step ``q`` of the window it meets element number
    ``begin + q * every`` of the window and place ``start + u * step + q * hop`` of the source.

    Args:
        reverse: From outputs to inputs.
        phase: Then, the remainder by the stride of the places in question (padding counted).
        stride: Of the convolution.
        pad: Cells before the first.
        dilation: Of the window.
        window: Its size.
        every: Each so many elements of the window meet a phase, at most.

    Returns:
        ``first, apart, start, step, begin, hop`` and the number of steps.
    """
    if not reverse:
        return 0, 1, -pad, stride, 0, dilation, window
    first, begin = (phase - pad) % stride, 0
    while begin < every and begin * dilation % stride != phase:
        begin += 1
    steps = max(window - begin + every - 1, 0) // every if begin < every else 0
    start = (first + pad - begin * dilation) // stride
    return first, stride, start, 1, begin, -(dilation * every // stride), steps


def conv_gemm(
    out: Any, x: Any, w: Any, b: Any, biased: bool, reverse: bool, sizes: Any, down: Any, across: Any
) -> None:
    """Convolve, or go back to the input: rows are positions, columns channels of the result, depth channels of ``x``.

    Args:
        out: The result.
        x: What is gathered: the input, or with ``reverse`` the derivative of the output.
        w: The weight.
        b: A bias per channel.
        biased: Whether there is one.
        reverse: See ``x``.
        sizes: Of the batch; groups; channels of ``x`` and of ``out`` in one group.
        down: Height of ``out``, of ``x``, and of the window; stride, padding, dilation, and see `axis`: every.
        across: The same for the width.
    """
    left = cuda.shared.array(LEFT_PAIRS, pair).view(real)
    right = cuda.shared.array(RIGHT_PAIRS, pair).view(real)
    places = cuda.shared.array(ROWS, word)  # where a row lies in the first channel of the result
    sums = cuda.local.array((DOWN, ACROSS), real)
    next_left, next_right = cuda.local.array(LEFT_LOADS, real), cuda.local.array(RIGHT_LOADS, real)
    batch, groups, depth, cols = sizes
    height, x_height, kh, sh, top, dh, every_i = down
    width, x_width, kw, sw, lead, dw, every_j = across
    phases, turns = (sh, sw) if reverse else (1, 1)
    high, wide = short((height + phases - 1) // phases), short((width + turns - 1) // turns)
    rows, plane, window = short(batch * high * wide), short(x_height * x_width), short(kh * kw)

    block, t = short(cuda.blockIdx.x), short(cuda.threadIdx.x)
    col_tiles, row_tiles = short((cols + COLS - 1) // COLS), short((rows + ROWS - 1) // ROWS)
    first_col, block = short(block % col_tiles * COLS), short(block // col_tiles)
    first_row, block = short(block % row_tiles * ROWS), short(block // row_tiles)
    group, phase = short(block % groups), short(block // groups)
    first_y, apart_y, y, step_y, begin_i, hop_y, steps_i = axis(
        reverse, phase // turns, sh, top, dh, kh, every_i
    )
    first_z, apart_z, z, step_z, begin_j, hop_z, steps_j = axis(
        reverse, phase % turns, sw, lead, dw, kw, every_j
    )

    # What this thread gathers: of the left matrix one row, of the right one line of channels.
    row, deep = short(first_row + t % ROWS), short(t // ROWS)
    n, u, v = short(row // (high * wide)), short(row // wide % high), short(row % wide)
    y, z = short(y + u * step_y), short(z + v * step_z)
    at = short(((n * groups + group) * depth + deep) * plane)
    if t < ROWS:
        r, k = short(first_y + u * apart_y), short(first_z + v * apart_z)
        places[t] = -1
        if row < rows and r < height and k < width:
            places[t] = ((n * groups + group) * cols * height + r) * width + k
    col, thick = short(first_col + t // DEPTH), short(t % DEPTH)
    depth_step = short(cols * window) if reverse else window
    col_step = window if reverse else short(depth * window)
    by = short(group * depth * cols * window + begin_i * kw + begin_j + thick * depth_step + col * col_step)
    my_row, my_col = short(t % (ROWS // DOWN) * 2), short(t // (ROWS // DOWN) * 2)
    for i in range(DOWN):
        for j in range(ACROSS):
            sums[i, j] = real(0)
    low, q, p, hops = short(0), short(0), short(0), (ROWS // DOWN * 2, COLS // ACROSS * 2)
    steps = short((depth + DEPTH - 1) // DEPTH * steps_i * steps_j)
    for step in range(steps + 1):
        if step < steps:
            r, k = short(y + q * hop_y), short(z + p * hop_z)
            # How many channels below this thread's there are to gather; none outside of the image.
            seen = (row < rows) & (r >= 0) & (r < x_height) & (k >= 0) & (k < x_width)
            rest = short(depth - low - deep) if seen else short(0)
            here = at + low * plane + r * x_width + k
            for load in range(LEFT_LOADS):
                next_left[load] = real(0)
                if short(load * (THREADS // ROWS)) < rest:
                    next_left[load] = x[place(here)]
                here += (THREADS // ROWS) * plane
            rest = short(cols - col) if low + thick < depth else short(0)
            there = by + low * depth_step + q * every_i * kw + p * every_j
            for load in range(RIGHT_LOADS):
                next_right[load] = real(0)
                if short(load * (THREADS // DEPTH)) < rest:
                    next_right[load] = w[place(there)]
                there += (THREADS // DEPTH) * col_step
            # The elements of a window lie close to each other: they come before the next channels.
            p = short(p + 1)
            if p == steps_j:
                q, p = short(q + 1), short(0)
            if q == steps_i:
                low, q = short(low + DEPTH), short(0)
        if step > 0:
            multiply(sums, left, right, my_row, my_col, (LEFT_LINE, RIGHT_LINE), hops)
        cuda.syncthreads()
        if step < steps:
            for load in range(LEFT_LOADS):
                left[place((deep + load * (THREADS // ROWS)) * LEFT_LINE + t % ROWS)] = next_left[load]
            for load in range(RIGHT_LOADS):
                right[place(thick * RIGHT_LINE + t // DEPTH + load * (THREADS // DEPTH))] = next_right[load]
        cuda.syncthreads()
    area = short(height * width)
    for j in range(ACROSS):
        col = short(first_col + my_col + j // 2 * (COLS // ACROSS * 2) + j % 2)
        if col < cols:
            shift = real(0)
            if biased:
                shift = b[place(group * cols + col)]
            for i in range(DOWN):
                at = places[place(my_row + i // 2 * (ROWS // DOWN * 2) + i % 2)]
                if at >= 0:
                    out[place(at + col * area)] = finish(sums[i, j] + shift)


def conv_weight_gemm(out: Any, x: Any, d: Any, sizes: Any, down: Any, across: Any, share: int) -> None:
    """Go back to the weight: rows are its output channels, columns its other elements, depth is a share of the positions.

    Args:
        out: A result for each share, one after the other.
        x: The input.
        d: The derivative of the output.
        sizes: Of the batch; groups; channels of ``x`` and of ``d`` in one group.
        down: Height of ``d``, of ``x``, and of the window; stride, padding and dilation.
        across: The same for the width.
        share: Positions that a block sums over.
    """
    left = cuda.shared.array(LEFT_PAIRS, pair).view(real)
    right = cuda.shared.array(RIGHT_PAIRS, pair).view(real)
    table = cuda.shared.array(TABLE, word)  # how far a column lies in the input: elements, rows, columns
    sums = cuda.local.array((DOWN, ACROSS), real)
    next_left, next_right = cuda.local.array(LEFT_LOADS, real), cuda.local.array(RIGHT_LOADS, real)
    batch, groups, ins, rows = sizes
    high, height, kh, sh, top, dh = down
    wide, width, kw, sw, lead, dw = across
    area, plane, cols = short(high * wide), short(height * width), short(ins * kh * kw)

    block, t = short(cuda.blockIdx.x), short(cuda.threadIdx.x)
    col_tiles, row_tiles = short((cols + COLS - 1) // COLS), short((rows + ROWS - 1) // ROWS)
    first_col, block = short(block % col_tiles * COLS), short(block // col_tiles)
    first_row, block = short(block % row_tiles * ROWS), short(block // row_tiles)
    group, share_number = short(block % groups), short(block // groups)
    for c in range(t, COLS, THREADS):
        col = short(first_col + c)
        i, j = short(col // kw % kh * dh), short(col % kw * dw)
        table[c], table[COLS + c], table[2 * COLS + c] = col // (kh * kw) * plane + i * width + j, i, j
    cuda.syncthreads()

    deep, line = short(t % DEPTH), short(t // DEPTH)
    at = short(share_number * share + deep)
    end = short(min(share_number * share + share, batch * area))
    n, y, z = short(at // area), short(at // wide % high), short(at % wide)
    more_n, more_y, more_z = short(DEPTH // area), short(DEPTH // wide % high), short(DEPTH % wide)
    row = short(first_row + line)
    my_col, my_row = short(t % (COLS // ACROSS) * 2), short(t // (COLS // ACROSS) * 2)
    for i in range(DOWN):
        for j in range(ACROSS):
            sums[i, j] = real(0)
    hops = (ROWS // DOWN * 2, COLS // ACROSS * 2)
    steps = short((end - share_number * share + DEPTH - 1) // DEPTH)
    for step in range(steps + 1):
        if step < steps:
            there = ((n * groups + group) * rows + row) * area + y * wide + z
            rest = short(rows - row) if at < end else short(0)
            for load in range(LEFT_LOADS):
                next_left[load] = real(0)
                if short(load * (THREADS // DEPTH)) < rest:
                    next_left[load] = d[place(there)]
                there += (THREADS // DEPTH) * area
            r, k = short(y * sh - top), short(z * sw - lead)
            here = (n * groups + group) * ins * plane + r * width + k
            rest = short(cols - first_col - line) if at < end else short(0)
            for load in range(RIGHT_LOADS):
                next_right[load] = real(0)
                c = short(line + load * (THREADS // DEPTH))
                below, beside = short(r + table[place(COLS + c)]), short(k + table[place(2 * COLS + c)])
                inside = (below >= 0) & (below < height) & (beside >= 0) & (beside < width)
                if inside & (short(load * (THREADS // DEPTH)) < rest):
                    next_right[load] = x[place(here + table[place(c)])]
            at = short(at + DEPTH)
            n, y, z = short(n + more_n), short(y + more_y), short(z + more_z)
            if z >= wide:
                y, z = short(y + 1), short(z - wide)
            if y >= high:
                n, y = short(n + 1), short(y - high)
        if step > 0:
            multiply(sums, left, right, my_row, my_col, (LEFT_LINE, RIGHT_LINE), hops)
        cuda.syncthreads()
        if step < steps:
            for load in range(LEFT_LOADS):
                left[place(deep * LEFT_LINE + line + load * (THREADS // DEPTH))] = next_left[load]
            for load in range(RIGHT_LOADS):
                right[place(deep * RIGHT_LINE + line + load * (THREADS // DEPTH))] = next_right[load]
        cuda.syncthreads()
    to = short((share_number * groups + group) * rows * cols)
    for i in range(DOWN):
        row = short(first_row + my_row + i // 2 * (ROWS // DOWN * 2) + i % 2)
        for j in range(ACROSS):
            col = short(first_col + my_col + j // 2 * (COLS // ACROSS * 2) + j % 2)
            if row < rows and col < cols:
                out[place(to + row * cols + col)] = sums[i, j]


def sum_shares(out: Any, parts: Any) -> None:
    """Add up results that follow each other in ``parts``, from the first to the last: a thread per element."""
    t = cuda.grid(1)
    if t < out.size:
        out[t] = slices_of(parts, t, parts.size // out.size, out.size)
