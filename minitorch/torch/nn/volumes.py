"""Convolution and pooling of volumes (N, C, D, H, W), named by `functional`: compositions of those of images.

A convolution cuts the depth into windows, whose elements become channels; then it is one convolution of N * D' images.
A transposed convolution makes the elements of its windows as channels, and adds them up along the depth. The largest
and the mean of a window are those along the depth of those of its images.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..elementwise import add, mul
from ..indexing import gather, index_add
from ..joining import narrow
from ..shapes import permute, reshape
from ..tensor import Tensor, from_array
from .linear_maps import as_tuple, batched, conv2d, conv_transpose2d
from .pooling_functions import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    max_pool2d,
    padded_for_override,
)
from .resizing import pad

__all__ = [
    "adaptive_avg_pool3d",
    "adaptive_max_pool3d",
    "avg_pool3d",
    "conv3d",
    "conv_transpose3d",
    "lp_pool3d",
    "max_pool3d",
]


def triple(name: str, value: Any) -> tuple[int, int, int]:
    """Return a setting as three numbers.

    Raises:
        RuntimeError: It has another number of them.
    """
    given = as_tuple(value)
    given = given if isinstance(given, tuple) else (given,)
    given = given * 3 if len(given) == 1 else given
    if len(given) != 3:
        raise RuntimeError(f"{name}: expected one int or three, got {value!r}")
    return int(given[0]), int(given[1]), int(given[2])


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Cross-correlate volumes (N, C, D, H, W) with (O, C / groups, KD, KH, KW)."""
    step, spread = triple("stride", stride), triple("dilation", dilation)
    kernel = tuple(weight.shape[2:])
    if padding == "same":
        if step != (1, 1, 1):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        widths = [d * (k - 1) for d, k in zip(spread, kernel)]
        sides = [(w // 2, w - w // 2) for w in widths]
    elif isinstance(padding, str):
        if padding != "valid":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        sides = [(0, 0)] * 3
    else:
        sides = [(p, p) for p in triple("padding", padding)]

    def run(x: Tensor) -> Tensor:
        if x.shape[1] != weight.shape[1] * groups:
            raise RuntimeError(
                f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have "
                f"{weight.shape[1] * groups} channels, but got {x.shape[1]} channels instead"
            )
        x = pad(x, [n for side in reversed(sides) for n in side]) if any(map(any, sides)) else x
        n, channels, depth, height, width = x.shape
        count = (depth - spread[0] * (kernel[0] - 1) - 1) // step[0] + 1
        if count < 1:
            raise RuntimeError(
                f"Calculated padded input size per channel: {tuple(x.shape[2:])}. Kernel size: {kernel}. Kernel size "
                "can't be greater than actual input size"
            )
        places = np.arange(count)[:, None] * step[0] + np.arange(kernel[0]) * spread[0]
        windows = x[:, :, from_array(places.reshape(-1), x.device)]
        windows = permute(reshape(windows, n, channels, count, kernel[0], height, width), 0, 2, 1, 3, 4, 5)
        images = reshape(windows, n * count, channels * kernel[0], height, width)
        flat = reshape(weight, weight.shape[0], weight.shape[1] * kernel[0], *kernel[1:])
        out = conv2d(images, flat, bias, step[1:], 0, spread[1:], groups)
        out = permute(reshape(out, n, count, *out.shape[1:]), 0, 2, 1, 3, 4)
        out._op = "Convolution"
        return out

    return batched(input, 5, run)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Apply the transposed convolution with (C, O / groups, KD, KH, KW): (N, C, D, H, W) to (N, O, D', H', W').

    ``D' = (D - 1) * stride - 2 * padding + dilation * (KD - 1) + output_padding + 1``, H' and W' alike.
    """
    step, pads = triple("stride", stride), triple("padding", padding)
    more, spread = triple("output_padding", output_padding), triple("dilation", dilation)
    kernel = tuple(weight.shape[2:])

    def run(x: Tensor) -> Tensor:
        n, channels, depth = x.shape[:3]
        images = reshape(permute(x, 0, 2, 1, 3, 4), n * depth, channels, *x.shape[3:])
        flat = reshape(weight, weight.shape[0], weight.shape[1] * kernel[0], *kernel[1:])
        out = conv_transpose2d(images, flat, None, step[1:], pads[1:], more[1:], groups, spread[1:])
        height, width = out.shape[2:]
        made = weight.shape[1] * groups
        parts = permute(reshape(out, n, depth, made, kernel[0], height, width), 0, 2, 1, 3, 4, 5)
        parts = reshape(parts, n, made, depth * kernel[0], height, width)
        places = np.arange(depth)[:, None] * step[0] + np.arange(kernel[0]) * spread[0]
        full = (depth - 1) * step[0] + spread[0] * (kernel[0] - 1) + 1 + more[0]
        start = x.new_zeros(n, made, full, height, width)
        summed = index_add(start, 2, from_array(places.reshape(-1), x.device), parts)
        cut = narrow(summed, 2, pads[0], full - 2 * pads[0])
        cut._op = "Convolution"
        return cut if bias is None else add(cut, reshape(bias, 1, -1, 1, 1, 1))

    return batched(input, 5, run)


def _stacked(x: Tensor) -> Tensor:
    """Return volumes (N, C, D, H, W) as images (N * C, D, H, W)."""
    return reshape(x, x.shape[0] * x.shape[1], *x.shape[2:])


def _column(x: Tensor) -> Tensor:
    """Return images (N, D, H, W) as (N, 1, D, H * W): the depth is the height of an image."""
    return reshape(x, x.shape[0], 1, x.shape[1], x.shape[2] * x.shape[3])


def _windows(kernel_size: Any, stride: Any) -> tuple[Any, Any]:
    window = triple("kernel_size", kernel_size)
    return window, window if stride is None or stride == () else triple("stride", stride)


def max_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Take the largest element of each window; with ``return_indices``, also its number in the volume."""
    window, step = _windows(kernel_size, stride)
    pads, spread = triple("padding", padding), triple("dilation", dilation)

    def run(x: Tensor) -> Any:
        flat = _stacked(x)
        inner = max_pool2d(flat, window[1:], step[1:], pads[1:], spread[1:], ceil_mode, return_indices)
        images = inner[0] if return_indices else inner
        size = tuple(images.shape[2:])
        outer = max_pool2d(
            _column(images),
            (window[0], 1),
            (step[0], 1),
            (pads[0], 0),
            (spread[0], 1),
            ceil_mode,
            return_indices,
        )
        return _whole(x, inner, outer, size, return_indices)

    return batched(input, 5, run)


def _whole(x: Tensor, inner: Any, outer: Any, size: tuple[int, ...], return_indices: bool) -> Any:
    """Return pooled volumes of what was pooled in the images, then along the depth; and the numbers."""
    values = outer[0] if return_indices else outer
    shape = (*x.shape[:2], values.shape[2], *size)
    out = reshape(values, *shape)
    out._op = "MaxPool3D"
    if not return_indices:
        return out
    area = math.prod(size)
    places = reshape(outer[1], values.shape[0], values.shape[2], area)
    within = reshape(inner[1], inner[1].shape[0], inner[1].shape[1], area)
    depth = places // area
    numbers = depth * math.prod(x.shape[3:]) + gather(within, 1, depth)
    return out, reshape(numbers, *shape)


def avg_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average each window; ``divisor_override`` divides the sum by another number."""
    window, step = _windows(kernel_size, stride)
    pads = triple("padding", padding)

    def run(x: Tensor) -> Tensor:
        given, ceil = pads, ceil_mode
        if divisor_override is not None:
            x, given, ceil = padded_for_override(x, window, step, pads, ceil_mode), (0, 0, 0), False
        images = avg_pool2d(_stacked(x), window[1:], step[1:], given[1:], ceil, count_include_pad)
        columns = avg_pool2d(
            _column(images), (window[0], 1), (step[0], 1), (given[0], 0), ceil, count_include_pad
        )
        out = reshape(columns, *x.shape[:2], columns.shape[2], *images.shape[2:])
        out = out if divisor_override is None else mul(out, math.prod(window) / divisor_override)
        out._op = "AvgPool3D"
        return out

    return batched(input, 5, run)


def _target(input: Tensor, output_size: Any) -> tuple[int, ...]:
    given = tuple(output_size) if isinstance(output_size, list | tuple) else (output_size,) * 3
    return tuple(n if m is None else int(m) for m, n in zip(given, input.shape[-3:]))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Average volumes down to ``output_size``; None keeps a size."""
    depth, *size = _target(input, output_size)

    def run(x: Tensor) -> Tensor:
        images = adaptive_avg_pool2d(_stacked(x), tuple(size))
        columns = adaptive_avg_pool2d(_column(images), (depth, math.prod(size)))
        out = reshape(columns, *x.shape[:2], depth, *size)
        out._op = "AdaptiveAvgPool3D"
        return out

    return batched(input, 5, run)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take the largest element of each window, as many windows as ``output_size``; None keeps a size."""
    depth, *size = _target(input, output_size)

    def run(x: Tensor) -> Any:
        inner = adaptive_max_pool2d(_stacked(x), tuple(size), True)
        outer = adaptive_max_pool2d(_column(inner[0]), (depth, math.prod(size)), True)
        found = _whole(x, inner, outer, tuple(size), True)
        return found if return_indices else found[0]

    return batched(input, 5, run)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Return the root of the summed powers of each window."""
    window, step = _windows(kernel_size, stride)
    mean = avg_pool3d(input**norm_type, window, step, 0, ceil_mode)
    return mul(mul(mean.sign(), mean.abs().relu()), float(math.prod(window))) ** (1 / norm_type)
