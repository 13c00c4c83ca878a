"""A small residual network for 32x32 colour images: David Page's nine-layer one (2018), with fewer channels."""

from __future__ import annotations

from ..module import Module
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.linear import Linear
from ..nn.normalization import BatchNorm2d
from ..nn.pooling import MaxPool2d
from ..nn.shape import Flatten
from ..tensor import Tensor
from ..tensor_functions.elementwise import ReLU


def block(ins: int, outs: int) -> Sequential:
    """A 3x3 convolution without bias, batch normalisation, ReLU."""
    return Sequential(Conv2d(ins, outs, 3, padding=1, bias=False), BatchNorm2d(outs), ReLU())


class Residual(Module):
    """Adds the result of two blocks to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = block(channels, channels), block(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return x + self.second(self.first(x))


class ResNet(Module):
    """Channels 3 -> 48 -> 96 (pooled, residual) -> 192 (pooled) -> 384 (pooled, residual), maximum over pixels, linear.

    Args:
        width: Channels of the first block, 48 by default; each stage doubles them.
        classes: Number of classes; default 10.
    """

    def __init__(self, width: int = 48, classes: int = 10) -> None:
        super().__init__()
        self.layers = Sequential(
            block(3, width),
            block(width, 2 * width),
            MaxPool2d(2),
            Residual(2 * width),
            block(2 * width, 4 * width),
            MaxPool2d(2),
            block(4 * width, 8 * width),
            MaxPool2d(2),
            Residual(8 * width),
            MaxPool2d(4),
            Flatten(),
        )
        self.head = Linear(8 * width, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to scores (N, classes)."""
        # Page's factor: small scores keep the softmax far from saturation in the first epochs.
        return self.head(self.layers(x)) * 0.125
