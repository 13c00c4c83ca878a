"""One training step written in PyTorch's style, run by `minitorch.torch`, beside the same step written for the core.

The networks are Modules whose ``forward`` calls ``F.relu(self.conv(x))``. PyTorch runs the same code. Each side has a
process of its own; they alternate.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import training_step

CASES = ("LeNet, batch 128", "MNIST CNN, batch 300", "CIFAR net, batch 128")
SIDES = ("core", "minitorch.torch", "torch")


def networks(nn: Any, F: Any) -> dict[str, Callable[[], Any]]:
    """Return the networks of `training_step`, as classes in PyTorch's style."""

    class LeNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
            self.fc1, self.fc2, self.drop = nn.Linear(392, 64), nn.Linear(64, 10), nn.Dropout(0.25)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.conv2(F.relu(self.conv1(x))))
            x = F.avg_pool2d(x, 4).flatten(1)
            return self.fc2(self.drop(F.relu(self.fc1(x))))

    class CNN(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2, self.conv3 = (
                nn.Conv2d(1, 16, 5),
                nn.Conv2d(16, 16, 3),
                nn.Conv2d(16, 32, 2),
            )
            self.fc = nn.Linear(512, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            return self.fc(F.relu(self.conv3(x)).view(x.size(0), -1))

    class CifarNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(*pair, 3, padding=1) for pair in training_step.WIDTHS)
            self.norms = nn.ModuleList(nn.BatchNorm2d(outs) for _, outs in training_step.WIDTHS)
            self.fc = nn.Linear(2048, 10)

        def forward(self, x: Any) -> Any:
            for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
                x = F.relu(norm(conv(x)))
                x = F.max_pool2d(x, 2) if k % 2 else x
            return self.fc(x.flatten(1))

    return {"lenet": LeNet, "cnn": CNN, "cifar": CifarNet}


def step_of(package: str, name: str, batch: int) -> Callable[[], None]:
    """Return a step of PyTorch, or of what stands in for it."""
    torch = importlib.import_module(package)
    nn, functional = (importlib.import_module(f"{package}.nn{part}") for part in ("", ".functional"))
    optim = importlib.import_module(f"{package}.optim")
    torch.manual_seed(0)
    torch.set_num_threads(2)
    model = networks(nn, functional)[name]()
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(*training_step.image_shape(name, batch))
    labels = torch.arange(batch) % 10

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


def child(side: str, case: str) -> None:
    """Print milliseconds a step."""
    name, batch, repeat = training_step.CASES[case]
    if side == "core":
        step = training_step.ours(name, batch)
    else:
        step = step_of("minitorch.torch" if side == "minitorch.torch" else "torch", name, batch)
    print(json.dumps(harness.median_ms(step, repeat, warm=5)))


def main() -> None:
    """Write results/torch_module.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds in place of nine")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    rows = []
    for case in CASES:
        seen: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(2 if options.quick else 9):
            for side, found in seen.items():
                printed = harness.python(str(Path(__file__)), "--child", side, case, NUMBA_NUM_THREADS="2")
                found.append(json.loads(printed))
        ms = {side: statistics.median(found) for side, found in seen.items()}
        ratios = [a / b for a, b in zip(seen["minitorch.torch"], seen["core"])]
        rows.append(
            {
                "step": case,
                "core ms": ms["core"],
                "minitorch.torch ms": ms["minitorch.torch"],
                "PyTorch ms": ms["torch"],
                "ratio to the core": ms["minitorch.torch"] / ms["core"],
                "ratios seen": f"{min(ratios):.2f} to {max(ratios):.2f}",
                "ratio to PyTorch": ms["minitorch.torch"] / ms["torch"],
            }
        )
    harness.write("torch_module", rows)


if __name__ == "__main__":
    main()
