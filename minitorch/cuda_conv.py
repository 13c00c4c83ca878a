"""Convolution of the CUDA room: one thread computes one cell of the result.

The derivatives gather: the thread of an input cell looks up the outputs that read it. So no two threads add to one
cell, no atomics are needed, and every run gives the same bits. It refuses to know everything but arrays on the device:
(batch, channels, height, width), packed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import operators
from ._cuda import cuda
from .cuda_device import image_cell, reader
from .cuda_launch import Fn, blocks, kernel, launch

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]  # top, bottom, left, right

real: Any = np.float64  # bound by `kernel` to the dtype's own type
finish = operators.id  # and this to an activation


def conv_sum(x: Any, w: Any, n: int, o: int, y: int, z: int, settings: Any) -> Any:
    """Return the sum of the products of one output cell."""
    stride, padding, dilation, per_group = settings
    _, _, height, width = x.shape
    _, ins, kh, kw = w.shape
    first = o // per_group * ins
    total = real(0)
    for c in range(ins):
        for i in range(kh):
            r = y * stride[0] + i * dilation[0] - padding[0]
            if 0 <= r < height:
                for j in range(kw):
                    k = z * stride[1] + j * dilation[1] - padding[2]
                    if 0 <= k < width:
                        total += x[n, first + c, r, k] * w[o, c, i, j]
    return total


def conv_cells(out: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Convolve: a thread sums the products of one output cell."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = image_cell(t, outs, rows, cols)
        out[n, o, y, z] = conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups))


def conv_act_cells(
    out: Any, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Convolve, add the bias of the channel, and activate."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = image_cell(t, outs, rows, cols)
        out[n, o, y, z] = finish(
            conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups)) + b[o]
        )


def conv_grad_input_cells(
    out: Any, d: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Go back to the input: a thread sums over the outputs that read its input cell."""
    _, channels, height, width = out.shape
    _, outs, rows, cols = d.shape
    _, ins, kh, kw = w.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, r, k = image_cell(t, channels, height, width)
        per_group = outs // groups
        first = c // ins * per_group
        total = real(0)
        for o in range(first, first + per_group):
            for i in range(kh):
                y = reader(r, padding[0] - i * dilation[0], stride[0], rows)
                if y >= 0:
                    for j in range(kw):
                        z = reader(k, padding[2] - j * dilation[1], stride[1], cols)
                        if z >= 0:
                            total += d[n, o, y, z] * w[o, c % ins, i, j]
        out[n, c, r, k] = total


def conv_grad_weight_cells(
    out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Go back to the weight: a thread sums over all positions at which its weight was used."""
    outs, ins, kh, kw = out.shape
    batch, _, height, width = x.shape
    _, _, rows, cols = d.shape
    t = cuda.grid(1)
    if t < out.size:
        o, c, i, j = image_cell(t, ins, kh, kw)
        channel = o // (outs // groups) * ins + c
        total = real(0)
        for n in range(batch):
            for y in range(rows):
                r = y * stride[0] + i * dilation[0] - padding[0]
                if 0 <= r < height:
                    for z in range(cols):
                        k = z * stride[1] + j * dilation[1] - padding[2]
                        if 0 <= k < width:
                            total += x[n, channel, r, k] * d[n, o, y, z]
        out[o, c, i, j] = total


def _run(op: str, cells: Fn, out: Any, *operands: Any, **fns: Fn) -> None:
    shapes = [out.shape, *(o.shape for o in operands if not isinstance(o, tuple | int))]
    launch(op, shapes, kernel(cells, out.dtype, **fns), blocks(out.size), out, *operands)


def forward(out: Any, x: Any, w: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> None:
    """Write the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C / groups, KH, KW) into ``out``."""
    _run("convolution", conv_cells, out, x, w, stride, padding, dilation, groups)


def forward_act(
    out: Any, x: Any, w: Any, b: Any,
    stride: Pair, padding: Padding, dilation: Pair, groups: int, finish: Fn,
) -> None:  # fmt: skip
    """Write ``finish`` of the cross-correlation plus ``b`` (O,) into ``out``."""
    _run("convolution", conv_act_cells, out, x, w, b, stride, padding, dilation, groups, finish=finish)


def grad_input(out: Any, d: Any, w: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> None:
    """Write the derivative with respect to the input into ``out``."""
    _run(
        "input gradient of a convolution", conv_grad_input_cells, out, d, w, stride, padding, dilation, groups
    )


def grad_weight(
    out: Any, x: Any, d: Any, stride: Pair, padding: Padding, dilation: Pair, groups: int
) -> None:
    """Write the derivative with respect to the weight into ``out``."""
    name = "weight gradient of a convolution"
    _run(name, conv_grad_weight_cells, out, x, d, stride, padding, dilation, groups)


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    x: Any, x_shape: Any, x_strides: Any,
    w: Any, w_shape: Any, w_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The convolution as the course writes it: ``out[n, o, y, z] = sum of x[n, c, y + i, z + j] * w[o, c, i, j]``.

    With ``reverse``, ``y - i`` and ``z - j``; cells outside count as 0.
    """
    sign = -1 if reverse else 1
    t = cuda.grid(1)
    if t < out_size:
        n, o, y, z = image_cell(t, out_shape[1], out_shape[2], out_shape[3])
        total = real(0)
        for c in range(x_shape[1]):
            for i in range(w_shape[2]):
                r = y + sign * i
                if 0 <= r < x_shape[2]:
                    at = n * x_strides[0] + c * x_strides[1] + r * x_strides[2]
                    by = o * w_strides[0] + c * w_strides[1] + i * w_strides[2]
                    for j in range(w_shape[3]):
                        k = z + sign * j
                        if 0 <= k < x_shape[3]:
                            total += x[at + k * x_strides[3]] * w[by + j * w_strides[3]]
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + z * out_strides[3]] = total


def anchored_conv1d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    x: Any, x_shape: Any, x_strides: Any,
    w: Any, w_shape: Any, w_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The one-dimensional form of `anchored_conv2d`."""
    sign = -1 if reverse else 1
    t = cuda.grid(1)
    if t < out_size:
        n, o, _, z = image_cell(t, out_shape[1], 1, out_shape[2])
        total = real(0)
        for c in range(x_shape[1]):
            at, by = n * x_strides[0] + c * x_strides[1], o * w_strides[0] + c * w_strides[1]
            for j in range(w_shape[2]):
                k = z + sign * j
                if 0 <= k < x_shape[2]:
                    total += x[at + k * x_strides[2]] * w[by + j * w_strides[2]]
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = kernel(anchored_conv1d, np.float64)
tensor_conv2d = kernel(anchored_conv2d, np.float64)
