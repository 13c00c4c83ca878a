"""Pooling and windows of images and rows, named by `functional`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...nn import functional as core
from ...nn.settings import pair
from ...tensor_data import IndexingError
from ..elementwise import mul
from ..shapes import ordinals, pick, reshape, squeeze, unsqueeze
from ..tensor import Tensor, from_array, to_array, wrap
from .linear_maps import as_tuple, batched, one, value_of
from .resizing import pad

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "fold",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool2d",
    "unfold",
]


def _pooled(name: str, fn: Any, input: Tensor, *settings: Any) -> Tensor:
    def run(x: Tensor) -> Tensor:
        try:
            return wrap(fn(value_of(name, x), *settings))
        except IndexingError as error:
            raise RuntimeError(str(error)) from None

    out = batched(input, 4, run)
    out._op = name
    return out


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Take the largest element of each window; with ``return_indices``, also its number in the image."""
    window = pair(as_tuple(kernel_size), "kernel_size")
    step = window if stride is None else pair(as_tuple(stride), "stride")
    out = _pooled(
        "MaxPool2D", core.maxpool2d, input, window, step, as_tuple(padding), as_tuple(dilation), ceil_mode
    )
    if not return_indices:
        return out
    return out, batched(
        input,
        4,
        lambda x: _largest(
            x, tuple(out.shape[-2:]), window, step, pair(padding, "p", 0), pair(dilation, "d")
        ),
    )


def _largest(x: Tensor, size: Any, window: Any, step: Any, pads: Any, dilation: Any) -> Tensor:
    """Return the number of the largest element of each window."""
    images = to_array(x)
    padded = np.pad(images, ((0, 0), (0, 0), *((p, p + w * d) for p, w, d in zip(pads, window, dilation))),
                    constant_values=-np.inf)  # fmt: skip
    spans = [d * (w - 1) + 1 for w, d in zip(window, dilation)]
    cut = np.lib.stride_tricks.sliding_window_view(padded, spans, (2, 3))
    cut = cut[:, :, :: step[0], :: step[1], :: dilation[0], :: dilation[1]][:, :, : size[0], : size[1]]
    best = cut.reshape(*cut.shape[:4], -1).argmax(-1)
    rows = np.arange(size[0])[:, None] * step[0] - pads[0] + best // window[1] * dilation[0]
    cols = np.arange(size[1]) * step[1] - pads[1] + best % window[1] * dilation[1]
    return from_array(rows * images.shape[3] + cols, x.device)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Write each element to the place that ``indices`` of `max_pool2d` name, zeros elsewhere."""
    window = pair(kernel_size, "kernel_size")
    step = window if stride is None else pair(stride, "stride")
    pads = pair(padding, "padding", 0)
    size = (
        [(n - 1) * s - 2 * p + k for n, s, p, k in zip(input.shape[-2:], step, pads, window)]
        if output_size is None
        else list(output_size)[-2:]
    )
    flat = input.new_zeros(*input.shape[:-2], math.prod(size))
    out = flat.scatter_add(
        -1, reshape(indices, *indices.shape[:-2], -1), reshape(input, *input.shape[:-2], -1)
    )
    return reshape(out, *input.shape[:-2], *size)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average each window; ``divisor_override`` divides the sum by another number."""
    window = pair(as_tuple(kernel_size), "kernel_size")
    step = window if stride is None else as_tuple(stride)
    counted = count_include_pad or divisor_override is not None
    out = _pooled("AvgPool2D", core.avgpool2d, input, window, step, as_tuple(padding), ceil_mode, counted)
    return out if divisor_override is None else mul(out, math.prod(window) / divisor_override)


def _as_rows(fn: Callable[..., Any]) -> Callable[..., Any]:
    def function(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, *more: Any, **named: Any
    ) -> Any:
        if "dilation" in named:
            named["dilation"] = (1, one(named["dilation"]))
        window, step = one(kernel_size), None if stride is None else (1, one(stride))
        out = fn(unsqueeze(input, -2), (1, window), step, (0, one(padding)), *more, **named)
        return tuple(squeeze(t, -2) for t in out) if isinstance(out, tuple) else squeeze(out, -2)

    function.__name__ = fn.__name__.replace("2d", "1d")
    function.__doc__ = f"Do `{fn.__name__}` on rows (N, C, L)."
    return function


