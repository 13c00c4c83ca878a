"""Losses as functions, named by `functional`: formulas and settings are PyTorch's."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ...nn import losses as core
from ...tensor_functions import elementwise as simple
from ..creation import full_like
from ..elementwise import abs as _abs
from ..elementwise import add, cast, clamp, div, exp, log, mul, neg, square, sub, where
from ..indexing import gather
from ..reductions import log_softmax, mean, norm
from ..reductions import sum as _sum
from ..shapes import movedim, reshape, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array, wrap
from .activations import softplus

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "legacy_reduction",
    "mse_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "reduced",
    "smooth_l1_loss",
]


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of losses, or themselves.

    Raises:
        ValueError: ``reduction`` is neither "mean", "sum" nor "none".
    """
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return _sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy_reduction(size_average: Any, reduce: Any, reduction: str) -> str:
    """Return the reduction that the settings of old scripts mean; ``reduction`` where neither is given."""
    if size_average is None and reduce is None:
        return reduction
    averaged = size_average is None or bool(size_average)
    kept = reduce is not None and not reduce
    found = "none" if kept else "mean" if averaged else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{found}' instead.",
        UserWarning,
        stacklevel=3,
    )
    return found


def _same_shape(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ValueError(
            f"{name}: Using a target size ({target.shape}) that is different to the input size ({input.shape}) is "
            "deprecated. Please ensure they have the same size."
        )


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Cross-entropy of the softmax of scores.

    Args:
        input: Scores (C,), (N, C) or (N, C, d1, ...).
        target: Class numbers, int64, without the dimension C; or probabilities in the shape of ``input``.
        weight: A factor for each class, (C,).
        size_average: Of old scripts: False means the sum.
        ignore_index: A class number that counts for nothing.
        reduce: Not supported.
        reduction: "mean", "sum" or "none".
        label_smoothing: How much of the probability is spread evenly over all classes.

    Raises:
        RuntimeError: The target has another dtype.
        ValueError: The shapes do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    plain = input.ndim == 2 and weight is None and not label_smoothing and reduction in ("mean", "sum")
    if plain and is_float(input) and target.ndim == 1 and target.dtype.name == "int64" and input.numel():
        _check_labels(input, to_array(target), ignore_index)
        found = core.cross_entropy(
            input._value, to_array(target), reduction=reduction, ignore_index=ignore_index
        )
        out = reshape(wrap(found), ())
        out._op = "NllLoss"
        return out
    axis = 0 if input.ndim == 1 else 1
    scores = log_softmax(input, axis)
    if target.is_floating_point():
        _same_shape("cross_entropy", input, target)
        if label_smoothing:
            target = add(mul(target, 1 - label_smoothing), label_smoothing / input.shape[axis])
        terms = mul(scores, target)
        if weight is not None:
            terms = mul(terms, reshape(weight, *(-1 if k == axis else 1 for k in range(input.ndim))))
        losses = neg(_sum(terms, axis))
        if reduction == "mean":
            return div(_sum(losses), max(1, input.numel() // input.shape[axis]))
        return reduced(losses, reduction)
    out = nll_loss(scores, target, weight, None, ignore_index, None, reduction)
    if not label_smoothing:
        return out
    counted = cast(target != ignore_index, input.dtype)
    w = input.new_ones(input.shape[axis]) if weight is None else weight
    spread = neg(_sum(mul(scores, reshape(w, *(-1 if k == axis else 1 for k in range(input.ndim)))), axis))
    spread = mul(spread, counted)
    if reduction == "mean":
        labels = where(target != ignore_index, target, 0)
        total = _sum(mul(w[labels], counted))
        spread = div(_sum(spread), total)
    elif reduction == "sum":
        spread = _sum(spread)
    return add(mul(out, 1 - label_smoothing), mul(spread, label_smoothing / input.shape[axis]))


def _check_labels(input: Tensor, labels: Any, ignore_index: int) -> None:
    axis = 0 if input.ndim == 1 else 1
    expected = tuple(n for k, n in enumerate(input.shape) if k != axis)
    if labels.shape != expected:
        if labels.ndim and input.ndim > 1 and labels.shape[:1] != expected[:1]:
            raise ValueError(
                f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({labels.shape[0]})."
            )
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(labels.shape)}")
    wrong = labels[(labels != ignore_index) & ((labels < 0) | (labels >= input.shape[axis]))]
    if wrong.size:
        raise IndexError(f"Target {wrong.reshape(-1)[0]} is out of bounds.")


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability of each class; arguments as for `cross_entropy`."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.dtype.name not in ("int64", "uint8"):
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.name.capitalize()}")
    labels = to_array(target)
    _check_labels(input, labels, ignore_index)
    classes = input.shape[0 if input.ndim == 1 else 1]
    rows = reshape(movedim(input, 1, -1) if input.ndim > 2 else input, -1, classes)
    flat = labels.reshape(-1)
    counted = flat != ignore_index
    numbers = from_array(np.where(counted, flat, 0)[:, None], input.device)
    w = counted.astype(input.dtype.numpy)
    if weight is not None:
        w = w * to_array(weight)[np.where(counted, flat, 0)]
    factors = from_array(w, input.device)
    picked = reshape(gather(rows, 1, numbers), -1)
    losses = neg(where(from_array(counted, input.device), mul(picked, factors), 0.0))
    if reduction == "mean":
        out = div(_sum(losses), float(w.sum()) or math.nan)
    elif reduction == "sum":
        out = _sum(losses)
    else:
        out = reshape(reduced(losses, reduction), *labels.shape)
    out._op = "NllLoss"
    return out


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Squared differences."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = square(sub(input, target))
    out = reduced(losses if weight is None else mul(losses, weight), reduction)
    out._op = "MseLoss"
    return out


def l1_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    weight: Any = None,
) -> Tensor:  # fmt: skip
    """Absolute differences."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = _abs(sub(input, target))
    return reduced(losses if weight is None else mul(losses, weight), reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared below a distance of ``beta``, linear beyond."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    distance = _abs(sub(input, target))
    near = mul(square(distance), 0.5 / beta)
    out = reduced(where(distance < beta, near, sub(distance, 0.5 * beta)), reduction)
    out._op = "SmoothL1Loss"
    return out


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """Half the square below a distance of ``delta``, ``delta`` times (distance - delta / 2) beyond."""
    distance = _abs(sub(input, target))
    far = mul(sub(distance, 0.5 * delta), delta)
    return reduced(where(distance < delta, mul(square(distance), 0.5), far), reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Cross-entropy of two classes, of probabilities; logarithms are at least -100."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    _same_shape("binary_cross_entropy", input, target)
    x = to_array(input)
    if x.size and (x.min() < 0 or x.max() > 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    losses = wrap(simple.BCE.apply(input._value, cast(target, input.dtype)._value), op="BinaryCrossEntropy")
    return reduced(losses if weight is None else mul(losses, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Cross-entropy of two classes, of scores; ``pos_weight`` is a factor for positive targets."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    if pos_weight is None:
        losses = wrap(simple.BCEWithLogits.apply(input._value, cast(target, input.dtype)._value))
    else:
        factor = add(1.0, mul(sub(pos_weight, 1.0), target))
        losses = add(mul(sub(1.0, target), input), mul(factor, softplus(neg(input), 1.0, math.inf)))
    return reduced(losses if weight is None else mul(losses, weight), reduction)


def kl_div(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:  # fmt: skip
    """Kullback-Leibler divergence of log-probabilities ``input`` from ``target``; "batchmean" divides by N."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if log_target:
        losses = mul(exp(target), sub(target, input))
    else:
        positive = target > 0
        losses = where(positive, mul(target, sub(log(where(positive, target, 1.0)), input)), 0.0)
    if reduction == "batchmean":
        return div(_sum(losses), input.shape[0])
    return reduced(losses, reduction)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: Any = None,
    eps: float = 1e-8, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Negative log-likelihood of Poisson counts; ``full`` adds Stirling's approximation of the term of the target."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = (
        sub(exp(input), mul(target, input)) if log_input else sub(input, mul(target, log(add(input, eps))))
    )
    if full:
        large = where(target > 1, target, 2.0)
        stirling = add(sub(mul(large, log(large)), large), mul(log(mul(large, 2 * math.pi)), 0.5))
        losses = add(losses, where(target > 1, stirling, 0.0))
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Negative log-likelihood of normal numbers with mean ``input`` and variance ``var``.

    Raises:
        ValueError: A variance is negative, or has another shape than ``input`` (with 1 or no last dimension).
    """
    if isinstance(var, int | float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = full_like(input, float(var))
    elif var.numel() and to_array(var).min() < 0:
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if tuple(var.shape) == tuple(input.shape[:-1]):
            var = unsqueeze(var, -1)
        elif var.ndim != input.ndim or tuple(var.shape[:-1]) != tuple(input.shape[:-1]) or var.shape[-1] != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The bound of the variance has no gradient.
    variance = add(var, sub(clamp(var.detach(), min=eps), var.detach()))
    losses = mul(add(log(variance), div(square(sub(input, target)), variance)), 0.5)
    return reduced(add(losses, 0.5 * math.log(2 * math.pi)) if full else losses, reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Binary cross-entropy of scores, averaged over the classes of each sample."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = add(mul(target, softplus(neg(input))), mul(sub(1.0, target), softplus(input)))
    return reduced(mean(losses if weight is None else mul(losses, weight), -1), reduction)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors along ``dim``."""
    product = _sum(mul(x1, x2), dim)
    return div(product, mul(clamp(norm(x1, 2, dim), min=eps), clamp(norm(x2, 2, dim), min=eps)))
