"""Functions of floats, each beside its derivative.

Every tensor operation that works cell by cell is one of these functions, compiled. ``f_back(x, d)`` is the
derivative of ``f`` at ``x`` times ``d``. This file refuses to know shapes, tensors and compilers: only
arithmetic, comparisons and ``math`` occur in it, so that any room can run it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

EPS = 1e-6


def mul(x: float, y: float) -> float:
    """Return ``x * y``."""
    return x * y


def id(x: float) -> float:
    """Return ``x``."""
    return x


def add(x: float, y: float) -> float:
    """Return ``x + y``."""
    return x + y


def neg(x: float) -> float:
    """Return ``-x``."""
    return -x


def lt(x: float, y: float) -> float:
    """Return 1.0 if ``x < y``, else 0.0."""
    return 1.0 if x < y else 0.0


def eq(x: float, y: float) -> float:
    """Return 1.0 if ``x == y``, else 0.0."""
    return 1.0 if x == y else 0.0


def max(x: float, y: float) -> float:
    """Return ``x`` if ``x > y``, else ``y``."""
    return x if x > y else y


def max_nan(x: float, y: float) -> float:
    """Return the larger of the two, and nan if either is nan (as NumPy's ``maximum``)."""
    return x if x > y or x != x else y


def is_close(x: float, y: float) -> float:
    """Return 1.0 if ``|x - y| < 1e-2``, else 0.0."""
    return 1.0 if (x - y < 1e-2) and (y - x < 1e-2) else 0.0


def sigmoid(x: float) -> float:
    """Return ``1 / (1 + exp(-x))``, written in two branches so that ``exp`` never overflows."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))


def sigmoid_back(x: float, d: float) -> float:
    """Return ``d * sigmoid(x) * (1 - sigmoid(x))``."""
    s = sigmoid(x)
    return d * s * (1.0 - s)


def relu(x: float) -> float:
    """Return ``x`` if it is positive, else 0.0."""
    return x if x > 0.0 else 0.0


def relu_back(x: float, d: float) -> float:
    """Return ``d`` if ``x`` is positive, else 0.0."""
    return d if x > 0.0 else 0.0


def log(x: float) -> float:
    """Return the natural logarithm of ``x + EPS``."""
    return math.log(x + EPS)


def log_back(x: float, d: float) -> float:
    """Return ``d / (x + EPS)``."""
    return d / (x + EPS)


def ln(x: float) -> float:
    """Return the natural logarithm of ``x`` itself, without EPS."""
    return math.log(x)


def exp(x: float) -> float:
    """Return ``e ** x``."""
    return math.exp(x)


def exp_back(x: float, d: float) -> float:
    """Return ``d * e ** x``."""
    return d * math.exp(x)


def inv(x: float) -> float:
    """Return ``1 / x``."""
    return 1.0 / x


def inv_back(x: float, d: float) -> float:
    """Return ``-d / x ** 2``."""
    return -d / (x * x)


def tanh(x: float) -> float:
    """Return the hyperbolic tangent."""
    return math.tanh(x)


def tanh_back(x: float, d: float) -> float:
    """Return ``d * (1 - tanh(x) ** 2)``."""
    t = math.tanh(x)
    return d * (1.0 - t * t)


def sqrt(x: float) -> float:
    """Return the square root."""
    return math.sqrt(x)


def sqrt_back(x: float, d: float) -> float:
    """Return ``d / (2 * sqrt(x))``."""
    return d / (2.0 * math.sqrt(x))


def abs(x: float) -> float:
    """Return ``|x|``."""
    return -x if x < 0.0 else x


def abs_back(x: float, d: float) -> float:
    """Return ``d`` times the sign of ``x``; 0.0 at 0."""
    return d if x > 0.0 else (-d if x < 0.0 else 0.0 * d)


def power(x: float, y: float) -> float:
    """Return ``x ** y``."""
    return math.pow(x, y)


def sub(x: float, y: float) -> float:
    """Return ``x - y``."""
    return x - y


def div(x: float, y: float) -> float:
    """Return ``x / y``."""
    return x / y


def map(fn: Callable[[float], float]) -> Callable[[Iterable[float]], list[float]]:
    """Return a function that applies ``fn`` to each element and gives a list."""
    return lambda ls: [fn(x) for x in ls]


def zipWith(fn: Callable[[float, float], float]) -> Callable[[Iterable[float], Iterable[float]], list[float]]:
    """Return a function that applies ``fn`` to pairs from two iterables and gives a list."""
    return lambda ls1, ls2: [fn(x, y) for x, y in zip(ls1, ls2)]


def reduce(fn: Callable[[float, float], float], start: float) -> Callable[[Iterable[float]], float]:
    """Return a left fold: ``fn(x3, fn(x2, fn(x1, start)))``."""

    def fold(ls: Iterable[float]) -> float:
        total = start
        for x in ls:
            total = fn(x, total)
        return total

    return fold


def negList(ls: Iterable[float]) -> list[float]:
    """Return the list of negated elements."""
    return map(neg)(ls)


def addLists(ls1: Iterable[float], ls2: Iterable[float]) -> list[float]:
    """Return the list of sums of corresponding elements."""
    return zipWith(add)(ls1, ls2)


def sum(ls: Iterable[float]) -> float:
    """Return the sum of the elements; 0.0 for none."""
    return reduce(add, 0.0)(ls)


def prod(ls: Iterable[float]) -> float:
    """Return the product of the elements; 1.0 for none."""
    return reduce(mul, 1.0)(ls)
