"""Kernels of the matrix product on a card's ordinary arithmetic: each thread computes many elements, and keeps them.

A block of threads computes a square tile of `TILE` x `TILE` elements. Slabs of both operands, `DEPTH` deep, pass through
shared memory; from there a thread takes `EACH` numbers of both and multiplies every one by every other, so that one
read serves many products. The sizes below are the simulator's, where threads are dear; `minitorch.cuda_matmul` binds
others for a card. Cells are added in one fixed order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import finish, real
from .device.functions import slices_of
from .device.numba_cuda import cuda

TILE, DEPTH, EACH, THREADS = 8, 4, 2, 16
RUN = 2  # neighbours among the elements of a thread: a card reads up to 16 bytes in one go
ACROSS = 4  # threads side by side
ELEMENTS = 4  # of a thread
LOADS = 2  # of a thread, for a slab
UNROLL = 2  # steps of the depth between two looks at where the slab ends
WIDTH = 9  # of a slab in shared memory: more than the tile, so that a column does not lie in one bank
SLAB, BOTH = 36, 72  # elements of one slab, and of the one in use and the next
ALIGNED = False  # whether Numba can be told where shared memory begins: reads of 16 bytes need that


place: Any = np.int32  # a storage has no more elements than that can count
spot: Any = np.uint64  # an index of this type is taken as it is; others are checked for counting from the end


def multiply_tiles(
    out: Any, out_steps: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any
) -> None:
    """Multiply batches of matrices, or slices of them.

    The grid counts tiles, slices of the depth, and matrices; each slice writes a product of its own.

    Args:
        out: A storage.
        out_steps: How far neighbours lie apart: slices, matrices, rows, columns.
        a: A storage.
        a_steps: The same for matrices, rows, columns.
        b: A storage.
        b_steps: See ``a_steps``.
        sizes: Rows, columns, depth.
        span: The depth of a slice, and the first matrix.
    """
    elements = cuda.local.array(ELEMENTS, real)
    row, col = sum_tile(elements, a, a_steps, b, b_steps, sizes, span)
    at = cuda.blockIdx.y * out_steps[0] + (cuda.blockIdx.z + span[1]) * out_steps[1]
    for i in range(EACH):
        y = row + i // RUN * (RUN * ACROSS) + i % RUN
        if y < sizes[0]:
            for j in range(EACH):
                x = col + j // RUN * (RUN * ACROSS) + j % RUN
                if x < sizes[1]:
                    out[spot(at + y * out_steps[2] + x * out_steps[3])] = elements[spot(i * EACH + j)]


def multiply_tiles_activation(
    out: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any, bias: Any
) -> None:
    """Write ``finish(a @ b + bias)`` into a packed ``out``: one matrix in one slice. See `multiply_tiles`."""
    elements = cuda.local.array(ELEMENTS, real)
    row, col = sum_tile(elements, a, a_steps, b, b_steps, sizes, span)
    for j in range(EACH):
        x = col + j // RUN * (RUN * ACROSS) + j % RUN
        if x < sizes[1]:
            more = real(bias[spot(x)])
            for i in range(EACH):
                y = row + i // RUN * (RUN * ACROSS) + i % RUN
                if y < sizes[0]:
                    out[spot(y * sizes[1] + x)] = finish(elements[spot(i * EACH + j)] + more)


def sum_slices(out: Any, out_steps: Any, parts: Any, sizes: Any) -> None:
    """Add the products of the slices, first to last: a thread per element.

    Args:
        out: A storage.
        out_steps: How far neighbours lie apart: matrices, rows, columns.
        parts: The products, packed.
        sizes: Slices, matrices, rows, columns.
    """
    slices, layers, rows, cols = sizes
    i = cuda.grid(1)
    if i < layers * rows * cols:
        at = i // (rows * cols) * out_steps[0] + i // cols % rows * out_steps[1] + i % cols * out_steps[2]
        out[at] = slices_of(parts, i, slices, layers * rows * cols)


def sum_slices_activation(out: Any, parts: Any, sizes: Any, bias: Any) -> None:
    """Write ``finish(sum + bias)`` into a packed ``out``. See `sum_slices`."""
    slices, _, rows, cols = sizes
    i = cuda.grid(1)
    if i < rows * cols:
        out[i] = finish(slices_of(parts, i, slices, rows * cols) + real(bias[i % cols]))


def corner(cols: int) -> Any:
    """Return the first row and column of the tile of this block."""
    tiles = (cols + TILE - 1) // TILE
    return cuda.blockIdx.x // tiles * TILE, cuda.blockIdx.x % tiles * TILE


def sum_tile(elements: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any) -> Any:
    """Leave in ``elements`` what this thread has of its block's tile, and return row and column of the first.

    The others follow in runs of `RUN`, ``RUN * ACROSS`` apart. See `multiply_tiles`.
    """
    if ALIGNED:
        left = cuda.shared.array(BOTH, real, 16)
        right = cuda.shared.array(BOTH, real, 16)
    else:
        left = cuda.shared.array(BOTH, real)
        right = cuda.shared.array(BOTH, real)
    of_a, of_b = cuda.local.array(LOADS, place), cuda.local.array(LOADS, place)
    next_a, next_b = cuda.local.array(LOADS, real), cuda.local.array(LOADS, real)
    ours, theirs = cuda.local.array(EACH, real), cuda.local.array(EACH, real)
    row, col = corner(sizes[1])
    low, layer = cuda.blockIdx.y * span[0], cuda.blockIdx.z + span[1]
    rest = min(sizes[2] - low, span[0])
    way_a, way_b = way(a_steps[1], a_steps[2]), way(b_steps[2], b_steps[1])
    find(of_a, layer * a_steps[0] + low * a_steps[2], way_a, row, sizes[0], a_steps[1], a_steps[2])
    find(of_b, layer * b_steps[0] + low * b_steps[1], way_b, col, sizes[1], b_steps[2], b_steps[1])
    for i in range(ELEMENTS):
        elements[spot(i)] = real(0)
    down, across = cuda.threadIdx.x // ACROSS * RUN, cuda.threadIdx.x % ACROSS * RUN
    now = 0
    rest += DEPTH  # one round more than there are slabs: the first only loads
    while rest > 0:
        rest -= DEPTH
        # The next slab is on its way while this one is used.
        fetch(next_a, a, of_a, way_a, rest, a_steps[2])
        fetch(next_b, b, of_b, way_b, rest, b_steps[1])
        if now > 0:
            here, there = (now & 1) * SLAB + down, (now & 1) * SLAB + across
            end = here + SLAB
            while here < end:
                for deep in range(UNROLL):
                    for i in range(EACH):
                        ours[spot(i)] = left[spot(here + deep * WIDTH + i // RUN * (RUN * ACROSS) + i % RUN)]
                    for j in range(EACH):
                        theirs[spot(j)] = right[
                            spot(there + deep * WIDTH + j // RUN * (RUN * ACROSS) + j % RUN)
                        ]
                    for i in range(EACH):
                        for j in range(EACH):
                            elements[spot(i * EACH + j)] += ours[spot(i)] * theirs[spot(j)]
                here += UNROLL * WIDTH
                there += UNROLL * WIDTH
        now += 1
        # Nobody reads this half now: all have passed the last barrier since they did.
        keep(left, (now & 1) * SLAB, way_a, next_a)
        keep(right, (now & 1) * SLAB, way_b, next_b)
        cuda.syncthreads()
    return row + down, col + across


def way(step: int, deep_step: int) -> Any:
    """Return how a thread goes through a slab, so that neighbouring threads read neighbouring elements of the operand.

    Args:
        step: How far rows of the left operand lie apart, or columns of the right one.
        deep_step: The same for the other direction.

    Returns:
        Line and depth of its first element, and how far the next one lies in each direction.
    """
    lane = cuda.threadIdx.x
    if abs(deep_step) < abs(step):
        return lane // DEPTH, lane % DEPTH, THREADS // DEPTH, 0
    return lane % TILE, lane // TILE, 0, THREADS // TILE


def find(places: Any, at: int, path: Any, line: int, lines: int, step: int, deep_step: int) -> None:
    """Write where in storage the thread's elements of the first slab lie.

    Lines beyond the last are read as the last: what becomes of them is never written.
    """
    for i in range(LOADS):
        y = min(line + path[0] + i * path[2], lines - 1)
        places[spot(i)] = at + y * step + (path[1] + i * path[3]) * deep_step


def fetch(into: Any, storage: Any, places: Any, path: Any, rest: int, deep_step: int) -> None:
    """Read the thread's elements of a slab, zeros beyond the depth; and go on to the next slab."""
    if rest >= DEPTH:
        for i in range(LOADS):
            into[spot(i)] = storage[spot(places[spot(i)])]
    else:
        for i in range(LOADS):
            into[spot(i)] = real(0)
            if path[1] + i * path[3] < rest:
                into[spot(i)] = storage[spot(places[spot(i)])]
    for i in range(LOADS):
        places[spot(i)] += DEPTH * deep_step


def keep(slabs: Any, at: int, path: Any, elements: Any) -> None:
    """Put the thread's elements into the slab that begins at ``at``."""
    at += path[1] * WIDTH + path[0]
    for i in range(LOADS):
        slabs[spot(at + i * (path[3] * WIDTH + path[2]))] = elements[spot(i)]
