"""`fuse`: a chain of elementwise operations compiled into one kernel for its value and one for each derivative.

Depends on `minitorch.tensor_ops.expression`, which holds what was traced and derives it. Unfused, each operation of a
chain reads and writes all elements; fused, each operand is read once and the result written once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import operators
from ..autodiff import Context, Function
from ..runtime.types import Fn
from ..tensor import Tensor
from ..tensor_ops.expression import Expression, Node, Place

MAX_OPERANDS = 3  # a derivative takes one more, the gradient, and kernels take four


class Fused(Function):
    """An elementwise `Expression`, whose operands broadcast. Setting: ``expression``."""

    @staticmethod
    def forward(ctx: Context, *operands: Any, expression: Expression) -> Any:
        """Return the elements of the expression."""
        ctx.save_for_backward(operands, expression)
        return operands[0].f.elementwise(expression, *operands)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, ...]:
        """Return the derivative of each operand: an expression of its own, which computes again what it needs."""
        operands, expression = ctx.saved_values
        return tuple(
            d.f.elementwise(expression.derivative(k), *operands, d) if ctx.needs(k) else 0.0
            for k in range(expression.inputs)
        )


class Symbol:
    """Stands for a tensor while `trace` records what a function does; has the elementwise methods of Tensor."""

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
                    f"fuse: expected operations on the operands and numbers, got one on {type(x).__name__}"
                )
        self._tape.append(Node(fn, tuple(places)))
        return Symbol(self._tape, self._inputs, self._inputs + len(self._tape) - 1)

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"fuse: expected elementwise operations, and {name} is not one")

    def __bool__(self) -> bool:
        raise TypeError(
            "fuse: a fused function cannot branch on its operands: multiply by a comparison instead"
        )

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
    """Record what ``fn`` does with ``count`` operands.

    Raises:
        TypeError: It does something else than elementwise operations.
    """
    tape: list[Node] = []
    out = fn(*(Symbol(tape, count, k) for k in range(count)))
    if not isinstance(out, Symbol):
        raise TypeError(f"fuse: expected a function that returns what it computed, got {type(out).__name__}")
    return Expression(count, tuple(tape), out._place).needed()


def fuse(fn: Callable[..., Any]) -> Callable[..., Tensor]:
    """Compile an elementwise function of tensors into one kernel, and one for each derivative.

    ``swish = minitorch.fuse(lambda x: x * x.sigmoid())`` reads each element once and stores no intermediate result.
    ``fn`` is called once for each number of operands, with a `Symbol` for each: it may use ``+ - * / **``, comparisons
    (also with numbers), relu, sigmoid, tanh, exp, log, sqrt, abs. Results are those of ``fn`` up to rounding.

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
            if not 1 <= count <= MAX_OPERANDS:
                raise TypeError(f"fuse: expected 1 to {MAX_OPERANDS} tensors, got {count}")
            expressions[count] = trace(fn, count)
        return Fused.apply(*operands, expression=expressions[count])

    return fused
