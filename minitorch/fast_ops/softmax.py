"""Part of fast_norm."""

from __future__ import annotations

import math
from typing import Any

from numba import prange

from ..runtime.placeholders import real
from .sums import largest, total


def log_softmax(y: Any, x: Any) -> None:
    """Log-softmax of each row; see `CompositeOps.log_softmax`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = largest(x, n * classes, classes)
        for k in range(classes):
            y[n, k] = math.exp(x[n, k] - top)
        log_total = real(math.log(total(y, n * classes, classes)))
        for k in range(classes):
            y[n, k] = (x[n, k] - top) - log_total


def log_softmax_grad(dx: Any, y: Any, d: Any) -> None:
    """Derivative of `log_softmax`, whose result was ``y``."""
    rows, classes = y.shape
    for n in prange(rows):
        change = total(d, n * classes, classes)
        for k in range(classes):
            dx[n, k] = d[n, k] - real(math.exp(y[n, k])) * change


def label_entropy(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Loss and derivative of each row of one class; see `CompositeOps.label_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        k, top = labels[n], largest(x, n * classes, classes)
        weight = real(1) if k >= 0 else real(0)
        for i in range(classes):
            grad[n, i] = math.exp(x[n, i] - top)
        powers = total(grad, n * classes, classes)
        scale = weight / powers
        for i in range(classes):
            grad[n, i] *= scale
        losses[n] = real(0)
        if k >= 0:
            grad[n, k] -= weight
            losses[n] = real(math.log(powers)) - (x[n, k] - top)


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Loss and derivative of each row; see `CompositeOps.cross_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = largest(x, n * classes, classes)
        for k in range(classes):
            # A class of probability 0 does not count, even where its score is -inf.
            part = target[n, k] * (x[n, k] - top)
            grad[n, k] = part if target[n, k] != real(0) else real(0)
        picked = total(grad, n * classes, classes)
        weight = total(target, n * classes, classes)
        for k in range(classes):
            grad[n, k] = math.exp(x[n, k] - top)
        powers = total(grad, n * classes, classes)
        scale = weight / powers
        for k in range(classes):
            grad[n, k] = grad[n, k] * scale - target[n, k]
        losses[n] = weight * real(math.log(powers)) - picked
