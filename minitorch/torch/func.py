"""``torch.func``: gradients, Jacobians and `vmap` of functions, and modules as functions of their parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

from .autograd import functional
from .autograd.derivatives import grad as _derivatives
from .autograd.grad_mode import enable_grad
from .creation import zeros_like
from .functions.trees import leaves, mapped
from .joining import stack
from .nn.utils.stateless import functional_call as functional_call
from .tensor import Tensor, tracked


class _Depth:
    """How many calls of `grad` are running, one within the other."""

    now = 0


def _variable(x: Any) -> Any:
    """Return a leaf on the same memory.

    Raises:
        NotImplementedError: The tensor belongs to a derivative that is being computed.
    """
    if not isinstance(x, Tensor):
        return x
    if tracked(x) and (_Depth.now or not x.is_leaf):
        raise NotImplementedError(
            "func.grad of a tensor that is differentiated already: minitorch has no derivatives of derivatives; use "
            "real PyTorch for them"
        )
    return x.detach().requires_grad_() if x.is_floating_point() else x


def _gradient(
    func: Callable[..., Any], argnums: Any, has_aux: bool, args: Any, kwargs: Any
) -> tuple[Any, ...]:
    """Return the derivatives, the value and what else ``func`` returned."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    numbers = tuple(n % len(args) for n in numbers)
    moved = [mapped(_variable, a) if k in numbers else a for k, a in enumerate(args)]
    _Depth.now += 1
    try:
        with enable_grad():
            out = func(*moved, **kwargs)
    finally:
        _Depth.now -= 1
    value, aux = out if has_aux else (out, None)
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(value).__name__}"
        )
    if value.ndim:
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with {value.ndim} dims."
            " Maybe you wanted to use the vjp or jacrev APIs instead?"
        )
    wanted = [x for n in numbers for x in leaves(moved[n])]
    if value.requires_grad:
        found = iter(_derivatives(value, wanted, allow_unused=True))
    else:
        found = iter([None] * len(wanted))

    def of(x: Tensor) -> Tensor:
        d = next(found)
        return zeros_like(x.detach()) if d is None else d

    grads = tuple(mapped(of, moved[n]) for n in numbers)
    return (grads[0] if isinstance(argnums, int) else grads), value.detach(), aux


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``func``, which returns one number.

    Args:
        func: The function of tensors, or of nested dicts, lists and tuples of them.
        argnums: The number of the argument, or a tuple of numbers.
        has_aux: Whether ``func`` returns a pair: the number, and anything else, which is returned too.
    """

    @functools.wraps(func)
    def function(*args: Any, **kwargs: Any) -> Any:
        grads, _, aux = _gradient(func, argnums, has_aux, args, kwargs)
        return (grads, aux) if has_aux else grads

    return function


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``func`` and its value."""

    @functools.wraps(func)
    def function(*args: Any, **kwargs: Any) -> Any:
        grads, value, aux = _gradient(func, argnums, has_aux, args, kwargs)
        return (grads, (value, aux)) if has_aux else (grads, value)

    return function


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, **settings: Any
) -> Callable[..., Any]:
    """Return the function that computes the Jacobian of ``func``: shape of the result, then that of the argument."""
    if has_aux:
        raise NotImplementedError("func.jacrev: has_aux=True is not here; call the function once more for it")

    @functools.wraps(func)
    def function(*args: Any, **kwargs: Any) -> Any:
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def of_these(*moved: Any) -> Any:
            given = list(args)
            for n, x in zip(numbers, moved):
                given[n] = x
            return func(*given, **kwargs)

        chosen = tuple(args[n] for n in numbers)
        for x in chosen:
            _variable(x)
        return functional.jacobian(of_these, chosen[0] if isinstance(argnums, int) else chosen)

    return function


