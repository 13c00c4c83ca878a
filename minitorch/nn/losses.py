"""Losses, as plain functions of tensors: of classes (N, C), and of pairs of tensors of one shape.

Depends on the differentiable functions of `minitorch.tensor_functions`. Names, argument order and numbers are
PyTorch's. N is the batch, C the number of classes. A target that is a Tensor may require a gradient too; anything else
that NumPy can read takes the dtype and the backend of the input. All losses stay finite for scores of any finite size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..runtime.capture import capture_safe
from ..runtime.quiet import quiet
from ..tensor import Tensor
from ..tensor_data import IndexingError, TensorData, number_array, whole_number
from ..tensor_functions.elementwise import BCE, BCEWithLogits, Weigh
from ..tensor_functions.nn import NLL, CrossEntropy
from .functional import logsoftmax, require_tensor
from .fusion import fuse
from .settings import number

Labels = npt.NDArray[np.int64]


def _reduced(losses: Tensor, reduction: str, count: int | None = None) -> Tensor:
    """Reduce losses; "mean" divides by ``count``, by default their number."""
    if reduction == "mean" and count == 0:
        # No division by 0, which would make the gradient nan as well.
        return losses.sum() + math.nan
    if reduction == "mean":
        return losses.mean() if count in (None, losses.size) else losses.sum() / count
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f'loss: expected reduction "mean", "sum" or "none", got {reduction!r}')


def _reduced_rows(rows: Tensor, reduction: str, count: int | None = None) -> Tensor:
    """Reduce losses (N, 1); "none" gives (N,)."""
    return _reduced(rows.view(rows.shape[0]) if reduction == "none" else rows, reduction, count)


def _whole(numbers: npt.NDArray[Any]) -> Labels:
    """Return numbers as integers, cut towards 0."""
    if numbers.dtype.kind != "f":
        return numbers.astype(np.int64, copy=False)
    found: Labels = quiet.run(numbers.astype, np.int64)
    return found


def _array(loss: str, target: Any) -> npt.NDArray[Any]:
    """Return a target as an array of any kind.

    Raises:
        IndexingError: Nested lists of unequal lengths.
    """
    try:
        return np.asarray(target)
    except ValueError:
        raise IndexingError(f"{loss}: expected nested lists of equal lengths, got {target!r}") from None


def _labels(loss: str, input: Tensor, target: Any, ignore_index: int | None = None) -> tuple[Labels, int]:
    """Return N class numbers as integers, -1 for rows of ``ignore_index``, and the number of other rows.

    Raises:
        IndexingError: Their count is not N, or one is neither in 0..C-1 nor ``ignore_index`` (names the row).
        TypeError: They are not numbers.
    """
    require_tensor(loss, input)
    if input.dims != 2:
        raise IndexingError(f"{loss}: expected scores (N, C), got shape {input.shape}")
    labels = _array(loss, target)
    count, classes = input.shape
    if labels.shape != (count,):
        raise IndexingError(
            f"{loss}: expected {count} labels, got shape {labels.shape} (scores {input.shape})"
        )
    if labels.dtype.kind not in "biuf":
        raise TypeError(f"{loss}: expected class numbers as labels, got dtype {labels.dtype}")
    whole = _whole(labels)
    known = whole.view(np.uint64) < classes  # as an unsigned number, a negative one is large
    if whole is not labels:
        known &= whole == labels
    if known.all() and (ignore_index is None or not 0 <= ignore_index < classes):
        return whole, count
    ignored = np.zeros_like(known) if ignore_index is None else whole == ignore_index
    wrong = np.flatnonzero((whole != labels) | ~(known | ignored))
    if wrong.size:
        raise IndexingError(
            f"{loss}: expected class numbers in 0..{classes - 1}, got label {labels[wrong[0]]} in row {wrong[0]}"
        )
    return np.where(ignored, -1, whole), count - int(np.count_nonzero(ignored))


def _constant(like: Tensor, array: npt.NDArray[Any]) -> Tensor:
    return Tensor(like.f.from_array(np.asarray(array, like.dtype, order="C")))


def _paired(input: Tensor, target: Any, loss: str) -> Tensor:
    """Return ``target`` as a tensor of the shape of ``input``."""
    require_tensor(loss, input)
    other = target
    if not isinstance(target, Tensor):
        other = Tensor(input.f.from_array(number_array(loss, target, input.dtype)))
    if other.shape != input.shape:
        raise IndexingError(
            f"{loss}: expected an input and a target of equal shapes, got {input.shape} and {other.shape}"
        )
    input.f.ops.require_same_backend(input._tensor, other._tensor)
    return other


def _class_weights(
    loss: str, input: Tensor, target: Any, ignore_index: int, label_smoothing: float = 0.0
) -> tuple[Tensor, int]:
    """Return each row's probabilities (N, C), all 0 for rows of ``ignore_index``, and the number of other rows."""
    require_tensor(loss, input)
    whole_number(loss, "ignore_index", ignore_index)
    if capture_safe() and isinstance(target, Tensor):
        return _class_weights_on_device(loss, input, target, ignore_index, label_smoothing), input.shape[0]
    labels, count = _labels(loss, input, target, ignore_index)
    weights = np.full(input.shape, label_smoothing / max(input.shape[1], 1), input.dtype)
    counted = np.flatnonzero(labels >= 0)
    weights[counted, labels[counted]] += 1 - label_smoothing
    weights[labels < 0] = 0
    return _constant(input, weights), count


