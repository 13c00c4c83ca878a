"""Grids of images and image files: ``torchvision.utils``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..torch.tensor import Tensor, from_array, to_array
from .transforms.functional import to_pil_image


def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: Any = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Arrange images (N, C, H, W), or a list of (C, H, W), in a grid (3, H', W').

    Args:
        tensor: The images; grey ones get three equal channels.
        nrow: Images in a row.
        padding: Pixels between them.
        normalize: Whether to shift and scale to [0, 1].
        value_range: What is scaled to [0, 1]; by default smallest and largest number.
        scale_each: Whether to scale each image by itself.
        pad_value: The number between images.
    """
    images = (
        np.stack([to_array(t) for t in tensor])
        if isinstance(tensor, list | tuple)
        else np.array(to_array(tensor))
    )
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 3:
        images = images[None]
    if images.shape[1] == 1:
        images = np.repeat(images, 3, 1)
    if normalize:
        images = images.astype(np.float32)
        for part in images if scale_each else [images]:
            low, high = (float(part.min()), float(part.max())) if value_range is None else value_range
            part[...] = (part.clip(low, high) - low) / max(high - low, 1e-5)
    count = len(images)
    if count == 1:
        return from_array(images[0])
    cols = min(nrow, count)
    rows = math.ceil(count / cols)
    height, width = images.shape[2] + padding, images.shape[3] + padding
    grid = np.full(
        (images.shape[1], height * rows + padding, width * cols + padding), pad_value, images.dtype
    )
    for k, image in enumerate(images):
        top, left = k // cols * height + padding, k % cols * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = image
    return from_array(grid)


def save_image(tensor: Any, fp: Any, format: str | None = None, **settings: Any) -> None:
    """Write images as one picture file, arranged by `make_grid`."""
    grid = to_array(make_grid(tensor, **settings))
    pixels = (grid * 255 + 0.5).clip(0, 255).astype(np.uint8)
    to_pil_image(from_array(pixels)).save(fp, format=format)
