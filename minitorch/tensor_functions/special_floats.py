"""Functions of floats for `special`, each beside its derivative, in the manner of `floats`.

Formulas are those of the Digital Library of Mathematical Functions (dlmf.nist.gov). A function calls functions of this
file only. The file depends on ``math`` only.
"""

from __future__ import annotations

import math

TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
HALF_SQRT_PI = math.sqrt(math.pi) / 2.0


def asinh(x: float) -> float:
    """Return the inverse hyperbolic sine."""
    return math.asinh(x)


def asinh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `asinh`."""
    return d / math.sqrt(x * x + 1.0)


def acosh(x: float) -> float:
    """Return the inverse hyperbolic cosine, exact near 1; nan below 1."""
    t = x - 1.0
    return math.log1p(t + math.sqrt(2.0 * t + t * t)) if t >= 0.0 else math.nan


def acosh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `acosh`."""
    return d / math.sqrt(x * x - 1.0) if x >= 1.0 else math.nan


def atanh(x: float) -> float:
    """Return the inverse hyperbolic tangent; infinite at -1 and 1, nan beyond."""
    if x * x >= 1.0:
        return x * math.inf if x * x == 1.0 else math.nan
    return 0.5 * math.log1p(2.0 * x / (1.0 - x))


def atanh_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `atanh`."""
    return d / (1.0 - x * x)


def erfc(x: float) -> float:
    """Return 1 minus the error function, exact for large ``x``."""
    return math.erfc(x)


def erfc_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `erfc`."""
    return -d * TWO_OVER_SQRT_PI * math.exp(-x * x)


def erfinv(x: float) -> float:
    """Return the inverse of the error function: infinite at -1 and 1, nan beyond.

    Winitzki's approximation ("A handy approximation for the error function and its inverse", 2008) is corrected by
    Halley's rule three times; near 1 with `erfc`, which does not lose digits there.
    """
    size = math.fabs(x)
    if size >= 1.0 or x == 0.0 or x != x:
        return x * math.inf if size == 1.0 else (x if size == 0.0 else math.nan)
    w = math.log1p(-size * size)
    t = 2.0 / (math.pi * 0.147) + 0.5 * w
    y = math.sqrt(math.sqrt(t * t - w / 0.147) - t)
    for _ in range(3):
        miss = math.erf(y) - size if size < 0.5 else (1.0 - size) - math.erfc(y)
        y -= miss / (TWO_OVER_SQRT_PI * math.exp(-y * y) + y * miss)
    return y if x > 0.0 else -y


def erfinv_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `erfinv`."""
    y = erfinv(x)
    return d * HALF_SQRT_PI * math.exp(y * y)


def lgamma(x: float) -> float:
    """Return the logarithm of the magnitude of the gamma function; infinite at 0, -1, -2, ..."""
    if x <= 0.0 and x == math.floor(x):
        return math.inf
    return math.lgamma(x)


def lgamma_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `lgamma`."""
    return d * digamma(x)


def digamma(x: float) -> float:
    """Return the derivative of `lgamma`: -inf at 0, nan at -1, -2, ... (DLMF 5.5.2, 5.5.4, 5.11.2)."""
    if x <= 0.0 and x == math.floor(x):
        return -math.inf if x == 0.0 else math.nan
    z = x if x > 0.0 else 1.0 - x
    total = 0.0
    for _ in range(10):
        total -= 1.0 / z
        z += 1.0
    r = 1.0 / (z * z)
    total += math.log(z) - 0.5 / z
    total -= r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r / 132.0))))
    return total if x > 0.0 else total - math.pi / math.tan(math.pi * (x - math.floor(x)))


def digamma_back(x: float, d: float) -> float:
    """Return ``d`` times the derivative of `digamma`."""
    return d * hurwitz_zeta(2.0, x)


def hurwitz_zeta(s: float, x: float) -> float:
    """Return the sum of ``(x + k) ** -s`` over k = 0, 1, 2, ... for ``s > 1`` (DLMF 25.11.5).

    Terms below 10 are added one by one; for the rest stands the formula of Euler and Maclaurin.
    """
    if x <= 0.0 and x == math.floor(x):
        return math.inf
    total, z = 0.0 * x, x
    while z < 10.0:
        total += math.pow(z, -s)
        z += 1.0
    last = math.pow(z, -s)
    r = 1.0 / (z * z)
    total += z * last / (s - 1.0) + 0.5 * last
    term = s * last / z
    total += term / 12.0
    term *= (s + 1.0) * (s + 2.0) * r
    total -= term / 720.0
    term *= (s + 3.0) * (s + 4.0) * r
    total += term / 30240.0
    term *= (s + 5.0) * (s + 6.0) * r
    return total - term / 1209600.0


def polygamma(x: float, n: float) -> float:
    """Return the derivative number ``n`` (1 or more) of `digamma` (DLMF 5.15.1)."""
    sign = 1.0 if n - 2.0 * math.floor(0.5 * n) == 1.0 else -1.0
    return sign * math.exp(math.lgamma(n + 1.0)) * hurwitz_zeta(n + 1.0, x)


def polygamma_slope(x: float, n: float) -> float:
    """Return the derivative of `polygamma` for ``x``."""
    return polygamma(x, n + 1.0)


def copysign(x: float, y: float) -> float:
    """Return the magnitude of ``x`` with the sign of ``y``."""
    return math.copysign(x, y)


def copysign_slope(x: float, y: float) -> float:
    """Return the derivative of `copysign` for ``x``: 0 at 0."""
    return math.copysign(1.0, x) * math.copysign(1.0, y) if x != 0.0 else 0.0


def no_slope(x: float, y: float) -> float:
    """Return 0.0: the derivative for an operand that does not count."""
    return 0.0
