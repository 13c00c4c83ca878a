"""Padding, resizing and pixel shuffling of images, named by `functional`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...nn import functional as core
from ...tensor_functions import arrange
from ..linalg import matmul
from ..shapes import ordinals, pick, reshape, transpose
from ..tensor import Tensor, from_array, is_float, to_array, wrap

__all__ = [
    "channel_shuffle",
    "interpolate",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]


_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Pad the last dimensions: (left, right), (left, right, top, bottom), ...; negative numbers cut off.

    ``mode`` is "constant" (``value``, by default 0), "reflect", "replicate" or "circular".
    """
    given = [int(n) for n in pad]
    if len(given) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(given) > 2 * input.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(given)} and input of dimension {input.ndim}"
        )
    if mode != "constant":
        if mode not in _MODES:
            raise NotImplementedError(f"Unrecognised padding mode {mode}")
        if value:
            raise ValueError(f"Padding mode '{mode}' doesn't take in value argument")
        if input.ndim not in (len(given) // 2 + 1, len(given) // 2 + 2):
            raise NotImplementedError(
                "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now"
            )
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
    for (a, b), n in zip(positive, input.shape):
        if (mode == "reflect" and max(a, b) >= n) or (mode == "circular" and max(a, b) > n):
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got: padding ({a}, {b}) at "
                f"dimension of size {n}"
            )
    return pick(input, np.pad(ordinals(input), positive, _MODES[mode]), "Pad")  # type: ignore[call-overload]


_SPATIAL = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_NAMES = {"linear": "UpsampleLinear1D", "bilinear": "UpsampleBilinear2D", "bicubic": "UpsampleBicubic2D",
          "trilinear": "UpsampleTrilinear3D"}  # fmt: skip


def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: Any = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """Resize rows (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W).

    Args:
        input: What is resized.
        size: The new size: a number, or one for each spatial dimension.
        scale_factor: Or the factor of the sizes, which are rounded down.
        mode: "nearest" (default), "nearest-exact", "area"; "linear" for rows, "bilinear" and "bicubic" for images,
            "trilinear" for volumes.
        align_corners: Whether the corners of the old and the new elements are at the same places, by default not.
        recompute_scale_factor: Whether to use the quotient of the sizes instead of ``scale_factor``.
        antialias: Whether to average over the elements that a smaller image leaves out; "bilinear" and "bicubic" only.

    Raises:
        ValueError: Settings contradict each other.
        NotImplementedError: There is no such mode for so many dimensions.
    """
    spatial = input.ndim - 2
    sizes, scales = _sizes(input, spatial, size, scale_factor, bool(recompute_scale_factor))
    exact = mode == "nearest-exact"
    if mode in ("nearest", "area") or exact:
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    elif mode not in _SPATIAL or _SPATIAL[mode] != spatial:
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor"
        )
    if mode == "area":
        return _area(input, sizes)
    if mode == "nearest" or exact:
        numbers = ordinals(input)
        for k, (m, scale) in enumerate(zip(sizes, scales)):
            places = (np.arange(m, dtype=np.float32) + np.float32(0.5 * exact)) * np.float32(scale)
            index = np.minimum(np.floor(places), input.shape[2 + k] - 1)
            numbers = np.take(numbers, index.astype(np.int64), 2 + k)
        return pick(input, numbers, f"UpsampleNearest{spatial}D")
    out = input
    kernel = "cubic" if mode == "bicubic" else "linear"
    for k, (m, scale) in enumerate(zip(sizes, scales)):
        made = averaging_weights if antialias else line_weights
        weights = from_array(
            made(input.shape[2 + k], m, scale, bool(align_corners), kernel).astype(input.dtype.numpy),
            input.device,
        )
        last = 2 + k == input.ndim - 1
        moved = out if last else transpose(out, -1, 2 + k)
        out = matmul(moved, weights.t())
        out = out if last else transpose(out, -1, 2 + k)
    out._op = _NAMES[mode]
    return out


