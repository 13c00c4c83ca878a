"""Recording on and off, derivatives for chosen tensors, functions of the user's own, and their check.

A `Function` of the user's becomes a Function of the core, whose ``forward`` and ``backward`` get Tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from .. import autodiff
from ..autodiff import no_grad as _core_no_grad
from ..autodiff import topological_sort
from ..runtime import grad_mode
from ..tensor import Tensor as Core
from ..tensor_functions.late_relu import separate
from ..tensor_functions.shape import Copy
from .tensor import Tensor, is_float, require_first_order, to_array, wrap

Variable = Tensor


class no_grad(_core_no_grad):
    """Context manager and decorator inside which nothing is recorded."""


class inference_mode(_core_no_grad):
    """The same as `no_grad`; ``inference_mode(False)`` changes nothing."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls, mode)
        made = super().__new__(cls)
        made.mode = mode
        return made

    def __init__(self, mode: Any = True) -> None:
        super().__init__()

    def __enter__(self) -> Any:
        grad_mode.mode.before.append(grad_mode.mode.enabled)
        if self.mode:
            grad_mode.mode.enabled = False
        return self

    mode: bool = True


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded."""
    return autodiff.grad_enabled()


class set_grad_enabled(ContextDecorator):
    """Turns recording on or off: at once, and as a context manager until its end."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = grad_mode.mode.enabled
        grad_mode.mode.enabled = self.mode

    def __enter__(self) -> None:
        grad_mode.mode.enabled = self.mode

    def __exit__(self, *exc: object) -> None:
        grad_mode.mode.enabled = self._before

    def _recreate_cm(self) -> Any:
        return self

    def __call__(self, func: Any) -> Any:
        grad_mode.mode.enabled = self._before
        return super().__call__(func)


class enable_grad(ContextDecorator):
    """Context manager and decorator inside which operations are recorded, also within `no_grad`."""

    def __enter__(self) -> None:
        grad_mode.mode.before.append(grad_mode.mode.enabled)
        grad_mode.mode.enabled = True

    def __exit__(self, *exc: object) -> None:
        grad_mode.mode.enabled = grad_mode.mode.before.pop()


class set_detect_anomaly(ContextDecorator):
    """Accepted, and changes nothing."""

    def __init__(self, mode: bool = True, check_nan: bool = True) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


detect_anomaly = set_detect_anomaly


def _tensors(given: Any) -> list[Tensor]:
    return [given] if isinstance(given, Tensor) else list(given)


def _starts(outputs: list[Tensor], grad_outputs: Any) -> list[Any]:
    given = [None] * len(outputs) if grad_outputs is None else _tensors(grad_outputs)
    starts = []
    for out, d in zip(outputs, given):
        if not out.requires_grad:
            raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
        if d is None and out.numel() != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        starts.append(out._value._tensor.filled(1.0) if d is None else d._value._tensor)
    return starts


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: Any = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
) -> tuple[Any, ...]:
    """Return the derivatives of ``outputs``, times ``grad_outputs``, for ``inputs``; no leaf collects anything.

    Raises:
        RuntimeError: An input was not used, and ``allow_unused`` is not True.
        NotImplementedError: ``create_graph`` is True.
    """
    require_first_order(create_graph)
    outs, wanted = _tensors(outputs), _tensors(inputs)
    for x in wanted:
        if not x.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    found: list[Any] = [None] * len(wanted)
    for out, start in zip(outs, _starts(outs, grad_outputs)):
        for k, d in enumerate(_gradients(out._value, start, [x._value for x in wanted])):
            if d is not None:
                found[k] = d if found[k] is None else found[k] + d
    if not allow_unused and any(d is None for d in found):
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
            "this is the desired behavior."
        )
    return tuple(None if d is None else wrap(Core(x._value._fit(d))) for d, x in zip(found, wanted))