jacfwd = jacrev


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return the result of ``func``, and the function that computes the product of a vector and its Jacobian."""
    moved = [mapped(_variable, p) for p in primals]
    with enable_grad():
        out = func(*moved)
    result, aux = out if has_aux else (out, None)
    ys = leaves(result)

    def product(*cotangents: Any) -> tuple[Any, ...]:
        starts = leaves(list(cotangents))
        xs = [x for p in moved for x in leaves(p)]
        found = iter(_derivatives(ys, xs, starts, allow_unused=True))

        def of(x: Tensor) -> Tensor:
            d = next(found)
            return zeros_like(x.detach()) if d is None else d

        return tuple(mapped(of, p) for p in moved)

    value = mapped(lambda y: y.detach(), result)
    return (value, product, aux) if has_aux else (value, product)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return the result of ``func``, and the product of its Jacobian and a vector."""
    return functional.jvp(func, tuple(primals), tuple(tangents))


def hessian(func: Callable[..., Any], argnums: Any = 0) -> NoReturn:
    """Refuse: it needs derivatives of derivatives.

    Raises:
        NotImplementedError: Always.
    """
    raise NotImplementedError(
        "func.hessian: minitorch has no derivatives of derivatives; use real PyTorch for them"
    )


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return ``func`` over a batch: called for each part of its arguments, its results stacked.

    Args:
        func: The function of one sample.
        in_dims: The dimension of each argument that counts samples, None for one that all share; nested as the
            arguments are, or one number for all.
        out_dims: Where the new dimension of each result is.
        randomness: Accepted: each call draws its own numbers.
        chunk_size: Accepted: samples are computed one by one.
    """

    @functools.wraps(func)
    def function(*args: Any, **kwargs: Any) -> Any:
        dims = _spread(in_dims, args)
        pairs = [
            (x, d)
            for x, d in zip(leaves(list(args)) + leaves(kwargs), leaves(dims) + [0] * len(leaves(kwargs)))
        ]
        sizes = [x.size(d) for x, d in pairs if d is not None and isinstance(x, Tensor)]
        if not sizes:
            raise ValueError(
                "vmap: at least one input must have a dimension to map over, but in_dims has none"
            )
        if len(set(sizes)) > 1:
            raise ValueError(
                f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
                "mapped dimension"
            )

        def part(k: int) -> Any:
            def of(x: Any, d: Any) -> Any:
                return x if d is None or not isinstance(x, Tensor) else x.select(d, k)

            named = {key: mapped(lambda x: of(x, 0), v) for key, v in kwargs.items()}
            return func(*mapped(of, args, dims), **named)

        results = [part(k) for k in range(sizes[0])]
        return _stacked(results, out_dims)

    return function


def _spread(dims: Any, tree: Any) -> Any:
    """Return ``dims`` nested as ``tree`` is."""
    if isinstance(dims, int) or dims is None:
        return mapped(lambda x: dims if isinstance(x, Tensor) else None, tree)
    if isinstance(tree, dict):
        return {k: _spread(dims[k], v) for k, v in tree.items()}
    if len(dims) != len(tree):
        raise ValueError(
            f"vmap: in_dims is not compatible with the structure of inputs: {dims} for {len(tree)} inputs"
        )
    return type(tree)(_spread(d, v) for d, v in zip(dims, tree))


def _stacked(results: list[Any], out_dims: Any) -> Any:
    first = results[0]
    if isinstance(first, Tensor):
        return stack(results, out_dims)
    if isinstance(first, int | float):
        raise ValueError(f"vmap: func must only return Tensors, got type {type(first)}")
    if isinstance(first, dict):
        return {k: _stacked([r[k] for r in results], out_dims) for k in first}
    dims = out_dims if isinstance(out_dims, tuple | list) else [out_dims] * len(first)
    return type(first)(_stacked([r[k] for r in results], d) for k, d in enumerate(dims))


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of modules of one kind, each stacked along a new first dimension."""
    parameters = {
        name: stack([dict(m.named_parameters())[name].detach() for m in models]).requires_grad_(
            p.requires_grad
        )
        for name, p in models[0].named_parameters()
    }
    buffers = {
        name: stack([dict(m.named_buffers())[name] for m in models]) for name, _ in models[0].named_buffers()
    }
    return parameters, buffers
