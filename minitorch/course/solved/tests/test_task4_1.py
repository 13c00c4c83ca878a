"""Task 4.1: convolution of one dimension."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend, tensor

from .compiled import in_parallel, load
from .conv_helpers import check_conv
from .helpers import same, small_ints
from .tensor_helpers import few, some, tensors

pytestmark = pytest.mark.task4_1


def test_by_hand() -> None:
    t = tensor([[[0.0, 1.0, 2.0, 3.0]]], backend=FastBackend)
    w = tensor([[[1.0, 2.0, 3.0]]], backend=FastBackend)
    same(minitorch.conv1d(t, w).to_numpy().tolist(), [[[8.0, 14.0, 8.0, 3.0]]], "(0, 1, 2, 3) with (1, 2, 3)")


def test_two_channels() -> None:
    t = tensor([[[0.0, 1.0, 2.0, 3.0]] * 2], backend=FastBackend)
    w = tensor([[[1.0, 2.0, 3.0]] * 2], backend=FastBackend)
    same(minitorch.conv1d(t, w).to_numpy().tolist(), [[[16.0, 28.0, 16.0, 6.0]]], "two equal channels")


@some
@given(data())
def test_against_loops(data: object) -> None:
    n, c, o, width = (data.draw(small_ints) for _ in range(4))
    input = data.draw(tensors(FastBackend, shape=(n, c, width + 2)))
    check_conv(minitorch.conv1d, input, data.draw(tensors(FastBackend, shape=(o, c, width))))


@few
@given(data())
def test_gradient(data: object) -> None:
    input = data.draw(tensors(FastBackend, shape=(1, 1, 6)))
    minitorch.grad_check(minitorch.conv1d, input, data.draw(tensors(FastBackend, shape=(1, 1, 4))))


@few
@given(data())
def test_gradient_of_channels(data: object) -> None:
    input = data.draw(tensors(FastBackend, shape=(2, 2, 6)))
    minitorch.grad_check(minitorch.conv1d, input, data.draw(tensors(FastBackend, shape=(3, 2, 2))))


def test_compiled() -> None:
    convolve = load("fast_conv").conv1d
    input, weight = (minitorch.rand(shape, backend=FastBackend) for shape in ((2, 3, 6), (2, 3, 4)))
    with in_parallel("fast_conv", "_tensor_conv1d"):
        check_conv(convolve, input, weight)
    minitorch.grad_check(convolve, input, weight)
