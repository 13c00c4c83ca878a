"""Functions of one or two elements that scripts use less often."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor_functions import special as core
from .. import return_types
from ..comparison import eq, gt, isnan, logical_and
from ..dtypes import float64, get_default_dtype, not_implemented
from ..elementwise import abs as _abs
from ..elementwise import (
    add,
    apply,
    cast,
    clamp,
    common_device,
    div,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    result_type,
    sign,
    sin,
    sqrt,
    square,
    sub,
    unary,
    where,
)
from ..tensor import Tensor, from_array, is_float, to_array

asinh, acosh, atanh = unary("asinh", core.Asinh), unary("acosh", core.Acosh), unary("atanh", core.Atanh)
arcsinh, arccosh, arctanh = asinh, acosh, atanh
erfc, erfinv = unary("erfc", core.Erfc), unary("erfinv", core.Erfinv)
lgamma, digamma = unary("lgamma", core.Lgamma), unary("digamma", core.Digamma)


def polygamma(n: int, input: Tensor) -> Tensor:
    """Return the derivative number ``n`` of `digamma`.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma(input)
    x = input if is_float(input) else cast(input, get_default_dtype())
    return apply("polygamma", core.Polygamma, np.asarray, x, float(n), op="Polygamma")


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension ``p``."""
    out = lgamma(input)
    for j in range(1, p):
        out = add(out, lgamma(sub(input, 0.5 * j)))
    return add(out, 0.25 * p * (p - 1) * math.log(math.pi))


def exp2(input: Tensor) -> Tensor:
    """Return ``2 ** input``."""
    return pow(2.0, input)


def deg2rad(input: Tensor) -> Tensor:
    """Convert degrees to radians."""
    return mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Convert radians to degrees."""
    return mul(input, 180 / math.pi)


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """Return ``sqrt(input ** 2 + other ** 2)``."""
    return sqrt(add(square(input), square(other)))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """Return ``log(x / (1 - x))``; ``eps`` keeps ``x`` in [eps, 1 - eps]."""
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return log(div(x, sub(1.0, x)))


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """Return ``log(exp(input) + exp(other))``."""
    same = eq(input, other)  # also for two infinite ones, whose difference is nan
    apart = where(same, 0.0, sub(input, other))
    return add(maximum(input, other), log1p(exp(neg(_abs(apart)))))


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """Return ``log2(2 ** input + 2 ** other)``."""
    scale = math.log(2.0)
    return div(logaddexp(mul(input, scale), mul(other, scale)), scale)


def xlogy(input: Any, other: Any) -> Tensor:
    """Return ``input * log(other)``, and 0 where ``input`` is 0; nan where ``other`` is nan."""
    nothing = eq(input, 0) if isinstance(input, Tensor) else from_array(np.asarray(input == 0))
    if isinstance(other, Tensor):
        nothing = logical_and(nothing, ~isnan(other))
    return where(nothing, 0.0, mul(input, log(where(nothing, 1.0, other))))


def sinc(input: Tensor) -> Tensor:
    """Return ``sin(pi x) / (pi x)``, and 1 at 0."""
    x = mul(input, math.pi)
    zero = eq(input, 0)
    return where(zero, 1.0, div(sin(x), where(zero, 1.0, x)))


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """Return 0 below 0, 1 above, ``values`` at 0, and nan for nan."""
    if input.dtype is not values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    step = cast(gt(input, 0), input.dtype)
    if input.is_floating_point():
        step = where(isnan(input), math.nan, step)
    return where(eq(input, 0), values, step)


def copysign(input: Tensor, other: Any) -> Tensor:
    """Return the magnitudes of ``input`` with the signs of ``other``."""
    return apply("copysign", core.Copysign, np.copysign, input, other, floats_only=True, op="Copysign")


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """Return the larger of each two elements; a number wins over nan."""
    return where(isnan(input), other, where(isnan(other), input, maximum(input, other)))


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of each two elements; a number wins over nan."""
    return where(isnan(input), other, where(isnan(other), input, minimum(input, other)))


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """Return ``input * 2 ** other``."""
    return mul(input, pow(2.0, other))


def float_power(input: Any, exponent: Any) -> Tensor:
    """Return ``input ** exponent`` in float64."""
    a, b = (cast(x, float64) if isinstance(x, Tensor) else x for x in (input, exponent))
    return pow(a, b)


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Return numbers in place of nan and infinity: by default 0, the largest number and the smallest."""
    if not is_float(input):
        return input.clone()
    info = np.finfo(input.dtype.numpy)
    high = float(info.max) if posinf is None else posinf
    low = float(info.min) if neginf is None else neginf
    x = where(isnan(input), 0.0 if nan is None else nan, input)
    return where(eq(input, math.inf), high, where(eq(input, -math.inf), low, x))


def sgn(input: Tensor) -> Tensor:
    """Return -1, 0 or 1 for each element."""
    return sign(input)


def angle(input: Tensor) -> Tensor:
    """Return the angles of real numbers: pi below 0, else 0; nan for nan."""
    x = input if is_float(input) else cast(input, get_default_dtype())
    return where(isnan(x), x, where(x < 0, math.pi, mul(0.0, x.sign())))


def isposinf(input: Tensor) -> Tensor:
    """Tell where elements are positive infinity."""
    return eq(input, math.inf)


def isneginf(input: Tensor) -> Tensor:
    """Tell where elements are negative infinity."""
    return eq(input, -math.inf)


def isreal(input: Tensor) -> Tensor:
    """Return True for each element: numbers are real here."""
    return from_array(np.ones(tuple(input.shape), bool), input.device)


# By NumPy, without a derivative.


def _constants(name: str, fn: Callable[..., Any], kinds: str, words: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        d = result_type(input, other)
        if d.numpy.kind not in kinds:
            raise not_implemented(name, d)
        a, b = (np.asarray(to_array(x), d.numpy) for x in (input, other))
        return from_array(fn(a, b), common_device(name, input, other))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Combine {words} by NumPy's ``{name}``, without a derivative."
    return function


gcd, lcm = _constants("gcd", np.gcd, "iu", "integers"), _constants("lcm", np.lcm, "iu", "integers")
nextafter = _constants("nextafter", np.nextafter, "f", "fractions")


def frexp(input: Tensor) -> Any:
    """Return the mantissa, in [0.5, 1), and the exponent of two."""
    if not is_float(input):
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = np.frexp(to_array(input))
    return return_types.frexp(
        from_array(mantissa, input.device), from_array(exponent.astype(np.int32), input.device)
    )


def i0(input: Tensor) -> Tensor:
    """Return the modified Bessel function of order 0, without a derivative.

    Raises:
        NotImplementedError: A gradient is wanted.
    """
    if input.requires_grad:
        raise NotImplementedError("i0: minitorch has no derivative of it; use detach(), or real PyTorch")
    d = input.dtype if is_float(input) else get_default_dtype()
    return from_array(np.i0(to_array(input).astype(np.float64)).reshape(tuple(input.shape)), input.device, d)
