"""Convolution of the CUDA backend as a matrix product whose left matrix is never built (implicit GEMM).

A convolution of images (N, C, H, W) with a weight (O, C, KH, KW) is the product of a matrix with a row for each output
position and a column for each (channel, window element), the "im2col" matrix, by the transposed weight::

    forward         rows M = N * H' * W'  output positions         depth K = C * KH * KW       columns = O
    input gradient  rows M = N * H * W / phases  input positions   depth K = O * steps         columns = C
    weight gradient rows M = O            depth K = N * H' * W' positions, in split-K slices   columns = C * KH * KW

                         columns: channels of the result
                         +--------+
        depth ->         | right  |  DEPTH channels at one window element
        +------+         +--------+
    row | left |  gather | tile   |  ROWS x COLS sums of a block, THREAD_ROWS x THREAD_COLS of a thread,
        +------+         +--------+  in pairs: rows t, t + 1, then `hops` further

Built in memory, that matrix would be KH * KW times as large as the input. Here a block gathers slices of it, ROWS x
DEPTH numbers, straight from the images into shared memory (Chetlur et al., "cuDNN: Efficient Primitives for Deep
Learning", 2014). One step of a block:

1. load: each thread reads the numbers of the next step into registers. It has one row, so image, row and column of its
   position are divided out once, and a step only adds an offset (one window element for DEPTH channels);
2. multiply: each thread reads THREAD_ROWS + THREAD_COLS numbers of shared memory per line of the depth, and makes
   THREAD_ROWS * THREAD_COLS fused multiply-adds;
3. barrier, store the registers into shared memory, barrier.

**Input gradient.** It is a convolution too, of the output gradient, in which the window runs backwards. With stride S
only each S-th row takes part, and which one depends on the position modulo S. So positions are sorted by that
remainder, the phase: all rows of a block have the same one, and use the same window elements (`axis_map`).

**Weight gradient.** It sums over all positions of all images, so there are few elements and much depth. The positions
are cut into slices, which are blocks of their own; `sum_weight_slices` adds their results in a fixed order.

No atomics: every run gives the same bits. 2 M K columns FLOPs; each number of the input is gathered from memory about
``KH * KW * columns / COLS / stride^2`` times, mostly from the cache. Padding is zeros that take part in the product, so
an infinite weight on padding gives NaN.
"""

from __future__ import annotations

import functools
import types
from typing import Any, NamedTuple

import numpy as np

from ..runtime.placeholders import activation, real
from ..runtime.types import Fn
from .device.functions import sum_over_slices
from .device.numba_cuda import SIMULATED, cuda

# A signed index is checked for counting from the end, which costs more than the product it serves.
index: Any = int if SIMULATED else np.uint64
# A card computes with 32 bits twice as fast as with Numba's 64; results are narrowed again after each operation.
int32: Any = int if SIMULATED else np.int32
offset_type: Any = np.int32  # of tables in shared memory
# Shared memory is declared in words of 64 bits: it is aligned so, and a card reads two neighbouring float32 at once.
word64: Any = np.int64
PADDING = 4  # numbers after a row in shared memory, so that threads that write a column meet different banks
# The sizes of a tile, and what follows from them; `specialized` binds those of another one.
THREADS, ROWS, COLS, DEPTH, THREAD_ROWS, THREAD_COLS = 4, 4, 4, 2, 2, 2
LEFT_PITCH, RIGHT_PITCH, LEFT_WORDS, RIGHT_WORDS, LEFT_LOADS, RIGHT_LOADS, TABLE = 8, 8, 16, 16, 2, 2, 12


