"""Derivatives for chosen tensors, and backward from several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import topological_sort
from ...tensor import Tensor as Core
from ...tensor_functions.late_relu import separate
from ..tensor import Tensor, require_first_order, wrap


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
        if d is not None and d.shape != out.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[0] has a shape of {d.shape} and output[0] has a shape of {out.shape}."
            )
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
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the derivatives of ``outputs``, times ``grad_outputs``, for ``inputs``; no leaf collects anything.

    Raises:
        RuntimeError: An input was not used, and ``allow_unused`` is not True.
        NotImplementedError: ``create_graph`` is True.
    """
    require_first_order(create_graph)
    if is_grads_batched:
        raise NotImplementedError("grad: is_grads_batched=True is not here: call grad once for each row")
    outs, wanted = _tensors(outputs), _tensors(inputs)
    starts = _starts(outs, grad_outputs)
    for x in wanted:
        if not x.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    found: list[Any] = [None] * len(wanted)
    for out, start in zip(outs, starts):
        for k, d in enumerate(_gradients(out._value, start, [x._value for x in wanted])):
            if d is not None:
                found[k] = d if found[k] is None else found[k] + d
    if materialize_grads:
        found = [x._value._tensor.filled(0.0) if d is None else d for d, x in zip(found, wanted)]
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
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: Any = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the derivatives of tensors, times ``grad_tensors``, to the leaves they were computed from.

    Args:
        tensors: A tensor, or several.
        grad_tensors: As many derivatives; None where a tensor has one element.
        retain_graph: Accepted: the graph is always kept.
        create_graph: True is refused: there are no derivatives of derivatives.
        inputs: The leaves that collect a derivative; None means all.

    Raises:
        RuntimeError: A tensor requires no gradient, or has several elements and no derivative is given.
    """
    require_first_order(create_graph)
    outs = _tensors(tensors)
    given = [None] * len(outs) if grad_tensors is None else _tensors(grad_tensors)
    starts = _starts(outs, given)
    if inputs is not None:
        leaves = _tensors(inputs)
        if not leaves:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
        for x, g in zip(leaves, grad(outs, leaves, given, allow_unused=True)):
            if g is not None:
                x.grad = g if x.grad is None else x.grad + g
        return
    for out, d, start in zip(outs, given, starts):
        out._value.backward(None if d is None else Core(start))


def backward_of(
    input: Tensor,
    gradient: Any = None,
    retain_graph: Any = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the derivatives of this tensor, times ``gradient``, to the leaves it was computed from; see `backward`."""
    backward(input, None if gradient is None else [gradient], retain_graph, create_graph, inputs)
