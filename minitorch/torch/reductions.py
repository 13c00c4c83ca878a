"""Reductions, sorting and running sums, by PyTorch's rules: a reduced dimension goes unless ``keepdim``."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor_functions import arrange
from ..tensor_functions.nn import LogSoftmax, Softmax
from ..tensor_functions.reduce import Mean, Sum
from . import return_types
from .dtypes import bool_, find_dtype, int64, named_axis
from .elementwise import cast, div, exp, log, masked_fill, mul, sqrt, square, sub, where
from .elementwise import maximum as _larger
from .elementwise import minimum as _smaller
from .indexing import gather
from .shapes import pick, reshape, squeeze
from .tensor import Tensor, from_array, is_float, to_array, tracked, wrap


def dims_of(input: Tensor, dim: Any) -> tuple[int, ...]:
    """Return the named dimensions, counted from the front; all of them for None and for ()."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(input.ndim))
    found = tuple(input._dim(d) for d in (dim if isinstance(dim, tuple | list) else (dim,)))
    if len(set(found)) < len(found):
        twice = next(d for d in found if found.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found


def _shape_without(input: Tensor, dims: tuple[int, ...], keepdim: bool) -> list[int]:
    return [1 if k in dims else n for k, n in enumerate(input.shape) if keepdim or k not in dims]


def _reduce(input: Tensor, dim: Any, keepdim: bool, fn: Any, op: str) -> Tensor:
    dims = dims_of(input, dim)
    v = input._value
    if len(dims) == input.ndim:
        v = fn.apply(v, dim=None)
    else:
        for d in dims:
            v = fn.apply(v, dim=d)
    out = reshape(wrap(v), *_shape_without(input, dims, keepdim))
    out._op = op
    return out


def _np_axis(input: Tensor, dim: Any) -> Any:
    return dims_of(input, dim) if dim is not None and dim != () else None


@named_axis
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the sum over dimensions, by default over all."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    if is_float(input):
        return _reduce(input, dim, keepdim, Sum, "Sum")
    total = to_array(input).sum(_np_axis(input, dim), keepdims=keepdim, dtype=np.int64)
    return from_array(total, input.device, find_dtype(dtype, int64))


@named_axis
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the mean over dimensions, by default over all."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    if not is_float(input):
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {input.dtype.name.capitalize()}"
        )
    if not input.numel():
        return sum(input, dim, keepdim) / 0.0
    return _reduce(input, dim, keepdim, Mean, "Mean")


def _one_along(input: Tensor, dim: int, keepdim: bool, indices: Any, kind: Any) -> Any:
    d = input._dim(dim)
    if not input.ndim:
        return kind(input.clone(), from_array(np.array(0)))
    if not input.shape[d]:
        raise IndexError(f"max(): Expected reduction dim {d} to have non-zero size.")
    numbers = indices(to_array(input), d)
    found = from_array(np.expand_dims(numbers, d), input.device)
    values = gather(input, d, found)
    values._op = "Max" if kind is return_types.max else "Min"
    if not keepdim:
        values, found = squeeze(values, d), squeeze(found, d)
    return kind(values, found)


def _one_of_all(input: Tensor, index: Any, op: str) -> Tensor:
    if not input.numel():
        raise RuntimeError(
            f"{op.lower()}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
            "with the 'dim' argument."
        )
    if tracked(input):  # equal ones share the gradient
        return (amax if op == "Max" else amin)(input)
    return pick(input, np.array(index(to_array(input))), op)


@named_axis
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the largest element; along ``dim``, ``(values, indices)``; of two tensors, the larger elements."""
    if isinstance(dim, Tensor):
        return _larger(input, dim)
    if dim is None:
        return _one_of_all(input, np.argmax, "Max")
    return _one_along(input, dim, keepdim, np.argmax, return_types.max)


@named_axis
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest element; along ``dim``, ``(values, indices)``; of two tensors, the smaller elements."""
    if isinstance(dim, Tensor):
        return _smaller(input, dim)
    if dim is None:
        return _one_of_all(input, np.argmin, "Min")
    return _one_along(input, dim, keepdim, np.argmin, return_types.min)


def _extreme(input: Tensor, dim: Any, keepdim: bool, fn: Callable[..., Any], op: str) -> Tensor:
    dims = dims_of(input, dim)
    top = from_array(np.array(fn(to_array(input), axis=dims, keepdims=True)), input.device)
    if not is_float(input):
        return reshape(top, *_shape_without(input, dims, keepdim))
    hits = cast(from_array(to_array(input) == to_array(top), input.device), input.dtype)
    share = div(hits, sum(hits, dims, True))  # the derivative is shared by all of equal ones
    chosen = where(cast(hits, bool_), input, 0.0)
    out = sum(mul(chosen, share), dims, keepdim)
    exact = reshape(top, *out.shape)
    return exact if not out.requires_grad else sub(out, sub(out.detach(), exact))


@named_axis
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Return the largest elements over dimensions; equal ones share the gradient."""
    return _extreme(input, dim, keepdim, np.max, "Amax")


@named_axis
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Return the smallest elements over dimensions; equal ones share the gradient."""
    return _extreme(input, dim, keepdim, np.min, "Amin")


