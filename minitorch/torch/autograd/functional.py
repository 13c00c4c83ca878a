"""``torch.autograd.functional``: Jacobians, and their products with vectors, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..creation import zeros, zeros_like
from ..elementwise import mul
from ..joining import stack
from ..reductions import sum as _sum
from ..shapes import reshape
from ..tensor import Tensor
from .derivatives import grad
from .grad_mode import enable_grad


def _leaves(inputs: Any, create_graph: bool) -> tuple[Tensor, ...]:
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for x in given:
        if not isinstance(x, Tensor):
            raise TypeError(f"The inputs given to the function must be Tensors, but got a {type(x).__name__}")
    if create_graph:  # the result can be differentiated for the inputs too
        return tuple(x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in given)
    return tuple(x.detach().requires_grad_() for x in given)


def _results(out: Any) -> tuple[Tensor, ...]:
    found = (out,) if isinstance(out, Tensor) else tuple(out)
    for y in found:
        if not isinstance(y, Tensor):
            raise TypeError(
                f"The outputs of the user-provided function must be Tensors, but got a {type(y).__name__}"
            )
    return found


def _like(given: Any, parts: Any) -> Any:
    """Return one part for one tensor, else a tuple."""
    return parts[0] if isinstance(given, Tensor) else tuple(parts)


def _rows(y: Tensor, xs: tuple[Tensor, ...], create_graph: bool = False) -> list[Tensor]:
    """Return the derivatives of each element of ``y`` for each of the tensors: shape of ``y``, then that of ``x``."""
    if not y.requires_grad:
        return [zeros(*y.shape, *x.shape, dtype=x.dtype, device=x.device) for x in xs]
    found: list[list[Tensor]] = [[] for _ in xs]
    for k in range(y.numel()):
        start = zeros_like(y.detach()).reshape(-1)
        start[k] = 1
        ds = grad(y, xs, reshape(start, *y.shape), create_graph=create_graph, allow_unused=True)
        for rows, d, x in zip(found, ds, xs):
            rows.append(zeros_like(x.detach()) if d is None else d)
    return [
        reshape(stack(rows), *y.shape, *x.shape) if rows else zeros(*y.shape, *x.shape, dtype=x.dtype)
        for rows, x in zip(found, xs)
    ]


def _evaluated(func: Callable[..., Any], inputs: Any, create_graph: bool) -> tuple[Any, Any, Any]:
    """Return leaves with the values of ``inputs``, the function's result for them, and its tensors in a list."""
    xs = _leaves(inputs, create_graph)
    with enable_grad():
        out = func(*xs)
    ys = _results(out)
    return xs, out, ys


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the derivatives of each element of the result for each element of the inputs.

    Args:
        func: A function of tensors that returns a tensor or a tuple.
        inputs: A tensor, or a tuple.
        create_graph: Whether the derivatives are recorded, so that they can be differentiated themselves.
        strict: Whether a result that does not depend on the inputs is an error.
        vectorize: Accepted, and changes nothing.
        strategy: Accepted: rows are computed one by one.

    Returns:
        For one input and one result, a tensor: shape of the result, then that of the input. Else tuples of them, the
        results outside.
    """
    xs, out, ys = _evaluated(func, inputs, create_graph)
    if strict and not all(y.requires_grad for y in ys):
        raise RuntimeError("The output of the user-provided function is independent of the input.")
    return _like(out, [_like(inputs, _rows(y, xs, create_graph)) for y in ys])


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the result of a function, and the product of ``v`` and its Jacobian."""
    xs, out, ys = _evaluated(func, inputs, create_graph)
    if v is None and (len(ys) > 1 or ys[0].numel() != 1):
        raise RuntimeError(
            "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
        )
    starts = None if v is None else ((v,) if isinstance(v, Tensor) else tuple(v))
    ds = grad(ys, xs, starts, create_graph=create_graph, allow_unused=True)
    found = [zeros_like(x.detach()) if d is None else d for d, x in zip(ds, xs)]
    return _like(out, [y if create_graph else y.detach() for y in ys]), _like(inputs, found)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the result of a function, and the product of its Jacobian and ``v``: computed row by row."""
    xs, out, ys = _evaluated(func, inputs, create_graph)
    if v is None and (len(xs) > 1 or xs[0].numel() != 1):
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element."
        )
    ways = [zeros_like(xs[0].detach()) + 1] if v is None else [v] if isinstance(v, Tensor) else list(v)
    found = []
    for y in ys:
        products = [
            _sum(mul(row, way), tuple(range(y.ndim, row.ndim))) if way.ndim else mul(row, way)
            for row, way in zip(_rows(y, xs, create_graph), ways)
        ]
        total = products[0]
        for p in products[1:]:
            total = total + p
        found.append(total)
    return _like(out, [y if create_graph else y.detach() for y in ys]), _like(out, found)


def _single(func: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """Return the function, which checks that its result has one element."""

    def checked(*xs: Tensor) -> Tensor:
        out = func(*xs)
        if not isinstance(out, Tensor):
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if out.numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single element"
            )
        return reshape(out)

    return checked


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of a function whose result has one element; arguments as for `jacobian`.

    Returns:
        For one input, a tensor: its shape twice. Else a tuple of tuples of them, one for each pair of inputs.
    """

    def slopes(*xs: Tensor) -> tuple[Tensor, ...]:
        found = jacobian(_single(func, "hessian"), xs, create_graph=True)
        return tuple(found)

    rows = jacobian(slopes, inputs, create_graph, strict)
    return rows[0] if isinstance(inputs, Tensor) else rows


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the result of a function with one element, and the product of ``v`` and its second derivatives."""
    xs, out, _ = _evaluated(_single(func, "vhp"), inputs, create_graph)
    if v is None and (len(xs) > 1 or xs[0].numel() != 1):
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element."
        )
    ways = [zeros_like(xs[0].detach()) + 1] if v is None else [v] if isinstance(v, Tensor) else list(v)
    with enable_grad():
        found = grad(out, xs, create_graph=True, allow_unused=True)
        terms = [_sum(mul(d, way)) for d, way in zip(found, ways) if d is not None]
        total = zeros(dtype=xs[0].dtype) if not terms else terms[0]
        for term in terms[1:]:
            total = total + term
    seconds: Any = [None] * len(xs)
    if total.requires_grad:
        seconds = grad(total, xs, create_graph=create_graph, allow_unused=True)
    products = [zeros_like(x.detach()) if d is None else d for d, x in zip(seconds, xs)]
    return out if create_graph else out.detach(), _like(inputs, products)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Do `vhp`: the second derivatives are symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
