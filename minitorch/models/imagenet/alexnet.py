"""AlexNet, in the form of "One weird trick for parallelizing convolutional neural networks" (Krizhevsky, 2014)."""

from __future__ import annotations

from typing import Any

from ...module import Module
from ...nn.containers import Sequential
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.linear import Linear
from ...nn.pooling import AdaptiveAvgPool2d, MaxPool2d
from ...tensor_functions.elementwise import ReLU
from .weights import PathLike, with_weights


class AlexNet(Module):
    """Five convolutions (64, 192, 384, 256, 256 channels), three of them pooled; 9216 -> 4096 -> 4096 -> classes.

    Args:
        num_classes: Number of classes; default 1000.
        dropout: Rate before the first two linear layers; default 0.5.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = Sequential(
            *(Conv2d(3, 64, 11, 4, 2), ReLU(), MaxPool2d(3, 2)),
            *(Conv2d(64, 192, 5, padding=2), ReLU(), MaxPool2d(3, 2)),
            *(Conv2d(192, 384, 3, padding=1), ReLU()),
            *(Conv2d(384, 256, 3, padding=1), ReLU()),
            *(Conv2d(256, 256, 3, padding=1), ReLU(), MaxPool2d(3, 2)),
        )
        self.avgpool = AdaptiveAvgPool2d((6, 6))
        self.classifier = Sequential(
            *(Dropout(dropout), Linear(9216, 4096), ReLU()),
            *(Dropout(dropout), Linear(4096, 4096), ReLU()),
            Linear(4096, num_classes),
        )

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W), at least 63x63, to scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def alexnet(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> AlexNet:
    """Make an `AlexNet`; for ``pretrained`` and ``weights`` see `minitorch.models.imagenet.weights.with_weights`."""
    return with_weights("alexnet", lambda init: AlexNet(**settings), pretrained, weights)
