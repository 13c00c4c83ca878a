"""Questions about tensors, and settings that scripts write and that change nothing here."""

from __future__ import annotations

import math
import os
from typing import Any

from .creation import as_tensor
from .dtypes import dtype, float32, float64, int32, int64, uint8
from .tensor import Layout, Tensor

inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
contiguous_format, channels_last, preserve_format = map(
    Layout, ("contiguous_format", "channels_last", "preserve_format")
)
version = "2.0.0+minitorch"


def is_tensor(obj: Any) -> bool:
    """Tell whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Tell whether the dtype has fractions."""
    return input.is_floating_point()


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
