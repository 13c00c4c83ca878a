"""The network of the torch exercises: three unpadded convolutions and one linear layer."""

from __future__ import annotations

from ..module import Module
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.linear import Linear
from ..nn.losses import cross_entropy
from ..nn.pooling import MaxPool2d
from ..nn.shape import Flatten
from ..tensor import Tensor
from ..tensor_functions.elementwise import ReLU


class CNN(Module):
    """5x5 1 -> 16, pooled; 3x3 16 -> 16, pooled; 2x2 16 -> 32; 512 -> 10. A ReLU follows each convolution.

    Attributes:
        loss: The loss to train with: `cross_entropy`.
    """

    loss = staticmethod(cross_entropy)

    def __init__(self) -> None:
        super().__init__()
        self.features = Sequential(
            *(Conv2d(1, 16, 5), ReLU(), MaxPool2d(2)),
            *(Conv2d(16, 16, 3), ReLU(), MaxPool2d(2)),
            *(Conv2d(16, 32, 2), ReLU(), Flatten()),
        )
        self.head = Linear(512, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28), whose sides become 24, 12, 10, 5 and 4, to scores (N, 10)."""
        return self.head(self.features(images))
