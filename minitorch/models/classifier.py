"""A network with what it needs to name what a picture shows: how its images are prepared, the names of its classes.

Depends on the networks of this folder, on the data sets for names of classes, and on the files of a training run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from ..autodiff import no_grad
from ..data.image_sets import IMAGE_SETS
from ..module import Module
from ..runtime.files import read_file
from ..runtime.types import Array
from ..tensor import tensor
from ..tensor_data import get_default_dtype
from ..train.messages import UsageError
from ..train.run_dir import WEIGHTS, read_results
from ..vision.io import Source, read_image
from .imagenet.preprocess import Preprocess
from .imagenet.registry import IMAGENET_MODELS, class_names
from .imagenet.weights import PathLike, fill, read_weights
from .registry import CIFAR_MODELS, IMAGE_MODELS

Mode: TypeAlias = Literal["RGB", "L"]

# Mean and standard deviation of the training images of each set, in [0, 1]; digits are the enlarged ones.
STATISTICS = {
    "mnist": ((0.1307,), (0.3081,)),
    "fashion": ((0.2860,), (0.3530,)),
    "digits": ((0.3052,), (0.3232,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}
LARGEST_CLASS_FILE = 1 << 20  # bytes


@dataclass(frozen=True)
class Classifier:
    """A network that names what a picture shows.

    Attributes:
        model: The network, in evaluation mode.
        preprocess: Prepares an image (C, H, W), uint8, for it.
        classes: Names of the classes, in the order of its scores.
        mode: The channels of its images: "RGB" or "L" (grey).
    """

    model: Module
    preprocess: Preprocess
    classes: Sequence[str]
    mode: Mode = "RGB"

    def read(self, source: Source) -> Array:
        """Read a picture, a file or an http(s) address, as `classify` takes it; errors are those of `read_image`.

        Raises:
            UsageError: It is an address of another kind.
        """
        if isinstance(source, str) and "://" in source and not source.startswith(("http://", "https://")):
            raise UsageError(f"{source}: expected a file or an http(s) address")
        return read_image(source, self.mode)

    def classify(self, image: Array) -> Array:
        """Return the probabilities of the classes (classes,) for one image (C, H, W), uint8.

        Raises:
            ValueError: The image is another array, or too long: see `Preprocess`.
            UsageError: The network does not give one number for each class.
        """
        pixels = tensor(self.preprocess(image)[None], dtype=get_default_dtype())
        with no_grad():
            scores = self.model(pixels).to_numpy()[0].astype(np.float64)
        if scores.shape != (len(self.classes),):
            raise UsageError(
                f"{len(self.classes)} names of classes, but the network has {scores.size} classes"
            )
        exponentials = np.exp(scores - scores.max())
        return exponentials / exponentials.sum()


def load_classifier(
    name: str, weights: PathLike | None = None, classes: Sequence[str] | None = None
) -> Classifier:
    """Load a network by name, with its weights.

    Args:
        name: A name of `IMAGENET_MODELS`, `IMAGE_MODELS` or `CIFAR_MODELS`.
        weights: A file of weights. Default None: the published ones (see `find_weights`). A network of `IMAGE_MODELS`
            or `CIFAR_MODELS` has none: it takes the folder of a training run, or a file of it.
        classes: Names of the classes, one for each score; by default those of the data set.

    Raises:
        UsageError: The name is unknown, weights are needed, or the number of classes differs.
        DataError: The published weights are not there and cannot be downloaded.
        CheckpointError: A file cannot be read, or holds the weights of another network.
    """
    if name in IMAGENET_MODELS:
        return _imagenet(name, weights, classes)
    if name in IMAGE_MODELS or name in CIFAR_MODELS:
        return _small(name, weights, classes)
    known = ", ".join((*IMAGENET_MODELS, *IMAGE_MODELS, *CIFAR_MODELS))
    raise UsageError(f"unknown network {name!r}: expected one of {known}")


def _imagenet(name: str, weights: PathLike | None, classes: Sequence[str] | None) -> Classifier:
    entry = IMAGENET_MODELS[name]
    names = class_names() if classes is None else list(classes)
    count = len(names)
    if weights is None:
        count = len(class_names())
    else:
        bias = read_weights(Path(weights)).get(entry.last_bias)
        count = count if bias is None else bias.size
    if count != len(names):
        raise UsageError(f"{len(names)} names of classes, but {name} has {count} classes here")
    model = entry.build(pretrained=weights is None, weights=weights, num_classes=count)
    return Classifier(model.eval(), entry.preprocess, names)


def _small(name: str, weights: PathLike | None, classes: Sequence[str] | None) -> Classifier:
    grey = name in IMAGE_MODELS
    command = "mnist" if grey else "cifar10"
    if weights is None:
        raise UsageError(
            f"{name} has no published weights: give those of a run as weights (minitorch {command} --out RUN)"
        )
    path, dataset = Path(weights), command
    if os.path.isdir(path):
        results = read_results(path)
        trained, dataset = results.get("model"), str(results.get("dataset"))
        if trained != name or dataset not in STATISTICS:
            raise UsageError(f"{path}: the run trained {trained} on {dataset}, expected {name}")
        path = path / WEIGHTS
    model = (IMAGE_MODELS[name] if grey else CIFAR_MODELS[name])()
    fill(model, read_weights(path), path, name)
    names = (IMAGE_SETS["mnist" if dataset == "digits" else dataset].classes) if classes is None else classes
    side = 28 if grey else 32
    prepare = Preprocess(side, side, *STATISTICS[dataset], light_on_dark=grey)
    return Classifier(model.eval(), prepare, list(names), "L" if grey else "RGB")


def read_class_names(path: PathLike) -> list[str]:
    """Read names of classes from a text file, one a line, in the order of the scores.

    Raises:
        UsageError: The file cannot be read, is not UTF-8 or has no names.
    """
    try:
        lines = read_file(Path(path), LARGEST_CLASS_FILE).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{path}: cannot be read as names of classes: {reason}") from None
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UsageError(f"{path}: expected a name of a class in each line, got an empty file")
    return names
