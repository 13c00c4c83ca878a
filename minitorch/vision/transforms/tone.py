"""Transforms of levels: invert, posterize, solarize, stretch and equalize. The results are Pillow's."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

import numpy as np

from ...runtime.types import Array
from .base import Transform, in_dtype, require_probability, sometimes, top_level


def inverted(batch: Array) -> Array:
    """Return white minus each level."""
    return (np.asarray(top_level(batch.dtype), batch.dtype) - batch).astype(batch.dtype, copy=False)


def posterized(batch: Array, bits: int) -> Array:
    """Keep the highest ``bits`` bits of each level; floats get as many levels, from 0."""
    if not 0 <= index(bits) <= 8:
        raise ValueError(f"bits: expected a whole number in 0..8, got {bits}")
    if batch.dtype == np.uint8:
        return batch & np.uint8(256 - (1 << (8 - bits)))
    levels = 1 << bits
    return (np.floor(batch * levels).clip(0, levels - 1) / levels).astype(batch.dtype, copy=False)


def solarized(batch: Array, threshold: float) -> Array:
    """Invert the levels of at least ``threshold``, which is on the scale of the dtype."""
    return np.where(batch >= threshold, inverted(batch), batch)


def stretched(batch: Array) -> Array:
    """Stretch each channel of each image from its darkest and lightest level to black and white ("autocontrast")."""
    if not batch.size:
        return batch
    # Whole numbers, so that 255 times a fraction is cut off without an error of rounding.
    levels = batch.astype(np.int64) if batch.dtype == np.uint8 else batch
    low, high = levels.min((2, 3), keepdims=True), levels.max((2, 3), keepdims=True)
    flat = ~(high > low)
    span = np.where(flat, levels.dtype.type(1), high - low)
    if batch.dtype == np.uint8:
        return np.where(flat, batch, ((levels - low) * 255 // span).astype(np.uint8))
    return np.where(flat, batch, ((levels - low) / span).clip(0, 1))


def equalized(batch: Array) -> Array:
    """Spread the levels of each channel of each image so that each occurs about as often; floats by 256 levels."""
    if batch.dtype != np.uint8:
        return equalized(in_dtype(batch * 255, np.dtype(np.uint8))).astype(batch.dtype) / batch.dtype.type(
            255
        )
    if not batch.size:
        return batch
    planes = batch.reshape(-1, batch.shape[2] * batch.shape[3])
    out = np.empty_like(planes)
    for k, plane in enumerate(planes):
        counts = np.bincount(plane, minlength=256)
        step = (len(plane) - counts[plane.max()]) // 255
        if not step:
            out[k] = plane
            continue
        # A level becomes the number of pixels below it, in steps.
        below = np.concatenate([[0], np.cumsum(counts)[:-1]])
        out[k] = ((below + step // 2) // step).clip(0, 255)[plane]
    return out.reshape(batch.shape)


@dataclass(eq=False)
class RandomInvert(Transform):
    """Inverts an image with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Invert."""
        return sometimes(batch, self.p, inverted)


@dataclass(eq=False)
class RandomPosterize(Transform):
    """Keeps the highest ``bits`` (0..8) bits of each level with probability ``p``, by default 0.5."""

    bits: int
    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)
        posterized(np.zeros((0, 1, 1, 1), np.uint8), self.bits)

    def apply(self, batch: Array) -> Array:
        """Posterize."""
        return sometimes(batch, self.p, lambda images: posterized(images, self.bits))


@dataclass(eq=False)
class RandomSolarize(Transform):
    """Inverts the levels of at least ``threshold`` with probability ``p``, by default 0.5.

    Args:
        threshold: 0..255 for uint8 images, 0..1 for floats.
        p: Probability.
    """

    threshold: float
    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Solarize."""
        return sometimes(batch, self.p, lambda images: solarized(images, self.threshold))


@dataclass(eq=False)
class RandomAutocontrast(Transform):
    """Stretches each channel to the whole range of levels with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Stretch."""
        return sometimes(batch, self.p, stretched)


@dataclass(eq=False)
class RandomEqualize(Transform):
    """Equalizes the levels of each channel with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Equalize."""
        return sometimes(batch, self.p, equalized)
