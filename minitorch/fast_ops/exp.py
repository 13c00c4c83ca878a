"""The exponential of the Numba backend, written so that the compiler computes many at once.

The system's ``exp`` is called for one number at a time. Here ``e ** x`` is ``2 ** k * e ** r`` with a whole ``k`` and a
small ``r`` (Cody and Waite, 1980), ``e ** r`` its Taylor polynomial: no call, no branch. It is within two units in the
last place, and keeps infinity, nan and the smallest numbers. `minitorch.jit` puts it in the place of ``math.exp``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


def vector_exp(x: float) -> float:
    """Return ``e ** x``; compiled, by the formula above."""
    return math.exp(x)


WHOLE = 1.5  # times 2 ** digits: the middle of the numbers that have no digits for a fraction


def _scaling() -> Any:
    @intrinsic
    def scaled(typingctx, y, t):  # type: ignore[no-untyped-def]
        """Scale y by 2 ** k, where t is a whole k plus a number so large that all of its size are whole."""
        double = y == types.float64

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            whole, bias, digits = (ir.IntType(64), 1023, 52) if double else (ir.IntType(32), 127, 23)
            wholes = ir.Constant(args[1].type, WHOLE * 2.0**digits)
            k = builder.sub(builder.bitcast(args[1], whole), builder.bitcast(wholes, whole))
            # Two factors: 2 ** k alone may be beyond the exponents where its product with y is not.
            near = builder.ashr(k, ir.Constant(whole, 1))
            result = args[0]
            for part in (near, builder.sub(k, near)):
                power = builder.shl(builder.add(part, ir.Constant(whole, bias)), ir.Constant(whole, digits))
                result = builder.fmul(result, builder.bitcast(power, args[0].type))
            return result

        return y(y, t), codegen

    return scaled


_scaled = _scaling()


def _exponential(
    real: Any, digits: int, terms: int, high: float, low: float, top: float, least: float
) -> Any:
    """Return the function for one type: ln 2 is ``high + low``; at ``top`` and ``least`` it is inf and 0 already."""
    per_two, wholes, upper, lower = real(1 / math.log(2)), real(WHOLE * 2.0**digits), real(high), real(low)
    first, last = real(least), real(top)
    weights = tuple(real(1 / math.factorial(n)) for n in range(terms, -1, -1))

    def exponential(x):  # type: ignore[no-untyped-def]
        # Written so that nan stays.
        x = last if x > last else x
        x = first if x < first else x
        t = x * per_two + wholes  # rounds
        k = t - wholes
        r = (x - k * upper) - k * lower
        y = weights[0]
        for n in range(1, terms + 1):
            y = y * r + weights[n]
        return _scaled(y, t)

    return exponential


_single = _exponential(np.float32, 23, 7, 0.693359375, -2.12194440e-4, 89.0, -104.0)
_double = _exponential(np.float64, 52, 13, 6.93145751953125e-1, 1.42860682030941723212e-6, 710.0, -746.0)


@overload(vector_exp, jit_options={"fastmath": {"contract"}})
def _typed(x):  # type: ignore[no-untyped-def]
    return _single if x == types.float32 else _double
