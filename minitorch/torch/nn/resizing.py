"""Padding, resizing and pixel shuffling of images, named by `functional`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...nn import functional as core
from ...tensor_functions import arrange
from ..linalg import matmul
from ..shapes import ordinals, pick, reshape, squeeze, transpose, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array, wrap

__all__ = [
    "channel_shuffle",
    "interpolate",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
]


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Pad the last dimensions: (left, right), (left, right, top, bottom), ...; negative numbers cut off.

    ``mode`` is "constant" (``value``, by default 0), "reflect", "replicate" or "circular".
    """
    given = [int(n) for n in pad]
    if len(given) % 2 or len(given) > 2 * input.ndim:
        raise RuntimeError("Padding length must be divisible by 2 and fit the dimensions of the input")
    widths = [(0, 0)] * (input.ndim - len(given) // 2) + [
        (given[2 * k], given[2 * k + 1]) for k in reversed(range(len(given) // 2))
    ]
    key = tuple(slice(max(0, -a), n - max(0, -b)) for (a, b), n in zip(widths, input.shape))
    if any(a < 0 or b < 0 for a, b in widths):
        input = input[key]
    positive = tuple((max(0, a), max(0, b)) for a, b in widths)
    if mode == "constant":
        if not is_float(input):
            return from_array(np.pad(to_array(input), positive, constant_values=value or 0), input.device)
        return wrap(
            arrange.Pad.apply(input._value, widths=positive, value=float(value or 0)), op="ConstantPadNd"
        )
    modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in modes:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    for (a, b), n in zip(positive, input.shape):
        if (mode == "reflect" and max(a, b) >= n) or (mode == "circular" and max(a, b) > n):
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got: padding ({a}, {b}) at "
                f"dimension of size {n}"
            )
    return pick(input, np.pad(ordinals(input), positive, modes[mode]), "Pad")  # type: ignore[call-overload]


def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: Any = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """Resize images (N, C, H, W) or rows (N, C, L): "nearest", "linear", "bilinear", or "area"."""
    spatial = input.ndim - 2
    if (size is None) == (scale_factor is None):
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sizes = list(size) if isinstance(size, list | tuple) else [size] * spatial
        scales = [n / m for n, m in zip(input.shape[2:], sizes)]
    else:
        factors = list(scale_factor) if isinstance(scale_factor, list | tuple) else [scale_factor] * spatial
        sizes = [math.floor(n * f) for n, f in zip(input.shape[2:], factors)]
        scales = [1 / f for f in factors]
    if mode == "area":
        images = input if spatial == 2 else unsqueeze(input, -2)
        averaged = wrap(
            core.adaptive_avgpool2d(images._value, (sizes[0], sizes[1]) if spatial == 2 else (1, sizes[0]))
        )
        return averaged if spatial == 2 else squeeze(averaged, -2)
    if mode == "nearest":
        numbers = ordinals(input)
        for k, (m, scale) in enumerate(zip(sizes, scales)):
            index = np.minimum(
                np.floor(np.arange(m, dtype=np.float32) * np.float32(scale)), input.shape[2 + k] - 1
            )
            numbers = np.take(numbers, index.astype(np.int64), 2 + k)
        return pick(input, numbers, "UpsampleNearest2D")
    if mode not in ("linear", "bilinear") or antialias:
        raise NotImplementedError(
            f'interpolate: mode {mode!r} is not there: expected "nearest", "linear", "bilinear", "area"'
        )
    out = input
    for k, (m, scale) in enumerate(zip(sizes, scales)):
        weights = from_array(
            _line_weights(input.shape[2 + k], m, scale, bool(align_corners)).astype(input.dtype.numpy),
            input.device,
        )
        last = 2 + k == input.ndim - 1
        moved = out if last else transpose(out, -1, 2 + k)
        out = matmul(moved, weights.t())
        out = out if last else transpose(out, -1, 2 + k)
    out._op = "UpsampleBilinear2D"
    return out


def _line_weights(n: int, m: int, scale: float, align_corners: bool) -> Any:
    """Return the (m, n) weights of linear interpolation along one axis."""
    if align_corners:
        places = np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        places = np.maximum((np.arange(m) + 0.5) * scale - 0.5, 0)
    low = np.minimum(np.floor(places).astype(int), n - 1)
    high, part = np.minimum(low + 1, n - 1), places - low
    weights = np.zeros((m, n))
    np.add.at(weights, (np.arange(m), low), 1 - part)
    np.add.at(weights, (np.arange(m), high), part)
    return weights


upsample = interpolate


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Move channels into space: (N, C * r * r, H, W) to (N, C, H * r, W * r)."""
    r, (c, h, w) = upscale_factor, input.shape[-3:]
    lead = input.shape[:-3]
    if c % (r * r):
        raise RuntimeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    x = reshape(input, math.prod(lead), c // (r * r), r, r, h, w).permute(0, 1, 4, 2, 5, 3)
    return reshape(x, *lead, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Move space into channels: the inverse of `pixel_shuffle`."""
    r, (c, h, w) = downscale_factor, input.shape[-3:]
    x = reshape(input, -1, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    return reshape(x, *input.shape[:-3], c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Interleave groups of channels of (N, C, ...)."""
    n, c = input.shape[:2]
    x = reshape(input, n, groups, c // groups, -1).permute(0, 2, 1, 3)
    return reshape(x, *input.shape)
