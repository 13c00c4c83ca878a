"""Reverse-mode automatic differentiation over values of any kind.

A ``Variable`` is a value with a history. A ``Function`` computes on the values and knows its derivative. A Function
does not know the kind of its operands; each kind of variable defines four methods for it:

=================== =====================================================================
``_lift(x)``        makes a constant of this kind from the plain value ``x``
``_unwrap()``       returns what ``forward`` computes on
``_wrap(raw, h)``   makes a variable of this kind from a result and its history; NotImplemented for other results
``_fit(d)``         brings a derivative to the shape of this variable
=================== =====================================================================

A *leaf* was made by the user and collects its derivative: its history is empty. A *constant* has no history
(``history is None``) and gets no derivative. Any other variable was computed by a Function.

The file depends on two small ones: `minitorch.runtime.grad_mode` (whether calls are recorded) and
`minitorch.runtime.versions` (whether a saved value was changed since). `minitorch.scalar` and `minitorch.tensor` define
the two kinds of variables.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Number
from typing import Any, ClassVar

from .runtime.grad_mode import grad_enabled as grad_enabled
from .runtime.grad_mode import mode
from .runtime.grad_mode import no_grad as no_grad
from .runtime.versions import Stored, assigned, changed_since, clock

_ids = itertools.count(1)


def central_difference(f: Callable[..., Any], *vals: Any, arg: int = 0, epsilon: float = 1e-6) -> Any:
    """Approximate the derivative of ``f`` with respect to argument ``arg`` at ``vals``.

    Args:
        f: A function of as many numbers (floats or Scalars) as there are ``vals``.
        *vals: The point at which the derivative is wanted.
        arg: The number of the argument that varies.
        epsilon: Half the distance of the two evaluations.

    Returns:
        ``(f(.., x + epsilon, ..) - f(.., x - epsilon, ..)) / (2 * epsilon)``.
    """
    above = [v + epsilon if i == arg else v for i, v in enumerate(vals)]
    below = [v - epsilon if i == arg else v for i, v in enumerate(vals)]
    return (f(*above) - f(*below)) / (2 * epsilon)


class Context:
    """What ``forward`` saves for ``backward``.

    Args:
        no_grad: True where no derivative is needed: then nothing is saved.
        saved_values: What is saved at the start.
    """

    __slots__ = ("inputs", "no_grad", "saved_values", "time")

    def __init__(self, no_grad: bool = False, saved_values: tuple[Any, ...] = ()) -> None:
        self.no_grad = no_grad
        self.time = clock.now  # of the call, counted in changes in place: see `minitorch.runtime.versions`
        self.saved_values = tuple(saved_values)
        self.inputs: Sequence[Variable] = ()

    def save_for_backward(self, *values: Any) -> None:
        """Save ``values``; ``backward`` reads them as ``saved_values``."""
        if not self.no_grad:
            self.saved_values = values

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The same as ``saved_values``."""
        return self.saved_values

    def needs(self, operand: int) -> bool:
        """Tell whether the derivative of this operand is needed; outside a graph, all are."""
        return not self.inputs or self.inputs[operand].history is not None

    def require_unchanged(self, name: str) -> None:
        """Check that what was saved by ``forward`` of the Function ``name`` is still what it was.

        Raises:
            RuntimeError: A saved tensor was changed in place since the call.
        """
        for value in _each(self.saved_values):
            if isinstance(value, Stored) and changed_since(value._tensor._storage, self.time):
                raise RuntimeError(
                    f"backward: {name} needs a tensor of shape {value._tensor.shape} that was changed in place since, "
                    "by item assignment, copy_ or the step of an optimizer: run the forward pass again, "
                    "or change a clone()"
                )


