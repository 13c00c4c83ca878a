"""Networks, images and training steps that several stages use, made of minitorch's public names only.

A rehearsal takes nets and batches so small that the simulator runs a step in a fraction of a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minitorch as mt

Batch = tuple[Any, Any]


def lenet(tiny: bool) -> Any:
    """Return LeNet with dropout, for images of 28x28, or of 4x4 if ``tiny``."""
    first, second, hidden, side = (1, 1, 3, 4) if tiny else (4, 8, 64, 28)
    return mt.Sequential(
        mt.Conv2d(1, first, 3, padding=1), mt.ReLU(), mt.Conv2d(first, second, 3, padding=1), mt.ReLU(),
        mt.AvgPool2d(4), mt.Flatten(), mt.Linear(second * (side // 4) ** 2, hidden), mt.ReLU(),
        mt.Dropout(0.25), mt.Linear(hidden, 10),
    )  # fmt: skip


def convnet(tiny: bool) -> Any:
    """Return a net for images (3, 32, 32) with BatchNorm, or (3, 4, 4) if ``tiny``."""
    widths, side = ((3, 2),), 4
    if not tiny:
        widths, side = ((3, 32), (32, 64), (64, 128)), 32
    stages: list[Any] = []
    for ins, outs in widths:
        stages += [mt.Conv2d(ins, outs, 3, padding=1), mt.BatchNorm2d(outs), mt.ReLU(), mt.MaxPool2d(2)]
        side //= 2
    return mt.Sequential(*stages, mt.Flatten(), mt.Dropout(0.1), mt.Linear(widths[-1][1] * side**2, 10))


def image_shape(name: str, tiny: bool) -> tuple[int, int, int]:
    """Return channels, height and width of what a net takes."""
    if name == "lenet":
        return (1, 4, 4) if tiny else (1, 28, 28)
    return (3, 4, 4) if tiny else (3, 32, 32)


NETS: dict[str, Callable[[bool], Any]] = {"lenet": lenet, "convnet": convnet}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD with momentum": lambda p: mt.SGD(p, lr=0.05, momentum=0.9),
    "SGD, slow": lambda p: mt.SGD(p, lr=0.002, momentum=0.9),
    "Adam": lambda p: mt.Adam(p, lr=0.002),
}


@dataclass(frozen=True)
class Images:
    """Images and labels, normalized, for training and for test.

    Attributes:
        name: Where they come from.
        train: Images (N, 1, H, W) and labels (N,).
        test: The same.
    """

    name: str
    train: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
    test: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def images(tiny: bool) -> Images:
    """Return MNIST from $MINITORCH_DATA, else the bundled digits, 8x8 enlarged to 28x28 (or shrunk if ``tiny``)."""
    folder, name = os.environ.get("MINITORCH_DATA", ""), "digits"
    if not tiny and folder and Path(folder).is_dir():
        (train, test), name = mt.data.mnist(folder, download=False), "MNIST"
    else:
        train, test = mt.data.digits()
    mean, std = train.images.mean(), train.images.std()
    splits = []
    for split, most in ((train, 20_000), (test, 4_000)):
        pixels = ((split.images[: 6 if tiny else most] - mean) / std).astype(np.float32)
        if tiny:
            pixels = pixels[..., ::2, ::2]
        elif pixels.shape[-1] == 8:
            pixels = np.kron(pixels, np.ones((1, 1, 3, 3), np.float32))
            pixels = np.pad(pixels, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
        splits.append((np.ascontiguousarray(pixels), split.labels[: len(pixels)]))
    return Images(name, splits[0], splits[1])


class Batches:
    """Full batches in an order that is drawn anew for each epoch, always from the same seed."""

    def __init__(self, split: tuple[Any, Any], size: int, seed: int = 0) -> None:
        self.split, self.size, self.random = split, size, np.random.default_rng(seed)

    def __iter__(self) -> Iterator[Batch]:
        pixels, labels = self.split
        order = self.random.permutation(len(pixels))
        for start in range(0, len(pixels) - self.size + 1, self.size):
            chosen = order[start : start + self.size]
            yield pixels[chosen], labels[chosen]


def random_batches(name: str, count: int, size: int, tiny: bool) -> list[Batch]:
    """Return batches of random images whose brightness tells the class, so that a loss can fall."""
    draw, found = np.random.default_rng(7), []
    for _ in range(count):
        labels = draw.integers(0, 10, size)
        pixels = draw.standard_normal((size, *image_shape(name, tiny))).astype(np.float32)
        found.append((pixels + labels[:, None, None, None].astype(np.float32) / 10, labels))
    return found


def prepare(backend: str) -> None:
    """Take a backend, float32 and a seed as the defaults."""
    mt.set_default_backend(backend)
    mt.set_default_dtype("float32")
    mt.manual_seed(11)


def step_of(model: Any, optimizer: Any) -> Callable[..., Any]:
    """Return a training step, which gives the loss."""

    def step(pixels: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = mt.cross_entropy(model(pixels), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def losses(
    backend: str, name: str, batches: list[Batch], tiny: bool, optimizer: str = "SGD with momentum"
) -> Any:
    """Return the losses of eager steps from one seed."""
    prepare(backend)
    model = NETS[name](tiny)
    step = step_of(model, OPTIMIZERS[optimizer](model.parameters()))
    return [float(step(mt.tensor(pixels), labels).item()) for pixels, labels in batches]
