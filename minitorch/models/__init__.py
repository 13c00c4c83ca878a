"""The networks of the commands, one per file, and tables of them by name.

`IMAGE_MODELS` are for grey images (N, 1, 28, 28), `CIFAR_MODELS` for colour images (N, 3, 32, 32).
"""

from .cnn import CNN
from .convnet import ConvNet
from .lenet import LeNet
from .registry import CIFAR_MODELS, IMAGE_MODELS
from .resnet import ResNet
from .threelayer import ThreeLayer

__all__ = ["CIFAR_MODELS", "CNN", "IMAGE_MODELS", "ConvNet", "LeNet", "ResNet", "ThreeLayer"]
