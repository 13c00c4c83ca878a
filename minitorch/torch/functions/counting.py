"""Different elements, counts, histograms, and places in sorted vectors: by NumPy, without a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import return_types
from ..dtypes import get_default_dtype, int32, int64, not_implemented
from ..tensor import Tensor, from_array, is_float, to_array


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the different elements, or the different parts along ``dim``, in order.

    Args:
        input: The tensor.
        sorted: Accepted: the result is always in order.
        return_inverse: Whether to return too where each element is found.
        return_counts: Whether to return too how often each occurs.
        dim: The dimension whose parts are compared; None compares elements.
    """
    unique_of: Any = np.unique
    axis = None if dim is None else input._dim(dim)
    found = unique_of(to_array(input), False, return_inverse, return_counts, axis=axis)
    if not (return_inverse or return_counts):
        return from_array(found, input.device)
    parts = [np.asarray(x) for x in found]
    if return_inverse:
        parts[1] = parts[1].reshape(tuple(input.shape) if axis is None else -1).astype(np.int64)
    return tuple(from_array(x, input.device) for x in parts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return the elements (or parts along ``dim``) without repetitions of the one before.

    With ``return_inverse``, where each went; with ``return_counts``, how often it was there.
    """
    x = to_array(input)
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, input._dim(dim), 0)
    changes = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    first = np.concatenate([np.ones(min(len(rows), 1), bool), changes])
    starts = np.flatnonzero(first)
    kept = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, input._dim(dim))
    out = [from_array(np.ascontiguousarray(kept), input.device)]
    if return_inverse:
        numbers = np.cumsum(first) - 1
        out.append(from_array(numbers.reshape(tuple(input.shape)) if dim is None else numbers, input.device))
    if return_counts:
        out.append(from_array(np.diff(np.append(starts, len(rows))), input.device))
    return out[0] if len(out) == 1 else tuple(out)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Count how often each whole number from 0 on occurs, or add the weights of its places.

    Raises:
        RuntimeError: A number is negative or a fraction, or the input is no vector.
    """
    x = to_array(input)
    if is_float(input):
        raise not_implemented("bincount", input.dtype)
    if x.dtype.kind not in "iu" or x.ndim != 1 or (x < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    found = np.bincount(x, None if weights is None else to_array(weights), minlength)
    if weights is None or weights.dtype.numpy == np.float32:
        found = found.astype(np.int64 if weights is None else np.float32)
    return from_array(found, input.device)


def _limits(x: Any, low: float, high: float) -> tuple[float, float]:
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    if low == high:
        low, high = (float(x.min()), float(x.max())) if x.size else (low, high)
    return (low - 1, high + 1) if low == high else (low, high)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Count the elements in ``bins`` equal intervals between ``min`` and ``max`` (by default those of the data)."""
    x = to_array(input)
    if not is_float(input):
        raise not_implemented("histogram", input.dtype)
    return from_array(np.histogram(x, bins, _limits(x, min, max))[0], input.device, input.dtype)


def histogram(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> Any:
    """Count the elements in intervals: so many equal ones, or those between the elements of a vector."""
    x = to_array(input).reshape(-1)
    w = None if weight is None else to_array(weight).reshape(-1)
    if isinstance(bins, Tensor):
        edges: Any = to_array(bins)
        counts, edges = np.histogram(x, edges, weights=w, density=density)
    else:
        counts, edges = np.histogram(x, bins, _limits(x, *(range or (0, 0))), weights=w, density=density)
    return return_types.histogram(
        from_array(counts, input.device, input.dtype), from_array(edges, input.device, input.dtype)
    )


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Return for each element the number of boundaries below it, or up to it if ``right``."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Return where elements would be inserted into vectors, sorted along the last dimension.

    Args:
        sorted_sequence: A vector; or vectors, each for the row of ``input`` at the same place.
        input: What is inserted.
        out_int32: Whether the result is int32.
        right: Whether the place is after equal elements.
        side: "left" or "right": the same as ``right``.
        sorter: The order that sorts ``sorted_sequence``.
    """
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    after: Any = "right" if right or side == "right" else "left"
    rows, values = to_array(sorted_sequence), np.asarray(to_array(input))
    if not isinstance(input, Tensor):
        values = values.astype(get_default_dtype().numpy if values.dtype.kind == "f" else np.int64)
    if sorter is not None:
        rows = np.take_along_axis(rows, to_array(sorter), -1)
    if rows.ndim == 1:
        found = np.asarray(np.searchsorted(rows, values, after))
    else:
        if rows.shape[:-1] != values.shape[:-1]:
            raise RuntimeError(
                "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                f"boundaries tensor and input value tensor must match, but we got boundaries tensor "
                f"{list(rows.shape)} and input value tensor {list(values.shape)}"
            )
        found = np.empty(values.shape, np.int64)
        for k in np.ndindex(*rows.shape[:-1]):
            found[k] = np.searchsorted(rows[k], values[k], after)
    return from_array(found, sorted_sequence.device, int32 if out_int32 else int64)
