"""Functions of Scalars: a forward on plain floats, and a backward (module 1)."""

from __future__ import annotations

from typing import Any

from . import operators
from .autodiff import Context


class Operand:
    """The base of Scalar, which knows how to record a call; `scalar` imports this file, so it is not imported here."""

    def record(self, fn: type[ScalarFunction], vals: tuple[Any, ...]) -> Any:
        """Compute ``fn`` of ``vals``, and keep in the result how it was made."""
        raise NotImplementedError


class ScalarFunction:
    """A function of Scalars. A subclass defines ``forward`` and ``backward`` with plain floats."""

    @classmethod
    def apply(cls, *vals: Any) -> Any:
        """Return the function of Scalars and numbers as a Scalar that knows how it was made."""
        for v in vals:
            if isinstance(v, Operand):
                return v.record(cls, vals)
        return cls.forward(Context(no_grad=True), *map(float, vals))

    @classmethod
    def forward(cls, ctx: Context, /, *inputs: Any) -> float:
        """Return the result; save in ``ctx`` what ``backward`` needs."""
        raise NotImplementedError(f"{cls.__name__} has no forward")

    @classmethod
    def backward(cls, ctx: Context, d_output: float, /) -> Any:
        """Return ``d_output`` times the derivative for the operand; a tuple of these for several operands."""
        raise NotImplementedError(f"{cls.__name__} has no backward")


class Add(ScalarFunction):
    """Addition. This class is complete, as an example."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        """Return ``a + b``."""
        return a + b

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        """Return the derivatives for both operands."""
        return d_output, d_output


class Log(ScalarFunction):
    """The natural logarithm. This class is complete, as an example."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return the logarithm of ``a``, and save ``a``."""
        ctx.save_for_backward(a)
        return operators.log(a)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative, from the saved ``a``."""
        (a,) = ctx.saved_values
        return operators.log_back(a, d_output)


class Mul(ScalarFunction):
    """Multiplication."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        """Return the product as a float, and save what the derivatives need."""
        ctx.save_for_backward(a, b)
        return operators.mul(a, b)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        """Return the derivatives for ``a`` and for ``b``."""
        a, b = ctx.saved_values
        return d_output * b, d_output * a


class Inv(ScalarFunction):
    """The reciprocal."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return the reciprocal of ``a``, and save what the derivative needs."""
        ctx.save_for_backward(a)
        return operators.inv(a)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative. `operators` may help."""
        (a,) = ctx.saved_values
        return operators.inv_back(a, d_output)


class Neg(ScalarFunction):
    """Negation."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return ``a`` with the opposite sign."""
        return operators.neg(a)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative."""
        return -d_output


class Sigmoid(ScalarFunction):
    """The logistic function."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return the logistic function of ``a``, and save what the derivative needs."""
        result = operators.sigmoid(a)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative. It can be written with the result of the forward alone."""
        (result,) = ctx.saved_values
        return d_output * result * (1.0 - result)


class ReLU(ScalarFunction):
    """The positive part."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return the positive part of ``a``, and save what the derivative needs."""
        ctx.save_for_backward(a)
        return operators.relu(a)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative. `operators` may help."""
        (a,) = ctx.saved_values
        return operators.relu_back(a, d_output)


class Exp(ScalarFunction):
    """The exponential function."""

    @staticmethod
    def forward(ctx: Context, a: float) -> float:
        """Return e to the power of ``a``, and save what the derivative needs."""
        result = operators.exp(a)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        """Return the derivative."""
        (result,) = ctx.saved_values
        return d_output * result


class LT(ScalarFunction):
    """The comparison ``a < b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        """Return 1.0 if ``a`` is less than ``b``, else 0.0."""
        return operators.lt(a, b)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        """Return the derivatives for both operands. The result is a step: how does it change with ``a``?"""
        return 0.0, 0.0


class EQ(ScalarFunction):
    """The comparison ``a == b``."""

    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        """Return 1.0 if ``a`` equals ``b``, else 0.0."""
        return operators.eq(a, b)

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        """Return the derivatives for both operands."""
        return 0.0, 0.0
