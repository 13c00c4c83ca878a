"""Optimizers: they change Parameters against their derivatives (module 1)."""

from __future__ import annotations

from collections.abc import Sequence

from .module import Parameter
from .scalar import Scalar


class Optimizer:
    """The base of optimizers; it holds the Parameters."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = parameters


class SGD(Optimizer):
    """Gradient descent: each step subtracts ``lr`` times the derivative. It serves Scalars and Tensors."""

    def __init__(self, parameters: Sequence[Parameter], lr: float = 1.0) -> None:
        super().__init__(parameters)
        self.lr = lr

    def zero_grad(self) -> None:
        """Forget the derivatives."""
        for p in self.parameters:
            if isinstance(p.value, Scalar):
                p.value.derivative = None
            else:
                p.value.grad = None

    def step(self) -> None:
        """Change each Parameter that has a derivative."""
        for p in self.parameters:
            if isinstance(p.value, Scalar):
                if p.value.derivative is not None:
                    p.update(Scalar(p.value.data - self.lr * p.value.derivative))
            elif p.value.grad is not None:
                p.update((p.value - self.lr * p.value.grad).detach())
