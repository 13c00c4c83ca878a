"""Layers of dropout, Dropout and Dropout2d: `functional.dropout` in training, the identity in evaluation.

Random numbers come from `minitorch.runtime.rng`, so that ``random.seed`` governs them in every backend.
"""

from __future__ import annotations

from ..module import Module
from ..tensor import Tensor
from . import functional
from .settings import number


class _Dropout(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = number(type(self).__name__, "p", p, 0, 1)

    def extra_repr(self) -> str:
        """Show the rate."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """In training, sets random elements to 0 and divides the others by ``1 - p`` (Srivastava et al., 2014).

    Args:
        p: The probability of an element to be dropped, in [0, 1]; by default 0.5.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape, which may be any."""
        return functional.dropout(x, self.p, not self.training, scale=True)


class Dropout2d(_Dropout):
    """As `Dropout`, but drops whole channels of (N, C, ...) (Tompson et al., 2015)."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, C, ...)."""
        functional.require_tensor("Dropout2d", x)
        if not self.training or self.p == 0:
            return x
        channels = x.zeros((*x.shape[:2], *(1 for _ in x.shape[2:]))) + 1.0
        return x * functional.dropout(channels, self.p, scale=True)
