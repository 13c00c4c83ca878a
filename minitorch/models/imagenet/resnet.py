"""ResNets for photographs: "Deep residual learning for image recognition" (He et al., 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ...module import Module
from ...nn.containers import Sequential, run_layers
from ...nn.conv import Conv2d
from ...nn.init import kaiming_normal_, zeros_
from ...nn.linear import Linear
from ...nn.normalization import BatchNorm2d
from ...nn.pooling import AdaptiveAvgPool2d, MaxPool2d
from ...tensor_functions.elementwise import ReLU
from .blocks import layers_of
from .weights import PathLike, with_weights


class BasicBlock(Module):
    """Two 3x3 convolutions, whose result is added to the input.

    Args:
        ins: Channels of the input.
        width: Channels of the convolutions, and of the output.
        stride: Of the first convolution; default 1.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, ins: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv2d(ins, width, 3, stride, 1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.conv2 = Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(width)
        self.downsample = _shortcut(ins, width, stride)

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, width, ceil(H / stride), ceil(W / stride))."""
        out = run_layers((self.conv1, self.bn1, self.relu, self.conv2, self.bn2), x)
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))

    def last_norm(self) -> BatchNorm2d:
        """Return the normalization before the addition."""
        return self.bn2


class Bottleneck(Module):
    """Convolutions of 1x1, 3x3 and 1x1, whose result is added to the input.

    The stride is that of the 3x3 convolution, as in torchvision; in the paper the first convolution has it.

    Args:
        ins: Channels of the input.
        width: Channels of the 3x3 convolution; the output has four times as many.
        stride: Of the 3x3 convolution; default 1.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, ins: int, width: int, stride: int = 1) -> None:
        super().__init__()
        outs = width * self.expansion
        self.conv1 = Conv2d(ins, width, 1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.conv2 = Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = BatchNorm2d(width)
        self.conv3 = Conv2d(width, outs, 1, bias=False)
        self.bn3 = BatchNorm2d(outs)
        self.relu = ReLU()
        self.downsample = _shortcut(ins, outs, stride)

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, 4 * width, ceil(H / stride), ceil(W / stride))."""
        first = (self.conv1, self.bn1, self.relu, self.conv2, self.bn2, self.relu)
        out = run_layers((*first, self.conv3, self.bn3), x)
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))

    def last_norm(self) -> BatchNorm2d:
        """Return the normalization before the addition."""
        return self.bn3


def _shortcut(ins: int, outs: int, stride: int) -> Sequential | None:
    """Return what brings the input of a block to the shape of its output; None where it has that shape."""
    if stride == 1 and ins == outs:
        return None
    return Sequential(Conv2d(ins, outs, 1, stride, bias=False), BatchNorm2d(outs))


class ResNet(Module):
    """A 7x7 convolution and pooling, four stages of residual blocks, the average of all pixels, one linear layer.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: Number of blocks of the four stages, whose widths are 64, 128, 256, 512.
        num_classes: Number of classes; default 1000.
        zero_init_residual: Whether the last normalization of each block begins with a weight of 0, so that the block
            begins as the identity (Goyal et al., 2017); by default it does not.
        init_weights: Whether to draw initial values as torchvision does (He et al., 2015); by default it does.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = BatchNorm2d(64)
        self.relu = ReLU()
        self.maxpool = MaxPool2d(3, 2, 1)
        first, second, third, fourth = layers
        expansion = block.expansion
        self.layer1 = _stage(block, 64, 64, first, 1)
        self.layer2 = _stage(block, 64 * expansion, 128, second, 2)
        self.layer3 = _stage(block, 128 * expansion, 256, third, 2)
        self.layer4 = _stage(block, 256 * expansion, 512, fourth, 2)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(512 * expansion, num_classes)
        if init_weights:
            for convolution in layers_of(self, Conv2d):
                kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for residual in layers_of(self, (BasicBlock, Bottleneck)):
                zeros_(residual.last_norm().weight)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W) to scores (N, num_classes)."""
        x = run_layers((self.conv1, self.bn1, self.relu, self.maxpool), x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _stage(
    block: type[BasicBlock] | type[Bottleneck], ins: int, width: int, count: int, stride: int
) -> Sequential:
    rest = [block(width * block.expansion, width) for _ in range(count - 1)]
    return Sequential(block(ins, width, stride), *rest)


def resnet18(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> ResNet:
    """Make a ResNet of 18 layers; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _resnet("resnet18", BasicBlock, (2, 2, 2, 2), pretrained, weights, settings)


def resnet34(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> ResNet:
    """Make a ResNet of 34 layers; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _resnet("resnet34", BasicBlock, (3, 4, 6, 3), pretrained, weights, settings)


def resnet50(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> ResNet:
    """Make a ResNet of 50 layers; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _resnet("resnet50", Bottleneck, (3, 4, 6, 3), pretrained, weights, settings)


def _resnet(
    name: str,
    block: type[BasicBlock] | type[Bottleneck],
    layers: Sequence[int],
    pretrained: bool,
    weights: PathLike | None,
    settings: dict[str, Any],
) -> ResNet:
    def build(init: bool) -> ResNet:
        return ResNet(block, layers, **{"init_weights": init, **settings})

    return with_weights(name, build, pretrained, weights)
