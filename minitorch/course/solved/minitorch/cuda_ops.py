"""The operations of `tensor_ops` as CUDA kernels (module 3).

They run on a GPU, or in Numba's simulator: set ``NUMBA_ENABLE_CUDASIM=1`` before Python starts. The tests set it.
"""

from __future__ import annotations

import os
from typing import Any

import numba
import numba.cuda
import numpy as np

from . import tensor_data
from .tensor_data import MAX_DIMS, Shape, Storage, Strides, shape_broadcast
from .tensor_ops import Fn, Op, TensorBackend, TensorOps

cuda: Any = numba.cuda  # it has no types

BLOCK_DIM = 32  # the threads of a block in `sum_practice`
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") == "1"
# The threads of a block in maps and zips, in reductions, and in a row of a block of the matrix products. The simulator
# starts a Python thread for each, so it has few.
THREADS_PER_BLOCK = 4 if SIMULATED else 32
REDUCE_DIM = 4 if SIMULATED else 32
TILE = 4 if SIMULATED else 32

# Kernels call device functions only.
to_index: Any = cuda.jit(device=True)(tensor_data.to_index)
index_to_position: Any = cuda.jit(device=True)(tensor_data.index_to_position)
broadcast_index: Any = cuda.jit(device=True)(tensor_data.broadcast_index)


def _blocks(size: int) -> int:
    """Return how many blocks have a thread for each of ``size`` elements."""
    return (size + THREADS_PER_BLOCK - 1) // THREADS_PER_BLOCK


