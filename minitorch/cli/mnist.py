"""Trains a convolutional network on handwritten digits or Fashion-MNIST, and prints its test accuracy.

    python project/run_mnist_multiclass.py                       # LeNet on MNIST, 5 epochs
    python project/run_mnist_multiclass.py --dataset digits      # the bundled digits: no download
    python project/run_mnist_multiclass.py --out runs/mnist      # keeps log, weights, results and pictures
    python project/run_mnist_multiclass.py --resume runs/mnist --epochs 10

Where MNIST is neither found nor can be downloaded, the bundled digits are used. The last 5,000 training images
(150 of the digits) are for validation; the test is of the weights that did best on them. The digits are few:
they are turned by up to 10 degrees and shifted by up to 2 pixels while training, which goes on for 60 epochs if not
told otherwise.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import panels
import trainer
import watch
from board import Logger
from cli import Parser, guarded, notice
from minitorch import data
from minitorch.data import DataError, Dataset
from minitorch.vision import Compose, RandomCrop, RandomRotation, Resize
from models import IMAGE_MODELS, LeNet

DEFAULTS = {
    "dataset": "mnist",
    "model": "lenet",
    "optimizer": "adam",
    "epochs": 5,
    "batch_size": 64,
    "seed": 0,
}
HELD_OUT = {"mnist": 5000, "fashion": 5000, "digits": 150}
DIGIT_EPOCHS = 60
VARIED = Compose([RandomRotation(10), RandomCrop(28, padding=2)])  # how digits are changed in training


def load(args: Namespace) -> tuple[Dataset, Dataset]:
    """Return the training and test images, (N, 1, 28, 28); ``args.dataset`` becomes what they are."""
    if args.dataset != "digits":
        image_set = data.IMAGE_SETS[args.dataset]
        try:
            source = image_set.find(args.data_dir, download=True)
        except DataError as error:
            if args.dataset == "fashion":
                raise
            notice(f"MNIST is not to be had: training on the bundled digits instead ({error})")
            args.dataset = "digits"
        else:
            return image_set.load(source)
    train, test = data.digits()
    notice("the digits of 8x8 pixels are enlarged to 28x28")
    return enlarged(train), enlarged(test)


def enlarged(digits: Dataset) -> Dataset:
    """Return the bundled digits, 8x8 of values 0..16, in the format of MNIST."""
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return Dataset(Resize(28)(grey), digits.labels, digits.classes, digits.name)


def draw_channels(folder: Path, model: LeNet) -> None:
    """Draw the hidden channels of LeNet for the images that it has just seen."""
    for name, channels in (("mid_images", model.mid), ("out_images", model.out)):
        if channels is not None:
            panels.draw_channels(folder, name, channels.to_numpy())


def show_channels(logger: Logger, model: LeNet, moment: str) -> None:
    """Show the hidden channels of LeNet for the images that it has just seen."""
    for name, channels in (("mid_images", model.mid), ("out_images", model.out)):
        if channels is not None:
            watch.show_channels(logger, name, channels.to_numpy(), moment)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    parser = Parser(__doc__)
    parser.add_argument("--dataset", choices=list(HELD_OUT), help="default: mnist")
    trainer.add_flags(parser, list(IMAGE_MODELS), DEFAULTS)
    args = parser.parse_args(arguments)
    epochs_left_out = args.epochs is None and args.resume is None
    trainer.settle(args, DEFAULTS)
    images = trainer.hold_out(*load(args), HELD_OUT[args.dataset], args.limit)
    few = args.dataset == "digits"
    if few and epochs_left_out:
        args.epochs = DIGIT_EPOCHS
    recipe = trainer.Recipe(augment=VARIED) if few else trainer.PLAIN
    draw, show = (draw_channels, show_channels) if args.model == "lenet" else (None, None)
    trainer.train(args, images, IMAGE_MODELS[args.model], recipe=recipe, draw=draw, show=show)


if __name__ == "__main__":
    sys.exit(guarded(main))
