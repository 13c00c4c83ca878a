"""Sequences of different lengths, padded and packed: ``torch.nn.utils.rnn``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...indexing import index_select
from ...joining import stack
from ...shapes import reshape, transpose
from ...tensor import Tensor, from_array, to_array
from ..resizing import pad


class PackedSequence(NamedTuple):
    """Sequences sorted by length, without padding: all first elements, all second ones, ...

    Attributes:
        data: The elements, (sum of ``batch_sizes``, *).
        batch_sizes: How many sequences have a first element, a second one, ...
        sorted_indices: The number that each sequence had before; None if they were sorted.
        unsorted_indices: The place of each sequence in the order before.
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None

    def _with(self, data: Any) -> PackedSequence:
        return PackedSequence(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences with the elements on another device or in another dtype."""
        return self._with(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        """Return the sequences on the CPU."""
        return self._with(self.data.cpu())

    def cuda(self) -> PackedSequence:
        """Return the sequences on the GPU."""
        return self._with(self.data.cuda())

    def double(self) -> PackedSequence:
        """Return the sequences in float64."""
        return self._with(self.data.double())

    def float(self) -> PackedSequence:
        """Return the sequences in float32."""
        return self._with(self.data.float())

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the places of 0, 1, 2, ... in a permutation."""
    return None if permutation is None else from_array(np.argsort(to_array(permutation)), permutation.device)


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:  # fmt: skip
    """Join sequences (L, *) into a batch (longest L, N, *), with ``batch_first`` (N, longest L, *)."""
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if padding_side not in ("right", "left"):
        raise RuntimeError("pad_sequence: expected padding_side 'left' or 'right'")
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    longest = max(len(s) for s in listed)
    padded = []
    for s in listed:
        missing = longest - len(s)
        ends = [0, missing] if padding_side == "right" else [missing, 0]
        padded.append(pad(s, [0, 0] * (s.ndim - 1) + ends, value=padding_value))
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """Return the sequences (L, *) of a padded batch."""
    rows = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    return [row[: int(n)] for row, n in zip(rows, to_array(lengths))]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch (L, N, *), with ``batch_first`` (N, L, *).

    Args:
        input: The batch.
        lengths: The length of each sequence, at least 1.
        batch_first: Whether the batch is the first dimension.
        enforce_sorted: Whether the sequences have to be sorted already, the longest first.

    Raises:
        RuntimeError: The lengths do not fit, or are not sorted.
    """
    counts = np.asarray(to_array(lengths), np.int64)
    rows = transpose(input, 0, 1) if batch_first else input
    if counts.shape != (rows.shape[1],):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {counts.size} (batch_size={rows.shape[1]})"
        )
    if counts.size and counts.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
        rows = index_select(rows, 1, from_array(order, input.device))
    elif (np.diff(counts) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if counts.size and counts[0] > rows.shape[0]:
        raise RuntimeError(
            f"Expected lengths of at most {rows.shape[0]}, the length of the padded sequences, but got {counts[0]}"
        )
    steps, n = int(counts.max(initial=0)), rows.shape[1]
    places = np.flatnonzero(np.arange(steps)[:, None] < counts)
    flat = reshape(rows[:steps], steps * n, *rows.shape[2:])
    sizes = (np.arange(steps)[:, None] < counts).sum(1)
    indices = None if order is None else from_array(order, input.device)
    data = index_select(flat, 0, from_array(places, input.device))
    return PackedSequence(data, from_array(sizes), indices, invert_permutation(indices))


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences (L, *)."""
    lengths = from_array(np.array([len(s) for s in sequences]))
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return a padded batch and the lengths of the sequences, in their order before packing.

    Raises:
        ValueError: ``total_length`` is less than the longest length.
    """
    sizes = to_array(sequence.batch_sizes)
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(
            f"Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
    n, data = int(sizes[0]), sequence.data
    ends = np.cumsum(sizes)
    parts = []
    for end, size in zip(ends, sizes):
        step = data[int(end - size) : int(end)]
        parts.append(pad(step, [0, 0] * (data.ndim - 1) + [0, n - int(size)], value=padding_value))
    missing = 0 if total_length is None else total_length - steps
    if missing:
        parts += [data.new_full((n, *data.shape[1:]), padding_value)] * missing
    batch = stack(parts)
    lengths = (sizes[:, None] > np.arange(n)).sum(0)
    if sequence.unsorted_indices is not None:
        batch = index_select(batch, 1, sequence.unsorted_indices)
        lengths = lengths[to_array(sequence.unsorted_indices)]
    return transpose(batch, 0, 1) if batch_first else batch, from_array(lengths)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the list of sequences (L, *)."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
