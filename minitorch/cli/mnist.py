"""Trains a convolutional network on handwritten digits or Fashion-MNIST, and prints its test accuracy.

    minitorch mnist                                  # LeNet on MNIST, 5 epochs
    minitorch mnist --dataset digits                 # the bundled digits: no download
    minitorch mnist --out runs/mnist                 # writes log, weights, results and figures
    minitorch mnist --resume runs/mnist --epochs 10

If MNIST is neither found nor can be downloaded, the bundled digits are used. The last 5,000 training images (150 of
the digits) are for validation; the weights with the best validation accuracy are tested. The digits are few: in
training they are rotated by up to 10 degrees and shifted by up to 2 pixels, and the default is 60 epochs. In the course
this is project/run_mnist_multiclass.py.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..dashboard import callback
from ..dashboard.run_log import Logger
from ..data.dataset import Dataset
from ..data.download import DataError
from ..data.image_sets import IMAGE_SETS
from ..data.image_sets import digits as bundled_digits
from ..models import IMAGE_MODELS, LeNet
from ..train import plots
from ..train.trainer import PLAIN, Recipe, split_images
from ..vision.transforms import Compose, RandomCrop, RandomRotation, Resize
from . import image_trainer
from .common import Parser, notice

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
AUGMENT_DIGITS = Compose([RandomRotation(10), RandomCrop(28, padding=2)])


def load(args: Namespace) -> tuple[Dataset, Dataset]:
    """Return the training and test images, (N, 1, 28, 28); set ``args.dataset`` to the set they are from."""
    if args.dataset != "digits":
        image_set = IMAGE_SETS[args.dataset]
        try:
            source = image_set.find(args.data_dir, download=True)
        except DataError as error:
            if args.dataset == "fashion":
                raise
            notice(f"MNIST is not available: training on the bundled digits instead ({error})")
            args.dataset = "digits"
        else:
            return image_set.load(source)
    train, test = bundled_digits()
    notice("the digits of 8x8 pixels are enlarged to 28x28")
    return enlarged(train), enlarged(test)


def enlarged(digits: Dataset) -> Dataset:
    """Return the bundled digits, 8x8 with values 0..16, as MNIST is: 28x28 with values 0..255."""
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return Dataset(Resize(28)(grey), digits.labels, digits.classes, digits.name)


def plot_channels(folder: Path, model: LeNet) -> None:
    """Draw the hidden channels of LeNet for its last batch."""
    for name, channels in (("mid_images", model.mid), ("out_images", model.out)):
        if channels is not None:
            plots.plot_channels(folder, name, channels.to_numpy())


def show_channels(logger: Logger, model: LeNet, time_text: str) -> None:
    """Show the hidden channels of LeNet for its last batch."""
    for name, channels in (("mid_images", model.mid), ("out_images", model.out)):
        if channels is not None:
            callback.show_channels(logger, name, channels.to_numpy(), time_text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("--dataset", choices=list(HELD_OUT), help="default: mnist")
    image_trainer.add_flags(parser, list(IMAGE_MODELS), DEFAULTS)
    args = parser.parse_args(arguments)
    default_epochs = args.epochs is None and args.resume is None
    image_trainer.settle(parser, args, DEFAULTS)
    images = split_images(*load(args), HELD_OUT[args.dataset], args.limit)
    few = args.dataset == "digits"
    if few and default_epochs:
        args.epochs = DIGIT_EPOCHS
    recipe = Recipe(augment=AUGMENT_DIGITS) if few else PLAIN
    plot, show = (plot_channels, show_channels) if args.model == "lenet" else (None, None)
    build = IMAGE_MODELS[args.model]
    image_trainer.train(args, images, build, recipe=recipe, plot_model=plot, show_model=show)
