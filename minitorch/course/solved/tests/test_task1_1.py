"""Task 1.1: derivatives by differences."""

import math

import pytest
from hypothesis import given

from minitorch import central_difference, operators

from .helpers import close, small_floats

pytestmark = pytest.mark.task1_1


@given(small_floats)
def test_id(x: float) -> None:
    close(central_difference(operators.id, x), 1.0, f"derivative of id at {x}")


@given(small_floats, small_floats)
def test_add(x: float, y: float) -> None:
    close(central_difference(operators.add, x, y, arg=0), 1.0, f"derivative of add at ({x}, {y}), argument 0")
    close(central_difference(operators.add, x, y, arg=1), 1.0, f"derivative of add at ({x}, {y}), argument 1")


@given(small_floats, small_floats)
def test_mul(x: float, y: float) -> None:
    close(central_difference(operators.mul, x, y, arg=0), y, f"derivative of mul at ({x}, {y}), argument 0")
    close(central_difference(operators.mul, x, y, arg=1), x, f"derivative of mul at ({x}, {y}), argument 1")


@given(small_floats)
def test_exp(x: float) -> None:
    x /= 50
    close(central_difference(operators.exp, x), math.exp(x), f"derivative of exp at {x}")


def test_epsilon_is_used() -> None:
    got = central_difference(lambda x: x**3, 0.0, epsilon=1.0)
    close(got, 1.0, "derivative of the cube at 0 with epsilon 1: (1 - -1) / 2")
