"""Pooling kernels of the CUDA backend: the largest or the average element of each window, and the gradients.

Images are packed, (N, C, H, W). Output (y, z) of a channel has the window whose element (i, j) lies at row
``y * stride - padding + i * dilation``, and at the column alike; elements in the padding count as -inf (max) or 0
(average). A thread computes one element of the result. The gradients gather: the thread of an input element asks which
windows it lies in::

    forward   thread = output element      backward   thread = input element
       +-------+                               windows that contain it, each asked:
       | w w w |  reads its window             average: adds d / count
       | w w w |  KH x KW reads, 1 write       max: finds the winner of the window again, adds d if it is this one
       +-------+

So no two threads add to one element, no atomics are needed, and every run gives the same bits. The price: the gradient
of the maximum reads ``(KH * KW / stride^2) * KH * KW`` numbers per input element, instead of storing an index per
window.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import real
from ..runtime.types import Fn, PoolParams
from ..tensor_ops.reference_conv import window_count
from .device.functions import output_reading, unravel_image
from .device.launch import blocks, kernel, launch
from .device.numba_cuda import cuda


def winner(
    x: Any, n: int, c: int, y: int, z: int, window: Any, stride: Any, padding: Any, dilation: Any
) -> int:
    """Return the position ``row * width + column`` of a window's largest element, or -1 if the window is empty.

    The first of equal elements wins; NaN wins over numbers.
    """
    _, _, height, width = x.shape
    top, left = y * stride[0] - padding[0], z * stride[1] - padding[2]
    best = -1
    for i in range(window[0]):
        row = top + i * dilation[0]
        if 0 <= row < height:
            for j in range(window[1]):
                col = left + j * dilation[1]
                if 0 <= col < width:
                    value = x[n, c, row, col]
                    if best < 0:
                        best = row * width + col
                    else:
                        largest = x[n, c, best // width, best % width]
                        if value > largest or (value != value and largest == largest):
                            best = row * width + col
    return best


def max_pool_elements(out: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Write the largest element of each window: a thread per window."""
    _, channels, rows, cols = out.shape
    _, _, _, width = x.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, y, z = unravel_image(t, channels, rows, cols)
        best = winner(x, n, c, y, z, window, stride, padding, dilation)
        if best < 0:
            out[n, c, y, z] = real(-np.inf)
        else:
            out[n, c, y, z] = x[n, c, best // width, best % width]


def max_pool_grad_elements(
    out: Any, x: Any, d: Any, window: Any, stride: Any, padding: Any, dilation: Any
) -> None:
    """Add up the gradients ``d`` of the windows that an input element wins: a thread per input element."""
    _, channels, height, width = x.shape
    _, _, rows, cols = d.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, row, col = unravel_image(t, channels, height, width)
        total = real(0)
        for i in range(window[0]):
            y = output_reading(row, padding[0] - i * dilation[0], stride[0], rows)
            if y >= 0:
                for j in range(window[1]):
                    z = output_reading(col, padding[2] - j * dilation[1], stride[1], cols)
                    if z >= 0:
                        best = winner(x, n, c, y, z, window, stride, padding, dilation)
                        if best == row * width + col:
                            total += d[n, c, y, z]
        out[n, c, row, col] = total


def avg_pool_elements(out: Any, x: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Write the average of each window, its elements added row by row: a thread per window."""
    _, channels, rows, cols = out.shape
    _, _, height, width = x.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, y, z = unravel_image(t, channels, rows, cols)
        top, left = y * stride[0] - padding[0], z * stride[1] - padding[2]
        total = real(0)
        for row in range(max(top, 0), min(top + window[0], height)):
            for col in range(max(left, 0), min(left + window[1], width)):
                total += x[n, c, row, col]
        out[n, c, y, z] = total / real(window_count(y, z, height, width, window, stride, padding, count_pad))


def avg_pool_grad_elements(out: Any, d: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Add up ``d / count`` of the windows that an input element lies in: a thread per input element."""
    _, channels, height, width = out.shape
    _, _, rows, cols = d.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, row, col = unravel_image(t, channels, height, width)
        total = real(0)
        for i in range(window[0]):
            y = output_reading(row, padding[0] - i, stride[0], rows)
            if y >= 0:
                for j in range(window[1]):
                    z = output_reading(col, padding[2] - j, stride[1], cols)
                    if z >= 0:
                        count = window_count(y, z, height, width, window, stride, padding, count_pad)
                        total += d[n, c, y, z] / real(count)
        out[n, c, row, col] = total


def _run(op: str, elements: Fn, out: Any, *operands: Any) -> None:
    shapes = [out.shape, *(o.shape for o in operands if not isinstance(o, tuple | int))]
    launch(op, shapes, kernel(elements, out.dtype), blocks(out.size), out, *operands)


def pool(out: Any, x: Any, params: PoolParams) -> None:
    """Write the largest or the average element of each window of ``x`` (N, C, H, W) into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    if kind == "max":
        _run("max pooling", max_pool_elements, out, x, window, stride, padding, dilation)
    else:
        _run("average pooling", avg_pool_elements, out, x, window, stride, padding, count_pad)


def pool_grad(out: Any, x: Any, d: Any, params: PoolParams) -> None:
    """Write the gradient of `pool` with respect to its input into ``out``; ``d`` is that of its result."""
    kind, window, stride, padding, dilation, count_pad = params
    name = f"gradient of {kind} pooling"
    if kind == "max":
        _run(name, max_pool_grad_elements, out, x, d, window, stride, padding, dilation)
    else:
        _run(name, avg_pool_grad_elements, out, d, window, stride, padding, count_pad)
