"""Layers that change the shape of their input or nothing at all: Flatten and Identity."""

from __future__ import annotations

from ..module import Module
from ..tensor import Tensor
from .functional import require_tensor


class Flatten(Module):
    """Makes one dimension of those from ``start_dim`` to ``end_dim``.

    Args:
        start_dim: The first of them, by default 1: the batch stays.
        end_dim: The last of them, by default -1.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, ...) to (N, elements), by default.

        Raises:
            IndexingError: ``x`` does not have these dimensions.
        """
        require_tensor("Flatten", x)
        return x.flatten(self.start_dim, self.end_dim)


class Identity(Module):
    """Gives its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` itself."""
        return x
