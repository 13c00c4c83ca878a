"""Scalars: a float with a history, for automatic differentiation of plain arithmetic.

The file depends on `minitorch.autodiff` and `minitorch.scalar_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .autodiff import History, Variable, backpropagate
from .scalar_functions import EQ, LT, Add, Div, Exp, Log, Mul, Neg, ReLU, Sigmoid

ScalarHistory = History
LEAF = ScalarHistory()  # empty, so one object serves all leaves


class Scalar(Variable):
    """A float that remembers how it was computed.

    Args:
        v: The value.
        back: The history; by default that of a leaf. None makes a constant.
        name: Shown in graphs and messages.
        history: Another name for ``back``.

    Attributes:
        data: The value, a float.
        derivative: None, or the sum of the derivatives that backward passes have found.
    """

    __slots__ = ("data", "derivative")
    # Makes NumPy leave an operation between a NumPy scalar and a Scalar to the Scalar.
    __array_ufunc__ = None

    def __init__(
        self,
        v: float,
        back: History | None = LEAF,
        name: str | None = None,
        *,
        history: History | None = LEAF,
    ) -> None:
        super().__init__(back if history is LEAF else history, name)
        self.data = float(v)
        self.derivative: float | None = None

    def _lift(self, x: Any) -> Scalar:
        return Scalar(x, None)

    def _unwrap(self) -> float:
        return self.data

    def _wrap(self, raw: Any, history: History | None) -> Scalar:
        return Scalar(raw, history)

    def _fit(self, d: Any) -> Any:
        return d

    def _store_derivative(self, d: float, owned: set[int]) -> None:
        self.derivative = float(d) if self.derivative is None else self.derivative + d

    def get_data(self) -> float:
        """The 2020 name of ``data``."""
        return self.data

    def requires_grad_(self, flag: bool = True) -> Scalar:
        """Make this a new leaf, which cuts its history, or a constant; return self."""
        self.history = ScalarHistory() if flag else None
        return self

    @property
    def grad(self) -> float | None:
        """The derivative, under its name in tensors."""
        return self.derivative

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a single number, ()."""
        return ()

    def zeros(self) -> Scalar:
        """Return a constant 0.0."""
        return Scalar(0.0, None)

    def update_(
        self, rule: Callable[..., Any], settings: tuple[float, ...], states: Sequence[Scalar] = ()
    ) -> None:
        """Update value and states by ``rule(settings, x, derivative, *states)``, which returns new ``(x, *states)``."""
        if self.derivative is None:
            raise RuntimeError("update_: no derivative; call backward first")
        self.update_all_(rule, settings, [(self, self.derivative, *states)])

    @staticmethod
    def update_all_(rule: Callable[..., Any], settings: tuple[float, ...], rows: Sequence[Any]) -> None:
        """Do `update_` for rows ``(scalar, derivative, *states)``."""
        for scalar, derivative, *states in rows:
            changed = rule(settings, scalar.data, derivative, *(s.data for s in states))
            for s, value in zip((scalar, *states), changed):
                s.data = value

    def zero_grad_(self) -> None:
        """Set the derivative to None."""
        self.derivative = None

    def copy_(self, value: Any) -> Scalar:
        """Set the value to a number, or an array of one element; return self."""
        self.data = float(np.asarray(value).reshape(()))
        return self

    def to_numpy(self) -> npt.NDArray[np.float64]:
        """Return the value as an array of shape ()."""
        return np.array(self.data)

    def backward(self, d_output: float = 1.0) -> None:
        """Add the derivatives of this scalar, times ``d_output``, to the leaves it was computed from.

        Raises:
            RuntimeError: This is a constant.
        """
        if self.history is None:
            raise RuntimeError("backward: the scalar is a constant; call requires_grad_ on an operand")
        backpropagate(self, d_output)

    def __repr__(self) -> str:
        return f"Scalar({self.data})"

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return self.data

    __hash__ = object.__hash__

    def __add__(self, b: Any) -> Scalar:
        return Add.apply(self, b)

    def __radd__(self, b: Any) -> Scalar:
        return Add.apply(b, self)

    def __sub__(self, b: Any) -> Scalar:
        return Add.apply(self, -b)

    def __rsub__(self, b: Any) -> Scalar:
        return Add.apply(b, -self)

    def __mul__(self, b: Any) -> Scalar:
        return Mul.apply(self, b)

    def __rmul__(self, b: Any) -> Scalar:
        return Mul.apply(b, self)

    def __truediv__(self, b: Any) -> Scalar:
        return Div.apply(self, b)

    def __rtruediv__(self, b: Any) -> Scalar:
        return Div.apply(b, self)

    def __neg__(self) -> Scalar:
        return Neg.apply(self)

    def __lt__(self, b: Any) -> Scalar:
        return LT.apply(self, b)

    def __gt__(self, b: Any) -> Scalar:
        return LT.apply(b, self)

    def __eq__(self, b: object) -> Scalar:  # type: ignore[override]
        return EQ.apply(self, b)

    def log(self) -> Scalar:
        """Return ``ln(self + EPS)``, with ``operators.EPS`` = 1e-6."""
        return Log.apply(self)

    def exp(self) -> Scalar:
        """Return ``e ** self``."""
        return Exp.apply(self)

    def sigmoid(self) -> Scalar:
        """Return ``1 / (1 + e ** -self)``."""
        return Sigmoid.apply(self)

    def relu(self) -> Scalar:
        """Return ``max(self, 0)``."""
        return ReLU.apply(self)
