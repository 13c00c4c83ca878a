"""Reverse-mode automatic differentiation over values of any kind.

A ``Variable`` is a value with a history; a ``Function`` computes on what variables hold and knows its derivative. It names four verbs that each kind of variable defines:

=================== =====================================================================
``_lift(x)``        make a constant of your kind from the plain value ``x``
``_unwrap()``       what ``forward`` computes on
``_wrap(raw, h)``   make a variable of your kind from a result and its history
``_fit(d)``         bring a derivative to your own shape
=================== =====================================================================

**What is a constant?** A variable without history (``history is None``): nobody asked for its derivative.
**What does a backward step do?** It turns the derivative of a call's result into one derivative per operand.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ContextDecorator
from typing import Any, ClassVar


class _GradMode(threading.local):
    def __init__(self) -> None:
        self.enabled = True
        self.before: list[bool] = []


_mode = _GradMode()
_ids = itertools.count(1)


def grad_enabled() -> bool:
    """Tell whether this thread records histories (see `no_grad`)."""
    return _mode.enabled


class no_grad(ContextDecorator):
    """Context manager and decorator: inside it, results are constants and nothing is recorded."""

    def __enter__(self) -> no_grad:
        _mode.before.append(_mode.enabled)
        _mode.enabled = False
        return self

    def __exit__(self, *exc: object) -> None:
        _mode.enabled = _mode.before.pop()


def central_difference(f: Callable[..., Any], *vals: Any, arg: int = 0, epsilon: float = 1e-6) -> Any:
    """Approximate the derivative of ``f`` with respect to argument ``arg`` at ``vals``.

    Args:
        f: A function of as many numbers (floats or Scalars) as there are ``vals``.
        *vals: The point.
        arg: Which argument is varied.
        epsilon: Half the width of the step.

    Returns:
        ``(f(.., x + epsilon, ..) - f(.., x - epsilon, ..)) / (2 * epsilon)``.
    """
    above = [v + epsilon if i == arg else v for i, v in enumerate(vals)]
    below = [v - epsilon if i == arg else v for i, v in enumerate(vals)]
    return (f(*above) - f(*below)) / (2 * epsilon)


class Context:
    """What ``forward`` keeps for ``backward``.

    Args:
        no_grad: True when no derivative will be asked for: then nothing is kept.
        saved_values: What has been kept so far.
    """

    __slots__ = ("inputs", "no_grad", "saved_values")

    def __init__(self, no_grad: bool = False, saved_values: tuple[Any, ...] = ()) -> None:
        self.no_grad = no_grad
        self.saved_values = tuple(saved_values)
        self.inputs: Sequence[Variable] = ()

    def save_for_backward(self, *values: Any) -> None:
        """Keep ``values``, in the order in which ``backward`` reads them."""
        if not self.no_grad:
            self.saved_values = values

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The same as ``saved_values``."""
        return self.saved_values

    def needs(self, operand: int) -> bool:
        """Tell whether anybody wants the derivative of this operand; without a graph, all are wanted."""
        return not self.inputs or self.inputs[operand].history is not None


