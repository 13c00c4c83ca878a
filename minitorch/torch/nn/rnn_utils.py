"""Sequences of different lengths: ``torch.nn.utils.rnn``; packed sequences are not there."""

from __future__ import annotations

from collections.abc import Sequence

from ..joining import stack
from ..tensor import Tensor
from .resizing import pad


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0
) -> Tensor:
    """Join sequences (L, *) into a batch (longest L, N, *), with ``batch_first`` (N, longest L, *)."""
    longest = max(len(s) for s in sequences)
    padded = [pad(s, [0, 0] * (s.ndim - 1) + [0, longest - len(s)], value=padding_value) for s in sequences]
    return stack(padded, 0 if batch_first else 1)
