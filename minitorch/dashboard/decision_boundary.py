"""Images of the decision boundary of a classifier of points, fast enough to be made during training.

Depends on NumPy and on the toy data sets. The classifier is any function from points to probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Graph

Array = npt.NDArray[Any]
Point = tuple[float, float]

SIDE = 256  # of the image, in pixels
SAMPLES = 50  # points along each side where the classifier is evaluated
DOT = 5.0  # radius of a data point, in pixels
RED, BLUE, WHITE = (192, 57, 43), (47, 109, 179), (255, 255, 255)


class DecisionBoundary:
    """Draws the probability of label 1 over the plane (blue: likely, red: unlikely) and the data points on top.

    Args:
        data: The points and their labels.
    """

    def __init__(self, data: Graph) -> None:
        points, labels = np.array(data.X), np.array(data.y)
        low, high = min(points.min(), 0.0) - 0.03, max(points.max(), 1.0) + 0.03
        ticks = np.linspace(low, high, SAMPLES)
        x, y = np.meshgrid(ticks, ticks[::-1])
        self.grid: list[Point] = list(zip(x.ravel().tolist(), y.ravel().tolist()))
        self.palette = _palette()
        covered = np.zeros((SIDE, SIDE), bool)
        overlay = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixel = np.arange(SIDE)
        for (px, py), label in zip((points - low) / (high - low) * (SIDE - 1), labels):
            away = (pixel - px) ** 2 + (pixel[:, None] - (SIDE - 1 - py)) ** 2
            for radius, colour in ((DOT + 1.3, WHITE), (DOT, BLUE if label else RED)):
                inside = away <= radius**2
                covered |= inside
                overlay[inside] = colour
        self.dots = np.flatnonzero(covered)
        self.colours = overlay.reshape(-1, 3)[self.dots]

    def __call__(self, classify: Callable[[Sequence[Point]], Any]) -> npt.NDArray[np.uint8]:
        """Return the image, uint8 (256, 256, 3); it is grey if a probability is not a finite number.

        Args:
            classify: Maps points to the probability of label 1 at each.
        """
        likely = np.asarray(classify(self.grid), np.float32).reshape(SAMPLES, SAMPLES)
        known = np.isfinite(likely).all()
        smooth = _enlarged(_enlarged(likely).T).T if known else np.ones((SIDE, SIDE))
        field = (np.clip(smooth, 0, 1) * 254 + (0 if known else 1)).astype(np.uint8)
        picture: npt.NDArray[np.uint8] = self.palette.take(field, axis=0)
        picture[_edges(field)] = 70
        picture.reshape(-1, 3)[self.dots] = self.colours
        return picture


def _edges(field: Array) -> npt.NDArray[np.bool_]:
    """Return the pixels (H, W) where the probability crosses 0.5."""
    above = (field > 127) & (field < 255)
    edge = np.zeros(field.shape, bool)
    edge[1:] |= above[1:] != above[:-1]
    edge[:, 1:] |= above[:, 1:] != above[:, :-1]
    return edge


def _enlarged(rows: Array) -> Array:
    """Return SIDE rows from SAMPLES rows, by linear interpolation."""
    place = np.linspace(0, SAMPLES - 1, SIDE, dtype=np.float32)
    before = np.minimum(place.astype(int), SAMPLES - 2)
    share = (place - before)[:, None]
    wide: Array = rows[before] * (1 - share) + rows[before + 1] * share
    return wide


def _palette() -> npt.NDArray[np.uint8]:
    """Return 255 colours from pale red over white to pale blue, and grey (the last) for nan."""
    shares = np.linspace(-1, 1, 255)[:, None]
    pale_red, pale_blue = np.array([236, 150, 130.0]), np.array([135, 175, 225.0])
    sides = np.where(shares < 0, pale_red, pale_blue)
    colours = 255 + (sides - 255) * np.abs(shares)
    return np.concatenate([colours, [[128, 128, 128]]]).round().astype(np.uint8)
