"""Part of cuda_norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import real
from .device.functions import block_sum, block_top
from .device.launch import SHARING, kernel, launch, sharing
from .device.numba_cuda import cuda
from .norm import exp, ln, top_of, weigh


def row_top(cache: Any, x: Any, a: int, i: int) -> Any:
    """Return the largest of ``x[a, :, i]`` to all threads of a block."""
    top = real(-np.inf)
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        top = top_of(x[a, k, i], top)
    return block_top(cache, top)


def row_exp_sum(cache: Any, x: Any, a: int, i: int, top: Any) -> Any:
    """Return the sum of ``e ** (x[a, :, i] - top)`` to all threads of a block."""
    part = real(0)
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        part += exp(x[a, k, i] - top)
    return block_sum(cache, part)


def log_softmax_rows(y: Any, x: Any) -> None:
    """Log-softmax along the middle of ``x`` (A, K, L): a block per row."""
    cache = cuda.shared.array(SHARING, real)
    a, i = cuda.blockIdx.x // x.shape[2], cuda.blockIdx.x % x.shape[2]
    top = row_top(cache, x, a, i)
    log_total = ln(row_exp_sum(cache, x, a, i, top))
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        y[a, k, i] = x[a, k, i] - top - log_total


def log_softmax_grad_rows(dx: Any, y: Any, d: Any) -> None:
    """Derivative of `log_softmax_rows`, whose result was ``y``: a block per row."""
    cache = cuda.shared.array(SHARING, real)
    a, i = cuda.blockIdx.x // y.shape[2], cuda.blockIdx.x % y.shape[2]
    part = real(0)
    for k in range(cuda.threadIdx.x, y.shape[1], cuda.blockDim.x):
        part += d[a, k, i]
    total = block_sum(cache, part)
    for k in range(cuda.threadIdx.x, y.shape[1], cuda.blockDim.x):
        dx[a, k, i] = d[a, k, i] - exp(y[a, k, i]) * total


def cross_entropy_rows(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Loss and derivative of a row of scores ``x`` (N, C, 1): a block each."""
    cache = cuda.shared.array(SHARING, real)
    n, lane, step, classes = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, x.shape[1]
    top = row_top(cache, x, n, 0)
    total = row_exp_sum(cache, x, n, 0, top)
    log_total = ln(total)
    picked, weight = real(0), real(0)
    for k in range(lane, classes, step):
        picked += weigh(x[n, k, 0] - top - log_total, target[n, k, 0])
        weight += target[n, k, 0]
    picked, weight = block_sum(cache, picked), block_sum(cache, weight)
    for k in range(lane, classes, step):
        grad[n, k, 0] = exp(x[n, k, 0] - top) / total * weight - target[n, k, 0]
    if lane == 0:
        losses[n] = -picked


def label_entropy_rows(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Do the same for one class a row; a number beyond the classes stands for none."""
    cache = cuda.shared.array(SHARING, real)
    n, label, classes = cuda.blockIdx.x, labels[cuda.blockIdx.x], x.shape[1]
    top = row_top(cache, x, n, 0)
    total = row_exp_sum(cache, x, n, 0, top)
    weight = real(1) if label < classes else real(0)
    for k in range(cuda.threadIdx.x, classes, cuda.blockDim.x):
        grad[n, k, 0] = exp(x[n, k, 0] - top) / total * weight - (real(1) if k == label else real(0))
    if cuda.threadIdx.x == 0:
        losses[n] = ln(total) - (x[n, label, 0] - top) if label < classes else real(0)


def log_softmax(y: Any, x: Any) -> None:
    """Write the log-softmax along the middle dimension."""
    grid = sharing(x.shape[0] * x.shape[2], x.shape[1])
    launch("log-softmax", [x.shape], kernel(log_softmax_rows, x.dtype), grid, y, x)


def log_softmax_grad(dx: Any, y: Any, d: Any) -> None:
    """Write the derivative of `log_softmax`, whose result was ``y``."""
    grid = sharing(y.shape[0] * y.shape[2], y.shape[1])
    launch("gradient of log-softmax", [y.shape], kernel(log_softmax_grad_rows, y.dtype), grid, dx, y, d)


def cross_entropy(losses: Any, grad: Any, x: Any, target: Any) -> None:
    """Write the losses (N,) of scores (N, C, 1), and their derivatives."""
    made = kernel(cross_entropy_rows, x.dtype)
    launch("cross-entropy", [x.shape], made, sharing(x.shape[0], x.shape[1]), losses, grad, x, target)


def label_entropy(losses: Any, grad: Any, x: Any, labels: Any) -> None:
    """Do the same for the classes ``labels`` (N,)."""
    made = kernel(label_entropy_rows, x.dtype)
    launch("cross-entropy", [x.shape], made, sharing(x.shape[0], x.shape[1]), losses, grad, x, labels)
