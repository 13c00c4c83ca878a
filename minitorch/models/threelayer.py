"""The three-layer network of the CS231n assignment: convolution, ReLU, pooling, affine, ReLU, affine."""

from __future__ import annotations

from ..module import Module
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.init import normal_, zeros_
from ..nn.linear import Linear
from ..nn.pooling import MaxPool2d
from ..nn.shape import Flatten
from ..tensor import Tensor
from ..tensor_functions.elementwise import ReLU


class ThreeLayer(Module):
    """One padded convolution, 2x2 max pooling, a hidden layer; small random weights, biases of zero.

    Args:
        filters: Output channels of the convolution; default 32.
        filter_size: Height and width of its kernels, odd; default 7.
        hidden: Width of the hidden layer; default 100.
        classes: Number of classes; default 10.
        weight_scale: Standard deviation of the initial weights; default 1e-3.
        side: Height and width of the images, even; default 32.
    """

    def __init__(
        self,
        filters: int = 32,
        filter_size: int = 7,
        hidden: int = 100,
        classes: int = 10,
        weight_scale: float = 1e-3,
        side: int = 32,
    ) -> None:
        super().__init__()
        self.layers = Sequential(
            *(Conv2d(3, filters, filter_size, padding=filter_size // 2), ReLU(), MaxPool2d(2), Flatten()),
            *(Linear(filters * (side // 2) ** 2, hidden), ReLU()),
            Linear(hidden, classes),
        )
        for name, p in self.named_parameters():
            if name.endswith("weight"):
                normal_(p, std=weight_scale)
            else:
                zeros_(p)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, side, side) to scores (N, classes)."""
        return self.layers(images)
