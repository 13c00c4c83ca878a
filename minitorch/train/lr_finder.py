"""Looks for a learning rate: trains a little while the rate rises, and undoes it. It refuses to know pictures."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..losses import cross_entropy
from ..module import Module
from .loop import Loss, fit

FloatArray = npt.NDArray[np.float64]


def lr_range(
    model: Module,
    loader: Iterable[tuple[Any, Any]],
    optimizer: Any,
    *,
    start: float = 1e-6,
    end: float = 1.0,
    steps: int = 100,
    loss: Loss = cross_entropy,
) -> tuple[FloatArray, FloatArray]:
    """Train for some steps with a learning rate that rises by the same factor at each, and return what the loss did.

    A good rate lies where the loss falls fastest, well before it rises (Smith, "Cyclical Learning Rates", 2017).
    Model, optimizer and the state of ``random`` are afterwards as they were, except that there are no gradients;
    the loader is gone through as often as needed.

    Args:
        model: Maps a batch of inputs to scores.
        loader: Gives (inputs, targets) arrays.
        optimizer: On the model's parameters.
        start: The first rate, above 0.
        end: The last one, above ``start``.
        steps: How many batches to train, at least 2.
        loss: A function of (scores, targets).

    Returns:
        (rates, losses), one number per step; shorter than ``steps`` if a loss was infinite or not a number.

    Raises:
        ValueError: The range is empty, or the loader gives no batch.
    """
    if not 0 < start < end < math.inf or steps < 2:
        raise ValueError(
            f"no range: start {start}, end {end}, steps {steps}; expected 0 < start < end, steps > 1"
        )
    rates, losses = np.geomspace(start, end, steps), []
    weights, settings, drawn = model.state_dict(), optimizer.state_dict(), random.getstate()
    modes = [(part, part.training) for part in _tree(model)]
    try:
        optimizer.lr = float(rates[0])
        for step in fit(model, loader, optimizer, epochs=steps, loss=loss):
            if not math.isfinite(step.loss):
                break
            losses.append(step.loss)
            if step.step == steps:
                break
            optimizer.lr = float(rates[step.step])
    finally:
        model.load_state_dict(weights)
        optimizer.load_state_dict(settings)
        optimizer.zero_grad()
        random.setstate(drawn)
        for part, mode in modes:
            part.training = mode
    return rates[: len(losses)], np.array(losses)


def _tree(model: Module) -> list[Module]:
    return [model, *(part for child in model.children() for part in _tree(child))]
