"""Functions of floats, each beside its derivative.

Every elementwise operation of a tensor is one of these functions, compiled for its backend and dtype. ``f_back(x, d)``
is the derivative of ``f`` at ``x`` times ``d``; ``f_slope(x, y)`` is the derivative of ``f`` for ``x``. The file
depends on ``math`` only. The last part is the course's small functional library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

EPS = 1e-6
SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
GELU_CUBE = 0.044715


def mul(x: float, y: float) -> float:
    """Return ``x * y``."""
    return x * y


def id(x: float) -> float:
    """Return ``x``."""
    return x


def id_back(x: float, d: float) -> float:
    """Return ``d``."""
    return d


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
    """Return the larger of the two, or nan if either is nan (as NumPy's ``maximum``)."""
    return x if (x > y) | (x != x) else y


def is_close(x: float, y: float) -> float:
    """Return 1.0 if ``|x - y| < 1e-2``, else 0.0."""
    return 1.0 if (x - y < 1e-2) and (y - x < 1e-2) else 0.0


def sigmoid(x: float) -> float:
    """Return ``1 / (1 + exp(-x))``, written so that ``exp`` never overflows."""
    e = math.exp(-abs(x))
    return (e if x < 0.0 else 1.0) / (1.0 + e)


def sigmoid_back(x: float, d: float) -> float:
    """Return ``d * sigmoid(x) * (1 - sigmoid(x))``."""
    s = sigmoid(x)
    return d * s * (1.0 - s)


def relu(x: float) -> float:
    """Return 0.0 if ``x <= 0``, else ``x``; so nan stays nan, and a diverged network shows it."""
    return 0.0 if x <= 0.0 else x


def relu_back(x: float, d: float) -> float:
    """Return 0.0 if ``x <= 0``, else ``d``: where ``x`` is nan, the derivative passes as in PyTorch."""
    return 0.0 if x <= 0.0 else d


def relu6(x: float) -> float:
    """Return ``x`` kept between 0.0 and 6.0 (Krizhevsky, 2010); nan stays nan."""
    return 0.0 if x <= 0.0 else (6.0 if x >= 6.0 else x)


def relu6_back(x: float, d: float) -> float:
    """Return ``d`` where `relu6` is neither 0.0 nor 6.0, else 0.0; ``x`` may be its argument or its result."""
    return 0.0 if (x <= 0.0) | (x >= 6.0) else d


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
    """Return ``-d / x ** 2``, written so that the square neither overflows nor becomes 0."""
    return -(d / x) / x


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


def neg_mul(x: float, y: float) -> float:
    """Return ``-(x * y)``; of the quotients ``a / b`` and ``d / b`` it is the derivative of ``a / b`` for ``b``."""
    return -(x * y)


def leaky_relu(x: float, slope: float) -> float:
    """Return ``x`` if it is positive, else ``slope * x``."""
    return x if x > 0.0 else slope * x


def leaky_relu_slope(x: float, slope: float) -> float:
    """Return the derivative of ``leaky_relu`` at ``x``: 1.0 if ``x`` is positive, else ``slope``."""
    return 1.0 if x > 0.0 else slope


def gelu(x: float) -> float:
    """Return ``x`` times the probability that a standard normal number is below ``x`` (Hendrycks and Gimpel, 2016)."""
    return 0.5 * x * (1.0 + math.erf(SQRT_HALF * x))


def gelu_back(x: float, d: float) -> float:
    """Return ``d * (P(x) + x * p(x))``, with distribution P and density p of the standard normal."""
    density = 0.5 * SQRT_2_OVER_PI * math.exp(-0.5 * x * x)
    return d * (0.5 * (1.0 + math.erf(SQRT_HALF * x)) + x * density)


def gelu_tanh(x: float) -> float:
    """Return `gelu`, approximated by a hyperbolic tangent (Hendrycks and Gimpel, 2016)."""
    return 0.5 * x * (1.0 + math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBE * x * x * x)))


def gelu_tanh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of ``gelu_tanh``."""
    t = math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBE * x * x * x))
    inner = SQRT_2_OVER_PI * (1.0 + 3.0 * GELU_CUBE * x * x)
    return d * 0.5 * (1.0 + t + x * (1.0 - t * t) * inner)


def softplus(x: float) -> float:
    """Return ``ln(1 + e ** x)``, written so that ``exp`` never overflows."""
    return relu(x) + math.log1p(math.exp(-abs(x)))


def softplus_back(x: float, d: float) -> float:
    """Return ``d * sigmoid(x)``."""
    return d * sigmoid(x)


def log_clamped(x: float) -> float:
    """Return the natural logarithm of ``x``, and -100.0 where it is below that, also at 0."""
    # In this order of operands, `max` keeps nan.
    return max(-100.0, math.log(x)) if x != 0.0 else -100.0


def bce(x: float, t: float) -> float:
    """Return the binary cross-entropy of a probability ``x`` for the target ``t``, its logarithms at least -100."""
    return -(t * log_clamped(x) + (1.0 - t) * log_clamped(1.0 - x))


def bce_slope(x: float, t: float) -> float:
    """Return the derivative of ``bce`` for ``x``; the divisor is at least 1e-12, as in PyTorch."""
    return (x - t) / max(1e-12, x * (1.0 - x))


def bce_target_slope(x: float, t: float) -> float:
    """Return the derivative of ``bce`` for ``t``."""
    return log_clamped(1.0 - x) - log_clamped(x)


def bce_logits(x: float, t: float) -> float:
    """Return the binary cross-entropy of ``sigmoid(x)`` for the target ``t``, stable for large ``x``."""
    return (1.0 - t) * x + softplus(-x)


def bce_logits_slope(x: float, t: float) -> float:
    """Return the derivative of ``bce_logits`` for ``x``."""
    return sigmoid(x) - t


def bce_logits_target_slope(x: float, t: float) -> float:
    """Return the derivative of ``bce_logits`` for ``t``."""
    return -x


def weigh(x: float, w: float) -> float:
    """Return ``x * w``, and 0.0 for a weight of 0.0 even where ``x`` is infinite or nan."""
    return x * w if w != 0.0 else 0.0


def map(fn: Callable[[float], float]) -> Callable[[Iterable[float]], list[float]]:
    """Return a function that applies ``fn`` to each element and returns a list."""
    return lambda ls: [fn(x) for x in ls]


def zipWith(fn: Callable[[float, float], float]) -> Callable[[Iterable[float], Iterable[float]], list[float]]:
    """Return a function that applies ``fn`` to pairs from two iterables and returns a list."""
    return lambda ls1, ls2: [fn(x, y) for x, y in zip(ls1, ls2)]


def reduce(fn: Callable[[float, float], float], start: float) -> Callable[[Iterable[float]], float]:
    """Return a function that reduces an iterable from the left: ``fn(x3, fn(x2, fn(x1, start)))``."""

    def reduced(ls: Iterable[float]) -> float:
        total = start
        for x in ls:
            total = fn(x, total)
        return total

    return reduced


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
