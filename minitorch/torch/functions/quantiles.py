"""Elements by their rank: k-th values, medians, quantiles, and the most frequent element."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import return_types
from ..comparison import isnan
from ..dtypes import named_axis
from ..elementwise import add, cast, div, mul, sub, where
from ..indexing import gather
from ..ordering import sort
from ..reductions import sum as _sum
from ..shapes import movedim, reshape, squeeze, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array


def _ranked(input: Tensor, dim: int, ranks: Any, keepdim: bool, kind: Any) -> Any:
    """Return the elements of these ranks, an array with size 1 along ``dim``, and where they are."""
    d = input._dim(dim)
    if not input.ndim:
        return kind(input.clone(), from_array(np.array(0), input.device))
    if not input.shape[d]:
        raise IndexError(f"{kind.__name__}(): Expected reduction dim {d} to have non-zero size.")
    order = np.argsort(to_array(input), d, kind="stable")
    found = from_array(np.take_along_axis(order, ranks, d), input.device)
    values = gather(input, d, found)
    values._op = kind.__name__.capitalize()
    return kind(values, found) if keepdim else kind(squeeze(values, d), squeeze(found, d))


def _ones_along(input: Tensor, dim: int) -> tuple[int, ...]:
    d = input._dim(dim)
    return tuple(1 if k == d else n for k, n in enumerate(input.shape))


@named_axis
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the ``k``-th smallest element along ``dim``, counted from 1, and where it is.

    Raises:
        RuntimeError: There are fewer elements.
    """
    if not 1 <= k <= (input.size(dim) if input.ndim else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(input._dim(dim)))
    return _ranked(input, dim, np.full(_ones_along(input, dim), k - 1), keepdim, return_types.kthvalue)


@named_axis
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median (the lower of two; nan if there is one); along ``dim``, with where it is."""
    return _median(input, dim, keepdim, return_types.median)


@named_axis
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median of the elements that are not nan (the lower of two); along ``dim``, with where it is."""
    return _median(input, dim, keepdim, return_types.nanmedian)


def _median(input: Tensor, dim: int | None, keepdim: bool, kind: Any) -> Any:
    if dim is None:
        if not input.numel():
            return from_array(np.array(np.nan, input.dtype.numpy if is_float(input) else None))
        return _median(reshape(input, -1), 0, False, kind)[0]
    d = input._dim(dim)
    x = to_array(input)
    missing = np.isnan(x).sum(d, keepdims=True) if is_float(input) and input.ndim else np.zeros((), int)
    n = x.shape[d] if input.ndim else 1
    if kind is return_types.median:  # nan is sorted to the end
        ranks = np.where(missing > 0, n - missing, (n - 1) // 2)
    else:
        ranks = np.maximum(n - missing - 1, 0) // 2
    shape = _ones_along(input, d) if input.ndim else ()
    return _ranked(input, d, np.broadcast_to(ranks, shape), keepdim, kind)


@named_axis
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Return quantiles ``q``, a number or a vector of them, whose results lie along a new first dimension.

    Args:
        input: The tensor.
        q: From 0 to 1.
        dim: The dimension; None counts all elements.
        keepdim: Whether the dimension stays with size 1.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest" between two elements.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@named_axis
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Return `quantile` of the elements that are not nan."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Tensor:
    if not is_float(input):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor) and q.dtype is not input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if isinstance(q, Tensor) and q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    wanted = np.asarray(to_array(q), np.float64)
    if ((wanted < 0) | (wanted > 1)).any():
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {wanted}")
    rows = reshape(input, -1) if dim is None else movedim(input, input._dim(dim), -1)
    if not rows.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    values = sort(rows, -1)[0]
    missing = np.isnan(to_array(rows)).sum(-1, keepdims=True)
    place = wanted.reshape(-1) * np.maximum(rows.shape[-1] - missing - 1, 0)
    low, high = np.floor(place), np.ceil(place)
    share = {
        "linear": place - low, "lower": 0.0 * low, "higher": (high - low), "midpoint": (high - low) / 2,
        "nearest": np.round(place) - low,
    }[interpolation]  # fmt: skip
    below, above = (gather(values, -1, from_array(k.astype(np.int64), input.device)) for k in (low, high))
    out = add(below, mul(sub(above, below), from_array(share.astype(input.dtype.numpy), input.device)))
    if name == "quantile":
        out = where(from_array(missing > 0, input.device), float("nan"), out)
    out = movedim(out, -1, 0)
    if keepdim:
        d = range(1, input.ndim + 1) if dim is None else (input._dim(dim) + 1,)
        for k in d:
            out = unsqueeze(out, k)
    return out if wanted.ndim else out[0]


@named_axis
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent element along ``dim`` (the smallest of equally frequent ones), and where it is last."""
    d = input._dim(dim)
    if not input.ndim:
        return return_types.mode(input.clone(), from_array(np.array(0), input.device))
    x = np.moveaxis(to_array(input), d, -1)
    places = np.zeros(x.shape[:-1], np.int64)
    for k in np.ndindex(*places.shape):
        values, counts = np.unique(x[k], return_counts=True)
        places[k] = np.flatnonzero(x[k] == values[counts.argmax()])[-1]
    indices = from_array(np.expand_dims(places, d), input.device)
    found = gather(input, d, indices)
    if keepdim:
        return return_types.mode(found, indices)
    return return_types.mode(squeeze(found, d), squeeze(indices, d))


@named_axis
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the sum, in which nan counts as 0."""
    return _sum(where(isnan(input), 0, input) if is_float(input) else input, dim, keepdim, dtype=dtype)


@named_axis
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the mean of the elements that are not nan."""
    if not is_float(input):
        raise RuntimeError(f"nanmean(): expected input to have floating point dtype but got {input.dtype}")
    count = _sum(~isnan(input), dim, keepdim)
    return div(nansum(input, dim, keepdim, dtype=dtype), cast(count, input.dtype))
