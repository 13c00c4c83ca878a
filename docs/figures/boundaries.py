"""Figures of the primer on decision boundaries: a line, a folded plane, hidden units, a boundary during training."""

from __future__ import annotations

import numpy as np

from minitorch import operators
from minitorch.datasets import Graph
from minitorch.runtime import rng

from .classifiers import EPOCHS, Layers, draw_points, draw_probability, probability, trained
from .drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW, Axes, Drawing, Point, figure, tint
from .fields import Array, bands, contour

UNITS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, RED)
CORNERS = Graph(4, [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)], [0, 0, 1, 1])


def square(picture: Drawing, left: float, top: float, size: float, title: str, marks: int = 2) -> Axes:
    """Return axes for the unit square."""
    return Axes(picture, left, top, size, size, (0, 1), (0, 1), title=title, marks=marks)


@figure
def boundaries_line() -> Drawing:
    """The probability by one weighted sum, 8 - 8 x1 - 8 x2 with a sigmoid, and points labelled by that line."""
    layers: Layers = [(np.array([[-8.0], [-8.0]]), np.array([8.0]))]
    with rng.seeded(5):
        points = rng.uniform((30, 2)).tolist()
    data = Graph(30, [(x, y) for x, y in points], [int(x + y < 1.0) for x, y in points])
    picture = Drawing(560, 320)
    axes = square(picture, 50, 36, 240, "sigmoid(8 - 8 x₁ - 8 x₂)", marks=4)
    draw_probability(axes, probability(layers), steps=48)
    draw_points(axes, data)
    picture.text(170, 306, "x₁", size=12)
    picture.text(10, 156, "x₂", size=12)
    names = ("below 0.05", "0.05 to 0.25", "0.25 to 0.5", "0.5 to 0.75", "0.75 to 0.95", "above 0.95")
    for k, name in enumerate(names):
        colour = (
            tint(RED, 0.4),
            tint(RED, 0.25),
            tint(RED, 0.1),
            tint(BLUE, 0.1),
            tint(BLUE, 0.25),
            tint(BLUE, 0.4),
        )
        picture.rect(330, 60 + 26 * k, 20, 18, fill=colour[k], stroke=GREY)
        picture.text(360, 69 + 26 * k, f"probability {name}", anchor="start", size=12)
    picture.line([(330, 230), (350, 230)], thick=2)
    picture.text(360, 230, "boundary: 8 - 8 x₁ - 8 x₂ = 0", anchor="start", size=12)
    return picture


def folded(x: float, y: float) -> Point:
    """Return the sum and the difference without its sign, of ReLUs of weighted sums."""
    return operators.relu(x + y), operators.relu(x - y) + operators.relu(y - x)


@figure
def boundaries_fold() -> Drawing:
    """The corners of XOR in the plane, and after a fold along the diagonal: there a line separates them."""
    picture = Drawing(640, 310)
    left = Axes(picture, 50, 40, 220, 220, (-0.1, 1.1), (-0.1, 1.1), title="the plane", x_label="x₁", marks=2)
    right = Axes(
        picture,
        370,
        40,
        240,
        220,
        (-0.2, 2.2),
        (-0.2, 1.2),
        title="up: relu(x₁ - x₂) + relu(x₂ - x₁)",
        x_label="across: relu(x₁ + x₂)",
        marks=3,
    )
    picture.text(24, 150, "x₂", size=12)
    left.curve([-0.1, 1.1], [-0.1, 1.1], stroke=GREY, dash="5 4")
    lines = [(k / 4, t / 8) for k in range(5) for t in range(9)]
    for k in range(5):
        across = [p for p in lines if p[0] == k / 4]
        for path in (across, [(b, a) for a, b in across]):
            above = [p for p in path if p[1] >= p[0]]
            below = [p for p in path if p[1] <= p[0]]
            for part, colour in ((above, ORANGE), (below, GREEN)):
                if len(part) > 1:
                    left.curve([x for x, _ in part], [y for _, y in part], stroke=tint(colour, 0.5), thick=1)
                    moved = [folded(x, y) for x, y in part]
                    right.curve(
                        [x for x, _ in moved], [y for _, y in moved], stroke=tint(colour, 0.5), thick=1
                    )
    right.curve([-0.2, 2.2], [0.5, 0.5], thick=2)
    picture.text(604, 144, "a line", size=12, anchor="end")
    draw_points(left, CORNERS, 7)
    moved = [folded(x, y) for x, y in CORNERS.X]
    draw_points(right, Graph(4, moved, CORNERS.y), 7)
    x, y = right.at(1, 1)
    picture.text(x + 14, y - 10, "two points", size=12, fill=BLUE, anchor="start")
    return picture