class ConvTile(NamedTuple):
    """What a block of threads computes.

    Attributes:
        rows: Rows of the tile; a divisor of the number of threads.
        cols: Columns of the tile.
        depth: Products of an element per step; a divisor of the number of threads.
        thread_rows: Rows that a thread computes; even.
        thread_cols: Columns that a thread computes; even.
    """

    rows: int
    cols: int
    depth: int
    thread_rows: int
    thread_cols: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return self.rows * self.cols // (self.thread_rows * self.thread_cols)

    def number_covering(self, rows: int, cols: int) -> int:
        """Return how many tiles cover a matrix."""
        return -(-rows // self.rows) * -(-cols // self.cols)

    def utilization(self, rows: int, cols: int, depth: int) -> float:
        """Return the part of the work that is not done on padding, if tiles cover a product of such sizes."""
        covered = (
            self.number_covering(rows, cols) * self.rows * self.cols * -(-depth // self.depth) * self.depth
        )
        return rows * cols * depth / covered if covered else 0.0


@functools.cache
def specialized(loop: Fn, tile: ConvTile, dtype: Any) -> Fn:
    """Return ``loop`` with the sizes of a tile known at compile time: its sums then live in registers."""
    threads, left, right = tile.threads, tile.rows + PADDING, tile.cols + PADDING
    itemsize = np.dtype(dtype).itemsize
    constants = {
        "THREADS": threads,
        "ROWS": tile.rows,
        "COLS": tile.cols,
        "DEPTH": tile.depth,
        "THREAD_ROWS": tile.thread_rows,
        "THREAD_COLS": tile.thread_cols,
        "LEFT_PITCH": left,
        "RIGHT_PITCH": right,
        "LEFT_WORDS": left * tile.depth * itemsize // 8,
        "RIGHT_WORDS": right * tile.depth * itemsize // 8,
        "LEFT_LOADS": tile.rows * tile.depth // threads,
        "RIGHT_LOADS": tile.cols * tile.depth // threads,
        "TABLE": 3 * tile.cols,
    }
    name = f"{loop.__name__}_{tile.rows}x{tile.cols}_{tile.thread_rows}x{tile.thread_cols}"
    return types.FunctionType(loop.__code__, {**loop.__globals__, **constants}, name)


def add_products(sums: Any, left: Any, right: Any, row: int, col: int, hops: Any) -> None:
    """Add the products of one line of both slices to the elements of one thread; see `multiply`."""
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            sums[i, j] += (
                left[index(row + i // 2 * hops[0] + i % 2)] * right[index(col + j // 2 * hops[1] + j % 2)]
            )


def multiply(sums: Any, left: Any, right: Any, row: int, col: int, pitches: Any, hops: Any) -> None:
    """Add the product of two slices in shared memory to the elements of one thread.

    Args:
        sums: The thread's elements.
        left: A slice of the left matrix, column by column, ``pitches[0]`` apart.
        right: A slice of the right matrix, row by row, ``pitches[1]`` apart.
        row: The thread's first row. The second follows, the next pairs ``hops[0]`` apart: neighbouring threads read
            neighbouring pairs.
        col: The thread's first column, likewise with ``hops[1]``.
        pitches: See ``left`` and ``right``.
        hops: See ``row`` and ``col``.
    """
    # Two lines per round: to count rounds costs a card as much as some of their products.
    while row < left.size:
        add_products(sums, left, right, row, col, hops)
        add_products(sums, left, right, row + pitches[0], col + pitches[1], hops)
        row += 2 * pitches[0]
        col += 2 * pitches[1]


def axis_map(
    reverse: bool, phase: int, stride: int, padding: int, dilation: int, window: int, every: int
) -> Any:  # fmt: skip
    """Return how positions of the result map to positions of the source, in one direction.

    Position number ``u`` of the result is ``first + u * apart``. At step ``q`` of the window it meets the window's
    element ``begin + q * every`` and position ``start + u * step + q * hop`` of the source.

    Args:
        reverse: Whether the result is the input's gradient, and the source the output's.
        phase: With ``reverse``, the positions' remainder by the stride, padding counted.
        stride: Of the convolution.
        padding: Elements before the first.
        dilation: Of the window.
        window: Its size.
        every: With ``reverse``, from one element of the window that meets a phase to the next:
            ``stride / gcd(stride, dilation)``; else 1.

    Returns:
        ``first, apart, start, step, begin, hop`` and the number of steps.
    """
    if not reverse:
        return 0, 1, -padding, stride, 0, dilation, window
    first, begin = (phase - padding) % stride, 0
    while begin < every and begin * dilation % stride != phase:
        begin += 1
    steps = max(window - begin + every - 1, 0) // every if begin < every else 0
    start = (first + padding - begin * dilation) // stride
    return first, stride, start, 1, begin, -(dilation * every // stride), steps


def conv_gemm(
    out: Any, x: Any, w: Any, b: Any, biased: bool, reverse: bool, sizes: Any, vertical: Any, horizontal: Any
) -> None:
    """Convolve, or compute the input's gradient; see the head of this file.

    The grid counts, fastest first: tiles of columns, tiles of rows, groups, phases.

    Args:
        out: The result, packed.
        x: The source: the input, or with ``reverse`` the output's gradient; packed.
        w: The weight, packed.
        b: A bias per output channel; any array where there is none.
        biased: Whether there is a bias.
        reverse: Whether ``out`` is the input's gradient.
        sizes: Batch; groups; channels of ``x`` and of ``out`` in one group.
        vertical: Height of ``out``, of ``x``, of the window; stride, padding, dilation, and ``every`` of `axis_map`.
        horizontal: The same for the width.
    """
    left = cuda.shared.array(LEFT_WORDS, word64).view(real)
    right = cuda.shared.array(RIGHT_WORDS, word64).view(real)
    row_offsets = cuda.shared.array(
        ROWS, offset_type
    )  # where a row lies in the first channel of the result, or -1
    sums = cuda.local.array((THREAD_ROWS, THREAD_COLS), real)
    next_left, next_right = cuda.local.array(LEFT_LOADS, real), cuda.local.array(RIGHT_LOADS, real)
    batch, groups, depth, cols = sizes
    height, x_height, kh, sh, top, dh, every_i = vertical
    width, x_width, kw, sw, lead, dw, every_j = horizontal
    phases_y, phases_z = (sh, sw) if reverse else (1, 1)
    high, wide = int32((height + phases_y - 1) // phases_y), int32((width + phases_z - 1) // phases_z)
    rows, plane, window = int32(batch * high * wide), int32(x_height * x_width), int32(kh * kw)

    # This block's tile, group and phase.
    block, t = int32(cuda.blockIdx.x), int32(cuda.threadIdx.x)
    col_tiles, row_tiles = int32((cols + COLS - 1) // COLS), int32((rows + ROWS - 1) // ROWS)
    first_col, block = int32(block % col_tiles * COLS), int32(block // col_tiles)
    first_row, block = int32(block % row_tiles * ROWS), int32(block // row_tiles)
    group, phase = int32(block % groups), int32(block // groups)
    first_y, apart_y, y, step_y, begin_i, hop_y, steps_i = axis_map(
        reverse, phase // phases_z, sh, top, dh, kh, every_i
    )
    first_z, apart_z, z, step_z, begin_j, hop_z, steps_j = axis_map(
        reverse, phase % phases_z, sw, lead, dw, kw, every_j
    )

    # What this thread gathers: of the left matrix one row, of the right one line of channels.
    row, left_deep = int32(first_row + t % ROWS), int32(t // ROWS)
    n, u, v = int32(row // (high * wide)), int32(row // wide % high), int32(row % wide)
    y, z = int32(y + u * step_y), int32(z + v * step_z)
    x_start = int32(((n * groups + group) * depth + left_deep) * plane)
    if t < ROWS:
        r, k = int32(first_y + u * apart_y), int32(first_z + v * apart_z)
        row_offsets[t] = -1
        if row < rows and r < height and k < width:
            row_offsets[t] = ((n * groups + group) * cols * height + r) * width + k
    col, right_deep = int32(first_col + t // DEPTH), int32(t % DEPTH)
    depth_stride = int32(cols * window) if reverse else window
    col_stride = window if reverse else int32(depth * window)
    w_start = int32(
        group * depth * cols * window + begin_i * kw + begin_j + right_deep * depth_stride + col * col_stride
    )
    my_row, my_col = int32(t % (ROWS // THREAD_ROWS) * 2), int32(t // (ROWS // THREAD_ROWS) * 2)
    for i in range(THREAD_ROWS):
        for j in range(THREAD_COLS):
            sums[i, j] = real(0)
    low, q, p, hops = int32(0), int32(0), int32(0), (ROWS // THREAD_ROWS * 2, COLS // THREAD_COLS * 2)
    steps = int32((depth + DEPTH - 1) // DEPTH * steps_i * steps_j)
    for step in range(steps + 1):
        # Load the numbers of this step, while shared memory still holds those of the step before.
        if step < steps:
            r, k = int32(y + q * hop_y), int32(z + p * hop_z)
            # How many channels below this thread's there are to gather; none outside of the image.
            inside = (row < rows) & (r >= 0) & (r < x_height) & (k >= 0) & (k < x_width)
            rest = int32(depth - low - left_deep) if inside else int32(0)
            x_offset = x_start + low * plane + r * x_width + k
            for load in range(LEFT_LOADS):
                next_left[load] = real(0)
                if int32(load * (THREADS // ROWS)) < rest:
                    next_left[load] = x[index(x_offset)]
                x_offset += (THREADS // ROWS) * plane
            rest = int32(cols - col) if low + right_deep < depth else int32(0)
            w_offset = w_start + low * depth_stride + q * every_i * kw + p * every_j
            for load in range(RIGHT_LOADS):
                next_right[load] = real(0)
                if int32(load * (THREADS // DEPTH)) < rest:
                    next_right[load] = w[index(w_offset)]
                w_offset += (THREADS // DEPTH) * col_stride
            # The elements of a window lie close to each other: they come before the next channels.
            p = int32(p + 1)
            if p == steps_j:
                q, p = int32(q + 1), int32(0)
            if q == steps_i:
                low, q = int32(low + DEPTH), int32(0)
        # Multiply the numbers of the step before.
        if step > 0:
            multiply(sums, left, right, my_row, my_col, (LEFT_PITCH, RIGHT_PITCH), hops)
        cuda.syncthreads()
        # Store.
        if step < steps:
            for load in range(LEFT_LOADS):
                left[index((left_deep + load * (THREADS // ROWS)) * LEFT_PITCH + t % ROWS)] = next_left[load]
            for load in range(RIGHT_LOADS):
                right[index(right_deep * RIGHT_PITCH + t // DEPTH + load * (THREADS // DEPTH))] = next_right[
                    load
                ]
        cuda.syncthreads()
    area = int32(height * width)
    for j in range(THREAD_COLS):
        col = int32(first_col + my_col + j // 2 * (COLS // THREAD_COLS * 2) + j % 2)
        if col < cols:
            shift = real(0)
            if biased:
                shift = b[index(group * cols + col)]
            for i in range(THREAD_ROWS):
                out_offset = row_offsets[index(my_row + i // 2 * (ROWS // THREAD_ROWS * 2) + i % 2)]
                if out_offset >= 0:
                    out[index(out_offset + col * area)] = activation(sums[i, j] + shift)


def conv_weight_gemm(
    out: Any, x: Any, d: Any, sizes: Any, vertical: Any, horizontal: Any, slice_positions: int
) -> None:
    """Compute the weight's gradient, summed over one split-K slice of the positions; see the head of this file.

    The grid counts, fastest first: tiles of columns, tiles of rows, groups, slices.

    Args:
        out: A packed gradient for each slice, one after the other.
        x: The input, packed.
        d: The output's gradient, packed.
        sizes: Batch; groups; channels of ``x`` and of ``d`` in one group.
        vertical: Height of ``d``, of ``x``, of the window; stride, padding, dilation.
        horizontal: The same for the width.
        slice_positions: Output positions of a slice.
    """
    left = cuda.shared.array(LEFT_WORDS, word64).view(real)
    right = cuda.shared.array(RIGHT_WORDS, word64).view(real)
    table = cuda.shared.array(
        TABLE, offset_type
    )  # how far a column lies in the input: elements, rows, columns
    sums = cuda.local.array((THREAD_ROWS, THREAD_COLS), real)
    next_left, next_right = cuda.local.array(LEFT_LOADS, real), cuda.local.array(RIGHT_LOADS, real)
    batch, groups, ins, rows = sizes
    high, height, kh, sh, top, dh = vertical
    wide, width, kw, sw, lead, dw = horizontal
    area, plane, cols = int32(high * wide), int32(height * width), int32(ins * kh * kw)

    # This block's tile, group and slice.
    block, t = int32(cuda.blockIdx.x), int32(cuda.threadIdx.x)
    col_tiles, row_tiles = int32((cols + COLS - 1) // COLS), int32((rows + ROWS - 1) // ROWS)
    first_col, block = int32(block % col_tiles * COLS), int32(block // col_tiles)
    first_row, block = int32(block % row_tiles * ROWS), int32(block // row_tiles)
    group, slice_number = int32(block % groups), int32(block // groups)
    for c in range(t, COLS, THREADS):
        col = int32(first_col + c)
        i, j = int32(col // kw % kh * dh), int32(col % kw * dw)
        table[c], table[COLS + c], table[2 * COLS + c] = col // (kh * kw) * plane + i * width + j, i, j
    cuda.syncthreads()

    # What this thread gathers: one position, of every so-many-th row and column.
    deep, line = int32(t % DEPTH), int32(t // DEPTH)
    position = int32(slice_number * slice_positions + deep)
    end = int32(min(slice_number * slice_positions + slice_positions, batch * area))
    n, y, z = int32(position // area), int32(position // wide % high), int32(position % wide)
    step_n, step_y, step_z = int32(DEPTH // area), int32(DEPTH // wide % high), int32(DEPTH % wide)
    row = int32(first_row + line)
    my_col, my_row = int32(t % (COLS // THREAD_COLS) * 2), int32(t // (COLS // THREAD_COLS) * 2)
    for i in range(THREAD_ROWS):
        for j in range(THREAD_COLS):
            sums[i, j] = real(0)
    hops = (ROWS // THREAD_ROWS * 2, COLS // THREAD_COLS * 2)
    steps = int32((end - slice_number * slice_positions + DEPTH - 1) // DEPTH)
    for step in range(steps + 1):
        # Load the numbers of this step, while shared memory still holds those of the step before.
        if step < steps:
            d_offset = ((n * groups + group) * rows + row) * area + y * wide + z
            rest = int32(rows - row) if position < end else int32(0)
            for load in range(LEFT_LOADS):
                next_left[load] = real(0)
                if int32(load * (THREADS // DEPTH)) < rest:
                    next_left[load] = d[index(d_offset)]
                d_offset += (THREADS // DEPTH) * area
            r, k = int32(y * sh - top), int32(z * sw - lead)
            x_offset = (n * groups + group) * ins * plane + r * width + k
            rest = int32(cols - first_col - line) if position < end else int32(0)
            for load in range(RIGHT_LOADS):
                next_right[load] = real(0)
                c = int32(line + load * (THREADS // DEPTH))
                x_row, x_col = int32(r + table[index(COLS + c)]), int32(k + table[index(2 * COLS + c)])
                inside = (x_row >= 0) & (x_row < height) & (x_col >= 0) & (x_col < width)
                if inside & (int32(load * (THREADS // DEPTH)) < rest):
                    next_right[load] = x[index(x_offset + table[index(c)])]
            # The next position, without a division.
            position = int32(position + DEPTH)
            n, y, z = int32(n + step_n), int32(y + step_y), int32(z + step_z)
            if z >= wide:
                y, z = int32(y + 1), int32(z - wide)
            if y >= high:
                n, y = int32(n + 1), int32(y - high)
        # Multiply the numbers of the step before.
        if step > 0:
            multiply(sums, left, right, my_row, my_col, (LEFT_PITCH, RIGHT_PITCH), hops)
        cuda.syncthreads()
        # Store.
        if step < steps:
            for load in range(LEFT_LOADS):
                left[index(deep * LEFT_PITCH + line + load * (THREADS // DEPTH))] = next_left[load]
            for load in range(RIGHT_LOADS):
                right[index(deep * RIGHT_PITCH + line + load * (THREADS // DEPTH))] = next_right[load]
        cuda.syncthreads()
    out_start = int32((slice_number * groups + group) * rows * cols)
    for i in range(THREAD_ROWS):
        row = int32(first_row + my_row + i // 2 * (ROWS // THREAD_ROWS * 2) + i % 2)
        for j in range(THREAD_COLS):
            col = int32(first_col + my_col + j // 2 * (COLS // THREAD_COLS * 2) + j % 2)
            if row < rows and col < cols:
                out[index(out_start + row * cols + col)] = sums[i, j]


def sum_weight_slices(out: Any, partial_sums: Any) -> None:
    """Add the results of the split-K slices, first to last: a thread per element of the weight."""
    t = cuda.grid(1)
    if t < out.size:
        out[t] = sum_over_slices(partial_sums, t, partial_sums.size // out.size, out.size)
