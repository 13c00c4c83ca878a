"""Task 3.1: map, zip and reduce in the backend `FastBackend`."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend, tensor

from .compiled import check_operators, in_parallel, load
from .helpers import ONE, REDUCTIONS, TWO, close, same
from .tensor_helpers import (
    check_gradient,
    check_one,
    check_permute,
    check_reduction,
    check_two,
    check_two_gradients,
    few,
    some,
)

pytestmark = pytest.mark.task3_1


@pytest.mark.parametrize("name", ONE)
@some
@given(data())
def test_one_argument(name: str, data: object) -> None:
    check_one(FastBackend, name, data)


@pytest.mark.parametrize("name", TWO)
@some
@given(data())
def test_two_arguments(name: str, data: object) -> None:
    check_two(FastBackend, name, data)


@pytest.mark.parametrize("name", REDUCTIONS)
@some
@given(data())
def test_reductions(name: str, data: object) -> None:
    check_reduction(FastBackend, name, data)


@pytest.mark.parametrize("name", ["complex", "log", "sig"])
@few
@given(data())
def test_gradients_of_one_argument(name: str, data: object) -> None:
    check_gradient(FastBackend, name, data)


@pytest.mark.parametrize("name", TWO)
@few
@given(data())
def test_gradients_of_two_arguments(name: str, data: object) -> None:
    check_two_gradients(FastBackend, name, data, broadcast=False)


@pytest.mark.parametrize("name", TWO)
@few
@given(data())
def test_gradients_of_broadcast_arguments(name: str, data: object) -> None:
    check_two_gradients(FastBackend, name, data, broadcast=True)


@pytest.mark.parametrize("name", REDUCTIONS)
@few
@given(data())
def test_gradients_of_reductions(name: str, data: object) -> None:
    check_gradient(FastBackend, name, data)


@few
@given(data())
def test_gradient_of_permute(data: object) -> None:
    check_permute(FastBackend, data)


def test_map_into_a_larger_tensor() -> None:
    out = minitorch.zeros((2, 3), backend=FastBackend)
    FastBackend.id_map(tensor([1.0, 2.0, 3.0], backend=FastBackend), out)
    same(out.to_numpy().tolist(), [[1.0, 2.0, 3.0]] * 2, "id_map of (3,) into (2, 3)")


def test_sum_of_permuted() -> None:
    t = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], backend=FastBackend).permute(1, 0)
    same(t.sum(0).to_numpy().tolist(), [[6.0, 15.0]], "sum(0) of a permuted (3, 2)")
    same(t.sum(1).to_numpy().tolist(), [[5.0], [7.0], [9.0]], "sum(1) of a permuted (3, 2)")
    close(FastBackend.mul_reduce(t, 0)[0, 1], 120.0, "product along dimension 0 of a permuted (3, 2)")


@pytest.fixture(scope="module")
def compiled() -> ModuleType:
    return load("fast_ops")


NUMBERS = np.arange(6.0).reshape(2, 3)


def test_compiled_map(compiled: ModuleType) -> None:
    t = tensor(NUMBERS, backend=compiled.FastBackend)
    with in_parallel("fast_ops", "_map"):
        same(t.f.neg_map(t).to_numpy().tolist(), (-NUMBERS).tolist(), "compiled map of (2, 3)")
    turned = t.permute(1, 0)
    same(t.f.neg_map(turned).to_numpy().tolist(), (-NUMBERS.T).tolist(), "compiled map of a permuted (3, 2)")
    row = t.f.neg_map(tensor([1.0, 2.0, 3.0], backend=t.f), t.zeros()).to_numpy().tolist()
    same(row, [[-1.0, -2.0, -3.0]] * 2, "compiled map of (3,) into (2, 3)")
    check_operators(["neg", "sigmoid", "relu", "log", "exp", "id", "inv"], 0.5)


def test_compiled_zip(compiled: ModuleType) -> None:
    t = tensor(NUMBERS, backend=compiled.FastBackend)
    with in_parallel("fast_ops", "_zip"):
        same(
            t.f.mul_zip(t, t).to_numpy().tolist(), (NUMBERS**2).tolist(), "compiled zip of (2, 3) with itself"
        )
    row = tensor([10.0, 100.0], backend=t.f)
    got = t.f.mul_zip(t.permute(1, 0), row).to_numpy().tolist()
    same(got, (NUMBERS.T * [10.0, 100.0]).tolist(), "compiled zip of a permuted (3, 2) with (2,)")
    check_operators(
        ["add", "mul", "lt", "eq", "is_close", "max", "relu_back", "log_back", "inv_back"], 0.5, 2.0
    )


def test_compiled_reduce(compiled: ModuleType) -> None:
    t = tensor(NUMBERS, backend=compiled.FastBackend)
    with in_parallel("fast_ops", "_reduce"):
        same(t.f.add_reduce(t, 0).to_numpy().tolist(), [[3.0, 5.0, 7.0]], "compiled sum(0) of (2, 3)")
    got = t.f.add_reduce(t.permute(1, 0), 0).to_numpy().tolist()
    same(got, [[3.0, 12.0]], "compiled sum(0) of a permuted (3, 2)")
