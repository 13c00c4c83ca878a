"""Fused kernels of the CUDA room: normalisation, activations, softmax and cross-entropy.

The threads of a block share a channel or a row: each takes every so-many-th cell, then their sums are added in one
fixed order. What each computes is the composition of the same name in `minitorch.optional_ops`. It refuses to know
everything but packed arrays on the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import operators
from ._cuda import cuda
from .cuda_device import block_sum, block_top
from .cuda_launch import SHARING, Fn, blocks, kernel, launch, sharing

real: Any = np.float64  # bound by `kernel` to the dtype's own type
finish, gate = operators.relu, operators.relu_back  # and these to an activation and its derivative
exp, ln, sqrt, top_of, weigh = (
    operators.exp, operators.ln, operators.sqrt, operators.max_nan, operators.weigh,
)  # fmt: skip


def norm_channels(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale, shift and activate a channel of ``x`` (A, C, L): a block each."""
    cache = cuda.shared.array(SHARING, real)
    outer, _, inner = x.shape
    c, lane, step, cells = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    part = real(0)
    for t in range(lane, cells, step):
        part += x[t // inner, c, t % inner]
    middle = block_sum(cache, part) / real(cells)
    part = real(0)
    for t in range(lane, cells, step):
        far = x[t // inner, c, t % inner] - middle
        part += far * far
    spread = block_sum(cache, part) / real(cells)
    root = sqrt(spread + eps)
    for t in range(lane, cells, step):
        y[t // inner, c, t % inner] = finish((x[t // inner, c, t % inner] - middle) / root * w[c] + b[c])
    if lane == 0:
        mean[c], var[c] = middle, spread


def norm_grad_channels(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float
) -> None:
    """Derivatives of `norm_channels`: a block per channel."""
    cache = cuda.shared.array(SHARING, real)
    outer, _, inner = x.shape
    c, lane, step, cells = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    middle, root = mean[c], sqrt(var[c] + eps)
    plain, weighted = real(0), real(0)
    for t in range(lane, cells, step):
        normed = (x[t // inner, c, t % inner] - middle) / root
        change = gate(normed * w[c] + b[c], d[t // inner, c, t % inner])
        plain += change
        weighted += change * normed
    plain, weighted = block_sum(cache, plain), block_sum(cache, weighted)
    for t in range(lane, cells, step):
        normed = (x[t // inner, c, t % inner] - middle) / root
        change = gate(normed * w[c] + b[c], d[t // inner, c, t % inner])
        even = change - plain / real(cells) - normed * (weighted / real(cells))
        dx[t // inner, c, t % inner] = even * (w[c] / root)
    if lane == 0:
        dw[c], db[c] = weighted, plain


def scale_shift_cells(y: Any, x: Any, w: Any, b: Any) -> None:
    """Activate ``x * w + b``, channel by channel: a thread per cell."""
    _, channels, inner = x.shape
    t = cuda.grid(1)
    if t < x.size:
        a, c, i = t // (inner * channels), t // inner % channels, t % inner
        y[a, c, i] = finish(x[a, c, i] * w[c] + b[c])


def act_grad_channels(before: Any, sums: Any, y: Any, d: Any) -> None:
    """Derivative before an activation of (A, C, L), and its sum over a channel: a block per channel."""
    cache = cuda.shared.array(SHARING, real)
    outer, _, inner = y.shape
    c, lane, step = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    part = real(0)
    for t in range(lane, outer * inner, step):
        change = gate(y[t // inner, c, t % inner], d[t // inner, c, t % inner])
        before[t // inner, c, t % inner] = change
        part += change
    total = block_sum(cache, part)
    if lane == 0:
        sums[c] = total


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


# Launches; all arrays are packed, (A, C, L) unless said otherwise


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float, finish: Fn) -> None:
    """Write the normalised channels of ``x``, their means and variances; ``w``, ``b`` and these are (C,)."""
    made = kernel(norm_channels, x.dtype, finish=finish)
    grid = sharing(x.shape[1], x.shape[0] * x.shape[2])
    launch("norm", [x.shape], made, grid, y, mean, var, x, w, b, x.dtype.type(eps))


def norm_grad(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float, gate: Fn
) -> None:
    """Write the derivatives of `norm`."""
    made = kernel(norm_grad_channels, x.dtype, gate=gate)
    grid = sharing(x.shape[1], x.shape[0] * x.shape[2])
    eps = x.dtype.type(eps)
    launch("gradient of norm", [x.shape], made, grid, dx, dw, db, x, w, b, d, mean, var, eps)


def scale_shift(y: Any, x: Any, w: Any, b: Any, finish: Fn) -> None:
    """Write ``x * w + b``, activated; ``w`` and ``b`` are (C,)."""
    made = kernel(scale_shift_cells, x.dtype, finish=finish)
    launch("scale and shift", [x.shape], made, blocks(x.size), y, x, w, b)


def act_grad(before: Any, sums: Any, y: Any, d: Any, gate: Fn) -> None:
    """Write the derivative before an activation, and its sums by channel."""
    made = kernel(act_grad_channels, y.dtype, gate=gate)
    grid = sharing(y.shape[1], y.shape[0] * y.shape[2])
    launch("gradient of an activation", [y.shape], made, grid, before, sums, y, d)


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
