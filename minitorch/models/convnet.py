"""A light convolutional network for 32x32 colour images: the default of the CIFAR-10 trainer."""

from __future__ import annotations

from itertools import pairwise

from ..autodiff import Function
from ..module import Module
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.linear import Linear
from ..nn.normalization import BatchNorm2d
from ..nn.pooling import MaxPool2d
from ..nn.shape import Flatten
from ..tensor import Tensor
from ..tensor_functions.elementwise import ReLU


class ConvNet(Module):
    """Four 3x3 convolutions to 32, 64, 128, 128 channels, with batch normalization, ReLU, 2x2 pooling; 512 -> 10.

    Args:
        classes: Number of classes; default 10.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        stages = [layer for pair in pairwise(widths) for layer in _stage(*pair)]
        self.features = Sequential(*stages, Flatten())
        self.head = Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32), whose sides become 16, 8, 4 and 2, to scores (N, classes)."""
        return self.head(self.features(images))


def _stage(ins: int, outs: int) -> tuple[Module | type[Function] | Function, ...]:
    convolution = Conv2d(ins, outs, 3, padding=1, bias=False)  # batch normalization cancels a bias
    return convolution, BatchNorm2d(outs), ReLU(), MaxPool2d(2)
