"""Normalisation kernels of the CUDA backend: batch norm with activation, its gradient, and gradients of an activation.

All arrays are packed, (A, C, L): A batch, C channels, L positions; per-channel arrays are (C,). With ``M = A * L``
numbers per channel (Ioffe and Szegedy, "Batch Normalization", 2015)::

    mean = sum(x) / M      var = sum((x - mean)^2) / M    root = sqrt(var + eps)    n = (x - mean) / root
    y  = activation(n * w + b)
    g  = activation_grad(n * w + b, d)
    db = sum(g)            dw = sum(g * n)                dx = (g - db / M - n * dw / M) * w / root

A block has a channel; thread t takes its numbers t, t + T, ... of M, where number ``e`` is ``x[e // L, c, e % L]``::

    x  [ n=0 | c=0 .... | c=1 .... | c=2 .... ]      block 1:   t0 t1 t2 ... (L neighbours of image 0,
       [ n=1 | c=0 .... | c=1 .... | c=2 .... ]                              then those of image 1, ...)

Neighbouring threads read neighbouring positions where L is large. Sums are added in shared memory in one fixed order.
The variance takes a second pass over the numbers, which loses no digits where the mean is large. ``norm`` reads x three
times and writes it once; ``norm_grad`` reads x and d twice. Numbers that are read again mostly come from the cache. The
meaning of each is the composition of the same name in `tensor_ops.composite`.
"""

from __future__ import annotations

from typing import Any

from ..runtime.placeholders import activation, activation_grad, real
from ..runtime.types import Fn
from .device.functions import block_sum, sqrt
from .device.launch import REDUCE_THREADS, block_per_row, blocks, kernel, launch
from .device.numba_cuda import cuda


def norm_channels(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale, shift and activate: a block per channel; see the head of this file."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    outer, _, inner = x.shape
    c, thread, threads, elements = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    partial = real(0)
    for e in range(thread, elements, threads):
        partial += x[e // inner, c, e % inner]
    middle = block_sum(cache, partial) / real(elements)
    partial = real(0)
    for e in range(thread, elements, threads):
        distance = x[e // inner, c, e % inner] - middle
        partial += distance * distance
    spread = block_sum(cache, partial) / real(elements)
    root = sqrt(spread + eps)
    for e in range(thread, elements, threads):
        y[e // inner, c, e % inner] = activation((x[e // inner, c, e % inner] - middle) / root * w[c] + b[c])
    if thread == 0:
        mean[c], var[c] = middle, spread


def norm_grad_channels(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float
) -> None:
    """Write the gradients of `norm_channels`: a block per channel; see the head of this file."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    outer, _, inner = x.shape
    c, thread, threads, elements = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    middle, root = mean[c], sqrt(var[c] + eps)
    plain, weighted = real(0), real(0)
    for e in range(thread, elements, threads):
        normed = (x[e // inner, c, e % inner] - middle) / root
        grad = activation_grad(normed * w[c] + b[c], d[e // inner, c, e % inner])
        plain += grad
        weighted += grad * normed
    plain, weighted = block_sum(cache, plain), block_sum(cache, weighted)
    for e in range(thread, elements, threads):
        normed = (x[e // inner, c, e % inner] - middle) / root
        grad = activation_grad(normed * w[c] + b[c], d[e // inner, c, e % inner])
        centred = grad - plain / real(elements) - normed * (weighted / real(elements))
        dx[e // inner, c, e % inner] = centred * (w[c] / root)
    if thread == 0:
        dw[c], db[c] = weighted, plain


def scale_shift_elements(y: Any, x: Any, w: Any, b: Any) -> None:
    """Write ``activation(x * w + b)``, channel by channel: a thread per element."""
    _, channels, inner = x.shape
    e = cuda.grid(1)
    if e < x.size:
        a, c, i = e // (inner * channels), e // inner % channels, e % inner
        y[a, c, i] = activation(x[a, c, i] * w[c] + b[c])


def activation_grad_channels(grad: Any, sums: Any, y: Any, d: Any) -> None:
    """Write the gradient before an activation whose result was ``y``, and its channel sums: a block per channel."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    outer, _, inner = y.shape
    c, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    partial = real(0)
    for e in range(thread, outer * inner, threads):
        before = activation_grad(y[e // inner, c, e % inner], d[e // inner, c, e % inner])
        grad[e // inner, c, e % inner] = before
        partial += before
    total = block_sum(cache, partial)
    if thread == 0:
        sums[c] = total


# Launches


def norm(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float, activation: Fn) -> None:
    """Write the normalised and activated channels of ``x``, their means and variances."""
    made = kernel(norm_channels, x.dtype, activation=activation)
    grid = block_per_row(x.shape[1], x.shape[0] * x.shape[2])
    launch("norm", [x.shape], made, grid, y, mean, var, x, w, b, x.dtype.type(eps))


def norm_grad(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any,
    eps: float, activation_grad: Fn,
) -> None:  # fmt: skip
    """Write the gradients of `norm`."""
    made = kernel(norm_grad_channels, x.dtype, activation_grad=activation_grad)
    grid = block_per_row(x.shape[1], x.shape[0] * x.shape[2])
    eps = x.dtype.type(eps)
    launch("gradient of norm", [x.shape], made, grid, dx, dw, db, x, w, b, d, mean, var, eps)


def scale_shift(y: Any, x: Any, w: Any, b: Any, activation: Fn) -> None:
    """Write ``activation(x * w + b)``, channel by channel."""
    made = kernel(scale_shift_elements, x.dtype, activation=activation)
    launch("scale and shift", [x.shape], made, blocks(x.size), y, x, w, b)


def activation_grad_sums(grad: Any, sums: Any, y: Any, d: Any, activation_grad: Fn) -> None:
    """Write the gradient before an activation whose result was ``y``, and its sum per channel."""
    made = kernel(activation_grad_channels, y.dtype, activation_grad=activation_grad)
    grid = block_per_row(y.shape[1], y.shape[0] * y.shape[2])
    launch("gradient of an activation", [y.shape], made, grid, grad, sums, y, d)
