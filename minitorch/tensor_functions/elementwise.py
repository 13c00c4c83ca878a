"""Elementwise functions of tensors, each with its derivative.

``forward`` and ``backward`` compute on TensorData through its backend ``a.f``. Operands broadcast; `unbroadcast` sums a
derivative back to the shape of its operand. The float functions and their derivatives are those of
`minitorch.operators`, so a new elementwise function is one class of one line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .. import operators
from ..autodiff import Context, Function


class Pointwise(Function):
    """A function of one element: ``fn(x)``, and ``back(x, d)``, its derivative times ``d``."""

    fn: ClassVar[Callable[[float], float]]
    back: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a.f.map(cls.fn)(a)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> Any:
        (a,) = ctx.saved_values
        return a.f.zip(cls.back)(a, d)


class Inv(Pointwise):
    """``1 / a``."""

    fn, back = operators.inv, operators.inv_back


class Sigmoid(Pointwise):
    """``1 / (1 + e ** -a)``."""

    fn, back = operators.sigmoid, operators.sigmoid_back


class ReLU(Pointwise):
    """``max(a, 0)``; the derivative at 0 is 0."""

    fn, back = operators.relu, operators.relu_back


class Log(Pointwise):
    """``ln(a + EPS)``, with ``operators.EPS`` = 1e-6."""

    fn, back = operators.log, operators.log_back


class Exp(Pointwise):
    """``e ** a``."""

    fn, back = operators.exp, operators.exp_back


class Tanh(Pointwise):
    """Hyperbolic tangent."""

    fn, back = operators.tanh, operators.tanh_back


class Sqrt(Pointwise):
    """Square root."""

    fn, back = operators.sqrt, operators.sqrt_back


class Abs(Pointwise):
    """``|a|``; the derivative at 0 is 0."""

    fn, back = operators.abs, operators.abs_back


class GELUFun(Pointwise):
    """``a`` times the standard normal distribution function at ``a`` (Hendrycks and Gimpel, 2016)."""

    fn, back = operators.gelu, operators.gelu_back


class GELUTanhFun(Pointwise):
    """`GELUFun`, approximated by a hyperbolic tangent."""

    fn, back = operators.gelu_tanh, operators.gelu_tanh_back


class Neg(Function):
    """``-a``."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        return a.f.neg_map(a)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return d.f.neg_map(d)


class Add(Function):
    """``a + b``."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        return a.f.add_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        return d, d


class Sub(Function):
    """``a - b``."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        return a.f.sub_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        return d, d.f.neg_map(d) if ctx.needs(1) else 0.0


def save_factors(ctx: Context, a: Any, b: Any) -> None:
    """Save of two factors those that the derivative of the other needs; what is not saved may change in place."""
    ctx.save_for_backward(a if ctx.needs(1) else None, b if ctx.needs(0) else None)


class Mul(Function):
    """``a * b``."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        save_factors(ctx, a, b)
        return a.f.mul_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        a, b = ctx.saved_values
        f = d.f
        return 0.0 if b is None else f.mul_zip(d, b), 0.0 if a is None else f.mul_zip(d, a)


class Div(Function):
    """``a / b``; the derivative for ``b`` is ``-a / b ** 2``.

    It is computed as ``-(a / b) * (d / b)``: the square of ``b`` overflows, or becomes 0, long before the result does.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a if ctx.needs(1) else None, b)
        return a.f.div_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        a, b = ctx.saved_values
        f = d.f
        da = f.div_zip(d, b)
        return da, 0.0 if a is None else f.zip(operators.neg_mul)(f.div_zip(a, b), da)


class Power(Function):
    """``a ** exponent``, for a plain number as setting ``exponent``."""

    @staticmethod
    def forward(ctx: Context, a: Any, exponent: float) -> Any:
        ctx.save_for_backward(a, exponent)
        return a.f.zip(operators.power)(a, a.filled(exponent, (1,) * a.dims))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, exponent = ctx.saved_values
        if exponent == 0:
            return 0.0
        slope = a.f.zip(operators.power)(a, a.filled(exponent - 1, (1,) * a.dims))
        return d.f.mul_zip(d, slope) * exponent


class LeakyReLUFun(Function):
    """``a`` where it is positive, else ``negative_slope * a``; the derivative at 0 is ``negative_slope``."""

    @staticmethod
    def forward(ctx: Context, a: Any, negative_slope: float = 0.01) -> Any:
        slope = a.filled(negative_slope, (1,) * a.dims)
        ctx.save_for_backward(a, slope)
        return a.f.zip(operators.leaky_relu)(a, slope)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, slope = ctx.saved_values
        return d.f.mul_zip(d, a.f.zip(operators.leaky_relu_slope)(a, slope))


class _Comparison(Function):
    """1.0 or 0.0 for each pair of elements. The result is piecewise constant: its derivatives are 0."""

    fn: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any, b: Any) -> Any:
        return a.f.zip(cls.fn)(a, b)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        return 0.0, 0.0


class LT(_Comparison):
    """1.0 where ``a < b``, else 0.0."""

    fn = operators.lt


class EQ(_Comparison):
    """1.0 where ``a == b``, else 0.0."""

    fn = operators.eq


class IsClose(_Comparison):
    """1.0 where ``|a - b| < 1e-2``, else 0.0; ``backward`` raises RuntimeError."""

    fn = operators.is_close

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        raise RuntimeError("IsClose: cannot backpropagate through a test of closeness, it has no derivative")


class Paired(Function):
    """A function of two elements: ``fn(x, y)``, and ``slopes``, its derivatives for ``x`` and for ``y``."""

    fn: ClassVar[Callable[[float, float], float]]
    slopes: ClassVar[tuple[Callable[[float, float], float], Callable[[float, float], float]]]

    @classmethod
    def forward(cls, ctx: Context, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a.f.zip(cls.fn)(a, b)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, ...]:
        a, b = ctx.saved_values
        f = d.f
        return tuple(
            f.mul_zip(d, f.zip(slope)(a, b)) if ctx.needs(k) else 0.0 for k, slope in enumerate(cls.slopes)
        )


class BCE(Paired):
    """Elementwise binary cross-entropy of probabilities ``a`` for targets ``b``, its logarithms at least -100."""

    fn, slopes = operators.bce, (operators.bce_slope, operators.bce_target_slope)


class BCEWithLogits(Paired):
    """Elementwise binary cross-entropy of ``sigmoid(a)`` for targets ``b``."""

    fn, slopes = operators.bce_logits, (operators.bce_logits_slope, operators.bce_logits_target_slope)


class Weigh(Function):
    """``a * weight``, where a weight of 0 hides the element and its derivative, even an infinite one.

    Cross-entropy picks the class of each row with it.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, weight: Any) -> Any:
        save_factors(ctx, a, weight)
        return a.f.zip(operators.weigh)(a, weight)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        a, weight = ctx.saved_values
        f = d.f
        da = f.zip(operators.weigh)(d, weight) if ctx.needs(0) else 0.0
        return da, f.mul_zip(d, a) if ctx.needs(1) else 0.0
