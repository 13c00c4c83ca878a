"""Every function of Scalars, forward and backward side by side, on plain floats.

It refuses to know the class Scalar: see `minitorch.autodiff` for how a Function meets its operands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import operators
from .autodiff import Context, Function


class ScalarFunction(Function):
    """A differentiable function of floats; ``forward`` must return a float."""

    @classmethod
    def _forward(cls, ctx: Context, *raw: Any, **settings: Any) -> float:
        c = cls.forward(ctx, *map(float, raw), **settings)
        if not isinstance(c, float):
            raise TypeError(f"{cls.__name__}.forward must return a float, and returned {type(c).__name__}")
        return c


class _Pointwise(ScalarFunction):
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
        """Return ``a + b``."""
        return a + b

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        """Pass ``d`` to both."""
        return d, d


class Mul(ScalarFunction):
    """``a * b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        """Return ``a * b``."""
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        """Return ``d * b`` and ``d * a``."""
        a, b = ctx.saved_values
        return d * b, d * a


class Neg(ScalarFunction):
    """``-a``."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return ``-a``."""
        return -a

    @staticmethod
    def backward(ctx: Context, d: float) -> float:
        """Return ``-d``."""
        return -d


class Log(_Pointwise):
    """``ln(a + EPS)``."""

    fn, back = operators.log, operators.log_back


class Inv(_Pointwise):
    """``1 / a``."""

    fn, back = operators.inv, operators.inv_back


class Exp(_Pointwise):
    """``e ** a``."""

    fn, back = operators.exp, operators.exp_back


class Sigmoid(_Pointwise):
    """``1 / (1 + e ** -a)``."""

    fn, back = operators.sigmoid, operators.sigmoid_back


class ReLU(_Pointwise):
    """``max(a, 0)``."""

    fn, back = operators.relu, operators.relu_back


class _Comparison(ScalarFunction):
    fn: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: float, b: float) -> float:
        return cls.fn(a, b)

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        return 0.0, 0.0


class LT(_Comparison):
    """1.0 if ``a < b``, else 0.0; flat, so its derivative is 0.0."""

    fn = operators.lt


class EQ(_Comparison):
    """1.0 if ``a == b``, else 0.0; flat, so its derivative is 0.0."""

    fn = operators.eq
