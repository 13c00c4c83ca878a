"""Trains a convolutional network on CIFAR-10, and prints its test accuracy.

    python project/run_cifar10.py                                  # four convolutions, 10 epochs
    python project/run_cifar10.py --out runs/cifar                 # keeps log, weights, results and pictures
    python project/run_cifar10.py --augment none --out runs/plain  # then: python project/compare.py runs/*
    python project/run_cifar10.py --model resnet --optimizer sgd --lr 0.2 --schedule onecycle
    python project/run_cifar10.py --resume runs/cifar

The last 5,000 training images are for validation; they and the test images are never augmented. The test is of the
weights that did best on them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

import minitorch
import panels
import trainer
import watch
from board import Logger
from cli import Parser, Refusal, amount, guarded, natural, share
from minitorch import data
from minitorch.vision import ColorJitter, Compose, Cutout, RandomCrop, RandomHorizontalFlip, RandomRotation
from models import CIFAR_MODELS
from schedule import FIXED, SCHEDULES, schedule_for

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
    """Read ``none`` or a comma list, and put it in order."""
    names = [] if text == "none" else text.split(",")
    unknown = [name for name in names if name not in AUGMENTS]
    if unknown or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be none or a comma list of {','.join(AUGMENTS)}, not {text!r}"
        )
    return ",".join(name for name in AUGMENTS if name in names) or "none"


def recipe(args: argparse.Namespace) -> trainer.Recipe:
    """Return what the flags of this script ask for."""
    names = [] if args.augment == "none" else args.augment.split(",")

    def optimizer(model: minitorch.Module, name: str, lr: float) -> minitorch.Optimizer:
        parameters, decay = model.parameters(), args.weight_decay
        if name == "sgd":
            return minitorch.SGD(parameters, lr, momentum=0.9, weight_decay=decay, nesterov=True)
        return minitorch.Adam(parameters, lr, weight_decay=decay)

    return trainer.Recipe(
        optimizer=optimizer,
        schedule=lambda optimizer, steps: schedule_for(args.schedule, optimizer, args.epochs * steps),
        loss=partial(minitorch.cross_entropy, label_smoothing=args.label_smoothing),
        augment=Compose([AUGMENTS[name] for name in names]) if names else None,
        erase=Cutout(args.cutout) if args.cutout else None,
        workers=2,
        rates=True,
    )


def filters(model: minitorch.Module) -> npt.NDArray[Any]:
    """Return the filters of the first convolution, (O, C, H, W)."""
    return next(p.value for p in model.parameters() if len(p.shape) == 4).to_numpy()


def draw_filters(folder: Path, model: minitorch.Module) -> None:
    """Draw the filters of the first convolution."""
    panels.draw_filters(folder, filters(model))


def show_filters(logger: Logger, model: minitorch.Module, moment: str) -> None:
    """Show them while the model trains."""
    watch.show_filters(logger, filters(model), moment)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    parser = Parser(__doc__)
    trainer.add_flags(parser, list(CIFAR_MODELS), DEFAULTS)
    add = parser.add_argument
    add(
        "--augment",
        metavar="LIST",
        type=augments,
        help=f"none or of {','.join(AUGMENTS)}; default: flip,crop",
    )
    add("--cutout", metavar="N", type=natural, help="blank a square of N pixels; default: 0, none")
    add("--schedule", choices=SCHEDULES, help="of the learning rate, --lr being the highest; default: none")
    add("--label-smoothing", metavar="X", type=share, help="spread over all classes; default: 0.0")
    add("--weight-decay", metavar="X", type=amount, help="L2 penalty; default: 0.0")
    args = parser.parse_args(arguments)
    args.dataset = "cifar10"
    trainer.settle(args, DEFAULTS)
    planned = args.saved.get("epochs", args.epochs)
    if args.schedule in FIXED and args.epochs != planned:
        raise Refusal(
            f"--schedule {args.schedule} of the run in {args.resume} is laid out for {planned} epochs: "
            f"it cannot go on with --epochs {args.epochs}"
        )
    images = trainer.hold_out(*data.cifar10(args.data_dir), HELD_OUT, args.limit)
    special = {"recipe": recipe(args), "draw": draw_filters, "show": show_filters}
    trainer.train(args, images, CIFAR_MODELS[args.model], **special)


if __name__ == "__main__":
    sys.exit(guarded(main))
