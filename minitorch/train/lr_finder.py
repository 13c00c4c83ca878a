"""The learning rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017).

Depends on the training loop.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..module import Module
from ..nn.losses import cross_entropy
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
    """Train for some steps with a learning rate that grows by a constant factor, and return the loss of each step.

    A good learning rate is where the loss falls fastest, well before it rises. Afterwards model, optimizer and the
    state of ``random`` are as before, except that there are no gradients. The loader is iterated as often as needed.

    Args:
        model: Maps a batch of inputs to scores.
        loader: Gives batches (inputs, targets) of arrays.
        optimizer: Has the parameters of the model.
        start: The first learning rate, above 0.
        end: The last learning rate, above ``start``.
        steps: How many batches to train on, at least 2.
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
    weights, settings, random_state = model.state_dict(), optimizer.state_dict(), random.getstate()
    modes = [(part, part.training) for part in model.modules_recursive()]
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
        random.setstate(random_state)
        for part, mode in modes:
            part.training = mode
    return rates[: len(losses)], np.array(losses)
