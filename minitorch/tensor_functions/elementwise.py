"""Every function of tensors, forward and backward side by side.

``forward`` and ``backward`` compute on TensorData through the door of its backend (``a.f``). This file refuses to know
Tensor and the backends. A new pointwise function is one class of two float functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .. import operators
from ..autodiff import Context, Function


class Pointwise(Function):
    """A function of single elements: ``fn(x)``, and ``back(x, d)``, its derivative times ``d``."""

    fn: ClassVar[Callable[[float], float]]
    back: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any) -> Any:
        """Apply ``fn`` to each element."""
        ctx.save_for_backward(a)
        return a.f.map(cls.fn)(a)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> Any:
        """Apply ``back`` to each element and its derivative."""
        (a,) = ctx.saved_values
        return a.f.zip(cls.back)(a, d)


class Inv(Pointwise):
    """``1 / a``."""

    fn, back = operators.inv, operators.inv_back


class Sigmoid(Pointwise):
    """``1 / (1 + e ** -a)``."""

    fn, back = operators.sigmoid, operators.sigmoid_back


class ReLU(Pointwise):
    """``max(a, 0)``."""

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


class Neg(Function):
    """``-a``."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        """Return ``-a``."""
        return a.f.neg_map(a)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``-d``."""
        return d.f.neg_map(d)


class Add(Function):
    """``a + b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a + b``."""
        return a.f.add_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Pass ``d`` to both."""
        return d, d


class Sub(Function):
    """``a - b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a - b``."""
        return a.f.sub_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d`` and ``-d``."""
        return d, d.f.neg_map(d) if ctx.needs(1) else 0.0


class Mul(Function):
    """``a * b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a * b``."""
        ctx.save_for_backward(a, b)
        return a.f.mul_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d * b`` and ``d * a``."""
        a, b = ctx.saved_values
        f = d.f
        return f.mul_zip(d, b) if ctx.needs(0) else 0.0, f.mul_zip(d, a) if ctx.needs(1) else 0.0


class Div(Function):
    """``a / b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a / b``."""
        ctx.save_for_backward(a, b)
        return a.f.div_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d / b`` and ``-d * a / b ** 2``."""
        a, b = ctx.saved_values
        f = d.f
        da = f.div_zip(d, b) if ctx.needs(0) else 0.0
        return da, f.mul_zip(a, f.zip(operators.inv_back)(b, d)) if ctx.needs(1) else 0.0


class Power(Function):
    """``a ** exponent`` for a plain number."""

    @staticmethod
    def forward(ctx: Context, a: Any, exponent: float) -> Any:
        """Return ``a ** exponent``."""
        ctx.save_for_backward(a, exponent)
        return a.f.zip(operators.power)(a, a.filled(exponent, (1,) * a.dims))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d * exponent * a ** (exponent - 1)``."""
        a, exponent = ctx.saved_values
        if exponent == 0:
            return 0.0
        slope = a.f.zip(operators.power)(a, a.filled(exponent - 1, (1,) * a.dims))
        return d.f.mul_zip(d, slope) * exponent


class _Comparison(Function):
    fn: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any, b: Any) -> Any:
        """Compare element by element: 1.0 or 0.0."""
        return a.f.zip(cls.fn)(a, b)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        """Comparisons are flat: their derivatives are 0."""
        return 0.0, 0.0


class LT(_Comparison):
    """1.0 where ``a < b``, else 0.0."""

    fn = operators.lt


class EQ(_Comparison):
    """1.0 where ``a == b``, else 0.0."""

    fn = operators.eq


class IsClose(_Comparison):
    """1.0 where ``|a - b| < 1e-2``, else 0.0; not differentiable."""

    fn = operators.is_close

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        """Raise RuntimeError."""
        raise RuntimeError("backward through IsClose: a test of closeness has no derivative")


class GELUFun(Pointwise):
    """``a`` times the standard normal distribution at ``a`` (Hendrycks and Gimpel, 2016)."""

    fn, back = operators.gelu, operators.gelu_back


class GELUTanhFun(Pointwise):
    """`GELUFun`, approximated by a hyperbolic tangent."""

    fn, back = operators.gelu_tanh, operators.gelu_tanh_back


class Softplus(Pointwise):
    """``ln(1 + e ** a)``."""

    fn, back = operators.softplus, operators.softplus_back


class LeakyReLUFun(Function):
    """``a`` where it is positive, else ``negative_slope * a``; the derivative at 0 is ``negative_slope``."""

    @staticmethod
    def forward(ctx: Context, a: Any, negative_slope: float = 0.01) -> Any:
        """Return ``a``, its negative elements made smaller."""
        slope = a.filled(negative_slope, (1,) * a.dims)
        ctx.save_for_backward(a, slope)
        return a.f.zip(operators.leaky_relu)(a, slope)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d``, or ``d * negative_slope`` where ``a`` was not positive."""
        a, slope = ctx.saved_values
        return d.f.mul_zip(d, a.f.zip(operators.leaky_relu_slope)(a, slope))


class Paired(Function):
    """A function of pairs of elements: ``fn(x, y)``, and ``slopes``, its derivatives for ``x`` and ``y``."""

    fn: ClassVar[Callable[[float, float], float]]
    slopes: ClassVar[tuple[Callable[[float, float], float], Callable[[float, float], float]]]

    @classmethod
    def forward(cls, ctx: Context, a: Any, b: Any) -> Any:
        """Apply ``fn`` to each pair."""
        ctx.save_for_backward(a, b)
        return a.f.zip(cls.fn)(a, b)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, ...]:
        """Multiply each slope by the derivative of the result."""
        a, b = ctx.saved_values
        f = d.f
        return tuple(
            f.mul_zip(d, f.zip(slope)(a, b)) if ctx.needs(k) else 0.0 for k, slope in enumerate(cls.slopes)
        )


class BCE(Paired):
    """Binary cross-entropy of probabilities ``a`` for truths ``b``, element by element."""

    fn, slopes = operators.bce, (operators.bce_slope, operators.bce_target_slope)


class BCEWithLogits(Paired):
    """Binary cross-entropy of the sigmoid of ``a`` for truths ``b``, element by element."""

    fn, slopes = operators.bce_logits, (operators.bce_logits_slope, operators.bce_logits_target_slope)


class Weigh(Function):
    """``a * weight``, where a weight of 0 hides the element, even one that is infinite, and its derivative.

    Cross-entropy picks the class of each row with it.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, weight: Any) -> Any:
        """Return the weighted elements."""
        ctx.save_for_backward(a, weight)
        return a.f.zip(operators.weigh)(a, weight)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d * weight``, hidden alike, and ``d * a``."""
        a, weight = ctx.saved_values
        f = d.f
        da = f.zip(operators.weigh)(d, weight) if ctx.needs(0) else 0.0
        return da, f.mul_zip(d, a) if ctx.needs(1) else 0.0