def _class_numbers(loss: str, input: Tensor, target: Any, ignore_index: int) -> tuple[Labels, int] | None:
    """Return what `_labels` does; None if the step is captured and its device cannot ask the host at a replay."""
    if not (capture_safe() and isinstance(target, Tensor)):
        return _labels(loss, input, target, ignore_index)
    numbers, scores = np.empty(input.shape[0], np.int64), input.detach()

    def read(target: TensorData) -> None:
        numbers[:], count = _labels(loss, scores, target.host(), ignore_index)
        if count < len(numbers):
            raise ValueError(
                f"{loss}: label {ignore_index}, which is ignored, cannot be used in a step that is captured: weigh the "
                "rows of reduction='none' instead"
            )

    return (numbers, len(numbers)) if input.backend.ops.on_host(read, target._tensor) else None


def _class_weights_on_device(
    loss: str, input: Tensor, target: Tensor, ignore_index: int, label_smoothing: float
) -> Tensor:
    """Do what `_class_weights` does, without reading labels on the host: a label that is no class number gives nan."""
    count, classes = input.shape
    if target.shape != (count,):
        raise IndexingError(
            f"{loss}: expected {count} labels, got shape {target.shape} (scores {input.shape})"
        )
    if ignore_index >= 0:
        raise ValueError(
            f"{loss}: ignore_index {ignore_index} cannot be used in a step that is captured: "
            "weigh the rows of reduction='none' instead"
        )
    labels = target.detach().astype(input.dtype).view(count, 1)
    one_hot = labels == _constant(input, np.arange(classes))
    weights = one_hot / one_hot.sum(1)  # 0 / 0 is nan
    return weights * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else weights


def cross_entropy(
    input: Tensor,
    target: Any,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
) -> Tensor:
    """Cross-entropy of the softmax of scores.

    Args:
        input: Scores (N, C), any real numbers.
        target: N class numbers (list, integer array or Tensor of whole numbers), or probabilities (N, C).
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of shape (N,).
        label_smoothing: How much of each row's probability is spread evenly over all classes, in [0, 1], by default 0
            (Szegedy et al., "Rethinking the Inception architecture", 2016).
        ignore_index: A class number whose rows count for nothing: neither in the loss nor in the number of rows the
            mean is over; by default -100. The mean over no rows is nan.

    Raises:
        IndexingError: A class number is out of range (names the row), or the counts differ.
        ValueError: A setting is out of range; ``ignore_index`` with probabilities.
    """
    number("cross_entropy", "label_smoothing", label_smoothing, 0, 1)
    whole_number("cross_entropy", "ignore_index", ignore_index)
    require_tensor("cross_entropy", input)
    if input.dims != 2 or not input.shape[1]:
        raise IndexingError(f"cross_entropy: expected scores (N, C) with C > 0, got shape {input.shape}")
    given = target if isinstance(target, Tensor) else _array("cross_entropy", target)
    count, numbers = None, None
    if len(given.shape) != 2 and not label_smoothing:
        numbers = _class_numbers("cross_entropy", input, given, ignore_index)
    if numbers is not None:
        labels, count = numbers
        if reduction == "mean" and count:
            return CrossEntropy.apply(input, target=labels, count=count)
        return _reduced_rows(CrossEntropy.apply(input, target=labels), reduction, count)
    if len(given.shape) != 2:
        weights, count = _class_weights("cross_entropy", input, given, ignore_index, label_smoothing)
    elif ignore_index >= 0:
        raise ValueError(
            f"cross_entropy: expected class numbers for ignore_index {ignore_index}, got probabilities {given.shape}"
        )
    else:
        weights = _paired(input, given, "cross_entropy").astype(input.dtype)
        if label_smoothing:
            weights = weights * (1 - label_smoothing) + label_smoothing / input.shape[1]
    if weights.requires_grad():
        rows = -Weigh.apply(logsoftmax(input, 1), weights).sum(1)
    else:
        rows = CrossEntropy.apply(input, target=weights._tensor)
    return _reduced_rows(rows, reduction, count)


