"""Operands of kernels: from a TensorData to what a kernel of the CUDA backend takes.

Kernels take flat storages with shape and strides, or packed arrays. Everything here moves an operand that still lies on
a NumPy array to the device. The dispatchers (`backend`, `fused`) use it; it depends on `device` and `elementwise`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from ..runtime.capture import capture_safe
from ..runtime.types import Fn
from ..tensor_data import TensorData
from . import elementwise
from .device import memory
from .device.launch import kernel, launch


def replay_input(make: Callable[[], npt.NDArray[Any]]) -> Any:
    """Return the few numbers of ``make()`` as a kernel takes them; a captured step makes them anew at each replay.

    They are a tuple in eager code, and an array on the device in a step that is captured now or later: the eager runs
    before a capture then compile the kernel that the capture records, and no kernel is loaded during it.
    """
    return memory.replay_input(make) if capture_safe() else tuple(make())


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
    # Numba infers no element type for an empty tuple: a tensor without dimensions is a row of one element.
    return t._storage, t.shape or (1,), t.strides or (1,)


def block(t: TensorData) -> tuple[Any, tuple[int, ...]]:
    """Return a packed storage of an operand, and its shape."""
    return read(t.contiguous()), t.shape


def packed(t: TensorData) -> Any:
    """Return an operand as a packed array of its shape."""
    return read(t.contiguous()).reshape(t.shape)


def flat(t: TensorData) -> Any:
    """Return the elements of an operand as a packed array of one dimension."""
    return read(t.contiguous()).reshape(t.size)


def run_elementwise(op: str, fn: Fn, out: TensorData, *operands: TensorData) -> None:
    """Write ``fn`` of the operands' elements into ``out``, to which they are broadcast: one launch.

    Args:
        op: What it does, for the message of an error.
        fn: A float function of as many numbers as there are operands.
        out: The result.
        *operands: One to four.
    """
    walk = elementwise.walk((out.shape, out.strides), *((t.shape, t.strides) for t in operands))
    arguments = walk.arguments(out._storage, *map(read, operands))
    launch(op, [t.shape for t in operands], kernel(walk.loop, out.dtype, fn=fn), walk.grid, *arguments)
