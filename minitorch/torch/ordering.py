"""Sorting, counting, quantiles, and running sums, products and maxima."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor_functions import arrange
from .dtypes import find_dtype, named_axis
from .elementwise import cast, sub
from .indexing import gather
from .joining import cat, narrow
from .reductions import max_result, min_result, prod, sort_result, topk_result
from .shapes import reshape
from .tensor import Tensor, from_array, is_float, to_array, wrap


@named_axis
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Return the sorted elements along ``dim``, and where each was."""
    return sort_result(*_ordered(input, dim, descending))


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
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return the indices that sort along ``dim``."""
    return _ordered(input, dim, descending)[1]


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the ``k`` largest (or smallest) elements along ``dim``, in order, and where they are."""
    d = input._dim(dim)
    if k > (input.shape[d] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    values, indices = _ordered(input, dim, largest)
    key = (slice(None),) * d + (slice(0, k),)
    top = values[key]
    top._op = "Topk"
    return topk_result(top, indices[key])


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the ``k``-th smallest element along ``dim``, counted from 1, and where it is."""
    values, indices = _ordered(input, dim, False)
    key = (slice(None),) * input._dim(dim) + (slice(k - 1, k) if keepdim else k - 1,)
    return sort_result(values[key], indices[key])


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median (the lower of two); along ``dim``, with where it is."""
    if dim is None:
        n = input.numel()
        return kthvalue(reshape(input, -1), (n + 1) // 2)[0]
    return kthvalue(input, (input.size(dim) + 1) // 2, dim, keepdim)


def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return quantiles, with linear interpolation, as a constant."""
    wanted = to_array(q).astype(input.dtype.numpy)
    found = np.quantile(to_array(input), wanted, dim, keepdims=keepdim)
    return from_array(np.asarray(found), input.device, input.dtype)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """Return the different elements in order; with where each is found, and how often."""
    unique_of: Any = np.unique
    found = unique_of(to_array(input), False, return_inverse, return_counts, axis=dim)
    if not (return_inverse or return_counts):
        return from_array(found, input.device)
    return tuple(from_array(np.asarray(x), input.device) for x in found)


def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """Return the elements without repetitions of the one before; with where each went, and how often it was there."""
    x = to_array(input).reshape(-1)
    first = np.concatenate([np.ones(min(len(x), 1), bool), x[1:] != x[:-1]])
    starts = np.flatnonzero(first)
    out = [from_array(x[starts], input.device)]
    if return_inverse:
        out.append(from_array((np.cumsum(first) - 1).reshape(tuple(input.shape)), input.device))
    if return_counts:
        out.append(from_array(np.diff(np.append(starts, len(x))), input.device))
    return out[0] if len(out) == 1 else tuple(out)


def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """Count how often each whole number occurs."""
    w = None if weights is None else to_array(weights)
    return from_array(np.bincount(to_array(input), w, minlength), input.device)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Count the elements in ``bins`` equal intervals between ``min`` and ``max`` (by default those of the data)."""
    x = to_array(input)
    low, high = (x.min(), x.max()) if min == max else (min, max)
    return from_array(np.histogram(x, bins, (low, high))[0], input.device, input.dtype)


def bucketize(input: Tensor, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """Return for each element the number of boundaries below it."""
    found = np.searchsorted(to_array(boundaries), to_array(input), "right" if right else "left")
    return from_array(np.asarray(found), input.device)


def searchsorted(sorted_sequence: Tensor, input: Any, *, right: bool = False) -> Tensor:
    """Return where elements would be inserted into a sorted vector."""
    values = input if isinstance(input, Tensor) else from_array(np.asarray(input))
    return bucketize(values, sorted_sequence, right=right)


@named_axis
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the running sum along ``dim``."""
    if dtype is not None:
        input = cast(input, find_dtype(dtype))
    d = input._dim(dim)
    if is_float(input):
        return wrap(arrange.CumSum.apply(input._value, dim=d), op="Cumsum") if input.ndim else input.clone()
    return from_array(np.cumsum(to_array(input), d, dtype=np.int64).reshape(input.shape), input.device)


def cumprod(input: Tensor, dim: int) -> Tensor:
    """Return the running product along ``dim``; with a gradient, one product for each place."""
    d = input._dim(dim)
    if not input.requires_grad:
        out = np.cumprod(to_array(input), d, dtype=None if is_float(input) else np.int64)
        return from_array(out, input.device)
    return cat([prod(narrow(input, d, 0, k + 1), d, True) for k in range(input.shape[d])], d)


def _running(input: Tensor, dim: int, fn: Any, kind: Any) -> Any:
    d = input._dim(dim)
    x = to_array(input)
    best = fn.accumulate(x, d)
    numbers = np.arange(x.shape[d]).reshape([-1 if k == d else 1 for k in range(x.ndim)])
    where_best = np.maximum.accumulate(np.where(x == best, numbers, 0), d)
    indices = from_array(where_best, input.device)
    return kind(gather(input, d, indices), indices)


def cummax(input: Tensor, dim: int) -> Any:
    """Return the running maximum along ``dim``, and where it is."""
    return _running(input, dim, np.maximum, max_result)


def cummin(input: Tensor, dim: int) -> Any:
    """Return the running minimum along ``dim``, and where it is."""
    return _running(input, dim, np.minimum, min_result)


def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """Return the differences of neighbours along ``dim``, ``n`` times."""
    for _ in range(n):
        size = input.size(dim)
        input = sub(narrow(input, dim, 1, size - 1), narrow(input, dim, 0, size - 1))
    return input
