"""The layer Embedding: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..tensor import Tensor, randn
from ..tensor_functions.nn import Take


class Embedding(Module):
    """A table of vectors, looked up by number; the gradient of a vector is the sum over its look-ups.

    Parameter: ``weight`` (num_embeddings, embedding_dim), at first standard normal.

    Args:
        num_embeddings: Number of vectors.
        embedding_dim: Length of a vector.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Parameter(randn((num_embeddings, embedding_dim)))

    def forward(self, numbers: Any) -> Tensor:
        """Map whole numbers of any shape (an array, a list or a Tensor) to (*shape, embedding_dim).

        Raises:
            IndexingError: A number is not in 0..num_embeddings-1.
            TypeError: A number is not whole.
        """
        given = np.asarray(numbers)
        if given.dtype.kind not in "biuf":
            raise TypeError(
                f"Embedding: expected whole numbers, got {type(numbers).__name__} of {given.dtype}"
            )
        rows = given.astype(np.int64)
        if (rows != given).any():
            raise TypeError(f"Embedding: expected whole numbers, got {given[rows != given].flat[0]}")
        out: Tensor = Take.apply(self.weight.value, rows=rows.reshape(-1))
        return out.view(*rows.shape, self.embedding_dim)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"
