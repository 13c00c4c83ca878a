"""Differentiable functions of the user's own: `Function` with ``forward`` and ``backward`` that get Tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import autodiff
from ...tensor import Tensor as Core
from ...tensor_functions.shape import Copy
from ..creation import zeros_like
from ..joining import cat
from ..tensor import Tensor, is_float, wrap
from .grad_mode import no_grad


class FunctionCtx:
    """What ``forward`` of a `Function` saves for ``backward``; any attribute can be set."""

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()
        self._constants: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Save tensors; ``backward`` reads them as ``saved_tensors``."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved."""
        return self._saved

    def mark_dirty(self, *tensors: Any) -> None:
        """Accepted, and changes nothing."""

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Make these results constants."""
        self._constants = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Accepted, and changes nothing: there is no forward mode."""

    def set_materialize_grads(self, value: bool) -> None:
        """Accepted, and changes nothing."""


class _Call:
    """One call of a `Function`: its context, and what it returned.

    Attributes:
        kind: The class.
        ctx: The context.
        count: The number of arguments.
        places: The numbers of those that are Tensors of fractions.
        results: What ``forward`` returned, as a tuple.
        recorded: The numbers of the results that have a derivative.
    """

    def __init__(self, kind: type[Function], args: tuple[Any, ...]) -> None:
        self.kind, self.ctx, self.count, self.args = kind, FunctionCtx(), len(args), args
        self.places = [k for k, a in enumerate(args) if is_float(a)]
        self.ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        self.single = True
        self.results: tuple[Any, ...] = ()
        self.recorded: list[int] = []

    def run(self) -> None:
        """Call ``forward`` on constants that share the memory of the arguments."""
        plain = [wrap(a._value.detach()) if k in self.places else a for k, a in enumerate(self.args)]
        self.args = ()
        with no_grad():
            if self.kind.setup_context is Function.setup_context:
                out = self.kind.forward(self.ctx, *plain)
            else:
                out = self.kind.forward(*plain)
                self.kind.setup_context(self.ctx, tuple(plain), out)
        self.single = not isinstance(out, tuple)
        given = [id(p._value) for p in plain if isinstance(p, Tensor)]
        constants = [id(t) for t in self.ctx._constants]
        self.recorded = [
            k for k, r in enumerate((out,) if self.single else out) if is_float(r) and id(r) not in constants
        ]
        self.results = tuple(
            wrap(Copy.apply(r._value))
            if isinstance(r, Tensor) and id(r._value) in given and is_float(r)
            else r
            for r in ((out,) if self.single else out)
        )

    def returned(self, results: tuple[Any, ...]) -> Any:
        """Return results as ``forward`` returned them: one, or a tuple."""
        return results[0] if self.single else results

    def parts(self, flat: Tensor) -> list[Tensor]:
        """Return the recorded results of a vector of all their elements."""
        shapes = [self.results[k].shape for k in self.recorded]
        ends = np.cumsum([0, *(s.numel() for s in shapes)]).tolist()
        return [flat[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], shapes)]


class _Users(autodiff.Function):
    """A `Function` of the user's, on the operands that are Tensors of fractions; several results are one vector."""

    @staticmethod
    def forward(ctx: Any, *raw: Any, call: _Call) -> Any:
        call.run()
        ctx.save_for_backward(call)
        found = [call.results[k] for k in call.recorded]
        if not found:
            raise TypeError(
                f"{call.kind.__name__}.forward: expected a Tensor of fractions among the results, got "
                f"{', '.join(type(r).__name__ for r in call.results)}"
            )
        return (found[0] if len(found) == 1 else cat([r.reshape(-1) for r in found]))._value._tensor

    @staticmethod
    def backward(ctx: Any, d: Any) -> tuple[Any, ...]:
        (call,) = ctx.saved_values
        given = wrap(Core(d))
        parts = [given] if len(call.recorded) == 1 else call.parts(given)
        starts = dict(zip(call.recorded, parts))
        with no_grad():
            ds = call.kind.backward(
                call.ctx,
                *(
                    starts[k] if k in starts else zeros_like(r) if isinstance(r, Tensor) else None
                    for k, r in enumerate(call.results)
                ),
            )
        found = list(ds) if isinstance(ds, tuple) else [ds]
        while len(found) > call.count and found[-1] is None:
            found.pop()
        if len(found) != call.count:
            raise RuntimeError(
                f"function {call.kind.__name__}Backward returned an incorrect number of gradients (expected "
                f"{call.count}, got {len(found)})"
            )
        return tuple(0.0 if found[k] is None else found[k]._value._tensor for k in call.places)


class Function:
    """A differentiable function of the user's: static methods ``forward(ctx, ...)`` and ``backward(ctx, *grads)``.

    ``F.apply(...)`` calls it. ``forward`` returns a tensor or a tuple. With ``setup_context(ctx, inputs, output)``,
    ``forward`` gets no context.
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Return the result; a subclass defines it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what ``backward`` needs; a subclass may define it."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return a derivative for each argument of ``forward``; a subclass defines it."""
        raise NotImplementedError(
            "You must implement either the backward method for your custom autograd.Function."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute, and record the call."""
        call = _Call(cls, args)
        if not any(call.ctx.needs_input_grad):
            call.run()
            return call.returned(call.results)
        out = wrap(_Users.apply(*(args[k]._value for k in call.places), call=call), op=cls.__name__)
        found = dict(zip(call.recorded, [out] if len(call.recorded) == 1 else call.parts(out)))
        return call.returned(tuple(found.get(k, r) for k, r in enumerate(call.results)))
