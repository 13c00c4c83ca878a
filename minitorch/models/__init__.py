"""The networks of the commands, one per file, and tables of them by name.

`IMAGE_MODELS` are for grey images (N, 1, 28, 28), `CIFAR_MODELS` for colour images (N, 3, 32, 32).
"""

from __future__ import annotations

from .cnn import CNN
from .convnet import ConvNet
from .lenet import LeNet
from .resnet import ResNet
from .threelayer import ThreeLayer

__all__ = ["CIFAR_MODELS", "CNN", "IMAGE_MODELS", "ConvNet", "LeNet", "ResNet", "ThreeLayer"]

IMAGE_MODELS: dict[str, type[LeNet] | type[CNN]] = {"lenet": LeNet, "cnn": CNN}
CIFAR_MODELS: dict[str, type[ConvNet] | type[ResNet] | type[ThreeLayer]] = {
    "convnet": ConvNet,
    "resnet": ResNet,
    "threelayer": ThreeLayer,
}
