"""Task 3.4: the matrix product on CUDA."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import CudaBackend, cuda_ops

from .helpers import close
from .tensor_helpers import check_product, few, storage, tensors

pytestmark = pytest.mark.task3_4


def check_practice(size: int) -> None:
    a, b = (minitorch.rand((size, size), backend=CudaBackend) for _ in range(2))
    got = storage(minitorch.mm_practice(a, b), size * size)
    for i in range(size):
        for j in range(size):
            expected = sum(a[i, k] * b[k, j] for k in range(size))
            close(got[i * size + j], expected, f"mm_practice of {size} by {size} at ({i}, {j})")


def test_practice_2() -> None:
    check_practice(2)


def test_practice_of_a_whole_block() -> None:
    check_practice(cuda_ops.TILE)


@few
@given(data())
def test_2_by_2(data: object) -> None:
    a, b = (data.draw(tensors(CudaBackend, shape=(2, 2))) for _ in range(2))
    check_product(CudaBackend, a, b)


def test_more_than_a_block() -> None:
    n = cuda_ops.TILE + 1
    a, b = (minitorch.rand((n, n), backend=CudaBackend) for _ in range(2))
    check_product(CudaBackend, a, b)


def test_batches_of_more_than_a_block() -> None:
    n = cuda_ops.TILE + 1
    a, b = (minitorch.rand((2, n, n), backend=CudaBackend) for _ in range(2))
    check_product(CudaBackend, a, b)


def test_other_shapes() -> None:
    n = cuda_ops.TILE + 1
    a, b = (
        minitorch.rand((2, n + 2, n), backend=CudaBackend),
        minitorch.rand((2, n, n - 2), backend=CudaBackend),
    )
    check_product(CudaBackend, a, b)


@few
@given(data())
def test_broadcast_batches_and_permuted(data: object) -> None:
    a = data.draw(tensors(CudaBackend, shape=(2, 2, 3)))
    b = data.draw(tensors(CudaBackend, shape=(1, 3, 2)))
    check_product(CudaBackend, a, b)


def test_gradient() -> None:
    a, b = minitorch.rand((1, 2, 2), backend=CudaBackend), minitorch.rand((1, 2, 2), backend=CudaBackend)
    minitorch.grad_check(lambda x, y: x @ y, a, b)
