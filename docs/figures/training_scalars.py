"""Figures of the guide on training with Scalars: the network, good and bad starts, learning rates, hidden units."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from minitorch.cli.toy_trainers import ScalarTrain
from minitorch.datasets import Graph, datasets

from .classifiers import EPOCHS as ONE_LAYER_EPOCHS
from .classifiers import Layers, draw_points, draw_probability, probability, python_random, trained
from .drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, WHITE, Axes, Drawing, figure, number, tint

POINTS, HIDDEN, EPOCHS = 20, 2, 80
STARTS = ((4, GREEN), (6, ORANGE), (5, PURPLE), (0, RED))  # seeds


@dataclass
class Training:
    """The points of a training, its loss in each epoch, the number of right answers, and the layers at the end."""

    data: Graph
    losses: list[float]
    correct: int
    layers: Layers


@functools.cache
def train(seed: int, rate: float = 0.5, epochs: int = EPOCHS) -> Training:
    """Run the trainer of task 1.5 on `simple` with two hidden units."""
    losses: list[float] = []
    right = [0]

    def keep(epoch: int, loss: float, correct: int, all_losses: list[float]) -> None:
        losses[:] = all_losses
        right[0] = correct

    with python_random(seed):
        data = datasets["Simple"](POINTS)
        trainer = ScalarTrain(HIDDEN)
        trainer.train(data, rate, epochs, keep)
    return Training(data, losses, right[0], trainer.model.arrays())


@figure
def training_scalars_network() -> Drawing:
    """The trained network for one point: the value of each unit, and the weights as lines."""
    run = train(STARTS[0][0])
    point = run.data.X[0]
    values = [np.array(point)]
    for k, (weights, bias) in enumerate(run.layers):
        total = values[-1] @ weights + bias
        values.append(np.maximum(total, 0.0) if k < 2 else 1.0 / (1.0 + np.exp(-total)))
    picture = Drawing(680, 250)
    names = ("input", "layer1, relu", "layer2, relu", "layer3, sigmoid")
    places = [
        [(80.0 + 170 * k, 130.0 + 90 * (n - (len(layer) - 1) / 2)) for n in range(len(layer))]
        for k, layer in enumerate(values)
    ]
    largest = max(float(np.abs(weights).max()) for weights, _ in run.layers)
    for k, (weights, _) in enumerate(run.layers):
        for (i, j), weight in np.ndenumerate(weights):
            (x0, y0), (x1, y1) = places[k][i], places[k + 1][j]
            colour = BLUE if weight > 0 else RED
            thick = 1 + 5 * abs(float(weight)) / largest
            picture.line([(x0, y0), (x1, y1)], stroke=tint(colour, 0.6), thick=thick)
            near = 0.32
            x, y = x0 + near * (x1 - x0), y0 + near * (y1 - y0)
            picture.rect(x - 17, y - 9, 34, 18, fill=WHITE, stroke=tint(colour, 0.6), radius=3)
            picture.text(x, y, number(float(weight), 1), size=11)
    for k, layer in enumerate(values):
        picture.text(places[k][0][0], 22, names[k], size=12, bold=True)
        for (x, y), value in zip(places[k], layer, strict=True):
            picture.circle(x, y, 24, fill=tint(GREY, 0.1), stroke=GREY)
            picture.text(x, y, number(float(value)), size=12)
    picture.text(80, 232, f"label {run.data.y[0]}", size=12)
    return picture


@figure
def training_scalars_loss_of_one() -> Drawing:
    """The loss of a point against the probability that the network gives: for label 1 and for label 0."""
    picture = Drawing(520, 280)
    axes = Axes(
        picture,
        60,
        40,
        300,
        180,
        (0, 1),
        (0, 5),
        title="loss of one point",
        x_label="probability of label 1",
        marks=4,
    )
    xs = np.linspace(0.007, 0.993, 60)
    axes.curve(xs, -np.log(xs), stroke=BLUE)
    axes.curve(xs, -np.log(1.0 - xs), stroke=RED)
    axes.points([0.5], [math.log(2.0)], fill=GREY, radius=5)
    picture.text(374, 70, "label 1: -log p", anchor="start", fill=BLUE, bold=True)
    picture.text(374, 94, "label 0: -log(1 - p)", anchor="start", fill=RED, bold=True)
    picture.text(374, 124, f"p = 0.5: {number(math.log(2.0), 3)}", anchor="start", fill=GREY, bold=True)
    return picture


@figure
def training_scalars_starts() -> Drawing:
    """The loss of four trainings that differ only in their random start, and their boundaries."""
    picture = Drawing(720, 480)
    axes = Axes(
        picture,
        60,
        36,
        480,
        200,
        (0, EPOCHS),
        (0, 16),
        title="loss, sum of 20 points",
        x_label="epoch",
        marks=4,
    )
    level = POINTS * math.log(2.0)
    axes.curve([0, EPOCHS], [level, level], stroke=GREY, dash="3 4")
    picture.text(
        552, axes.at(0, level)[1] - 8, f"20 · log 2 = {number(level, 1)}", anchor="start", size=12, fill=GREY
    )
    for k, (seed, colour) in enumerate(STARTS):
        run = train(seed)
        axes.curve(range(1, EPOCHS + 1), run.losses, stroke=colour)
        picture.text(
            552,
            92 + 24 * k,
            f"start {'ABCD'[k]}: {run.losses[-1]:.1f}",
            anchor="start",
            fill=colour,
            bold=True,
        )
        left = 44 + 172 * k
        plane = Axes(picture, left, 300, 140, 140, (0, 1), (0, 1), title=f"start {'ABCD'[k]}", marks=0)
        draw_probability(plane, probability(run.layers), steps=24)
        draw_points(plane, run.data, 3)
        picture.text(left + 70, 456, f"{run.correct} of {POINTS} right", size=12)
    return picture


@figure
def training_scalars_rates() -> Drawing:
    """The loss with four learning rates, from the same start."""
    picture = Drawing(640, 290)
    axes = Axes(
        picture,
        60,
        36,
        400,
        200,
        (0, EPOCHS),
        (0, 40),
        title="loss, sum of 20 points",
        x_label="epoch",
        marks=4,
    )
    for k, (rate, colour) in enumerate(((0.02, GREY), (0.5, GREEN), (2.0, ORANGE), (10.0, RED))):
        run = train(STARTS[0][0], rate)
        axes.curve(range(1, EPOCHS + 1), run.losses, stroke=colour)
        text = f"rate {number(rate)}: {run.correct} right"
        picture.text(474, 60 + 26 * k, text, anchor="start", fill=colour, bold=True)
    return picture


@figure
def training_scalars_units() -> Drawing:
    """Xor with 2 and 6 hidden units: how many bends a boundary needs."""
    picture = Drawing(420, 240)
    for k, hidden in enumerate((2, 6)):
        run = trained(hidden=hidden)
        left = 44 + 196 * k
        axes = Axes(picture, left, 36, 150, 150, (0, 1), (0, 1), title=f"{hidden} hidden units", marks=2)
        draw_probability(axes, probability(run.layers[ONE_LAYER_EPOCHS]), steps=24)
        draw_points(axes, run.data, 3)
        picture.text(left + 75, 222, f"{run.correct[-1]} of {run.data.N} right", size=12, bold=True)
    return picture
