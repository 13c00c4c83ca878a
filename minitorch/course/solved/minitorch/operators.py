"""Functions of floats, on which everything else is built (module 0)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

EPS = 1e-6  # keeps the logarithm away from 0

# Task 0.1: functions of one and two numbers.


def mul(x: float, y: float) -> float:
    """Return the product of ``x`` and ``y``."""
    return x * y


def id(x: float) -> float:
    """Return ``x`` itself."""
    return x


def add(x: float, y: float) -> float:
    """Return the sum of ``x`` and ``y``."""
    return x + y


def neg(x: float) -> float:
    """Return ``x`` with the opposite sign, as a float."""
    return -float(x)


def lt(x: float, y: float) -> float:
    """Return 1.0 if ``x`` is less than ``y``, else 0.0."""
    return 1.0 if x < y else 0.0


def eq(x: float, y: float) -> float:
    """Return 1.0 if ``x`` equals ``y``, else 0.0."""
    return 1.0 if x == y else 0.0


def max(x: float, y: float) -> float:
    """Return the larger of ``x`` and ``y``."""
    return x if x > y else y


def is_close(x: float, y: float) -> float:
    """Return 1.0 if ``x`` and ``y`` differ by less than 0.01, else 0.0."""
    return 1.0 if abs(x - y) < 1e-2 else 0.0


def sigmoid(x: float) -> float:
    """Return the logistic function of ``x``, a number from 0 to 1: 1 divided by (1 + e to the power of -x).

    ``math.exp`` overflows for large arguments. Find a second form of the formula, and use for each sign of ``x`` the
    one whose exponent is never positive.
    """
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))


def relu(x: float) -> float:
    """Return ``x`` where it is positive, else 0.0."""
    return x if x > 0 else 0.0


def log(x: float) -> float:
    """Return the natural logarithm of ``x`` plus `EPS`."""
    return math.log(x + EPS)


def exp(x: float) -> float:
    """Return e to the power of ``x``."""
    return math.exp(x)


def log_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `log` at ``x``. Do not forget `EPS`."""
    return d / (x + EPS)


def inv(x: float) -> float:
    """Return the reciprocal of ``x``."""
    return 1.0 / x


def inv_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `inv` at ``x``."""
    return -d / (x * x)


def relu_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `relu` at ``x``; count the derivative at 0 as 0."""
    return d if x > 0 else 0.0


# Task 0.3: functions of functions.


def map(fn: Callable[[float], float]) -> Callable[[Iterable[float]], list[float]]:
    """Return a function that takes an iterable and returns the list of ``fn(x)`` for each of its elements."""

    def mapped(ls: Iterable[float]) -> list[float]:
        return [fn(x) for x in ls]

    return mapped


def zipWith(fn: Callable[[float, float], float]) -> Callable[[Iterable[float], Iterable[float]], list[float]]:
    """Return a function that takes two iterables and returns the list of ``fn(x, y)`` for each pair of elements."""

    def zipped(ls1: Iterable[float], ls2: Iterable[float]) -> list[float]:
        return [fn(x, y) for x, y in zip(ls1, ls2)]

    return zipped


def reduce(fn: Callable[[float, float], float], start: float) -> Callable[[Iterable[float]], float]:
    """Return a function that takes an iterable and combines its elements, from the left, to one number.

    For the elements x1, x2, x3 it returns ``fn(x3, fn(x2, fn(x1, start)))``; without elements it returns ``start``.
    """

    def reduced(ls: Iterable[float]) -> float:
        total = start
        for x in ls:
            total = fn(x, total)
        return total

    return reduced


def negList(ls: Iterable[float]) -> list[float]:
    """Return the list of negated elements. Use `map`."""
    return map(neg)(ls)


def addLists(ls1: Iterable[float], ls2: Iterable[float]) -> list[float]:
    """Return the list of sums of corresponding elements. Use `zipWith`."""
    return zipWith(add)(ls1, ls2)


def sum(ls: Iterable[float]) -> float:
    """Return the sum of the elements; 0.0 if there are none. Use `reduce`."""
    return reduce(add, 0.0)(ls)


def prod(ls: Iterable[float]) -> float:
    """Return the product of the elements; 1.0 if there are none. Use `reduce`."""
    return reduce(mul, 1.0)(ls)
