"""Part of cuda_fused_ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from ..runtime.types import Fn
from ..tensor_data import TensorData
from . import elementwise
from .device import graph, memory
from .device.launch import kernel, launch


def live(make: Callable[[], npt.NDArray[Any]]) -> Any:
    """Return the few numbers that ``make`` gives for this launch as a kernel takes them."""
    return tuple(make()) if graph.current() is None else memory.live(make)


def around(shape: tuple[int, ...], dim: int) -> tuple[int, int, int]:
    """Return how many elements lie outside of dimension ``dim``, in it, and inside of it."""
    dim %= len(shape)
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


def read(t: TensorData) -> Any:
    """Return the storage of an operand, which moves to the device now if it was made on a NumPy array."""
    t._storage = memory.storage(t._storage)
    return t._storage


def triple(t: TensorData) -> tuple[Any, Any, Any]:
    """Return storage, shape and strides."""
    # An empty tuple has no type of elements that a kernel could be compiled for: one element is a row of one.
    return t._storage, t.shape or (1,), t.strides or (1,)


def block(t: TensorData) -> tuple[Any, tuple[int, ...]]:
    """Return an operand as a packed storage and its shape."""
    return read(t.contiguous()), t.shape


def packed(t: TensorData) -> Any:
    """Return an operand as a packed array of its shape."""
    return read(t.contiguous()).reshape(t.shape)


def flat(t: TensorData) -> Any:
    """Return the elements of an operand in a row."""
    return read(t.contiguous()).reshape(t.size)


def run_elementwise(op: str, fn: Fn, out: TensorData, *operands: TensorData) -> None:
    """Write ``fn`` of the operands' elements into ``out``, into which they broadcast: one launch."""
    walk = elementwise.walk((out.shape, out.strides), *((t.shape, t.strides) for t in operands))
    given = walk.operands(out._storage, *map(read, operands))
    launch(op, [t.shape for t in operands], kernel(walk.loop, out.dtype, fn=fn), walk.grid, *given)
