"""The layer Embedding: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..tensor import Tensor, randn
from ..tensor_data import number_array
from ..tensor_functions.nn import Take
from .settings import layer_size


class Embedding(Module):
    """A table of vectors, looked up by number; the gradient of a vector is the sum over its look-ups.

    Parameter: ``weight`` (num_embeddings, embedding_dim), at first standard normal.

    Args:
        num_embeddings: Number of vectors.
        embedding_dim: Length of a vector.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings = layer_size("Embedding", "num_embeddings", num_embeddings, 0)
        self.embedding_dim = layer_size("Embedding", "embedding_dim", embedding_dim, 0)
        self.weight = Parameter(randn((self.num_embeddings, self.embedding_dim)))

    def forward(self, numbers: Any) -> Tensor:
        """Map whole numbers of any shape (an array, a list or a Tensor) to (*shape, embedding_dim).

        Raises:
            IndexingError: A number is not in 0..num_embeddings-1, or nested lists are of unequal lengths.
            TypeError: A number is not whole.
        """
        given = number_array("Embedding", numbers, np.dtype(np.float64))
        with np.errstate(invalid="ignore"):
            rows = given.astype(np.int64)
        if (rows != given).any():
            raise TypeError(f"Embedding: expected whole numbers, got {given[rows != given].flat[0]}")
        out: Tensor = Take.apply(self.weight.value, rows=rows.reshape(-1))
        return out.view(*rows.shape, self.embedding_dim)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"
