"""Task 4.2: convolution of two dimensions."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend, tensor

from .compiled import in_parallel, load
from .conv_helpers import check_conv
from .helpers import same, small_ints
from .tensor_helpers import few, some, tensors

pytestmark = pytest.mark.task4_2


def test_ones() -> None:
    t = tensor([[[[1.0] * 3] * 3]], backend=FastBackend)
    w = tensor([[[[1.0, 1.0], [1.0, 1.0]]]], backend=FastBackend)
    expected = [[[[4.0, 4.0, 2.0], [4.0, 4.0, 2.0], [2.0, 2.0, 1.0]]]]
    same(minitorch.conv2d(t, w).to_numpy().tolist(), expected, "3 by 3 ones with 2 by 2 ones")


@some
@given(data())
def test_against_loops(data: object) -> None:
    n, c, o, kh, kw = (data.draw(small_ints) for _ in range(5))
    input = data.draw(tensors(FastBackend, shape=(n, c, kh + 1, kw + 1)))
    check_conv(minitorch.conv2d, input, data.draw(tensors(FastBackend, shape=(o, c, kh, kw))))


@pytest.mark.parametrize(
    ("input", "weight"),
    [((1, 1, 6, 6), (1, 1, 2, 4)), ((2, 1, 6, 6), (1, 1, 2, 4)), ((2, 2, 6, 6), (3, 2, 2, 4))],
)
@few
@given(data())
def test_gradients(input: tuple[int, ...], weight: tuple[int, ...], data: object) -> None:
    a, b = (data.draw(tensors(FastBackend, shape=shape)) for shape in (input, weight))
    minitorch.grad_check(minitorch.conv2d, a, b)


def test_compiled() -> None:
    convolve = load("fast_conv").conv2d
    input, weight = (minitorch.rand(shape, backend=FastBackend) for shape in ((2, 3, 5, 6), (2, 3, 2, 4)))
    with in_parallel("fast_conv", "_tensor_conv2d"):
        check_conv(convolve, input, weight)
    minitorch.grad_check(convolve, input, weight)
