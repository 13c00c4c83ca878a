"""Matrix product on a card's ordinary arithmetic: blocked SGEMM with register blocking and a double buffer.

``out[m, n] = sum over k of a[m, k] * b[k, n]``, for batches of matrices with any strides. Three levels of blocking make
one read of memory serve many products (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
2008; NVIDIA CUTLASS). With the large tile of a card, TILE = 128, DEPTH = 8, THREAD_TILE = 8 and 256 threads::

    grid: x = tiles of out, y = split-K slices, z = matrices of the batch

                  b   |  128  |                        one slab step of a block
                      +-------+ 8 deep                  left slab   128 x 8 of a -> shared memory
    a   +-------------+-------+                         right slab  8 x 128 of b -> shared memory
    128 | 8 |...      | tile  |                         128 * 128 * 8 products for 2 * 128 * 8 reads of memory
        +-------------+-------+

    tile: 16 x 16 threads with 8 x 8 elements each, in runs of VECTOR = 4 neighbours, so that a thread reads 16 bytes of
    shared memory at once and neighbouring threads read neighbouring runs:

        columns   t0 t0 t0 t0  t1 t1 t1 t1  ...  t15 (64)   t0 t0 t0 t0  t1 t1 t1 t1  ...  t15 (128)

    For each k a thread reads 8 + 8 numbers of shared memory into registers and multiplies every one by every other: 64
    fused multiply-adds for 16 reads. Its 64 sums stay in registers until the end.

- **Double buffer**: shared memory holds two slabs of both operands. While one is multiplied, the reads of the next are
  under way into registers (`load_slab`); they are stored into the other half afterwards (`store_slab`). One barrier per
  slab.
- **Padded pitch**: a row of a slab takes SLAB_PITCH > TILE numbers. Where threads store along the depth, they would all
  meet one of the 32 banks of shared memory otherwise.
- **Coalesced reads of both layouts**: `load_pattern` looks at the strides, and lets neighbouring threads go along the
  dimension whose elements are neighbours. Transposed operands cost no copy.
- **Split K**: where there are few tiles and much depth, slices of the depth are blocks of their own, and `sum_slices`
  adds their results. Choices are in `matmul`; sums have one fixed order, so every run gives the same bits.

Cost for M x N x K: 2 M N K FLOPs; about ``M N K (2 / TILE)`` reads of memory and M N writes.

The constants below are the simulator's, where threads are expensive; `matmul.Tile.constants` binds others for a card.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import activation, real
from .device.functions import sum_over_slices
from .device.numba_cuda import cuda

TILE, DEPTH, THREAD_TILE, THREADS = (
    8,
    4,
    2,
    16,
)  # sides of tile and thread's tile; depth of a slab; threads of a block
VECTOR = 2  # neighbours among the elements of a thread: a card reads up to 16 bytes at once
THREADS_ACROSS = 4  # threads side by side
SUMS = 4  # elements of a thread
LOADS = 2  # numbers that a thread loads for a slab
UNROLL = 2  # steps of the depth that are written out between two tests for the end of the slab
SLAB_PITCH = 9  # numbers from row to row of a slab in shared memory
SLAB, BUFFER = 36, 72  # numbers of one slab, and of the two that a buffer holds
ALIGNED = False  # whether Numba takes an alignment of shared memory: reads of 16 bytes need one


offset_type: Any = np.int32  # a storage has no more elements than that can count
index: Any = (
    np.uint64
)  # an index without a sign is used as it is; Numba checks others for counting from the end


def multiply_tiles(
    out: Any, out_strides: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any
) -> None:
    """Multiply batches of matrices, or split-K slices of them; see the head of this file.

    Args:
        out: A storage.
        out_strides: From slice to slice, matrix to matrix, row to row, column to column.
        a: A storage.
        a_strides: From matrix to matrix (0 where one is broadcast), row to row, column to column.
        b: A storage.
        b_strides: As ``a_strides``.
        sizes: Rows, columns, depth.
        split: Depth of a slice; number of the first matrix of this launch.
    """
    sums = cuda.local.array(SUMS, real)
    row, col = sum_tile(sums, a, a_strides, b, b_strides, sizes, split)
    out_offset = cuda.blockIdx.y * out_strides[0] + (cuda.blockIdx.z + split[1]) * out_strides[1]
    for i in range(THREAD_TILE):
        y = row + i // VECTOR * (VECTOR * THREADS_ACROSS) + i % VECTOR
        if y < sizes[0]:
            for j in range(THREAD_TILE):
                x = col + j // VECTOR * (VECTOR * THREADS_ACROSS) + j % VECTOR
                if x < sizes[1]:
                    out[index(out_offset + y * out_strides[2] + x * out_strides[3])] = sums[
                        index(i * THREAD_TILE + j)
                    ]


def multiply_tiles_activation(
    out: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any, bias: Any
) -> None:
    """Write ``activation(a @ b + bias)`` into a packed ``out``: one matrix, one slice. See `multiply_tiles`."""
    sums = cuda.local.array(SUMS, real)
    row, col = sum_tile(sums, a, a_strides, b, b_strides, sizes, split)
    for j in range(THREAD_TILE):
        x = col + j // VECTOR * (VECTOR * THREADS_ACROSS) + j % VECTOR
        if x < sizes[1]:
            shift = real(bias[index(x)])
            for i in range(THREAD_TILE):
                y = row + i // VECTOR * (VECTOR * THREADS_ACROSS) + i % VECTOR
                if y < sizes[0]:
                    out[index(y * sizes[1] + x)] = activation(sums[index(i * THREAD_TILE + j)] + shift)


def sum_slices(out: Any, out_strides: Any, partial_sums: Any, sizes: Any) -> None:
    """Add the products of the split-K slices, first to last: a thread per element.

    Args:
        out: A storage.
        out_strides: From matrix to matrix, row to row, column to column.
        partial_sums: The products of the slices, packed.
        sizes: Slices, matrices, rows, columns.
    """
    slices, matrices, rows, cols = sizes
    i = cuda.grid(1)
    if i < matrices * rows * cols:
        offset = (
            i // (rows * cols) * out_strides[0]
            + i // cols % rows * out_strides[1]
            + i % cols * out_strides[2]
        )
        out[offset] = sum_over_slices(partial_sums, i, slices, matrices * rows * cols)


def sum_slices_activation(out: Any, partial_sums: Any, sizes: Any, bias: Any) -> None:
    """Write ``activation(sum over slices + bias)`` into a packed ``out``. See `sum_slices`."""
    slices, _, rows, cols = sizes
    i = cuda.grid(1)
    if i < rows * cols:
        out[i] = activation(sum_over_slices(partial_sums, i, slices, rows * cols) + real(bias[i % cols]))


def tile_origin(cols: int) -> Any:
    """Return the first row and column of this block's tile of a matrix with ``cols`` columns."""
    tiles = (cols + TILE - 1) // TILE
    return cuda.blockIdx.x // tiles * TILE, cuda.blockIdx.x % tiles * TILE


