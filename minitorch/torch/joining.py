"""Functions that join and split tensors, and diagonals and triangles of matrices."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor_functions.shape import Cat
from .dtypes import named_axis
from .elementwise import cast, masked_fill, result_type
from .shapes import ordinals, pick, reshape, unsqueeze
from .tensor import Tensor, as_core, from_array, is_float, to_array, wrap


@named_axis
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dimension.

    Raises:
        ValueError: There is none.
        RuntimeError: Other sizes differ.
    """
    parts = list(tensors)
    if not parts:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    parts = [x for x in parts if x.ndim != 1 or x.numel()] or parts[:1]  # an empty vector fits anything
    if not parts[0].ndim:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    axis = parts[0]._dim(dim)
    for k, x in enumerate(parts):
        if x.ndim != parts[0].ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {parts[0].ndim} and {x.ndim}"
            )
        for j, (n, m) in enumerate(zip(parts[0].shape, x.shape)):
            if j != axis and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {n} but got size {m} for "
                    f"tensor number {k} in the list."
                )
    d = result_type(*parts)
    if not d.is_floating_point:
        return from_array(np.concatenate([to_array(x) for x in parts], axis), parts[0].device, d)
    backend = next((x._value.backend for x in parts if is_float(x)), None)
    return wrap(Cat.apply(*(as_core(x, d, backend) for x in parts), dim=axis), op="Cat")


concat = concatenate = cat


@named_axis
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension.

    Raises:
        RuntimeError: There is none, or shapes differ.
    """
    parts = list(tensors)
    if not parts:
        raise RuntimeError("stack expects a non-empty TensorList")
    for k, x in enumerate(parts):
        if x.shape != parts[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(parts[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {k}"
            )
    out = cat([unsqueeze(x, dim) for x in parts], dim)
    out._op = "Stack"
    return out


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the second dimension, vectors along the first."""
    parts = [reshape(x, 1) if not x.ndim else x for x in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the first dimension; a vector is a row."""
    return cat([reshape(x, 1, -1) if x.ndim < 2 else x for x in tensors])


row_stack = vstack


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the second dimension, a vector along the first, into equal parts or before these indices."""
    return _split_evenly("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the first dimension, into equal parts or before these indices."""
    return _split_evenly("vsplit", input, indices_or_sections, 0)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the third dimension, into equal parts or before these indices."""
    return _split_evenly("dsplit", input, indices_or_sections, 2)


def _split_evenly(name: str, input: Tensor, parts: Any, dim: int) -> tuple[Tensor, ...]:
    n = input.size(dim)
    if isinstance(parts, int):
        if parts < 1 or n % parts:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {n} is not "
                f"divisible by the split_size {parts}!"
            )
        return split(input, n // parts, dim) if n else (input,) * parts
    ends = [0, *(min(max(e if e >= 0 else e + n, 0), n) for e in parts), n]
    return tuple(narrow(input, dim, a, max(b - a, 0)) for a, b in itertools.pairwise(ends))


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along a dimension into parts of one size (the last may be smaller), or of these sizes."""
    n = input.size(dim)
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        counts = [builtins.min(step, n - k) for k in range(0, n, step)] or [0]
    else:
        counts = list(split_size_or_sections)
        if sum(counts) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
                f"but got split_sizes={counts}"
            )
    ends = np.cumsum(counts).tolist()
    return tuple(narrow(input, dim, end - c, c) for end, c in zip(ends, counts))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Split along a dimension into at most so many parts of equal size; the last may be smaller."""
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    return split(input, builtins.max(1, -(-input.size(dim) // chunks)), dim)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return ``length`` elements from ``start`` on along a dimension; a negative ``start`` counts from its end.

    Raises:
        RuntimeError: There are fewer.
    """
    d = input._dim(dim)
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    n, first = input.shape[d], int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= first <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {first})")
    first = first + n if first < 0 else first
    if first + length > n:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return input[(slice(None),) * d + (slice(first, first + length),)]


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the parts along a dimension, without it."""
    key = (slice(None),) * input._dim(dim)
    return tuple(input[(*key, k)] for k in range(input.size(dim)))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return the part number ``index`` along a dimension, without it."""
    return input[(slice(None),) * input._dim(dim) + (index,)]


# Diagonals and triangles


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the matrix with this diagonal, or the diagonal of a matrix."""
    if input.ndim == 2:
        return pick(input, np.diagonal(ordinals(input), diagonal), "Diagonal")
    if input.ndim != 1:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    n = input.numel() + builtins.abs(diagonal)
    places = np.diag(np.arange(1, input.numel() + 1), diagonal)
    padded = cat([reshape(cast(from_array(np.zeros(1), input.device), input.dtype), 1), input])
    return pick(padded, places.reshape(n, n), "Diag")


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonals of the matrices in two dimensions, as the last dimension."""
    return pick(input, np.diagonal(ordinals(input), offset, dim1, dim2), "Diagonal")


def matrix_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return the diagonals of matrices, which are the last two dimensions."""
    return diagonal(A, offset, dim1, dim2)


def _triangle(input: Tensor, keep: Any, op: str) -> Tensor:
    if not is_float(input):
        return from_array(np.where(keep, to_array(input), input.dtype.numpy.type(0)), input.device)
    out = masked_fill(input, from_array(~keep, input.device), 0.0)
    out._op = op
    return out


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the lower triangle, zeros elsewhere."""
    return _triangle(
        input,
        np.broadcast_to(np.tri(input.shape[-2], input.shape[-1], diagonal, dtype=bool), tuple(input.shape)),
        "Tril",
    )


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the upper triangle, zeros elsewhere."""
    lower = np.tri(input.shape[-2], input.shape[-1], diagonal - 1, dtype=bool)
    return _triangle(input, np.broadcast_to(~lower, tuple(input.shape)), "Triu")
