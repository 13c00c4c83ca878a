"""Checks that a network can learn before hours are spent on it, as CS231n advises.

    python project/sanity.py                # about a minute: plain loops are slow, which is what the last check shows
    python project/sanity.py --model resnet

First, the loss of an untrained network is that of guessing, and a penalty on the weights raises it. Second, it can
learn 100 images by heart. Third, the convolution of 100 images of 3x31x31 with 25 filters of 3x3 is the same in
plain loops and compiled, and how long each takes. Exit status 1: a check failed.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import minitorch as mt
from cli import Parser, guarded, natural, notice
from minitorch import data
from minitorch.data import DataError, DataLoader, Dataset
from minitorch.vision import Normalize
from models import CIFAR_MODELS

Check = tuple[bool, str]
Shape = tuple[int, int, int, int]
Array = npt.NDArray[Any]


def first_loss(model: mt.Module, images: Dataset, penalty: float = 0.5) -> Check:
    """Compare the loss of an untrained model with ln C, and with the loss plus an L2 penalty."""
    loader = DataLoader(images, len(images), transform=Normalize(*images.mean_std()))
    loss = mt.evaluate(model, loader).loss
    squares = sum(float((p.value.to_numpy() ** 2).sum()) for p in model.parameters())
    wanted, penalized = math.log(len(images.classes)), loss + 0.5 * penalty * squares
    good = abs(loss - wanted) <= 0.05 and penalized > loss
    return (
        good,
        f"first loss {loss:.4f}, ln {len(images.classes)} is {wanted:.4f}; with a penalty {penalized:.4f}",
    )


def overfit(model: mt.Module, images: Dataset, epochs: int = 20, lr: float = 1e-3) -> Check:
    """Train on a few images until 95 in 100 are known by heart."""
    normalize = Normalize(*images.mean_std())
    batches = DataLoader(images, 10, shuffle=True, transform=normalize, seed=0)
    accuracy, epoch = 0.0, 0
    for step in mt.fit(model, batches, mt.Adam(model.parameters(), lr), epochs=epochs):
        if step.last:
            known = mt.evaluate(model, DataLoader(images, 100, transform=normalize)).accuracy
            accuracy, epoch = known or 0.0, step.epoch
            if accuracy >= 0.95:
                break
    return accuracy >= 0.95, f"{accuracy:.2f} of {len(images)} images known by heart after {epoch} epochs"


def convolve(room: str, images: Shape, filters: Shape) -> tuple[list[Array], list[float]]:
    """Convolve random images with stride 2 and padding 1; return the result, both derivatives, and both times."""
    mt.manual_seed(0)
    x, w = (mt.randn(shape, room, requires_grad=True, dtype="float64") for shape in (images, filters))
    times = [time.perf_counter()]
    out = mt.conv2d(x, w, stride=2, padding=1)
    arrays = [out.to_numpy()]
    times.append(time.perf_counter())
    out.sum().backward()
    arrays += [x.grad.to_numpy(), w.grad.to_numpy()]
    times.append(time.perf_counter())
    return arrays, np.diff(times).tolist()


def naive_and_fast(images: Shape = (100, 3, 31, 31), filters: Shape = (25, 3, 3, 3)) -> Check:
    """Compare and time one convolution with its derivatives, in plain loops and compiled."""
    convolve("fast", images, filters)  # compiles
    results, fast = min((convolve("fast", images, filters) for _ in range(5)), key=lambda run: sum(run[1]))
    wanted, plain = convolve("simple", images, filters)
    apart = max(float(abs(a - b).max() / max(abs(b).max(), 1.0)) for a, b in zip(results, wanted))
    told = [
        f"{name} {slow:.3f} s against {quick * 1e3:.2f} ms, {slow / quick:,.0f} times faster"
        for name, slow, quick in zip(("forward", "backward"), plain, fast)
    ]
    return apart <= 1e-9, f"convolution, {'; '.join(told)}; {apart:.0e} apart"


def some_images(data_dir: Path | None, count: int = 100) -> Dataset:
    """Return the first images of CIFAR-10, or random ones where it is not at hand."""
    try:
        train, _ = data.cifar10(data_dir, download=False)
    except DataError:
        notice("CIFAR-10 is not at hand: checking with random images instead")
        draw = np.random.default_rng(0)
        pixels = draw.integers(0, 256, (count, 3, 32, 32), np.uint8)
        return Dataset(pixels, draw.integers(0, 10, count), data.CIFAR10_CLASSES, "random images")
    return train.subset(range(count))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the checks, a line each; leave with status 1 if one fails."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--model", choices=list(CIFAR_MODELS), default="threelayer", help="default: threelayer"
    )
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="first place to look for CIFAR-10")
    parser.add_argument("--seed", metavar="N", type=natural, default=0, help="default: 0")
    args = parser.parse_args(arguments)
    mt.set_default_dtype("float32")
    mt.manual_seed(args.seed)
    images, model = some_images(args.data_dir), CIFAR_MODELS[args.model]()
    checks: list[Callable[[], Check]] = [
        lambda: first_loss(model, images),
        lambda: overfit(model, images),
        naive_and_fast,
    ]
    fine = True
    for check in checks:
        good, told = check()
        fine = fine and good
        print(f"{'ok' if good else 'FAILED':6}  {told}", flush=True)
    if not fine:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(guarded(main))