class Function:
    """A differentiable function, written as two static methods.

    ``forward(ctx, *raw, **settings)`` receives the values of the operands (floats, or TensorData) and returns a result
    of that kind. ``backward(ctx, d)`` receives the derivative of the result and returns one derivative per operand, as
    a tuple if there are several: a value that broadcasts with the operand, or a number; 0.0 means none.

    ``F.apply(x)`` calls it. ``F(**settings)`` makes a callable: ``F()(x)`` is ``F.apply(x)``.
    """

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]
    in_place: ClassVar[bool] = False  # whether forward changes its first operand, which gets the new history

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def __call__(self, *values: Any) -> Any:
        return self.apply(*values, **self.settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings.items())})"

    @classmethod
    def apply(cls, *values: Any, **settings: Any) -> Any:
        """Compute on ``values`` (Variables and plain numbers), and record the call if an operand has a history.

        With plain numbers only, the result is a plain number.

        Raises:
            TypeError: The Variables are of different kinds, an operand is neither a Variable nor a number, or
                ``forward`` returns something else than a value of their kind.
        """
        first: Variable | None = None
        for v in values:
            if isinstance(v, Variable):
                first = v
                break
        if first is None:
            for v in values:
                if not isinstance(v, Number):
                    raise TypeError(
                        f"{cls.__name__}: expected a Tensor, a Scalar or a number as operand, got {type(v).__name__}; "
                        "wrap arrays and lists with minitorch.tensor"
                    )
            return cls._forward(Context(no_grad=True), *values, **settings)
        inputs: list[Variable] = []
        tracked, kind = False, first.__class__
        for v in values:
            if not isinstance(v, Variable):
                v = first._lift(v)
            elif v.__class__ is not kind and not (isinstance(v, kind) or isinstance(first, v.__class__)):
                raise TypeError(f"{cls.__name__}: cannot mix a {kind.__name__} with a {type(v).__name__}")
            elif v.history is not None:
                tracked = True
            inputs.append(v)
        tracked = tracked and mode.enabled
        if assigned and mode.enabled:
            for v in inputs:
                v._require_own_history(cls.__name__)
        ctx = Context(not tracked)
        if tracked:
            ctx.inputs = inputs
        raw = cls._forward(ctx, *[v._unwrap() for v in inputs], **settings)
        made = first._wrap(raw, History(cls, ctx, inputs) if tracked else None)
        if made is NotImplemented:
            raise TypeError(
                f"{cls.__name__}.forward: expected a result of the kind of its operands "
                f"({type(first._unwrap()).__name__}), got {type(raw).__name__}"
            )
        return made

    @classmethod
    def _forward(cls, ctx: Context, *raw: Any, **settings: Any) -> Any:
        return cls.forward(ctx, *raw, **settings)

    @classmethod
    def _backward(cls, ctx: Context | None, d: Any) -> tuple[Any, ...]:
        return wrap_tuple(cls.backward(ctx, d))

    @classmethod
    def derivatives(cls, ctx: Context | None, inputs: Sequence[Any], d_output: Any) -> tuple[Any, ...]:
        """Run ``backward`` and check that it returns one derivative per operand.

        Raises:
            TypeError: It returns more or fewer, or None for an operand.
            RuntimeError: A value that it needs was changed in place since the call.
        """
        if ctx is not None and ctx.time != clock.now:
            ctx.require_unchanged(cls.__name__)
        ds = cls._backward(ctx, d_output)
        if len(ds) != len(inputs):
            raise TypeError(
                f"{cls.__name__}.backward: expected one derivative for each operand of forward, "
                f"got {len(ds)} for {len(inputs)}"
            )
        for d in ds:
            if d is None:
                k = [d is None for d in ds].index(True)
                raise TypeError(
                    f"{cls.__name__}.backward: expected a derivative for operand {k}, got None; return 0.0 for none"
                )
        return ds

    @classmethod
    def chain_rule(
        cls, ctx: Context | None, inputs: Sequence[Any], d_output: Any
    ) -> list[tuple[Variable, Any]]:
        """Pair each non-constant operand with its derivative, as the chain rule of the 2020 course does."""
        return [
            (v, v._fit(d))
            for v, d in zip(inputs, cls.derivatives(ctx, inputs, d_output))
            if isinstance(v, Variable) and v.history is not None
        ]


class History:
    """How a variable was computed: the Function, its Context and its operands; all are empty for a leaf."""

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
        """Tell whether this is the history of a leaf."""
        return self.last_fn is None

    def operands(self) -> Sequence[Any]:
        """Return the operands with the histories that they had at the call; item assignment may have added to them."""
        ctx = self.ctx
        if ctx is None or not assigned:
            return self.inputs
        return [v.at(ctx.time) if isinstance(v, Variable) else v for v in self.inputs]

    def backprop_step(self, d_output: Any) -> list[tuple[Variable, Any]]:
        """Pair each non-constant operand of the recorded call with its derivative.

        Raises:
            RuntimeError: This is the history of a leaf.
        """
        if self.last_fn is None:
            raise RuntimeError("cannot backpropagate through a leaf: no function created it")
        return self.last_fn.chain_rule(self.ctx, self.operands(), d_output)