class Function:
    """A differentiable function, written as two static methods.

    ``forward(ctx, *raw, **settings)`` receives what the operands hold (floats, or TensorData) and returns a result of
    that kind. ``backward(ctx, d)`` receives the derivative of the result and returns one derivative per operand (a
    tuple if there are several): a value that broadcasts with the operand, or a number; 0.0 means none.

    ``F.apply(x)`` calls it; ``F(**settings)`` makes a callable, so that ``F()(x)`` is ``F.apply(x)``.
    """

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def __call__(self, *values: Any) -> Any:
        return self.apply(*values, **self.settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings.items())})"

    @classmethod
    def apply(cls, *values: Any, **settings: Any) -> Any:
        """Compute on ``values`` (Variables and plain numbers) and record the call if a derivative may be asked for.

        With plain numbers only, the result is a plain number.

        Raises:
            TypeError: The Variables are of different kinds.
        """
        guide: Variable | None = None
        for v in values:
            if isinstance(v, Variable):
                guide = v
                break
        if guide is None:
            return cls._forward(Context(no_grad=True), *values, **settings)
        inputs: list[Variable] = []
        tracked, kind = False, guide.__class__
        for v in values:
            if not isinstance(v, Variable):
                v = guide._lift(v)
            elif v.__class__ is not kind and not (isinstance(v, kind) or isinstance(guide, v.__class__)):
                raise TypeError(f"{cls.__name__} cannot mix a {kind.__name__} with a {type(v).__name__}")
            elif v.history is not None:
                tracked = True
            inputs.append(v)
        tracked = tracked and _mode.enabled
        ctx = Context(not tracked)
        if tracked:
            ctx.inputs = inputs
        raw = cls._forward(ctx, *[v._unwrap() for v in inputs], **settings)
        return guide._wrap(raw, History(cls, ctx, inputs) if tracked else None)

    @classmethod
    def _forward(cls, ctx: Context, *raw: Any, **settings: Any) -> Any:
        return cls.forward(ctx, *raw, **settings)

    @classmethod
    def _backward(cls, ctx: Context | None, d: Any) -> tuple[Any, ...]:
        return wrap_tuple(cls.backward(ctx, d))

    @classmethod
    def derivatives(cls, ctx: Context | None, inputs: Sequence[Any], d_output: Any) -> tuple[Any, ...]:
        """Run ``backward`` and check that it gives one derivative per operand.

        Raises:
            TypeError: The counts differ.
        """
        ds = cls._backward(ctx, d_output)
        if len(ds) != len(inputs):
            raise TypeError(
                f"{cls.__name__}.backward returned {len(ds)} derivative(s) for {len(inputs)} operand(s): "
                "it must return one for each operand of forward"
            )
        return ds

    @classmethod
    def chain_rule(
        cls, ctx: Context | None, inputs: Sequence[Any], d_output: Any
    ) -> list[tuple[Variable, Any]]:
        """Pair each non-constant operand with its derivative (the course's first form of the chain rule)."""
        return [
            (v, v._fit(d))
            for v, d in zip(inputs, cls.derivatives(ctx, inputs, d_output))
            if isinstance(v, Variable) and v.history is not None
        ]


class History:
    """How a variable came to be: the Function, its Context and its operands; all empty for a leaf."""

    __slots__ = ("ctx", "inputs", "last_fn")

    def __init__(
        self,
        last_fn: type[Function] | None = None,
        ctx: Context | None = None,
        inputs: Sequence[Any] = (),
    ) -> None:
        self.last_fn = last_fn
        self.ctx = ctx
        self.inputs = inputs

    def is_leaf(self) -> bool:
        """Tell whether this is the history of a variable that the user made."""
        return self.last_fn is None

    def backprop_step(self, d_output: Any) -> list[tuple[Variable, Any]]:
        """Pair each non-constant operand of the recorded call with its derivative."""
        if self.last_fn is None:
            raise RuntimeError("a leaf has no recorded call to step back through")
        return self.last_fn.chain_rule(self.ctx, self.inputs, d_output)