def sum_tile(sums: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any) -> Any:
    """Fill ``sums`` with this thread's elements of its block's tile, and return row and column of the first.

    The others follow in runs of `VECTOR`, ``VECTOR * THREADS_ACROSS`` apart. See `multiply_tiles`.
    """
    if ALIGNED:
        left = cuda.shared.array(BUFFER, real, 16)
        right = cuda.shared.array(BUFFER, real, 16)
    else:
        left = cuda.shared.array(BUFFER, real)
        right = cuda.shared.array(BUFFER, real)
    a_offsets, b_offsets = cuda.local.array(LOADS, offset_type), cuda.local.array(LOADS, offset_type)
    next_a, next_b = cuda.local.array(LOADS, real), cuda.local.array(LOADS, real)
    thread_a, thread_b = cuda.local.array(THREAD_TILE, real), cuda.local.array(THREAD_TILE, real)
    row, col = tile_origin(sizes[1])
    low, matrix = cuda.blockIdx.y * split[0], cuda.blockIdx.z + split[1]
    rest = min(sizes[2] - low, split[0])
    pattern_a, pattern_b = (
        load_pattern(a_strides[1], a_strides[2]),
        load_pattern(b_strides[2], b_strides[1]),
    )
    a_start, b_start = matrix * a_strides[0] + low * a_strides[2], matrix * b_strides[0] + low * b_strides[1]
    first_offsets(a_offsets, a_start, pattern_a, row, sizes[0], a_strides[1], a_strides[2])
    first_offsets(b_offsets, b_start, pattern_b, col, sizes[1], b_strides[2], b_strides[1])
    for i in range(SUMS):
        sums[index(i)] = real(0)
    down, across = cuda.threadIdx.x // THREADS_ACROSS * VECTOR, cuda.threadIdx.x % THREADS_ACROSS * VECTOR
    step = 0
    rest += DEPTH  # one round more than there are slabs: the first only loads
    while rest > 0:
        rest -= DEPTH
        # Load: the next slab is on its way while this one is multiplied.
        load_slab(next_a, a, a_offsets, pattern_a, rest, a_strides[2])
        load_slab(next_b, b, b_offsets, pattern_b, rest, b_strides[1])
        # Multiply.
        if step > 0:
            left_at, right_at = (step & 1) * SLAB + down, (step & 1) * SLAB + across
            end = left_at + SLAB
            while left_at < end:
                for k in range(UNROLL):
                    for i in range(THREAD_TILE):
                        thread_a[index(i)] = left[
                            index(
                                left_at
                                + k * SLAB_PITCH
                                + i // VECTOR * (VECTOR * THREADS_ACROSS)
                                + i % VECTOR
                            )
                        ]
                    for j in range(THREAD_TILE):
                        thread_b[index(j)] = right[
                            index(
                                right_at
                                + k * SLAB_PITCH
                                + j // VECTOR * (VECTOR * THREADS_ACROSS)
                                + j % VECTOR
                            )
                        ]
                    for i in range(THREAD_TILE):
                        for j in range(THREAD_TILE):
                            sums[index(i * THREAD_TILE + j)] += thread_a[index(i)] * thread_b[index(j)]
                left_at += UNROLL * SLAB_PITCH
                right_at += UNROLL * SLAB_PITCH
        step += 1
        # Store: no thread reads this half now, all have passed the barrier since they did.
        store_slab(left, (step & 1) * SLAB, pattern_a, next_a)
        store_slab(right, (step & 1) * SLAB, pattern_b, next_b)
        cuda.syncthreads()
    return row + down, col + across


