"""Convolution and pooling as plain loops: the specification of the kernels in all backends.

Arrays are (N, C, H, W): batch, channels, height, width. It depends on nothing else of the package.
Cost of a convolution: N * O * H' * W' * (C / groups) * KH * KW products, for the result and for each gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..runtime.types import ConvParams, Padding, Pair, PoolParams


def taps(x: Any, w: Any, out: Any, params: ConvParams) -> Iterator[Any]:
    """Yield (index into out, index into x, index into w) of every product that a convolution sums."""
    stride, padding, dilation, groups = params
    batch, _, height, width = x.shape
    outs, ins, kh, kw = w.shape
    per_group = outs // groups
    for n in range(batch):
        for o in range(outs):
            first = (o // per_group) * ins
            for y in range(out.shape[2]):
                for z in range(out.shape[3]):
                    for c in range(ins):
                        for i in range(kh):
                            for j in range(kw):
                                row = y * stride[0] + i * dilation[0] - padding[0]
                                col = z * stride[1] + j * dilation[1] - padding[2]
                                if 0 <= row < height and 0 <= col < width:
                                    yield (n, o, y, z), (n, first + c, row, col), (o, c, i, j)


def conv(out: Any, x: Any, w: Any, params: ConvParams) -> None:
    """Write the cross-correlation of ``x`` with ``w`` into ``out``."""
    out[...] = 0
    for out_index, x_index, w_index in taps(x, w, out, params):
        out[out_index] += x[x_index] * w[w_index]


def conv_grad_input(out: Any, d: Any, w: Any, params: ConvParams) -> None:
    """Write into ``out`` (shaped as the input) the gradient of `conv` with respect to the input."""
    out[...] = 0
    for d_index, out_index, w_index in taps(out, w, d, params):
        out[out_index] += d[d_index] * w[w_index]


def conv_grad_weight(out: Any, x: Any, d: Any, params: ConvParams) -> None:
    """Write into ``out`` (shaped as the weight) the gradient of `conv` with respect to the weight."""
    out[...] = 0
    for d_index, x_index, out_index in taps(x, out, d, params):
        out[out_index] += d[d_index] * x[x_index]


def _windows(x: Any, out: Any, window: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Iterator[Any]:
    """Yield (element of out, the elements of x under its window, row by row)."""
    batch, channels, height, width = x.shape
    for n in range(batch):
        for c in range(channels):
            for y in range(out.shape[2]):
                for z in range(out.shape[3]):
                    rows = [y * stride[0] + i * dilation[0] - padding[0] for i in range(window[0])]
                    cols = [z * stride[1] + j * dilation[1] - padding[2] for j in range(window[1])]
                    yield (
                        (n, c, y, z),
                        [(n, c, r, k) for r in rows if 0 <= r < height for k in cols if 0 <= k < width],
                    )


def window_count(
    y: int, z: int, height: int, width: int, window: Pair, stride: Pair, padding: Padding, count_pad: bool
) -> int:
    """Return by how many elements the average of window (y, z) is divided.

    Padding counts if ``count_pad``; what a rounded-up window reaches beyond the padding never does.
    """
    top, left = y * stride[0] - padding[0], z * stride[1] - padding[2]
    bottom, right = min(top + window[0], height + padding[1]), min(left + window[1], width + padding[3])
    if not count_pad:
        top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, height), min(right, width)
    return (bottom - top) * (right - left)


def pool(out: Any, x: Any, params: PoolParams) -> None:
    """Write the largest (``kind`` "max"; nan wins) or average element of each window into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    height, width = x.shape[2:]
    for position, elements in _windows(x, out, window, stride, padding, dilation):
        if kind == "max":
            out[position] = x[_winner(x, elements)] if elements else -float("inf")
        else:
            total = x.dtype.type(0)
            for element in elements:
                total = total + x[element]
            out[position] = total / window_count(
                position[2], position[3], height, width, window, stride, padding, count_pad
            )


def _winner(x: Any, elements: list[Any]) -> Any:
    """Return the index of the first largest element, or of the first nan."""
    best = elements[0]
    for element in elements:
        if x[element] > x[best] or (x[element] != x[element] and x[best] == x[best]):
            best = element
    return best


def pool_grad(out: Any, x: Any, d: Any, params: PoolParams) -> None:
    """Write into ``out`` (shaped as the input) the gradient of `pool`: the first of equal maxima gets it."""
    kind, window, stride, padding, dilation, count_pad = params
    height, width = x.shape[2:]
    out[...] = 0
    for position, elements in _windows(x, d, window, stride, padding, dilation):
        if kind == "max":
            if elements:
                out[_winner(x, elements)] += d[position]
        else:
            share = d[position] / window_count(
                position[2], position[3], height, width, window, stride, padding, count_pad
            )
            for element in elements:
                out[element] += share
