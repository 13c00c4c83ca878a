"""Softmax kernels of the CUDA backend: log-softmax, its gradient, and cross-entropy together with its gradient.

All arrays are packed, (A, K, L) with the classes in the middle, K. With ``top`` the largest number of a row::

    log_softmax(x)[k] = x[k] - top - ln(sum over j of exp(x[j] - top))
    its gradient      = d[k] - exp(y[k]) * sum over j of d[j]
    cross-entropy     = -sum over k of target[k] * log_softmax(x)[k]
    its gradient      = softmax(x)[k] * sum over j of target[j] - target[k]

Subtracting the largest number changes no result and keeps ``exp`` from overflowing. A block has a row, of stride L::

    x[a, :, l]   t0  t1  t2 ... t255  t0  t1 ...      thread t takes classes t, t + 256, ...
                 '-- largest, then sum: each thread its own classes, then `block_max`, `block_sum` through shared memory

A row is read three times (largest, sum, result) and written once; from the second time on it mostly comes from the
cache. Cross-entropy makes loss and gradient in one launch, and never writes the log-softmax. The meaning of each is the
composition of the same name in `tensor_ops.composite`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import operators
from ..runtime.placeholders import real
from .device.functions import block_max, block_sum, exp, ln, max_nan
from .device.launch import REDUCE_THREADS, block_per_row, kernel, launch
from .device.numba_cuda import cuda

weigh = operators.weigh


def row_max(cache: Any, x: Any, a: int, i: int) -> Any:
    """Return the largest of ``x[a, :, i]``, NaN if there is one, to all threads of a block."""
    top = real(-np.inf)
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        top = max_nan(x[a, k, i], top)
    return block_max(cache, top)


def row_exp_sum(cache: Any, x: Any, a: int, i: int, top: Any) -> Any:
    """Return the sum of ``exp(x[a, :, i] - top)`` to all threads of a block."""
    partial = real(0)
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        partial += exp(x[a, k, i] - top)
    return block_sum(cache, partial)


def log_softmax_rows(y: Any, x: Any) -> None:
    """Write the log-softmax along the middle of ``x``: a block per row."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    a, i = cuda.blockIdx.x // x.shape[2], cuda.blockIdx.x % x.shape[2]
    top = row_max(cache, x, a, i)
    log_total = ln(row_exp_sum(cache, x, a, i, top))
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        y[a, k, i] = x[a, k, i] - top - log_total


def log_softmax_grad_rows(dx: Any, y: Any, d: Any) -> None:
    """Write the gradient of `log_softmax_rows`, whose result was ``y``: a block per row."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    a, i = cuda.blockIdx.x // y.shape[2], cuda.blockIdx.x % y.shape[2]
    partial = real(0)
    for k in range(cuda.threadIdx.x, y.shape[1], cuda.blockDim.x):
        partial += d[a, k, i]
    total = block_sum(cache, partial)
    for k in range(cuda.threadIdx.x, y.shape[1], cuda.blockDim.x):
        dx[a, k, i] = d[a, k, i] - exp(y[a, k, i]) * total


def cross_entropy_rows(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Write loss and gradient of the scores ``x`` (N, C, 1) for a distribution over classes: a block per row."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    n, thread, threads, classes = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, x.shape[1]
    top = row_max(cache, x, n, 0)
    total = row_exp_sum(cache, x, n, 0, top)
    log_total = ln(total)
    weighted, weight = real(0), real(0)
    for k in range(thread, classes, threads):
        weighted += weigh(x[n, k, 0] - top - log_total, target[n, k, 0])
        weight += target[n, k, 0]
    weighted, weight = block_sum(cache, weighted), block_sum(cache, weight)
    for k in range(thread, classes, threads):
        grad[n, k, 0] = weigh(exp(x[n, k, 0] - top) / total, weight) - target[n, k, 0]
    if thread == 0:
        losses[n] = -weighted


def label_entropy_rows(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Do what `cross_entropy_rows` does for one class a row; a number beyond the classes stands for none."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    n, label, classes = cuda.blockIdx.x, labels[cuda.blockIdx.x], x.shape[1]
    top = row_max(cache, x, n, 0)
    total = row_exp_sum(cache, x, n, 0, top)
    weight = real(1) if label < classes else real(0)
    for k in range(cuda.threadIdx.x, classes, cuda.blockDim.x):
        grad[n, k, 0] = weigh(exp(x[n, k, 0] - top) / total, weight) - (real(1) if k == label else real(0))
    if cuda.threadIdx.x == 0:
        losses[n] = ln(total) - (x[n, label, 0] - top) if label < classes else real(0)


# Launches


def log_softmax(y: Any, x: Any) -> None:
    """Write the log-softmax along the middle of ``x`` (A, K, L)."""
    grid = block_per_row(x.shape[0] * x.shape[2], x.shape[1])
    launch("log-softmax", [x.shape], kernel(log_softmax_rows, x.dtype), grid, y, x)


def log_softmax_grad(dx: Any, y: Any, d: Any) -> None:
    """Write the gradient of `log_softmax`, whose result was ``y``."""
    grid = block_per_row(y.shape[0] * y.shape[2], y.shape[1])
    launch("gradient of log-softmax", [y.shape], kernel(log_softmax_grad_rows, y.dtype), grid, dx, y, d)


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Write the losses (N,) of scores (N, C, 1), and their gradient with respect to the scores."""
    made = kernel(cross_entropy_rows, x.dtype)
    launch("cross-entropy", [x.shape], made, block_per_row(x.shape[0], x.shape[1]), losses, grad, x, target)


def label_entropy(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Do what `cross_entropy` does for class numbers ``labels`` (N,)."""
    made = kernel(label_entropy_rows, x.dtype)
    launch("cross-entropy", [x.shape], made, block_per_row(x.shape[0], x.shape[1]), losses, grad, x, labels)
