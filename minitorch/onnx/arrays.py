"""Whole numbers of an ONNX file, such as shapes, slices and types; computed by NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..runtime.types import Array, Shape
from .errors import LoadError

# Numbers of the types in the file format (TensorProto.DataType), by what they become here.
REAL = {1: np.float32, 10: np.float16, 11: np.float64}
WHOLE = {2: np.uint8, 3: np.int8, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_}


def divide(a: Array, b: Array) -> Array:
    """Return ``a / b``; of whole numbers it is whole, rounded towards 0.

    Raises:
        LoadError: Whole numbers are divided by 0.
    """
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.true_divide(a, b)
    if (b == 0).any():
        raise LoadError("division of whole numbers by 0")
    return np.trunc(np.true_divide(a, b)).astype(a.dtype)


def flat_shape(sizes: Shape, axis: int) -> tuple[int, int]:
    """Return the shape of the matrix with the axes before ``axis`` as its rows."""
    return math.prod(sizes[:axis]), math.prod(sizes[axis:])


def reshaped(old: Sequence[int], wanted: Sequence[int], zero_is_zero: bool) -> tuple[int, ...]:
    """Return the shape that ``wanted`` means: -1 takes what is left, 0 the size of before.

    Raises:
        LoadError: It does not fit the number of elements.
    """
    sizes = [old[k] if n == 0 and not zero_is_zero and k < len(old) else n for k, n in enumerate(wanted)]
    count = math.prod(old)
    if sizes.count(-1) == 1:
        known = math.prod(n for n in sizes if n != -1)
        sizes[sizes.index(-1)] = count // known if known > 0 else 0
    if min(sizes, default=0) < 0 or math.prod(sizes) != count:
        raise LoadError(f"expected a shape of {count} elements, got {list(wanted)} (operand {tuple(old)})")
    return tuple(sizes)


def slices(
    sizes: Shape, starts: Sequence[int], stops: Sequence[int], axes: Sequence[int], steps: Sequence[int]
) -> tuple[slice, ...]:
    """Return the key of a slice.

    Raises:
        LoadError: The lists are of unequal lengths, an axis is not there, or a step is not positive.
    """
    if not len(starts) == len(stops) == len(axes) == len(steps):
        raise LoadError(f"expected lists of one length, got {starts}, {stops}, {axes}, {steps}")
    if any(not -len(sizes) <= axis < len(sizes) for axis in axes) or min(steps, default=1) < 1:
        raise LoadError(f"expected axes of shape {sizes} and positive steps, got axes {axes}, steps {steps}")
    key = [slice(None)] * len(sizes)
    for start, stop, axis, step in zip(starts, stops, axes, steps):
        first, last, step = slice(start, stop, step).indices(sizes[axis])
        key[axis] = slice(first, max(first, last), step)
    return tuple(key)
