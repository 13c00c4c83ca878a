"""Losses of sequences as functions, named by `functional`: ctc_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor_functions.ctc import CTC
from ..elementwise import div
from ..reductions import mean
from ..reductions import sum as _sum
from ..shapes import reshape, unsqueeze
from ..tensor import Tensor, from_array, to_array, wrap
from .linear_maps import value_of

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Loss of Connectionist Temporal Classification (Graves et al., 2006).

    Args:
        log_probs: Log-probabilities (T, N, C), or (T, C) without a batch.
        targets: Classes (N, L) with padding, or those of all samples one after the other.
        input_lengths: The number of steps of each sample, (N,).
        target_lengths: The number of classes of each target, (N,).
        blank: The class that stands for nothing, by default 0.
        reduction: "mean" (default: of the losses divided by the lengths of the targets), "sum" or "none".
        zero_infinity: Whether an infinite loss, of a target that is too long, counts as 0.

    Raises:
        RuntimeError: The lengths do not fit.
    """
    alone = log_probs.ndim == 2
    scores = unsqueeze(log_probs, 1) if alone else log_probs
    v = value_of("ctc_loss", scores)
    steps, sizes = (np.asarray(to_array(n), np.int64).reshape(-1) for n in (input_lengths, target_lengths))
    count, classes = scores.shape[1], scores.shape[2]
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if len(steps) != count or len(sizes) != count:
        raise RuntimeError(
            f"Expected input_lengths and target_lengths to have size {count}, but got {len(steps)} and {len(sizes)}"
        )
    if steps.size and (steps.min() < 0 or steps.max() > scores.shape[0]):
        raise RuntimeError(
            f"Expected input_lengths to have value at most {scores.shape[0]}, but got {steps.max()}"
        )
    labels = to_array(targets)
    longest = int(sizes.max(initial=0))
    if labels.ndim == 1 and not (alone and len(labels) == longest):
        if len(labels) != sizes.sum():
            raise RuntimeError(f"Expected targets of {sizes.sum()} classes in all, but got {len(labels)}")
        listed = np.full((count, longest), blank, np.int64)
        listed[np.arange(longest) < sizes[:, None]] = labels
    else:
        listed = labels.reshape(count, -1).astype(np.int64)
        if listed.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but got size {listed.shape[1]} for "
                "argument #2 'targets'"
            )
        listed = np.where(np.arange(listed.shape[1]) < sizes[:, None], listed, blank)
    losses = wrap(
        CTC.apply(v, targets=listed, steps=steps, sizes=sizes, blank=int(blank), finite=bool(zero_infinity)),
        op="CtcLoss",
    )
    if reduction == "mean":
        return mean(
            div(losses, from_array(np.maximum(sizes, 1).astype(log_probs.dtype.numpy), log_probs.device))
        )
    if reduction == "sum":
        return _sum(losses)
    if reduction != "none":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reshape(losses, ()) if alone else losses
