"""SqueezeNet: "AlexNet-level accuracy with 50x fewer parameters" (Iandola et al., 2016), versions 1.0 and 1.1."""

from __future__ import annotations

from typing import Any

from ...module import Module
from ...nn.containers import Sequential, run_layers
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.init import kaiming_uniform_, normal_, zeros_
from ...nn.pooling import AdaptiveAvgPool2d, MaxPool2d
from ...tensor_functions.elementwise import ReLU
from .blocks import Concatenate, layers_of
from .weights import PathLike, with_weights

# Channels (input, squeezed, of each of the two expansions) of the fire modules; None stands for pooling.
FIRES_1_0 = (
    *((96, 16, 64), (128, 16, 64), (128, 32, 128), None),
    *((256, 32, 128), (256, 48, 192), (384, 48, 192), (384, 64, 256), None, (512, 64, 256)),
)
FIRES_1_1 = (
    *((64, 16, 64), (128, 16, 64), None, (128, 32, 128), (256, 32, 128), None),
    *((256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256)),
)


class Fire(Module):
    """Squeezes the channels by a 1x1 convolution, and expands them by one of 1x1 and one of 3x3, side by side.

    Args:
        ins: Channels of the input.
        squeezed: Channels in between.
        expanded: Channels of each of the two expansions.
    """

    def __init__(self, ins: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = Conv2d(ins, squeezed, 1)
        self.expand1x1 = Conv2d(squeezed, expanded, 1)
        self.expand3x3 = Conv2d(squeezed, expanded, 3, padding=1)
        self.relu, self.join = ReLU(), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, 2 * expanded, H, W)."""
        x = run_layers((self.squeeze, self.relu), x)
        return self.join(
            run_layers((self.expand1x1, self.relu), x), run_layers((self.expand3x3, self.relu), x)
        )


class SqueezeNet(Module):
    """A convolution, eight fire modules with pooling between, and a 1x1 convolution to the classes, averaged.

    Args:
        version: "1_0" or "1_1", which needs less than half of the multiplications.
        num_classes: Number of classes; default 1000.
        dropout: Rate before the last convolution; default 0.5.
        init_weights: Whether to draw initial values as torchvision does; by default it does.

    Raises:
        ValueError: ``version`` is another word.
    """

    def __init__(
        self,
        version: str = "1_0",
        num_classes: int = 1000,
        dropout: float = 0.5,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        if version not in ("1_0", "1_1"):
            raise ValueError(f"SqueezeNet: expected version '1_0' or '1_1', got {version!r}")
        stem, fires = (
            (Conv2d(3, 96, 7, 2), FIRES_1_0) if version == "1_0" else (Conv2d(3, 64, 3, 2), FIRES_1_1)
        )
        blocks = [_pool() if sizes is None else Fire(*sizes) for sizes in fires]
        self.features = Sequential(stem, ReLU(), _pool(), *blocks)
        last = Conv2d(512, num_classes, 1)
        self.classifier = Sequential(Dropout(dropout), last, ReLU(), AdaptiveAvgPool2d((1, 1)))
        if init_weights:
            for convolution in layers_of(self, Conv2d):
                kaiming_uniform_(convolution.weight)
                zeros_(convolution.bias)
            normal_(last.weight, std=0.01)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W), at least 21x21, to scores (N, num_classes)."""
        return self.classifier(self.features(x)).flatten(1)


def _pool() -> MaxPool2d:
    return MaxPool2d(3, 2, ceil_mode=True)


def squeezenet1_0(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> SqueezeNet:
    """Make version 1.0; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _squeezenet("1_0", pretrained, weights, settings)


def squeezenet1_1(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> SqueezeNet:
    """Make version 1.1; for ``pretrained`` and ``weights`` see `with_weights`."""
    return _squeezenet("1_1", pretrained, weights, settings)


def _squeezenet(
    version: str, pretrained: bool, weights: PathLike | None, settings: dict[str, Any]
) -> SqueezeNet:
    def build(init: bool) -> SqueezeNet:
        return SqueezeNet(version, **{"init_weights": init, **settings})

    return with_weights(f"squeezenet{version}", build, pretrained, weights)