max_pool1d, avg_pool1d = _as_rows(max_pool2d), _as_rows(avg_pool2d)


def _target(input: Tensor, output_size: Any) -> tuple[int, int]:
    given = output_size if isinstance(output_size, list | tuple) else (output_size, output_size)
    rows, cols = (n if m is None else int(m) for m, n in zip(given, input.shape[-2:]))
    return rows, cols


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Average images down to ``output_size``; None keeps a size."""
    return _pooled("AdaptiveAvgPool2D", core.adaptive_avgpool2d, input, _target(input, output_size))


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take the largest element of each window, as many windows as ``output_size``; None keeps a size."""
    rows, cols = _target(input, output_size)
    x, numbers = to_array(input), ordinals(input)
    height, width = x.shape[-2:]
    chosen = np.empty((*x.shape[:-2], rows, cols), np.int64)
    inside = np.empty_like(chosen)
    for i, j in itertools.product(range(rows), range(cols)):
        part = (..., slice(i * height // rows, -(-(i + 1) * height // rows)),
                slice(j * width // cols, -(-(j + 1) * width // cols)))  # fmt: skip
        window, names = x[part].reshape(*x.shape[:-2], -1), numbers[part].reshape(*x.shape[:-2], -1)
        best = window.argmax(-1)[..., None]
        chosen[..., i, j] = np.take_along_axis(names, best, -1)[..., 0]
        inside[..., i, j] = chosen[..., i, j] % (height * width)
    out = pick(input, chosen, "AdaptiveMaxPool2D")
    return (out, from_array(inside, input.device)) if return_indices else out


def adaptive_avg_pool1d(input: Tensor, output_size: int) -> Tensor:
    """Average rows (N, C, L) down to ``output_size``."""
    return squeeze(adaptive_avg_pool2d(unsqueeze(input, -2), (1, one(output_size))), -2)


def adaptive_max_pool1d(input: Tensor, output_size: int, return_indices: bool = False) -> Any:
    """Take the largest element of each of ``output_size`` windows of rows (N, C, L)."""
    out = adaptive_max_pool2d(unsqueeze(input, -2), (1, one(output_size)), return_indices)
    return tuple(squeeze(t, -2) for t in out) if return_indices else squeeze(out, -2)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Return the root of the summed powers of each window."""
    window = pair(as_tuple(kernel_size), "kernel_size")
    sums = mul(avg_pool2d(input**norm_type, window, stride, 0, ceil_mode), float(math.prod(window)))
    return sums ** (1 / norm_type)


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Return the windows of images (N, C, H, W) as columns: (N, C * KH * KW, number of windows)."""
    window, step = pair(as_tuple(kernel_size), "kernel_size"), pair(as_tuple(stride), "stride")
    pads, dil = pair(as_tuple(padding), "padding", 0), pair(as_tuple(dilation), "dilation")
    padded = pad(input, (pads[1], pads[1], pads[0], pads[0]))
    spans = [d * (w - 1) + 1 for w, d in zip(window, dil)]
    cut = np.lib.stride_tricks.sliding_window_view(ordinals(padded), spans, (2, 3))
    cut = cut[:, :, :: step[0], :: step[1], :: dil[0], :: dil[1]].transpose(0, 1, 4, 5, 2, 3)
    return pick(padded, cut.reshape(input.shape[0], input.shape[1] * math.prod(window), -1), "Im2Col")


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Add up columns, as `unfold` makes them, into images of ``output_size``."""
    height, width = pair(output_size, "output_size")
    pads = pair(padding, "padding", 0)
    window = pair(kernel_size, "kernel_size")
    channels = input.shape[1] // math.prod(window)
    empty = input.new_zeros(input.shape[0], channels, height + 2 * pads[0], width + 2 * pads[1])
    numbers = unfold(from_array(ordinals(empty).astype(np.float64)), window, dilation, 0, stride)
    places = from_array(to_array(numbers).astype(np.int64).reshape(-1))
    added = reshape(empty, -1).scatter_add(0, places, reshape(input, -1))
    images = reshape(added, *empty.shape)
    return images[:, :, pads[0] : pads[0] + height, pads[1] : pads[1] + width]
