"""Part of fast_matmul, fast_ops."""

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
    """The product as the course writes it, 2-D or 3-D: every thread owns rows of ``out``, one write per element."""
    y, x = len(out_shape) - 2, len(out_shape) - 1
    ay, ax, by, bx = len(a_shape) - 2, len(a_shape) - 1, len(b_shape) - 2, len(b_shape) - 1
    rows, batch = out_shape[y] * (out_shape[0] if y else 1), out_strides[0] if y else 0
    batch_a = a_strides[0] if ay and a_shape[0] > 1 else 0
    batch_b = b_strides[0] if by and b_shape[0] > 1 else 0
    for t in prange(rows):
        n, i = t // out_shape[y], t % out_shape[y]
        for j in range(out_shape[x]):
            at, bt = n * batch_a + i * a_strides[ay], n * batch_b + j * b_strides[bx]
            total = 0.0
            for k in range(a_shape[ax]):
                total += a[at + k * a_strides[ax]] * b[bt + k * b_strides[by]]
            out[n * batch + i * out_strides[y] + j * out_strides[x]] = total


tensor_matrix_multiply = jit.njit(matrix_multiply, parallel=True)


to_index = jit.njit(tensor_data.to_index)
index_to_position = jit.njit(tensor_data.index_to_position)
broadcast_index = jit.njit(tensor_data.broadcast_index)
tensor_matrix_multiply = tensor_matrix_multiply


def tensor_map(fn: Fn) -> Kernel:
    """Return the parallel map on (storage, shape, strides) triples, out first; ``fn`` may be compiled already.

    These three are compiled anew in each process, so that ``parallel_diagnostics`` has something to tell.
    """
    return jit.kernel(elementwise.map_any, parallel=True, cache=False, fn=fn)


def tensor_zip(fn: Fn) -> Kernel:
    """Return the parallel zip on (storage, shape, strides) triples, out first; see `tensor_map`."""
    return jit.kernel(elementwise.zip_any, parallel=True, cache=False, fn=fn)


def tensor_reduce(fn: Fn) -> Kernel:
    """Return the parallel reduction on (storage, shape, strides) triples, out first, then ``reduce_dim``."""
    return jit.kernel(reduce.reduce_any, parallel=True, cache=False, fn=fn)
