"""MobileNetV2: "Inverted residuals and linear bottlenecks" (Sandler et al., 2018)."""

from __future__ import annotations

from typing import Any

from ...module import Module
from ...nn.containers import Sequential
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.init import kaiming_normal_, normal_, zeros_
from ...nn.linear import Linear
from ...nn.normalization import BatchNorm2d
from ...nn.pooling import AdaptiveAvgPool2d
from .blocks import conv_norm_relu6, layers_of
from .weights import PathLike, with_weights

# Table 2 of the paper: expansion, output channels, repeats, stride of the first repeat.
STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


class InvertedResidual(Module):
    """Expands the channels, filters each by a 3x3 convolution, projects them; adds the input where shapes allow it.

    Args:
        ins: Channels of the input.
        outs: Channels of the output.
        stride: Of the 3x3 convolution.
        expansion: Channels in between, divided by ``ins``.
    """

    def __init__(self, ins: int, outs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = ins * expansion
        layers: list[Any] = [] if expansion == 1 else [conv_norm_relu6(ins, hidden, 1, 1, 1)]
        layers.append(conv_norm_relu6(hidden, hidden, 3, stride, hidden))
        self.conv = Sequential(*layers, Conv2d(hidden, outs, 1, bias=False), BatchNorm2d(outs))
        self.adds_input = stride == 1 and ins == outs

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, outs, ceil(H / stride), ceil(W / stride))."""
        return x + self.conv(x) if self.adds_input else self.conv(x)


class MobileNetV2(Module):
    """A convolution, 17 inverted residual blocks, a 1x1 convolution, the average of all pixels, one linear layer.

    Args:
        num_classes: Number of classes; default 1000.
        width_mult: Factor of the number of channels, which are rounded to multiples of 8; default 1.
        dropout: Rate before the linear layer; default 0.2.
        init_weights: Whether to draw initial values as torchvision does (He et al., 2015); by default it does.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        dropout: float = 0.2,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        ins, last = rounded(32 * width_mult), rounded(1280 * max(1.0, width_mult))
        blocks: list[Any] = [conv_norm_relu6(3, ins, 3, 2, 1)]
        for expansion, channels, repeats, stride in STAGES:
            outs = rounded(channels * width_mult)
            for k in range(repeats):
                blocks.append(InvertedResidual(ins, outs, 1 if k else stride, expansion))
                ins = outs
        self.features = Sequential(*blocks, conv_norm_relu6(ins, last, 1, 1, 1))
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.classifier = Sequential(Dropout(dropout), Linear(last, num_classes))
        if init_weights:
            for convolution in layers_of(self, Conv2d):
                kaiming_normal_(convolution.weight, mode="fan_out")
            for linear in layers_of(self, Linear):
                normal_(linear.weight, std=0.01)
                zeros_(linear.bias)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W) to scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def rounded(channels: float) -> int:
    """Return the multiple of 8 nearest to a number of channels; at least 8, and at least nine tenths of it."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def mobilenet_v2(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> MobileNetV2:
    """Make a `MobileNetV2`; for ``pretrained`` and ``weights`` see `with_weights`."""

    def build(init: bool) -> MobileNetV2:
        return MobileNetV2(**{"init_weights": init, **settings})

    return with_weights("mobilenet_v2", build, pretrained, weights)
