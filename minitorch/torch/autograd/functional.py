"""``torch.autograd.functional``: Jacobians, and their products with vectors, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ..creation import zeros, zeros_like
from ..elementwise import mul
from ..joining import stack
from ..reductions import sum as _sum
from ..shapes import reshape
from ..tensor import Tensor, require_first_order
from .derivatives import grad
from .grad_mode import enable_grad


def _leaves(inputs: Any) -> tuple[Tensor, ...]:
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for x in given:
        if not isinstance(x, Tensor):
            raise TypeError(f"The inputs given to the function must be Tensors, but got a {type(x).__name__}")
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


def _rows(y: Tensor, xs: tuple[Tensor, ...]) -> list[Tensor]:
    """Return the derivatives of each element of ``y`` for each of the tensors: shape of ``y``, then that of ``x``."""
    if not y.requires_grad:
        return [zeros(*y.shape, *x.shape, dtype=x.dtype, device=x.device) for x in xs]
    found: list[list[Tensor]] = [[] for _ in xs]
    for k in range(y.numel()):
        start = zeros_like(y.detach()).reshape(-1)
        start[k] = 1
        ds = grad(y, xs, reshape(start, *y.shape), allow_unused=True)
        for rows, d, x in zip(found, ds, xs):
            rows.append(zeros_like(x.detach()) if d is None else d)
    return [
        reshape(stack(rows), *y.shape, *x.shape) if rows else zeros(*y.shape, *x.shape, dtype=x.dtype)
        for rows, x in zip(found, xs)
    ]


def _evaluated(func: Callable[..., Any], inputs: Any, create_graph: bool) -> tuple[Any, Any, Any]:
    """Return leaves with the values of ``inputs``, the function's result for them, and its tensors in a list."""
    require_first_order(create_graph)
    xs = _leaves(inputs)
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
        create_graph: True is refused: there are no derivatives of derivatives.
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
    return _like(out, [_like(inputs, _rows(y, xs)) for y in ys])


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
    ds = grad(ys, xs, starts, allow_unused=True)
    found = [zeros_like(x.detach()) if d is None else d for d, x in zip(ds, xs)]
    return _like(out, [y.detach() for y in ys]), _like(inputs, found)


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
            for row, way in zip(_rows(y, xs), ways)
        ]
        total = products[0]
        for p in products[1:]:
            total = total + p
        found.append(total)
    return _like(out, [y.detach() for y in ys]), _like(out, found)


def _second_order(name: str) -> Callable[..., NoReturn]:
    def function(func: Any, inputs: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"autograd.functional.{name}: minitorch has no derivatives of derivatives; use real PyTorch for them"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Refuse: it needs derivatives of derivatives."
    return function


hessian, hvp, vhp = _second_order("hessian"), _second_order("hvp"), _second_order("vhp")
