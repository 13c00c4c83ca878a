"""How functions of numbers become functions of tensors: map, zip, reduce (module 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from . import operators
from .tensor_data import (
    Shape,
    Storage,
    Strides,
    broadcast_index,
    index_to_position,
    shape_broadcast,
    to_index,
)

Fn: TypeAlias = Callable[..., float]
Op: TypeAlias = Callable[..., Any]  # takes Tensors, returns a Tensor


class TensorOps:
    """What a backend must have: map, zip, reduce and the matrix product.

    Attributes:
        cuda: Whether the storages are on a GPU.
    """

    cuda = False

    @staticmethod
    def map(fn: Fn) -> Op:
        """Return a function of a tensor ``a``, and of a tensor ``out`` to write into if there is one."""
        raise NotImplementedError("the backend has no map")

    @staticmethod
    def zip(fn: Fn) -> Op:
        """Return a function of two tensors, which are broadcast."""
        raise NotImplementedError("the backend has no zip")

    @staticmethod
    def reduce(fn: Fn, start: float = 0.0) -> Op:
        """Return a function of a tensor and a dimension, which becomes 1."""
        raise NotImplementedError("the backend has no reduce")

    @staticmethod
    def matrix_multiply(a: Any, b: Any) -> Any:
        """Return the matrix product."""
        raise NotImplementedError("the backend has no matrix product before module 3")


class TensorBackend:
    """The functions of numbers of `operators`, as functions of tensors, made by ``ops``."""

    def __init__(self, ops: type[TensorOps]) -> None:
        self.ops = ops
        self.neg_map = ops.map(operators.neg)
        self.sigmoid_map = ops.map(operators.sigmoid)
        self.relu_map = ops.map(operators.relu)
        self.log_map = ops.map(operators.log)
        self.exp_map = ops.map(operators.exp)
        self.id_map = ops.map(operators.id)
        self.inv_map = ops.map(operators.inv)
        self.add_zip = ops.zip(operators.add)
        self.mul_zip = ops.zip(operators.mul)
        self.lt_zip = ops.zip(operators.lt)
        self.eq_zip = ops.zip(operators.eq)
        self.is_close_zip = ops.zip(operators.is_close)
        self.relu_back_zip = ops.zip(operators.relu_back)
        self.log_back_zip = ops.zip(operators.log_back)
        self.inv_back_zip = ops.zip(operators.inv_back)
        self.add_reduce = ops.reduce(operators.add, 0.0)
        self.mul_reduce = ops.reduce(operators.mul, 1.0)
        self.max_reduce = ops.reduce(operators.max, -np.inf)
        self.matrix_multiply = ops.matrix_multiply
        self.cuda = ops.cuda


class SimpleOps(TensorOps):
    """Python loops. They show what the faster backends of module 3 must compute."""

    @staticmethod
    def map(fn: Fn) -> Op:
        """See `TensorOps.map`."""
        kernel = tensor_map(fn)

        def ret(a: Any, out: Any = None) -> Any:
            out = a.zeros(a.shape) if out is None else out
            kernel(*out.tuple(), *a.tuple())
            return out

        return ret

    @staticmethod
    def zip(fn: Fn) -> Op:
        """See `TensorOps.zip`."""
        kernel = tensor_zip(fn)

        def ret(a: Any, b: Any) -> Any:
            out = a.zeros(shape_broadcast(a.shape, b.shape))
            kernel(*out.tuple(), *a.tuple(), *b.tuple())
            return out

        return ret

    @staticmethod
    def reduce(fn: Fn, start: float = 0.0) -> Op:
        """See `TensorOps.reduce`."""
        kernel = tensor_reduce(fn)

        def ret(a: Any, dim: int) -> Any:
            out = a.zeros(tuple(1 if i == dim else n for i, n in enumerate(a.shape)))
            out._tensor._storage[:] = start
            kernel(*out.tuple(), *a.tuple(), dim)
            return out

        return ret


def tensor_map(fn: Fn) -> Callable[..., None]:
    """Return a kernel that applies ``fn`` to each element; the input may be smaller, and is broadcast."""

    def _map(
        out: Storage,
        out_shape: Shape,
        out_strides: Strides,
        in_storage: Storage,
        in_shape: Shape,
        in_strides: Strides,
    ) -> None:
        """Write ``fn`` of the matching element of the input into each element of ``out``.

        Go through all elements of ``out``. For each, find its index with `to_index`, the index in the input with
        `broadcast_index`, and both places with `index_to_position`.
        """
        out_index = np.zeros(len(out_shape), np.int32)
        in_index = np.zeros(len(in_shape), np.int32)
        for i in range(len(out)):
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, in_shape, in_index)
            out[index_to_position(out_index, out_strides)] = fn(
                in_storage[index_to_position(in_index, in_strides)]
            )

    return _map


def tensor_zip(fn: Fn) -> Callable[..., None]:
    """Return a kernel that applies ``fn`` to pairs of elements; both inputs are broadcast."""

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
        """Write ``fn`` of the matching elements of both inputs into each element of ``out``. See `tensor_map`."""
        out_index = np.zeros(len(out_shape), np.int32)
        a_index = np.zeros(len(a_shape), np.int32)
        b_index = np.zeros(len(b_shape), np.int32)
        for i in range(len(out)):
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            broadcast_index(out_index, out_shape, b_shape, b_index)
            out[index_to_position(out_index, out_strides)] = fn(
                a_storage[index_to_position(a_index, a_strides)],
                b_storage[index_to_position(b_index, b_strides)],
            )

    return _zip


def tensor_reduce(fn: Fn) -> Callable[..., None]:
    """Return a kernel that combines the elements along one dimension."""

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

        ``out`` holds the start value in every element, and its size in ``reduce_dim`` is 1. Everywhere else the index
        in ``out`` is the index in the input.
        """
        index = np.zeros(len(out_shape), np.int32)
        for i in range(len(out)):
            to_index(i, out_shape, index)
            place = index_to_position(index, out_strides)
            for j in range(a_shape[reduce_dim]):
                index[reduce_dim] = j
                out[place] = fn(out[place], a_storage[index_to_position(index, a_strides)])

    return _reduce


SimpleBackend = TensorBackend(SimpleOps)
