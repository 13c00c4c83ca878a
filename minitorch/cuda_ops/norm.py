"""Fused kernels of the CUDA backend: normalisation, activations, softmax and cross-entropy.

The threads of a block share a channel or a row: each takes every so-many-th element, then their sums are added in one
fixed order. What each computes is the composition of the same name in `minitorch.composite`. It refuses to know
everything but packed arrays on the device.
"""

from __future__ import annotations

from typing import Any

from .. import operators
from ..runtime.placeholders import real
from ..runtime.types import Fn
from .device.functions import block_sum
from .device.launch import SHARING, blocks, kernel, launch, sharing
from .device.numba_cuda import cuda

finish, gate = operators.relu, operators.relu_back  # and these to an activation and its derivative
exp, ln, sqrt, top_of, weigh = (
    operators.exp, operators.ln, operators.sqrt, operators.max_nan, operators.weigh,
)  # fmt: skip


def norm_channels(y: Any, mean: Any, var: Any, x: Any, w: Any, b: Any, eps: float) -> None:
    """Normalise, scale, shift and activate a channel of ``x`` (A, C, L): a block each."""
    cache = cuda.shared.array(SHARING, real)
    outer, _, inner = x.shape
    c, lane, step, elements = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    part = real(0)
    for t in range(lane, elements, step):
        part += x[t // inner, c, t % inner]
    middle = block_sum(cache, part) / real(elements)
    part = real(0)
    for t in range(lane, elements, step):
        far = x[t // inner, c, t % inner] - middle
        part += far * far
    spread = block_sum(cache, part) / real(elements)
    root = sqrt(spread + eps)
    for t in range(lane, elements, step):
        y[t // inner, c, t % inner] = finish((x[t // inner, c, t % inner] - middle) / root * w[c] + b[c])
    if lane == 0:
        mean[c], var[c] = middle, spread


def norm_grad_channels(
    dx: Any, dw: Any, db: Any, x: Any, w: Any, b: Any, d: Any, mean: Any, var: Any, eps: float
) -> None:
    """Derivatives of `norm_channels`: a block per channel."""
    cache = cuda.shared.array(SHARING, real)
    outer, _, inner = x.shape
    c, lane, step, elements = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, outer * inner
    middle, root = mean[c], sqrt(var[c] + eps)
    plain, weighted = real(0), real(0)
    for t in range(lane, elements, step):
        normed = (x[t // inner, c, t % inner] - middle) / root
        change = gate(normed * w[c] + b[c], d[t // inner, c, t % inner])
        plain += change
        weighted += change * normed
    plain, weighted = block_sum(cache, plain), block_sum(cache, weighted)
    for t in range(lane, elements, step):
        normed = (x[t // inner, c, t % inner] - middle) / root
        change = gate(normed * w[c] + b[c], d[t // inner, c, t % inner])
        even = change - plain / real(elements) - normed * (weighted / real(elements))
        dx[t // inner, c, t % inner] = even * (w[c] / root)
    if lane == 0:
        dw[c], db[c] = weighted, plain


def scale_shift_elements(y: Any, x: Any, w: Any, b: Any) -> None:
    """Activate ``x * w + b``, channel by channel: a thread per element."""
    _, channels, inner = x.shape
    t = cuda.grid(1)
    if t < x.size:
        a, c, i = t // (inner * channels), t // inner % channels, t % inner
        y[a, c, i] = finish(x[a, c, i] * w[c] + b[c])


def activation_grad_channels(before: Any, sums: Any, y: Any, d: Any) -> None:
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
    made = kernel(scale_shift_elements, x.dtype, finish=finish)
    launch("scale and shift", [x.shape], made, blocks(x.size), y, x, w, b)


def activation_grad(before: Any, sums: Any, y: Any, d: Any, gate: Fn) -> None:
    """Write the derivative before an activation, and its sums by channel."""
    made = kernel(activation_grad_channels, y.dtype, gate=gate)
    grid = sharing(y.shape[1], y.shape[0] * y.shape[2])
    launch("gradient of an activation", [y.shape], made, grid, before, sums, y, d)
