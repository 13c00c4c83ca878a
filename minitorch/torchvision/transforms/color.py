"""Transforms of colours and levels, and by small filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...vision.transforms import blur, color, tone
from ...vision.transforms.base import ends, pair
from . import functional as F
from .containers import Drawing, Named


class ColorJitter(Drawing):
    """Changes brightness, contrast, saturation and hue at random."""

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        self._core = color.ColorJitter(brightness, contrast, saturation, hue)
        given = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        ranges = {name: ends(name, value, 1.0, 0.0) for name, value in given.items()}
        shown = {name: None if low_high == (1.0, 1.0) else low_high for name, low_high in ranges.items()}
        self.brightness, self.contrast, self.saturation = shown.values()
        shift = ends("hue", hue, 0.0, -0.5, 0.5)
        self.hue = None if shift == (0.0, 0.0) else shift


class Grayscale(Named):
    """Makes pictures grey."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """Return the grey picture."""
        return F.rgb_to_grayscale(img, self.num_output_channels)


class RandomGrayscale(Drawing):
    """Makes a picture grey with probability ``p``; the number of channels stays."""

    def __init__(self, p: float = 0.1) -> None:
        self.p = p
        self._core = color.RandomGrayscale(p)


class GaussianBlur(Drawing):
    """Averages neighbours by a Gaussian of random deviation; ``kernel_size`` is one number or (width, height)."""

    def __init__(self, kernel_size: Any, sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        width, height = pair("kernel_size", kernel_size)
        self.kernel_size = width, height
        self.sigma = (sigma, sigma) if np.ndim(sigma) == 0 else sigma
        self._core = blur.GaussianBlur((height, width), sigma)


class RandomInvert(Drawing):
    """Inverts a picture with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
        self._core = tone.RandomInvert(p)


class _Closely(Drawing):
    def __repr__(self) -> str:
        return super().__repr__().replace(", ", ",")  # as torchvision shows these


class RandomPosterize(_Closely):
    """Keeps the highest bits of each level with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        self.bits, self.p = bits, p
        self._core = tone.RandomPosterize(bits, p)


class RandomSolarize(_Closely):
    """Inverts the levels from ``threshold`` on with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        self.threshold, self.p = threshold, p
        self._core = tone.RandomSolarize(threshold, p)


class RandomAdjustSharpness(_Closely):
    """Changes the sharpness with probability ``p``."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        self.sharpness_factor, self.p = sharpness_factor, p
        self._core = blur.RandomAdjustSharpness(sharpness_factor, p)


class RandomAutocontrast(Drawing):
    """Stretches each channel to all levels with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
        self._core = tone.RandomAutocontrast(p)


class RandomEqualize(Drawing):
    """Equalizes the levels of each channel with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
        self._core = tone.RandomEqualize(p)