def aminmax(input: Tensor, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest and the largest elements, ``(min, max)``."""
    over = () if dim is None else dim
    return return_types.aminmax(amin(input, over, keepdim), amax(input, over, keepdim))


def _index_of(name: str, fn: Callable[..., Any]) -> Callable[..., Tensor]:
    def function(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        x = to_array(input)
        if dim is None:
            if not x.size:
                raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            return from_array(np.array(fn(x)).reshape((1,) * x.ndim if keepdim else ()), input.device)
        d = input._dim(dim)
        if not input.ndim:
            return from_array(np.array(0), input.device)
        return from_array(np.asarray(fn(x, d, keepdims=keepdim)), input.device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Return indices along ``dim``, or in the flat tensor: ``{name}``; the first of equal ones."
    )
    return function


argmax, argmin = named_axis(_index_of("argmax", np.argmax)), named_axis(_index_of("argmin", np.argmin))


def _truth(name: str, fn: Callable[..., Any]) -> Callable[..., Tensor]:
    def function(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        return from_array(
            np.asarray(fn(to_array(input), _np_axis(input, dim), keepdims=keepdim)), input.device
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Tell whether {name} elements are not 0, over dimensions or over all."
    return function


any, all = named_axis(_truth("any", np.any)), named_axis(_truth("all", np.all))


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Count the elements that are not 0."""
    return from_array(np.asarray(np.count_nonzero(to_array(input), _np_axis(input, dim))), input.device)


@named_axis
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the product along a dimension, by default over all."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    if not is_float(input):
        total = to_array(input).prod(dim, keepdims=keepdim, dtype=np.int64)
        return from_array(np.asarray(total), input.device, find_dtype(dtype, int64))
    flat = reshape(input, -1) if dim is None else input
    d = 0 if dim is None else input._dim(dim)
    out = wrap(arrange.Prod.apply(flat._value, dim=d), op="Prod")
    if dim is None:
        return reshape(out, *(1 for _ in input.shape)) if keepdim else reshape(out, ())
    return out if keepdim else squeeze(out, d)


def _correction(unbiased: Any, correction: Any) -> float:
    return (
        float(1 if correction is None else correction) if unbiased is None else float(builtins.bool(unbiased))
    )


@named_axis
def var(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Return the variance over dimensions; the sum of squares is divided by n - 1, or by n - ``correction``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = dims_of(input, dim)
    n = math.prod(input.shape[d] for d in dims)
    centred = sub(input, mean(input, dims, True))
    left = n - _correction(unbiased, correction)
    total = sum(square(centred), dims, keepdim)
    out = mul(total, 1.0 / left) if left > 0 else div(total, 0.0)
    out._op = "Var"
    return out


@named_axis
def std(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Return the standard deviation: the root of `var`."""
    out = sqrt(var(input, dim, unbiased, keepdim, correction=correction))
    out._op = "Std"
    return out


def var_mean(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """Return variance and mean."""
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


def std_mean(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """Return standard deviation and mean."""
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """Return the p-norm over dimensions; p is a number, infinity, or "fro" (2)."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    order = 2.0 if p in ("fro", None) else float(p)
    if order == 2:
        total = sum(square(input), dim, keepdim)
        out = (
            where(total > 0, sqrt(where(total > 0, total, 1.0)), 0.0) if total.requires_grad else sqrt(total)
        )
    elif order == 1:
        out = sum(input.abs(), dim, keepdim)
    elif order == math.inf:
        out = amax(input.abs(), () if dim is None else dim, keepdim)
    elif order == -math.inf:
        out = amin(input.abs(), () if dim is None else dim, keepdim)
    elif order == 0:
        out = sum(cast(input != 0, input.dtype), dim, keepdim)
    else:
        out = sum(input.abs() ** order, dim, keepdim) ** (1 / order)
    out._op = "LinalgVectorNorm"
    return out


@named_axis
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """Return ``log(sum(exp(input)))`` over dimensions, shifted by the maximum."""
    dims = dims_of(input, dim)
    top = masked_fill(amax(input.detach(), dims, True), ~amax(input.detach(), dims, True).isfinite(), 0.0)
    out = log(sum(exp(sub(input, top)), dims, True)) + top
    out = out if keepdim else reshape(out, *_shape_without(input, dims, False))
    out._op = "Logsumexp"
    return out


@named_axis
def softmax(input: Tensor, dim: Any = None, dtype: Any = None, *, _stacklevel: int = 3) -> Tensor:
    """Return ``exp(x) / sum(exp(x))`` along ``dim``."""
    return _along(input, dim, dtype, "softmax")


@named_axis
def log_softmax(input: Tensor, dim: Any = None, dtype: Any = None, *, _stacklevel: int = 3) -> Tensor:
    """Return ``x - log(sum(exp(x)))`` along ``dim``."""
    return _along(input, dim, dtype, "log_softmax")


def _along(input: Tensor, dim: Any, dtype: Any, name: str) -> Tensor:
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    if not is_float(input):
        raise RuntimeError(f'"{name}_lastdim_kernel_impl" not implemented for {input.dtype.name!r}')
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
    d = input._dim(dim)
    x = input if input.ndim else reshape(input, 1)
    fn, op = (Softmax, "Softmax") if name == "softmax" else (LogSoftmax, "LogSoftmax")
    out = wrap(fn.apply(x._value, dim=d), op=op)
    return out if input.ndim else reshape(out, ())


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Return int64 zeros with a 1 at each class number, in a new last dimension."""
    numbers = to_array(input)
    count = int(numbers.max()) + 1 if num_classes == -1 else num_classes
    if numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        raise RuntimeError("Class values must be smaller than num_classes.")
    return from_array((numbers[..., None] == np.arange(count)).astype(np.int64), input.device)