def unit(layers: Layers, k: int) -> tuple[Array, float]:
    """Return the weights and the bias of a hidden unit."""
    weights, bias = layers[0]
    return weights[:, k], float(bias[k])


@figure
def boundaries_units() -> Drawing:
    """The six hidden units of a trained network: 0 on one side of a line, growing on the other."""
    run = trained()
    layers = run.layers[EPOCHS]
    picture = Drawing(620, 448)
    for k, colour in enumerate(UNITS):
        (a, b), c = unit(layers, k)
        axes = square(picture, 40 + 196 * (k % 3), 36 + 212 * (k // 3), 160, f"unit {k + 1}")

        def field(x: Array, y: Array, a: float = a, b: float = b, c: float = c) -> Array:
            return np.maximum(a * x + b * y + c, 0.0)

        bands(
            axes,
            field,
            (1e-9, 0.5, 1.0, 2.0),
            ["#ffffff", *(tint(colour, s) for s in (0.15, 0.3, 0.45, 0.6))],
            30,
        )
        contour(axes, lambda x, y, a=a, b=b, c=c: a * x + b * y + c, 0.0, stroke=colour, thick=2, steps=6)
        draw_points(axes, run.data, 2.5)
    return picture


@figure
def boundaries_bends() -> Drawing:
    """The boundary of the network and the lines of its hidden units: the boundary bends where it crosses one."""
    run = trained()
    layers = run.layers[EPOCHS]
    picture = Drawing(610, 338)
    axes = square(picture, 50, 36, 260, "boundary and lines of the units")
    draw_probability(axes, probability(layers), steps=40)
    for k, colour in enumerate(UNITS):
        (a, b), c = unit(layers, k)
        contour(
            axes,
            lambda x, y, a=a, b=b, c=c: a * x + b * y + c,
            0.0,
            stroke=colour,
            thick=5 - 0.6 * k,
            steps=6,
        )
        weight = float(layers[1][0][k, 0])
        corners = [a * x + b * y + c for x, y in CORNERS.X]
        outside = ", line outside" if max(corners) < 0 or min(corners) > 0 else ""
        picture.line([(340, 60 + 26 * k), (366, 60 + 26 * k)], stroke=colour, thick=2)
        picture.text(376, 60 + 26 * k, f"unit {k + 1}, weight {weight:.1f}{outside}", anchor="start", size=12)
    draw_points(axes, run.data, 3)
    picture.line([(340, 226), (366, 226)], thick=2)
    picture.text(376, 226, "probability 0.5", anchor="start", size=12)
    return picture


@figure
def boundaries_epochs() -> Drawing:
    """The boundary during training, after 0, 10, 40 and 150 epochs."""
    run = trained()
    picture = Drawing(720, 240)
    for k, epoch in enumerate((0, 10, 40, EPOCHS)):
        left = 36 + 172 * k
        axes = square(picture, left, 36, 150, f"epoch {epoch}")
        field = probability(run.layers[epoch])
        draw_probability(axes, field, steps=24)
        draw_points(axes, run.data, 3)
        values = field(np.array([x for x, _ in run.data.X]), np.array([y for _, y in run.data.X]))
        right = int(((values > 0.5) == np.array(run.data.y)).sum())
        picture.text(left + 75, 222, f"{right} of {run.data.N} right", size=12, bold=True)
    return picture
