"""Pooling of the CUDA backend: one thread computes one element of the result.

The derivatives gather: the thread of an input element looks up the windows that it lies in. So no two threads add to one
element, no atomics are needed, and every run gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.placeholders import real
from ..runtime.types import Fn, PoolParams
from ..tensor_ops.reference_conv import window_count
from .device.functions import image_element, reader
from .device.launch import blocks, kernel, launch
from .device.numba_cuda import cuda


def winner(
    x: Any, n: int, c: int, y: int, z: int, window: Any, stride: Any, padding: Any, dilation: Any
) -> int:
    """Return the place ``row * width + column`` of the element that wins a window (nan does), or -1 if it is empty."""
    _, _, height, width = x.shape
    top, left = y * stride[0] - padding[0], z * stride[1] - padding[2]
    best = -1
    for i in range(window[0]):
        r = top + i * dilation[0]
        if 0 <= r < height:
            for j in range(window[1]):
                k = left + j * dilation[1]
                if 0 <= k < width:
                    v = x[n, c, r, k]
                    if best < 0:
                        best = r * width + k
                    else:
                        known = x[n, c, best // width, best % width]
                        if v > known or (v != v and known == known):
                            best = r * width + k
    return best


def max_pool_elements(out: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Take the largest element of each window."""
    _, channels, rows, cols = out.shape
    _, _, _, width = x.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, y, z = image_element(t, channels, rows, cols)
        best = winner(x, n, c, y, z, window, stride, padding, dilation)
        if best < 0:
            out[n, c, y, z] = real(-np.inf)
        else:
            out[n, c, y, z] = x[n, c, best // width, best % width]


def max_pool_grad_elements(
    out: Any, x: Any, d: Any, window: Any, stride: Any, padding: Any, dilation: Any
) -> None:
    """Go back through the maximum: a thread adds up the windows that its input element has won."""
    _, channels, height, width = x.shape
    _, _, rows, cols = d.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, r, k = image_element(t, channels, height, width)
        total = real(0)
        for i in range(window[0]):
            y = reader(r, padding[0] - i * dilation[0], stride[0], rows)
            if y >= 0:
                for j in range(window[1]):
                    z = reader(k, padding[2] - j * dilation[1], stride[1], cols)
                    if z >= 0:
                        best = winner(x, n, c, y, z, window, stride, padding, dilation)
                        if best == r * width + k:
                            total += d[n, c, y, z]
        out[n, c, r, k] = total


def avg_pool_elements(out: Any, x: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Average each window."""
    _, channels, rows, cols = out.shape
    _, _, height, width = x.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, y, z = image_element(t, channels, rows, cols)
        top, left = y * stride[0] - padding[0], z * stride[1] - padding[2]
        total = real(0)
        for r in range(max(top, 0), min(top + window[0], height)):
            for k in range(max(left, 0), min(left + window[1], width)):
                total += x[n, c, r, k]
        out[n, c, y, z] = total / real(window_count(y, z, height, width, window, stride, padding, count_pad))


def avg_pool_grad_elements(out: Any, d: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Go back through the average: a thread adds up its shares of the windows it lies in."""
    _, channels, height, width = out.shape
    _, _, rows, cols = d.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, r, k = image_element(t, channels, height, width)
        total = real(0)
        for i in range(window[0]):
            y = reader(r, padding[0] - i, stride[0], rows)
            if y >= 0:
                for j in range(window[1]):
                    z = reader(k, padding[2] - j, stride[1], cols)
                    if z >= 0:
                        count = window_count(y, z, height, width, window, stride, padding, count_pad)
                        total += d[n, c, y, z] / real(count)
        out[n, c, r, k] = total


def _run(op: str, elements: Fn, out: Any, *operands: Any) -> None:
    shapes = [out.shape, *(o.shape for o in operands if not isinstance(o, tuple | int))]
    launch(op, shapes, kernel(elements, out.dtype), blocks(out.size), out, *operands)


def pool(out: Any, x: Any, params: PoolParams) -> None:
    """Write the largest or average element of each window into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    if kind == "max":
        _run("max pooling", max_pool_elements, out, x, window, stride, padding, dilation)
    else:
        _run("average pooling", avg_pool_elements, out, x, window, stride, padding, count_pad)


def pool_grad(
    out: Any, x: Any, d: Any,
    params: PoolParams,
) -> None:  # fmt: skip
    """Write the derivative of `pool` with respect to its input into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    name = f"gradient of {kind} pooling"
    if kind == "max":
        _run(name, max_pool_grad_elements, out, x, d, window, stride, padding, dilation)
    else:
        _run(name, avg_pool_grad_elements, out, d, window, stride, padding, count_pad)
