"""Derivatives: by differences, and by going back through the recorded calls (module 1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol


def central_difference(f: Any, *vals: Any, arg: int = 0, epsilon: float = 1e-6) -> Any:
    """Approximate the derivative of ``f`` at ``vals`` for the argument number ``arg``.

    Move this argument by ``epsilon`` up and by ``epsilon`` down, and leave the others. See how much ``f`` changes, and
    divide by the distance of the two points.

    Args:
        f: A function of as many numbers as ``vals`` has.
        *vals: The point.
        arg: Which argument is moved, counted from 0.
        epsilon: How far it is moved.
    """
    up = [v + epsilon if i == arg else v for i, v in enumerate(vals)]
    down = [v - epsilon if i == arg else v for i, v in enumerate(vals)]
    return (f(*up) - f(*down)) / (2 * epsilon)


class Variable(Protocol):
    """What backpropagation must know of a Scalar or a Tensor."""

    def accumulate_derivative(self, x: Any) -> None:
        """Add ``x`` to the derivative that is kept in this variable, a leaf."""

    @property
    def unique_id(self) -> int:
        """A number that no other variable has."""

    def is_leaf(self) -> bool:
        """Tell whether a user made this variable, and no function."""

    def is_constant(self) -> bool:
        """Tell whether no derivative is asked for."""

    @property
    def parents(self) -> Iterable[Variable]:
        """The operands of the function that made this variable."""

    def chain_rule(self, d_output: Any) -> Iterable[tuple[Variable, Any]]:
        """Return each operand with its derivative, given the derivative of the result."""


def topological_sort(variable: Variable) -> Iterable[Variable]:
    """Return the variables that ``variable`` depends on, and itself, so that each stands before its parents.

    ``variable`` is the first. Constants are left out, and every other variable occurs once. Visit the parents of a
    variable before you write the variable down, remember whom you have visited, and turn the list around at the end.
    """
    order: list[Variable] = []
    seen: set[int] = set()
    stack = [(variable, False)]
    while stack:
        node, visited = stack.pop()
        if visited:
            order.append(node)
        elif not node.is_constant() and node.unique_id not in seen:
            seen.add(node.unique_id)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order[::-1]


def backpropagate(variable: Variable, deriv: Any) -> None:
    """Compute the derivatives of all leaves below ``variable``, and add them to the leaves.

    Visit the variables in the order of `topological_sort`. Keep for each the sum of the derivatives that have arrived
    there. A leaf accumulates it; any other variable passes it to its parents with ``chain_rule``.

    Args:
        variable: Where to begin.
        deriv: The derivative there.
    """
    arrived = {variable.unique_id: deriv}
    for node in topological_sort(variable):
        d = arrived[node.unique_id]
        if node.is_leaf():
            node.accumulate_derivative(d)
            continue
        for parent, part in node.chain_rule(d):
            if not parent.is_constant():
                key = parent.unique_id
                arrived[key] = arrived[key] + part if key in arrived else part


@dataclass
class Context:
    """What ``forward`` keeps for ``backward``."""

    no_grad: bool = False
    saved_values: tuple[Any, ...] = ()

    def save_for_backward(self, *values: Any) -> None:
        """Keep ``values``, unless no derivative is asked for."""
        if not self.no_grad:
            self.saved_values = values

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The same values."""
        return self.saved_values
