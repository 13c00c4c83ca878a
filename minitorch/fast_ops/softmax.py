"""Softmax and cross-entropy of the Numba backend, on rows (N, C) of scores. An iteration is a row.

The largest score m is subtracted first, so that no exponential overflows:

    log_softmax   y[k] = (x[k] - m) - log sum exp(x - m)             its gradient: dx[k] = d[k] - exp(y[k]) * sum d
    cross-entropy loss = sum t[k] * (log sum exp(x - m) - (x[k] - m)), with targets t that sum to s
                  gradient = softmax(x)[k] * s - t[k]

Loss and gradient come from one kernel: the exponentials are computed once. Cost: scores are read once from memory, the
result is written once, and each element takes one exponential (`exp`). Sums and maxima run in lanes (`sums`).

Where s is 0 (a row that does not count), softmax(x) is left out: its scores may be infinite or nan.
"""

from __future__ import annotations

import math
from typing import Any

from numba import prange

from ..runtime.placeholders import real
from .sums import largest, total


def log_softmax(y: Any, x: Any) -> None:
    """Write the log-softmax of each row; see `CompositeOps.log_softmax`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = largest(x, n * classes, classes)
        for k in range(classes):
            y[n, k] = math.exp(x[n, k] - top)
        log_total = real(math.log(total(y, n * classes, classes)))
        for k in range(classes):
            y[n, k] = (x[n, k] - top) - log_total


def log_softmax_grad(dx: Any, y: Any, d: Any) -> None:
    """Write the derivative of `log_softmax`, whose result was ``y``."""
    rows, classes = y.shape
    for n in prange(rows):
        grad_sum = total(d, n * classes, classes)
        for k in range(classes):
            dx[n, k] = d[n, k] - real(math.exp(y[n, k])) * grad_sum


def label_entropy(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Write loss and gradient of rows with class numbers, none if negative; see `CompositeOps.label_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        k, top = labels[n], largest(x, n * classes, classes)
        if k < 0:
            grad[n, :], losses[n] = real(0), real(0)
            continue
        for i in range(classes):
            grad[n, i] = math.exp(x[n, i] - top)
        exp_sum = total(grad, n * classes, classes)
        scale = real(1) / exp_sum
        for i in range(classes):
            grad[n, i] *= scale
        grad[n, k] -= real(1)
        losses[n] = real(math.log(exp_sum)) - (x[n, k] - top)


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Write loss and gradient of rows with class probabilities; see `CompositeOps.cross_entropy`."""
    rows, classes = x.shape
    for n in prange(rows):
        top = largest(x, n * classes, classes)
        for k in range(classes):
            # A class of probability 0 does not count, even where its score is -inf.
            product = target[n, k] * (x[n, k] - top)
            grad[n, k] = product if target[n, k] != real(0) else real(0)
        target_score = total(grad, n * classes, classes)
        weight = total(target, n * classes, classes)
        if weight == real(0):
            for k in range(classes):
                grad[n, k] = -target[n, k]
            losses[n] = -target_score
            continue
        for k in range(classes):
            grad[n, k] = math.exp(x[n, k] - top)
        exp_sum = total(grad, n * classes, classes)
        scale = weight / exp_sum
        for k in range(classes):
            grad[n, k] = grad[n, k] * scale - target[n, k]
        losses[n] = weight * real(math.log(exp_sum)) - target_score
