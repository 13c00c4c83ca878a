"""Task 3.2: the parallel matrix product."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend

from .compiled import in_parallel, load
from .helpers import same, small_ints
from .tensor_helpers import check_product, few, some, tensors

pytestmark = pytest.mark.task3_2


@some
@given(data())
def test_matrices(data: object) -> None:
    rows, inner, columns = (data.draw(small_ints) for _ in range(3))
    a = data.draw(tensors(FastBackend, shape=(rows, inner)))
    b = data.draw(tensors(FastBackend, shape=(inner, columns)))
    check_product(FastBackend, a, b)


@some
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


def test_compiled() -> None:
    backend = load("fast_ops").FastBackend
    a, b = minitorch.rand((2, 40, 30), backend=backend), minitorch.rand((1, 50, 30), backend=backend)
    with in_parallel("fast_ops", "_tensor_matrix_multiply"):
        got = (a @ b.permute(0, 2, 1)).to_numpy()
    expected = a.to_numpy() @ b.to_numpy().transpose(0, 2, 1)
    same(bool(abs(got - expected).max() < 1e-9), True, "compiled (2, 40, 30) @ (1, 30, 50) agrees with NumPy")
