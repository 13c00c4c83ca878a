"""Networks for photographs against PyTorch's: scores of a batch in evaluation, and a training step of a ResNet-18.

PyTorch's networks are torchvision's; EfficientNet-Lite0 is that of the package ``efficientnet-lite-pytorch``. Each side
runs in a process of its own, the sides alternating; random weights, float32, two threads. PyTorch runs as installed,
eagerly. minitorch evaluates with its fused layers, as `minitorch classify` does.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import harness

# network, size of the images, batch, whether it trains, repetitions
CASES = {
    "ResNet-18, training step, batch 8": ("resnet18", 224, 8, True, 5),
    "ResNet-18, batch 8": ("resnet18", 224, 8, False, 10),
    "Inception v3, batch 1": ("inception_v3", 299, 1, False, 10),
    "Inception v3, batch 8": ("inception_v3", 299, 8, False, 5),
    "MobileNetV2, batch 1": ("mobilenet_v2", 224, 1, False, 20),
    "MobileNetV2, batch 8": ("mobilenet_v2", 224, 8, False, 10),
    "EfficientNet-Lite0, batch 1": ("efficientnet_lite0", 224, 1, False, 20),
    "EfficientNet-Lite0, batch 8": ("efficientnet_lite0", 224, 8, False, 10),
}


def pixels(size: int, batch: int) -> Any:
    """Return the same random images on both sides."""
    return np.random.default_rng(0).standard_normal((batch, 3, size, size)).astype(np.float32)


def ours(name: str, size: int, batch: int, trains: bool) -> Callable[[], Any]:
    """Return what minitorch does."""
    import minitorch as mt
    from minitorch import models

    mt.set_default_dtype("float32")
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

    if trains:
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


def theirs(name: str, size: int, batch: int, trains: bool) -> Callable[[], Any]:
    """Return what PyTorch does."""
    import torch

    torch.set_num_threads(2)
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

    if trains:
        return step
    model.eval()
    return scores


SIDES = {"minitorch": ours, "PyTorch": theirs}


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
    for case in cases:
        seen: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
        for _ in range(1 if options.quick else 3):
            for side, found in seen.items():
                child = (str(Path(__file__)), "--child", side, case)
                found.append(json.loads(harness.python(*child, NUMBA_NUM_THREADS="2", PYTHONPATH=".")))
        ms = {side: statistics.median(t for t, _ in found) for side, found in seen.items()}
        peak = {side: statistics.median(p for _, p in found) for side, found in seen.items()}
        ratios = [a[0] / b[0] for a, b in zip(seen["minitorch"], seen["PyTorch"])]
        rows.append(
            {
                "what": case,
                **{f"{side} ms": t for side, t in ms.items()},
                "ratio": ms["minitorch"] / ms["PyTorch"],
                "ratios seen": f"{min(ratios):.2f} to {max(ratios):.2f}",
                **{f"{side} MiB": round(m) for side, m in peak.items()},
            }
        )
    if options.only:
        print(harness.table(rows))
    else:
        harness.write("photographs", rows)


if __name__ == "__main__":
    main()
