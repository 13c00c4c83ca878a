"""Differentiable functions of scalars, each with its derivative, on plain floats.

They depend on `minitorch.operators` and on `minitorch.autodiff`, which explains how a Function meets its operands.
`minitorch.scalar` builds on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import operators
from .autodiff import Context, Function


class ScalarFunction(Function):
    """A differentiable function of floats; ``forward`` must return a float, else TypeError is raised."""

    @classmethod
    def _forward(cls, ctx: Context, *raw: Any, **settings: Any) -> float:
        c = cls.forward(ctx, *map(float, raw), **settings)
        if not isinstance(c, float):
            raise TypeError(f"{cls.__name__}.forward: expected a float as result, got {type(c).__name__}")
        return c


class _Pointwise(ScalarFunction):
    """A function of one float: ``fn(x)``, and ``back(x, d)``, its derivative times ``d``."""

    fn: ClassVar[Callable[[float], float]]
    back: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: float) -> float:
        ctx.save_for_backward(a)
        return cls.fn(a)

    @classmethod
    def backward(cls, ctx: Context, d: float) -> float:
        (a,) = ctx.saved_values
        return cls.back(a, d)


class Add(ScalarFunction):
    """``a + b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        return a + b

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        return d, d


class Mul(ScalarFunction):
    """``a * b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        a, b = ctx.saved_values
        return d * b, d * a


class Neg(ScalarFunction):
    """``-a``."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        return -a

    @staticmethod
    def backward(ctx: Context, d: float) -> float:
        return -d


class Log(_Pointwise):
    """``ln(a + EPS)``, with ``operators.EPS`` = 1e-6."""

    fn, back = operators.log, operators.log_back


class Inv(_Pointwise):
    """``1 / a``."""

    fn, back = operators.inv, operators.inv_back


class Div(ScalarFunction):
    """``a / b``; the derivative for ``b`` is ``-(a / b) * (d / b)``, which does not square ``b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        ctx.save_for_backward(a, b)
        return a / b

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        a, b = ctx.saved_values
        return d / b, operators.neg_mul(a / b, d / b)


class Exp(_Pointwise):
    """``e ** a``."""

    fn, back = operators.exp, operators.exp_back


class Sigmoid(_Pointwise):
    """``1 / (1 + e ** -a)``."""

    fn, back = operators.sigmoid, operators.sigmoid_back


class ReLU(_Pointwise):
    """``max(a, 0)``; the derivative at 0 is 0."""

    fn, back = operators.relu, operators.relu_back


class _Comparison(ScalarFunction):
    """1.0 or 0.0. The result is piecewise constant: its derivatives are 0.0."""

    fn: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: float, b: float) -> float:
        return cls.fn(a, b)

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        return 0.0, 0.0


class LT(_Comparison):
    """1.0 if ``a < b``, else 0.0."""

    fn = operators.lt


class EQ(_Comparison):
    """1.0 if ``a == b``, else 0.0."""

    fn = operators.eq
