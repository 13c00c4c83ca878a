"""Part of optim."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..module import Parameter


def clip_grad_norm_(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients by one factor, so that together they are no longer than ``max_norm``; names are PyTorch's.

    Args:
        parameters: Of Tensors; those without a gradient count for nothing.
        max_norm: The longest that the vector of all gradients may be, at least 0.

    Returns:
        How long it was.

    Raises:
        ValueError: ``max_norm`` is negative.
    """
    if not max_norm >= 0.0:
        raise ValueError(f"max_norm must be at least 0, not {max_norm}")
    clipped = [p for p in parameters if p.value is not None and p.value.grad is not None]
    norm = math.sqrt(sum((p.value.grad * p.value.grad).sum().item() for p in clipped))
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1.0:  # a norm of nan must be seen in the gradients
        for p in clipped:
            p.value.grad = p.value.grad * factor  # a fresh block: the old one may be shared
    return norm


def clip_grad_value_(parameters: Iterable[Parameter], value: float) -> None:
    """Bring each element of each gradient into [-``value``, ``value``]; nan stays. The name is PyTorch's.

    Args:
        parameters: Of Tensors; those without a gradient stay without.
        value: At least 0.

    Raises:
        ValueError: ``value`` is negative.
    """
    if not value >= 0.0:
        raise ValueError(f"value must be at least 0, not {value}")
    for p in parameters:
        if p.value is not None and p.value.grad is not None:
            elements = np.clip(p.value.grad.to_numpy(), -value, value)
            p.value.grad = p.value.grad.zeros().copy_(elements)  # a fresh block: the old one may be shared
