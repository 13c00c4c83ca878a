"""Transforms that overwrite a part of images: RandomErasing, Cutout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from .base import Fill, Size, Transform, fill_values, pair, require_probability
from .crop import draw_sides, fractions


@dataclass(eq=False)
class RandomErasing(Transform):
    """Overwrites a random rectangle with probability ``p`` (Zhong et al., 2020).

    A rectangle that does not fit is drawn again, ten times at most; then the image stays.

    Args:
        p: Probability, by default 0.5.
        scale: (lowest, highest) fraction of the image's area, by default (0.02, 0.33).
        ratio: (lowest, highest) height divided by width, by default (0.3, 3.3).
        value: The new value: one number (by default 0), one for each channel, or "random" for normal noise, which
            needs float images.

    Raises:
        ValueError: A probability or range is out of bounds; on a call, values that do not match the channels, or that
            uint8 images cannot hold.
    """

    p: float = 0.5
    scale: Sequence[float] = (0.02, 0.33)
    ratio: Sequence[float] = (0.3, 3.3)
    value: Fill | str = 0

    def __post_init__(self) -> None:
        require_probability(self.p)
        fractions("RandomErasing", self.scale, self.ratio)

    def apply(self, batch: Array) -> Array:
        """Erase."""
        n, _, height, width = batch.shape
        draw = rng.generator()
        scale, ratio = fractions("RandomErasing", self.scale, self.ratio)
        down, across = draw_sides(draw, n, height * width, scale, ratio)
        fits = (down < height) & (across < width)
        first = np.arange(n), fits.argmax(1)
        rows, columns = down[first], across[first]
        tops = np.floor(draw.random(n) * (height - rows + 1))
        lefts = np.floor(draw.random(n) * (width - columns + 1))
        chosen = fits.any(1) & (draw.random(n) < self.p)
        values: Array
        if isinstance(self.value, str) and self.value == "random" and batch.dtype.kind == "f":
            values = draw.normal(size=batch.shape).astype(batch.dtype)
        else:
            values = fill_values("RandomErasing", "value", self.value, batch)
        return overwritten(batch, tops, lefts, np.where(chosen, rows, 0), columns, values)


@dataclass(eq=False)
class Cutout(Transform):
    """Overwrites with zeros a square about a random pixel (DeVries and Taylor, 2017); it may reach over the edge.

    Args:
        size: Side of the square in pixels, or (height, width).
    """

    size: Size

    def __post_init__(self) -> None:
        pair("size", self.size)

    def apply(self, batch: Array) -> Array:
        """Overwrite."""
        n, _, height, width = batch.shape
        rows, columns = pair("size", self.size)
        draw = rng.generator()
        tops, lefts = draw.integers(0, height, (n,)) - rows // 2, draw.integers(0, width, (n,)) - columns // 2
        return overwritten(
            batch, tops, lefts, np.full(n, rows), np.full(n, columns), np.zeros((), batch.dtype)
        )


def inside(shape: Sequence[int], tops: Array, lefts: Array, heights: Array, widths: Array) -> Array:
    """Return a mask (N, 1, H, W) of the pixels inside each image's rectangle."""
    down = np.arange(shape[2]) - tops[:, None]
    right = np.arange(shape[3]) - lefts[:, None]
    rows, columns = (down >= 0) & (down < heights[:, None]), (right >= 0) & (right < widths[:, None])
    return rows[:, None, :, None] & columns[:, None, None, :]


def overwritten(
    batch: Array, tops: Array, lefts: Array, heights: Array, widths: Array, values: Array
) -> Array:
    """Return the batch with one rectangle of each image set to ``values``, which broadcast with it."""
    return np.where(inside(batch.shape, tops, lefts, heights, widths), values, batch)
