"""Toy point sets in the unit square, on which a small classifier learns.

``datasets`` maps a name to a function of the number of points: ``datasets["Xor"](50)`` is a `Graph`. The file depends
on `minitorch.runtime.rng` only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .runtime import rng

Point = tuple[float, float]


def make_pts(N: int) -> list[Point]:
    """Draw ``N`` points, uniform in the unit square [0, 1)²."""
    return [(x1, x2) for x1, x2 in rng.uniform((N, 2)).tolist()]


@dataclass
class Graph:
    """Labelled points.

    Attributes:
        N: The number of points.
        X: Their coordinates.
        y: Their labels, 0 or 1.
    """

    N: int
    X: list[Point]
    y: list[int]


def _labelled(N: int, rule: Callable[[float, float], bool]) -> Graph:
    X = make_pts(N)
    return Graph(N, X, [int(rule(x1, x2)) for x1, x2 in X])


def simple(N: int) -> Graph:
    """Return ``N`` random points, labelled 1 in the left half."""
    return _labelled(N, lambda x1, x2: x1 < 0.5)


def diag(N: int) -> Graph:
    """Return ``N`` random points, labelled 1 below the line ``x1 + x2 = 0.5``."""
    return _labelled(N, lambda x1, x2: x1 + x2 < 0.5)


def split(N: int) -> Graph:
    """Return ``N`` random points, labelled 1 in a stripe on the left (0.2 wide) and one on the right."""
    return _labelled(N, lambda x1, x2: x1 < 0.2 or x1 > 0.8)


def xor(N: int) -> Graph:
    """Return ``N`` random points, labelled 1 where one coordinate is above 0.5 and the other below."""
    return _labelled(N, lambda x1, x2: x1 < 0.5 < x2 or x2 < 0.5 < x1)


def circle(N: int) -> Graph:
    """Return ``N`` random points, labelled 1 outside of a disc of radius √0.1 around the centre."""
    return _labelled(N, lambda x1, x2: (x1 - 0.5) ** 2 + (x2 - 0.5) ** 2 > 0.1)


def spiral(N: int) -> Graph:
    """Return ``N`` points on two spiral arms around (0.5, 0.5), the second a quarter turn behind the first.

    The points are not random. The first ``N // 2`` lie on the first arm and are labelled 0, the others 1.
    """

    def arm(size: int) -> list[Point]:
        turns = [10.0 * (i + 5) / size for i in range(size)]
        return [(t * math.cos(t) / 20.0, t * math.sin(t) / 20.0) for t in turns]

    half = N // 2
    X = [(0.5 + a, 0.5 + b) for a, b in arm(half)] + [(0.5 + b, 0.5 - a) for a, b in arm(N - half)]
    return Graph(N, X, [0] * half + [1] * (N - half))


datasets: dict[str, Callable[[int], Graph]] = {
    "Simple": simple,
    "Diag": diag,
    "Split": split,
    "Xor": xor,
    "Circle": circle,
    "Spiral": spiral,
}
