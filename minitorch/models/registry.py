"""Tables of the networks by name, for the commands: one for grey images of 28x28, one for colour images of 32x32."""

from __future__ import annotations

from .cnn import CNN
from .convnet import ConvNet
from .lenet import LeNet
from .resnet import ResNet
from .threelayer import ThreeLayer

IMAGE_MODELS: dict[str, type[LeNet] | type[CNN]] = {"lenet": LeNet, "cnn": CNN}
CIFAR_MODELS: dict[str, type[ConvNet] | type[ResNet] | type[ThreeLayer]] = {
    "convnet": ConvNet,
    "resnet": ResNet,
    "threelayer": ThreeLayer,
}
