"""Task 3.2: the parallel matrix product."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend

from .helpers import same, small_ints
from .tensor_helpers import check_product, few, tensors

pytestmark = pytest.mark.task3_2


@given(data())
def test_matrices(data: object) -> None:
    rows, inner, columns = (data.draw(small_ints) for _ in range(3))
    a = data.draw(tensors(FastBackend, shape=(rows, inner)))
    b = data.draw(tensors(FastBackend, shape=(inner, columns)))
    check_product(FastBackend, a, b)


@given(data())
def test_batches(data: object) -> None:
    batch, rows, inner, columns = (data.draw(small_ints) for _ in range(4))
    a = data.draw(tensors(FastBackend, shape=(batch, rows, inner)))
    b = data.draw(tensors(FastBackend, shape=(1, inner, columns)))
    check_product(FastBackend, a, b)
    check_product(FastBackend, data.draw(tensors(FastBackend, shape=(1, rows, inner))), a.permute(0, 2, 1))


@few
@given(data())
def test_gradient(data: object) -> None:
    a = data.draw(tensors(FastBackend, shape=(2, 3, 2)))
    b = data.draw(tensors(FastBackend, shape=(1, 2, 3)))
    minitorch.grad_check(lambda x, y: x @ y, a, b)


def test_larger_matrices() -> None:
    a, b = (minitorch.rand((40, 40), backend=FastBackend) for _ in range(2))
    expected = a.to_numpy() @ b.to_numpy()
    error = abs((a @ b).to_numpy() - expected).max()
    same(error < 1e-9, True, "40 by 40 agrees with NumPy")
