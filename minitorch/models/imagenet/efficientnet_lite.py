"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, 2019) without squeeze and excitation, and with ReLU6.

The variant and its weights were published by Google with TensorFlow in 2020. Names of parameters are those of the
package ``efficientnet-lite-pytorch``, whose weights this network reads.
"""

from __future__ import annotations

import math
from typing import Any

from ...module import Module
from ...nn.containers import Sequential, run_layers
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.functional import dropout as drop
from ...nn.init import normal_, uniform_, zeros_
from ...nn.linear import Linear
from ...nn.normalization import BatchNorm2d
from ...nn.pooling import AdaptiveAvgPool2d
from ...tensor import Tensor, ones
from ...tensor_functions.math import ReLU6
from .blocks import SamePad, layers_of
from .weights import PathLike, with_weights

# Repeats, kernel, stride of the first repeat, expansion, output channels.
STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)
DROP_CONNECT = 0.2  # rate of the last block; it rises linearly from 0


def _norm(channels: int) -> BatchNorm2d:
    return BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(Module):
    """An inverted residual block: expands the channels, filters each of them, projects them, adds the input.

    Args:
        ins: Channels of the input.
        outs: Channels of the output.
        kernel: Height and width of the filters.
        stride: Of the filters, 1 or 2.
        expansion: Channels in between, divided by ``ins``.
        drop_rate: Probability that, in training, a sample's block counts for nothing beside its input (Huang et al.,
            "Deep networks with stochastic depth", 2016).
    """

    def __init__(
        self, ins: int, outs: int, kernel: int, stride: int, expansion: int, drop_rate: float
    ) -> None:
        super().__init__()
        hidden = ins * expansion
        self.activation = ReLU6()
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = Conv2d(ins, hidden, 1, bias=False)
            self._bn0 = _norm(hidden)
        # With a stride of 1, "same" padding is the same on all sides, and the convolution needs no padded copy.
        self.pads = stride > 1
        padding = 0 if self.pads else kernel // 2
        self._depthwise_conv = Conv2d(hidden, hidden, kernel, stride, padding, groups=hidden, bias=False)
        self._bn1 = _norm(hidden)
        self._project_conv = Conv2d(hidden, outs, 1, bias=False)
        self._bn2 = _norm(outs)
        self.pad = SamePad(kernel, stride)
        self.drop_rate = drop_rate
        self.adds_input = stride == 1 and ins == outs

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, ins, H, W) to (N, outs, ceil(H / stride), ceil(W / stride))."""
        expand = (self._expand_conv, self._bn0, self.activation) if self.expands else ()
        pad = (self.pad,) if self.pads else ()
        filtering = (self._depthwise_conv, self._bn1, self.activation)
        out = run_layers((*expand, *pad, *filtering, self._project_conv, self._bn2), x)
        if not self.adds_input:
            return out
        if self.training and self.drop_rate:
            kept = ones((x.shape[0], 1, 1, 1), x.backend, dtype=x.dtype)
            out = out * drop(kept, self.drop_rate, scale=True)
        return x + out


class EfficientNetLite(Module):
    """A convolution, 16 inverted residual blocks, a 1x1 convolution, the average of all pixels, one linear layer.

    Args:
        num_classes: Number of classes; default 1000.
        dropout: Rate before the linear layer; default 0.2.
        drop_connect: Rate of stochastic depth of the last block; default 0.2.
        init_weights: Whether to draw initial values as the authors of EfficientNet do; by default it does.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        dropout: float = 0.2,
        drop_connect: float = DROP_CONNECT,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        self.pad = SamePad(3, 2)
        self._conv_stem = Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks: list[MBConv] = []
        ins, count = 32, sum(stage[0] for stage in STAGES)
        for repeats, kernel, stride, expansion, outs in STAGES:
            for k in range(repeats):
                rate = drop_connect * len(blocks) / count
                blocks.append(MBConv(ins, outs, kernel, 1 if k else stride, expansion, rate))
                ins = outs
        self._blocks = Sequential(*blocks)
        self._conv_head = Conv2d(ins, 1280, 1, bias=False)
        self._bn1 = _norm(1280)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self._dropout = Dropout(dropout)
        self._fc = Linear(1280, num_classes)
        self.activation = ReLU6()
        if init_weights:
            for convolution in layers_of(self, Conv2d):
                outs, _, *kernel_size = convolution.weight.shape
                normal_(convolution.weight, std=math.sqrt(2 / (outs * math.prod(kernel_size))))
            bound = 1 / math.sqrt(num_classes)
            uniform_(self._fc.weight, -bound, bound)
            zeros_(self._fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to scores (N, num_classes)."""
        x = run_layers((self.pad, self._conv_stem, self._bn0, self.activation, self._blocks), x)
        x = run_layers((self._conv_head, self._bn1, self.activation, self.avgpool, self._dropout), x)
        return self._fc(x.flatten(1))


def efficientnet_lite0(
    pretrained: bool = False, weights: PathLike | None = None, **settings: Any
) -> EfficientNetLite:
    """Make an `EfficientNetLite`; for ``pretrained`` and ``weights`` see `with_weights`."""

    def build(init: bool) -> EfficientNetLite:
        return EfficientNetLite(**{"init_weights": init, **settings})

    return with_weights("efficientnet_lite0", build, pretrained, weights)
