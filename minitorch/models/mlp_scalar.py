"""The classifier of points on Scalars: every weight, sum and product is a node of the graph."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..module import Module, Parameter
from ..scalar import Scalar

Array = npt.NDArray[Any]


class Linear(Module):
    """``out_size`` weighted sums of ``in_size`` scalars, each weight a Parameter of its own."""

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        columns = range(out_size)
        self.weights = [[self._random(f"weight_{i}_{j}") for j in columns] for i in range(in_size)]
        self.bias = [self._random(f"bias_{j}") for j in columns]

    def _random(self, name: str) -> Parameter:
        return self.add_parameter(name, Scalar(random.uniform(-1, 1)))

    def forward(self, inputs: Sequence[Scalar]) -> list[Scalar]:
        """Return the sums."""
        sums = [b.value for b in self.bias]
        for x, row in zip(inputs, self.weights):
            sums = [y + x * w.value for y, w in zip(sums, row)]
        return sums

    def arrays(self) -> tuple[Array, Array]:
        """Return the weights (in_size, out_size) and the bias."""
        weights = [[w.value.data for w in row] for row in self.weights]
        return np.array(weights), np.array([b.value.data for b in self.bias])


class Network(Module):
    """2 -> hidden -> hidden -> 1, with ReLU between and a sigmoid at the end."""

    def __init__(self, hidden_layers: int) -> None:
        super().__init__()
        self.layer1 = Linear(2, hidden_layers)
        self.layer2 = Linear(hidden_layers, hidden_layers)
        self.layer3 = Linear(hidden_layers, 1)

    def forward(self, x: Sequence[Scalar]) -> Scalar:
        """Map a point to the probability that its label is 1."""
        middle = [h.relu() for h in self.layer1(x)]
        end = [h.relu() for h in self.layer2(middle)]
        return self.layer3(end)[0].sigmoid()

    def arrays(self) -> list[tuple[Array, Array]]:
        """Return the weights and the bias of each layer."""
        return [layer.arrays() for layer in (self.layer1, self.layer2, self.layer3)]
