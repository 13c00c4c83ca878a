"""Writing into parts of a tensor, and diagonals: by indices, by slices, by steps in memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...tensor_functions import arrange
from ..elementwise import div, floor_divide, masked_fill
from ..indexing import flat_places, scatter_add, setitem
from ..joining import diag, split
from ..shapes import ordinals, pick, reshape, sizes
from ..tensor import Tensor, as_core, from_array, is_float, replace, to_array, wrap


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return matrices, in dimensions ``dim1`` and ``dim2``, whose diagonals are the last dimension of ``input``."""
    n = input.shape[-1] + abs(offset)
    out = input.new_zeros(*input.shape[:-1], n, n)
    rows = np.arange(input.shape[-1]) + max(-offset, 0)
    setitem(out, (..., from_array(rows), from_array(rows + offset)), input)
    a, b = out._dim(dim1), out._dim(dim2)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return out.movedim((-2, -1), (a, b))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return the matrix whose diagonal has all elements."""
    return diag(reshape(input, -1), offset)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return ``input`` with ``src`` in the diagonals of two dimensions."""
    places = np.diagonal(ordinals(input), offset, dim1, dim2)
    if tuple(src.shape) != places.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(places.shape)}"
        )
    flat = reshape(input.clone(), -1)
    setitem(flat, from_array(places.copy()), src)
    return reshape(flat, *input.shape)


def _with_part(input: Tensor, key: tuple[Any, ...], src: Tensor) -> Tensor:
    out = input.clone()
    expected = out.detach()[key].shape
    if src.shape != expected:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(expected)}"
        )
    setitem(out, key, src)
    return out


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return ``input`` with ``src`` as the part number ``index`` along ``dim``."""
    return _with_part(input, (slice(None),) * input._dim(dim) + (index,), src)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Return ``input`` with ``src`` in a slice along ``dim``."""
    return _with_part(input, (slice(None),) * input._dim(dim) + (slice(start, end, step),), src)


_KINDS = ("sum", "prod", "mean", "amax", "amin")


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return ``input`` with elements of ``src`` reduced into it at ``index`` along ``dim``.

    Args:
        input: The tensor.
        dim: The dimension that ``index`` counts along.
        index: Where each element of ``src`` goes.
        src: The elements.
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: Whether the elements of ``input`` take part where others come.
    """
    if reduce not in _KINDS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    places = flat_places(input, dim, index)
    part = src[tuple(slice(0, n) for n in index.shape)]
    hits = np.bincount(places.reshape(-1), minlength=input.numel()).reshape(tuple(input.shape))
    base = input
    if not include_self:
        base = masked_fill(input, from_array(hits > 0, input.device), _neutral(reduce, input))
    if reduce in ("sum", "mean"):
        total = scatter_add(base, dim, index, src)
        if reduce == "sum":
            return total
        count = from_array(np.maximum(hits + int(include_self), 1).astype(input.dtype.numpy), input.device)
        return div(total, count) if is_float(input) else floor_divide(total, count)
    if is_float(input):
        values = as_core(part, input.dtype, input._value.backend)
        return wrap(
            arrange.ReduceAt.apply(base._value, values, places=places, kind=reduce), op="ScatterReduce"
        )
    host = np.array(to_array(base))
    fn: Any = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
    fn.at(host.reshape(-1), places.reshape(-1), to_array(part).reshape(-1))
    return from_array(host, input.device)


def _neutral(reduce: str, input: Tensor) -> Any:
    if reduce in ("amax", "amin"):
        sign = -1 if reduce == "amax" else 1
        if is_float(input):
            return sign * math.inf
        info = np.iinfo(input.dtype.numpy)
        return info.min if sign < 0 else info.max
    return 1 if reduce == "prod" else 0


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return ``input`` with the parts of ``source`` reduced into those with these numbers along ``dim``."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    d = input._dim(dim)
    shape = tuple(index.numel() if k == d else 1 for k in range(source.ndim))
    spread = np.broadcast_to(to_array(index).reshape(shape), tuple(source.shape)).copy()
    return scatter_reduce(input, d, from_array(spread), source, reduce, include_self=include_self)


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Return ``input`` with ``values`` written, or added, where tuples of indices point."""
    out = input.clone()
    key = tuple(indices)
    if accumulate:
        numbers = ordinals(input)[tuple(to_array(k) for k in key)]
        flat = reshape(out, -1).index_add(
            0, from_array(numbers.reshape(-1)), values.expand(*numbers.shape).reshape(-1)
        )
        return reshape(flat, *input.shape)
    setitem(out, key, values)
    return out


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Do `index_put` in place."""
    return replace(input, index_put(input, indices, values, accumulate))


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Return ``input`` with elements of ``source`` written, or added, at their numbers in row-major order."""
    flat = reshape(input.clone(), -1)
    return reshape(index_put(flat, (reshape(index, -1),), reshape(source, -1), accumulate), *input.shape)


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Do `put` in place."""
    return replace(input, put(input, index, source, accumulate))


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Return a copy of elements at these steps in memory; ``input`` must lie one after the other.

    Raises:
        RuntimeError: An element lies outside.
    """
    if not input.is_contiguous():
        raise RuntimeError("as_strided: expected a contiguous tensor here: use contiguous()")
    places = np.full((), storage_offset or 0)
    for k, (n, step) in enumerate(zip(size, stride)):
        places = places[..., None] + np.arange(n) * step if k else places + np.arange(n) * step
    if places.size and (places.min() < 0 or places.max() >= input.numel()):
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {storage_offset or 0} are out of "
            f"bounds for storage of size {input.numel() * input.element_size()}"
        )
    return pick(input, places, "AsStrided")


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Return the coordinates, in a tensor of this shape, of numbers in row-major order."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if indices.is_floating_point():
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    numbers = to_array(indices)
    return tuple(from_array(np.asarray(k), indices.device) for k in np.unravel_index(numbers, wanted))


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along a dimension into parts of these sizes."""
    return split(input, list(split_sizes), dim)


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Return the sum over dimensions that broadcast to those of ``input``."""
    wanted = sizes(size)
    missing = input.ndim - len(wanted)
    ones = [k + missing for k, n in enumerate(wanted) if n == 1 and input.shape[k + missing] != 1]
    if missing < 0 or any(n not in (1, input.shape[k + missing]) for k, n in enumerate(wanted)):
        raise RuntimeError(f"size {list(wanted)} is not expandable to size {list(input.shape)}.")
    over = (*range(missing), *ones)
    return reshape(input.sum(over), *wanted) if over else input


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """Return the first ``size`` indices of elements that are not 0; missing rows are filled."""
    found = np.argwhere(to_array(input))[:size]
    out = np.full((size, input.ndim), fill_value, np.int64)
    out[: len(found)] = found
    return from_array(out, input.device)