class CudaOps(TensorOps):
    """CUDA kernels."""

    cuda = True

    @staticmethod
    def map(fn: Fn) -> Op:
        """See `TensorOps.map`."""
        kernel = tensor_map(cuda.jit(device=True)(fn))

        def ret(a: Any, out: Any = None) -> Any:
            out = a.zeros(a.shape) if out is None else out
            kernel[_blocks(out.size), THREADS_PER_BLOCK](*out.tuple(), out.size, *a.tuple())
            return out

        return ret

    @staticmethod
    def zip(fn: Fn) -> Op:
        """See `TensorOps.zip`."""
        kernel = tensor_zip(cuda.jit(device=True)(fn))

        def ret(a: Any, b: Any) -> Any:
            out = a.zeros(shape_broadcast(a.shape, b.shape))
            kernel[_blocks(out.size), THREADS_PER_BLOCK](*out.tuple(), out.size, *a.tuple(), *b.tuple())
            return out

        return ret

    @staticmethod
    def reduce(fn: Fn, start: float = 0.0) -> Op:
        """See `TensorOps.reduce`. A block of threads computes one element of the result."""
        kernel = tensor_reduce(cuda.jit(device=True)(fn))

        def ret(a: Any, dim: int) -> Any:
            out = a.zeros(tuple(1 if i == dim else n for i, n in enumerate(a.shape)))
            kernel[out.size, REDUCE_DIM](*out.tuple(), out.size, *a.tuple(), dim, start)
            return out

        return ret

    @staticmethod
    def matrix_multiply(a: Any, b: Any) -> Any:
        """Return the matrix product of matrices, or of batches of them; a batch of 1 serves every batch."""
        matrices = a.dims == 2 and b.dims == 2
        if a.dims == 2:
            a = a.contiguous().view(1, *a.shape)
        if b.dims == 2:
            b = b.contiguous().view(1, *b.shape)
        if a.shape[-1] != b.shape[-2]:
            raise tensor_data.IndexingError(
                f"cannot multiply {tuple(a.shape)} by {tuple(b.shape)}: {a.shape[-1]} columns, {b.shape[-2]} rows"
            )
        out = a.zeros((*shape_broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
        grid = (-(-out.shape[1] // TILE), -(-out.shape[2] // TILE), out.shape[0])
        kernel = tensor_matrix_multiply[grid, (TILE, TILE, 1)]
        kernel(*out.tuple(), out.size, *a.tuple(), *b.tuple())
        return out.view(*out.shape[1:]) if matrices else out


def tensor_map(fn: Any) -> Any:
    """Return a CUDA kernel that applies ``fn``, a device function, to each element."""

    def _map(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        out_size: int,
        in_storage: Storage,
        in_shape: Shape,
        in_strides: Strides,
    ) -> None:
        """Write ``fn`` of the matching element of the input into one element of ``out``.

        There is a thread for each element, and in the last block there are some too many. Index buffers are
        ``cuda.local.array(MAX_DIMS, numba.int32)``.
        """
        out_index = cuda.local.array(MAX_DIMS, numba.int32)
        in_index = cuda.local.array(MAX_DIMS, numba.int32)
        i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < out_size:
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, in_shape, in_index)
            out[index_to_position(out_index, out_strides)] = fn(
                in_storage[index_to_position(in_index, in_strides)]
            )

    return cuda.jit(_map)


def tensor_zip(fn: Any) -> Any:
    """Return a CUDA kernel that applies ``fn``, a device function, to pairs of elements."""

    def _zip(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        out_size: int,
        a_storage: Storage,
        a_shape: Shape,
        a_strides: Strides,
        b_storage: Storage,
        b_shape: Shape,
        b_strides: Strides,
    ) -> None:
        """Write ``fn`` of the matching elements of both inputs into one element of ``out``. See `tensor_map`."""
        out_index = cuda.local.array(MAX_DIMS, numba.int32)
        a_index = cuda.local.array(MAX_DIMS, numba.int32)
        b_index = cuda.local.array(MAX_DIMS, numba.int32)
        i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < out_size:
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            broadcast_index(out_index, out_shape, b_shape, b_index)
            out[index_to_position(out_index, out_strides)] = fn(
                a_storage[index_to_position(a_index, a_strides)],
                b_storage[index_to_position(b_index, b_strides)],
            )

    return cuda.jit(_zip)


def _sum_practice(out: Storage, a: Storage, size: int) -> None:
    """Write the sum of the block number k of `BLOCK_DIM` elements of ``a`` into ``out[k]``.

    Each thread loads one element into shared memory, or 0 beyond ``size``. After ``cuda.syncthreads()`` the threads
    add in pairs, in each round half as many, and synchronize between the rounds.
    """
    cache = cuda.shared.array(BLOCK_DIM, numba.float64)
    thread = cuda.threadIdx.x
    i = cuda.blockIdx.x * cuda.blockDim.x + thread
    cache[thread] = a[i] if i < size else 0.0
    cuda.syncthreads()
    half = BLOCK_DIM // 2
    while half > 0:
        if thread < half:
            cache[thread] += cache[thread + half]
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        out[cuda.blockIdx.x] = cache[0]


jit_sum_practice: Any = cuda.jit(_sum_practice)


def sum_practice(a: Any) -> Any:
    """Return the sums of the blocks of a tensor of one dimension, at least two, as a TensorData on the GPU."""
    (size,) = a.shape
    blocks = -(-size // BLOCK_DIM) if size > BLOCK_DIM else 2
    out = tensor_data.TensorData(np.zeros(blocks), (blocks,))
    out.to_cuda_()
    jit_sum_practice[blocks, BLOCK_DIM](out.tuple()[0], a._tensor._storage, size)
    return out


def tensor_reduce(fn: Any) -> Any:
    """Return a CUDA kernel that combines elements along a dimension with ``fn``, a device function."""

    def _reduce(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        out_size: int,
        a_storage: Storage,
        a_shape: Shape,
        a_strides: Strides,
        reduce_dim: int,
        reduce_value: float,
    ) -> None:
        """Combine with ``fn``, in one element of ``out``, the elements of the input along ``reduce_dim``.

        A block of `REDUCE_DIM` threads works on one element: the number of the block is the number of the element.
        There may be more elements along the dimension than threads, so each thread first combines every
        `REDUCE_DIM`-th of them, beginning with ``reduce_value`` (0 for sums, 1 for products). Then the threads combine
        their results in shared memory, as in `_sum_practice`.
        """
        cache = cuda.shared.array(REDUCE_DIM, numba.float64)
        index = cuda.local.array(MAX_DIMS, numba.int32)
        block = cuda.blockIdx.x
        thread = cuda.threadIdx.x
        if block < out_size:
            to_index(block, out_shape, index)
            place = index_to_position(index, out_strides)
            start = index_to_position(index, a_strides)
            total = reduce_value
            for j in range(thread, a_shape[reduce_dim], REDUCE_DIM):
                total = fn(total, a_storage[start + j * a_strides[reduce_dim]])
            cache[thread] = total
            cuda.syncthreads()
            half = REDUCE_DIM // 2
            while half > 0:
                if thread < half:
                    cache[thread] = fn(cache[thread], cache[thread + half])
                cuda.syncthreads()
                half //= 2
            if thread == 0:
                out[place] = cache[0]

    return cuda.jit(_reduce)


def _mm_practice(out: Storage, a: Storage, b: Storage, size: int) -> None:
    """Write the product of two square matrices, ``size`` by ``size`` and row by row, into ``out``.

    ``size`` is at most `TILE`, and one block has a thread (i, j) for each element. Load both matrices into shared
    memory, synchronize, and compute from there; each element of ``out`` is written once.
    """
    a_shared = cuda.shared.array((TILE, TILE), numba.float64)
    b_shared = cuda.shared.array((TILE, TILE), numba.float64)
    i = cuda.threadIdx.x
    j = cuda.threadIdx.y
    inside = i < size and j < size
    if inside:
        a_shared[i, j] = a[i * size + j]
        b_shared[i, j] = b[i * size + j]
    cuda.syncthreads()
    if inside:
        total = 0.0
        for k in range(size):
            total += a_shared[i, k] * b_shared[k, j]
        out[i * size + j] = total


jit_mm_practice: Any = cuda.jit(_mm_practice)


def mm_practice(a: Any, b: Any) -> Any:
    """Return the product of two square matrices of at most `TILE` rows, as a TensorData on the GPU."""
    size = a.shape[0]
    out = tensor_data.TensorData(np.zeros(size * size), (size, size))
    out.to_cuda_()
    kernel = jit_mm_practice[1, (TILE, TILE)]
    kernel(out.tuple()[0], a._tensor._storage, b._tensor._storage, size)
    return out


def _tensor_matrix_multiply(
    out: Storage,
    out_shape: Shape,
    out_strides: Strides,
    out_size: int,
    a_storage: Storage,
    a_shape: Shape,
    a_strides: Strides,
    b_storage: Storage,
    b_shape: Shape,
    b_strides: Strides,
) -> None:
    """Write the product of two batches of matrices, (N, rows, K) and (N, K, columns), into ``out``.

    A thread computes one element: its row from the x axis of the grid, its column from the y axis, its batch from the
    z axis. The block moves along K in tiles of `TILE`: it loads a tile of each operand into shared memory (0
    beyond the edge), synchronizes, multiplies and adds in a local variable, and synchronizes again. So each element is
    read from global memory once per block, and ``out`` is written once. A batch of 1 serves every batch.
    """
    a_batch = a_strides[0] if a_shape[0] > 1 else 0
    b_batch = b_strides[0] if b_shape[0] > 1 else 0
    batch = cuda.blockIdx.z
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    j = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
    row = cuda.threadIdx.x
    column = cuda.threadIdx.y
    a_shared = cuda.shared.array((TILE, TILE), numba.float64)
    b_shared = cuda.shared.array((TILE, TILE), numba.float64)
    total = 0.0
    for first in range(0, a_shape[2], TILE):
        k = first + column
        a_shared[row, column] = 0.0
        if i < a_shape[1] and k < a_shape[2]:
            a_shared[row, column] = a_storage[batch * a_batch + i * a_strides[1] + k * a_strides[2]]
        k = first + row
        b_shared[row, column] = 0.0
        if k < b_shape[1] and j < b_shape[2]:
            b_shared[row, column] = b_storage[batch * b_batch + k * b_strides[1] + j * b_strides[2]]
        cuda.syncthreads()
        for k in range(TILE):
            total += a_shared[row, k] * b_shared[k, column]
        cuda.syncthreads()
    if i < out_shape[1] and j < out_shape[2]:
        out[batch * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total


tensor_matrix_multiply: Any = cuda.jit(_tensor_matrix_multiply)

CudaBackend = TensorBackend(CudaOps)
