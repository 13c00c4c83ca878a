"""Checks that a network can learn before hours are spent on it, as the CS231n notes advise.

    minitorch sanity                # about a minute: the plain loops of the last check are slow
    minitorch sanity --model resnet

First: the loss of an untrained network is that of guessing, and a penalty on the weights raises it. Second: the
network can overfit 100 images. Third: the convolution of 100 images of 3x31x31 with 25 filters of 3x3 is the same in
plain loops and compiled; the time of each is printed. Exit status 1: a check failed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..data.download import DataError
from ..data.image_sets import CIFAR10_CLASSES, cifar10
from ..data.loader import DataLoader
from ..models import CIFAR_MODELS
from ..module import Module
from ..nn.functional import conv2d
from ..optim.algorithms import Adam
from ..runtime.rng import manual_seed
from ..tensor import randn
from ..tensor_data import set_default_dtype
from ..train.loop import evaluate, fit
from ..train.trainer import normalizer
from .common import Parser, natural, notice

Check = tuple[bool, str]
Shape = tuple[int, int, int, int]
Array = npt.NDArray[Any]


def first_loss(model: Module, images: Dataset, penalty: float = 0.5) -> Check:
    """Compare the loss of an untrained model with ln C, and with the loss plus an L2 penalty."""
    loader = DataLoader(images, len(images), transform=normalizer(images))
    loss = evaluate(model, loader).loss
    squares = sum(float((p.value.to_numpy() ** 2).sum()) for p in model.parameters())
    wanted, penalized = math.log(len(images.classes)), loss + 0.5 * penalty * squares
    good = abs(loss - wanted) <= 0.05 and penalized > loss
    return (
        good,
        f"first loss {loss:.4f}, ln {len(images.classes)} is {wanted:.4f}; with a penalty {penalized:.4f}",
    )


def overfit(model: Module, images: Dataset, epochs: int = 20, lr: float = 1e-3) -> Check:
    """Train on a few images until 95 % of them are classified correctly."""
    normalize = normalizer(images)
    batches = DataLoader(images, 10, shuffle=True, transform=normalize, seed=0)
    accuracy, epoch = 0.0, 0
    for step in fit(model, batches, Adam(model.parameters(), lr), epochs=epochs):
        if step.last:
            checked = evaluate(model, DataLoader(images, 100, transform=normalize)).accuracy
            accuracy, epoch = checked or 0.0, step.epoch
            if accuracy >= 0.95:
                break
    return accuracy >= 0.95, f"{accuracy:.2f} of {len(images)} images learned by heart after {epoch} epochs"


def convolve(backend: str, images: Shape, filters: Shape) -> tuple[list[Array], list[float]]:
    """Convolve random images with stride 2 and padding 1.

    Returns:
        The result, the gradients of images and filters; the seconds of forward and backward.
    """
    manual_seed(0)
    x, w = (randn(shape, backend, requires_grad=True, dtype="float64") for shape in (images, filters))
    times = [time.perf_counter()]
    out = conv2d(x, w, stride=2, padding=1)
    arrays = [out.to_numpy()]
    times.append(time.perf_counter())
    out.sum().backward()
    arrays += [leaf.grad.to_numpy() for leaf in (x, w) if leaf.grad is not None]
    times.append(time.perf_counter())
    return arrays, np.diff(times).tolist()


def naive_and_fast(images: Shape = (100, 3, 31, 31), filters: Shape = (25, 3, 3, 3)) -> Check:
    """Compare and time one convolution with its gradients, in plain loops and compiled."""
    convolve("fast", images, filters)  # compiles the kernels
    results, fast = min((convolve("fast", images, filters) for _ in range(5)), key=lambda run: sum(run[1]))
    wanted, plain = convolve("simple", images, filters)
    apart = max(float(abs(a - b).max() / max(abs(b).max(), 1.0)) for a, b in zip(results, wanted))
    times = [
        f"{name} {slow:.3f} s against {quick * 1e3:.2f} ms, {slow / quick:,.0f} times faster"
        for name, slow, quick in zip(("forward", "backward"), plain, fast)
    ]
    return apart <= 1e-9, f"convolution, {'; '.join(times)}; {apart:.0e} apart"


def some_images(data_dir: Path | None, count: int = 100) -> Dataset:
    """Return the first images of CIFAR-10, or random ones if it is not on this machine."""
    try:
        train, _ = cifar10(data_dir, download=False)
    except DataError:
        notice("CIFAR-10 is not on this machine: checking with random images instead")
        draw = np.random.default_rng(0)
        pixels = draw.integers(0, 256, (count, 3, 32, 32), np.uint8)
        return Dataset(pixels, draw.integers(0, 10, count), CIFAR10_CLASSES, "random images")
    return train.subset(range(count))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and print a line for each; return 1 if one fails."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--model", choices=list(CIFAR_MODELS), default="threelayer", help="default: threelayer"
    )
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="first place to look for CIFAR-10")
    parser.add_argument("--seed", metavar="N", type=natural, default=0, help="default: 0")
    args = parser.parse_args(arguments)
    set_default_dtype("float32")
    manual_seed(args.seed)
    images, model = some_images(args.data_dir), CIFAR_MODELS[args.model]()
    checks: list[Callable[[], Check]] = [
        lambda: first_loss(model, images),
        lambda: overfit(model, images),
        naive_and_fast,
    ]
    status = 0
    for check in checks:
        good, line = check()
        status = status if good else 1
        print(f"{'ok' if good else 'FAILED':6}  {line}", flush=True)
    return status
