"""Figures of the guide on training with the fast backend: launches are counted, losses and probabilities computed."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch
from minitorch.course.solved import minitorch as course
from minitorch.models import mlp_tensor
from minitorch.runtime.rng import generator, seeded

from ._recorder import Recorder, solved
from .drawing import BLUE, GREY, INK, ORANGE, WHITE, Axes, Drawing, figure, tint
from .training_tensors import shaded, step

BATCH = 10


def counting_backend(launches: list[str]) -> Any:
    """Return the course's fast backend, run as Python, whose functions note their names when they are called."""
    module = solved("fast_ops", Recorder())
    vars(module)["prange"] = range
    backend = module.TensorBackend(module.FastOps)

    def counted(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*operands: Any) -> Any:
            launches.append(name)
            return run(*operands)

        return noted

    for name, run in vars(backend).items():
        if callable(run) and name != "ops":
            vars(backend)[name] = counted(name, run)
    return backend


@functools.cache
def steps(count: int) -> list[list[str]]:
    """Return the kernels that are launched in each of the first steps of task 3.5, with 4 hidden numbers."""
    launches: list[str] = []
    backend = counting_backend(launches)
    with seeded(1):
        numbers = iter(generator().uniform(-0.5, 0.5, 1000).tolist())
        data = minitorch.datasets["Simple"](BATCH)

    def parameter(*shape: int) -> Any:
        values = [next(numbers) for _ in range(int(np.prod(shape)))]
        return course.Parameter(course.tensor(np.array(values).reshape(shape), backend=backend))

    layers = [(parameter(a, b), parameter(b)) for a, b in ((2, 4), (4, 4), (4, 1))]
    parameters = [p for layer in layers for p in layer]
    optimizer = course.SGD(parameters, 0.05)
    X, y = course.tensor(data.X, backend=backend), course.tensor(data.y, backend=backend)
    found = []
    for _ in range(count):
        launches.clear()
        optimizer.zero_grad()
        out = X
        for k, (weights, bias) in enumerate(layers):
            out = out @ weights.value + bias.value
            out = out.relu() if k < 2 else out.sigmoid()
        out = out.view(y.size)
        loss = -(out * y + (1.0 - out) * (1.0 - y)).log().sum()
        (loss / y.size).backward()
        optimizer.step()
        found.append(list(launches))
    return found


@figure
def training_fast_launches() -> Drawing:
    """Launches in ten steps, and those of kernels that run for the first time and are compiled: in step 1 only."""
    found = steps(10)
    seen: set[str] = set()
    picture = Drawing(520, 296)
    axes = Axes(
        picture, 60, 46, 430, 190, (0, 10), (0, 100), title="launches in each step", x_label="step", marks=0
    )
    for value in (0, 25, 50, 75, 100):
        y = axes.at(0, value)[1]
        picture.line([(60, y), (490, y)], stroke="#e6e8eb", thick=1)
        picture.text(52, y, str(value), size=11, fill=GREY, anchor="end")
    for k, names in enumerate(found):
        new = len(set(names) - seen)
        seen |= set(names)
        for low, high, colour in ((0, new, ORANGE), (new, len(names), BLUE)):
            if high > low:
                x, y = axes.at(k + 0.15, high)
                picture.rect(x, y, 30, axes.at(0, low)[1] - y, fill=tint(colour, 0.75), stroke=WHITE)
        picture.text(axes.at(k + 0.5, 0)[0], 248, str(k + 1), size=11, fill=GREY)
    picture.rect(60, 276, 12, 12, fill=tint(ORANGE, 0.75), stroke=WHITE)
    picture.text(78, 282, f"first use, compiled: {len(seen)}", anchor="start", size=12)
    picture.rect(270, 276, 12, 12, fill=tint(BLUE, 0.75), stroke=WHITE)
    picture.text(288, 282, "compiled before", anchor="start", size=12)
    return picture


