"""What scripts ask about a tensor: bytes, memory, and kinds of tensors that are not here."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor, to_array

# Kinds of tensors that no tensor is here.
NEVER = (
    "is_ipu", "is_maia", "is_meta", "is_mkldnn", "is_mps", "is_mtia", "is_nested", "is_quantized", "is_sparse",
    "is_sparse_csr", "is_vulkan", "is_xla", "is_xpu",
)  # fmt: skip


def no(input: Tensor) -> bool:
    """Return False."""
    return False


def single(input: Tensor) -> Any:
    """Return the number of a single element, for ``float``, ``int`` and ``complex``.

    Raises:
        ValueError: There are more.
    """
    if input.numel() != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return input.item()


def imag(input: Tensor) -> Any:
    """Refuse: numbers are real here.

    Raises:
        RuntimeError: Always, as in PyTorch.
    """
    raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")


def nbytes(input: Tensor) -> int:
    """Return the bytes of all elements."""
    return input.numel() * input.element_size()


def new(input: Tensor, *data: Any) -> Tensor:
    """Make a tensor of the same dtype: of sizes, or of numbers."""
    return Tensor(*data).to(input.dtype)


class Storage:
    """The memory of a tensor, as far as scripts ask about it: elements, or bytes."""

    def __init__(self, t: Tensor, as_bytes: bool) -> None:
        self._tensor = t if t._base is None else t._base
        self._as_bytes = as_bytes

    def _values(self) -> Any:
        values = np.ascontiguousarray(to_array(self._tensor)).reshape(-1)
        return values.view(np.uint8) if self._as_bytes else values

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self._tensor.data_ptr()

    def size(self) -> int:
        """Return the number of elements."""
        return len(self)

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return nbytes(self._tensor)

    def tolist(self) -> list[Any]:
        """Return the numbers in the order of memory."""
        return list(self._values().tolist())

    def __len__(self) -> int:
        return len(self._values())

    def __getitem__(self, k: int) -> Any:
        return self._values()[k].item()


def storage(input: Tensor) -> Storage:
    """Return the memory of the tensor, as elements."""
    return Storage(input, False)


def untyped_storage(input: Tensor) -> Storage:
    """Return the memory of the tensor, as bytes."""
    return Storage(input, True)


def storage_offset(input: Tensor) -> int:
    """Return how many elements of the shared memory lie before the first."""
    if input._base is None:
        return 0
    return (input.data_ptr() - input._base.data_ptr()) // input.element_size()


def is_shared(input: Tensor) -> bool:
    """Return False: memory is not shared between processes."""
    return False