def nll_loss(input: Tensor, target: Any, *, reduction: str = "mean", ignore_index: int = -100) -> Tensor:
    """Negative log-likelihood: minus the log-probability of each row's class.

    Args:
        input: Log-probabilities (N, C).
        target: N class numbers.
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of shape (N,).
        ignore_index: As in `cross_entropy`; by default -100.

    Raises:
        IndexingError: A class number is out of range (names the row), or the counts differ.
    """
    weights, count = _class_weights("nll_loss", input, target, ignore_index)
    return _reduced_rows(NLL.apply(input, target=weights._tensor), reduction, count)


_squared = fuse(lambda x, y: (x - y) ** 2)
_distance = fuse(lambda x, y: abs(x - y))


def mse_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Squared differences of two tensors of one shape.

    Args:
        input: Any shape.
        target: The same shape; a Tensor, or anything NumPy can read.
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of the input's shape.

    Raises:
        IndexingError: The shapes differ.
    """
    return _reduced(_squared(input, _paired(input, target, "mse_loss")), reduction)


def l1_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Absolute differences of two tensors of one shape; the gradient where they are equal is 0.

    Arguments and errors as for `mse_loss`.
    """
    return _reduced(_distance(input, _paired(input, target, "l1_loss")), reduction)


def binary_cross_entropy(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Cross-entropy of two classes: ``-(t * ln(x) + (1 - t) * ln(1 - x))``, the logarithms clamped at -100.

    Args:
        input: Probabilities of the second class, any shape. One outside [0, 1] gives nan.
        target: The truth, 0 to 1, of the same shape.
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of the input's shape.

    Raises:
        IndexingError: The shapes differ.
    """
    return _reduced(BCE.apply(input, _paired(input, target, "binary_cross_entropy")), reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """`binary_cross_entropy` of the sigmoid of scores, exact also where the sigmoid would be 0 or 1.

    Args:
        input: Scores, any real numbers, any shape.
        target: The truth, 0 to 1, of the same shape.
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of the input's shape.

    Raises:
        IndexingError: The shapes differ.
    """
    other = _paired(input, target, "binary_cross_entropy_with_logits")
    return _reduced(BCEWithLogits.apply(input, other), reduction)


def multi_margin_loss(
    input: Tensor, target: Any, p: int = 1, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """Hinge loss of several classes: the sum over j != y of ``max(0, margin - x[y] + x[j]) ** p``, divided by C.

    The multi-class support vector machine of Weston and Watkins (1999). The SVM loss of CS231n has no division: it is
    C times this one.

    Args:
        input: Scores (N, C).
        target: N class numbers.
        p: 1 (default) or 2.
        margin: By how much the score of the class is to exceed the others; default 1.
        reduction: "mean" (default) or "sum", of shape (1,); or "none", of shape (N,).

    Raises:
        IndexingError: A class number is out of range (names the row), or the counts differ.
        ValueError: ``p`` is neither 1 nor 2.
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: expected p 1 or 2, got {p}")
    number("multi_margin_loss", "margin", margin)
    labels, _ = _labels("multi_margin_loss", input, target)
    count, classes = input.shape
    one_hot = np.zeros(input.shape)
    one_hot[np.arange(count), labels] = 1
    own = Weigh.apply(input, _constant(input, one_hot)).sum(1)
    excess = (input - own + margin).relu()
    others = _constant(input, (1 - one_hot) / max(classes, 1))
    rows = Weigh.apply(excess if p == 1 else excess * excess, others).sum(1)
    return _reduced_rows(rows, reduction)