@figure
def training_fast_kernels() -> Drawing:
    """How often each kernel of the course is launched in one step."""
    counts = Counter(steps(10)[0]).most_common()
    picture = Drawing(530, 40 + 20 * len(counts) + 16)
    picture.text(
        20,
        22,
        f"one step: {sum(n for _, n in counts)} launches of {len(counts)} kernels",
        anchor="start",
        bold=True,
    )
    for row, (name, count) in enumerate(counts):
        y = 40 + row * 20
        picture.text(156, y + 8, name, anchor="end", code=True, size=12)
        picture.rect(166, y, count * 12, 15, fill=tint(BLUE, 0.6), stroke=WHITE)
        picture.text(172 + count * 12, y + 8, str(count), anchor="start", size=12)
    return picture


@functools.cache
def trained(name: str, batch: int, epochs: int, rate: float = 0.4) -> tuple[Any, Any, Any, list[float], int]:
    """Train on 50 points in batches; return points, labels, probabilities of a grid, losses, and correct points."""
    with seeded(11):
        data = minitorch.datasets[name](50)
        model = mlp_tensor.Network(10)
        random = generator()
    points, labels = np.array(data.X), np.array(data.y, dtype=float)
    optimizer = minitorch.SGD(model.parameters(), rate)
    losses = []
    for _ in range(epochs):
        order, total = random.permutation(len(points)), 0.0
        for first in range(0, len(points), batch):
            part = order[first : first + batch]
            X, y = minitorch.tensor(points[part].tolist()), minitorch.tensor(labels[part].tolist())
            optimizer.zero_grad()
            loss = step(model, X, y).sum()
            (loss / len(part)).backward()
            optimizer.step()
            total += loss.item()
        losses.append(total)
    ticks = (np.arange(20) + 0.5) / 20
    plane = minitorch.tensor([(a, b) for b in ticks[::-1].tolist() for a in ticks.tolist()])
    found = model(minitorch.tensor(points.tolist())).to_numpy().reshape(-1) > 0.5
    grid = model(plane).to_numpy().reshape(20, 20)
    return points, labels, grid, losses, int((found == (labels == 1)).sum())


@figure
def training_fast_batches() -> Drawing:
    """Loss over the epochs of Xor, with one step per epoch on all 50 points and with five steps on ten points each."""
    epochs = 60
    whole, parts = trained("Xor", 50, epochs)[3], trained("Xor", BATCH, epochs)[3]
    picture = Drawing(500, 262)
    top = max(*whole, *parts) * 1.05
    axes = Axes(picture, 60, 40, 410, 170, (0, epochs), (0, top), title="loss of 50 points", x_label="epoch")
    axes.curve(range(epochs), whole, stroke=INK)
    axes.curve(range(epochs), parts, stroke=ORANGE)
    picture.text(290, 56, "all 50 points in one step", anchor="start", size=12)
    picture.text(290, 74, "five steps of 10 points", anchor="start", size=12, fill=ORANGE)
    return picture


@figure
def training_fast_boundaries() -> Drawing:
    """Probabilities on the plane after training on three sets of points in batches of ten."""
    picture = Drawing(660, 256)
    for k, (name, epochs) in enumerate((("Split", 60), ("Xor", 60), ("Circle", 60))):
        points, labels, grid, _, correct = trained(name, BATCH, epochs)
        title = f"{name}: {correct} of {len(points)}"
        axes = Axes(picture, 36 + k * 208, 40, 180, 180, (0, 1), (0, 1), title=title, marks=0)
        shaded(axes, grid)
        for label, colour in ((0, BLUE), (1, ORANGE)):
            axes.points(points[labels == label, 0], points[labels == label, 1], fill=colour, radius=4)
    picture.text(
        36, 238, "after 60 epochs; blue: label 0, orange: label 1", anchor="start", size=12, fill=GREY
    )
    return picture
