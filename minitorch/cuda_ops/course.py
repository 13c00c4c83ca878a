"""The course's kernels and exercises on the GPU: map, zip, reduce, matrix product, and the two practice kernels.

They are written to be read: the simplest form of each that is still a good CUDA kernel. Operands are (storage, shape,
strides) triples, any layout. ``fn`` is the float function and ``real`` the scalar type; `device.launch.kernel` binds
both. The backend itself launches the tuned kernels of the files beside this one.

    map, zip    thread i computes element i of the result                    n reads, 1 write
    reduce      a block per element: its threads share the numbers           shared memory, combined in pairs
    sum_practice, mm_practice   one block, one tile in shared memory         tasks 3.3 and 3.4
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import fn, real
from ..runtime.types import Fn
from ..tensor_data import IndexingError, TensorData
from . import matmul
from .backend import CudaOps
from .device.functions import broadcast_offset
from .device.launch import kernel, launch
from .device.numba_cuda import cuda
from .matmul import BLOCK
from .operands import read

MAX_THREADS = 1024  # in a block, on any card


def map_elements(
    out: Any, out_shape: Any, out_strides: Any, out_size: int, a: Any, a_shape: Any, a_strides: Any
) -> None:
    """Write ``fn(a[i])`` into ``out[i]``: a thread per element."""
    i = cuda.grid(1)
    if i < out_size:
        out[broadcast_offset(i, out_shape, out_shape, out_strides)] = fn(
            a[broadcast_offset(i, out_shape, a_shape, a_strides)]
        )


def zip_elements(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Write ``fn(a[i], b[i])`` into ``out[i]``: a thread per element."""
    i = cuda.grid(1)
    if i < out_size:
        out[broadcast_offset(i, out_shape, out_shape, out_strides)] = fn(
            a[broadcast_offset(i, out_shape, a_shape, a_strides)],
            b[broadcast_offset(i, out_shape, b_shape, b_strides)],
        )


def reduce_blocks(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Reduce with a ``fn`` that may be regrouped: a block per element, of any number of threads.

    Thread t of T reduces the numbers t, t + T, t + 2 T, ... to one; then the threads' results are combined in pairs in
    shared memory, half as many in each round. Neighbouring threads read neighbouring numbers.
    """
    cache = cuda.shared.array(MAX_THREADS, real)
    element, thread = cuda.blockIdx.x, cuda.threadIdx.x
    if element < out_size:  # the same for all threads of a block, so the barriers below are met by all
        out_offset = broadcast_offset(element, out_shape, out_shape, out_strides)
        a_offset = broadcast_offset(element, out_shape, out_shape, a_strides)
        n, stride = a_shape[reduce_dim], a_strides[reduce_dim]
        # The start value comes in once, at the end, so it need not be neutral.
        active = min(n, cuda.blockDim.x)
        if thread < active:
            total = real(a[a_offset + thread * stride])
            for j in range(thread + active, n, active):
                total = fn(a[a_offset + j * stride], total)
            cache[thread] = total
        cuda.syncthreads()
        while active > 1:
            half = (active + 1) // 2
            if thread + half < active:
                cache[thread] = fn(cache[thread + half], cache[thread])
            active = half
            cuda.syncthreads()
        if thread == 0:
            if n > 0:
                out[out_offset] = fn(cache[0], real(reduce_value))
            else:
                out[out_offset] = reduce_value


def sum_blocks(out: Any, a: Any, size: int) -> None:
    """Write the sum of the k-th block of `BLOCK` elements into ``out[k]``."""
    cache = cuda.shared.array(BLOCK, real)
    i, thread = cuda.grid(1), cuda.threadIdx.x
    cache[thread] = a[i] if i < size else real(0)
    cuda.syncthreads()
    half = BLOCK // 2
    while half > 0:
        if thread < half:
            cache[thread] += cache[thread + half]
        cuda.syncthreads()
        half //= 2
    if thread == 0 and cuda.blockIdx.x < len(out):
        out[cuda.blockIdx.x] = cache[0]


def multiply_block(out: Any, a: Any, b: Any, size: int) -> None:
    """Multiply two packed square matrices that fit into one block: a thread per element, each operand read once."""
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


THREADS_PER_BLOCK = matmul.BLOCK


def tensor_map(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the map kernel ``(*out, out_size, *a)`` on (storage, shape, strides) triples; a thread per element.

    Args:
        fn: A float function, plain or compiled.
        dtype: What it computes in.
    """
    return kernel(map_elements, dtype, fn=fn)


def tensor_zip(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the zip kernel ``(*out, out_size, *a, *b)``; see `tensor_map`."""
    return kernel(zip_elements, dtype, fn=fn)


def tensor_reduce(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the reduction ``(*out, out_size, *a, reduce_dim, reduce_value)``: a block of threads per element.

    The order of elements is not kept: ``fn`` must be associative and commutative.
    """
    return kernel(reduce_blocks, dtype, fn=fn)


tensor_matrix_multiply = kernel(matmul.matmul_tiles, np.float64)
jit_sum_practice = kernel(sum_blocks, np.float64)
jit_mm_practice = kernel(multiply_block, np.float64)


# The exercises of the course


def _practice(a: Any) -> TensorData:
    t: TensorData = a if isinstance(a, TensorData) else a._unwrap()
    CudaOps.require_same_backend(t)
    return t.contiguous()


def sum_practice(a: Any) -> TensorData:
    """Sum blocks of `THREADS_PER_BLOCK` elements of a 1-D tensor, each in the shared memory of a block of threads.

    Returns:
        An element per block, and at least two.

    Raises:
        IndexingError: ``a`` is not 1-D.
        BackendError: It is not in the CUDA backend.
    """
    t = _practice(a)
    if t.dims != 1:
        raise IndexingError(f"sum_practice takes a tensor of one dimension, not of shape {t.shape}")
    count = max(2, -(-t.size // THREADS_PER_BLOCK))
    out = CudaOps.allocate((count,), t.dtype, t.backend)
    made = kernel(sum_blocks, t.dtype)
    launch("sum_practice", [t.shape], made, (count, THREADS_PER_BLOCK), out._storage, read(t), t.size)
    return out


def mm_practice(a: Any, b: Any) -> TensorData:
    """Multiply two square matrices of up to 32x32 elements in the shared memory of one block of threads.

    Raises:
        IndexingError: They are not square, differ in size, or are too large.
        BackendError: They are not in the CUDA backend.
    """
    x, y = _practice(a), _practice(b)
    size = x.shape[0] if x.dims else 0
    if x.shape != (size, size) or y.shape != x.shape or not 1 <= size <= THREADS_PER_BLOCK:
        raise IndexingError(
            f"mm_practice takes two square matrices of one size up to {THREADS_PER_BLOCK}, "
            f"not shapes {x.shape} and {y.shape}"
        )
    dtype = np.promote_types(x.dtype, y.dtype)
    out = CudaOps.allocate(x.shape, dtype, x.backend)
    made, grid = kernel(multiply_block, dtype), (1, (THREADS_PER_BLOCK, THREADS_PER_BLOCK))
    launch("mm_practice", [x.shape, y.shape], made, grid, out._storage, read(x), read(y), size)
    return out
