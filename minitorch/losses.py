"""Losses, as plain functions of tensors. It refuses to know layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .nn import logsoftmax
from .tensor import Tensor
from .tensor_data import IndexingError


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f'unknown reduction {reduction!r}: expected "mean", "sum" or "none"')


def _labels(input: Tensor, target: Any) -> npt.NDArray[np.int64]:
    """Return N class numbers as integers.

    Raises:
        IndexingError: Their count is not N, or one is not in 0..C-1; the message names the row.
    """
    if input.dims != 2:
        raise IndexingError(f"a class loss needs scores (N, C), not shape {input.shape}")
    labels = np.asarray(target)
    count, classes = input.shape
    if labels.shape != (count,):
        raise IndexingError(
            f"{count} rows of scores {input.shape} need {count} labels, not shape {labels.shape}"
        )
    whole = labels.astype(np.int64)
    wrong = np.flatnonzero((whole != labels) | (whole < 0) | (whole >= classes))
    if wrong.size:
        raise IndexingError(
            f"label {labels[wrong[0]]} in row {wrong[0]} is not a class number in 0..{classes - 1}"
        )
    return whole


def _constant(like: Tensor, array: npt.NDArray[Any]) -> Tensor:
    return Tensor(like.f.from_array(np.ascontiguousarray(array, like.dtype)))


def cross_entropy(
    input: Tensor, target: Any, *, reduction: str = "mean", label_smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of the softmax of scores.

    Args:
        input: Scores (N, C), any real numbers.
        target: N class numbers (list, integer array or Tensor of whole numbers), or probabilities (N, C).
        reduction: "mean" or "sum", of shape (1,); or "none", of shape (N,).
        label_smoothing: How much of each row's probability is spread evenly over all classes, in [0, 1].

    Raises:
        IndexingError: A class number is out of range (names the row), or the counts differ.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, not {label_smoothing}")
    probabilities = np.asarray(target)
    if probabilities.ndim != 2:
        probabilities = np.eye(input.shape[-1])[_labels(input, probabilities)]
    elif probabilities.shape != input.shape:
        raise IndexingError(f"probabilities {probabilities.shape} do not fit scores {input.shape}")
    if label_smoothing:
        probabilities = (1 - label_smoothing) * probabilities + label_smoothing / input.shape[1]
    rows = (logsoftmax(input, 1) * _constant(input, -probabilities)).sum(1)
    return _reduced(rows.view(input.shape[0]), reduction)


def nll_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Negative log-likelihood: minus the log-probability (N, C) of each row's class."""
    hot = np.eye(input.shape[-1])[_labels(input, target)]
    rows = (input * _constant(input, -hot)).sum(1)
    return _reduced(rows.view(input.shape[0]), reduction)


def accuracy(scores: Any, target: Any) -> float:
    """Return the share of rows of ``scores`` (N, C) whose largest cell is that of ``target``.

    Ties go to the lowest class. ``target``: N class numbers, or (N, C) of which the largest cell counts.
    """
    rows, wanted = np.asarray(scores), np.asarray(target)
    if rows.ndim != 2 or len(wanted) != len(rows) or not len(rows):
        raise IndexingError(
            f"scores {rows.shape} and targets {wanted.shape} must be (N, C) and N class numbers, N > 0"
        )
    labels = wanted.argmax(axis=1) if wanted.ndim == 2 else wanted
    return float((rows.argmax(axis=1) == labels).mean())
