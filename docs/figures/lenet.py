"""Figures of the guide on LeNet: a network that is trained here, in seconds, on the digits that come with minitorch."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

import minitorch
from minitorch.data import DataLoader, Dataset, digits
from minitorch.models import LeNet
from minitorch.runtime.types import Array

from .drawing import BLUE, GREEN, GREY, INK, ORANGE, WHITE, Axes, Drawing, figure, number, tint


class Trained(NamedTuple):
    """A trained network, its first kernels before training, and what was seen of it."""

    model: LeNet
    kernels: Array
    losses: list[float]
    tested: list[tuple[int, float, float]]  # after an epoch: step, loss, accuracy
    test: Dataset


def enlarged(small: Dataset) -> Dataset:
    """Return digits of 8 x 8 pixels from 0 to 16 as 28 x 28 from 0 to 1, as the course's script does."""
    large = small.images.repeat(3, axis=2).repeat(3, axis=3)
    return Dataset(np.pad(large, ((0, 0), (0, 0), (2, 2), (2, 2))) / 16.0, small.labels)


@functools.cache
def trained() -> Trained:
    """Train LeNet for four epochs, as the guide does."""
    train, test = (enlarged(part) for part in digits())
    minitorch.manual_seed(0)
    model = LeNet()
    kernels = model.conv1.weight.value.to_numpy()
    optimizer = minitorch.Adam(model.parameters(), lr=0.01)
    batches = DataLoader(train, batch_size=32, shuffle=True, seed=0)
    losses, tested = [], []
    for step in minitorch.fit(
        model, batches, optimizer, epochs=4, loss=LeNet.loss, valid=DataLoader(test, batch_size=99, seed=0)
    ):
        losses.append(step.loss)
        if step.valid_loss is not None and step.valid_accuracy is not None:
            tested.append((step.step, step.valid_loss, step.valid_accuracy))
    model.eval()
    return Trained(model, kernels, losses, tested, test)


@functools.cache
def answers() -> Array:
    """Return the probabilities that the trained network gives to the ten classes of each test image."""
    found = trained()
    scores, _ = minitorch.predict(found.model, DataLoader(found.test, batch_size=99))
    return np.asarray(np.exp(scores))


def bars(picture: Drawing, values: Array, left: float, top: float, size: float, right: int) -> None:
    """Draw the probabilities of the ten classes as bars to the right, the true class in green."""
    for k, value in enumerate(values):
        y = top + k * size
        picture.text(left, y + size / 2, str(k), size=size * 0.85, fill=GREY, anchor="end")
        colour = GREEN if k == right else ORANGE
        picture.rect(left + 5, y + 1, 1 + 60 * float(value), size - 2, fill=colour, stroke="none")


@figure
def lenet_hidden() -> Drawing:
    """One digit on its way through the trained network, with the shape at each layer."""
    found = trained()
    index = int(np.flatnonzero(found.test.labels == 2)[0])
    image = found.test.images[index : index + 1]
    found.model.forward(minitorch.tensor(image))
    mid, out = found.model.mid, found.model.out
    assert mid is not None
    assert out is not None
    pooled = minitorch.avgpool2d(out, (4, 4)).to_numpy()[0]
    first, second = mid.to_numpy()[0], out.to_numpy()[0]
    size, side = 2.0, 56.0
    picture = Drawing(740, 322)
    heads = (
        (44, "image", "1 x 28 x 28"),
        (190, "conv1, ReLU", "4 x 28 x 28"),
        (368, "conv2, ReLU", "8 x 28 x 28"),
        (540, "pooled", "8 x 7 x 7"),
        (680, "answer", "10"),
    )
    for x, head, shape in heads:
        picture.text(x, 18, head, bold=True)
        picture.text(x, 36, shape, size=11, fill=GREY)
    picture.fine_image(image[0, 0], 16, 150, size=size)
    for c in range(4):
        picture.fine_image(first[c], 162, 54 + c * 64, size=size, colour=BLUE, high=float(first.max()))
    for c in range(8):
        left, top = 306 + c % 2 * 66, 54 + c // 2 * 64
        picture.fine_image(second[c], left, top, size=size, colour=BLUE, high=float(second.max()))
        left = 474 + c % 2 * 66
        picture.fine_image(pooled[c], left, top, size=8, colour=BLUE, high=float(pooled.max()))
    for start, end in ((80, 154), (226, 298), (436, 466), (604, 640)):
        picture.arrow((start, 54 + 2 * side + 12), (end, 54 + 2 * side + 12), stroke=GREY)
    picture.text(622, 166, "392 → 64", size=9, fill=GREY)
    bars(picture, answers()[index], 662, 88, 18, int(found.test.labels[index]))
    return picture


