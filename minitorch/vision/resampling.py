"""Linear interpolation along one axis of images, as a matrix. `transforms.Resize` uses it; it depends on NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..runtime.types import Array


def filtered(images: Array, weights: Array, axis: int) -> Array:
    """Apply the matrix ``weights`` (new, old) to an axis, with the pixels alone whose weight is not 0."""
    first, counts = (weights != 0).argmax(1), (weights != 0).sum(1)
    places = [-1 if k == axis else 1 for k in range(images.ndim)]
    filtered = np.zeros((*images.shape[:axis], len(weights), *images.shape[axis + 1 :]), images.dtype)
    for k in range(counts.max()):
        source = np.minimum(first + k, weights.shape[1] - 1)
        weight = np.where(k < counts, weights[np.arange(len(weights)), source], 0).reshape(places)
        filtered += weight * np.where(weight != 0, images.take(source, axis), 0)
    return filtered


def resampling(old: int, new: int, dtype: npt.DTypeLike) -> Array:
    """Return the matrix (new, old) of a triangle filter over an axis.

    The triangle is centred on the new pixel. Half its base is a new pixel, or an old one if that is larger.
    """
    step = old / new
    centres = (np.arange(new) + 0.5) * step
    distances = np.abs(np.arange(old) + 0.5 - centres[:, None]) / max(step, 1.0)
    weights = np.maximum(1 - distances, 0)
    return (weights / weights.sum(1, keepdims=True)).astype(dtype)
