"""A number that records how it was computed (module 1)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .autodiff import Context, Variable, backpropagate, central_difference
from .scalar_functions import (
    EQ,
    LT,
    Add,
    Exp,
    Inv,
    Log,
    Mul,
    Neg,
    Operand,
    ReLU,
    ScalarFunction,
    Sigmoid,
)

_numbers = itertools.count()


@dataclass
class ScalarHistory:
    """How a Scalar was made; a leaf has an empty one.

    Attributes:
        last_fn: The function.
        ctx: What its forward saved.
        inputs: Its operands.
    """

    last_fn: type[ScalarFunction] | None = None
    ctx: Context | None = None
    inputs: Iterable[Scalar] = ()


LEAF = ScalarHistory()


class Scalar(Operand):
    """A float that records how it was computed.

    Attributes:
        data: The float.
        history: How it was made; None for a constant.
        derivative: For a leaf, after ``backward``: its derivative.
        name: Its name.
        unique_id: A number that no other Scalar has.
    """

    def __init__(self, v: float, back: ScalarHistory | None = LEAF, name: str | None = None) -> None:
        self.data = float(v)
        self.history = back
        self.derivative: float | None = None
        self.unique_id = next(_numbers)
        self.name = str(self.unique_id) if name is None else name

    def record(self, fn: type[ScalarFunction], vals: tuple[Any, ...]) -> Scalar:
        """Compute ``fn`` of ``vals``, and keep in the result how it was made. Numbers become constants."""
        inputs = [v if isinstance(v, Scalar) else Scalar(v, None) for v in vals]
        ctx = Context(no_grad=all(v.is_constant() for v in inputs))
        c = fn.forward(ctx, *[v.data for v in inputs])
        if not isinstance(c, float):
            raise TypeError(f"{fn.__name__}.forward: expected a float as result, got {type(c).__name__}")
        return Scalar(c, None if ctx.no_grad else ScalarHistory(fn, ctx, inputs))

    def __repr__(self) -> str:
        return f"Scalar({self.data})"

    def __hash__(self) -> int:
        return hash(id(self))

    def __bool__(self) -> bool:
        return bool(self.data)

    # Task 1.2: operators. `b` may be a number. Use the functions of `scalar_functions`.

    def __mul__(self, b: Any) -> Scalar:
        """Return ``self * b``. This method is complete, as an example."""
        return Mul.apply(self, b)

    def __truediv__(self, b: Any) -> Scalar:
        """Return ``self / b``. This method is complete, as an example."""
        return Mul.apply(self, Inv.apply(b))

    def __rtruediv__(self, b: Any) -> Scalar:
        """Return ``b / self``."""
        return Mul.apply(b, Inv.apply(self))

    def __add__(self, b: Any) -> Scalar:
        """Return ``self + b``."""
        return Add.apply(self, b)

    def __lt__(self, b: Any) -> Scalar:
        """Return ``self < b`` as a Scalar of 1.0 or 0.0."""
        return LT.apply(self, b)

    def __gt__(self, b: Any) -> Scalar:
        """Return ``self > b`` as a Scalar of 1.0 or 0.0. There is no function of its own for it."""
        return LT.apply(b, self)

    def __eq__(self, b: Any) -> Scalar:  # type: ignore[override]
        """Return ``self == b`` as a Scalar of 1.0 or 0.0."""
        return EQ.apply(self, b)

    def __sub__(self, b: Any) -> Scalar:
        """Return ``self - b``. There is no function of its own for it; ``b`` may be a number."""
        return Add.apply(self, Neg.apply(b))

    def __neg__(self) -> Scalar:
        """Return ``-self``."""
        return Neg.apply(self)

    def __radd__(self, b: Any) -> Scalar:
        """Return ``b + self``."""
        return self + b

    def __rmul__(self, b: Any) -> Scalar:
        """Return ``b * self``."""
        return self * b

    def log(self) -> Scalar:
        """Return the natural logarithm."""
        return Log.apply(self)

    def exp(self) -> Scalar:
        """Return e to the power of this number."""
        return Exp.apply(self)

    def sigmoid(self) -> Scalar:
        """Return the logistic function."""
        return Sigmoid.apply(self)

    def relu(self) -> Scalar:
        """Return the positive part."""
        return ReLU.apply(self)

    # What backpropagation asks for.

    def accumulate_derivative(self, x: float) -> None:
        """Add ``x`` to ``derivative``; only a leaf has one."""
        if not self.is_leaf():
            raise RuntimeError("only a leaf keeps a derivative: this Scalar was computed")
        self.derivative = (self.derivative or 0.0) + x

    def is_leaf(self) -> bool:
        """Tell whether a user made this Scalar, and no function."""
        return self.history is not None and self.history.last_fn is None

    def is_constant(self) -> bool:
        """Tell whether no derivative is asked for."""
        return self.history is None

    @property
    def parents(self) -> Iterable[Variable]:
        """The operands of the function that made this Scalar."""
        return self.history.inputs if self.history is not None else ()

    def chain_rule(self, d_output: Any) -> Iterable[tuple[Variable, Any]]:
        """Return each operand of the function that made this Scalar, paired with its derivative.

        The function is ``self.history.last_fn``; its ``backward`` takes the context and ``d_output``, and returns one
        number for one operand, and a tuple for several. Constants are among the pairs too.
        """
        history = self.history
        if history is None or history.last_fn is None:
            raise RuntimeError("cannot go back through a leaf: no function made it")
        found = history.last_fn.backward(history.ctx, d_output)  # type: ignore[arg-type]
        return list(zip(history.inputs, found if isinstance(found, tuple) else (found,)))

    def backward(self, d_output: float | None = None) -> None:
        """Compute the derivatives of all leaves below this Scalar, and add them to the leaves.

        Args:
            d_output: The derivative with which it begins; 1.0 if left out.
        """
        backpropagate(self, 1.0 if d_output is None else d_output)


def derivative_check(f: Any, *scalars: Scalar) -> None:
    """Compare the derivatives of ``f`` by ``backward`` with central differences, for each argument.

    Raises:
        AssertionError: They differ by more than 0.01, absolute and relative; the message has both numbers.
    """
    fresh = [Scalar(x.data) for x in scalars]
    f(*fresh).backward()
    for i, x in enumerate(fresh):
        expected = central_difference(lambda *v: f(*v), *(Scalar(v.data) for v in fresh), arg=i).data
        got = x.derivative
        at = ", ".join(str(v.data) for v in fresh)
        message = f"derivative at ({at}) for argument {i}: expected {expected:.4f}, got {got}"
        assert got is not None, message
        np.testing.assert_allclose(got, expected, 1e-2, 1e-2, err_msg=message)
