"""LeNet as the course page draws it: small enough to watch its hidden channels while it learns."""

from __future__ import annotations

import minitorch


class LeNet(minitorch.Module):
    """Two anchored 3x3 convolutions (4, 8 channels), 4x4 average pooling, 392 -> 64 -> 10, log-softmax.

    Attributes:
        mid: What the last batch gave after the first convolution and ReLU, (N, 4, 28, 28).
        out: What it gave after the second, (N, 8, 28, 28).
    """

    loss = staticmethod(minitorch.nll_loss)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = minitorch.Conv2d(1, 4, 3, padding="anchored")
        self.conv2 = minitorch.Conv2d(4, 8, 3, padding="anchored")
        self.pool = minitorch.AvgPool2d(4)
        self.linear1 = minitorch.Linear(392, 64)
        self.dropout = minitorch.Dropout(0.25)
        self.linear2 = minitorch.Linear(64, 10)
        self.mid: minitorch.Tensor | None = None
        self.out: minitorch.Tensor | None = None

    def forward(self, images: minitorch.Tensor) -> minitorch.Tensor:
        """Map images (N, 1, 28, 28) to log-probabilities (N, 10)."""
        mid = self.conv1(images, act="relu")
        out = self.conv2(mid, act="relu")
        self.mid, self.out = mid.detach(), out.detach()
        hidden = self.linear1(self.pool(out).flatten(1), act="relu")
        return minitorch.logsoftmax(self.linear2(self.dropout(hidden)), 1)
