"""Chains of operations on single elements, compiled into one kernel each way: `fuse`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import operators
from ..autodiff import Context, Function
from ..runtime.types import Fn
from ..tensor import Tensor
from ..tensor_ops.expression import Expression, Node, Place

MOST = 3  # operands; the derivative is one more, and kernels take four


class Fused(Function):
    """A `Expression` of single elements, operands broadcast. Setting: ``expression``."""

    @staticmethod
    def forward(ctx: Context, *operands: Any, expression: Expression) -> Any:
        """Run the expression."""
        ctx.save_for_backward(operands, expression)
        return operands[0].f.elementwise(expression, *operands)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, ...]:
        """Run the expression of each operand's derivative, which computes again what it needs."""
        operands, expression = ctx.saved_values
        return tuple(
            d.f.elementwise(expression.derivative(k), *operands, d) if ctx.needs(k) else 0.0
            for k in range(expression.inputs)
        )


class Symbol:
    """Stands for a tensor while `fuse` reads what a function does; has the methods of Tensor that work element by element."""

    def __init__(self, tape: list[Node], inputs: int, place: Place) -> None:
        self._tape, self._inputs, self._place = tape, inputs, place

    def _step(self, fn: Fn, *operands: Any) -> Symbol:
        places: list[Place] = []
        for x in operands:
            if isinstance(x, Symbol):
                places.append(x._place)
            elif isinstance(x, int | float):
                places.append(float(x))
            else:
                raise TypeError(
                    f"a fused function computes on its operands and numbers, not on {type(x).__name__}"
                )
        self._tape.append(Node(fn, tuple(places)))
        return Symbol(self._tape, self._inputs, self._inputs + len(self._tape) - 1)

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"a fused function works element by element: {name} does not")

    def __bool__(self) -> bool:
        raise TypeError("a fused function cannot branch on its operands: multiply by a comparison instead")

    def __add__(self, other: Any) -> Symbol:
        return self._step(operators.add, self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self._step(operators.add, other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self._step(operators.sub, self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self._step(operators.sub, other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self._step(operators.mul, self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self._step(operators.mul, other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self._step(operators.div, self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self._step(operators.div, other, self)

    def __pow__(self, exponent: float) -> Symbol:
        return self * self if exponent == 2 else self._step(operators.power, self, exponent)

    def __neg__(self) -> Symbol:
        return self._step(operators.neg, self)

    def __lt__(self, other: Any) -> Symbol:
        return self._step(operators.lt, self, other)

    def __gt__(self, other: Any) -> Symbol:
        return self._step(operators.lt, other, self)

    def sigmoid(self) -> Symbol:
        """See `Tensor.sigmoid`."""
        return self._step(operators.sigmoid, self)

    def relu(self) -> Symbol:
        """See `Tensor.relu`."""
        return self._step(operators.relu, self)

    def log(self) -> Symbol:
        """See `Tensor.log`."""
        return self._step(operators.log, self)

    def exp(self) -> Symbol:
        """See `Tensor.exp`."""
        return self._step(operators.exp, self)

    def tanh(self) -> Symbol:
        """See `Tensor.tanh`."""
        return self._step(operators.tanh, self)

    def sqrt(self) -> Symbol:
        """See `Tensor.sqrt`."""
        return self._step(operators.sqrt, self)

    def __abs__(self) -> Symbol:
        return self._step(operators.abs, self)


def trace(fn: Callable[..., Any], count: int) -> Expression:
    """Return what ``fn`` does with ``count`` operands.

    Raises:
        TypeError: It does something else than operations on single elements.
    """
    tape: list[Node] = []
    out = fn(*(Symbol(tape, count, k) for k in range(count)))
    if not isinstance(out, Symbol):
        raise TypeError(f"a fused function returns what it computed, not {type(out).__name__}")
    return Expression(count, tuple(tape), out._place).needed()


def fuse(fn: Callable[..., Any]) -> Callable[..., Tensor]:
    """Compile a function of tensors that works element by element into one kernel, and one for each derivative.

    ``swish = minitorch.fuse(lambda x: x * x.sigmoid())`` reads each element once and keeps nothing in between. ``fn`` is
    called once for each number of operands, with stand-ins: it may use ``+ - * / **`` and comparisons with numbers
    among them, and relu, sigmoid, tanh, exp, log, sqrt, abs. Results are those of ``fn`` to rounding.

    Args:
        fn: A function of one to three tensors. Operands broadcast.

    Returns:
        A function of as many tensors (or numbers).

    Raises:
        TypeError: At the first call, when ``fn`` does something else.
    """
    expressions: dict[int, Expression] = {}

    @functools.wraps(fn)
    def fused(*operands: Any) -> Tensor:
        count = len(operands)
        if count not in expressions:
            if not 1 <= count <= MOST:
                raise TypeError(f"a fused function takes 1 to {MOST} tensors, not {count}")
            expressions[count] = trace(fn, count)
        return Fused.apply(*operands, expression=expressions[count])

    return fused
