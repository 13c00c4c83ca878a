"""Exponential and error function of the Numba backend, written so that the compiler computes many at once.

The system's ``exp`` and ``erf`` are called for one number at a time. Here, without a call or a branch (Cody and Waite,
"Software Manual for the Elementary Functions", 1980):

    1. Range reduction.  x = k * ln 2 + r  with a whole k = round(x / ln 2) and |r| <= ln 2 / 2 = 0.347.
       Rounding is an addition: x / ln 2 + 1.5 * 2 ** digits has no bits left for a fraction. ln 2 is given as a sum
       high + low, where high has so few bits that k * high is exact: r keeps all its digits.
    2. Polynomial.  e ** r by the Taylor series to r ** 7 (float32) or r ** 13 (float64), by Horner's rule. The first
       term left out is below 0.347 ** 8 / 8! = 5e-9, or 0.347 ** 14 / 14! = 4e-18: less than a tenth of the last place.
    3. Scaling.  times 2 ** k, by adding k to the exponent's bits: in two factors, as 2 ** k alone may be out of range.

The error is below one unit in the last place over the whole range of normal results (tested), two with subnormal ones.
Infinity, nan and the smallest numbers are kept. Cost: some 12 (float32) or 18 (float64) multiply-adds for a vector of
numbers.

The error function, in float32: up to EDGE, x + x * P(x ** 2) with a polynomial P; beyond, 1 - e ** -Q(|x|) with the
sign of x, where Q is close to -ln(1 - erf) up to LAST, from where on the result is 1. P and Q were fitted at
Chebyshev's points. Both forms are computed, and one is taken. The error is below 1.5 units in the last place (tested).
Cost: some 35 multiply-adds. In float64 the system's ``erf`` is called.

`codegen` puts both in the place of ``math.exp`` and ``math.erf`` in all kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


def vector_exp(x: Any) -> Any:
    """Return ``e ** x``; compiled, by the formula above."""
    return math.exp(x)


ROUNDER = 1.5  # times 2 ** digits: the middle of the numbers that have no bits for a fraction


def _scaling() -> Any:
    @intrinsic
    def scaled(typingctx, y, rounded):  # type: ignore[no-untyped-def]
        """Return y * 2 ** k, where ``rounded`` is a whole k plus ROUNDER * 2 ** digits."""
        double = y == types.float64

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            integer, bias, digits = (ir.IntType(64), 1023, 52) if double else (ir.IntType(32), 127, 23)
            rounder = ir.Constant(args[1].type, ROUNDER * 2.0**digits)
            k = builder.sub(builder.bitcast(args[1], integer), builder.bitcast(rounder, integer))
            # Two factors: 2 ** k alone may be beyond the exponents where its product with y is not.
            half = builder.ashr(k, ir.Constant(integer, 1))
            result = args[0]
            for part in (half, builder.sub(k, half)):
                exponent = builder.add(part, ir.Constant(integer, bias))
                power = builder.shl(exponent, ir.Constant(integer, digits))
                result = builder.fmul(result, builder.bitcast(power, args[0].type))
            return result

        return y(y, rounded), codegen

    return scaled


_scaled = _scaling()


def _exponential(
    real: Any, digits: int, terms: int, ln2_high: float, ln2_low: float, overflow: float, underflow: float
) -> Any:
    """Return the exponential of one type.

    Args:
        real: The scalar type.
        digits: Bits of its fraction.
        terms: The highest power of the polynomial.
        ln2_high: The upper part of ln 2, with trailing zeros.
        ln2_low: ln 2 minus this.
        overflow: A number whose exponential is infinity.
        underflow: A number whose exponential is 0.
    """
    per_ln2, rounder, high, low = (
        real(1 / math.log(2)),
        real(ROUNDER * 2.0**digits),
        real(ln2_high),
        real(ln2_low),
    )
    least, most = real(underflow), real(overflow)
    coefficients = tuple(real(1 / math.factorial(n)) for n in range(terms, -1, -1))

    def exponential(x):  # type: ignore[no-untyped-def]
        # Comparisons in this order leave nan as it is.
        x = most if x > most else x
        x = least if x < least else x
        rounded = x * per_ln2 + rounder
        k = rounded - rounder
        r = (x - k * high) - k * low
        y = coefficients[0]
        for n in range(1, terms + 1):
            y = y * r + coefficients[n]
        return _scaled(y, rounded)

    return exponential


_single = _exponential(np.float32, 23, 7, 0.693359375, -2.12194440e-4, 89.0, -104.0)
_double = _exponential(np.float64, 52, 13, 6.93145751953125e-1, 1.42860682030941723212e-6, 710.0, -746.0)


@overload(vector_exp, jit_options={"fastmath": {"contract"}})
def _typed(x):  # type: ignore[no-untyped-def]
    return _single if x == types.float32 else _double


def vector_erf(x: Any) -> Any:
    """Return the error function; compiled, by the formula above."""
    return math.erf(x)


EDGE, LAST, ZERO, ONE = map(np.float32, (1.0, 4.0, 0.0, 1.0))
_small = (-9.673591e-06, 1.1268254e-04, -8.4843964e-04, 5.2210535e-03, -2.6865438e-02, 1.1283783e-01, -3.7612638e-01,
          1.2837917e-01)  # fmt: skip
_large = (
    -1.8654639e-04,
    2.9488958e-03,
    -2.1841515e-02,
    1.03111066e-01,
    6.3814294e-01,
    1.1270887e00,
    3.420217e-04,
)
SMALL, LARGE = (tuple(map(np.float32, numbers)) for numbers in (_small, _large))


def _single_erf(x):  # type: ignore[no-untyped-def]
    size, square = abs(x), x * x
    p, limited = SMALL[0], LAST if size > LAST else size
    for n in range(1, len(SMALL)):
        p = p * square + SMALL[n]
    q = LARGE[0]
    for n in range(1, len(LARGE)):
        q = q * limited + LARGE[n]
    tail = ONE - vector_exp(-q)
    tail = -tail if x < ZERO else tail
    return tail if size > EDGE else x + x * p


def _double_erf(x):  # type: ignore[no-untyped-def]
    return math.erf(x)


@overload(vector_erf, jit_options={"fastmath": {"contract"}, "forceinline": True})
def _typed_erf(x):  # type: ignore[no-untyped-def]
    return _single_erf if x == types.float32 else _double_erf
