"""One training step against PyTorch: each side in a process of its own, alternating, same batch, same threads."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import harness

sys.path.insert(0, str(harness.ROOT / "project"))
CASES = {"lenet 16": ("lenet", 16), "lenet 128": ("lenet", 128), "cnn 300": ("cnn", 300)}


def ours(name: str, batch: int, repeat: int) -> float:
    """Return milliseconds for a step of minitorch."""
    import random

    import minitorch as mt
    from models.cnn import CNN
    from models.lenet import LeNet

    random.seed(0)
    mt.set_default_dtype("float32")
    model = {"lenet": LeNet, "cnn": CNN}[name]()
    optimizer = mt.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = mt.randn((batch, 1, 28, 28)), [k % 10 for k in range(batch)]

    def step() -> None:
        optimizer.zero_grad()
        mt.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return harness.median_ms(step, repeat, warm=5)


def theirs(name: str, batch: int, repeat: int) -> float:
    """Return milliseconds for a step of PyTorch."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(2)
    nets: dict[str, Any] = {
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
    }
    model = nets[name]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.randn(batch, 1, 28, 28), torch.arange(batch) % 10

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return harness.median_ms(step, repeat, warm=5)


def main() -> None:
    """Write results/training_step.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds in place of five")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side, case, repeat = options.child
        print(json.dumps({"ours": ours, "theirs": theirs}[side](*CASES[case], int(repeat))))
        return
    rows = []
    for case in CASES:
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(2 if options.quick else 5):
            for side, found in times.items():
                out = harness.python(str(Path(__file__)), "--child", side, case, "30", NUMBA_NUM_THREADS="2")
                found.append(json.loads(out))
        a, b = (statistics.median(times[side]) for side in ("ours", "theirs"))
        rows.append({"step": case, "minitorch ms": a, "PyTorch ms": b, "ratio": a / b})
    harness.write("training_step", rows)


if __name__ == "__main__":
    main()
