"""Task 2.4: gradients of tensors."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

from minitorch import SimpleBackend, tensor

from .helpers import ONE, REDUCTIONS, TWO, same
from .tensor_helpers import check_gradient, check_permute, check_two_gradients, some

pytestmark = pytest.mark.task2_4


@pytest.mark.parametrize("name", ONE)
@some
@given(data())
def test_one_argument(name: str, data: object) -> None:
    check_gradient(SimpleBackend, name, data)


@pytest.mark.parametrize("name", TWO)
@some
@given(data())
def test_two_arguments(name: str, data: object) -> None:
    check_two_gradients(SimpleBackend, name, data, broadcast=False)


@pytest.mark.parametrize("name", TWO)
@some
@given(data())
def test_broadcast(name: str, data: object) -> None:
    check_two_gradients(SimpleBackend, name, data, broadcast=True)


@pytest.mark.parametrize("name", REDUCTIONS)
@some
@given(data())
def test_reductions(name: str, data: object) -> None:
    check_gradient(SimpleBackend, name, data)


@some
@given(data())
def test_permute(data: object) -> None:
    check_permute(SimpleBackend, data)


def test_shape_of_the_gradient() -> None:
    a = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    b = tensor([1.0, 1.0, 1.0], requires_grad=True)
    (a * b).sum().backward()
    same(b.grad.shape, (3,), "shape of the gradient of (3,) that was broadcast to (2, 3)")
    same(b.grad.to_numpy().tolist(), [5.0, 7.0, 9.0], "gradient of the tensor that was broadcast")
