"""The networks of the scripts, one per file, and what ``--model`` offers for digits and for colour images.

They refuse to know data, training and files.
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
