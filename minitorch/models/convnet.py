"""A light convolutional network for 32x32 colour images: the default of the CIFAR-10 trainer."""

from __future__ import annotations

from itertools import pairwise

import minitorch as mt


class ConvNet(mt.Module):
    """Four 3x3 convolutions to 32, 64, 128, 128 channels, each with batch norm, ReLU and 2x2 pooling; 512 -> 10.

    Args:
        classes: Number of scores.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        stages = [layer for pair in pairwise(widths) for layer in _stage(*pair)]
        self.features = mt.Sequential(*stages, mt.Flatten())
        self.head = mt.Linear(512, classes)

    def forward(self, images: mt.Tensor) -> mt.Tensor:
        """Map images (N, 3, 32, 32), whose sides become 16, 8, 4 and 2, to scores (N, classes)."""
        return self.head(self.features(images))


def _stage(ins: int, outs: int) -> tuple[mt.Module | type[mt.Function] | mt.Function, ...]:
    convolution = mt.Conv2d(ins, outs, 3, padding=1, bias=False)  # the norm takes a bias away again
    return convolution, mt.BatchNorm2d(outs), mt.ReLU(), mt.MaxPool2d(2)
