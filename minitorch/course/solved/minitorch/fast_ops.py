"""The operations of `tensor_ops`, compiled with Numba and in parallel on all cores of the CPU (module 3)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numba import njit, prange

from . import tensor_data
from .tensor_data import Shape, Storage, Strides, shape_broadcast
from .tensor_ops import Fn, Op, TensorBackend, TensorOps

# Threads without work sleep. Otherwise they occupy a core, and on a busy computer each parallel loop waits for it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Compiled kernels call compiled functions only.
to_index: Any = njit(tensor_data.to_index)
index_to_position: Any = njit(tensor_data.index_to_position)
broadcast_index: Any = njit(tensor_data.broadcast_index)


@njit
def equal_arrays(a: Any, b: Any) -> bool:
    """Tell whether two shapes, or two strides, are equal. This function is complete.

    In a parallel kernel, ``(a == b).all()`` is a parallel loop too, and slower than this one for a few numbers.
    """
    equal = len(a) == len(b)
    for i in range(min(len(a), len(b))):
        equal = equal and a[i] == b[i]
    return equal


class FastOps(TensorOps):
    """Numba kernels on the CPU."""

    @staticmethod
    def map(fn: Fn) -> Op:
        """See `TensorOps.map`."""
        kernel = tensor_map(njit(fn))

        def ret(a: Any, out: Any = None) -> Any:
            out = a.zeros(a.shape) if out is None else out
            kernel(*out.tuple(), *a.tuple())
            return out

        return ret

    @staticmethod
    def zip(fn: Fn) -> Op:
        """See `TensorOps.zip`."""
        kernel = tensor_zip(njit(fn))

        def ret(a: Any, b: Any) -> Any:
            out = a.zeros(shape_broadcast(a.shape, b.shape))
            kernel(*out.tuple(), *a.tuple(), *b.tuple())
            return out

        return ret

    @staticmethod
    def reduce(fn: Fn, start: float = 0.0) -> Op:
        """See `TensorOps.reduce`."""
        kernel = tensor_reduce(njit(fn))

        def ret(a: Any, dim: int) -> Any:
            out = a.zeros(tuple(1 if i == dim else n for i, n in enumerate(a.shape)))
            out._tensor._storage[:] = start
            kernel(*out.tuple(), *a.tuple(), dim)
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
        tensor_matrix_multiply(*out.tuple(), *a.tuple(), *b.tuple())
        return out.view(*out.shape[1:]) if matrices else out


def tensor_map(fn: Any) -> Any:
    """Return a parallel kernel that applies ``fn``, a compiled function, to each element."""

    def _map(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        in_storage: Storage,
        in_shape: Shape,
        in_strides: Strides,
    ) -> None:
        """Write ``fn`` of the matching element of the input into each element of ``out``.

        The main loop runs in parallel: use ``prange``. All index buffers are NumPy arrays, and each turn of the loop
        needs its own. Where ``out`` and the input have equal shapes and equal strides, no index is needed at all:
        write this case first, with `equal_arrays`.
        """
        if equal_arrays(out_shape, in_shape) and equal_arrays(out_strides, in_strides):
            for i in prange(len(out)):
                out[i] = fn(in_storage[i])
            return
        for i in prange(len(out)):
            out_index = np.empty(len(out_shape), np.int32)
            in_index = np.empty(len(in_shape), np.int32)
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, in_shape, in_index)
            out[index_to_position(out_index, out_strides)] = fn(
                in_storage[index_to_position(in_index, in_strides)]
            )

    return njit(_map, parallel=True)


def tensor_zip(fn: Any) -> Any:
    """Return a parallel kernel that applies ``fn``, a compiled function, to pairs of elements."""

    def _zip(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        a_storage: Storage,
        a_shape: Shape,
        a_strides: Strides,
        b_storage: Storage,
        b_shape: Shape,
        b_strides: Strides,
    ) -> None:
        """Write ``fn`` of the matching elements of both inputs into each element of ``out``.

        The rules of `tensor_map` hold: a parallel main loop, NumPy index buffers, and no indices where all three
        shapes and strides are equal.
        """
        if (
            equal_arrays(out_shape, a_shape)
            and equal_arrays(out_shape, b_shape)
            and equal_arrays(out_strides, a_strides)
            and equal_arrays(out_strides, b_strides)
        ):
            for i in prange(len(out)):
                out[i] = fn(a_storage[i], b_storage[i])
            return
        for i in prange(len(out)):
            out_index = np.empty(len(out_shape), np.int32)
            a_index = np.empty(len(a_shape), np.int32)
            b_index = np.empty(len(b_shape), np.int32)
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            broadcast_index(out_index, out_shape, b_shape, b_index)
            out[index_to_position(out_index, out_strides)] = fn(
                a_storage[index_to_position(a_index, a_strides)],
                b_storage[index_to_position(b_index, b_strides)],
            )

    return njit(_zip, parallel=True)


def tensor_reduce(fn: Any) -> Any:
    """Return a parallel kernel that combines elements along a dimension with ``fn``, a compiled function."""

    def _reduce(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        a_storage: Storage,
        a_shape: Shape,
        a_strides: Strides,
        reduce_dim: int,
    ) -> None:
        """Combine with ``fn``, in each element of ``out``, the elements of the input along ``reduce_dim``.

        The main loop runs in parallel over ``out``. The inner loop calls no function but ``fn`` and writes nothing
        that another thread could read: keep the result in a variable, and step through the storage by a stride.
        """
        step = a_strides[reduce_dim]
        for i in prange(len(out)):
            index = np.empty(len(out_shape), np.int32)
            to_index(i, out_shape, index)
            place = index_to_position(index, out_strides)
            start = index_to_position(index, a_strides)
            total = out[place]
            for j in range(a_shape[reduce_dim]):
                total = fn(total, a_storage[start + j * step])
            out[place] = total

    return njit(_reduce, parallel=True)


def _tensor_matrix_multiply(
    out: Storage,
    out_shape: Shape,
    out_strides: Strides,
    a_storage: Storage,
    a_shape: Shape,
    a_strides: Strides,
    b_storage: Storage,
    b_shape: Shape,
    b_strides: Strides,
) -> None:
    """Write the product of two batches of matrices, (N, rows, K) and (N, K, columns), into ``out``.

    A batch of one matrix is multiplied with each matrix of the other: its stride between matrices counts as 0. The
    main loop runs in parallel. No index buffers and no function calls: compute all places from the strides. The inner
    loop multiplies and adds, and each element of ``out`` is written once.
    """
    a_batch = a_strides[0] if a_shape[0] > 1 else 0
    b_batch = b_strides[0] if b_shape[0] > 1 else 0
    rows, columns = out_shape[1], out_shape[2]
    for t in prange(out_shape[0] * rows):
        n = t // rows
        i = t % rows
        for j in range(columns):
            a_place = n * a_batch + i * a_strides[1]
            b_place = n * b_batch + j * b_strides[2]
            total = 0.0
            for _ in range(a_shape[2]):
                total += a_storage[a_place] * b_storage[b_place]
                a_place += a_strides[2]
                b_place += b_strides[1]
            out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total


tensor_matrix_multiply: Any = njit(_tensor_matrix_multiply, parallel=True)

FastBackend = TensorBackend(FastOps)
