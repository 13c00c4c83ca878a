"""Transforms of the numbers of images: from uint8 to fractions, and to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...runtime.types import Array
from .base import Transform


@dataclass(eq=False)
class ToTensor(Transform):
    """Makes float32 in [0, 1] of uint8, still a NumPy array; floats stay as they are."""

    def apply(self, batch: Array) -> Array:
        """Scale."""
        return batch / np.float32(255) if batch.dtype == np.uint8 else batch


@dataclass(eq=False)
class Normalize(Transform):
    """Subtracts the mean and divides by the standard deviation of each channel; uint8 is divided by 255 first.

    Args:
        mean: One number for each channel, or one for all.
        std: The same; above 0.

    Raises:
        ValueError: Lengths differ, or ``std`` is not above 0; on a call, the channels do not match.
    """

    mean: Sequence[float] | float
    std: Sequence[float] | float

    def __post_init__(self) -> None:
        self.mean = tuple(np.atleast_1d(self.mean).tolist())
        self.std = tuple(np.atleast_1d(self.std).tolist())
        if len(self.mean) != len(self.std) or not min(self.std) > 0:
            raise ValueError(
                f"Normalize: expected mean and std of equal lengths, std above 0, got {self.mean} and {self.std}"
            )

    def apply(self, batch: Array) -> Array:
        """Shift and scale."""
        images = ToTensor().apply(batch)
        mean = np.asarray(self.mean, images.dtype)
        if len(mean) not in (1, images.shape[1]):
            raise ValueError(
                f"Normalize: expected one mean or {batch.shape[1]}, one for each channel, got {len(mean)} "
                f"(images {batch.shape})"
            )
        shifted: Array = images - mean[:, None, None]
        shifted /= np.asarray(self.std, images.dtype)[:, None, None]
        return shifted
