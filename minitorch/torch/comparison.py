"""Comparisons and logic, by NumPy: the results are bools, or integers, without gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dtypes import not_implemented
from .elementwise import check_shapes, common_device, result_type
from .tensor import Tensor, from_array, to_array


def compared(name: str, array_fn: Callable[..., Any], input: Any, other: Any) -> Tensor:
    """Compare elements by NumPy; the result is bool."""
    check_shapes((input, other))
    place = common_device(name, input, other)
    d = result_type(input, other).numpy
    a, b = (to_array(x) if isinstance(x, Tensor) else x for x in (input, other))
    if isinstance(input, Tensor) and isinstance(other, Tensor):
        a, b = np.asarray(a).astype(d, copy=False), np.asarray(b).astype(d, copy=False)
    return from_array(array_fn(a, b), place)


def _comparison(name: str, array_fn: Callable[..., Any]) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        return compared(name, array_fn, input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Compare elements: ``{name}``."
    return function


lt, le, gt, ge = (
    _comparison("lt", np.less),
    _comparison("le", np.less_equal),
    _comparison("gt", np.greater),
    _comparison("ge", np.greater_equal),
)


def eq(input: Any, other: Any) -> Tensor:
    """Tell where elements are equal."""
    return compared("eq", np.equal, input, other)


def ne(input: Any, other: Any) -> Tensor:
    """Tell where elements differ."""
    return compared("ne", np.not_equal, input, other)


less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne


def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Tell where ``|input - other| <= atol + rtol * |other|``."""
    return from_array(np.isclose(to_array(input), to_array(other), rtol, atol, equal_nan), input.device)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Tell whether all elements are close."""
    return bool(np.allclose(to_array(input), to_array(other), rtol, atol, equal_nan))


def equal(input: Tensor, other: Tensor) -> bool:
    """Tell whether shape and all elements are equal."""
    return input.shape == other.shape and bool((to_array(input) == to_array(other)).all())


def signbit(input: Tensor) -> Tensor:
    """Tell for each element whether its sign is negative; that of -0.0 is."""
    return from_array(np.signbit(to_array(input)), input.device)


def isnan(input: Tensor) -> Tensor:
    """Tell where elements are nan."""
    return from_array(np.isnan(to_array(input)), input.device)


def isinf(input: Tensor) -> Tensor:
    """Tell where elements are infinite."""
    return from_array(np.isinf(to_array(input)), input.device)


def isfinite(input: Tensor) -> Tensor:
    """Tell where elements are neither infinite nor nan."""
    return from_array(np.isfinite(to_array(input)), input.device)


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Return numbers in place of nan and infinity, as a constant."""
    return from_array(np.nan_to_num(to_array(input), True, nan, posinf, neginf), input.device)


def logical_not(input: Tensor) -> Tensor:
    """Tell where elements are 0 or False."""
    return from_array(np.logical_not(to_array(input)), input.device)


logical_and = _comparison("logical_and", np.logical_and)
logical_or = _comparison("logical_or", np.logical_or)
logical_xor = _comparison("logical_xor", np.logical_xor)


def _bitwise(name: str, array_fn: Callable[..., Any]) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        d = result_type(input, other)
        if d.is_floating_point:
            raise not_implemented(name, d)
        a, b = (np.asarray(to_array(x), d.numpy) for x in (input, other))
        return from_array(array_fn(a, b), common_device(name, input, other))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Combine integers or bools bit by bit: ``{name}``."
    return function


bitwise_and = _bitwise("bitwise_and", np.bitwise_and)
bitwise_or = _bitwise("bitwise_or", np.bitwise_or)
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor)
bitwise_left_shift = _bitwise("bitwise_left_shift", np.left_shift)
bitwise_right_shift = _bitwise("bitwise_right_shift", np.right_shift)


def bitwise_not(input: Tensor) -> Tensor:
    """Invert integers bit by bit, and bools."""
    if input.is_floating_point():
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return from_array(np.invert(to_array(input)), input.device)
