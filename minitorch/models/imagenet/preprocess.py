"""Prepares a picture for a network: resize, centre crop, normalize, as published weights were evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...runtime.types import Array
from ...vision.io import MAX_PIXELS
from ...vision.transforms import CenterCrop, Normalize


@dataclass(frozen=True)
class Preprocess:
    """A callable from an image (C, H, W), uint8, to (C, crop, crop), float32; C is 1 or 3.

    The shorter side is brought to ``resize`` pixels by Pillow's bilinear filter, which averages when it shrinks, with
    Pillow's rounding: the published weights were evaluated so. Depends on Pillow.

    Args:
        resize: Length of the shorter side.
        crop: Side of the square that is cut out of the centre.
        mean: Subtracted from each channel, of pixels in [0, 1].
        std: What each channel is divided by then.
        light_on_dark: Whether pictures that are light on average are inverted, because the network was trained on light
            drawings on dark ground, as those of MNIST are; by default they are not.
    """

    resize: int
    crop: int
    mean: Sequence[float]
    std: Sequence[float]
    light_on_dark: bool = False

    def __call__(self, image: Array) -> Array:
        """Prepare one image.

        Raises:
            ValueError: The image is another array, or so long that the resized one has more than `MAX_PIXELS` pixels.
        """
        from PIL import Image

        if image.ndim != 3 or image.shape[0] not in (1, 3) or not image.size or image.dtype != np.uint8:
            raise ValueError(
                f"preprocess: expected an image (1 or 3, H, W) of uint8, got {image.shape} of {image.dtype}"
            )
        height, width = image.shape[1:]
        short = min(height, width)
        size = self.resize * width // short, self.resize * height // short
        if size[0] * size[1] > MAX_PIXELS:
            raise ValueError(
                f"preprocess: an image of {width} x {height} pixels is too long: resized it would have more than "
                f"{MAX_PIXELS} pixels"
            )
        planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in image]
        resized = np.stack([np.asarray(p.resize(size, Image.Resampling.BILINEAR)) for p in planes])
        cut = CenterCrop(self.crop)(resized)
        if self.light_on_dark and cut.mean() > 127:
            cut = 255 - cut
        prepared: Any = Normalize(self.mean, self.std)(cut)
        return prepared
