"""Labelled points in the unit square, for the classifiers of the modules 1 to 3."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass


def make_pts(N: int) -> list[tuple[float, float]]:
    """Return ``N`` random points of the unit square."""
    return [(random.random(), random.random()) for _ in range(N)]


@dataclass
class Graph:
    """``N`` points ``X`` with the labels ``y``, 0 or 1."""

    N: int
    X: list[tuple[float, float]]
    y: list[int]


def _labelled(N: int, rule: Callable[[float, float], bool]) -> Graph:
    X = make_pts(N)
    return Graph(N, X, [int(rule(x1, x2)) for x1, x2 in X])


def simple(N: int) -> Graph:
    """Label the left half."""
    return _labelled(N, lambda x1, x2: x1 < 0.5)


def diag(N: int) -> Graph:
    """Label the corner below a diagonal line."""
    return _labelled(N, lambda x1, x2: x1 + x2 < 0.5)


def split(N: int) -> Graph:
    """Label a stripe at the left and one at the right."""
    return _labelled(N, lambda x1, x2: x1 < 0.2 or x1 > 0.8)


def xor(N: int) -> Graph:
    """Label two opposite quarters."""
    return _labelled(N, lambda x1, x2: (x1 < 0.5) != (x2 < 0.5))


def circle(N: int) -> Graph:
    """Label what is outside of a disc."""
    return _labelled(N, lambda x1, x2: math.hypot(x1 - 0.5, x2 - 0.5) > math.sqrt(0.1))


def spiral(N: int) -> Graph:
    """Label the second of two spiral arms; the points are not random."""
    half = N // 2
    X, y = [], []
    for label, size in ((0, half), (1, N - half)):
        for i in range(size):
            turn = 10.0 * (i + 5) / size
            a, b = turn * math.cos(turn) / 20.0, turn * math.sin(turn) / 20.0
            X.append((0.5 + b, 0.5 - a) if label else (0.5 + a, 0.5 + b))
            y.append(label)
    return Graph(N, X, y)


datasets = {
    "Simple": simple,
    "Diag": diag,
    "Split": split,
    "Xor": xor,
    "Circle": circle,
    "Spiral": spiral,
}
