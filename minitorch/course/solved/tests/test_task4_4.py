"""Task 4.4: maximum, softmax, dropout."""

import math

import pytest
from hypothesis import given
from hypothesis.strategies import data, permutations

import minitorch
from minitorch import FastBackend, Tensor, tensor

from .helpers import close, same
from .tensor_helpers import all_indices, few, tensors

pytestmark = pytest.mark.task4_4


def distinct(data: object, shape: tuple[int, ...]) -> Tensor:
    """Draw a tensor without ties."""
    size = math.prod(shape)
    numbers = data.draw(permutations([float(i) for i in range(size)]))
    return Tensor.make(numbers, shape, backend=FastBackend).requires_grad_(True)


@pytest.mark.parametrize("dim", [0, 1, 2])
@few
@given(data())
def test_max(dim: int, data: object) -> None:
    t = data.draw(tensors(FastBackend, shape=(2, 3, 4)))
    got = minitorch.max(t, dim).to_numpy()
    expected = t.to_numpy().max(axis=dim, keepdims=True)
    same(got.tolist(), expected.tolist(), f"max along dimension {dim}")


@pytest.mark.parametrize("dim", [0, 1, 2])
@few
@given(data())
def test_gradient_of_max(dim: int, data: object) -> None:
    minitorch.grad_check(lambda t: minitorch.max(t, dim) * 2.0, distinct(data, (2, 3, 4)))


def test_gradient_of_max_is_at_the_largest() -> None:
    t = tensor([[1.0, 7.0, 3.0]], backend=FastBackend, requires_grad=True)
    minitorch.max(t, 1).sum().backward()
    same(t.grad.to_numpy().tolist(), [[0.0, 1.0, 0.0]], "gradient of the maximum of (1, 7, 3)")


@pytest.mark.parametrize("kernel", [(2, 2), (2, 1), (1, 2)])
@few
@given(data())
def test_maxpool(kernel: tuple[int, int], data: object) -> None:
    t = data.draw(tensors(FastBackend, shape=(1, 2, 4, 4)))
    got = minitorch.maxpool2d(t, kernel)
    same(tuple(got.shape), (1, 2, 4 // kernel[0], 4 // kernel[1]), f"shape for tiles of {kernel}")
    for n, c, y, x in all_indices(got.shape):
        tile = [t[n, c, y * kernel[0] + i, x * kernel[1] + j] for i, j in all_indices(kernel)]
        same(got[n, c, y, x], max(tile), f"maximum of {tile}")


def test_dropout() -> None:
    t = minitorch.rand((10, 10), backend=FastBackend) + 1.0
    same(minitorch.dropout(t, 0.0).to_numpy().tolist(), t.to_numpy().tolist(), "rate 0 changes nothing")
    same(float(abs(minitorch.dropout(t, 1.0).to_numpy()).max()), 0.0, "rate 1 leaves nothing")
    same(minitorch.dropout(t, 1.0, ignore=True).to_numpy().tolist(), t.to_numpy().tolist(), "ignored")
    half = minitorch.dropout(t, 0.5).to_numpy()
    share = float((half == 0.0).mean())
    assert 0.2 < share < 0.8, f"rate 0.5: expected about half of 100 elements at 0, got {share:.0%}"
    assert (half[half != 0.0] == t.to_numpy()[half != 0.0]).all(), "the elements that stay are unchanged"


@pytest.mark.parametrize("dim", [1, 3])
@few
@given(data())
def test_softmax(dim: int, data: object) -> None:
    t = data.draw(tensors(FastBackend, shape=(1, 2, 2, 3)))
    got = minitorch.softmax(t, dim)
    for total in got.sum(dim).to_numpy().reshape(-1):
        close(float(total), 1.0, f"sum of the softmax along dimension {dim}")
    minitorch.grad_check(lambda a: minitorch.softmax(a * 0.05, dim) * got.detach(), t)


def test_softmax_of_large_numbers() -> None:
    got = minitorch.softmax(tensor([[1000.0, 1000.0, -1000.0]], backend=FastBackend), 1).to_numpy()[0]
    for g, expected in zip(got, (0.5, 0.5, 0.0)):
        close(float(g), expected, "softmax of (1000, 1000, -1000)")


@few
@given(data())
def test_logsoftmax(data: object) -> None:
    t = data.draw(tensors(FastBackend, shape=(1, 2, 2, 3)))
    q = minitorch.softmax(t, 3).to_numpy().reshape(-1)
    for got, expected in zip(minitorch.logsoftmax(t, 3).exp().to_numpy().reshape(-1), q):
        close(float(got), float(expected), "exp of the logsoftmax")
    minitorch.grad_check(lambda a: minitorch.logsoftmax(a * 0.05, 2), t)
