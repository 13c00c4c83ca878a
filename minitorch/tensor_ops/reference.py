"""The reference backend: plain Python, one element after the other. It is the specification of all other backends.

It depends on `base` and `backend`. It is never optimised; every operation of the others is tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..runtime.specialize import with_numpy
from ..runtime.types import Fn
from ..tensor_data import Storage, TensorData, broadcast_index, index_to_position, to_index
from .backend import TensorBackend, register_backend
from .base import Kernel, TensorOps, lead


def tensor_map(fn: Fn) -> Callable[..., None]:
    """Return the plain map on (storage, shape, strides) triples, out first: ``out[i] = fn(a[i])``."""

    def _map(
        out: Storage, out_shape: Any, out_strides: Any, in_storage: Storage, in_shape: Any, in_strides: Any
    ) -> None:
        out_index = np.zeros(len(out_shape), np.int32)
        in_index = np.zeros(len(in_shape), np.int32)
        for i in range(math.prod(out_shape)):
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, in_shape, in_index)
            out[index_to_position(out_index, out_strides)] = fn(
                in_storage[index_to_position(in_index, in_strides)]
            )

    return _map


def tensor_zip(fn: Fn) -> Callable[..., None]:
    """Return the plain zip on (storage, shape, strides) triples, out first: ``out[i] = fn(a[i], b[i])``."""

    def _zip(
        out: Storage, out_shape: Any, out_strides: Any,
        a_storage: Storage, a_shape: Any, a_strides: Any,
        b_storage: Storage, b_shape: Any, b_strides: Any,
    ) -> None:  # fmt: skip
        out_index = np.zeros(len(out_shape), np.int32)
        a_index = np.zeros(len(a_shape), np.int32)
        b_index = np.zeros(len(b_shape), np.int32)
        for i in range(math.prod(out_shape)):
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            broadcast_index(out_index, out_shape, b_shape, b_index)
            a = a_storage[index_to_position(a_index, a_strides)]
            b = b_storage[index_to_position(b_index, b_strides)]
            out[index_to_position(out_index, out_strides)] = fn(a, b)

    return _zip


def tensor_reduce(fn: Fn) -> Callable[..., None]:
    """Return the plain reduction on (storage, shape, strides) triples, out first, then ``reduce_dim``.

    ``out`` holds the start values: ``out[i] = fn(a[n], ... fn(a[0], out[i]))``.
    """

    def _reduce(
        out: Storage, out_shape: Any, out_strides: Any,
        a_storage: Storage, a_shape: Any, a_strides: Any,
        reduce_dim: int,
    ) -> None:  # fmt: skip
        out_index = np.zeros(len(out_shape), np.int32)
        for i in range(math.prod(out_shape)):
            to_index(i, out_shape, out_index)
            position = index_to_position(out_index, out_strides)
            for j in range(a_shape[reduce_dim]):
                out_index[reduce_dim] = j
                out[position] = fn(a_storage[index_to_position(out_index, a_strides)], out[position])
            out_index[reduce_dim] = 0

    return _reduce


class SimpleOps(TensorOps):
    """The kernels of the reference backend, on (storage, shape, strides) triples as in the course."""

    name = "simple"

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.map_kernel`."""
        loop = tensor_map(with_numpy(fn))

        def kernel(out: TensorData, a: TensorData) -> None:
            with np.errstate(all="ignore"):
                loop(*_triple(out), *_triple(a))

        return kernel

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.zip_kernel`."""
        loop = tensor_zip(with_numpy(fn))

        def kernel(out: TensorData, a: TensorData, b: TensorData) -> None:
            with np.errstate(all="ignore"):
                loop(*_triple(out), *_promoted(a, out), *_promoted(b, out))

        return kernel

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """See `TensorOps.reduce_kernel`."""
        loop = tensor_reduce(with_numpy(fn))

        def kernel(out: TensorData, a: TensorData, dim: int) -> None:
            out._storage[:] = start
            with np.errstate(all="ignore"):
                loop(*_triple(out), *_triple(a), dim)

        return kernel

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        """See `TensorOps.matmul_kernel`."""
        x, y = (t.host().reshape((lead(t), *t.shape[-2:])) for t in (a, b))
        result = out._storage.reshape((lead(out), *out.shape[-2:]))
        with np.errstate(all="ignore"):
            for n, i, j in np.ndindex(*result.shape):
                total = result.dtype.type(0)
                for k in range(x.shape[2]):
                    total += x[n if len(x) > 1 else 0, i, k] * y[n if len(y) > 1 else 0, k, j]
                result[n, i, j] = total


def _triple(t: TensorData) -> tuple[Any, Any, Any]:
    # A dimension of size 1 may have a stride that an index of 32 bits cannot be multiplied by.
    return t._storage, t.shape, tuple(0 if n == 1 else s for n, s in zip(t.shape, t.strides))


def _promoted(t: TensorData, out: TensorData) -> tuple[Any, Any, Any]:
    """Return the triple of an operand in the dtype of the result: no step inside of a function is in a smaller one."""
    storage, shape, strides = _triple(t)
    return storage.astype(out.dtype, copy=False), shape, strides


SimpleBackend = TensorBackend(SimpleOps)
register_backend("simple", lambda: SimpleBackend)
