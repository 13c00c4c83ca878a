"""Transforms by small filters: Gaussian blur and sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from .base import (
    Range,
    Size,
    Transform,
    ends,
    in_dtype,
    in_floats,
    pair,
    per_image,
    require_probability,
    sometimes,
)

# Pillow's SMOOTH filter, by which an image is sharpened or smoothed.
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13


@dataclass(eq=False)
class GaussianBlur(Transform):
    """Averages each pixel's neighbours by a Gaussian; images are mirrored at their edges.

    Args:
        kernel_size: (height, width) of the filter in pixels, or one odd number for both.
        sigma: (lowest, highest) standard deviation in pixels, or one number; by default (0.1, 2).

    Raises:
        ValueError: A size is not odd, ``sigma`` is not above 0; on a call, the filter reaches over the whole image.
    """

    kernel_size: Size
    sigma: Range = (0.1, 2.0)

    def __post_init__(self) -> None:
        odd_pair(self.kernel_size)
        self._ends()

    def apply(self, batch: Array) -> Array:
        """Blur."""
        sigma = rng.generator().uniform(*self._ends(), len(batch))
        return gaussian_blurred(batch, odd_pair(self.kernel_size), np.stack([sigma, sigma], 1))

    def _ends(self) -> tuple[float, float]:
        low_high = (self.sigma, self.sigma) if np.ndim(self.sigma) == 0 else self.sigma
        return ends("sigma", low_high, 0.0, float(np.finfo(np.float64).tiny))  # type: ignore[arg-type]


def odd_pair(size: Size) -> tuple[int, int]:
    """Return (height, width) of a filter."""
    height, width = pair("kernel_size", size)
    if not height % 2 or not width % 2:
        raise ValueError(f"kernel_size: expected odd numbers, got {size}")
    return height, width


def gaussian_blurred(batch: Array, kernel_size: tuple[int, int], sigma: Array) -> Array:
    """Blur by filters (height, width) with deviations ``sigma`` (N, 2), downwards and across."""
    (height, width), (down, across) = kernel_size, (size // 2 for size in kernel_size)
    if down >= max(batch.shape[2], 1) or across >= max(batch.shape[3], 1):
        raise ValueError(
            f"GaussianBlur: expected images larger than half of {kernel_size}, got {batch.shape}"
        )
    padded = np.pad(in_floats(batch), ((0, 0), (0, 0), (down, down), (across, across)), "reflect")
    rows = _along(padded, _gaussian(height, sigma[:, 0]), 2)
    return in_dtype(_along(rows, _gaussian(width, sigma[:, 1]), 3), batch.dtype)


def _gaussian(size: int, sigma: Array) -> Array:
    """Return weights (N, size) of the normal distribution, which add up to 1."""
    distance = np.arange(size) - size // 2
    with np.errstate(under="ignore", over="ignore"):
        weights = np.exp(-0.5 * (distance / sigma[:, None]) ** 2)
    return weights / weights.sum(1, keepdims=True)


def _along(images: Array, weights: Array, axis: int) -> Array:
    """Filter one axis by the weights of each image; the axis gets shorter by the filter less one."""
    size = weights.shape[1]
    length = images.shape[axis] - size + 1
    total = np.zeros((*images.shape[:axis], length, *images.shape[axis + 1 :]), images.dtype)
    for k in range(size):
        part = images[:, :, k : k + length] if axis == 2 else images[:, :, :, k : k + length]
        total += part * per_image(weights[:, k]).astype(images.dtype)
    return total


def sharpened(batch: Array, factor: Array) -> Array:
    """Scale the distance from the smoothed image: 0 gives it, 1 the image, 2 a sharper one; the edge stays."""
    if min(batch.shape[2:]) < 3:
        return batch
    levels = in_floats(batch)
    inner = levels[:, :, 1:-1, 1:-1]
    smooth = np.zeros_like(inner)
    height, width = inner.shape[2:]
    for (i, j), weight in np.ndenumerate(_SMOOTH):
        smooth += levels[:, :, i : i + height, j : j + width] * smooth.dtype.type(weight)
    if batch.dtype == np.uint8:
        smooth = np.rint(smooth)
    factors = per_image(factor).astype(levels.dtype)
    out = levels.copy()
    out[:, :, 1:-1, 1:-1] = inner * factors + smooth * (1 - factors)
    return in_dtype(out, batch.dtype) if batch.dtype == np.uint8 else out.clip(0, 1)


@dataclass(eq=False)
class RandomAdjustSharpness(Transform):
    """Changes the sharpness by ``sharpness_factor`` with probability ``p``, by default 0.5.

    Args:
        sharpness_factor: 0 blurs, 1 changes nothing, 2 sharpens.
        p: Probability.

    Raises:
        ValueError: The factor is negative or not finite, or the probability is out of bounds.
    """

    sharpness_factor: float
    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)
        ends("sharpness_factor", (0.0, self.sharpness_factor), 1.0, 0.0, float(np.finfo(np.float32).max))

    def apply(self, batch: Array) -> Array:
        """Sharpen or blur."""
        factor = self.sharpness_factor
        return sometimes(batch, self.p, lambda images: sharpened(images, np.full(len(images), factor)))
