"""Losses of distances and margins as functions, named by `functional`: formulas and settings are PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..elementwise import add, clamp, div, maximum, mul, neg, pow, sqrt, sub, where
from ..indexing import gather, index_select
from ..reductions import norm
from ..reductions import sum as _sum
from ..shapes import reshape, unsqueeze
from ..tensor import Tensor, from_array, to_array
from .activations import softplus
from .loss_functions import legacy_reduction, reduced

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "pairwise_distance",
    "pdist",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(where(target == 1, input, clamp(sub(margin, input), min=0.0)), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``max(0, -target * (input1 - input2) + margin)``."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {input1.shape},"
            f" input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp(add(mul(neg(target), sub(input1, input2)), margin), min=0.0), reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """``log(1 + exp(-target * input))``."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(softplus(mul(neg(target), input), 1.0, math.inf), reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Hinge loss of several classes: the mean of ``max(0, margin - x[target] + x) ** p`` over the other classes."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    alone = input.ndim == 1
    scores, labels = (unsqueeze(input, 0), reshape(target, 1)) if alone else (input, target)
    own = gather(scores, 1, unsqueeze(labels, 1))
    excess = pow(clamp(add(sub(scores, own), margin), min=0.0), p)
    if weight is not None:
        excess = mul(excess, unsqueeze(weight[labels], 1))
    numbers = to_array(labels)[:, None]
    others = from_array((np.arange(scores.shape[1]) != numbers).astype(input.dtype.numpy), input.device)
    losses = div(_sum(mul(excess, others), 1), scores.shape[1])
    return reduced(reshape(losses, ()) if alone else losses, reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """Hinge loss between each right class and each other: ``target`` lists the right ones, then -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    alone = input.ndim < 2
    scores = reshape(input, 1, -1) if alone else input
    labels = to_array(target).reshape(tuple(scores.shape))
    listed = np.cumprod(labels >= 0, 1).astype(bool)  # those before the first -1
    right = np.zeros(labels.shape, bool)
    rows, places = np.nonzero(listed)
    right[rows, labels[rows, places]] = True
    own = gather(scores, 1, from_array(np.where(listed, labels, 0), input.device))
    excess = clamp(add(sub(unsqueeze(scores, 1), unsqueeze(own, 2)), 1.0), min=0.0)
    counted = (listed[:, :, None] & ~right[:, None, :]).astype(input.dtype.numpy)
    losses = div(_sum(mul(excess, from_array(counted, input.device)), (1, 2)), max(1, scores.shape[1]))
    return reduced(reshape(losses, ()) if alone else losses, reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1:
        expected = "2D input tensors" if target.ndim else "1D input tensors"
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {expected}, but found inputs with sizes {list(input1.shape)} and "
            f"{list(input2.shape)}."
        )
    products = [_sum(mul(a, b), -1) for a, b in ((input1, input2), (input1, input1), (input2, input2))]
    cosine = div(products[0], sqrt(mul(add(products[1], 1e-12), add(products[2], 1e-12))))
    apart = where(target == -1, clamp(sub(cosine, margin), min=0.0), 0.0)
    return reduced(where(target == 1, sub(1.0, cosine), apart), reduction)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return norm(add(sub(x1, x2), eps), p, -1, keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Return the distances of all pairs of rows, in one dimension."""
    rows, cols = (from_array(k, input.device) for k in np.triu_indices(input.shape[0], 1))
    out = norm(sub(index_select(input, 0, rows), index_select(input, 0, cols)), p, -1)
    out._op = "PdistForward"
    return out


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Callable[..., Tensor] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with a distance of one's own, by default `pairwise_distance`; ``swap``: Balntas et al."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            f"The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        other = distance(positive, negative)
        far = neg(maximum(neg(far), neg(other)))
    return reduced(clamp(add(sub(near, far), margin), min=0.0), reduction)
