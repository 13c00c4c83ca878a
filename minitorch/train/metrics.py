"""Metrics of classifiers: accuracy, confusion matrix, precision and recall, the worst mistakes.

Everything is counted on NumPy arrays; a Tensor is read as one. Depends on NumPy and on the error of wrong shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..tensor_data import IndexingError

Labels = npt.NDArray[np.int64]


def accuracy(scores: Any, target: Any) -> float:
    """Return the fraction of rows whose largest score is that of the target.

    Args:
        scores: (N, C). Ties go to the lowest class; a row with a score of nan has no largest one, and is no hit.
        target: N class numbers, or (N, C) of which the largest element counts.

    Raises:
        IndexingError: The shapes do not fit, or N is 0.
    """
    rows, wanted = np.asarray(scores), np.asarray(target)
    if rows.ndim != 2 or not len(rows) or wanted.shape not in (rows.shape, rows.shape[:1]):
        raise IndexingError(
            f"scores {rows.shape} and targets {wanted.shape} must be (N, C) and N class numbers, N > 0"
        )
    labels = wanted.argmax(axis=1) if wanted.ndim == 2 else wanted
    return float(((rows.argmax(axis=1) == labels) & ~_undecided(rows)).mean())


def top_k_accuracy(scores: Any, target: Any, k: int = 5) -> float:
    """Return the fraction of rows whose target is among the ``k`` classes with the largest scores.

    Args:
        scores: (N, C). Ties go to the lower class; a row with a score of nan is no hit.
        target: N class numbers, or (N, C) of which the largest element counts.
        k: From 1 to C; default 5.

    Raises:
        IndexingError: The shapes do not fit, N is 0, or a class number is out of range.
        ValueError: ``k`` is out of range.
    """
    rows = np.asarray(scores)
    if rows.ndim != 2 or not len(rows):
        raise IndexingError(f"scores must be (N, C) with N > 0, not shape {rows.shape}")
    if not 1 <= k <= rows.shape[1]:
        raise ValueError(f"k must be between 1 and the {rows.shape[1]} classes, not {k}")
    labels = _classes(target, rows.shape[1], "target")
    if len(labels) != len(rows):
        raise IndexingError(
            f"{len(rows)} rows of scores {rows.shape} need as many targets, not {len(labels)}"
        )
    own = rows[np.arange(len(rows)), labels][:, None]
    before = (rows > own) | ((rows == own) & (np.arange(rows.shape[1]) < labels[:, None]))
    return float(((before.sum(axis=1) < k) & ~_undecided(rows)).mean())


def confusion_matrix(scores_or_labels: Any, target: Any, classes: int | Sequence[str]) -> Labels:
    """Count how often each class was predicted for each true class.

    Args:
        scores_or_labels: Predictions: scores (N, C), whose ties go to the lowest class, or N class numbers. A row of
            scores with nan predicts no class, and is not counted.
        target: True classes: N class numbers, or (N, C) of which the largest element counts.
        classes: How many classes there are, or their names.

    Returns:
        Integers (classes, classes): row = true class, column = predicted class (as in scikit-learn).

    Raises:
        IndexingError: The counts differ, or a class number is out of range (names the row).
    """
    count = classes if isinstance(classes, int) else len(classes)
    found, wanted = _classes(scores_or_labels, count, "prediction"), _classes(target, count, "target")
    if len(found) != len(wanted):
        raise IndexingError(f"there are {len(found)} predictions and {len(wanted)} targets")
    decided = ~_undecided(np.asarray(scores_or_labels))
    found, wanted = found[decided], wanted[decided]
    return np.bincount(wanted * count + found, minlength=count * count).reshape(count, count)


class ClassReport(NamedTuple):
    """Precision, recall and F1 of one class; a ratio with an empty denominator is 0.

    Attributes:
        name: Name of the class; its number if no names were given.
        precision: The fraction of the samples predicted as this class that belong to it.
        recall: The fraction of the samples of this class that were predicted as it.
        f1: The harmonic mean of precision and recall.
        support: The number of samples of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def per_class_report(scores_or_labels: Any, target: Any, classes: int | Sequence[str]) -> list[ClassReport]:
    """Return precision, recall and F1 of each class; arguments and errors as for `confusion_matrix`."""
    matrix = confusion_matrix(scores_or_labels, target, classes)
    names = [str(k) for k in range(classes)] if isinstance(classes, int) else classes
    # Not the sums of rows: those leave out samples without a prediction.
    supports = np.bincount(_classes(target, len(names), "target"), minlength=len(names)).tolist()
    report = []
    for k, name in enumerate(names):
        hits, predicted, support = int(matrix[k, k]), int(matrix[:, k].sum()), supports[k]
        f1 = 2 * hits / (predicted + support) if predicted + support else 0.0
        report.append(ClassReport(name, hits / max(predicted, 1), hits / max(support, 1), f1, support))
    return report


def worst_mistakes(scores: npt.NDArray[Any], labels: Any, count: int) -> tuple[int, Labels]:
    """Return how many samples are misclassified, and the rows of the worst ones.

    Args:
        scores: (N, C), before or after log-softmax.
        labels: N class numbers.
        count: How many rows to return, at most.

    Returns:
        The number of mistakes, and up to ``count`` rows: those where the true class got the lowest probability, the
        lowest first. A row with a score of nan is a mistake, and comes before the others.
    """
    wrong = np.flatnonzero((scores.argmax(axis=1) != labels) | _undecided(scores))
    with np.errstate(invalid="ignore"):  # inf - inf
        shifted = scores - scores.max(axis=1, keepdims=True)
        cross_entropy = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(scores)), labels]
    cross_entropy[np.isnan(cross_entropy)] = np.inf
    return len(wrong), wrong[np.argsort(-cross_entropy[wrong], kind="stable")][:count]


def _undecided(scores: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which rows of scores (N, C) hold nan, so that none is the largest; of class numbers (N,), none do."""
    return np.isnan(scores).any(axis=1) if scores.ndim == 2 else np.zeros(len(scores), np.bool_)


def _classes(values: Any, count: int, what: str) -> Labels:
    """Return class numbers as integers, of (N, C) the column of the largest element."""
    given = np.asarray(values)
    if given.ndim == 2:
        if given.shape[1] != count:
            raise IndexingError(
                f"{what}s of shape {given.shape} do not have {count} columns, one for each class"
            )
        return given.argmax(axis=1)
    if given.ndim != 1:
        raise IndexingError(f"{what}s must be (N,) or (N, C), not shape {given.shape}")
    with np.errstate(invalid="ignore"):
        labels = given.astype(np.int64)
    wrong = np.flatnonzero((labels != given) | (labels < 0) | (labels >= count))
    if wrong.size:
        raise IndexingError(
            f"{what} {given[wrong[0]]} in row {wrong[0]} is not a class number in 0..{count - 1}"
        )
    return labels
