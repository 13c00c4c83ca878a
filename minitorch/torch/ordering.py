"""Sorting, differences, and running sums, products and maxima."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor_functions import arrange
from . import return_types
from .comparison import logical_xor
from .dtypes import bool_, find_dtype, named_axis, not_implemented
from .elementwise import cast, sub
from .indexing import gather
from .joining import cat, narrow
from .tensor import Tensor, from_array, is_float, to_array, wrap


@named_axis
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """Return the sorted elements along ``dim``, and where each was."""
    return return_types.sort(*_ordered(input, dim, descending))


def _ordered(input: Tensor, dim: int, descending: bool) -> tuple[Tensor, Tensor]:
    d = input._dim(dim)
    x = to_array(input)
    if not input.ndim:
        return input, from_array(np.array(0))
    if descending:
        order = np.flip(x.shape[d] - 1 - np.argsort(np.flip(x, d), d, kind="stable"), d)
    else:
        order = np.argsort(x, d, kind="stable")
    indices = from_array(np.ascontiguousarray(order), input.device)
    values = gather(input, d, indices)
    values._op = "Sort"
    return values, indices


@named_axis
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """Return the indices that sort along ``dim``."""
    return _ordered(input, dim, descending)[1]


@named_axis
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the ``k`` largest (or smallest) elements along ``dim``, in order, and where they are."""
    d = input._dim(dim)
    if not 0 <= k <= (input.shape[d] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    values, indices = _ordered(input, dim, largest)
    if not input.ndim:
        return return_types.topk(values, indices)
    key = (slice(None),) * d + (slice(0, k),)
    top = values[key]
    top._op = "Topk"
    return return_types.topk(top, indices[key])


@named_axis
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the running sum along ``dim``."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    d = input._dim(dim)
    if is_float(input):
        return wrap(arrange.CumSum.apply(input._value, dim=d), op="Cumsum") if input.ndim else input.clone()
    return from_array(np.cumsum(to_array(input), d, dtype=np.int64).reshape(input.shape), input.device)


@named_axis
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the running product along ``dim``."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    d = input._dim(dim)
    if is_float(input):
        return wrap(arrange.CumProd.apply(input._value, dim=d), op="Cumprod") if input.ndim else input.clone()
    return from_array(np.cumprod(to_array(input), d, dtype=np.int64).reshape(input.shape), input.device)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Return the logarithm of the running sum of ``exp(input)`` along ``dim``."""
    d = input._dim(dim)
    if not is_float(input):
        raise not_implemented("logcumsumexp_out", input.dtype)
    return (
        wrap(arrange.LogCumSumExp.apply(input._value, dim=d), op="Logcumsumexp")
        if input.ndim
        else input.clone()
    )


def _running(input: Tensor, dim: int, fn: Any, kind: Any) -> Any:
    d = input._dim(dim)
    if not input.ndim:
        return kind(input.clone(), from_array(np.array(0), input.device))
    x = to_array(input)
    best = fn.accumulate(x, d)
    numbers = np.arange(x.shape[d]).reshape([-1 if k == d else 1 for k in range(x.ndim)])
    hits = (x == best) | (x != x)
    indices = from_array(np.maximum.accumulate(np.where(hits, numbers, 0), d), input.device)
    return kind(gather(input, d, indices), indices)


@named_axis
def cummax(input: Tensor, dim: int) -> Any:
    """Return the running maximum along ``dim``, and where it is."""
    return _running(input, dim, np.maximum, return_types.cummax)


@named_axis
def cummin(input: Tensor, dim: int) -> Any:
    """Return the running minimum along ``dim``, and where it is."""
    return _running(input, dim, np.minimum, return_types.cummin)


@named_axis
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Return the differences of neighbours along ``dim``, ``n`` times; ``prepend`` and ``append`` are joined before."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    parts = [x for x in (prepend, input, append) if x is not None]
    input = cat(parts, dim) if len(parts) > 1 else input
    for _ in range(n):
        size = input.size(dim)
        if not size:
            break
        after, before = narrow(input, dim, 1, size - 1), narrow(input, dim, 0, size - 1)
        input = logical_xor(after, before) if input.dtype is bool_ else sub(after, before)
    return input