@figure
def lenet_kernels() -> Drawing:
    """The four kernels of the first layer, before and after training."""
    found = trained()
    after = found.model.conv1.weight.value.to_numpy()
    largest = float(max(np.abs(found.kernels).max(), np.abs(after).max()))
    picture = Drawing(560, 262)
    size = 34
    for row, (head, kernels) in enumerate((("at the start", found.kernels), ("trained", after))):
        top = 18 + row * 124
        picture.text(10, top + 51, head, anchor="start", size=12)
        for c in range(4):
            fills = [
                [tint(BLUE if v > 0 else ORANGE, 0.8 * abs(float(v)) / largest) for v in line]
                for line in kernels[c, 0]
            ]
            picture.grid(kernels[c, 0], 94 + c * 116, top, size=size, fills=fills, text_size=11)
    return picture


@figure
def lenet_losses() -> Drawing:
    """Loss of each step and on the test images after each epoch; accuracy on the test images."""
    found = trained()
    steps = np.arange(1, len(found.losses) + 1)
    tested = np.array(found.tested)
    picture = Drawing(640, 250)
    left = Axes(picture, 44, 40, 300, 160, (0, len(steps)), (0, 2.5), title="loss", x_label="step")
    left.curve(steps, found.losses, stroke=tint(BLUE, 0.6), thick=1.2)
    left.curve(tested[:, 0], tested[:, 1], stroke=ORANGE)
    left.points(tested[:, 0], tested[:, 1])
    x, y = left.at(100, 2.2)
    picture.text(x, y, "a training batch", fill=BLUE, anchor="start", size=12)
    picture.text(x, y + 18, "all test images", fill=ORANGE, anchor="start", size=12)
    right = Axes(
        picture, 414, 40, 206, 160, (0.5, 4.5), (0.6, 1.0), title="test accuracy", x_label="epoch", marks=0
    )
    for epoch, (_, _, accuracy) in enumerate(tested, 1):
        x, y = right.at(epoch, accuracy)
        picture.text(x, y - 14, number(accuracy, 3), size=11)
        picture.text(x, 212, str(epoch), size=11, fill=GREY)
    for level in (0.6, 0.7, 0.8, 0.9, 1.0):
        picture.text(408, right.at(0.5, level)[1], number(level), size=11, fill=GREY, anchor="end")
    right.curve(range(1, 5), tested[:, 2], stroke=ORANGE)
    right.points(range(1, 5), tested[:, 2])
    return picture


@figure
def lenet_mistakes() -> Drawing:
    """Six test images that the network gets wrong, the surest mistakes first, and its probabilities."""
    found, probabilities = trained(), answers()
    chosen = probabilities.argmax(1)
    wrong = np.flatnonzero(chosen != found.test.labels)
    worst = wrong[np.argsort(probabilities[wrong, found.test.labels[wrong]])][:6]
    picture = Drawing(700, 330)
    for k, index in enumerate(worst):
        left, top = 16 + k % 3 * 230, 34 + k // 3 * 158
        label = int(found.test.labels[index])
        picture.text(left, top - 16, f"a {label}, taken for a {chosen[index]}", anchor="start", bold=True)
        picture.image(digits()[1].images[index, 0], left, top, size=14)
        bars(picture, probabilities[index], left + 136, top, 11.2, label)
    return picture


@figure
def lenet_confusion() -> Drawing:
    """How often each test digit (row) is taken for each digit (column)."""
    found = trained()
    counts = minitorch.confusion_matrix(answers(), found.test.labels, 10)
    size = 28
    picture = Drawing(360, 362)
    picture.text(60 + 5 * size, 14, "the network's answer", bold=True)
    picture.text(10, 44, "digit", anchor="start", bold=True, size=12)
    for k in range(10):
        picture.text(60 + (k + 0.5) * size, 36, str(k), fill=GREY)
        picture.text(46, 52 + (k + 0.5) * size, str(k), fill=GREY)
    for (row, column), count in np.ndenumerate(counts):
        colour = GREEN if row == column else ORANGE
        strength = float(count) / (36 if row == column else 8)
        x, y = 60 + column * size, 52 + row * size
        picture.rect(x, y, size, size, fill=tint(colour, strength) if count else WHITE, stroke=GREY)
        if count:
            picture.text(x + size / 2, y + size / 2, str(int(count)), fill=INK, size=12)
    return picture
