"""Resizing as a matrix for each axis: the filters of Pillow and PyTorch. Depends on NumPy only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ...runtime.types import Array

NEAREST = ("nearest", "nearest-exact")


def _box(x: Array) -> Array:
    x = np.round(x, 9)  # a pixel at the border belongs to one side
    return ((x > -0.5) & (x <= 0.5)).astype(np.float64)


def _triangle(x: Array) -> Array:
    return np.maximum(1 - np.abs(x), 0)


def _hamming(x: Array) -> Array:
    return np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0)


def cubic(x: Array, a: float = -0.5) -> Array:
    """Return the cubic filter of Keys (1981) with the slope ``a`` at distance 1."""
    x = np.abs(x)
    inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
    outer = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x < 1, inner, np.where(x < 2, outer, 0))


def _lanczos(x: Array) -> Array:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


# A filter of the distance from the new pixel's centre.
FILTERS: dict[str, Callable[[Array], Array]] = {
    "bilinear": _triangle,
    "bicubic": cubic,
    "box": _box,
    "hamming": _hamming,
    "lanczos": _lanczos,
}
MODES = (*NEAREST, *FILTERS)


def resampling(
    old: int, new: int, dtype: npt.DTypeLike, interpolation: str = "bilinear", antialias: bool = True
) -> Array:
    """Return the matrix (new, old) that resizes an axis.

    With ``antialias`` the filter is as wide as a new pixel, if that is larger than an old one, and its weights over the
    pixels that are there add up to 1. Without it the filter is as wide as an old pixel, and pixels beyond the edge are
    those of the edge; the slope of the cubic filter is -0.75 then, as in PyTorch.
    """
    step = old / new
    # Pixels that a filter at the edge reaches beyond it; they are added to those of the edge.
    beyond = 0 if antialias else 2
    positions = np.arange(-beyond, old + beyond)
    distances = positions + 0.5 - ((np.arange(new) + 0.5) * step)[:, None]
    if antialias:
        weights = FILTERS[interpolation](distances / max(step, 1.0))
    else:
        weights = cubic(distances, -0.75) if interpolation == "bicubic" else FILTERS[interpolation](distances)
    matrix = np.zeros((new, old))
    for position, column in zip(positions.clip(0, old - 1), weights.T):
        matrix[:, position] += column
    return (matrix / matrix.sum(1, keepdims=True)).astype(dtype)


def nearest(old: int, new: int, interpolation: str) -> Array:
    """Return the numbers (new,) of the nearest old pixels: by corners ("nearest", PyTorch's) or centres (Pillow's)."""
    offset = 0.5 if interpolation == "nearest-exact" else 0.0
    return np.minimum(np.floor((np.arange(new) + offset) * (old / new)).astype(np.intp), old - 1)


def resize(
    images: Array, height: int, width: int, interpolation: str = "bilinear", antialias: bool = True
) -> Array:
    """Resize images (..., H, W), uint8 or float; nan and infinity spread over the pixels under their filter."""
    if interpolation in NEAREST:
        rows = nearest(images.shape[-2], height, interpolation)
        columns = nearest(images.shape[-1], width, interpolation)
        return images[..., rows[:, None], columns]
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    floats = images.astype(dtype, copy=False)
    down = resampling(images.shape[-2], height, dtype, interpolation, antialias)
    across = resampling(images.shape[-1], width, dtype, interpolation, antialias)
    with np.errstate(invalid="ignore", over="ignore"):
        resized: Array = down @ floats @ across.T
        if not np.isfinite(resized).all():
            # A weight of 0 times infinity is nan: here only the pixels under each filter take part.
            resized = filtered(filtered(floats, down, floats.ndim - 2), across, floats.ndim - 1)
    if images.dtype == np.uint8:
        return np.rint(resized).clip(0, 255).astype(np.uint8)
    return resized.astype(images.dtype, copy=False)


def filtered(images: Array, weights: Array, axis: int) -> Array:
    """Apply the matrix ``weights`` (new, old) to an axis, with the pixels alone whose weight is not 0."""
    first = (weights != 0).argmax(1)
    counts = weights.shape[1] - (weights != 0)[:, ::-1].argmax(1) - first
    places = [-1 if k == axis else 1 for k in range(images.ndim)]
    total = np.zeros((*images.shape[:axis], len(weights), *images.shape[axis + 1 :]), images.dtype)
    for k in range(counts.max()):
        source = np.minimum(first + k, weights.shape[1] - 1)
        weight = np.where(k < counts, weights[np.arange(len(weights)), source], 0).reshape(places)
        total += weight * np.where(weight != 0, images.take(source, axis), 0)
    return total
