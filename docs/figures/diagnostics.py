"""Figures of the guide on training diagnostics: small networks on the bundled digits, trained well and badly here."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import minitorch
from minitorch.data import DataLoader, Dataset, digits
from minitorch.runtime.types import Array

from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PURPLE, RED, Axes, Drawing, figure, number, tint

RATES = {0.003: GREY, 0.1: PURPLE, 0.5: BLUE, 4.0: RED}


@functools.cache
def images() -> tuple[Dataset, Dataset]:
    """Return the digits with pixels from 0 to 1, for training and for test."""
    train, test = (Dataset(part.images / 16.0, part.labels) for part in digits())
    return train, test


def network(hidden: int = 32) -> minitorch.Sequential:
    """Return the guide's network, always with the same weights."""
    minitorch.manual_seed(0)
    return minitorch.Sequential(
        minitorch.Flatten(), minitorch.Linear(64, hidden), minitorch.ReLU(), minitorch.Linear(hidden, 10)
    )


@functools.cache
def trained(rate: float) -> tuple[list[float], minitorch.Sequential]:
    """Train for four epochs with a learning rate; return the loss of each step, and the network."""
    model = network()
    optimizer = minitorch.SGD(model.parameters(), lr=rate)
    batches = DataLoader(images()[0], 50, shuffle=True, seed=0)
    return [step.loss for step in minitorch.fit(model, batches, optimizer, epochs=4)], model


@figure
def diagnostics_rates() -> Drawing:
    """The loss of the same network with four learning rates."""
    picture = Drawing(560, 280)
    axes = Axes(picture, 44, 40, 400, 190, (0, 120), (0, 4), title="loss of each batch", x_label="step")
    axes.curve([0, 120], [np.log(10)] * 2, stroke=INK, dash="3 3", thick=1)
    picture.text(axes.at(120, 0)[0] + 6, axes.at(0, np.log(10))[1], "ln 10", anchor="start", size=12)
    for k, (rate, colour) in enumerate(RATES.items()):
        losses, _ = trained(rate)
        axes.curve(range(1, 121), losses, stroke=colour, thick=1.4)
        picture.text(470, 150 + 22 * k, f"rate {number(rate, 3)}", fill=colour, anchor="start", bold=True)
    return picture


@figure
def diagnostics_finder() -> Drawing:
    """The loss while the learning rate grows from step to step."""
    model = network()
    optimizer = minitorch.SGD(model.parameters(), lr=0.1)
    batches = DataLoader(images()[0], 50, shuffle=True, seed=0)
    rates, losses = minitorch.lr_range(model, batches, optimizer, start=0.001, end=10.0, steps=100)
    picture = Drawing(500, 270)
    axes = Axes(picture, 44, 40, 430, 180, (-3, 1), (0, 4), title="loss while the rate grows", marks=0)
    for power in range(-3, 2):
        x, y = axes.at(power, 0)
        picture.line([(x, 40), (x, 220)], stroke=tint(GREY, 0.25), thick=1)
        picture.text(x, y + 12, number(10.0**power, 3), size=11, fill=GREY)
    for loss in range(5):
        picture.text(38, axes.at(-3, loss)[1], str(loss), size=11, fill=GREY, anchor="end")
    picture.text(259, 252, "learning rate", size=12)
    axes.curve(np.log10(rates), losses, thick=1.6)
    return picture


@figure
def diagnostics_dead() -> Drawing:
    """Which hidden units are positive on which test image, after training with two learning rates."""
    picture = Drawing(640, 216)
    pixels = images()[1].images.reshape(-1, 64)
    for k, rate in enumerate((0.5, 4.0)):
        model = trained(rate)[1]
        hidden = minitorch.tensor(pixels) @ model[1].weight.value.permute(1, 0) + model[1].bias.value
        active = (hidden.to_numpy().T > 0).astype(float)
        left = 50 + k * 300
        dead = int((active.sum(1) == 0).sum())
        picture.text(left, 20, f"rate {number(rate)}: {dead} of 32 always 0", anchor="start", bold=True)
        picture.fine_image(active[:, :60], left, 36, size=4.5, colour=(BLUE, RED)[k])
    picture.text(44, 36 + 16 * 4.5, "units", anchor="end", size=12)
    picture.text(50 + 135, 200, "test images", size=12)
    picture.text(350 + 135, 200, "test images", size=12)
    return picture


@functools.cache
def gradient_norms(activation: Any, kaiming: bool) -> Array:
    """Return the norm of each weight's gradient in a network of eight hidden layers, from the first to the last."""
    minitorch.manual_seed(0)
    layers: list[minitorch.Module] = [minitorch.Flatten()]
    for depth in range(8):
        linear = minitorch.Linear(64 if depth == 0 else 32, 32)
        if kaiming:
            minitorch.init.kaiming_uniform_(linear.weight, nonlinearity="relu")
        layers += [linear, activation()]
    model = minitorch.Sequential(*layers, minitorch.Linear(32, 10))
    train = images()[0]
    minitorch.cross_entropy(model(minitorch.tensor(train.images[:100])), train.labels[:100]).backward()
    weights = [p.value.grad for name, p in model.named_parameters() if name.endswith("weight")]
    return np.array([np.linalg.norm(grad.to_numpy()) for grad in weights])


