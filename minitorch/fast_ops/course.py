"""The course's kernels on the CPU (tasks 3.1 and 3.2): map, zip, reduce and the matrix product, compiled with Numba.

The `fast` backend itself runs `elementwise`, `reduce` and `matmul`. These functions have the signatures of the course:
each operand is (storage, shape, strides). They are compiled anew in each process, so that Numba's
``parallel_diagnostics`` has something to report. In a forked process their serial form runs.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from .. import tensor_data
from ..runtime.types import Fn
from ..tensor_ops.base import Kernel
from . import elementwise, jit, reduce


def matrix_multiply(
    out: Any, out_shape: Any, out_strides: Any,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Write ``a @ b``, matrices or batches of them, into ``out``: a thread takes rows, one write per element.

    A batch of one matrix is multiplied with each of the other operand's. Cost: 2 * rows * columns * K reads per matrix
    from memory or cache; no tiles, no temporary memory.
    """
    row_dim, col_dim = len(out_shape) - 2, len(out_shape) - 1
    a_row_dim, a_col_dim, b_row_dim, b_col_dim = (
        len(a_shape) - 2,
        len(a_shape) - 1,
        len(b_shape) - 2,
        len(b_shape) - 1,
    )
    rows = out_shape[row_dim] * (out_shape[0] if row_dim else 1)
    out_batch_stride = out_strides[0] if row_dim else 0
    a_batch_stride = a_strides[0] if a_row_dim and a_shape[0] > 1 else 0
    b_batch_stride = b_strides[0] if b_row_dim and b_shape[0] > 1 else 0
    for t in prange(rows):
        n, i = t // out_shape[row_dim], t % out_shape[row_dim]
        for j in range(out_shape[col_dim]):
            a_offset = n * a_batch_stride + i * a_strides[a_row_dim]
            b_offset = n * b_batch_stride + j * b_strides[b_col_dim]
            total = 0.0
            for k in range(a_shape[a_col_dim]):
                total += a[a_offset + k * a_strides[a_col_dim]] * b[b_offset + k * b_strides[b_row_dim]]
            out[n * out_batch_stride + i * out_strides[row_dim] + j * out_strides[col_dim]] = total


tensor_matrix_multiply = jit.njit(matrix_multiply, parallel=True)
to_index = jit.njit(tensor_data.to_index)
index_to_position = jit.njit(tensor_data.index_to_position)
broadcast_index = jit.njit(tensor_data.broadcast_index)


def tensor_map(fn: Fn) -> Kernel:
    """Return the parallel map ``(out, out_shape, out_strides, in, in_shape, in_strides)``.

    ``fn`` may be plain or compiled.
    """
    return jit.on_numba_threads(elementwise.map_any, fn=fn)


def tensor_zip(fn: Fn) -> Kernel:
    """Return the parallel zip: as `tensor_map`, with storage, shape and strides of two operands."""
    return jit.on_numba_threads(elementwise.zip_any, fn=fn)


def tensor_reduce(fn: Fn) -> Kernel:
    """Return the parallel reduction: as `tensor_map`, then ``reduce_dim``; ``out`` holds the start values."""
    return jit.on_numba_threads(reduce.reduce_any, fn=fn)
