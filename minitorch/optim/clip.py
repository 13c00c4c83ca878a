"""Clipping of gradients between ``loss.backward()`` and ``optimizer.step()``, with the names of PyTorch.

Both functions read gradients on the host, so they cannot run in a captured step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..module import Parameter


def clip_grad_norm_(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients by one factor, so that the norm of their vector is at most ``max_norm``.

    The remedy for exploding gradients of Pascanu, Mikolov and Bengio (2013).

    Args:
        parameters: Of Tensors; those without a gradient are left out.
        max_norm: The largest Euclidean norm of all gradients together, at least 0.

    Returns:
        The norm before.

    Raises:
        ValueError: ``max_norm`` is negative.
    """
    if not max_norm >= 0.0:
        raise ValueError(f"clip_grad_norm_: expected max_norm of at least 0, got {max_norm}")
    clipped = [p for p in parameters if p.value is not None and p.value.grad is not None]
    norm = math.sqrt(sum((p.value.grad * p.value.grad).sum().item() for p in clipped))
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1.0:  # a norm of nan makes the gradients nan
        for p in clipped:
            p.value.grad = p.value.grad * factor  # a new tensor: the old one may be shared
    return norm


def clip_grad_value_(parameters: Iterable[Parameter], value: float) -> None:
    """Clip each element of each gradient to [-``value``, ``value``]; nan stays.

    Args:
        parameters: Of Tensors; those without a gradient are left out.
        value: The largest magnitude of an element, at least 0.

    Raises:
        ValueError: ``value`` is negative.
    """
    if not value >= 0.0:
        raise ValueError(f"clip_grad_value_: expected a value of at least 0, got {value}")
    for p in parameters:
        if p.value is not None and p.value.grad is not None:
            elements = np.clip(p.value.grad.to_numpy(), -value, value)
            p.value.grad = p.value.grad.zeros().copy_(elements)  # a new tensor: the old one may be shared
