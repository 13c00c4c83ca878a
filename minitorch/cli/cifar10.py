"""Trains a convolutional network on CIFAR-10, and prints its test accuracy.

    minitorch cifar10                                  # four convolutions, 10 epochs
    minitorch cifar10 --out runs/cifar                 # writes log, weights, results and figures
    minitorch cifar10 --augment none --out runs/plain  # then: minitorch compare runs/*
    minitorch cifar10 --model resnet --optimizer sgd --lr 0.2 --schedule onecycle
    minitorch cifar10 --augment flip,crop:4,jitter:0.2,cutout:8
    minitorch cifar10 --split 50000/6500/3500          # 6,500 of the test images for validation
    minitorch cifar10 --resume runs/cifar

Validation images are the last 5,000 training images, or what --split says; they and the test images are never augmented
nor shuffled. The weights with the best validation accuracy are tested. In the course this is project/run_cifar10.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..dashboard import callback
from ..dashboard.run_log import Logger
from ..data.dataset import random_split
from ..data.image_sets import cifar10
from ..models import CIFAR_MODELS
from ..module import Module
from ..nn.losses import cross_entropy
from ..optim.algorithms import SGD, Adam
from ..optim.optimizer import Optimizer
from ..train import plots
from ..train.callbacks import FIXED_LENGTH, SCHEDULES, schedule_for
from ..train.trainer import ImageSplits, Recipe, split_images
from ..vision.transforms import Compose, Cutout
from . import image_trainer
from .augmentations import Augmentations, augments, usage
from .common import Parser, UsageError, count, fraction, natural, nonnegative

DEFAULTS = {
    "model": "convnet",
    "optimizer": "adam",
    "epochs": 10,
    "batch_size": 128,
    "seed": 0,
    "augment": "flip,crop",
    "split": "last",
    "cutout": 0,
    "schedule": "none",
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
}
HELD_OUT = 5000


def split_counts(text: str) -> str:
    """Read ``last``, or three counts above 0 with slashes between them."""
    parts = text.split("/")
    if text != "last" and len(parts) != 3:
        raise argparse.ArgumentTypeError(
            f"must be last or three counts such as 49000/1000/1000, not {text!r}"
        )
    return text if text == "last" else "/".join(str(count(part)) for part in parts)


def splits(args: argparse.Namespace) -> ImageSplits:
    """Return the images to train, to validate and to test on.

    Raises:
        UsageError: The counts of ``--split`` do not add up to the images that there are.
        DataError: CIFAR-10 is neither on the disk nor can it be downloaded.
    """
    whole, test = cifar10(args.data_dir)
    if args.split == "last":
        return split_images(whole, test, HELD_OUT, args.limit)
    trained, checked, tested = map(int, args.split.split("/"))
    if trained + checked == len(whole) and tested <= len(test):
        train, valid = random_split(whole, [trained, checked], args.seed)
        test, _ = random_split(test, [tested, len(test) - tested], args.seed)
    elif trained == len(whole) and checked + tested == len(test):
        train = whole
        valid, test = random_split(test, [checked, tested], args.seed)
    else:
        raise UsageError(
            f"--split {args.split} does not add up: expected A + B = {len(whole)} training images and C at most "
            f"{len(test)} test images, or A = {len(whole)} and B + C = {len(test)}; --limit takes fewer to train on"
        )
    return ImageSplits(train.subset(range(len(train))[: args.limit]), valid, test)


def recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe that the flags of this command ask for."""
    augment = Augmentations(args.augment)
    erasing = [augment.erase] if augment.erase else []
    if args.cutout:
        erasing.append(Cutout(args.cutout))

    def optimizer(model: Module, name: str, lr: float) -> Optimizer:
        parameters, decay = model.parameters(), args.weight_decay
        if name == "sgd":
            return SGD(parameters, lr, momentum=0.9, weight_decay=decay, nesterov=True)
        return Adam(parameters, lr, weight_decay=decay)

    return Recipe(
        optimizer=optimizer,
        schedule=lambda optimizer, steps: schedule_for(args.schedule, optimizer, args.epochs * steps),
        loss=partial(cross_entropy, label_smoothing=args.label_smoothing),
        augment=augment.pixels,
        erase=Compose(erasing) if erasing else None,
        mix=augment.mix,
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
    parser.epilog = f"augmentations, with their settings and defaults:\n{usage()}"
    image_trainer.add_flags(parser, list(CIFAR_MODELS), DEFAULTS)
    add = parser.add_argument
    add(
        "--augment",
        metavar="LIST",
        type=augments,
        help="none or names with settings, listed below; default: flip,crop",
    )
    add(
        "--split",
        metavar="A/B/C",
        type=split_counts,
        help="images to train/validate/test on, drawn by --seed: A + B training images and C test images "
        "(49000/1000/1000), or A training and B + C test images (50000/6500/3500); "
        "default: last, the last 5,000 training images to validate on",
    )
    add("--cutout", metavar="N", type=natural, help="blank a square of N pixels; default: 0, none")
    add("--schedule", choices=SCHEDULES, help="of the learning rate, --lr being the highest; default: none")
    add("--label-smoothing", metavar="X", type=fraction, help="spread over all classes; default: 0.0")
    add("--weight-decay", metavar="X", type=nonnegative, help="L2 penalty; default: 0.0")
    args = parser.parse_args(arguments)
    args.dataset = "cifar10"
    if args.resume is None and args.split not in (None, "last"):
        # Wrong counts are an error before a folder is made.
        splits(argparse.Namespace(**{**vars(args), "seed": 0}))
    image_trainer.settle(parser, args, DEFAULTS)
    planned = args.saved.get("epochs", args.epochs)
    if args.schedule in FIXED_LENGTH and args.epochs != planned:
        raise UsageError(
            f"--schedule {args.schedule} of the run in {args.resume} is laid out for {planned} epochs: "
            f"it cannot go on with --epochs {args.epochs}"
        )
    images = splits(args)
    build = CIFAR_MODELS[args.model]
    image_trainer.train(
        args, images, build, recipe=recipe(args), plot_model=plot_filters, show_model=show_filters
    )