def load_pattern(line_stride: int, depth_stride: int) -> Any:
    """Return how a thread goes through a slab, so that neighbouring threads read neighbouring elements of the operand.

    A slab has TILE lines (rows of the left operand, columns of the right one) of DEPTH numbers each.

    Args:
        line_stride: From line to line, in the operand.
        depth_stride: From number to number of a line.

    Returns:
        Line and depth of the thread's first number, and how far the next one lies in each direction.
    """
    thread = cuda.threadIdx.x
    if abs(depth_stride) < abs(line_stride):
        return thread // DEPTH, thread % DEPTH, THREADS // DEPTH, 0
    return thread % TILE, thread // TILE, 0, THREADS // TILE


def first_offsets(
    offsets: Any, start: int, pattern: Any, first_line: int, lines: int, line_stride: int, depth_stride: int
) -> None:
    """Write the storage offsets of the thread's numbers of the first slab.

    Lines beyond the last of the operand are read as the last: the results that they lead to are never written.
    """
    for i in range(LOADS):
        line = min(first_line + pattern[0] + i * pattern[2], lines - 1)
        offsets[index(i)] = start + line * line_stride + (pattern[1] + i * pattern[3]) * depth_stride


def load_slab(loaded: Any, storage: Any, offsets: Any, pattern: Any, rest: int, depth_stride: int) -> None:
    """Read the thread's numbers of a slab, zeros beyond the ``rest`` of the depth; advance the offsets by a slab."""
    if rest >= DEPTH:
        for i in range(LOADS):
            loaded[index(i)] = storage[index(offsets[index(i)])]
    else:
        for i in range(LOADS):
            loaded[index(i)] = real(0)
            if pattern[1] + i * pattern[3] < rest:
                loaded[index(i)] = storage[index(offsets[index(i)])]
    for i in range(LOADS):
        offsets[index(i)] += DEPTH * depth_stride


def store_slab(buffer: Any, start: int, pattern: Any, loaded: Any) -> None:
    """Store the thread's numbers into the slab that begins at ``start`` of a buffer in shared memory."""
    start += pattern[1] * SLAB_PITCH + pattern[0]
    for i in range(LOADS):
        buffer[index(start + i * (pattern[3] * SLAB_PITCH + pattern[2]))] = loaded[index(i)]
