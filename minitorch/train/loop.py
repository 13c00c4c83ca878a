"""The training loop as a generator of records, evaluation, and prediction.

Depends on tensors, losses and metrics. It prints nothing and writes no files: that is done by callbacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..autodiff import no_grad
from ..module import Module
from ..nn.losses import cross_entropy
from ..tensor import Tensor, tensor
from .graphed_step import GraphedStep
from .metrics import accuracy

Loss = Callable[..., Tensor]


@runtime_checkable
class _CountsPasses(Protocol):
    epoch: int


@dataclass(frozen=True)
class Step:
    """The record of one training step.

    Attributes:
        epoch: The epoch, counted from 1.
        step: The step, counted from 1 over the whole run.
        loss: Mean loss of the batch.
        accuracy: Accuracy on the batch, before the step; None without class labels.
        lr: The learning rate of the step.
        last: Whether it was the last step of its epoch.
        valid_loss: Mean loss on the validation set; None unless ``last``.
        valid_accuracy: Accuracy on the validation set; None unless ``last``.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float | None
    lr: float
    last: bool
    valid_loss: float | None = None
    valid_accuracy: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """Mean loss and accuracy (None without class labels) over ``count`` samples."""

    loss: float
    accuracy: float | None
    count: int


def _input(model: Module, images: Any) -> Tensor:
    """Return a batch as a tensor of the dtype and backend of the model."""
    if isinstance(images, Tensor):
        return images
    for p in model.parameters():
        if isinstance(p.value, Tensor):
            return tensor(np.asarray(images), p.value.backend, dtype=p.value.dtype)
    return tensor(np.asarray(images))


def _scores(task: str, scores: Any) -> Tensor:
    if not isinstance(scores, Tensor):
        raise TypeError(
            f"{task}: expected the model's forward to return a Tensor, got {type(scores).__name__}"
            + (": does forward end in return?" if scores is None else "")
        )
    return scores


def _hits(scores: Tensor, labels: Any) -> float | None:
    """Return the accuracy on a batch, or None if the labels are not class numbers."""
    wanted = np.asarray(labels)
    return accuracy(scores, wanted) if scores.dims == 2 and wanted.shape == scores.shape[:1] else None


def fit(
    model: Module,
    loader: Iterable[tuple[Any, Any]],
    optimizer: Any,
    *,
    epochs: int = 1,
    loss: Loss = cross_entropy,
    valid: Iterable[tuple[Any, Any]] | None = None,
    scheduler: Any = None,
    start_epoch: int = 1,
    start_step: int = 0,
    graph: bool = False,
) -> Iterator[Step]:
    """Train one batch per ``next``; between two steps the caller may stop, evaluate, or change ``lr``.

    After the last batch of an epoch the model is evaluated on ``valid``, and ``scheduler.step`` is called with the
    validation loss (without ``valid``: the mean loss of the epoch).

    Args:
        model: Maps a batch of inputs to scores.
        loader: Gives batches (inputs, targets) of arrays; iterated once per epoch. Where it counts its passes
            (``loader.epoch``), a run that starts later goes on with the pass of ``start_epoch``.
        optimizer: Has the parameters of the model.
        epochs: The last epoch, counted from 1; default 1.
        loss: A function of (scores, targets); default `cross_entropy`.
        valid: Validation batches, as ``loader``.
        scheduler: Sets the learning rate after each epoch.
        start_epoch: The first epoch; a resumed run starts after the epoch of its checkpoint.
        start_step: Steps that were taken before.
        graph: Whether steps are captured and replayed (backends fast and cuda); `minitorch.GraphedStep` says what model
            and loss must not do then.

    Yields:
        A Step for each batch.

    Raises:
        ValueError: The loader gives no batch.
    """
    step, take_step = start_step, _step_function(model, optimizer, loss, graph)
    if isinstance(loader, _CountsPasses) and isinstance(loader.epoch, int):
        loader.epoch = max(loader.epoch, start_epoch - 1)
    for epoch in range(start_epoch, epochs + 1):
        total, count = 0.0, 0
        batches = iter(loader)
        batch = next(batches, None)
        if batch is None:
            raise ValueError(
                "the loader gives no batch: the data set is empty, or smaller than one full batch"
            )
        while batch is not None:
            inputs, targets = batch
            model.train()
            error, scores = take_step(inputs, targets)
            batch = next(batches, None)  # prepared while a GPU still computes
            value = error.item()
            step, total, count = step + 1, total + value * len(targets), count + len(targets)
            lr, hits = optimizer.lr, _hits(scores, targets)
            if batch is not None:
                yield Step(epoch, step, value, hits, lr, False)
        checked = None if valid is None else evaluate(model, valid, loss=loss)
        if scheduler is not None:
            scheduler.step(total / count if checked is None else checked.loss)
        yield Step(
            epoch,
            step,
            value,
            hits,
            lr,
            True,
            None if checked is None else checked.loss,
            None if checked is None else checked.accuracy,
        )


def _step_function(
    model: Module, optimizer: Any, loss: Loss, graph: bool
) -> Callable[[Any, Any], tuple[Tensor, Tensor]]:
    """Return a function that trains on (inputs, targets) and returns loss and scores."""

    def take(inputs: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        optimizer.zero_grad()
        scores = _scores("fit", model(inputs))
        error = loss(scores, targets)
        error.backward()
        optimizer.step()
        return error, scores

    def take_eagerly(inputs: Any, targets: Any) -> tuple[Tensor, Tensor]:
        return take(_input(model, inputs), targets)

    graphed: list[GraphedStep] = []

    def take_graphed(inputs: Any, targets: Any) -> tuple[Tensor, Tensor]:
        if not graphed:
            batch = _input(model, inputs), _input(model, targets)
            graphed.append(GraphedStep(take, *batch, optimizer=optimizer))
        found: tuple[Tensor, Tensor] = graphed[0](inputs, targets)
        return found

    return take_graphed if graph else take_eagerly


def _forward(model: Module, loader: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Tensor, Any]]:
    """Yield (scores, targets) of each batch, in evaluation mode and without a graph; restore the mode."""
    before = [(m, m.training) for m in model.modules_recursive()]
    try:
        model.eval()
        for inputs, targets in loader:
            with no_grad():
                yield _scores("evaluation", model(_input(model, inputs))), targets
    finally:
        for m, mode in before:
            m.training = mode


def evaluate(model: Module, loader: Iterable[tuple[Any, Any]], *, loss: Loss = cross_entropy) -> Evaluation:
    """Return mean loss and accuracy over all batches of ``loader``, in evaluation mode.

    Raises:
        ValueError: The loader gives no batch.
    """
    total, right, count, classes = 0.0, 0.0, 0, True
    for scores, targets in _forward(model, loader):
        n = len(targets)
        total += loss(scores, targets).item() * n
        hits = _hits(scores, targets)
        classes = classes and hits is not None
        right += (hits or 0.0) * n
        count += n
    if not count:
        raise ValueError("the loader gives no batch to evaluate on")
    return Evaluation(total / count, right / count if classes else None, count)


def predict(model: Module, loader: Iterable[tuple[Any, Any]]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the scores (N, C) and the targets (N,) of all batches of ``loader``, in evaluation mode."""
    scores, targets = [], []
    for out, wanted in _forward(model, loader):
        scores.append(out.to_numpy())
        targets.append(np.asarray(wanted))
    if not scores:
        raise ValueError("the loader gives no batch to predict")
    return np.concatenate(scores), np.concatenate(targets)
