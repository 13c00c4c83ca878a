"""Trains a convolutional network on CIFAR-10, and prints its test accuracy.

    minitorch cifar10                                  # four convolutions, 10 epochs
    minitorch cifar10 --out runs/cifar                 # writes log, weights, results and figures
    minitorch cifar10 --augment none --out runs/plain  # then: minitorch compare runs/*
    minitorch cifar10 --model resnet --optimizer sgd --lr 0.2 --schedule onecycle
    minitorch cifar10 --resume runs/cifar

The last 5,000 training images are for validation; they and the test images are never augmented. The weights with the
best validation accuracy are tested. In the course this is project/run_cifar10.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..dashboard import callback
from ..dashboard.run_log import Logger
from ..data.image_sets import cifar10
from ..models import CIFAR_MODELS
from ..module import Module
from ..nn.losses import cross_entropy
from ..optim.algorithms import SGD, Adam
from ..optim.optimizer import Optimizer
from ..train import plots
from ..train.callbacks import FIXED_LENGTH, SCHEDULES, schedule_for
from ..train.trainer import Recipe, split_images
from ..vision.transforms import ColorJitter, Compose, Cutout, RandomCrop, RandomHorizontalFlip, RandomRotation
from . import image_trainer
from .common import Parser, UsageError, fraction, natural, nonnegative

DEFAULTS = {
    "model": "convnet",
    "optimizer": "adam",
    "epochs": 10,
    "batch_size": 128,
    "seed": 0,
    "augment": "flip,crop",
    "cutout": 0,
    "schedule": "none",
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
}
HELD_OUT = 5000
AUGMENTS: dict[str, Callable[[Any], Any]] = {
    "flip": RandomHorizontalFlip(),
    "crop": RandomCrop(32, padding=4),
    "rotate": RandomRotation(15),
    "jitter": ColorJitter(0.2, 0.2, 0.2, 0.05),
}


def augments(text: str) -> str:
    """Read ``none`` or a comma list, and return it in a fixed order."""
    names = [] if text == "none" else text.split(",")
    unknown = [name for name in names if name not in AUGMENTS]
    if unknown or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be none or a comma list of {','.join(AUGMENTS)}, not {text!r}"
        )
    return ",".join(name for name in AUGMENTS if name in names) or "none"


def recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe that the flags of this command ask for."""
    names = [] if args.augment == "none" else args.augment.split(",")

    def optimizer(model: Module, name: str, lr: float) -> Optimizer:
        parameters, decay = model.parameters(), args.weight_decay
        if name == "sgd":
            return SGD(parameters, lr, momentum=0.9, weight_decay=decay, nesterov=True)
        return Adam(parameters, lr, weight_decay=decay)

    return Recipe(
        optimizer=optimizer,
        schedule=lambda optimizer, steps: schedule_for(args.schedule, optimizer, args.epochs * steps),
        loss=partial(cross_entropy, label_smoothing=args.label_smoothing),
        augment=Compose([AUGMENTS[name] for name in names]) if names else None,
        erase=Cutout(args.cutout) if args.cutout else None,
        workers=2,
        rates=True,
    )


def filters(model: Module) -> npt.NDArray[Any]:
    """Return the weights of the first convolution, (O, C, H, W)."""
    weight: npt.NDArray[Any] = next(p.value for p in model.parameters() if len(p.shape) == 4).to_numpy()
    return weight


def plot_filters(folder: Path, model: Module) -> None:
    """Draw the filters of the first convolution."""
    plots.plot_filters(folder, filters(model))


def show_filters(logger: Logger, model: Module, time_text: str) -> None:
    """Show them during training."""
    callback.show_filters(logger, filters(model), time_text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    image_trainer.add_flags(parser, list(CIFAR_MODELS), DEFAULTS)
    add = parser.add_argument
    add(
        "--augment",
        metavar="LIST",
        type=augments,
        help=f"none or of {','.join(AUGMENTS)}; default: flip,crop",
    )
    add("--cutout", metavar="N", type=natural, help="blank a square of N pixels; default: 0, none")
    add("--schedule", choices=SCHEDULES, help="of the learning rate, --lr being the highest; default: none")
    add("--label-smoothing", metavar="X", type=fraction, help="spread over all classes; default: 0.0")
    add("--weight-decay", metavar="X", type=nonnegative, help="L2 penalty; default: 0.0")
    args = parser.parse_args(arguments)
    args.dataset = "cifar10"
    image_trainer.settle(parser, args, DEFAULTS)
    planned = args.saved.get("epochs", args.epochs)
    if args.schedule in FIXED_LENGTH and args.epochs != planned:
        raise UsageError(
            f"--schedule {args.schedule} of the run in {args.resume} is laid out for {planned} epochs: "
            f"it cannot go on with --epochs {args.epochs}"
        )
    images = split_images(*cifar10(args.data_dir), HELD_OUT, args.limit)
    build = CIFAR_MODELS[args.model]
    image_trainer.train(
        args, images, build, recipe=recipe(args), plot_model=plot_filters, show_model=show_filters
    )
