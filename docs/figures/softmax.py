"""Figures of the guide on the maximum, softmax and dropout; values come from the functions of the task."""

from __future__ import annotations

import numpy as np

import minitorch
from minitorch.runtime import rng
from minitorch.runtime.types import Array

from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PALE, WHITE, Axes, Drawing, figure, number, tint

SCORES = [2.0, 1.0, -1.0]
TILES = [tint(colour, 0.3) for colour in COLOURS[:4]]


def bars(axes: Axes, values: Array, colours: list[str], digits: int = 3) -> None:
    """Draw a bar from 0 for each value, with its number at the end."""
    for k, value in enumerate(values):
        x, end = axes.at(k + 0.5, float(value))
        _, zero = axes.at(k + 0.5, 0.0)
        width = 0.6 * axes.width / len(values)
        axes.drawing.rect(
            x - width / 2, min(end, zero), width, abs(end - zero), fill=colours[k], stroke="none"
        )
        axes.drawing.text(x, end - 9 if value >= 0 else end + 9, number(float(value), digits), size=11)
    axes.drawing.line([axes.at(0, 0), axes.at(len(values), 0)], stroke=INK, thick=1)


@figure
def softmax_temperature() -> Drawing:
    """The same three scores as probabilities, divided by three temperatures before."""
    picture = Drawing(540, 200)
    colours = [BLUE, ORANGE, GREEN]
    for k, temperature in enumerate((0.5, 1.0, 4.0)):
        scores = minitorch.tensor([SCORES], backend="simple") / temperature
        axes = Axes(
            picture,
            36 + k * 176,
            44,
            140,
            120,
            (0, 3),
            (0, 1.1),
            title=f"scores / {number(temperature)}",
            marks=0,
        )
        bars(axes, minitorch.softmax(scores, 1).to_numpy()[0], colours)
        for j, score in enumerate(SCORES):
            picture.text(axes.at(j + 0.5, 0)[0], 178, number(score / temperature), size=11, fill=GREY)
    return picture


@figure
def softmax_logsumexp() -> Drawing:
    """ln(e^x + e^0) beside the maximum of x and 0; and its slope, which is the softmax of x and 0."""
    xs = np.linspace(-4.0, 4.0, 65)
    pairs = minitorch.tensor(np.stack([xs, np.zeros_like(xs)], 1), "simple", requires_grad=True)
    total = pairs.detach()[:, 0:1] - minitorch.logsoftmax(pairs, 1)[:, 0:1]
    # ln(e^x + e^0) = x - logsoftmax(x), so its slope is 1 minus the derivative of the log-softmax.
    minitorch.logsoftmax(pairs, 1)[:, 0:1].sum().backward()
    assert pairs.grad is not None
    slope = 1.0 - pairs.grad.to_numpy()[:, 0]
    picture = Drawing(560, 236)
    left = Axes(picture, 44, 40, 210, 150, (-4, 4), (-0.2, 4.2), title="log-sum-exp and maximum", x_label="x")
    left.curve(xs, np.maximum(xs, 0.0), stroke=GREY, dash="4 3")
    left.curve(xs, total.to_numpy()[:, 0])
    picture.text(left.at(-3.6, 3.2)[0], left.at(0, 3.2)[1], "ln(eˣ + e⁰)", fill=BLUE, anchor="start")
    picture.text(left.at(-3.6, 2.6)[0], left.at(0, 2.6)[1], "max(x, 0)", fill=GREY, anchor="start")
    right = Axes(picture, 322, 40, 210, 150, (-4, 4), (-0.05, 1.05), title="its slope: softmax", x_label="x")
    right.curve(xs, slope, stroke=ORANGE)
    return picture


@figure
def softmax_loss_gradient() -> Drawing:
    """Probabilities of three classes, and the derivatives of the loss: probability minus 1 at the true class."""
    scores = minitorch.tensor([SCORES], backend="simple", requires_grad=True)
    log_p = minitorch.logsoftmax(scores, 1)
    (-log_p[0, 1]).backward()
    assert scores.grad is not None
    picture = Drawing(500, 232)
    colours = [tint(BLUE, 0.55), ORANGE, tint(BLUE, 0.55)]
    for left, values, title in (
        (36, log_p.exp().to_numpy()[0], "probabilities"),
        (270, scores.grad.to_numpy()[0], "derivatives of the loss"),
    ):
        axes = Axes(picture, left, 36, 200, 160, (0, 3), (-1, 1), title=title, marks=0)
        bars(axes, values, colours)
        for j in range(3):
            picture.text(
                axes.at(j + 0.5, 0)[0], 210, "true class" if j == 1 else f"class {j}", size=11, fill=GREY
            )
    return picture


@figure
def softmax_max_gradient() -> Drawing:
    """Max pooling of 4 x 4 numbers; the derivative goes to the largest of each tile, to both of two equal ones."""
    image = np.array([[1.0, 5, 2, 0], [3, 4, 1, 7], [6, 2, 4, 4], [0, 1, 3, 2]])
    x = minitorch.tensor(image[None, None], "simple", requires_grad=True)
    tiles, rows, columns = minitorch.tile(x, (2, 2))
    largest = minitorch.max(tiles, 4).view(1, 1, rows, columns)
    change = np.array([[1.0, 2.0], [3.0, 4.0]])
    largest.backward(minitorch.tensor(change[None, None], "simple"))
    assert x.grad is not None
    fills = [[TILES[i // 2 * 2 + j // 2] for j in range(4)] for i in range(4)]
    small = [TILES[:2], TILES[2:]]
    grad = x.grad.to_numpy()[0, 0]
    size = 32
    picture = Drawing(580, 176)
    heads = ((16, "image"), (176, "largest"), (290, "d of largest"), (424, "d of image"))
    for left, head in heads:
        picture.text(left, 18, head, anchor="start", bold=True)
    picture.grid(image, 16, 34, size=size, fills=fills)
    picture.grid(largest.to_numpy()[0, 0], 176, 60, size=38, fills=small)
    picture.grid(change, 290, 60, size=38, fills=small)
    shown = [[fills[i][j] if grad[i, j] else WHITE for j in range(4)] for i in range(4)]
    picture.grid(grad, 424, 34, size=size, fills=shown)
    picture.arrow((148, 98), (172, 98), stroke=GREY)
    picture.arrow((372, 98), (418, 98), stroke=GREY)
    return picture


@figure
def softmax_dropout() -> Drawing:
    """Twelve hidden numbers in two training steps and in evaluation."""
    picture = Drawing(560, 178)
    size = 34
    with rng.seeded(7):
        hidden = minitorch.rand((1, 12), backend="simple")
        rows = [
            ("training, step 1", minitorch.dropout(hidden, 0.25)),
            ("training, step 2", minitorch.dropout(hidden, 0.25)),
            ("evaluation", minitorch.dropout(hidden, 0.25, ignore=True)),
        ]
    for k, (head, values) in enumerate(rows):
        top = 16 + k * 52
        row = values.to_numpy()[0]
        picture.text(16, top + size / 2, head, anchor="start")
        picture.grid(
            [row], 136, top, size=size, fills=[[tint(BLUE, 0.25) if v else PALE for v in row]], text_size=11
        )
    return picture
