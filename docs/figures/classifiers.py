"""Small classifiers of points, trained once for the figures that show them; networks of Scalars."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from minitorch import SGD, Module, Scalar
from minitorch.cli.toy_trainers import forward_arrays
from minitorch.datasets import Graph, datasets
from minitorch.models.mlp_scalar import Linear

from .drawing import BLUE, RED, Axes, tint
from .fields import Array, Field, bands, contour

Layers = list[tuple[Array, Array]]  # weights and bias of each
EPOCHS = 150


class Network(Module):
    """2 -> hidden -> 1, with ReLU between and a sigmoid at the end."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = Linear(2, hidden)
        self.output = Linear(hidden, 1)

    def forward(self, point: tuple[float, float]) -> Scalar:
        """Return the probability of label 1."""
        units = [unit.relu() for unit in self.hidden([Scalar(x, None) for x in point])]
        probability: Scalar = self.output(units)[0].sigmoid()
        return probability

    def arrays(self) -> Layers:
        """Return the weights and the bias of both layers."""
        return [self.hidden.arrays(), self.output.arrays()]


@dataclass
class Run:
    """A training: the points, the layers before each epoch and at the end, the loss and the right answers of each."""

    data: Graph
    layers: list[Layers]
    losses: list[float]
    correct: list[int]


@contextmanager
def python_random(seed: int) -> Iterator[None]:
    """Seed Python's ``random`` for a block and restore it."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


@functools.cache
def trained(name: str = "Xor", points: int = 24, hidden: int = 6, rate: float = 0.3, seed: int = 4) -> Run:
    """Train a network, one step for each point, and keep what it was on the way."""
    with python_random(seed):
        data = datasets[name](points)
        model = Network(hidden)
    optimizer = SGD(model.parameters(), rate)
    run = Run(data, [model.arrays()], [], [])
    for _ in range(EPOCHS):
        total, correct = 0.0, 0
        for point, label in zip(data.X, data.y, strict=True):
            optimizer.zero_grad()
            output = model(point)
            probability = output if label else 1.0 - output
            loss = -probability.log()
            loss.backward()
            optimizer.step()
            total += loss.data
            correct += probability.data > 0.5
        run.losses.append(total / points)
        run.correct.append(correct)
        run.layers.append(model.arrays())
    return run


def probability(layers: Layers) -> Field:
    """Return the probability of label 1 as a function of the plane."""

    def field(x: Array, y: Array) -> Array:
        pairs = list(zip(x.ravel().tolist(), y.ravel().tolist(), strict=True))
        return forward_arrays(layers, pairs).reshape(x.shape)

    return field


def draw_probability(axes: Axes, field: Field, steps: int = 30) -> None:
    """Draw a probability over the plane: blue above a half, red below, the more certain the darker."""
    colours = [
        tint(RED, 0.4),
        tint(RED, 0.25),
        tint(RED, 0.1),
        tint(BLUE, 0.1),
        tint(BLUE, 0.25),
        tint(BLUE, 0.4),
    ]
    bands(axes, field, (0.05, 0.25, 0.5, 0.75, 0.95), colours, steps)
    contour(axes, field, 0.5, thick=2, steps=steps)


def draw_points(axes: Axes, data: Graph, radius: float = 4) -> None:
    """Draw points: blue for label 1, red for label 0."""
    for label, colour in ((0, RED), (1, BLUE)):
        some = [point for point, found in zip(data.X, data.y, strict=True) if found == label]
        axes.points([x for x, _ in some], [y for _, y in some], fill=colour, radius=radius)
