"""A convolutional network for sentences (Kim, "Convolutional Neural Networks for Sentence Classification", 2014)."""

from __future__ import annotations

from typing import Any

from ..module import Module
from ..nn.conv import Conv1d
from ..nn.dropout import Dropout
from ..nn.embedding import Embedding
from ..nn.linear import Linear
from ..nn.losses import cross_entropy
from ..tensor import Tensor, cat

WIDTHS = (3, 4, 5)  # words that a convolution sees


class SentenceCNN(Module):
    """Word vectors; convolutions of width 3, 4 and 5 over time with ReLU; the largest value over time; dropout; linear.

    Args:
        words: Rows of the table of word vectors.
        size: Length of a word vector.
        channels: Output channels of each convolution, by default 100.
        rate: The share that dropout sets to 0, by default 0.5.
        classes: Number of classes, by default 2.

    Attributes:
        loss: The loss to train with: `cross_entropy`.
    """

    loss = staticmethod(cross_entropy)

    def __init__(
        self, words: int, size: int, channels: int = 100, rate: float = 0.5, classes: int = 2
    ) -> None:
        super().__init__()
        self.vectors = Embedding(words, size)
        for width in WIDTHS:
            setattr(self, f"conv{width}", Conv1d(size, channels, width))
        self.dropout = Dropout(rate)
        self.linear = Linear(channels * len(WIDTHS), classes)

    def forward(self, rows: Any) -> Tensor:
        """Map numbers of words (N, L), L at least 5, to scores (N, classes)."""
        x = self.vectors(rows).permute(0, 2, 1)  # (N, size, L)
        tops = [getattr(self, f"conv{width}")(x, act="relu").max(2) for width in WIDTHS]  # (N, channels, 1)
        joined = cat(tops, 1)
        return self.linear(self.dropout(joined.view(joined.shape[0], joined.shape[1])))
