"""Pictures of what a classifier makes of the plane, quick enough to be made while it trains.

It refuses to know what classifies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minitorch import Graph

Array = npt.NDArray[Any]
Point = tuple[float, float]

SIDE = 256  # pixels
CELLS = 50  # in a row
DOT = 5.0  # radius of a point, in pixels
RED, BLUE, WHITE = (192, 57, 43), (47, 109, 179), (255, 255, 255)


class Boundary:
    """Draws the probability of label 1 everywhere (blue likely, red unlikely), and the points over it.

    Args:
        data: The points.
    """

    def __init__(self, data: Graph) -> None:
        points, labels = np.array(data.X), np.array(data.y)
        low, high = min(points.min(), 0.0) - 0.03, max(points.max(), 1.0) + 0.03
        ticks = np.linspace(low, high, CELLS)
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
        """Return the picture (SIDE, SIDE, 3); without colours if there is anything but numbers."""
        likely = np.asarray(classify(self.grid), np.float32).reshape(CELLS, CELLS)
        known = np.isfinite(likely).all()
        smooth = _widened(_widened(likely).T).T if known else np.ones((SIDE, SIDE))
        field = (np.clip(smooth, 0, 1) * 254 + (0 if known else 1)).astype(np.uint8)
        picture: npt.NDArray[np.uint8] = self.palette.take(field, axis=0)
        picture[_edges(field)] = 70
        picture.reshape(-1, 3)[self.dots] = self.colours
        return picture


def _edges(field: Array) -> npt.NDArray[np.bool_]:
    """Return where the probability passes one half."""
    above = (field > 127) & (field < 255)
    edge = np.zeros(field.shape, bool)
    edge[1:] |= above[1:] != above[:-1]
    edge[:, 1:] |= above[:, 1:] != above[:, :-1]
    return edge


def _widened(rows: Array) -> Array:
    """Return SIDE rows for CELLS, filled in linearly."""
    place = np.linspace(0, CELLS - 1, SIDE, dtype=np.float32)
    before = np.minimum(place.astype(int), CELLS - 2)
    share = (place - before)[:, None]
    wide: Array = rows[before] * (1 - share) + rows[before + 1] * share
    return wide


def _palette() -> npt.NDArray[np.uint8]:
    """Return 255 colours from pale red over white to pale blue, and grey for what is not a number."""
    shares = np.linspace(-1, 1, 255)[:, None]
    pale_red, pale_blue = np.array([236, 150, 130.0]), np.array([135, 175, 225.0])
    sides = np.where(shares < 0, pale_red, pale_blue)
    colours = 255 + (sides - 255) * np.abs(shares)
    return np.concatenate([colours, [[128, 128, 128]]]).round().astype(np.uint8)