class Variable:
    """A value with a history: the common base of Scalar and Tensor."""

    __slots__ = ("__weakref__", "_hooks", "_id", "history", "name")

    def __init__(self, history: History | None, name: str | None) -> None:
        self.history = history
        self.name = name
        self._id = 0
        self._hooks: tuple[tuple[Callable[[Any], None]], ...] = ()

    def _lift(self, x: Any) -> Variable:
        raise NotImplementedError

    def _unwrap(self) -> Any:
        raise NotImplementedError

    def _wrap(self, raw: Any, history: History | None) -> Any:
        raise NotImplementedError

    def _fit(self, d: Any) -> Any:
        raise NotImplementedError

    def _store_derivative(self, d: Any, owned: set[int]) -> None:
        raise NotImplementedError

    def _require_own_history(self, op: str) -> None:
        """Check that no item assignment through another variable changed the value of this one."""

    def at(self, time: int) -> Variable:
        """Return the variable that this one was at a time: itself, or what item assignment has changed since."""
        v, h = self, self.history
        while h is not None and h.last_fn is not None and h.last_fn.in_place and h.ctx.time > time:  # type: ignore[union-attr]
            v = h.inputs[0]
            h = v.history
        return v

    @property
    def unique_id(self) -> int:
        """A number that no other variable of this process has."""
        if not self._id:
            self._id = next(_ids)
        return self._id

    @property
    def parents(self) -> Sequence[Any]:
        """The operands of the call that computed this variable."""
        h = self.history
        return () if h is None else h.operands() if assigned else h.inputs

    def is_leaf(self) -> bool:
        """Tell whether the user made this variable and wants its derivative."""
        return self.history is not None and self.history.last_fn is None

    def is_constant(self) -> bool:
        """Tell whether this variable has no history, and so gets no derivative."""
        return self.history is None

    def accumulate_derivative(self, x: Any) -> None:
        """Add ``x`` to the derivative of this leaf.

        Raises:
            RuntimeError: This variable is not a leaf.
        """
        if not self.is_leaf():
            raise RuntimeError("accumulate_derivative: only leaves collect a derivative")
        self._store_derivative(self._fit(x), set())

    def _finish_leaf(self, d: Any, owned: set[int]) -> None:
        """Store the final derivative that a backward pass found for this leaf, and call its hooks."""
        self._store_derivative(d, owned)
        for (hook,) in self._hooks:
            hook(self)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``hook(leaf)`` in each backward pass, as soon as the derivative of this leaf is final.

        Returns:
            A function that removes this registration; the same hook may be registered more than once.
        """
        entry = (hook,)
        self._hooks = (*self._hooks, entry)

        def remove() -> None:
            self._hooks = tuple(e for e in self._hooks if e is not entry)

        return remove

    def chain_rule(self, d_output: Any) -> Iterable[tuple[Any, Any]]:
        """Pair each operand (constants included) of the call that computed this variable with its derivative.

        Raises:
            RuntimeError: This is a leaf or a constant.
            TypeError: ``backward`` returned a wrong number of derivatives.
        """
        h = self.history
        if h is None or h.last_fn is None:
            raise RuntimeError("chain_rule: expected a computed variable, got a leaf or a constant")
        inputs = h.operands() if assigned else h.inputs
        ds = h.last_fn.derivatives(h.ctx, inputs, d_output)
        return [(v, d if v.history is None else v._fit(d)) for v, d in zip(inputs, ds)]


def topological_sort(variable: Variable) -> list[Variable]:
    """List the non-constant variables that ``variable`` was computed from, each once and before its operands.

    ``variable`` itself comes first.
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
    """Count how often recorded calls use each non-constant variable, by ``id``."""
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
    variable: Variable | tuple[Variable, Any], deriv: Any = None, owned: Iterable[int] = ()
) -> None:
    """Add the derivatives of ``variable`` to the leaves that it was computed from.

    A variable is visited once: when the last call that uses it has passed its derivative on. A leaf then gets its final
    derivative, and a derivative in between is freed as soon as it has been passed on. There is no recursion, so a chain
    of any length works.

    Args:
        variable: The last variable, or a pair of it and its derivative.
        deriv: The derivative of ``variable``.
        owned: Ids of storages that belong to somebody else: a leaf whose derivative lies there copies it. Leaves do not
            share storage with each other either.
    """
    owned = set(owned)
    if isinstance(variable, tuple):
        variable, deriv = variable
    if variable.is_leaf():
        variable._finish_leaf(variable._fit(deriv), owned)
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
                parent._finish_leaf(pd, owned)
            else:
                ready.append((parent, pd))


def _each(values: Any) -> Iterator[Any]:
    """Iterate over values, and over those in lists and tuples among them."""
    for v in values:
        if isinstance(v, list | tuple):
            yield from _each(v)
        else:
            yield v


def wrap_tuple(x: Any) -> tuple[Any, ...]:
    """Return ``x`` if it is a tuple, else ``(x,)``."""
    return x if isinstance(x, tuple) else (x,)


def unwrap_tuple(x: tuple[Any, ...]) -> Any:
    """Return the element of a tuple of one, else the tuple."""
    return x[0] if len(x) == 1 else x
