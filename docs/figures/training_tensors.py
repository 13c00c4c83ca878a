"""Figures of the guide on training with Tensors; networks, losses and recorded calls are those of minitorch."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

import minitorch
from minitorch.models import mlp_scalar, mlp_tensor
from minitorch.runtime.rng import seeded

from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PURPLE, WHITE, Axes, Drawing, figure, tint

SIZE = 34
SHADES = 8


def step(model: mlp_tensor.Network, X: Any, y: Any) -> Any:
    """Return the loss of each of the N points as a tensor (N,); their mean is ready to go back through."""
    out = model(X).view(y.size)
    return -(out * y + (1.0 - out) * (1.0 - y)).log()


@functools.cache
def trained(epochs: int) -> tuple[Any, Any, list[Any], list[int]]:
    """Train on Xor; return points, labels, and after some epochs the probabilities of a grid and the correct points."""
    marks = (10, 60, epochs)
    with seeded(5):
        data = minitorch.datasets["Xor"](50)
        model = mlp_tensor.Network(8)
    X, y = minitorch.tensor(data.X), minitorch.tensor(data.y)
    optimizer = minitorch.SGD(model.parameters(), 1.0)
    ticks = (np.arange(20) + 0.5) / 20
    plane = minitorch.tensor([(a, b) for b in ticks[::-1].tolist() for a in ticks.tolist()])
    grids, correct = [], []
    for epoch in range(1, epochs + 1):
        optimizer.zero_grad()
        (step(model, X, y).sum() / data.N).backward()
        optimizer.step()
        if epoch in marks:
            grids.append(model(plane).to_numpy().reshape(20, 20))
            found = model(X).to_numpy().reshape(-1) > 0.5
            correct.append(int((found == (np.array(data.y) == 1)).sum()))
    return np.array(data.X), np.array(data.y), grids, correct


def shaded(axes: Axes, values: Any) -> None:
    """Fill a plot with probabilities: blue near 0, orange near 1; equal neighbours are one rectangle."""
    rows, columns = values.shape
    width, height = axes.width / columns, axes.height / rows
    levels = np.minimum((values * SHADES).astype(int), SHADES - 1)
    for row in range(rows):
        start = 0
        for column in range(1, columns + 1):
            if column == columns or levels[row, column] != levels[row, start]:
                strength = (levels[row, start] + 0.5) / SHADES - 0.5
                colour = tint(ORANGE if strength > 0 else BLUE, abs(strength) * 1.1)
                axes.drawing.parts.append(
                    f'<rect x="{axes.left + start * width:.1f}" y="{axes.top + row * height:.1f}" '
                    f'width="{(column - start) * width + 0.3:.1f}" height="{height + 0.3:.1f}" fill="{colour}"/>'
                )
                start = column


@figure
def training_tensors_boundary() -> Drawing:
    """The classifier's probability on the plane after 10, 60 and 300 epochs, with the points of Xor."""
    points, labels, grids, correct = trained(300)
    picture = Drawing(660, 264)
    for k, (epochs, grid) in enumerate(zip((10, 60, 300), grids, strict=True)):
        title = f"{epochs} epochs: {correct[k]} of {len(labels)}"
        axes = Axes(picture, 36 + k * 208, 40, 184, 184, (0, 1), (0, 1), title=title, marks=0)
        shaded(axes, grid)
        for label, colour in ((0, BLUE), (1, ORANGE)):
            axes.points(points[labels == label, 0], points[labels == label, 1], fill=colour, radius=4)
    for left, name, colour in ((36, "label 0", BLUE), (132, "label 1", ORANGE)):
        picture.circle(left + 6, 246, 5, fill=colour, stroke=WHITE)
        picture.text(left + 18, 246, name, anchor="start", size=12)
    picture.text(452, 246, "dark: probability near 0 or 1", anchor="start", size=12, fill=GREY)
    return picture


@figure
def training_tensors_layer() -> Drawing:
    """A linear layer without a matrix product: for each of two points all products, then sums, then the bias."""
    x = minitorch.tensor([[1.0, 2.0], [3.0, -1.0]])
    weights = minitorch.tensor([[1.0, 0.0, 2.0], [4.0, 3.0, -1.0]])
    bias = minitorch.tensor([0.5, 0.0, -0.5])
    products = x.view(2, 2, 1) * weights.view(1, 2, 3)
    sums = products.sum(1)
    out = sums.view(2, 3) + bias
    picture = Drawing(700, 316)

    def table(name: str, values: Any, left: float, top: float, colour: str) -> None:
        rows = np.asarray(values)
        picture.text(left, top - 12, name, anchor="start", size=12, fill=GREY)
        picture.grid(rows, left, top, size=SIZE, fills=[[tint(colour, 0.16)] * rows.shape[1]] * rows.shape[0])

    table("weights (1, 2, 3)", weights.to_numpy(), 20, 46, PURPLE)
    table("bias (3,)", [bias.to_numpy()], 20, 232, PURPLE)
    for n in range(2):
        left = 196 + n * 260
        table("x", x.to_numpy()[n].reshape(2, 1), left, 46, COLOURS[n])
        picture.arrow((left + 40, 46 + SIZE), (left + 62, 46 + SIZE), stroke=COLOURS[n])
        table(f"x * weights, point {n}", products.to_numpy()[n], left + 66, 46, COLOURS[n])
        table("sum(1)", sums.to_numpy()[n], left + 66, 162, COLOURS[n])
        table("+ bias", [out.to_numpy()[n]], left + 66, 232, COLOURS[n])
        for j in range(3):
            picture.arrow(
                (left + 66 + (j + 0.5) * SIZE, 118), (left + 66 + (j + 0.5) * SIZE, 142), stroke=COLOURS[n]
            )
    picture.text(
        20,
        296,
        f"x {x.view(2, 2, 1).shape}   products {products.shape}   sums {sums.shape}   result {out.shape}",
        anchor="start",
        size=12,
    )
    return picture


