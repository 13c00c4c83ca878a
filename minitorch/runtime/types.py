"""Types that many files name: shapes, settings of convolution and pooling, functions and arrays.

It depends on NumPy's types only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

Fn: TypeAlias = Callable[..., Any]
Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[int, int, int, int]  # top, bottom, left, right


@runtime_checkable
class OfPython(Protocol):
    """A function that was made from one in Python: a compiled one, or one that takes more kinds of operands."""

    py_func: Any


@runtime_checkable
class ArrayOperand(Protocol):
    """What takes part in NumPy's protocol of operators; None says that it has operators of its own for arrays."""

    __array_ufunc__: Any


class ConvParams(NamedTuple):
    """Settings of a two-dimensional convolution; a pair is (vertical, horizontal).

    Attributes:
        stride: Input rows and columns from one output element to the next.
        padding: Zeros added at top, bottom, left and right.
        dilation: Input rows and columns from one weight to the next.
        groups: Parts of the channels that are convolved separately.
    """

    stride: Pair = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


class PoolParams(NamedTuple):
    """Settings of two-dimensional pooling; a pair is (vertical, horizontal).

    Attributes:
        kind: "max" or "avg".
        window: Height and width of a window.
        stride: Input rows and columns from one window to the next.
        padding: Elements added at top, bottom, left and right: -inf for "max", 0 for "avg".
        dilation: Input rows and columns from one element of a window to the next.
        count_pad: Whether padding counts in an average.
    """

    kind: str
    window: Pair
    stride: Pair
    padding: Padding
    dilation: Pair = (1, 1)
    count_pad: bool = True