def _gradients(variable: Core, start: Any, wanted: Sequence[Core]) -> list[Any]:
    """Return the derivatives for variables of the graph, None for one that is not in it."""
    found: dict[int, Any] = {id(v): None for v in wanted}
    pending: dict[int, Any] = {id(variable): start}
    order = topological_sort(variable)
    if separate(order, set(found)):
        order = topological_sort(variable)
    for v in order:
        d = pending.pop(id(v), None)
        if d is None:
            continue
        if id(v) in found:
            found[id(v)] = d
        if v.is_leaf():
            continue
        for parent, pd in v.chain_rule(d):
            if parent.history is not None:
                before = pending.get(id(parent))
                pending[id(parent)] = pd if before is None else before + pd
    return [found[id(v)] for v in wanted]


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: Any = None, create_graph: bool = False
) -> None:
    """Add the derivatives of several tensors to the leaves they were computed from."""
    outs = _tensors(tensors)
    given = [None] * len(outs) if grad_tensors is None else _tensors(grad_tensors)
    for out, d in zip(outs, given):
        out.backward(d, retain_graph, create_graph)


class FunctionCtx:
    """What ``forward`` of a `Function` saves for ``backward``; any attribute can be set."""

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()

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
        """Accepted, and changes nothing."""

    def set_materialize_grads(self, value: bool) -> None:
        """Accepted, and changes nothing."""


class _Users(autodiff.Function):
    """A `Function` of the user's, on the operands that are Tensors of fractions."""

    @staticmethod
    def forward(ctx: Any, *raw: Any, call: Any) -> Any:
        own, out = call()
        ctx.save_for_backward(own)
        return out._value._tensor

    @staticmethod
    def backward(ctx: Any, d: Any) -> tuple[Any, ...]:
        (own,) = ctx.saved_values
        kind, own_ctx, places = own
        with no_grad():
            ds = kind.backward(own_ctx, wrap(Core(d)))
        found = ds if isinstance(ds, tuple) else (ds,)
        if len(found) != places[-1]:
            raise RuntimeError(
                f"function {kind.__name__}Backward returned an incorrect number of gradients (expected {places[-1]}, "
                f"got {len(found)})"
            )
        return tuple(0.0 if found[k] is None else found[k]._value._tensor for k in places[:-1])


class Function:
    """A differentiable function of the user's: static methods ``forward(ctx, ...)`` and ``backward(ctx, grad)``.

    ``F.apply(...)`` calls it. One tensor is returned; more than one is not supported.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the result; a subclass defines it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return a derivative for each argument of ``forward``; a subclass defines it."""
        raise NotImplementedError(
            "You must implement either the backward method for your custom autograd.Function."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute, and record the call."""
        places = [k for k, a in enumerate(args) if is_float(a)]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)

        def call() -> Any:
            with no_grad():
                plain = [wrap(a._value.detach()) if k in places else a for k, a in enumerate(args)]
                out = cls.forward(ctx, *plain)
            if not isinstance(out, Tensor):
                raise TypeError(
                    f"{cls.__name__}.forward: expected one Tensor as result, got {type(out).__name__}"
                )
            if any(out._value is p._value for p in plain if isinstance(p, Tensor)):
                out = wrap(Copy.apply(out._value))
            return (cls, ctx, [*places, len(args)]), out

        if not any(ctx.needs_input_grad):
            return call()[1]
        return wrap(_Users.apply(*(args[k]._value for k in places), call=call), op=cls.__name__)


def gradcheck(
    func: Any,
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    **ignored: Any,
) -> bool:
    """Compare the derivatives of ``func`` with differences, for all elements of inputs that require a gradient.

    Raises:
        GradcheckError: They differ, and ``raise_exception`` is True.
    """
    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for number, x in enumerate(tensors):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        out = func(*tensors)
        values = to_array(x)
        for k in range(out.numel()):
            start = np.zeros(tuple(out.shape), out.dtype.numpy)
            start.reshape(-1)[k] = 1
            (d,) = grad(out, x, wrap(Core(out._value.f.from_array(start))), allow_unused=True)
            found = np.zeros(values.size) if d is None else to_array(d).reshape(-1)
            flat = values.reshape(-1)
            expected = np.empty(values.size)
            for j in range(values.size):
                before = flat[j]
                results = []
                for moved in (before + eps, before - eps):
                    flat[j] = moved
                    with no_grad():
                        results.append(to_array(func(*tensors)).reshape(-1)[k])
                flat[j] = before
                expected[j] = (results[0] - results[1]) / (2 * eps)
            if not np.allclose(found, expected, rtol, atol):
                if raise_exception:
                    raise GradcheckError(
                        f"Jacobian mismatch for output 0 with respect to input {number}: backward gives {found}, "
                        f"differences give {expected}"
                    )
                return False
    return True


class GradcheckError(RuntimeError):
    """`gradcheck` found a wrong derivative."""
