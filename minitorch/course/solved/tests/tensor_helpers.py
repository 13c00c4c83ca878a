"""Tensors to test with, most of them not contiguous, and checks that serve every backend."""

import math
from typing import Any

from hypothesis import assume, settings
from hypothesis.strategies import DataObject, DrawFn, SearchStrategy, composite, integers, lists, permutations

import minitorch
from minitorch import MathTest, MathTestVariable, Tensor, TensorBackend, TensorData

from .helpers import EXAMPLES, close, same, small_floats

Shape = tuple[int, ...]
# For kernels in the simulator, where a thread is a thread of Python, and for long tests.
few = settings(max_examples=min(EXAMPLES, 2))
# For gradients, where differences call a function twice for each element, and for kernels that run as Python.
some = settings(max_examples=max(EXAMPLES // 4, 1))

# Where a function has a step, a kink or a pole, and how far its argument must stay from there.
EDGES = {"relu": -5.5, "complex": -0.7, "inv": -3.5}


@composite
def shapes(draw: DrawFn, most: int = 4, elements: int = 27) -> Shape:
    """Draw 1 to ``most`` sizes of 1 to 3, of at most that many ``elements``."""
    sizes: list[int] = []
    for _ in range(draw(integers(1, most))):
        sizes.append(draw(integers(1, min(3, elements // math.prod(sizes)))))
    return tuple(draw(permutations(sizes)))


@composite
def tensor_data(
    draw: DrawFn,
    shape: Shape | None = None,
    numbers: SearchStrategy[float] = small_floats,
    most: int = 4,
    elements: int = 27,
) -> TensorData:
    """Draw a TensorData whose dimensions are stored in any order."""
    shape = draw(shapes(most, elements)) if shape is None else shape
    size = math.prod(shape)
    storage = draw(lists(numbers, min_size=size, max_size=size))
    strides, step = [0] * len(shape), 1
    for dim in draw(permutations(range(len(shape)))):
        strides[dim] = step
        step *= shape[dim]
    return TensorData(storage, shape, tuple(strides))


@composite
def tensors(
    draw: DrawFn,
    backend: TensorBackend,
    shape: Shape | None = None,
    numbers: SearchStrategy[float] = small_floats,
    most: int = 4,
    elements: int = 27,
) -> Tensor:
    """Draw a leaf."""
    return Tensor(draw(tensor_data(shape, numbers, most, elements)), backend=backend).requires_grad_(True)


def all_indices(shape: Shape) -> list[Shape]:
    """Return all indices of a shape."""
    found: list[Shape] = [()]
    for size in shape:
        found = [(*index, i) for index in found for i in range(size)]
    return found


def check_one(backend: TensorBackend, name: str, data: DataObject, most: int = 4) -> None:
    """Compare a function of one tensor with the function of floats, element by element."""
    t = data.draw(tensors(backend, most=most))
    got = getattr(MathTestVariable, name)(t)
    same(tuple(got.shape), tuple(t.shape), f"shape of {name}")
    for index in all_indices(t.shape):
        close(got[index], getattr(MathTest, name)(t[index]), f"{name} at {index}, of {t[index]}")


def check_two(backend: TensorBackend, name: str, data: DataObject, most: int = 4) -> None:
    """Compare a function of two tensors with the function of floats, element by element."""
    a = data.draw(tensors(backend, most=most))
    b = data.draw(tensors(backend, shape=a.shape))
    assume(name != "div2" or all(abs(b[index] + 5.5) > 0.1 for index in all_indices(b.shape)))
    got = getattr(MathTestVariable, name)(a, b)
    for index in all_indices(a.shape):
        expected = getattr(MathTest, name)(a[index], b[index])
        close(got[index], expected, f"{name} at {index}, of {a[index]} and {b[index]}")


def check_reduction(backend: TensorBackend, name: str, data: DataObject, most: int = 3) -> None:
    """Compare a reduction with a loop over the elements."""
    t = data.draw(tensors(backend, most=most))
    got = getattr(MathTestVariable, name)(t)
    full = name == "mean_full_red"
    same(tuple(got.shape), (1,) if full else (1, *t.shape[1:]), f"shape of {name} of {t.shape}")
    for index in all_indices(got.shape):
        elements = [t[i] for i in all_indices(t.shape) if full or i[1:] == index[1:]]
        close(got[index], getattr(MathTest, name)(elements), f"{name} at {index} of {elements}")


def check_gradient(backend: TensorBackend, name: str, data: DataObject, elements: int = 8) -> None:
    """Compare the gradient of a function of one tensor, or of a reduction, with differences."""
    t = data.draw(tensors(backend, elements=elements))
    edge = EDGES.get(name)
    assume(edge is None or all(abs(t[index] - edge) > 0.2 for index in all_indices(t.shape)))
    minitorch.grad_check(getattr(MathTestVariable, name), t)


def check_two_gradients(
    backend: TensorBackend, name: str, data: DataObject, broadcast: bool, elements: int = 8
) -> None:
    """Compare the gradients of a function of two tensors with differences.

    With ``broadcast`` one of them has a size of 1 in the first dimension, in each order.
    """
    a = data.draw(tensors(backend, elements=elements))
    b = data.draw(tensors(backend, shape=(1, *a.shape[1:]) if broadcast else a.shape))
    for first, second in ((a, b), (b, a)) if broadcast else ((a, b),):
        for index in all_indices(a.shape):
            x, y = (t[(0, *index[1:]) if t.shape[0] == 1 else index] for t in (first, second))
            edges = {"lt2": x + 1.2 - y, "gt2": x + 1.2 - y, "eq2": x - y - 5.5, "div2": y + 5.5}
            assume(abs(edges.get(name, 1.0)) > 0.3)
        minitorch.grad_check(getattr(MathTestVariable, name), first, second)


def check_permute(backend: TensorBackend, data: DataObject, elements: int = 8) -> None:
    """Compare the gradient of permute with differences."""
    t = data.draw(tensors(backend, elements=elements))
    order = data.draw(permutations(range(t.dims)))
    minitorch.grad_check(lambda a: a.permute(*order) * 2.0, t)


def check_product(backend: TensorBackend, a: Tensor, b: Tensor) -> None:
    """Compare a matrix product with loops."""
    got = a @ b
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]

    def element(t: Tensor, batch: int, i: int, j: int) -> float:
        return t[i, j] if t.dims == 2 else t[batch if t.shape[0] > 1 else 0, i, j]

    batches = 1 if got.dims == 2 else got.shape[0]
    for n in range(batches):
        for i in range(rows):
            for j in range(columns):
                expected = sum(element(a, n, i, k) * element(b, n, k, j) for k in range(inner))
                place = (i, j) if got.dims == 2 else (n, i, j)
                close(got[place], expected, f"{tuple(a.shape)} @ {tuple(b.shape)} at {place}")


def storage(data: Any, size: int) -> list[float]:
    """Return the first elements of a storage, which may be on a GPU."""
    return [float(data._storage[i]) for i in range(size)]
