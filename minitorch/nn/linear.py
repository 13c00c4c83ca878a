"""Layers: modules with parameters around the functions of `minitorch.nn`.

Names, argument order, defaults, parameter names and layouts are PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..runtime import rng
from ..tensor import Tensor, randn, tensor
from ..tensor_data import IndexingError, get_default_dtype
from ..tensor_functions.nn import Take
from . import functional
from .containers import fuses

Size = int | tuple[int, int]


def uniform_parameter(shape: tuple[int, ...], bound: float) -> Parameter:
    """Return a Parameter with values uniform in ±``bound``, of the default dtype and backend."""
    return Parameter(tensor(rng.uniform(shape, -bound, bound), dtype=get_default_dtype()))


class Linear(Module):
    """``x @ weight.T + bias`` for inputs (..., in_features).

    Parameters: ``weight`` (out_features, in_features), ``bias`` (out_features,); uniform in ±1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        self.weight = uniform_parameter((out_features, in_features), bound)
        self.bias = uniform_parameter((out_features,), bound) if bias else None

    @fuses
    def forward(self, x: Tensor, activation: str = "none") -> Tensor:
        """Map (..., in_features) to (..., out_features), and activate ("none" or "relu").

        Raises:
            IndexingError: The last size of ``x`` is not in_features.
        """
        if not x.dims or x.shape[-1] != self.in_features:
            raise IndexingError(
                f"Linear expects {self.in_features} features in the last dimension, "
                f"and the input of shape {x.shape} has {x.shape[-1] if x.dims else 'none'}"
            )
        rows = x if x.dims == 2 else x.reshape(-1, self.in_features)
        bias = None if self.bias is None else self.bias.value
        out = functional.linear(rows, self.weight.value, bias, activation=activation)
        return out if x.dims == 2 else out.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Merges the dimensions from ``start_dim`` to ``end_dim``."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, ...) to (N, elements)."""
        return x.flatten(self.start_dim, self.end_dim)


class Embedding(Module):
    """A table of vectors, looked up by number.

    Parameter: ``weight`` (num_embeddings, embedding_dim), standard normal.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Parameter(randn((num_embeddings, embedding_dim)))

    def forward(self, numbers: Any) -> Tensor:
        """Map whole numbers of any shape (an array, a list or a Tensor) to (*shape, embedding_dim).

        Raises:
            IndexingError: A number is not that of a vector.
            TypeError: A number is not whole.
        """
        given = np.asarray(numbers)
        rows = given.astype(np.int64)
        if (rows != given).any():
            raise TypeError("Embedding looks up whole numbers")
        out: Tensor = Take.apply(self.weight.value, rows=rows.reshape(-1))
        return out.view(*rows.shape, self.embedding_dim)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"


class Identity(Module):
    """Gives its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` itself."""
        return x
