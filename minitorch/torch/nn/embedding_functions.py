"""Sums, means and maxima of looked-up vectors, named by `functional`: embedding_bag."""

from __future__ import annotations

import numpy as np

from ..elementwise import mul
from ..indexing import index_add
from ..joining import stack
from ..shapes import unsqueeze
from ..tensor import Tensor, from_array, to_array
from .linear_maps import embedding


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Look up rows and return the sum, mean or maximum of each bag; an empty bag gives zeros.

    Args:
        input: Numbers of rows: a bag in each row of (B, L), or all bags one after the other.
        weight: The table (R, C).
        offsets: Where each bag begins, for numbers in one dimension.
        max_norm: See `embedding`, as ``norm_type``, ``scale_grad_by_freq`` and ``sparse``.
        norm_type: See `embedding`.
        scale_grad_by_freq: See `embedding`.
        mode: "mean" (default), "sum" or "max".
        sparse: Not supported.
        per_sample_weights: Factors in the shape of ``input``, with mode "sum".
        include_last_offset: Whether the last offset is the end of the last bag.
        padding_idx: The number of a row that counts for nothing.

    Raises:
        ValueError: Offsets are missing, or there are too many; a mode is unknown.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, got {mode}")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must have "
            f"the same shape as the input ({list(input.shape)})"
        )
    numbers = to_array(input)
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                "sequences. However, found offsets of type Tensor"
            )
        starts = np.arange(numbers.shape[0]) * numbers.shape[1]
        count = len(starts)
    elif input.ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        starts = to_array(offsets)
        if starts.ndim != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        count = len(starts) - include_last_offset
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    flat = from_array(numbers.reshape(-1), input.device)
    bags = np.searchsorted(starts[:count], np.arange(flat.numel()), side="right") - 1
    counted = np.ones(len(bags), bool)
    if padding_idx is not None:
        counted = numbers.reshape(-1) != padding_idx % weight.shape[0]
    rows = embedding(flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if mode == "max":
        parts = []
        for k in range(count):
            places = np.flatnonzero((bags == k) & counted)
            parts.append(
                rows[from_array(places)].max(0)[0] if len(places) else weight.new_zeros(weight.shape[1])
            )
        return stack(parts)
    if per_sample_weights is not None:
        rows = mul(rows, unsqueeze(per_sample_weights.reshape(-1), 1))
    if not counted.all():
        rows, bags = rows[from_array(np.flatnonzero(counted))], bags[counted]
    start = weight.new_zeros(count, weight.shape[1])
    total = index_add(start, 0, from_array(bags), rows)
    if mode == "mean":
        sizes = np.maximum(np.bincount(bags, minlength=count), 1)[:, None]
        total = mul(total, from_array((1 / sizes).astype(weight.dtype.numpy), weight.device))
    total._op = "EmbeddingBag"
    return total
