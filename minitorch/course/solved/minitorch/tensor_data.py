"""Numbers in a row that are seen as a grid: storage, shape and strides (module 2)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

MAX_DIMS = 32

Storage: TypeAlias = npt.NDArray[np.float64]
OutIndex: TypeAlias = npt.NDArray[np.int32]
Index: TypeAlias = npt.NDArray[np.int32]
Shape: TypeAlias = npt.NDArray[np.int32]
Strides: TypeAlias = npt.NDArray[np.int32]
UserIndex: TypeAlias = Sequence[int]
UserShape: TypeAlias = Sequence[int]
UserStrides: TypeAlias = Sequence[int]


class IndexingError(RuntimeError):
    """An index or a shape that does not fit."""


# Numba compiles the next three for module 3, so they use numbers, loops and arrays only. CUDA kernels have index
# buffers of one length, `MAX_DIMS`: an index may be longer than the shape, and its end means nothing.


def index_to_position(index: Index, strides: Strides) -> int:
    """Return the place in the storage of the element with this index.

    Args:
        index: One number per dimension; it may be longer than ``strides``, and the rest of it does not count.
        strides: How far apart neighbours are in the storage, per dimension.
    """
    position = 0
    for i, stride in zip(index, strides):
        position += i * stride
    return position


def to_index(ordinal: int, shape: Shape, out_index: OutIndex) -> None:
    """Write the index of the element number ``ordinal`` into ``out_index``.

    Counting from 0 to the size of ``shape`` must give every index once. Row by row, the last dimension changes fastest.

    Args:
        ordinal: The number of the element.
        shape: The shape of the tensor.
        out_index: Where the index is written, one number per dimension of ``shape``; it may be longer.
    """
    left = ordinal + 0  # a plain number, also where `ordinal` belongs to a parallel loop
    for dim in range(len(shape) - 1, -1, -1):
        out_index[dim] = left % shape[dim]
        left = left // shape[dim]


def broadcast_index(big_index: Index, big_shape: Shape, shape: Shape, out_index: OutIndex) -> None:
    """Write into ``out_index`` where a small tensor has the element that a large one uses at ``big_index``.

    The two have been broadcast: dimensions are matched from the last one on, the small tensor may have fewer of them,
    and a size of 1 serves every index of the large one.

    Args:
        big_index: The index in the large tensor; it may be longer than ``big_shape``.
        big_shape: The shape of the large tensor.
        shape: The shape of the small one.
        out_index: Where the index in the small one is written.
    """
    extra = len(big_shape) - len(shape)
    for dim in range(len(shape)):
        out_index[dim] = big_index[dim + extra] if shape[dim] > 1 else 0


def shape_broadcast(shape1: UserShape, shape2: UserShape) -> UserShape:
    """Return the shape, a tuple, of the result when tensors of these shapes are combined.

    The shapes are matched from the last dimension on. Two sizes fit if they are equal or if one is 1; a missing
    dimension counts as 1.

    Raises:
        IndexingError: They do not fit.
    """
    dims = max(len(shape1), len(shape2))
    a = (1,) * (dims - len(shape1)) + tuple(shape1)
    b = (1,) * (dims - len(shape2)) + tuple(shape2)
    if any(m != n and m != 1 and n != 1 for m, n in zip(a, b)):
        raise IndexingError(f"cannot broadcast shapes {tuple(shape1)} and {tuple(shape2)}")
    return tuple(n if m == 1 else m for m, n in zip(a, b))


def strides_from_shape(shape: UserShape) -> UserStrides:
    """Return the strides of a tensor that is stored row by row."""
    return tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))


class TensorData:
    """A storage with a shape and strides.

    Attributes:
        shape: The sizes, a tuple.
        strides: The distance of neighbours in the storage, per dimension.
        dims: The number of dimensions.
        size: The number of elements.
    """

    def __init__(
        self, storage: Sequence[float] | Storage, shape: UserShape, strides: UserStrides | None = None
    ) -> None:
        # An array stays where it is, also one on a GPU.
        self._storage: Any = np.array(storage, np.float64) if isinstance(storage, list | tuple) else storage
        strides = strides_from_shape(shape) if strides is None else strides
        if len(strides) != len(shape):
            raise IndexingError(f"strides {tuple(strides)} do not fit the shape {tuple(shape)}")
        self.shape = tuple(shape)
        self.strides = tuple(strides)
        self._shape = np.array(shape, np.int32)
        self._strides = np.array(strides, np.int32)
        self.dims = len(shape)
        self.size = math.prod(shape)
        if len(self._storage) != self.size:
            raise IndexingError(f"{len(self._storage)} elements do not fit the shape {self.shape}")

    def to_cuda_(self) -> None:
        """Move the storage to the GPU, if it is not there."""
        if isinstance(self._storage, np.ndarray):
            from numba import cuda  # modules 0 to 2 do without Numba

            self._storage = cuda.to_device(self._storage)

    def is_contiguous(self) -> bool:
        """Tell whether the elements are stored row by row."""
        return self.strides == tuple(strides_from_shape(self.shape))

    @staticmethod
    def shape_broadcast(shape_a: UserShape, shape_b: UserShape) -> UserShape:
        """Return the shape that both broadcast to."""
        return shape_broadcast(shape_a, shape_b)

    def index(self, index: int | UserIndex) -> int:
        """Return the place of an index in the storage.

        Raises:
            IndexingError: The index is too long, too short or out of range.
        """
        wanted = (index,) if isinstance(index, int) else tuple(index)
        if len(wanted) != self.dims:
            raise IndexingError(f"index {wanted} must have {self.dims} numbers for the shape {self.shape}")
        if any(not 0 <= i < n for i, n in zip(wanted, self.shape)):
            raise IndexingError(f"index {wanted} is out of range for the shape {self.shape}")
        return int(index_to_position(np.array(wanted, np.int32), self._strides))

    def indices(self) -> Iterator[UserIndex]:
        """Yield every index."""
        found = np.zeros(self.dims, np.int32)
        for i in range(self.size):
            to_index(i, self._shape, found)
            yield tuple(int(x) for x in found)

    def sample(self) -> UserIndex:
        """Return a random index."""
        return tuple(random.randrange(n) for n in self.shape)

    def get(self, key: int | UserIndex) -> float:
        """Return the element with this index."""
        return float(self._storage[self.index(key)])

    def set(self, key: int | UserIndex, val: float) -> None:
        """Change the element with this index."""
        self._storage[self.index(key)] = val

    def tuple(self) -> tuple[Any, Any, Any]:
        """Return storage, shape and strides, as the kernels take them."""
        return self._storage, self._shape, self._strides

    def permute(self, *order: int) -> TensorData:
        """Return a TensorData whose dimension number i is this one's dimension ``order[i]``.

        It shares the storage: nothing is copied, so think about what becomes of shape and strides.
        """
        if sorted(order) != list(range(self.dims)):
            raise IndexingError(f"order {order} must name each of the {self.dims} dimensions once")
        return TensorData(self._storage, [self.shape[i] for i in order], [self.strides[i] for i in order])

    def to_string(self) -> str:
        """Return the elements in nested brackets."""

        def text(index: Iterable[int]) -> str:
            index = list(index)
            if len(index) == self.dims:
                return f"{self.get(index):.2f}"
            rows = [text([*index, i]) for i in range(self.shape[len(index)])]
            last = len(index) == self.dims - 1
            return "[" + (", " if last else ",\n" + " " * (len(index) + 1)).join(rows) + "]"

        return text([])
