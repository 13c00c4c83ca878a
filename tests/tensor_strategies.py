"""Tensors to test with: 1 to 4 dimensions of 1 to 3, most of them permuted in storage."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis.strategies import DrawFn, SearchStrategy, composite, integers, lists, permutations, tuples

from minitorch import Tensor, TensorBackend, TensorData
from minitorch.tensor_ops.backend import find_backend

from .strategies import MOST, small_floats, small_ints

Shape = tuple[int, ...]


@composite
def shapes(draw: DrawFn, most: int = MOST) -> Shape:
    """Draw 1 to 4 sizes of 1 to 3, of at most ``most`` elements."""
    sizes: list[int] = []
    for _ in range(draw(integers(1, 4))):
        sizes.append(draw(integers(1, min(3, most // math.prod(sizes)))))
    return tuple(draw(permutations(sizes)))


@composite
def tensor_data(
    draw: DrawFn, numbers: SearchStrategy[float] = small_floats, shape: Shape | None = None, most: int = MOST
) -> TensorData:
    """Draw a TensorData (of ``shape``, if given) whose storage order is any permutation of its dimensions."""
    shape = draw(shapes(most)) if shape is None else shape
    size = math.prod(shape)
    elements = np.array(draw(lists(numbers, min_size=size, max_size=size)), np.float64)
    order = draw(permutations(range(len(shape))))
    stored = TensorData(elements, tuple(shape[i] for i in order))
    return stored.permute(*(order.index(i) for i in range(len(shape))))


def indices(layout: TensorData | Tensor) -> SearchStrategy[tuple[int, ...]]:
    """Draw a full index into ``layout``."""
    return tuples(*(integers(min_value=0, max_value=n - 1) for n in layout.shape))


@composite
def tensors(
    draw: DrawFn,
    numbers: SearchStrategy[float] = small_floats,
    backend: Any = None,
    shape: Shape | None = None,
    most: int = MOST,
) -> Tensor:
    """Draw a leaf in ``backend``, of ``shape`` or of at most ``most`` elements."""
    return _leaf(draw(tensor_data(numbers, shape, most)), find_backend(backend))


@composite
def shaped_tensors(
    draw: DrawFn,
    num_tensors: int,
    numbers: SearchStrategy[float] = small_floats,
    backend: Any = None,
    most: int = MOST,
) -> list[Tensor]:
    """Draw leaves of one shape of at most ``most`` elements; each has a storage order of its own."""
    shape = draw(shapes(most))
    return [draw(tensors(numbers, backend, shape)) for _ in range(num_tensors)]


@composite
def broadcastable_shapes(draw: DrawFn) -> tuple[Shape, Shape, Shape]:
    """Draw two shapes that broadcast, and the shape that they broadcast to."""
    both = draw(shapes())
    pair = []
    for _ in range(2):
        kept = tuple(n if draw(integers(0, 2)) else 1 for n in both)
        pair.append(kept[draw(integers(0, len(kept) - 1)) :])
    a, b = pair
    return a, b, np.broadcast_shapes(a, b)


@composite
def broadcastable_tensors(
    draw: DrawFn, numbers: SearchStrategy[float] = small_floats, backend: Any = None
) -> list[Tensor]:
    """Draw two leaves whose shapes broadcast."""
    return [draw(tensors(numbers, backend, shape)) for shape in draw(broadcastable_shapes())[:2]]


@composite
def matmul_tensors(
    draw: DrawFn, numbers: SearchStrategy[float] = small_floats, backend: Any = None
) -> list[Tensor]:
    """Draw two matrices that can be multiplied."""
    n, k, m = (draw(small_ints) for _ in range(3))
    return [draw(tensors(numbers, backend, shape)) for shape in ((n, k), (k, m))]


def _leaf(data: TensorData, backend: TensorBackend) -> Tensor:
    data.backend = backend
    return Tensor(data).requires_grad_(True)
