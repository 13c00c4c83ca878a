"""Functions of floats for `math`, each beside its derivative, in the manner of `minitorch.operators`.

``f_back(x, d)`` is the derivative of ``f`` at ``x`` times ``d``; ``f_slope(x, y)`` is the derivative of ``f`` for
``x``, ``f_slope_y(x, y)`` that for ``y``. A function calls functions of this file only: the reference backend replaces
``math`` by NumPy in them. The file depends on ``math`` only.
"""

from __future__ import annotations

import math

LN_2 = math.log(2.0)
LN_10 = math.log(10.0)
WHOLE = 2.0**52  # floats beyond are whole numbers
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


def ln(x: float) -> float:
    """Return the natural logarithm."""
    return math.log(x)


def ln_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `ln`."""
    return d / x


def log2(x: float) -> float:
    """Return the logarithm to base 2."""
    return math.log(x) / LN_2


def log2_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `log2`."""
    return d / (x * LN_2)


def log10(x: float) -> float:
    """Return the logarithm to base 10."""
    return math.log(x) / LN_10


def log10_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `log10`."""
    return d / (x * LN_10)


def log1p(x: float) -> float:
    """Return the natural logarithm of ``1 + x``, exact for small ``x``."""
    return math.log1p(x)


def log1p_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `log1p`."""
    return d / (1.0 + x)


def expm1(x: float) -> float:
    """Return ``e ** x - 1``, exact for small ``x``."""
    return math.expm1(x)


def expm1_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `expm1`."""
    return d * math.exp(x)


def rsqrt(x: float) -> float:
    """Return ``1 / sqrt(x)``."""
    return 1.0 / math.sqrt(x)


def rsqrt_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `rsqrt`."""
    return -0.5 * d / (x * math.sqrt(x))


def sin(x: float) -> float:
    """Return the sine."""
    return math.sin(x)


def sin_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `sin`."""
    return d * math.cos(x)


def cos(x: float) -> float:
    """Return the cosine."""
    return math.cos(x)


def cos_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `cos`."""
    return -d * math.sin(x)


def tan(x: float) -> float:
    """Return the tangent."""
    return math.tan(x)


def tan_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `tan`."""
    return d / (math.cos(x) * math.cos(x))


def asin(x: float) -> float:
    """Return the arc sine."""
    return math.asin(x)


def asin_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `asin`."""
    return d / math.sqrt(1.0 - x * x)


def acos(x: float) -> float:
    """Return the arc cosine."""
    return math.acos(x)


def acos_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `acos`."""
    return -d / math.sqrt(1.0 - x * x)


def atan(x: float) -> float:
    """Return the arc tangent."""
    return math.atan(x)


def atan_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `atan`."""
    return d / (1.0 + x * x)


def sinh(x: float) -> float:
    """Return the hyperbolic sine."""
    return math.sinh(x)


def sinh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `sinh`."""
    return d * math.cosh(x)


def cosh(x: float) -> float:
    """Return the hyperbolic cosine."""
    return math.cosh(x)


def cosh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `cosh`."""
    return d * math.sinh(x)


def erf(x: float) -> float:
    """Return the error function."""
    return math.erf(x)


def erf_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `erf`."""
    return d * TWO_OVER_SQRT_PI * math.exp(-x * x)


def floor(x: float) -> float:
    """Return the largest whole number that is not above ``x``."""
    return math.floor(x) * 1.0 if -WHOLE < x < WHOLE else x


def floor_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `floor`: 0.0."""
    return 0.0 * d


def ceil(x: float) -> float:
    """Return the smallest whole number that is not below ``x``."""
    return math.ceil(x) * 1.0 if -WHOLE < x < WHOLE else x


def ceil_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `ceil`: 0.0."""
    return 0.0 * d


def round_even(x: float) -> float:
    """Return the nearest whole number; from the middle between two, the even one."""
    low = floor(x)
    middle = 2.0 * floor(low / 2.0) if low - 2.0 * floor(low / 2.0) == 0.0 else low + 1.0
    return low if x - low < 0.5 else (low + 1.0 if x - low > 0.5 else (middle if x - low == 0.5 else x))


def trunc(x: float) -> float:
    """Return the whole number next to ``x`` towards 0."""
    return floor(x) if x > 0.0 else ceil(x)


def sign(x: float) -> float:
    """Return -1.0, 0.0 or 1.0, as ``x`` is negative, 0 or positive."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)


def sign_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `sign`: 0.0."""
    return 0.0 * d


def maximum(x: float, y: float) -> float:
    """Return the larger of the two, or nan if either is nan."""
    return x if (x > y) | (x != x) else y


def maximum_slope(x: float, y: float) -> float:
    """Return the derivative of `maximum` for ``x``: 1.0 where it is larger, 0.5 where both are equal, else 0.0."""
    return 1.0 if x > y else (0.5 if x == y else 0.0)


def minimum(x: float, y: float) -> float:
    """Return the smaller of the two, or nan if either is nan."""
    return x if (x < y) | (x != x) else y


def minimum_slope(x: float, y: float) -> float:
    """Return the derivative of `minimum` for ``x``: 1.0 where it is smaller, 0.5 where both are equal, else 0.0."""
    return 1.0 if x < y else (0.5 if x == y else 0.0)


def power(x: float, y: float) -> float:
    """Return ``x ** y``."""
    return math.pow(x, y)


def power_slope(x: float, y: float) -> float:
    """Return the derivative of `power` for ``x``: ``y * x ** (y - 1)``, and 0.0 where ``y`` is 0."""
    return y * math.pow(x, y - 1.0) if y != 0.0 else 0.0


def power_slope_y(x: float, y: float) -> float:
    """Return the derivative of `power` for ``y``: ``x ** y * ln(x)``, and 0.0 where ``x`` is 0 and ``y >= 0``."""
    return math.pow(x, y) * math.log(x) if x != 0.0 or y < 0.0 else 0.0


def atan2(y: float, x: float) -> float:
    """Return the angle of the point ``(x, y)``, in radians."""
    return math.atan2(y, x)


def atan2_slope(y: float, x: float) -> float:
    """Return the derivative of `atan2` for ``y``."""
    return x / (x * x + y * y)


def atan2_slope_y(y: float, x: float) -> float:
    """Return the derivative of `atan2` for ``x``."""
    return -y / (x * x + y * y)


def select(x: float, chosen: float) -> float:
    """Return ``x`` where ``chosen`` is not 0.0, else 0.0: also an infinite ``x`` is hidden."""
    return x if chosen != 0.0 else 0.0


def select_other(x: float, chosen: float) -> float:
    """Return ``x`` where ``chosen`` is 0.0, else 0.0."""
    return x if chosen == 0.0 else 0.0
