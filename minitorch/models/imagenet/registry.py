"""The networks for ImageNet by name, with how each one's images are prepared, and the names of the classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...module import Module
from .alexnet import alexnet
from .efficientnet_lite import efficientnet_lite0
from .inception import IMAGENET_MEAN, IMAGENET_STD, inception_v3
from .mobilenet import mobilenet_v2
from .preprocess import Preprocess
from .resnet import resnet18, resnet34, resnet50
from .squeezenet import squeezenet1_0, squeezenet1_1
from .vgg import vgg11, vgg11_bn, vgg16, vgg16_bn

_PHOTO = Preprocess(256, 224, IMAGENET_MEAN, IMAGENET_STD)


@dataclass(frozen=True)
class ImageNetModel:
    """A network of the 1000 classes of ImageNet.

    Attributes:
        build: The function that makes it.
        last_bias: Name of its last parameter, which has one element for each class.
        preprocess: How its images are prepared.
    """

    build: Callable[..., Module]
    last_bias: str
    preprocess: Preprocess = _PHOTO


IMAGENET_MODELS: dict[str, ImageNetModel] = {
    "alexnet": ImageNetModel(alexnet, "classifier.6.bias"),
    # TensorFlow's EfficientNet-Lite brings pixels to (pixel - 127) / 128.
    "efficientnet_lite0": ImageNetModel(
        efficientnet_lite0, "_fc.bias", Preprocess(256, 224, (127 / 255,) * 3, (128 / 255,) * 3)
    ),
    "inception_v3": ImageNetModel(inception_v3, "fc.bias", Preprocess(342, 299, IMAGENET_MEAN, IMAGENET_STD)),
    "mobilenet_v2": ImageNetModel(mobilenet_v2, "classifier.1.bias"),
    "resnet18": ImageNetModel(resnet18, "fc.bias"),
    "resnet34": ImageNetModel(resnet34, "fc.bias"),
    "resnet50": ImageNetModel(resnet50, "fc.bias"),
    "squeezenet1_0": ImageNetModel(squeezenet1_0, "classifier.1.bias"),
    "squeezenet1_1": ImageNetModel(squeezenet1_1, "classifier.1.bias"),
    "vgg11": ImageNetModel(vgg11, "classifier.6.bias"),
    "vgg11_bn": ImageNetModel(vgg11_bn, "classifier.6.bias"),
    "vgg16": ImageNetModel(vgg16, "classifier.6.bias"),
    "vgg16_bn": ImageNetModel(vgg16_bn, "classifier.6.bias"),
}


def class_names() -> list[str]:
    """Return the names of the 1000 classes, in the order of the scores."""
    return Path(__file__).with_name("classes.txt").read_text(encoding="utf-8").splitlines()
