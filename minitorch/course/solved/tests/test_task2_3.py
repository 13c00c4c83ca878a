"""Task 2.3: functions of tensors, forward."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import SimpleBackend, tensor

from .helpers import ONE, REDUCTIONS, TWO, close, same
from .tensor_helpers import check_one, check_reduction, check_two

pytestmark = pytest.mark.task2_3


@pytest.mark.parametrize("name", ONE)
@given(data())
def test_one_argument(name: str, data: object) -> None:
    check_one(SimpleBackend, name, data)


@pytest.mark.parametrize("name", TWO)
@given(data())
def test_two_arguments(name: str, data: object) -> None:
    check_two(SimpleBackend, name, data)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(data())
def test_reductions(name: str, data: object) -> None:
    check_reduction(SimpleBackend, name, data)


def test_broadcasting() -> None:
    got = tensor([[1.0, 2.0], [3.0, 4.0]]) * tensor([10.0, 100.0])
    same(got.to_numpy().tolist(), [[10.0, 200.0], [30.0, 400.0]], "(2, 2) times (2,)")


def test_permute_and_view() -> None:
    t = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    same(t.permute(1, 0).to_numpy().tolist(), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]], "permute(1, 0)")
    same(t.view(3, 2).to_numpy().tolist(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "view(3, 2)")


def test_sum_of_each_dimension() -> None:
    t = tensor([[2.0, 3.0], [4.0, 6.0], [5.0, 7.0]])
    same(t.sum(0).to_numpy().tolist(), [[11.0, 16.0]], "sum(0)")
    same(t.sum(1).to_numpy().tolist(), [[5.0], [10.0], [12.0]], "sum(1)")
    close(t.sum().item(), 27.0, "sum()")


def test_all_and_is_close() -> None:
    a = tensor([1.0, 2.0])
    same(a.is_close(a + 0.001).all().item(), 1.0, "is_close of a and a + 0.001")
    same(a.is_close(a + 1.0).all().item(), 0.0, "is_close of a and a + 1")


def test_map_into_a_larger_tensor() -> None:
    out = minitorch.zeros((2, 3))
    SimpleBackend.id_map(tensor([1.0, 2.0, 3.0]), out)
    same(out.to_numpy().tolist(), [[1.0, 2.0, 3.0]] * 2, "id_map of (3,) into (2, 3)")
