"""Task 3.3: map, zip and reduce in the backend `CudaBackend`."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import CudaBackend, tensor

from .helpers import ONE, REDUCTIONS, TWO, close, same
from .tensor_helpers import (
    check_gradient,
    check_one,
    check_permute,
    check_reduction,
    check_two,
    check_two_gradients,
    few,
    storage,
)

pytestmark = pytest.mark.task3_3


@pytest.mark.parametrize("name", ONE)
@few
@given(data())
def test_one_argument(name: str, data: object) -> None:
    check_one(CudaBackend, name, data, most=2)


@pytest.mark.parametrize("name", TWO)
@few
@given(data())
def test_two_arguments(name: str, data: object) -> None:
    check_two(CudaBackend, name, data, most=2)


@pytest.mark.parametrize("name", REDUCTIONS)
@few
@given(data())
def test_reductions(name: str, data: object) -> None:
    check_reduction(CudaBackend, name, data, most=2)


@pytest.mark.parametrize("name", ["log", "sig"])
@few
@given(data())
def test_gradients_of_one_argument(name: str, data: object) -> None:
    check_gradient(CudaBackend, name, data, elements=4)


@pytest.mark.parametrize("name", ["mul2"])
@few
@given(data())
def test_gradients_of_two_arguments(name: str, data: object) -> None:
    check_two_gradients(CudaBackend, name, data, broadcast=False, elements=4)


@pytest.mark.parametrize("name", ["mul2"])
@few
@given(data())
def test_gradients_of_broadcast_arguments(name: str, data: object) -> None:
    check_two_gradients(CudaBackend, name, data, broadcast=True, elements=4)


@pytest.mark.parametrize("name", ["sum_red"])
@few
@given(data())
def test_gradients_of_reductions(name: str, data: object) -> None:
    check_gradient(CudaBackend, name, data, elements=4)


@few
@given(data())
def test_gradient_of_permute(data: object) -> None:
    check_permute(CudaBackend, data, elements=4)


def test_map_into_a_larger_tensor() -> None:
    out = minitorch.zeros((2, 3), backend=CudaBackend)
    CudaBackend.id_map(tensor([1.0, 2.0, 3.0], backend=CudaBackend), out)
    same(out.to_numpy().tolist(), [[1.0, 2.0, 3.0]] * 2, "id_map of (3,) into (2, 3)")


def test_sum_of_permuted() -> None:
    t = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], backend=CudaBackend).permute(1, 0)
    same(t.sum(0).to_numpy().tolist(), [[6.0, 15.0]], "sum(0) of a permuted (3, 2)")
    same(t.sum(1).to_numpy().tolist(), [[5.0], [7.0], [9.0]], "sum(1) of a permuted (3, 2)")
    close(CudaBackend.mul_reduce(t, 0)[0, 1], 120.0, "product along dimension 0 of a permuted (3, 2)")


@pytest.mark.parametrize("size", [16, 48, 64])
def test_sum_practice(size: int) -> None:
    numbers = [float(i % 7) for i in range(size)]
    got = storage(minitorch.sum_practice(tensor(numbers, backend=CudaBackend)), 2)
    same(got, [sum(numbers[:32]), sum(numbers[32:])], f"sum_practice of {size} numbers, its blocks of 32")


@pytest.mark.parametrize("shape", [(3, 1), (1, 40), (2, 9)])
def test_long_sums(shape: tuple[int, int]) -> None:
    rows = [[float((3 * i + j) % 5) for j in range(shape[1])] for i in range(shape[0])]
    t = tensor(rows, backend=CudaBackend)
    same(t.sum(1).to_numpy().tolist(), [[sum(row)] for row in rows], f"sum(1) of {shape}")
    same(
        t.permute(1, 0).sum(0).to_numpy().tolist(),
        [[sum(row) for row in rows]],
        f"sum(0) of a permuted {shape}",
    )
