"""Which numbers tensors hold: float64 or float32. It refuses to know what they are held for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class _DType:
    default = np.dtype(np.float64)


FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype that ``dtype`` names; None is the default dtype.

    Raises:
        ValueError: It is neither float64 nor float32.
    """
    if dtype is None:
        return _DType.default
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in FLOATS:
        raise ValueError(f"unknown dtype {dtype!r}: expected float64 or float32")
    return found


def cells(values: Any, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return ``values`` as a fresh packed array of ``dtype``; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype, order="C")


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of tensors made from Python numbers and lists: "float32", "float64" or a NumPy dtype."""
    _DType.default = as_dtype(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype of tensors made from Python numbers and lists; float64 at the start."""
    return _DType.default