@figure
def diagnostics_gradients() -> Drawing:
    """The norm of the gradient of each layer's weight, on a scale of powers of ten, for three networks."""
    picture = Drawing(600, 280)
    axes = Axes(picture, 60, 40, 330, 190, (0.5, 9.5), (-8, 0), title="norm of the gradient", marks=0)
    for power in range(-8, 1, 2):
        x, y = axes.at(0.5, power)
        picture.line([(x, y), (x + 330, y)], stroke=tint(GREY, 0.25), thick=1)
        picture.text(x - 6, y, f"1e{power}" if power else "1", size=11, fill=GREY, anchor="end")
    for layer in range(1, 10):
        picture.text(axes.at(layer, 0)[0], 244, str(layer), size=11, fill=GREY)
    picture.text(225, 264, "layer, from the input on", size=12)
    runs = (
        ("ReLU, Kaiming's initial weights", minitorch.ReLU, True, GREEN),
        ("ReLU, default initial weights", minitorch.ReLU, False, BLUE),
        ("sigmoid, default initial weights", minitorch.Sigmoid, False, RED),
    )
    for name, activation, kaiming, colour in runs:
        norms = np.log10(gradient_norms(activation, kaiming))
        axes.curve(range(1, 10), norms, stroke=colour)
        axes.points(range(1, 10), norms, fill=colour, radius=3)
        x, y = axes.at(9, float(norms[2]))
        picture.text(400, y, name, fill=colour, anchor="start", size=12)
    return picture


@functools.cache
def overfitted() -> tuple[Array, Array]:
    """Train on 100 images for 60 epochs; return (loss, test loss) and (accuracy, test accuracy) of each epoch."""
    train, test = images()
    model = network(hidden=100)
    optimizer = minitorch.Adam(model.parameters(), lr=0.01)
    few, tests = train.subset(range(100)), DataLoader(test, 297, seed=0)
    losses, accuracies = [], []
    for step in minitorch.fit(model, DataLoader(few, 100, seed=0), optimizer, epochs=60, valid=tests):
        losses.append((step.loss, step.valid_loss))
        accuracies.append((step.accuracy, step.valid_accuracy))
    return np.array(losses, float), np.array(accuracies, float)


@figure
def diagnostics_overfitting() -> Drawing:
    """Loss and accuracy on 100 training images and on the test images, for each epoch."""
    losses, accuracies = overfitted()
    picture = Drawing(620, 260)
    epochs = np.arange(1, len(losses) + 1)
    for left, table, title, high in ((44, losses, "loss", 2.5), (354, accuracies, "accuracy", 1.0)):
        axes = Axes(picture, left, 40, 240, 160, (0, 60), (0, high), title=title, x_label="epoch")
        for column, colour in ((0, BLUE), (1, ORANGE)):
            axes.curve(epochs, table[:, column], stroke=colour)
    picture.text(160, 62, "100 training images", fill=BLUE, anchor="start", size=12)
    picture.text(160, 80, "test images", fill=ORANGE, anchor="start", size=12)
    lowest = int(losses[:, 1].argmin())
    axes = Axes(picture, 44, 40, 240, 160, (0, 60), (0, 2.5), marks=0)
    axes.points([epochs[lowest]], [losses[lowest, 1]])
    x, y = axes.at(float(epochs[lowest]), float(losses[lowest, 1]))
    picture.text(x, y - 14, "lowest", size=11, fill=ORANGE)
    return picture


@functools.cache
def diverging(rate: float, steps: int) -> list[float]:
    """Fit y = w x to four points of y = 3 x by gradient descent; return the loss of each step."""
    x = minitorch.tensor([1.0, 2.0, 3.0, 4.0], "simple")
    w, losses = minitorch.tensor([0.0], "simple"), []
    for _ in range(steps):
        w.requires_grad_()
        error = x * w - x * 3.0
        loss = (error * error).mean()
        loss.backward()
        assert w.grad is not None
        losses.append(loss.item())
        w = w.detach() - w.grad * rate
    return losses


@figure
def diagnostics_divergence() -> Drawing:
    """The loss of a line through four points for three learning rates, on a scale of powers of ten."""
    picture = Drawing(560, 270)
    axes = Axes(picture, 60, 40, 340, 180, (0, 15), (-8, 12), title="loss", marks=0)
    for power in range(-8, 13, 4):
        x, y = axes.at(0, power)
        picture.line([(x, y), (x + 340, y)], stroke=tint(GREY, 0.25), thick=1)
        picture.text(x - 6, y, f"1e{power}" if power else "1", size=11, fill=GREY, anchor="end")
    for step in range(0, 16, 5):
        picture.text(axes.at(step, 0)[0], 234, str(step), size=11, fill=GREY)
    picture.text(230, 254, "step", size=12)
    for rate, colour in zip((0.2, 0.13, 0.1), (RED, COLOURS[1], BLUE), strict=True):
        losses = np.log10(np.array(diverging(rate, 16)))
        axes.curve(range(16), losses, stroke=colour)
        _, y = axes.at(15, float(losses[-1]))
        picture.text(412, y, f"rate {number(rate)}", fill=colour, anchor="start")
    return picture
