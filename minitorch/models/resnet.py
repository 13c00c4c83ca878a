"""A small residual network for 32x32 colour images, after David Page's nine-layer one (2018), less wide."""

from __future__ import annotations

import minitorch as mt


def block(ins: int, outs: int) -> mt.Sequential:
    """A 3x3 convolution without bias, batch normalisation, ReLU."""
    return mt.Sequential(mt.Conv2d(ins, outs, 3, padding=1, bias=False), mt.BatchNorm2d(outs), mt.ReLU())


class Residual(mt.Module):
    """Two blocks whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = block(channels, channels), block(channels, channels)

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        """Keep the shape."""
        return x + self.second(self.first(x))


class ResNet(mt.Module):
    """3-48, 96 pooled, residual, 192 pooled, 384 pooled, residual, maximum over pixels, ten scores.

    Args:
        width: Channels of the first block; each stage has twice as many.
        classes: Number of scores.
    """

    def __init__(self, width: int = 48, classes: int = 10) -> None:
        super().__init__()
        self.layers = mt.Sequential(
            block(3, width),
            block(width, 2 * width),
            mt.MaxPool2d(2),
            Residual(2 * width),
            block(2 * width, 4 * width),
            mt.MaxPool2d(2),
            block(4 * width, 8 * width),
            mt.MaxPool2d(2),
            Residual(8 * width),
            mt.MaxPool2d(4),
            mt.Flatten(),
        )
        self.head = mt.Linear(8 * width, classes, bias=False)

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        """Map images (N, 3, 32, 32) to scores (N, classes)."""
        # Page's factor: scores this small keep the softmax soft in the first epochs.
        return self.head(self.layers(x)) * 0.125
