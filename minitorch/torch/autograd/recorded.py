"""Derivatives that are recorded themselves, for ``create_graph=True``: one step of backpropagation on Tensors.

A Function's ``backward`` computes on raw values, so nothing can be derived from it. `rules` says for a Function how its
derivative is computed from Tensors, by calls that are recorded. Here are what every rule needs, and the step that
applies one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autodiff import Function, History
from ...runtime.versions import changed_since
from ...tensor import Tensor as Core
from ...tensor_functions.arrange import Expand
from ...tensor_functions.reduce import Sum
from ...tensor_functions.shape import Cast, Copy, View

Rule = Callable[["Call", Core], tuple[Any, ...]]
RULES: dict[type[Function], Rule] = {}


class Call:
    """A recorded call whose derivative is computed.

    Args:
        out: Its result.
        history: The history of the result.
    """

    def __init__(self, out: Core, history: History) -> None:
        assert history.last_fn is not None
        assert history.ctx is not None
        self._out, self.ctx, self.fn = out, history.ctx, history.last_fn
        self._inputs = history.operands()

    @property
    def saved(self) -> tuple[Any, ...]:
        """What ``forward`` saved."""
        return self.ctx.saved_values

    @property
    def inputs(self) -> tuple[Core, ...]:
        """The operands, whose values may have changed."""
        return tuple(self._inputs)

    def needs(self, k: int) -> bool:
        """Tell whether the derivative of operand ``k`` is needed."""
        return self._inputs[k].history is not None

    def operand(self, k: int) -> Core:
        """Return operand ``k``.

        Raises:
            RuntimeError: It was changed in place since the call.
        """
        return self._unchanged(self._inputs[k])

    def result(self) -> Core:
        """Return the result.

        Raises:
            RuntimeError: It was changed in place since the call.
        """
        return self._unchanged(self._out)

    def _unchanged(self, t: Core) -> Core:
        if changed_since(t._tensor._storage, self.ctx.time):
            self.ctx.saved_values = (*self.ctx.saved_values, t)
            self.ctx.require_unchanged(self.fn.__name__)
        return t

    def slopes(self, d: Core) -> tuple[Any, ...]:
        """Return the derivatives for a result's derivative of 1, as constants."""
        found = self.fn.derivatives(self.ctx, self._inputs, d._tensor.filled(1.0))
        return tuple(Core(s) if v.history is not None else None for s, v in zip(found, self._inputs))


def rule(*functions: type[Function]) -> Callable[[Rule], Rule]:
    """Enter a rule: from a call and the derivative of its result to one derivative for each operand, or None."""

    def enter(fn: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, fn))
        return fn

    return enter


def viewed(d: Core, shape: tuple[int, ...]) -> Core:
    """Return the elements under another shape."""
    packed = d if d._tensor.contiguous() is d._tensor else Copy.apply(d)
    return packed if packed.shape == shape else View.apply(packed, shape=shape)


def summed(d: Core, *dims: int) -> Core:
    """Return the sum along dimensions, which stay with size 1."""
    for k in dims:
        if d.shape[k] != 1:
            d = Sum.apply(d, dim=k)
    return d


def fitted(d: Core, like: Core) -> Core:
    """Bring a derivative to the shape and dtype of its operand, as `minitorch.tensor_functions.shape.unbroadcast`."""
    if d.shape != like.shape:
        extra = d.dims - like.dims
        d = summed(d, *(k for k in range(d.dims) if k < extra or like.shape[k - extra] == 1))
        if extra > 0:
            d = viewed(d, d.shape[extra:])
        if d.shape != like.shape:
            d = Expand.apply(d, shape=like.shape)
    return d if d.dtype == like.dtype else Cast.apply(d, dtype=like.dtype)


def zeros_like(a: Core) -> Core:
    """Return zeros of the shape of ``a``."""
    return Core(a._tensor.filled(0.0))


def recorded_step(v: Core, d: Core) -> list[tuple[Core, Core]]:
    """Pair each operand that has a history of the call that computed ``v`` with its derivative, which is recorded.

    Raises:
        NotImplementedError: There is no rule for the Function.
        RuntimeError: A value that it needs was changed in place since the call.
    """
    h = v.history
    assert h is not None
    found = RULES.get(h.last_fn) if h.last_fn is not None else None
    if found is None:
        name = h.last_fn.__name__ if h.last_fn is not None else "a leaf"
        raise NotImplementedError(
            f"create_graph=True: the derivative of {name} has no recorded derivative here; use real PyTorch for it"
        )
    call = Call(v, h)
    ds = found(call, d)
    return [(x, fitted(dx, x)) for x, dx in zip(call.inputs, ds) if x.history is not None and dx is not None]
