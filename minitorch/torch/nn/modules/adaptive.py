"""AdaptiveLogSoftmaxWithLoss: a softmax over many classes whose rare ones are in clusters (Grave et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...elementwise import add, neg, where
from ...indexing import gather
from ...joining import cat
from ...reductions import argmax, log_softmax, mean
from ...shapes import unsqueeze
from ...tensor import Tensor, from_array, to_array
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module


class ASMoutput(NamedTuple):
    """The log-probabilities of the targets, and the loss."""

    output: Tensor
    loss: Tensor


ASMoutput.__name__ = ASMoutput.__qualname__ = "_ASMoutput"


class AdaptiveLogSoftmaxWithLoss(Module):
    """A log-softmax whose head has the frequent classes and the clusters of the rare ones.

    Args:
        in_features: Width of the inputs.
        n_classes: Number of classes, sorted by frequency.
        cutoffs: Where each cluster begins; increasing, below ``n_classes``.
        div_value: How much narrower each next cluster is, by default 4.
        head_bias: Whether the head has a bias.
        device: Where the parameters are.
        dtype: Their dtype.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        ends = list(cutoffs)
        if not ends:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if ends != sorted(set(ends)) or min(ends) <= 0 or max(ends) > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.in_features, self.n_classes, self.div_value = in_features, n_classes, div_value
        self.cutoffs, self.head_bias = [*ends, n_classes], head_bias
        self.shortlist_size, self.n_clusters = ends[0], len(ends)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, **made)
        self.tail = ModuleList()
        for k in range(self.n_clusters):
            width = int(in_features // div_value ** (k + 1))
            size = self.cutoffs[k + 1] - self.cutoffs[k]
            self.tail.append(
                Sequential(Linear(in_features, width, False, **made), Linear(width, size, False, **made))
            )

    def reset_parameters(self) -> None:
        """Draw initial values."""
        self.head.reset_parameters()
        for inner, outer in self.tail:
            inner.reset_parameters()
            outer.reset_parameters()

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, (N, n_classes)."""
        head = log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for k, tail in enumerate(self.tail):
            cluster = unsqueeze(head[:, self.shortlist_size + k], 1)
            parts.append(add(log_softmax(tail(input), 1), cluster))
        return cat(parts, 1)

    def forward(self, input: Tensor, target_: Tensor) -> ASMoutput:
        """Return the log-probabilities of the targets (N,) and their negative mean."""
        alone = target_.ndim == 0
        rows, labels = (unsqueeze(input, 0), unsqueeze(target_, 0)) if alone else (input, target_)
        if rows.shape[0] != labels.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        numbers = to_array(labels)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{numbers.min()}, "
                f"{numbers.max()}] were found. "
            )
        places = from_array(np.array(numbers)[:, None], input.device)
        output = gather(self.log_prob(rows), 1, places).squeeze(1)
        loss = neg(mean(output))
        return ASMoutput(output.squeeze(0) if alone else output, loss)

    def predict(self, input: Tensor) -> Tensor:
        """Return the most probable class of each sample."""
        likely = argmax(self.head(input), dim=1)
        frequent = likely < self.shortlist_size
        return where(frequent, likely, argmax(self.log_prob(input), dim=1))
