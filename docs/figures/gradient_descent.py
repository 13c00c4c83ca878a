"""Figures of the primer on gradient descent: a line through four points, its loss, and three learning rates."""

from __future__ import annotations

import functools
import math

import numpy as np

from minitorch import SGD, Module, Parameter, Scalar

from .drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Axes, Drawing, figure, number, power_of_ten, tint
from .fields import Array, bands, contour

POINTS = ((0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (3.0, 4.0))
LEVELS = (0.5, 0.75, 1.5, 3.0, 5.0, 8.0, 12.0)
BEST = np.polyfit(*np.array(POINTS).T, 1)  # w and b of the line with the lowest loss


class Line(Module):
    """y = w x + b with two Parameters, at the start 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Scalar(0.0))
        self.b = Parameter(Scalar(0.0))

    def forward(self, x: float) -> Scalar:
        """Return the height of the line at x."""
        height: Scalar = self.w.value * x + self.b.value
        return height


def loss_of(line: Line) -> Scalar:
    """Return the mean of the squared differences."""
    total = Scalar(0.0)
    for x, y in POINTS:
        difference = line(x) - y
        total = total + difference * difference
    return total / len(POINTS)


@functools.cache
def descent(rate: float, steps: int = 60) -> list[tuple[float, float, float]]:
    """Return w, b and loss before the first step and after each."""
    line = Line()
    optimizer = SGD(line.parameters(), rate)
    found = []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        loss = loss_of(line)
        found.append((line.w.value.data, line.b.value.data, loss.data))
        if not loss.data < 1e6:
            break
        loss.backward()
        optimizer.step()
    return found


def field(w: Array, b: Array) -> Array:
    """Return the loss for arrays of w and b."""
    return np.asarray(sum((w * x + b - y) ** 2 for x, y in POINTS) / len(POINTS))


@figure
def gradient_descent_line() -> Drawing:
    """The line after 0, 1, 5 and 60 steps, with the differences to the points."""
    picture = Drawing(720, 230)
    for k, step in enumerate((0, 1, 5, 60)):
        w, b, loss = descent(0.1)[step]
        left = 36 + 172 * k
        axes = Axes(
            picture,
            left,
            40,
            146,
            140,
            (-0.5, 3.5),
            (-0.5, 5),
            title=f"{step} step{'s' * (step != 1)}",
            marks=3,
        )
        for x, y in POINTS:
            axes.curve([x, x], [y, w * x + b], stroke=tint(RED, 0.7), thick=2)
        axes.curve([-0.5, 3.5], [b - 0.5 * w, b + 3.5 * w], stroke=BLUE, thick=2.5)
        axes.points([x for x, _ in POINTS], [y for _, y in POINTS], radius=5)
        picture.text(left + 73, 212, f"loss {number(loss)}", fill=RED, bold=True)
    return picture


@figure
def gradient_descent_loss() -> Drawing:
    """The loss after each step, and the loss of the best line."""
    losses = [loss for _, _, loss in descent(0.1)]
    best = float(field(np.array(BEST[0]), np.array(BEST[1])))
    picture = Drawing(520, 270)
    axes = Axes(picture, 60, 36, 420, 180, (0, 60), (0, 8), title="loss", x_label="step", marks=4)
    axes.curve([0, 60], [best, best], stroke=GREEN, dash="5 4")
    axes.curve(range(61), losses, stroke=RED)
    axes.points([0, 1, 5, 60], [losses[k] for k in (0, 1, 5, 60)], fill=RED)
    picture.text(474, 182, f"best line: {number(best)}", anchor="end", size=12, fill=GREEN, bold=True)
    return picture


def plane(picture: Drawing, left: float, top: float, size: float, title: str) -> Axes:
    """Return axes for w and b."""
    axes = Axes(picture, left, top, size, size, (-0.5, 2.5), (-1, 3.2), title=title, x_label="w", marks=3)
    picture.text(left - 34, top + size / 2, "b", size=12)
    return axes


@figure
def gradient_descent_surface() -> Drawing:
    """The loss for each w and b, and the way of gradient descent across it."""
    picture = Drawing(600, 370)
    axes = plane(picture, 60, 40, 280, "loss for each w and b")
    bands(axes, field, LEVELS, [tint(GREY, 0.08 + 0.085 * k) for k in range(len(LEVELS) + 1)], steps=40)
    for level in LEVELS:
        contour(axes, field, level, stroke="#ffffff", thick=2, steps=28)
    path = [(w, b) for w, b, _ in descent(0.1)]
    axes.curve([w for w, _ in path], [b for _, b in path], stroke=ORANGE)
    axes.points([w for w, _ in path[:12]], [b for _, b in path[:12]], fill=ORANGE)
    axes.points([BEST[0]], [BEST[1]], fill=GREEN, radius=6)
    for k, (text, colour) in enumerate(
        (
            ("start: w = 0, b = 0", ORANGE),
            (f"step 1: w = {number(path[1][0])}, b = {number(path[1][1])}", ORANGE),
            (f"step 60: w = {number(path[60][0])}, b = {number(path[60][1])}", ORANGE),
            (f"lowest: w = {number(BEST[0])}, b = {number(BEST[1])}", GREEN),
        )
    ):
        picture.text(356, 70 + 26 * k, text, anchor="start", size=13, fill=colour, bold=True)
    picture.text(356, 190, "lines of equal loss at", anchor="start", size=12)
    picture.text(356, 208, ", ".join(number(level) for level in LEVELS), anchor="start", size=12)
    return picture


RATES = (
    (0.01, BLUE, "too small"),
    (0.1, GREEN, "right"),
    (0.23, PURPLE, "nearly too large"),
    (0.25, RED, "too large"),
)


@figure
def gradient_descent_rates() -> Drawing:
    """The first 20 steps with three learning rates."""
    picture = Drawing(720, 276)
    for k, (rate, colour, name) in enumerate(RATES[:3]):
        axes = plane(picture, 48 + 232 * k, 40, 186, f"rate {rate}: {name}")
        for level in LEVELS[1::2]:
            contour(axes, field, level, stroke=tint(GREY, 0.6), thick=1, steps=26)
        path = [(w, b) for w, b, _ in descent(rate)[:21]]
        axes.curve([w for w, _ in path], [b for _, b in path], stroke=colour)
        axes.points([w for w, _ in path], [b for _, b in path], fill=colour, radius=3)
        axes.points([BEST[0]], [BEST[1]], fill=ORANGE, radius=4)
    return picture


@figure
def gradient_descent_curves() -> Drawing:
    """The distance of the loss from its lowest value, for four learning rates."""
    best = float(field(np.array(BEST[0]), np.array(BEST[1])))
    picture = Drawing(640, 290)
    axes = Axes(
        picture,
        60,
        40,
        330,
        190,
        (0, 60),
        (-4, 3),
        title="loss minus the lowest loss",
        x_label="step",
        marks=6,
        y_text=power_of_ten,
    )
    for k, (rate, colour, name) in enumerate(RATES):
        logs = [math.log10(max(loss - best, 1e-9)) for _, _, loss in descent(rate)]
        axes.curve(range(len(logs)), logs, stroke=colour)
        picture.text(
            406, 60 + 30 * k, f"rate {rate}: {name}", anchor="start", size=13, fill=colour, bold=True
        )
    return picture
