"""Figures of the guide that adds an operation: normalized rows, checked derivatives, a network that trains with it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch
from minitorch.data import DataLoader, Dataset, digits
from minitorch.runtime import rng

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, Axes, Drawing, figure, number, tint

EPS = 1e-5


class RMSNorm(minitorch.Function):
    """The guide's operation: each row divided by the root of the mean of its squares."""

    @staticmethod
    def forward(ctx: minitorch.Context, x: Any) -> Any:
        """Normalize the rows (N, C)."""
        values = x.to_numpy()
        root = np.sqrt((values * values).mean(1, keepdims=True) + EPS)
        ctx.save_for_backward(values, root)
        return x.f.from_array(values / root)

    @staticmethod
    def backward(ctx: minitorch.Context, d: Any) -> Any:
        """Return the derivative of the rows."""
        values, root = ctx.saved_values
        change = d.to_numpy()
        along = (change * values).mean(1, keepdims=True)
        return d.f.from_array(change / root - values * along / root**3)


class Forgetful(RMSNorm):
    """The same with a mistake: its derivative forgets that the root depends on the row."""

    @staticmethod
    def backward(ctx: minitorch.Context, d: Any) -> Any:
        """Return a wrong derivative."""
        _, root = ctx.saved_values
        return d.f.from_array(d.to_numpy() / root)


@figure
def growing_rows() -> Drawing:
    """Rows of two numbers as arrows, before and after: all end on a circle of radius root 2."""
    rows = np.array([[3.0, 4.0], [-2.0, 1.0], [0.4, -0.3], [1.0, -3.5], [-3.0, -2.0]])
    normed = minitorch.tensor(RMSNorm.apply(minitorch.tensor(rows, "simple")).to_numpy()).to_numpy()
    picture = Drawing(560, 292)
    colours = (BLUE, ORANGE, GREEN, RED, GREY)
    angles = np.linspace(0.0, 2 * math.pi, 65)
    for left, table, head in ((44, rows, "rows"), (310, normed, "normalized")):
        axes = Axes(picture, left, 36, 220, 220, (-4.5, 4.5), (-4.5, 4.5), title=head, marks=5)
        radius = math.sqrt(2)
        axes.curve(
            radius * np.cos(angles), radius * np.sin(angles), stroke=tint(GREY, 0.6), dash="3 3", thick=1
        )
        for row, colour in zip(table, colours, strict=True):
            picture.arrow(axes.at(0, 0), axes.at(float(row[0]), float(row[1])), stroke=colour)
    return picture


@figure
def growing_derivative() -> Drawing:
    """The derivative of a row: what comes from above, less its part along the row, is perpendicular to the row."""
    row, change = np.array([[1.2, 1.6]]), np.array([[1.6, 0.0]])
    x = minitorch.tensor(row, "simple", requires_grad=True)
    y: minitorch.Tensor = RMSNorm.apply(x)
    y.backward(minitorch.tensor(change, "simple"))
    assert x.grad is not None
    grad = x.grad.to_numpy()[0]
    plain = change[0] / float(np.sqrt((row * row).mean() + EPS))
    picture = Drawing(400, 290)
    axes = Axes(picture, 44, 30, 220, 220, (-0.4, 2.2), (-1.0, 1.6), title="derivative of a row")
    picture.arrow(axes.at(0, 0), axes.at(*row[0].tolist()), stroke=GREY)
    picture.arrow(axes.at(0, 0), axes.at(*plain.tolist()), stroke=ORANGE)
    picture.arrow(axes.at(0, 0), axes.at(*grad.tolist()), stroke=BLUE, thick=2.5)
    picture.line([axes.at(*plain.tolist()), axes.at(*grad.tolist())], stroke=GREY, dash="3 3", thick=1)
    lines = (("the row x", GREY), ("d / r", ORANGE), ("the derivative", BLUE), ("- -  its second term", GREY))
    for k, (line, colour) in enumerate(lines):
        picture.text(280, 90 + k * 24, line, fill=colour, anchor="start", size=12)
    return picture


def derivatives(function: Any) -> tuple[list[float], list[float]]:
    """Return derivatives by backward, and by central differences, of 12 elements."""
    with rng.seeded(0):
        x = minitorch.randn((3, 4), backend="simple").requires_grad_()
        weight = minitorch.randn((3, 4), backend="simple")

    def total(t: minitorch.Tensor) -> minitorch.Tensor:
        return (function.apply(t) * weight).sum()

    total(x).backward()
    assert x.grad is not None
    places = list(np.ndindex(3, 4))
    return [x.grad.to_numpy()[p] for p in places], [
        minitorch.grad_central_difference(total, x.detach(), ind=p) for p in places
    ]


@figure
def growing_check() -> Drawing:
    """Derivatives by backward over those by central differences: on the diagonal, and beside it."""
    picture = Drawing(560, 290)
    for left, function, head, colour in (
        (50, RMSNorm, "right derivative", BLUE),
        (320, Forgetful, "one term forgotten", RED),
    ):
        found, expected = derivatives(function)
        axes = Axes(picture, left, 36, 210, 200, (-4, 4), (-4, 4), title=head, x_label="central difference")
        axes.curve([-4, 4], [-4, 4], stroke=tint(GREY, 0.6), dash="3 3", thick=1)
        axes.points(expected, found, fill=colour)
        worst = max(abs(a - b) for a, b in zip(found, expected, strict=True))
        x, y = axes.at(-3.7, 3.5)
        picture.text(x, y, f"largest difference {number(worst, 2)}", anchor="start", size=12, fill=colour)
    return picture


class Normalized(minitorch.Module):
    """The operation as a layer, with one learned factor for each feature."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = minitorch.Parameter(minitorch.ones((features,)))

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Normalize the rows (N, features)."""
        out: minitorch.Tensor = RMSNorm.apply(x) * self.weight.value
        return out


def deep_losses(normalize: bool) -> list[float]:
    """Train eight hidden layers on the digits for four epochs, and return the loss of each step."""
    minitorch.manual_seed(0)
    parts: list[Any] = [minitorch.Flatten()]
    for depth in range(8):
        parts += [minitorch.Linear(64 if depth == 0 else 32, 32), *([Normalized(32)] if normalize else [])]
        parts.append(minitorch.ReLU())
    model = minitorch.Sequential(*parts, minitorch.Linear(32, 10))
    train = digits()[0]
    batches = DataLoader(Dataset(train.images / 16.0, train.labels), 50, shuffle=True, seed=0)
    optimizer = minitorch.SGD(model.parameters(), lr=0.02)
    return [step.loss for step in minitorch.fit(model, batches, optimizer, epochs=4)]


@figure
def growing_training() -> Drawing:
    """The loss of eight hidden layers with and without the operation behind each linear layer."""
    picture = Drawing(520, 270)
    axes = Axes(picture, 44, 40, 330, 180, (0, 120), (0, 2.6), title="loss of each batch", x_label="step")
    for normalize, colour, head in ((False, RED, "plain"), (True, BLUE, "with RMS norm")):
        losses = deep_losses(normalize)
        axes.curve(range(1, 121), losses, stroke=colour)
        _, y = axes.at(120, losses[-1])
        picture.text(384, y, head, fill=colour, anchor="start", size=12)
    return picture
