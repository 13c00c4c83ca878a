"""Transforms of colours: brightness, contrast, saturation, hue; ColorJitter, Grayscale, RandomGrayscale.

The functions take float images (N, C, H, W) in [0, 1] and one number for each image, and do not clip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from ..pictures import to_uint8
from .base import Range, Transform, ends, require_probability, sometimes

ColorChange: TypeAlias = Callable[[Array, Array], Array]
_GREY = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601)


@dataclass(eq=False)
class ColorJitter(Transform):
    """Changes brightness, contrast, saturation and hue by random amounts in a random order.

    Saturation and hue leave grey images as they are.

    Args:
        brightness: (lowest, highest) factor of all pixels, or b for (max(0, 1 - b), 1 + b); by default no change.
        contrast: The same, for the distance from the image's mean grey.
        saturation: The same, for the distance from each pixel's grey.
        hue: (lowest, highest) shift within [-0.5, 0.5], as a fraction of the circle of hues, or h for (-h, h).

    Raises:
        ValueError: A range is empty or out of bounds; on a call, there are neither one nor three channels.
    """

    brightness: Range = 0
    contrast: Range = 0
    saturation: Range = 0
    hue: Range = 0

    def __post_init__(self) -> None:
        self._changes()

    def apply(self, batch: Array) -> Array:
        """Change colours."""
        is_grey(batch)
        changes, n = self._changes(), len(batch)
        draw = rng.generator()
        images = batch / np.float32(255) if batch.dtype == np.uint8 else batch.copy()
        amounts = [draw.uniform(low, high, (n, 1, 1, 1)).astype(images.dtype) for _, low, high in changes]
        order = draw.permuted(np.tile(np.arange(len(changes)), (n, 1)), axis=1)
        for ith_changes in order.T:  # the number of each image's next change
            for i, (change, _, _) in enumerate(changes):
                chosen = np.flatnonzero(ith_changes == i)
                images[chosen] = change(images[chosen], amounts[i][chosen]).clip(0, 1)
        return to_uint8(images) if batch.dtype == np.uint8 else images

    def _changes(self) -> list[tuple[ColorChange, float, float]]:
        """Return the changes with the ends of their ranges; those that change nothing are left out."""
        changes: list[tuple[ColorChange, tuple[float, float], float]] = [
            (brightened, ends("brightness", self.brightness, 1.0, 0.0), 1.0),
            (contrasted, ends("contrast", self.contrast, 1.0, 0.0), 1.0),
            (saturated, ends("saturation", self.saturation, 1.0, 0.0), 1.0),
            (hue_shifted, ends("hue", self.hue, 0.0, -0.5, 0.5), 0.0),
        ]
        return [
            (change, low, high)
            for change, (low, high), neutral in changes
            if (low, high) != (neutral, neutral)
        ]


@dataclass(eq=False)
class Grayscale(Transform):
    """Makes images grey, by the weights of ITU-R BT.601.

    Args:
        num_output_channels: 1 (default), or 3 equal ones.

    Raises:
        ValueError: Another number; on a call, there are neither one nor three channels.
    """

    num_output_channels: int = 1

    def __post_init__(self) -> None:
        if self.num_output_channels not in (1, 3):
            raise ValueError(
                f"Grayscale: expected num_output_channels 1 or 3, got {self.num_output_channels}"
            )

    def apply(self, batch: Array) -> Array:
        """Weigh the channels."""
        return grey_of(batch, self.num_output_channels)


@dataclass(eq=False)
class RandomGrayscale(Transform):
    """Makes an image grey with probability ``p``, by default 0.1; the number of channels stays."""

    p: float = 0.1

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Weigh the channels."""
        is_grey(batch)
        return sometimes(batch, self.p, lambda images: grey_of(images, images.shape[1]))


def grey_of(batch: Array, channels: int) -> Array:
    """Return images in grey, uint8 or float, with one channel or three equal ones."""
    grey = batch if is_grey(batch) else _grey(batch)
    if batch.dtype == np.uint8:
        grey = np.rint(grey).astype(np.uint8)
    return np.repeat(grey, channels, axis=1)


def is_grey(batch: Array) -> bool:
    """Tell whether images have one channel.

    Raises:
        ValueError: They have neither one channel nor three.
    """
    if batch.shape[1] not in (1, 3):
        raise ValueError(f"colours: expected one or three channels, got images {batch.shape}")
    return batch.shape[1] == 1


def _grey(images: Array) -> Array:
    red, green, blue = (images[:, i : i + 1] * np.float32(weight) for i, weight in enumerate(_GREY))
    return red + green + blue


def brightened(images: Array, factor: Array) -> Array:
    """Scale all pixels."""
    return images * factor


def contrasted(images: Array, factor: Array) -> Array:
    """Scale the distance from the mean grey of the image."""
    grey = images if is_grey(images) else _grey(images)
    return images * factor + (1 - factor) * grey.mean((1, 2, 3), keepdims=True)


def saturated(images: Array, factor: Array) -> Array:
    """Scale the distance from the grey of each pixel; grey images stay."""
    return images if is_grey(images) else images * factor + (1 - factor) * _grey(images)


def hue_shifted(images: Array, shift: Array) -> Array:
    """Rotate the hue (of HSV) by ``shift`` of its circle; value and chroma stay, and so do grey images.

    ``sextant`` is the hue in sixths of the circle, from red over green and blue back to red. A channel is
    ``value - chroma * clip(min(k, 4 - k), 0, 1)`` with ``k = (n + sextant) % 6`` and n = 5, 3, 1 for red, green, blue.
    """
    if is_grey(images):
        return images
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    value = images.max(1, keepdims=True)
    chroma = value - images.min(1, keepdims=True)
    divisor = np.where(chroma > 0, chroma, 1)
    sextant = np.where(
        value == red,
        (green - blue) / divisor,
        np.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    k = (sextant + 6 * shift + np.array([5, 3, 1], images.dtype)[:, None, None]) % 6
    return value - chroma * np.minimum(k, 4 - k).clip(0, 1)
