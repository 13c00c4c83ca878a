"""Pooling and windows of images and rows, named by `functional`."""

from __future__ import annotations

import itertools
import math
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
from .tuples import _ntuple

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "fold",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "unfold",
]


def _pooled(name: str, fn: Any, input: Tensor, *settings: Any) -> Tensor:
    def run(x: Tensor) -> Tensor:
        try:
            return wrap(fn(value_of(name, x), *settings))
        except (IndexingError, ValueError) as error:
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
    step = window if _no_stride(stride) else pair(as_tuple(stride), "stride")
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


def _unpool(
    dims: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    window = _ntuple(dims)(kernel_size)
    step = window if _no_stride(stride) else _ntuple(dims)(stride)
    pads = _ntuple(dims)(padding)
    default = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(input.shape[-dims:], step, pads, window)]
    size = default if output_size is None else list(output_size)[-dims:]
    for k, (n, d, s) in enumerate(zip(size, default, step)):
        if not d - s < n < d + s:
            raise ValueError(
                f'invalid output_size "{list(size)}" (dim {k} must be between {d - s} and {d + s})'
            )
    numbers = to_array(indices)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < math.prod(size):
        raise RuntimeError(f"Found an invalid max index: {numbers.max()} (output volumes are of size {size})")
    flat = input.new_zeros(*input.shape[:-dims], math.prod(size))
    lead = indices.shape[:-dims]
    out = flat.scatter(-1, reshape(indices, *lead, -1), reshape(input, *lead, -1))
    return reshape(out, *lead, *size)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:  # fmt: skip
    """Write each element to the place that ``indices`` of `max_pool1d` name, zeros elsewhere."""
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:  # fmt: skip
    """Write each element to the place that ``indices`` of `max_pool2d` name, zeros elsewhere."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:  # fmt: skip
    """Write each element to the place that ``indices`` of `max_pool3d` name, zeros elsewhere."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average each window; ``divisor_override`` divides the sum by another number."""
    window = pair(as_tuple(kernel_size), "kernel_size")
    step = window if _no_stride(stride) else pair(as_tuple(stride), "stride")
    pads = pair(as_tuple(padding), "padding", 0)
    if divisor_override is None:
        return _pooled("AvgPool2D", core.avgpool2d, input, window, step, pads, ceil_mode, count_include_pad)
    if not divisor_override:
        raise RuntimeError("divisor must be not zero")
    full = padded_for_override(input, window, step, pads, ceil_mode)
    out = _pooled("AvgPool2D", core.avgpool2d, full, window, step, 0, False, True)
    return mul(out, math.prod(window) / divisor_override)


def _no_stride(stride: Any) -> bool:
    return stride is None or (isinstance(stride, tuple | list) and not stride)


def padded_for_override(input: Tensor, window: Any, step: Any, pads: Any, ceil_mode: bool) -> Tensor:
    """Return the input with its padding, and with so many zeros more that all windows are full."""
    sides = []
    for n, w, s, p in zip(input.shape[-len(window) :], window, step, pads):
        reach = n + 2 * p - w
        count = -(-reach // s) if ceil_mode else reach // s
        count -= ceil_mode and count * s >= n + p
        sides += [p, max(0, count * s + w - n - p)]
    return pad(input, [k for i in reversed(range(0, len(sides), 2)) for k in sides[i : i + 2]])


def _row_settings(kernel_size: Any, stride: Any) -> tuple[Any, Any]:
    return (1, one(kernel_size)), None if _no_stride(stride) else (1, one(stride))


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Do `max_pool2d` on rows (N, C, L)."""
    window, step = _row_settings(kernel_size, stride)
    out = max_pool2d(
        unsqueeze(input, -2), window, step, (0, one(padding)), (1, one(dilation)), ceil_mode, return_indices
    )
    return tuple(squeeze(t, -2) for t in out) if return_indices else squeeze(out, -2)


def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Do `avg_pool2d` on rows (N, C, L)."""
    window, step = _row_settings(kernel_size, stride)
    out = avg_pool2d(unsqueeze(input, -2), window, step, (0, one(padding)), ceil_mode, count_include_pad)
    return squeeze(out, -2)


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
    mean = avg_pool2d(input**norm_type, window, stride, 0, ceil_mode)
    return mul(mul(mean.sign(), mean.abs().relu()), float(math.prod(window))) ** (1 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Do `lp_pool2d` on rows (N, C, L)."""
    window, step = _row_settings(kernel_size, stride)
    return squeeze(lp_pool2d(unsqueeze(input, -2), norm_type, window, step, ceil_mode), -2)


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Return the windows of images (N, C, H, W) as columns: (N, C * KH * KW, number of windows)."""
    window, step = pair(as_tuple(kernel_size), "kernel_size"), pair(as_tuple(stride), "stride")
    pads, dil = pair(as_tuple(padding), "padding", 0), pair(as_tuple(dilation), "dilation")

    def run(x: Tensor) -> Tensor:
        padded = pad(x, (pads[1], pads[1], pads[0], pads[0]))
        spans = [d * (w - 1) + 1 for w, d in zip(window, dil)]
        if any(n < m for n, m in zip(padded.shape[2:], spans)):
            raise RuntimeError(
                f"Given input with spatial size {tuple(x.shape[2:])}, kernel_size={window}, dilation={dil}, padding="
                f"{pads}, calculated shape of the array of sliding blocks is too small (non-positive)."
            )
        cut = np.lib.stride_tricks.sliding_window_view(ordinals(padded), spans, (2, 3))
        cut = cut[:, :, :: step[0], :: step[1], :: dil[0], :: dil[1]].transpose(0, 1, 4, 5, 2, 3)
        return pick(padded, cut.reshape(x.shape[0], x.shape[1] * math.prod(window), -1), "Im2Col")

    return batched(input, 4, run)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Add up columns, as `unfold` makes them, into images of ``output_size``."""
    height, width = pair(as_tuple(output_size), "output_size")
    pads, dil = pair(as_tuple(padding), "padding", 0), pair(as_tuple(dilation), "dilation")
    window, step = pair(as_tuple(kernel_size), "kernel_size"), pair(as_tuple(stride), "stride")
    count = math.prod(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip((height, width), pads, dil, window, step)
    )

    def run(x: Tensor) -> Tensor:
        if x.shape[1] % math.prod(window):
            raise RuntimeError(
                f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                f"input.size(1)={x.shape[1]} and kernel_size={window}."
            )
        if x.shape[2] != count:
            raise RuntimeError(
                f"Given output_size=({height}, {width}), kernel_size={window}, dilation={dil}, padding={pads}, stride="
                f"{step}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
                f"{count}, but got input.size(2)={x.shape[2]}."
            )
        channels = x.shape[1] // math.prod(window)
        empty = x.new_zeros(x.shape[0], channels, height + 2 * pads[0], width + 2 * pads[1])
        numbers = unfold(from_array(ordinals(empty).astype(np.float64)), window, dil, 0, step)
        places = from_array(to_array(numbers).astype(np.int64).reshape(-1))
        added = reshape(empty, -1).scatter_add(0, places, reshape(x, -1))
        images = reshape(added, *empty.shape)
        return images[:, :, pads[0] : pads[0] + height, pads[1] : pads[1] + width]

    return batched(input, 3, run)