class Variable:
    """A value with a history: the common base of Scalar and Tensor."""

    __slots__ = ("__weakref__", "_hooks", "_id", "history", "name")

    def __init__(self, history: History | None, name: str | None) -> None:
        self.history = history
        self.name = name
        self._id = 0
        self._hooks: tuple[Callable[[Any], None], ...] = ()

    def _lift(self, x: Any) -> Variable:
        raise NotImplementedError

    def _unwrap(self) -> Any:
        raise NotImplementedError

    def _wrap(self, raw: Any, history: History | None) -> Variable:
        raise NotImplementedError

    def _fit(self, d: Any) -> Any:
        raise NotImplementedError

    def _store_derivative(self, d: Any, kept: set[int]) -> None:
        raise NotImplementedError

    @property
    def unique_id(self) -> int:
        """A number that no other variable of this process has."""
        if not self._id:
            self._id = next(_ids)
        return self._id

    @property
    def parents(self) -> Sequence[Any]:
        """The operands of the call that made this variable."""
        return () if self.history is None else self.history.inputs

    def is_leaf(self) -> bool:
        """Tell whether this is a variable that the user made and wants a derivative for."""
        return self.history is not None and self.history.last_fn is None

    def is_constant(self) -> bool:
        """Tell whether this variable has no history: nobody asked for its derivative."""
        return self.history is None

    def accumulate_derivative(self, x: Any) -> None:
        """Add ``x`` to the derivative of this leaf.

        Raises:
            RuntimeError: This variable is not a leaf.
        """
        if not self.is_leaf():
            raise RuntimeError("only leaves keep a derivative: this variable was computed, or is a constant")
        self._store_derivative(self._fit(x), set())

    def _finish(self, d: Any, kept: set[int]) -> None:
        """Keep what a backward pass found for this leaf, and tell who asked to hear of it."""
        self._store_derivative(d, kept)
        for hook in self._hooks:
            hook(self)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> Callable[[], None]:
        """Have ``hook(leaf)`` called as soon as the derivative of this leaf is final in a backward pass.

        Returns:
            A function that removes the hook.
        """
        self._hooks = (*self._hooks, hook)

        def remove() -> None:
            self._hooks = tuple(h for h in self._hooks if h is not hook)

        return remove

    def chain_rule(self, d_output: Any) -> Iterable[tuple[Any, Any]]:
        """Pair each operand (constants included) of the call that made this variable with its derivative.

        Raises:
            RuntimeError: No call made this variable.
            TypeError: The Function gave a wrong number of derivatives.
        """
        h = self.history
        if h is None or h.last_fn is None:
            raise RuntimeError("the chain rule needs a computed variable: this one is a leaf or a constant")
        ds = h.last_fn.derivatives(h.ctx, h.inputs, d_output)
        return [(v, d if v.history is None else v._fit(d)) for v, d in zip(h.inputs, ds)]


def topological_sort(variable: Variable) -> list[Variable]:
    """List the non-constant variables that lead to ``variable``, each once, before all of its operands.

    The right-most variable (``variable`` itself) comes first.
    """
    order: list[Variable] = []
    seen: set[int] = set()
    stack: list[tuple[Variable, bool]] = [(variable, False)]
    while stack:
        v, done = stack.pop()
        if done:
            order.append(v)
        elif v.history is not None and id(v) not in seen:
            seen.add(id(v))
            stack.append((v, True))
            stack.extend((p, False) for p in v.parents)
    order.reverse()
    return order


def _count_uses(variable: Variable) -> dict[int, int]:
    uses: dict[int, int] = {}
    stack = [variable]
    while stack:
        for p in stack.pop().parents:
            if p.history is not None:
                key = id(p)
                if key in uses:
                    uses[key] += 1
                else:
                    uses[key] = 1
                    stack.append(p)
    return uses


def backpropagate(
    variable: Variable | tuple[Variable, Any], deriv: Any = None, kept: Iterable[int] = ()
) -> None:
    """Add the derivatives of ``variable`` into the leaves that lead to it.

    A variable is ready once every recorded call that uses it has been stepped through, so each is visited once and
    a leaf hears its final derivative right after the last call that used it. Derivatives in between are dropped
    as soon as they have been passed on. No recursion: a chain of any length works.

    Args:
        variable: The right-most variable (or a pair of it and its derivative).
        deriv: Its derivative.
        kept: What else is kept of memory that derivatives may lie in, as ids: leaves do not share it, nor each other's.
    """
    kept = set(kept)
    if isinstance(variable, tuple):
        variable, deriv = variable
    if variable.is_leaf():
        variable._finish(variable._fit(deriv), kept)
        return
    uses = _count_uses(variable)
    pending: dict[int, Any] = {}
    ready: list[tuple[Variable, Any]] = [(variable, deriv)]
    while ready:
        v, d = ready.pop()
        for parent, pd in v.chain_rule(d):
            if parent.history is None:
                continue
            key = id(parent)
            before = pending.pop(key, None)
            if before is not None:
                pd = before + pd
            uses[key] -= 1
            if uses[key]:
                pending[key] = pd
            elif parent.history.last_fn is None:
                parent._finish(pd, kept)
            else:
                ready.append((parent, pd))


def wrap_tuple(x: Any) -> tuple[Any, ...]:
    """Return ``x`` if it is a tuple, else a tuple of it."""
    return x if isinstance(x, tuple) else (x,)


def unwrap_tuple(x: tuple[Any, ...]) -> Any:
    """Return the only element of a tuple of one, else the tuple."""
    return x[0] if len(x) == 1 else x
