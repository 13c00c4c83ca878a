"""The toy point sets: sizes, types, labels, repeatability."""

from __future__ import annotations

import math
import random

import pytest

from minitorch.datasets import Graph, circle, datasets, diag, make_pts, simple, spiral, split, xor

RULES = {
    "Simple": lambda x, y: x < 0.5,
    "Diag": lambda x, y: x + y < 0.5,
    "Split": lambda x, y: x < 0.2 or x > 0.8,
    "Xor": lambda x, y: (x < 0.5) != (y < 0.5),
    "Circle": lambda x, y: math.hypot(x - 0.5, y - 0.5) > math.sqrt(0.1),
}


def test_names() -> None:
    assert list(datasets) == ["Simple", "Diag", "Split", "Xor", "Circle", "Spiral"]
    assert list(datasets.values()) == [simple, diag, split, xor, circle, spiral]


def test_make_pts() -> None:
    points = make_pts(200)
    assert len(points) == 200
    assert len(set(points)) == 200
    assert all(type(p) is tuple and len(p) == 2 for p in points)
    assert all(type(x) is float and 0.0 <= x < 1.0 for p in points for x in p)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 50])
@pytest.mark.parametrize("name", datasets)
def test_sizes_and_types(name: str, n: int) -> None:
    graph = datasets[name](n)
    assert isinstance(graph, Graph)
    assert graph.N == len(graph.X) == len(graph.y) == n
    assert all(type(p) is tuple and [type(x) for x in p] == [float, float] for p in graph.X)
    assert all(type(label) is int and label in (0, 1) for label in graph.y)


@pytest.mark.parametrize("name", RULES)
def test_labels(name: str) -> None:
    graph = datasets[name](500)
    assert graph.y == [int(RULES[name](*p)) for p in graph.X]
    assert set(graph.y) == {0, 1}


@pytest.mark.parametrize("name", RULES)
def test_random_governs(name: str) -> None:
    state = random.getstate()
    try:
        random.seed(3)
        first = datasets[name](20)
        assert datasets[name](20) != first
        random.seed(3)
        assert datasets[name](20) == first
    finally:
        random.setstate(state)


@pytest.mark.parametrize("n", [10, 11])
def test_spiral_labels(n: int) -> None:
    assert spiral(n).y == [0] * 5 + [1] * (n - 5)


def test_spiral_arms() -> None:
    graph = spiral(100)
    assert spiral(100) == graph
    for (x1, y1), (x2, y2) in zip(graph.X[:50], graph.X[50:]):
        # The second arm is the first, transposed by a quarter.
        assert (x2 - 0.5, y2 - 0.5) == pytest.approx((y1 - 0.5, 0.5 - x1))
    for arm in (graph.X[:50], graph.X[50:]):
        radii = [math.dist(p, (0.5, 0.5)) for p in arm]
        assert radii == pytest.approx([(i + 5) / 100 for i in range(50)])
