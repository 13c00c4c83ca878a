"""The classifier of points on tensors, from plain parameters: the layers come later in the course."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ..module import Module, Parameter
from ..tensor import Tensor, rand

Array = npt.NDArray[Any]


class Linear(Module):
    """``x @ weights + bias``."""

    def __init__(self, in_size: int, out_size: int, backend: Any = None) -> None:
        super().__init__()
        self.weights = Parameter(rand((in_size, out_size), backend) * 2 - 1)
        self.bias = Parameter(rand((out_size,), backend) * 2 - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_size) to (N, out_size)."""
        return x @ self.weights.value + self.bias.value

    def arrays(self) -> tuple[Array, Array]:
        """Return the weights (in_size, out_size) and the bias."""
        return self.weights.value.to_numpy(), self.bias.value.to_numpy()


class Network(Module):
    """2 -> hidden -> hidden -> 1, with ReLU between and a sigmoid at the end."""

    def __init__(self, hidden_layers: int, backend: Any = None) -> None:
        super().__init__()
        self.layer1 = Linear(2, hidden_layers, backend)
        self.layer2 = Linear(hidden_layers, hidden_layers, backend)
        self.layer3 = Linear(hidden_layers, 1, backend)

    def forward(self, x: Tensor) -> Tensor:
        """Map points (N, 2) to probabilities (N, 1) that the label is 1."""
        end = self.layer2(self.layer1(x).relu()).relu()
        return self.layer3(end).sigmoid()

    def arrays(self) -> list[tuple[Array, Array]]:
        """Return the weights and the bias of each layer."""
        return [layer.arrays() for layer in (self.layer1, self.layer2, self.layer3)]
