"""The exponential of the Numba room, written so that the compiler computes many at once.

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


def _raised() -> Any:
    @intrinsic
    def power_of_two(typingctx, k):  # type: ignore[no-untyped-def]
        """2 ** k for a whole number k that is not beyond the exponents of its type."""
        double = k == types.float64

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            whole, bias, digits = (ir.IntType(64), 1023, 52) if double else (ir.IntType(32), 127, 23)
            n = builder.add(builder.fptosi(args[0], whole), ir.Constant(whole, bias))
            return builder.bitcast(builder.shl(n, ir.Constant(whole, digits)), args[0].type)

        return k(k), codegen

    return power_of_two


_power_of_two = _raised()


def _exponential(real: Any, terms: int, high: float, low: float, largest: float, least: float) -> Any:
    """Return the function for one type: ln 2 is ``high + low``, and beyond ``largest`` and ``least`` are inf and 0."""
    per_two, half, zero, infinite = real(1 / math.log(2)), real(0.5), real(0), real(np.inf)
    upper, lower, top, bottom = real(high), real(low), real(largest), real(least)
    weights = tuple(real(1 / math.factorial(n)) for n in range(terms, -1, -1))

    def exponential(x):  # type: ignore[no-untyped-def]
        inside = (x <= top) & (x >= bottom)
        k = np.floor(x * per_two + half) if inside else zero
        r = (x - k * upper) - k * lower
        y = weights[0]
        for n in range(1, terms + 1):
            y = y * r + weights[n]
        # Two factors: 2 ** k alone may be beyond the exponents where its product with y is not.
        near = np.floor(k * half)
        y = y * _power_of_two(near) * _power_of_two(k - near)
        return infinite if x > top else (zero if x < bottom else y)

    return exponential


_single = _exponential(np.float32, 7, 0.693359375, -2.12194440e-4, 88.8, -104.0)
_double = _exponential(np.float64, 13, 6.93145751953125e-1, 1.42860682030941723212e-6, 709.8, -745.2)


@overload(vector_exp, jit_options={"fastmath": {"contract"}})
def _typed(x):  # type: ignore[no-untyped-def]
    return _single if x == types.float32 else _double
