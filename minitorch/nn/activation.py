"""Layers of activations with a setting: LeakyReLU, GELU, Softmax, LogSoftmax.

Activations without one are Functions of `minitorch.tensor_functions`, which serve as layers too: ``ReLU()``,
``Sigmoid()``, ``Tanh()``. Names, argument order and defaults are PyTorch's.
"""

from __future__ import annotations

from ..module import Module
from ..tensor import Tensor
from ..tensor_functions.elementwise import GELUFun, GELUTanhFun, LeakyReLUFun
from . import functional
from .settings import number


class LeakyReLU(Module):
    """``x`` where it is positive, else ``negative_slope * x`` (Maas, Hannun and Ng, 2013).

    Args:
        negative_slope: Default 0.01; also the derivative at 0.
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return LeakyReLUFun.apply(x, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        """Show the slope."""
        return f"negative_slope={self.negative_slope}"


class GELU(Module):
    """``x`` times the probability that a standard normal number is below ``x`` (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none" (default): exact, by the error function; "tanh": the paper's approximation, within 1e-3.

    Raises:
        ValueError: ``approximate`` is another word.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU: expected approximate "none" or "tanh", got {approximate!r}')
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return GELUFun.apply(x) if self.approximate == "none" else GELUTanhFun.apply(x)

    def extra_repr(self) -> str:
        """Show the formula."""
        return f"approximate={self.approximate!r}"


class Softmax(Module):
    """``e ** x / sum(e ** x)`` along ``dim``, which may be negative; see `functional.softmax`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return functional.softmax(x, self.dim)


class LogSoftmax(Module):
    """``x - ln(sum(e ** x))`` along ``dim``, which may be negative; see `functional.logsoftmax`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return functional.logsoftmax(x, self.dim)
