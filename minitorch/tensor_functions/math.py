"""More elementwise functions of tensors, in the manner of `elementwise`: their floats are those of `floats`.

No layer of the course needs them; `minitorch.torch` names them. Depends on `elementwise` for the two base classes.
"""

from __future__ import annotations

from typing import Any

from .. import operators
from ..autodiff import Context, Function
from . import floats
from .elementwise import Paired, Pointwise, ReLU


class Ln(Pointwise):
    """``ln(a)``: of 0 it is -inf, where `Log` adds EPS."""

    fn, back = floats.ln, floats.ln_back


class Log2(Pointwise):
    """Logarithm to base 2."""

    fn, back = floats.log2, floats.log2_back


class Log10(Pointwise):
    """Logarithm to base 10."""

    fn, back = floats.log10, floats.log10_back


class Log1p(Pointwise):
    """``ln(1 + a)``, exact for small ``a``."""

    fn, back = floats.log1p, floats.log1p_back


class Expm1(Pointwise):
    """``e ** a - 1``, exact for small ``a``."""

    fn, back = floats.expm1, floats.expm1_back


class Rsqrt(Pointwise):
    """``1 / sqrt(a)``."""

    fn, back = floats.rsqrt, floats.rsqrt_back


class Sin(Pointwise):
    """Sine."""

    fn, back = floats.sin, floats.sin_back


class Cos(Pointwise):
    """Cosine."""

    fn, back = floats.cos, floats.cos_back


class Tan(Pointwise):
    """Tangent."""

    fn, back = floats.tan, floats.tan_back


class Asin(Pointwise):
    """Arc sine."""

    fn, back = floats.asin, floats.asin_back


class Acos(Pointwise):
    """Arc cosine."""

    fn, back = floats.acos, floats.acos_back


class Atan(Pointwise):
    """Arc tangent."""

    fn, back = floats.atan, floats.atan_back


class Sinh(Pointwise):
    """Hyperbolic sine."""

    fn, back = floats.sinh, floats.sinh_back


class Cosh(Pointwise):
    """Hyperbolic cosine."""

    fn, back = floats.cosh, floats.cosh_back


class Erf(Pointwise):
    """Error function."""

    fn, back = floats.erf, floats.erf_back


class Floor(Pointwise):
    """Largest whole number that is not above; the derivative is 0."""

    fn, back = floats.floor, floats.floor_back


class Ceil(Pointwise):
    """Smallest whole number that is not below; the derivative is 0."""

    fn, back = floats.ceil, floats.ceil_back


class Round(Pointwise):
    """Nearest whole number, the even one of two; the derivative is 0."""

    fn, back = floats.round_even, floats.floor_back


class Trunc(Pointwise):
    """Whole number towards 0; the derivative is 0."""

    fn, back = floats.trunc, floats.floor_back


class Sign(Pointwise):
    """-1, 0 or 1; the derivative is 0."""

    fn, back = floats.sign, floats.sign_back


class Softplus(Pointwise):
    """``ln(1 + e ** a)``."""

    fn, back = operators.softplus, operators.softplus_back


class ReLU6(Pointwise):
    """``min(max(a, 0), 6)`` (Krizhevsky, 2010); the derivative at 0 and at 6 is 0."""

    fn, back = operators.relu6, operators.relu6_back


# The functions of the activations in `minitorch.tensor_ops.activations`.
ACTIVATED: dict[str, type[Pointwise]] = {"relu": ReLU, "relu6": ReLU6}


class Maximum(Function):
    """Larger element of each pair; nan wins. Of two equal ones, each gets half the derivative."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a.f.zip(floats.maximum)(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        return _both_slopes(floats.maximum_slope, d, *ctx.saved_values)


class Minimum(Function):
    """Smaller element of each pair; nan wins. Of two equal ones, each gets half the derivative."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a.f.zip(floats.minimum)(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        return _both_slopes(floats.minimum_slope, d, *ctx.saved_values)


def _both_slopes(slope: Any, d: Any, a: Any, b: Any) -> tuple[Any, Any]:
    f = d.f
    return f.mul_zip(d, f.zip(slope)(a, b)), f.mul_zip(d, f.zip(slope)(b, a))


class Clamp(Function):
    """``a`` kept between the settings ``low`` and ``high``; the derivative is 1 from ``low`` to ``high``, else 0."""

    @staticmethod
    def forward(ctx: Context, a: Any, low: float, high: float) -> Any:
        f, one = a.f, (1,) * a.dims
        out = f.zip(floats.maximum)(a, a.filled(low, one))
        out = f.zip(floats.minimum)(out, a.filled(high, one))
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, out = ctx.saved_values
        return d.f.mul_zip(d, d.f.eq_zip(a, out))


class Pow(Paired):
    """``a ** b`` of two tensors."""

    fn, slopes = floats.power, (floats.power_slope, floats.power_slope_y)


class Atan2(Paired):
    """Angle of the point ``(b, a)``."""

    fn, slopes = floats.atan2, (floats.atan2_slope, floats.atan2_slope_y)


class Where(Function):
    """``a`` where the constant ``condition`` (0 or 1) is 1, else ``b``; all broadcast.

    What is not chosen counts for nothing, even where it is infinite or nan.
    """

    @staticmethod
    def forward(ctx: Context, condition: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(condition)
        f = a.f
        return f.add_zip(f.zip(floats.select)(a, condition), f.zip(floats.select_other)(b, condition))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        (condition,) = ctx.saved_values
        f = d.f
        da = f.zip(floats.select)(d, condition) if ctx.needs(1) else 0.0
        return 0.0, da, f.zip(floats.select_other)(d, condition) if ctx.needs(2) else 0.0
