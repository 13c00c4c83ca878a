"""Part of layers."""

from __future__ import annotations

from ..module import Module
from ..tensor import Tensor
from . import functional


class _Drop(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"the dropout rate must be between 0 and 1, not {p}")
        self.p = p

    def extra_repr(self) -> str:
        """Show the rate."""
        return f"p={self.p}"


class Dropout(_Drop):
    """In training, sets random elements to 0 and divides the kept ones by ``1 - p``; in evaluation, the identity."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return functional.dropout(x, self.p, not self.training, scale=True)


class Dropout2d(_Drop):
    """As `Dropout`, but drops whole channels of (N, C, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        if not self.training or self.p == 0:
            return x
        kept = x.zeros((*x.shape[:2], *(1 for _ in x.shape[2:]))) + 1.0
        return x * functional.dropout(kept, self.p, scale=True)
