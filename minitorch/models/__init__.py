"""The networks of the commands, one per file, and tables of them by name; `imagenet` has those for photographs.

`IMAGE_MODELS` are for grey images (N, 1, 28, 28), `CIFAR_MODELS` for colour images (N, 3, 32, 32), `IMAGENET_MODELS`
for photographs.
"""

from .classifier import Classifier, load_classifier
from .cnn import CNN
from .convnet import ConvNet
from .imagenet.alexnet import alexnet
from .imagenet.efficientnet_lite import efficientnet_lite0
from .imagenet.inception import inception_v3
from .imagenet.mobilenet import mobilenet_v2
from .imagenet.registry import IMAGENET_MODELS
from .imagenet.resnet import resnet18, resnet34, resnet50
from .imagenet.squeezenet import squeezenet1_0, squeezenet1_1
from .imagenet.vgg import vgg11, vgg11_bn, vgg16, vgg16_bn
from .lenet import LeNet
from .registry import CIFAR_MODELS, IMAGE_MODELS
from .resnet import ResNet
from .threelayer import ThreeLayer

__all__ = [
    "CIFAR_MODELS",
    "CNN",
    "IMAGENET_MODELS",
    "IMAGE_MODELS",
    "Classifier",
    "ConvNet",
    "LeNet",
    "ResNet",
    "ThreeLayer",
    "alexnet",
    "efficientnet_lite0",
    "inception_v3",
    "load_classifier",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg16",
    "vgg16_bn",
]
