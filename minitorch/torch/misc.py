"""Questions about tensors, and settings that scripts write and that change nothing here."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..autodiff import grad_enabled
from .creation import as_tensor
from .dtypes import (
    Size,
    bool_,
    dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from .dtypes import device as _device
from .functions.attributes import Storage
from .tensor import Layout, Tensor

inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
contiguous_format, channels_last, channels_last_3d, preserve_format = map(
    Layout, ("contiguous_format", "channels_last", "channels_last_3d", "preserve_format")
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


FloatTensor, DoubleTensor, HalfTensor = (
    _typed("FloatTensor", float32),
    _typed("DoubleTensor", float64),
    _typed("HalfTensor", float16),
)
LongTensor, IntTensor, ShortTensor = (
    _typed("LongTensor", int64),
    _typed("IntTensor", int32),
    _typed("ShortTensor", int16),
)
CharTensor, ByteTensor, BoolTensor = (
    _typed("CharTensor", int8),
    _typed("ByteTensor", uint8),
    _typed("BoolTensor", bool_),
)
newaxis = None


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype: ``torch.FloatTensor`` or ``torch.DoubleTensor``, or their names."""
    name = t if isinstance(t, str) else t.__name__
    found = {"FloatTensor": float32, "DoubleTensor": float64}.get(name.rpartition(".")[2])
    if found is None:
        raise TypeError(
            f"set_default_tensor_type: expected torch.FloatTensor or torch.DoubleTensor, got {t!r}"
        )
    set_default_dtype(found)


def typename(obj: Any) -> str:
    """Return the name of a type, as ``torch.FloatTensor`` of a tensor."""
    if isinstance(obj, Tensor):
        return str(vars(Tensor)["type"](obj))
    kind = type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def detach(input: Tensor) -> Tensor:
    """Return a constant that shares the memory."""
    return input.detach()


def detach_(input: Tensor) -> Tensor:
    """Make this tensor a constant; return it."""
    return input.detach_()


def is_complex(input: Tensor) -> bool:
    """Return False: numbers are real here."""
    return False


def is_storage(obj: Any) -> bool:
    """Tell whether ``obj`` is the memory of a tensor."""
    return isinstance(obj, Storage)


def is_signed(input: Tensor) -> bool:
    """Tell whether the dtype has negative numbers."""
    return input.dtype.is_signed


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Tell whether two shapes are equal."""
    return input.shape == other.shape


def is_inference_mode_enabled() -> bool:
    """Tell whether operations are not recorded."""
    return not grad_enabled()


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


def get_num_interop_threads() -> int:
    """Return 1: one operation runs at a time."""
    return 1


def set_flush_denormal(mode: bool) -> bool:
    """Return False: it is not supported."""
    return False


def set_warn_always(b: bool) -> None:
    """Accepted, and changes nothing."""


def are_deterministic_algorithms_enabled() -> bool:
    """Return True: results are the same in each run with the same seed."""
    return True


def get_float32_matmul_precision() -> str:
    """Return "highest": products are computed in float32."""
    return "highest"


def set_default_device(device: Any) -> None:
    """Accept the CPU.

    Raises:
        RuntimeError: Another device: name it where tensors are made.
    """
    if device is not None and _device(device).type != "cpu":
        raise RuntimeError(
            f"set_default_device: expected 'cpu', got {str(device)!r}: name the device where tensors are made"
        )


def get_default_device() -> Any:
    """Return the CPU."""
    return _device("cpu")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: results are the same in each run with the same seed."""


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted, and changes nothing."""
