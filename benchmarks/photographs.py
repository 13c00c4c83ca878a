"""Networks for photographs against PyTorch's: scores in evaluation, a training step, and weights read from a file.

PyTorch's networks are torchvision's; EfficientNet-Lite0 is that of the package ``efficientnet-lite-pytorch``. Each side
runs in a process of its own, the sides alternating; random weights, float32, two threads. PyTorch runs as installed,
eagerly. minitorch evaluates with its fused layers, as `minitorch classify` does. Weights are those of Inception v3 in
a file that ``torch.save`` wrote, 104 MiB: read only, or read into a new network.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import harness

# network, what it does, size of the images, batch, repetitions
CASES = {
    "ResNet-18, training step, batch 8": ("resnet18", "step", 224, 8, 5),
    "ResNet-18, batch 8": ("resnet18", "scores", 224, 8, 10),
    "Inception v3, batch 1": ("inception_v3", "scores", 299, 1, 10),
    "Inception v3, batch 8": ("inception_v3", "scores", 299, 8, 5),
    "MobileNetV2, batch 1": ("mobilenet_v2", "scores", 224, 1, 20),
    "MobileNetV2, batch 8": ("mobilenet_v2", "scores", 224, 8, 10),
    "EfficientNet-Lite0, batch 1": ("efficientnet_lite0", "scores", 224, 1, 20),
    "EfficientNet-Lite0, batch 8": ("efficientnet_lite0", "scores", 224, 8, 10),
    "Inception v3, weights read": ("inception_v3", "read", 1, 1, 10),
    "Inception v3, made with weights": ("inception_v3", "build", 1, 1, 5),
}
FILE = "PHOTOGRAPHS_WEIGHTS"  # the variable with the path of the weights
SAVE = """
import sys, torch, photographs
torch.save(photographs.their_network(sys.argv[1]).state_dict(), sys.argv[2])
"""


def pixels(size: int, batch: int) -> Any:
    """Return the same random images on both sides."""
    return np.random.default_rng(0).standard_normal((batch, 3, size, size)).astype(np.float32)


def ours(name: str, what: str, size: int, batch: int) -> Callable[[], Any]:
    """Return what minitorch does."""
    import minitorch as mt
    from minitorch import models

    mt.set_default_dtype("float32")
    path = os.environ[FILE]
    if what == "read":
        return lambda: mt.load(path)
    if what == "build":
        return lambda: getattr(models, name)(weights=path)
    model = getattr(models, name)()
    images, labels = mt.tensor(pixels(size, batch)), [k % 1000 for k in range(batch)]
    optimizer = mt.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        mt.cross_entropy(model(images), labels).backward()
        optimizer.step()

    def scores() -> Any:
        with mt.no_grad():
            return model(images)

    if what == "step":
        return step
    model.eval()
    return scores


def their_network(name: str) -> Any:
    """Return PyTorch's network of that name, with random weights."""
    from tests.support.required import required, torchvision

    if name == "efficientnet_lite0":
        return required("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    settings = {"init_weights": False} if name == "inception_v3" else {}
    return getattr(torchvision().models, name)(**settings)


def theirs(name: str, what: str, size: int, batch: int) -> Callable[[], Any]:
    """Return what PyTorch does."""
    import torch

    torch.set_num_threads(2)
    path = os.environ[FILE]

    def build() -> Any:
        model = their_network(name)
        model.load_state_dict(torch.load(path, weights_only=True))
        return model

    if what == "read":
        return lambda: torch.load(path, weights_only=True)
    if what == "build":
        return build
    model = their_network(name)
    images, labels = torch.from_numpy(pixels(size, batch)), torch.arange(batch) % 1000
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    def scores() -> Any:
        with torch.no_grad():
            return model(images)

    if what == "step":
        return step
    model.eval()
    return scores


SIDES = {"minitorch": ours, "PyTorch": theirs}


def row(case: str, rounds: int, variables: dict[str, str]) -> dict[str, Any]:
    """Return the row of a case: both sides in turn, each in a process with these variables of the environment."""
    seen: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side, found in seen.items():
            child = (str(Path(__file__)), "--child", side, case)
            found.append(json.loads(harness.python(*child, **variables)))
    ms = {side: statistics.median(t for t, _ in found) for side, found in seen.items()}
    peak = {side: statistics.median(p for _, p in found) for side, found in seen.items()}
    ratios = [a[0] / b[0] for a, b in zip(seen["minitorch"], seen["PyTorch"])]
    return {
        "what": case,
        **{f"{side} ms": t for side, t in ms.items()},
        "ratio": ms["minitorch"] / ms["PyTorch"],
        "ratios seen": f"{min(ratios):.2f} to {max(ratios):.2f}",
        **{f"{side} MiB": round(m) for side, m in peak.items()},
    }


def main() -> None:
    """Write results/photographs.json; of some cases only, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round in place of three")
    parser.add_argument(
        "--only", metavar="PART", default="", help="cases whose name has this part; no file is written"
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side, case = options.child
        *what, repeat = CASES[case]
        found = harness.median_ms(SIDES[side](*what), repeat)
        print(json.dumps([found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    cases = [case for case in CASES if options.only in case]
    if not cases:
        parser.error(f"--only: expected a part of {', '.join(map(repr, CASES))}, got {options.only!r}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        variables = {"NUMBA_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join((".", "benchmarks"))}
        variables[FILE] = os.path.join(folder, "weights.pth")
        if any(CASES[case][1] in ("read", "build") for case in cases):
            harness.python("-c", SAVE, "inception_v3", variables[FILE], **variables)
        for case in cases:
            rows.append(row(case, 1 if options.quick else 3, variables))
    if options.only:
        print(harness.table(rows))
    else:
        harness.write("photographs", rows)


if __name__ == "__main__":
    main()
