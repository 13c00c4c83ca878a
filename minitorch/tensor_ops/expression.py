"""Elementwise expressions: a graph of float functions, its source as one function, and its derivatives.

It depends on `operators`; `composite.elementwise` evaluates an expression node by node, and a backend may compile the
whole as one kernel.
"""

from __future__ import annotations

import functools
import hashlib
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import operators
from ..runtime.types import Fn

Place = int | float  # an int numbers an input or, after them, the result of a node; a float is a number

# The derivative of each function with one operand, as back(x, d). Functions that stand neither here nor in `_slopes`
# have derivative 0.
BACK: dict[Fn, Fn] = {
    operators.sigmoid: operators.sigmoid_back,
    operators.relu: operators.relu_back,
    operators.log: operators.log_back,
    operators.exp: operators.exp_back,
    operators.inv: operators.inv_back,
    operators.tanh: operators.tanh_back,
    operators.sqrt: operators.sqrt_back,
    operators.abs: operators.abs_back,
}


@dataclass(frozen=True)
class Node:
    """A function of `minitorch.operators`, and the places of its operands."""

    fn: Fn
    operands: tuple[Place, ...]


@dataclass(frozen=True)
class Expression:
    """A list of nodes on ``inputs`` operands, each on earlier results; ``result`` is the place of the value."""

    inputs: int
    nodes: tuple[Node, ...]
    result: Place

    def needed(self) -> Expression:
        """Return the expression without the nodes that its result does not depend on."""
        wanted, stack = set(), [self.result]
        while stack:
            place = stack.pop()
            if isinstance(place, int) and place >= self.inputs and place not in wanted:
                wanted.add(place)
                stack.extend(self.nodes[place - self.inputs].operands)
        order = sorted(wanted)
        new: dict[Place, Place] = {old: self.inputs + k for k, old in enumerate(order)}
        nodes = (self.nodes[old - self.inputs] for old in order)
        moved = tuple(
            Node(s.fn, tuple(new.get(p, p) if isinstance(p, int) else p for p in s.operands)) for s in nodes
        )
        return Expression(self.inputs, moved, new.get(self.result, self.result))

    @functools.cached_property
    def function(self) -> Fn:
        """The expression as a float function of ``inputs`` arguments."""
        lines = [f"def fused({', '.join(f'v{k}' for k in range(self.inputs))}):"]
        for k, node in enumerate(self.nodes, self.inputs):
            lines.append(f"    v{k} = {node.fn.__name__}({', '.join(map(_shown, node.operands))})")
        text = "\n".join([*lines, f"    return {_shown(self.result)}", ""])
        name = f"<fused {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
        # `inspect` finds the source of generated code here.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        made: dict[str, Fn] = {}
        exec(compile(text, name, "exec"), vars(operators), made)
        return made["fused"]

    def derivative(self, operand: int) -> Expression:
        """Return the derivative with respect to one operand: an expression of the operands and the output gradient."""
        return _derivatives(self)[operand]


def _shown(place: Place) -> str:
    return f"v{place}" if isinstance(place, int) else repr(place)


def _slopes(fn: Fn, a: Sequence[Place], d: Place, node: Callable[..., int]) -> list[Place | None]:
    """Return the places of the derivatives with respect to the operands ``a``; None where there is none."""
    if fn in BACK:
        return [node(BACK[fn], a[0], d)]
    if fn is operators.id:
        return [d]
    if fn is operators.neg:
        return [node(operators.neg, d)]
    if fn is operators.add:
        return [d, d]
    if fn is operators.sub:
        return [d, node(operators.neg, d)]
    if fn is operators.mul:
        return [node(operators.mul, d, a[1]), node(operators.mul, d, a[0])]
    if fn is operators.div:
        # The divisor is not squared; see `tensor_functions.elementwise.Div`.
        quotient = node(operators.div, d, a[1])
        return [quotient, node(operators.neg_mul, node(operators.div, a[0], a[1]), quotient)]
    if fn is operators.power and isinstance(a[1], float):
        slope = node(operators.mul, a[1], node(operators.power, a[0], a[1] - 1.0))
        return [node(operators.mul, d, slope), None]
    return [None] * len(a)


@functools.cache
def _derivatives(expression: Expression) -> tuple[Expression, ...]:
    n = expression.inputs

    def moved(place: Place) -> Place:
        # The output gradient is one more operand.
        return place + 1 if isinstance(place, int) and place >= n else place

    nodes = [Node(s.fn, tuple(map(moved, s.operands))) for s in expression.nodes]

    def node(fn: Fn, *operands: Place) -> int:
        nodes.append(Node(fn, operands))
        return n + len(nodes)

    found: dict[Place, Place] = {moved(expression.result): n}
    for k in range(len(expression.nodes) - 1, -1, -1):
        place = n + 1 + k
        if place not in found:
            continue
        made = nodes[k]
        for operand, slope in zip(made.operands, _slopes(made.fn, made.operands, found[place], node)):
            if slope is not None and isinstance(operand, int):
                before = found.get(operand)
                found[operand] = slope if before is None else node(operators.add, before, slope)
    return tuple(Expression(n + 1, tuple(nodes), found.get(k, 0.0)).needed() for k in range(n))