def _sizes(
    input: Tensor, spatial: int, size: Any, scale_factor: Any, recompute: bool
) -> tuple[list[int], list[float]]:
    if (size is None) == (scale_factor is None):
        raise ValueError("only one of size or scale_factor should be defined")
    given = scale_factor if size is None else size
    listed = list(given) if isinstance(given, list | tuple) else [given] * spatial
    if len(listed) != spatial:
        raise ValueError(
            f"Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(input.shape[2:])} and output size of {given}. Please provide input tensor in (N, C, d1, d2, "
            "...,dK) format and output size in (o1, o2, ...,oK) format."
        )
    sizes = (
        [int(n) for n in listed]
        if size is not None
        else [math.floor(n * f) for n, f in zip(input.shape[2:], listed)]
    )
    if min(sizes, default=1) < 1:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({list(input.shape[2:])}) and output "
            f"({sizes})"
        )
    if size is not None or recompute:
        return sizes, [n / m for n, m in zip(input.shape[2:], sizes)]
    return sizes, [1 / f for f in listed]


def _area(input: Tensor, sizes: list[int]) -> Tensor:
    """Average windows: volumes as images of rows, then along the depth."""
    lead, spatial = input.shape[:2], input.shape[2:]
    flat = reshape(
        input, lead[0] * lead[1], math.prod(spatial[:-2]), *(1,) * (2 - len(spatial)), *spatial[-2:]
    )
    height, width = (1, *sizes)[-2:]
    out = wrap(core.adaptive_avgpool2d(flat._value, (height, width)))
    if len(spatial) == 3:
        columns = reshape(out, out.shape[0], 1, out.shape[1], height * width)
        out = wrap(core.adaptive_avgpool2d(columns._value, (sizes[0], height * width)))
    return reshape(out, *lead, *sizes)


def _cubic(x: Any, a: float) -> Any:
    """Return the weight of an element at distance ``x``: the cubic kernel of Keys (1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _places(n: int, m: int, scale: float, align_corners: bool) -> Any:
    if align_corners:
        return np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    return (np.arange(m) + 0.5) * scale - 0.5


def line_weights(n: int, m: int, scale: float, align_corners: bool, kernel: str) -> Any:
    """Return the (m, n) weights of linear or cubic interpolation along one axis; edges are repeated."""
    places = _places(n, m, scale, align_corners)
    if kernel == "linear":
        places = np.maximum(places, 0)
    low = np.floor(places).astype(int)
    weights = np.zeros((m, n))
    for step in (0, 1) if kernel == "linear" else (-1, 0, 1, 2):
        distance = places - low - step
        value = 1 - np.abs(distance) if kernel == "linear" else _cubic(distance, -0.75)
        np.add.at(weights, (np.arange(m), np.clip(low + step, 0, n - 1)), value)
    return weights


def averaging_weights(n: int, m: int, scale: float, align_corners: bool, kernel: str) -> Any:
    """Return the (m, n) weights of a kernel as wide as the elements that one new element stands for."""
    if align_corners:
        scale = (n - 1) / (m - 1) if m > 1 else 0.0
    stretch = max(scale, 1.0)
    reach = stretch * (1.0 if kernel == "linear" else 2.0)
    centers = scale * (np.arange(m) + 0.5)
    low = np.maximum((centers - reach + 0.5).astype(int), 0)
    high = np.minimum((centers + reach + 0.5).astype(int), n)
    places = np.arange(n)
    x = (places + 0.5 - centers[:, None]) / stretch
    values = np.maximum(1 - np.abs(x), 0) if kernel == "linear" else _cubic(x, -0.5)
    values = np.where((places >= low[:, None]) & (places < high[:, None]), values, 0.0)
    return values / values.sum(1, keepdims=True)


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:  # fmt: skip
    """Do `interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Do `interpolate` by the nearest element."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Do `interpolate` linearly, corners aligned."""
    return interpolate(input, size, scale_factor, "bilinear", True)


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
    if h % r or w % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but input.size(-2)={h} and "
            f"input.size(-1)={w} are not both divisible by {r}"
        )
    x = reshape(input, -1, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    return reshape(x, *input.shape[:-3], c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Interleave groups of channels of (N, C, ...)."""
    n, c = input.shape[:2]
    if c % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups."
        )
    x = reshape(input, n, groups, c // groups, -1).permute(0, 2, 1, 3)
    return reshape(x, *input.shape)
