"""One training step against PyTorch: each side in a process of its own, alternating, same batch, same threads.

minitorch runs twice: step by step, and recorded and replayed (`minitorch.GraphedStep`). So does PyTorch: with its
allocator as installed, and with glibc told to keep freed blocks (both thresholds raised).
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness

CASES = {
    "LeNet, batch 1": ("lenet", 1, 100),
    "LeNet, batch 16": ("lenet", 16, 100),
    "LeNet, batch 128": ("lenet", 128, 40),
    "MNIST CNN, batch 300": ("cnn", 300, 20),
    "CIFAR net, batch 128": ("cifar", 128, 8),
}
WIDTHS = (
    (3, 32),
    (32, 32),
    (32, 64),
    (64, 64),
    (64, 128),
    (128, 128),
)  # the CIFAR net's, pooled after each pair


def cifar_net(layers: Any) -> list[Any]:
    """Return the layers of the CIFAR net, from minitorch or torch.nn."""
    stages: list[Any] = []
    for k, (ins, outs) in enumerate(WIDTHS):
        stages += [layers.Conv2d(ins, outs, 3, padding=1), layers.BatchNorm2d(outs), layers.ReLU()]
        stages += [layers.MaxPool2d(2)] * (k % 2)
    return [*stages, layers.Flatten(), layers.Linear(2048, 10)]


def image_shape(name: str, batch: int) -> tuple[int, ...]:
    """Return the shape of a batch."""
    return (batch, 3, 32, 32) if name == "cifar" else (batch, 1, 28, 28)


def ours(name: str, batch: int, replay: bool = False) -> Callable[[], Any]:
    """Return a step of minitorch; with ``replay``, one that is recorded and replayed."""
    import random

    import minitorch as mt
    from minitorch.models import CNN, LeNet

    random.seed(0)
    mt.set_default_dtype("float32")
    nets: dict[str, Callable[[], Any]] = {
        "lenet": LeNet,
        "cnn": CNN,
        "cifar": lambda: mt.Sequential(*cifar_net(mt)),
    }
    model = nets[name]()
    optimizer = mt.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = mt.randn(image_shape(name, batch)), [k % 10 for k in range(batch)]

    def step(images: Any, labels: Any) -> None:
        optimizer.zero_grad()
        mt.cross_entropy(model(images), labels).backward()
        optimizer.step()

    taken = mt.GraphedStep(step, images, labels, optimizer=optimizer) if replay else step
    return lambda: taken(images, labels)


def theirs(name: str, batch: int, compiled: bool = False) -> Callable[[], None]:
    """Return a step of PyTorch, its net compiled if asked for."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(2)
    nets: dict[str, Callable[[], Any]] = {
        "lenet": lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 8, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(4),
            nn.Flatten(),
            nn.Linear(392, 64),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(64, 10),
        ),
        "cnn": lambda: nn.Sequential(
            nn.Conv2d(1, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 10),
        ),
        "cifar": lambda: nn.Sequential(*cifar_net(nn)),
    }
    model = nets[name]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.randn(image_shape(name, batch)), torch.arange(batch) % 10
    net = torch.compile(model) if compiled else model

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return step


SIDES: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "minitorch": (ours, {}),
    "minitorch, replayed": (functools.partial(ours, replay=True), {}),
    "PyTorch": (theirs, {}),
    "PyTorch, allocator tuned": (theirs, harness.STEADY),
}


def child(side: str, case: str) -> None:
    """Print milliseconds a step, and the peak of the resident memory in MiB."""
    name, batch, repeat = CASES[case]
    found = harness.median_ms(SIDES[side][0](name, batch), repeat, warm=5)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([found, peak]))


def main() -> None:
    """Write results/training_step.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds in place of five")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    rows = []
    for case in CASES:
        seen: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
        for _ in range(2 if options.quick else 5):
            for side, found in seen.items():
                variables = {"NUMBA_NUM_THREADS": "2", **SIDES[side][1]}
                found.append(
                    json.loads(harness.python(str(Path(__file__)), "--child", side, case, **variables))
                )
        ms = {side: statistics.median(t for t, _ in found) for side, found in seen.items()}
        peak = {side: statistics.median(p for _, p in found) for side, found in seen.items()}
        ratios = [a[0] / b[0] for a, b in zip(seen["minitorch"], seen["PyTorch"])]
        rows.append(
            {
                "step": case,
                **{f"{side} ms": t for side, t in ms.items()},
                "ratio": ms["minitorch"] / ms["PyTorch"],
                "ratio, replayed": ms["minitorch, replayed"] / ms["PyTorch"],
                "ratios seen": f"{min(ratios):.2f} to {max(ratios):.2f}",
                "ratio, tuned": ms["minitorch"] / ms["PyTorch, allocator tuned"],
                "minitorch MiB": round(peak["minitorch"]),
                "PyTorch MiB": round(peak["PyTorch"]),
            }
        )
    harness.write("training_step", rows)


if __name__ == "__main__":
    main()
