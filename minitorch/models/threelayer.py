"""The three-layer network of the CS231n assignment: convolution, ReLU, pooling, affine, ReLU, affine."""

from __future__ import annotations

from minitorch import Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, Tensor, init


class ThreeLayer(Module):
    """One padded convolution, 2x2 max pooling, a hidden layer; small random weights, biases of zero.

    Args:
        filters: Of the convolution.
        filter_size: Their side, odd.
        hidden: Width of the hidden layer.
        classes: Number of scores.
        weight_scale: Standard deviation of the first weights.
        side: Of the images, even.
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
                init.normal_(p, std=weight_scale)
            else:
                init.zeros_(p)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, side, side) to scores (N, classes)."""
        return self.layers(images)
