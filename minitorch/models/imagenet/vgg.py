"""VGG: "Very deep convolutional networks for large-scale image recognition" (Simonyan and Zisserman, 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module import Module
from ...nn.containers import Sequential
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.init import kaiming_normal_, normal_, zeros_
from ...nn.linear import Linear
from ...nn.normalization import BatchNorm2d
from ...nn.pooling import AdaptiveAvgPool2d, MaxPool2d
from ...tensor_functions.elementwise import ReLU
from .blocks import layers_of
from .weights import PathLike, with_weights

# Table 1 of the paper: channels of the 3x3 convolutions of each of the five stages; each stage ends with pooling.
CONFIGURATION_A = ((64,), (128,), (256, 256), (512, 512), (512, 512))
CONFIGURATION_D = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGG(Module):
    """Five stages of 3x3 convolutions, each pooled to half the size; 25088 -> 4096 -> 4096 -> classes.

    Args:
        stages: Channels of the convolutions of each stage.
        batch_norm: Whether batch normalization follows each convolution.
        num_classes: Number of classes; default 1000.
        dropout: Rate after the first two linear layers; default 0.5.
        init_weights: Whether to draw initial values as torchvision does (He et al., 2015); by default it does.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[int]],
        batch_norm: bool,
        num_classes: int = 1000,
        dropout: float = 0.5,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        layers: list[Any] = []
        ins = 3
        for stage in stages:
            for outs in stage:
                layers.append(Conv2d(ins, outs, 3, padding=1))
                layers += [BatchNorm2d(outs), ReLU()] if batch_norm else [ReLU()]
                ins = outs
            layers.append(MaxPool2d(2, 2))
        self.features = Sequential(*layers)
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        self.classifier = Sequential(
            *(Linear(ins * 49, 4096), ReLU(), Dropout(dropout)),
            *(Linear(4096, 4096), ReLU(), Dropout(dropout)),
            Linear(4096, num_classes),
        )
        if init_weights:
            for convolution in layers_of(self, Conv2d):
                kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
                zeros_(convolution.bias)
            for linear in layers_of(self, Linear):
                normal_(linear.weight, std=0.01)
                zeros_(linear.bias)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W), at least 32x32, to scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg11(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> VGG:
    """Make configuration A, of 11 layers; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _vgg("vgg11", CONFIGURATION_A, False, pretrained, weights, settings)


def vgg11_bn(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> VGG:
    """Make configuration A with batch normalization; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _vgg("vgg11_bn", CONFIGURATION_A, True, pretrained, weights, settings)


def vgg16(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> VGG:
    """Make configuration D, of 16 layers; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _vgg("vgg16", CONFIGURATION_D, False, pretrained, weights, settings)


def vgg16_bn(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> VGG:
    """Make configuration D with batch normalization; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _vgg("vgg16_bn", CONFIGURATION_D, True, pretrained, weights, settings)


def _vgg(
    name: str,
    stages: Sequence[Sequence[int]],
    batch_norm: bool,
    pretrained: bool,
    weights: PathLike | None,
    settings: dict[str, Any],
) -> VGG:
    def build(init: bool) -> VGG:
        return VGG(stages, batch_norm, **{"init_weights": init, **settings})

    return with_weights(name, build, pretrained, weights)
