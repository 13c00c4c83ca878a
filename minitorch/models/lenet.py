"""LeNet as on the course page; its hidden channels are kept, so that they can be shown during training."""

from __future__ import annotations

from ..module import Module
from ..nn.conv import Conv2d
from ..nn.dropout import Dropout
from ..nn.functional import logsoftmax
from ..nn.linear import Linear
from ..nn.losses import nll_loss
from ..nn.pooling import AvgPool2d
from ..tensor import Tensor


class LeNet(Module):
    """Two 3x3 convolutions (4, 8 channels) with ReLU, 4x4 average pooling, 392 -> 64 -> 10, log-softmax.

    The convolutions are padded on the right and at the bottom, as in the course.

    Attributes:
        loss: The loss to train with: `nll_loss`.
        mid: The activations of the last batch after the first convolution and ReLU, (N, 4, 28, 28).
        out: Those after the second, (N, 8, 28, 28).
    """

    loss = staticmethod(nll_loss)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Conv2d(1, 4, 3, padding="anchored")
        self.conv2 = Conv2d(4, 8, 3, padding="anchored")
        self.pool = AvgPool2d(4)
        self.linear1 = Linear(392, 64)
        self.dropout = Dropout(0.25)
        self.linear2 = Linear(64, 10)
        self.mid: Tensor | None = None
        self.out: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to log-probabilities (N, 10)."""
        mid = self.conv1(images, act="relu")
        out = self.conv2(mid, act="relu")
        self.mid, self.out = mid.detach(), out.detach()
        hidden = self.linear1(self.pool(out).flatten(1), act="relu")
        return logsoftmax(self.linear2(self.dropout(hidden)), 1)
