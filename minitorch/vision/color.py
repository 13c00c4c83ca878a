"""Transforms of colours, each vectorised over a batch.

The rules are those of `vision_transforms`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..runtime import rng
from ..runtime.types import Array
from .transforms import Range, Transform, ends, to_uint8

_Change: TypeAlias = Callable[[Array, Array], Array]
_GREY = (0.299, 0.587, 0.114)  # shares of red, green and blue (ITU-R 601)


@dataclass(eq=False)
class ColorJitter(Transform):
    """Changes brightness, contrast, saturation and hue by random amounts in a random order.

    Saturation and hue leave grey images as they are.

    Args:
        brightness: The factor's (lowest, highest), or b for (max(0, 1 - b), 1 + b).
        contrast: The same, about the image's mean grey.
        saturation: The same, about each pixel's grey.
        hue: The shift's (lowest, highest) within [-0.5, 0.5], as a share of the circle, or h for (-h, h).

    Raises:
        ValueError: A range that is empty or out of bounds; on a call, other than one or three channels.
    """

    brightness: Range = 0
    contrast: Range = 0
    saturation: Range = 0
    hue: Range = 0

    def __post_init__(self) -> None:
        self._changes()

    def apply(self, batch: Array) -> Array:
        """Change colours."""
        skipped = (_saturate, _shift_hue) if _is_grey(batch) else ()
        changes = [each for each in self._changes() if each[0] not in skipped]
        n = len(batch)
        draw = rng.generator()
        images = batch / np.float32(255) if batch.dtype == np.uint8 else batch.copy()
        amounts = [draw.uniform(low, high, (n, 1, 1, 1)).astype(images.dtype) for _, low, high in changes]
        order = draw.permuted(np.tile(np.arange(len(changes)), (n, 1)), axis=1)
        for turn in order.T:
            for i, (change, _, _) in enumerate(changes):
                chosen = np.flatnonzero(turn == i)
                images[chosen] = change(images[chosen], amounts[i][chosen]).clip(0, 1)
        return to_uint8(images) if batch.dtype == np.uint8 else images

    def _changes(self) -> list[tuple[_Change, float, float]]:
        """What changes an image, and between which ends; without what changes nothing."""
        changes: list[tuple[_Change, tuple[float, float], float]] = [
            (_brighten, ends("brightness", self.brightness, 1.0, 0.0), 1.0),
            (_contrast, ends("contrast", self.contrast, 1.0, 0.0), 1.0),
            (_saturate, ends("saturation", self.saturation, 1.0, 0.0), 1.0),
            (_shift_hue, ends("hue", self.hue, 0.0, -0.5, 0.5), 0.0),
        ]
        return [(change, low, high) for change, (low, high), rest in changes if (low, high) != (rest, rest)]


@dataclass(eq=False)
class Grayscale(Transform):
    """From colour to grey.

    Args:
        num_output_channels: 1, or 3 equal ones.

    Raises:
        ValueError: Another number; on a call, other than one or three channels.
    """

    num_output_channels: int = 1

    def __post_init__(self) -> None:
        if self.num_output_channels not in (1, 3):
            raise ValueError(f"num_output_channels={self.num_output_channels}, expected 1 or 3")

    def apply(self, batch: Array) -> Array:
        """Weigh the channels."""
        grey = batch if _is_grey(batch) else _grey(batch)
        if batch.dtype == np.uint8:
            grey = np.rint(grey).astype(np.uint8)
        return np.repeat(grey, self.num_output_channels, axis=1)


def _is_grey(batch: Array) -> bool:
    if batch.shape[1] not in (1, 3):
        raise ValueError(f"images {batch.shape}, expected one or three channels")
    return batch.shape[1] == 1


def _grey(images: Array) -> Array:
    red, green, blue = (images[:, i : i + 1] * np.float32(share) for i, share in enumerate(_GREY))
    return red + green + blue


def _brighten(images: Array, factor: Array) -> Array:
    return images * factor


def _contrast(images: Array, factor: Array) -> Array:
    grey = _grey(images) if images.shape[1] == 3 else images
    return images * factor + (1 - factor) * grey.mean((1, 2, 3), keepdims=True)


def _saturate(images: Array, factor: Array) -> Array:
    return images * factor + (1 - factor) * _grey(images)


def _shift_hue(images: Array, shift: Array) -> Array:
    """Turn the colours by ``shift`` of the circle of hues (HSV), with value and chroma kept."""
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    value = images.max(1, keepdims=True)
    chroma = value - images.min(1, keepdims=True)
    divisor = np.where(chroma > 0, chroma, 1)
    sextant = np.where(
        value == red,
        (green - blue) / divisor,
        np.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    turns = (sextant + 6 * shift + np.array([5, 3, 1], images.dtype)[:, None, None]) % 6
    return value - chroma * np.minimum(turns, 4 - turns).clip(0, 1)
