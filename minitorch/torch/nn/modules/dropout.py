"""Dropout as Modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .module import Module


class _DropoutNd(Module):
    fn: Callable[..., Tensor]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Keep the shape."""
        return type(self).fn(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Sets elements to 0 with probability ``p`` in training, and divides the others by ``1 - p``."""

    fn: Any = staticmethod(F.dropout)


class Dropout1d(_DropoutNd):
    """Drops whole channels of (N, C, L)."""

    fn: Any = staticmethod(F.dropout1d)


class Dropout2d(_DropoutNd):
    """Drops whole channels of (N, C, H, W)."""

    fn: Any = staticmethod(F.dropout2d)


class Dropout3d(_DropoutNd):
    """Drops whole channels of (N, C, D, H, W)."""

    fn: Any = staticmethod(F.dropout3d)


class AlphaDropout(_DropoutNd):
    """Drops elements so that mean and variance of `SELU` stay."""

    fn: Any = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(_DropoutNd):
    """Drops whole channels so that mean and variance of `SELU` stay."""

    fn: Any = staticmethod(F.feature_alpha_dropout)
