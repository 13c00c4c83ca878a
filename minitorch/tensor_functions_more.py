"""More functions of single cells and of pairs of cells: activations, and what the losses are made of.

As in `minitorch.tensor_functions`, a new one is a class of float functions. It refuses to know Tensor and the rooms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import operators
from .autodiff import Context, Function
from .tensor_data import normal_dim
from .tensor_functions import Pointwise, Sum


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
        """Return ``a``, its negative cells made smaller."""
        slope = a.filled(negative_slope, (1,) * a.dims)
        ctx.save_for_backward(a, slope)
        return a.f.zip(operators.leaky_relu)(a, slope)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d``, or ``d * negative_slope`` where ``a`` was not positive."""
        a, slope = ctx.saved_values
        return d.f.mul_zip(d, a.f.zip(operators.leaky_relu_slope)(a, slope))


class Paired(Function):
    """A function of pairs of cells: ``fn(x, y)``, and ``slopes``, its derivatives for ``x`` and ``y``."""

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
    """Binary cross-entropy of probabilities ``a`` for truths ``b``, cell by cell."""

    fn, slopes = operators.bce, (operators.bce_slope, operators.bce_target_slope)


class BCEWithLogits(Paired):
    """Binary cross-entropy of the sigmoid of ``a`` for truths ``b``, cell by cell."""

    fn, slopes = operators.bce_logits, (operators.bce_logits_slope, operators.bce_logits_target_slope)


class Weigh(Function):
    """``a * weight``, where a weight of 0 hides the cell, even one that is infinite, and its derivative.

    Cross-entropy picks the class of each row with it.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, weight: Any) -> Any:
        """Return the weighted cells."""
        ctx.save_for_backward(a, weight)
        return a.f.zip(operators.weigh)(a, weight)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d * weight``, hidden alike, and ``d * a``."""
        a, weight = ctx.saved_values
        f = d.f
        da = f.zip(operators.weigh)(d, weight) if ctx.needs(0) else 0.0
        return da, f.mul_zip(d, a) if ctx.needs(1) else 0.0


class Mean(Function):
    """Mean along ``dim``, which stays with size 1; over all cells if None, of shape (1,)."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the mean."""
        count = a.size if dim is None else a.shape[normal_dim(dim, a.dims, a.shape)]
        ctx.save_for_backward(count)
        return Sum.forward(ctx, a, dim) / count

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Pass ``d / count`` to each cell that was averaged."""
        (count,) = ctx.saved_values
        return d / count
