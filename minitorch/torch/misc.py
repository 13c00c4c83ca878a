"""Questions about tensors, and settings that scripts write and that change nothing here."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from .creation import as_tensor
from .dtypes import Size, dtype, float32, float64, int32, int64, uint8
from .tensor import Layout, Tensor

inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
contiguous_format, channels_last, preserve_format = map(
    Layout, ("contiguous_format", "channels_last", "preserve_format")
)
version_number = "2.0.0+minitorch"
version = SimpleNamespace(__version__=version_number, cuda=None, hip=None)


def is_tensor(obj: Any) -> bool:
    """Tell whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Tell whether the dtype has fractions."""
    return input.is_floating_point()


def broadcast_shapes(*shapes: Any) -> Size:
    """Return the shape that these broadcast to.

    Raises:
        RuntimeError: They do not.
    """
    try:
        return Size(np.broadcast_shapes(*(tuple(s) if isinstance(s, Sequence) else s for s in shapes)))
    except ValueError:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {shapes}"
        ) from None


def can_cast(from_: dtype, to: dtype) -> bool:
    """Tell whether a dtype can become another: not fractions to whole numbers, and to bool only a bool."""
    order = ["b", "iu", "f"]
    ranks = [next(k for k, kinds in enumerate(order) if d.numpy.kind in kinds) for d in (from_, to)]
    return ranks[0] <= ranks[1]


def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()


def _typed(name: str, d: dtype) -> Any:
    def make(*data: Any) -> Tensor:
        if len(data) == 1 and not isinstance(data[0], int):
            return as_tensor(data[0]).to(d)
        return Tensor(*data).to(d)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Make a tensor of {d}: of sizes, or of numbers in lists."
    return make


FloatTensor, DoubleTensor = _typed("FloatTensor", float32), _typed("DoubleTensor", float64)
LongTensor, IntTensor, ByteTensor = (
    _typed("LongTensor", int64),
    _typed("IntTensor", int32),
    _typed("ByteTensor", uint8),
)


def compile(model: Any = None, **ignored: Any) -> Any:
    """Return what is given: kernels are compiled anyway. Also a decorator with settings."""
    return (lambda fn: fn) if model is None else model


def get_num_threads() -> int:
    """Return how many threads kernels may use."""
    return os.cpu_count() or 1


def set_num_threads(n: int) -> None:
    """Accepted: set NUMBA_NUM_THREADS before the start instead."""


def set_num_interop_threads(n: int) -> None:
    """Accepted, and changes nothing."""


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: results are the same in each run with the same seed."""


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted, and changes nothing."""
