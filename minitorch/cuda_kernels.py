"""Kernels of the CUDA room, to be read: map, zip, reduce, the matrix product, and the course's exercises.

A thread computes a cell, or the threads of a block share a sum or a tile through shared memory. Shapes and strides
travel as tuples of integers. `minitorch.cuda_launch` binds ``fn`` to a float function and ``real`` to the dtype's own
type. It refuses to know everything but storages, shapes and strides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import operators
from ._cuda import cuda
from .cuda_device import cell_of, tile_sum

BLOCK = 32  # threads that share a sum in `sum_blocks`, and the side of the largest tile
MOST_THREADS = 1024  # in a block, on any card

fn: Any = operators.id
finish = operators.id
real: Any = np.float64


def map_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int, a: Any, a_shape: Any, a_strides: Any
) -> None:
    """Write ``fn(a[i])`` into ``out[i]``: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        out[cell_of(i, out_shape, out_shape, out_strides)] = fn(a[cell_of(i, out_shape, a_shape, a_strides)])


def zip_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Write ``fn(a[i], b[i])`` into ``out[i]``: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        out[cell_of(i, out_shape, out_shape, out_strides)] = fn(
            a[cell_of(i, out_shape, a_shape, a_strides)], b[cell_of(i, out_shape, b_shape, b_strides)]
        )


def map_flat(out: Any, size: int, a: Any) -> None:
    """Do what `map_cells` does, where all is packed and of one shape."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i])


def zip_flat(out: Any, size: int, a: Any, b: Any) -> None:
    """Do what `zip_cells` does, where all is packed and of one shape."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i])


def three_flat(out: Any, size: int, a: Any, b: Any, c: Any) -> None:
    """Do for three operands what `map_flat` does for one."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i], c[i])


def four_flat(out: Any, size: int, a: Any, b: Any, c: Any, d: Any) -> None:
    """Do for four operands what `map_flat` does for one."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i], c[i], d[i])


FLAT = (map_flat, zip_flat, three_flat, four_flat)


def reduce_blocks(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Fold with a ``fn`` that may be regrouped: a block per cell, of any number of threads.

    Each thread folds every so-many-th cell; then their results are folded in pairs.
    """
    cache = cuda.shared.array(MOST_THREADS, real)
    cell, lane = cuda.blockIdx.x, cuda.threadIdx.x
    if cell < out_size:
        to = cell_of(cell, out_shape, out_shape, out_strides)
        at = cell_of(cell, out_shape, out_shape, a_strides)
        n, step = a_shape[reduce_dim], a_strides[reduce_dim]
        # The start value comes in once, at the end, so it need not be neutral.
        live = min(n, cuda.blockDim.x)
        if lane < live:
            total = real(a[at + lane * step])
            for j in range(lane + live, n, live):
                total = fn(a[at + j * step], total)
            cache[lane] = total
        cuda.syncthreads()
        while live > 1:
            half = (live + 1) // 2
            if lane + half < live:
                cache[lane] = fn(cache[lane + half], cache[lane])
            live = half
            cuda.syncthreads()
        if lane == 0:
            if n > 0:
                out[to] = fn(cache[0], real(reduce_value))
            else:
                out[to] = reduce_value


def fold_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Fold with any ``fn`` from left to right: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        at, step = cell_of(i, out_shape, out_shape, a_strides), a_strides[reduce_dim]
        total = real(reduce_value)
        for j in range(a_shape[reduce_dim]):
            total = fn(a[at + j * step], total)
        out[cell_of(i, out_shape, out_shape, out_strides)] = total


def matmul_tiles(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Multiply batches of matrices: a square block of up to 32x32 threads per tile of ``out``.

    The grid counts tiles down, tiles across, and matrices. Operands pass through shared memory tile by tile, each cell
    read once per tile; each cell of ``out`` is written once.
    """
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    j = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    sizes = out_shape[1], out_shape[2], a_shape[2]
    a_steps, b_steps = (a_strides[1], a_strides[2]), (b_strides[1], b_strides[2])
    a_next = a_strides[0] if a_shape[0] > 1 else 0
    b_next = b_strides[0] if b_shape[0] > 1 else 0
    n = cuda.blockIdx.z
    while n < out_shape[0]:
        total = tile_sum(left, right, a, b, n * a_next, n * b_next, a_steps, b_steps, sizes)
        if i < sizes[0] and j < sizes[1]:
            out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total
        n += cuda.gridDim.z


def linear_tiles(out: Any, x: Any, x_steps: Any, w: Any, w_steps: Any, b: Any, sizes: Any) -> None:
    """Write ``finish(x @ w + b)`` into a packed ``out``; ``sizes`` are rows, columns, depth. See `matmul_tiles`."""
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    j = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    total = tile_sum(left, right, x, w, 0, 0, x_steps, w_steps, sizes)
    if i < sizes[0] and j < sizes[1]:
        out[i * sizes[1] + j] = finish(total + b[j])


def sum_blocks(out: Any, a: Any, size: int) -> None:
    """Write the sum of the k-th block of `BLOCK` cells into ``out[k]``."""
    cache = cuda.shared.array(BLOCK, real)
    i, lane = cuda.grid(1), cuda.threadIdx.x
    cache[lane] = a[i] if i < size else real(0)
    cuda.syncthreads()
    half = BLOCK // 2
    while half > 0:
        if lane < half:
            cache[lane] += cache[lane + half]
        cuda.syncthreads()
        half //= 2
    if lane == 0 and cuda.blockIdx.x < len(out):
        out[cuda.blockIdx.x] = cache[0]


def multiply_block(out: Any, a: Any, b: Any, size: int) -> None:
    """Multiply two packed square matrices that fit into one block."""
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i, j = cuda.threadIdx.y, cuda.threadIdx.x
    if i < size and j < size:
        left[i, j] = a[i * size + j]
        right[i, j] = b[i * size + j]
    cuda.syncthreads()
    if i < size and j < size:
        total = real(0)
        for k in range(size):
            total += left[i, k] * right[k, j]
        out[i * size + j] = total