def calls(results: Sequence[Any]) -> list[int]:
    """Return how many recorded calls each of these variables depends on."""
    return [sum(not v.is_leaf() for v in minitorch.topological_sort(r)) for r in results]


def networks() -> tuple[Any, Any, Any]:
    """Return points, a network of tensors and one of Scalars with the same weights."""
    with seeded(3):
        data = minitorch.datasets["Diag"](30)
        tensors = mlp_tensor.Network(3, "simple")
    scalars = mlp_scalar.Network(3)
    for name, (weights, bias) in zip(("layer1", "layer2", "layer3"), tensors.arrays(), strict=True):
        layer = vars(scalars)["_modules"][name]
        for i, row in enumerate(layer.weights):
            for j, parameter in enumerate(row):
                parameter.update(minitorch.Scalar(float(weights[i, j])))
        for j, parameter in enumerate(layer.bias):
            parameter.update(minitorch.Scalar(float(bias[j])))
    return data, tensors, scalars


def scalar_losses(data: Any, scalars: Any) -> list[Any]:
    """Return the loss of each point as a Scalar."""
    out = [scalars([minitorch.Scalar(v) for v in point]) for point in data.X]
    return [-(p if label == 1 else 1.0 - p).log() for p, label in zip(out, data.y, strict=True)]


@figure
def training_tensors_calls() -> Drawing:
    """Each dash is a recorded call of one epoch: a line of them for each point with Scalars, one line with Tensors."""
    data, tensors, scalars = networks()
    lines = calls(scalar_losses(data, scalars))
    y = minitorch.tensor(data.y, "simple")
    (few,) = calls([step(tensors, minitorch.tensor(data.X, "simple"), y).sum() / data.N])
    dash, pitch = 7, 7
    picture = Drawing(520, 124 + pitch * data.N)
    title = f"Scalars: {sum(lines)} recorded calls, one line for each of {data.N} points"
    picture.text(20, 24, title, anchor="start", bold=True)
    for k, count in enumerate(lines):
        top = 46 + k * pitch
        picture.line(
            [(20, top), (20 + count * dash - 2, top)], stroke=tint(BLUE, 0.75), thick=5, dash=f"{dash - 2} 2"
        )
    top = 46 + data.N * pitch + 34
    picture.text(20, top, f"Tensors: {few} recorded calls for all points together", anchor="start", bold=True)
    picture.line(
        [(20, top + 24), (20 + few * dash - 2, top + 24)], stroke=GREEN, thick=5, dash=f"{dash - 2} 2"
    )
    return picture


@functools.cache
def losses(epochs: int) -> tuple[list[float], list[float]]:
    """Train both networks from the same weights; return the loss of each epoch with Tensors and with Scalars."""
    data, tensors, scalars = networks()
    X, y = minitorch.tensor(data.X, "simple"), minitorch.tensor(data.y, "simple")
    with_tensors, with_scalars = [], []
    optimizer = minitorch.SGD(tensors.parameters(), 0.5)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = step(tensors, X, y).sum()
        (loss / data.N).backward()
        optimizer.step()
        with_tensors.append(loss.item())
    optimizer = minitorch.SGD(scalars.parameters(), 0.5)
    for _ in range(epochs):
        optimizer.zero_grad()
        parts = scalar_losses(data, scalars)
        for part in parts:
            (part / data.N).backward()
        optimizer.step()
        with_scalars.append(sum(part.data for part in parts))
    return with_tensors, with_scalars


@figure
def training_tensors_loss() -> Drawing:
    """Loss of 48 epochs with Scalars and with Tensors from the same weights: the same numbers."""
    epochs = 48
    with_tensors, with_scalars = losses(epochs)
    picture = Drawing(460, 250)
    axes = Axes(
        picture,
        60,
        40,
        370,
        160,
        (0, epochs),
        (0, max(with_scalars) * 1.1),
        title="loss of 30 points",
        x_label="epoch",
    )
    shown = range(0, epochs, 4)
    axes.points(list(shown), [with_tensors[k] for k in shown], fill=GREEN, radius=6)
    axes.curve(range(epochs), with_scalars, stroke=INK)
    picture.line([(270, 60), (294, 60)], stroke=INK, thick=2)
    picture.text(302, 60, "Scalars", anchor="start", size=12)
    picture.circle(282, 78, 6, fill=GREEN, stroke=WHITE)
    picture.text(302, 78, "Tensors", anchor="start", size=12)
    return picture
