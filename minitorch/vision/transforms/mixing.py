"""Mixing of images of a batch, and of their labels: MixUp and CutMix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...runtime import rng
from ...runtime.types import Array
from .base import in_dtype, in_floats
from .erase import inside


class _Mix:
    """Mixes each image of a batch with the one before it, by a share that is drawn for the batch.

    Args:
        alpha: The share has the distribution Beta(alpha, alpha); by default 1, which is uniform.
        num_classes: Number of classes; needed for class numbers, not for labels (N, classes).

    Raises:
        ValueError: ``alpha`` is not above 0.
    """

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None) -> None:
        if not 0 < alpha < np.inf:
            raise ValueError(f"{type(self).__name__}: expected alpha above 0, got {alpha}")
        self.alpha, self.num_classes = alpha, num_classes

    def __call__(self, images: Array, labels: npt.ArrayLike) -> tuple[Array, Array]:
        """Mix a batch.

        Args:
            images: (N, C, H, W), uint8 or float.
            labels: Class numbers (N,), or fractions (N, classes).

        Returns:
            Images of the same dtype, and labels (N, classes) as float32.

        Raises:
            ValueError: Shapes do not fit, or a class number is out of range.
        """
        name = type(self).__name__
        if images.ndim != 4:
            raise ValueError(f"{name}: expected a batch (N, C, H, W), got shape {images.shape}")
        targets = self._fractions(np.asarray(labels), len(images))
        draw = rng.generator()
        share = float(draw.beta(self.alpha, self.alpha))
        mixed, share = self.mix(images, np.roll(images, 1, 0), share, draw)
        return mixed, targets * np.float32(share) + np.roll(targets, 1, 0) * np.float32(1 - share)

    def mix(
        self, images: Array, others: Array, share: float, draw: np.random.Generator
    ) -> tuple[Array, float]:
        """Return the mixed images, and the share of ``images`` in them."""
        raise NotImplementedError

    def _fractions(self, labels: Array, n: int) -> Array:
        name = type(self).__name__
        if labels.ndim == 2 and len(labels) == n:
            return labels.astype(np.float32)
        if labels.shape != (n,) or (n and labels.dtype.kind not in "iu"):
            raise ValueError(
                f"{name}: expected {n} class numbers or fractions ({n}, classes), got {labels.dtype} {labels.shape}"
            )
        if self.num_classes is None:
            raise ValueError(f"{name}: expected num_classes for labels that are class numbers, got None")
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if len(wrong):
            raise ValueError(f"{name}: expected class numbers 0..{self.num_classes - 1}, got {wrong[0]}")
        return (labels[:, None] == np.arange(self.num_classes)).astype(np.float32)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(alpha={self.alpha}, num_classes={self.num_classes})"


class MixUp(_Mix):
    """Adds fractions of two images, and of their labels (Zhang et al., 2018).

    Args:
        alpha: The share has the distribution Beta(alpha, alpha); by default 1, which is uniform.
        num_classes: Number of classes; needed for class numbers, not for labels (N, classes).
    """

    def mix(
        self, images: Array, others: Array, share: float, draw: np.random.Generator
    ) -> tuple[Array, float]:
        """Return ``share * images + (1 - share) * others``."""
        first, second = in_floats(images), in_floats(others)
        kind: Any = first.dtype.type
        return in_dtype(first * kind(share) + second * kind(1 - share), images.dtype), share


class CutMix(_Mix):
    """Replaces a rectangle by that of another image; labels are mixed by its area (Yun et al., 2019).

    Args:
        alpha: The share has the distribution Beta(alpha, alpha); by default 1, which is uniform.
        num_classes: Number of classes; needed for class numbers, not for labels (N, classes).
    """

    def mix(
        self, images: Array, others: Array, share: float, draw: np.random.Generator
    ) -> tuple[Array, float]:
        """Replace a rectangle about a random pixel; it is cut off at the edges."""
        height, width = images.shape[2:]
        x, y = int(draw.integers(max(width, 1))), int(draw.integers(max(height, 1)))
        half = 0.5 * (1 - share) ** 0.5
        left, right = max(x - int(half * width), 0), min(x + int(half * width), width)
        top, bottom = max(y - int(half * height), 0), min(y + int(half * height), height)
        box = (np.full(1, v) for v in (top, left, bottom - top, right - left))
        area = (bottom - top) * (right - left) / max(height * width, 1)
        return np.where(inside(images.shape, *box), others, images), 1 - area
