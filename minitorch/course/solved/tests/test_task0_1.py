"""Task 0.1: functions of one and two numbers."""

import math

import pytest
from hypothesis import assume, given

from minitorch import operators

from .helpers import close, same, small_floats

pytestmark = pytest.mark.task0_1


@given(small_floats, small_floats)
def test_same_as_python(x: float, y: float) -> None:
    same(operators.mul(x, y), x * y, f"mul({x}, {y})")
    same(operators.add(x, y), x + y, f"add({x}, {y})")
    same(operators.neg(x), -x, f"neg({x})")


@given(small_floats)
def test_id(x: float) -> None:
    same(operators.id(x), x, f"id({x})")


@given(small_floats, small_floats)
def test_lt(x: float, y: float) -> None:
    same(operators.lt(x, y), 1.0 if x < y else 0.0, f"lt({x}, {y})")
    same(operators.lt(x, x), 0.0, f"lt({x}, {x})")
    assert isinstance(operators.lt(x, y), float), "lt returns a float, not a bool"


@given(small_floats, small_floats)
def test_eq(x: float, y: float) -> None:
    same(operators.eq(x, y), 1.0 if x == y else 0.0, f"eq({x}, {y})")
    same(operators.eq(x, x), 1.0, f"eq({x}, {x})")
    assert isinstance(operators.eq(x, y), float), "eq returns a float, not a bool"


@given(small_floats, small_floats)
def test_max(x: float, y: float) -> None:
    same(operators.max(x, y), x if x > y else y, f"max({x}, {y})")


@given(small_floats, small_floats)
def test_is_close(x: float, y: float) -> None:
    same(operators.is_close(x, y), 1.0 if abs(x - y) < 1e-2 else 0.0, f"is_close({x}, {y})")
    same(operators.is_close(x, x + 0.001), 1.0, f"is_close({x}, {x} + 0.001)")
    same(operators.is_close(x, x - 0.02), 0.0, f"is_close({x}, {x} - 0.02)")


@given(small_floats)
def test_sigmoid_value(x: float) -> None:
    close(operators.sigmoid(x), 0.5 * (1.0 + math.tanh(0.5 * x)), f"sigmoid({x})")


@pytest.mark.parametrize(("x", "expected"), [(-10000.0, 0.0), (10000.0, 1.0), (0.0, 0.5)])
def test_sigmoid_of_large_numbers(x: float, expected: float) -> None:
    close(operators.sigmoid(x), expected, f"sigmoid({x})")


@given(small_floats)
def test_relu(x: float) -> None:
    same(operators.relu(x), x if x > 0 else 0.0, f"relu({x})")


@given(small_floats, small_floats)
def test_relu_back(x: float, d: float) -> None:
    same(operators.relu_back(x, d), d if x > 0 else 0.0, f"relu_back({x}, {d})")
    same(operators.relu_back(0.0, 1.0), 0.0, "relu_back(0.0, 1.0)")


@given(small_floats)
def test_exp_and_log(x: float) -> None:
    close(operators.exp(x / 50), math.exp(x / 50), f"exp({x / 50})")
    close(operators.log(abs(x)), math.log(abs(x) + operators.EPS), f"log({abs(x)})")


@given(small_floats, small_floats)
def test_log_back(x: float, d: float) -> None:
    x = abs(x) + 0.1
    close(operators.log_back(x, d), d / (x + operators.EPS), f"log_back({x}, {d})")


@given(small_floats, small_floats)
def test_inv_and_inv_back(x: float, d: float) -> None:
    assume(abs(x) > 0.1)
    close(operators.inv(x), 1.0 / x, f"inv({x})")
    close(operators.inv_back(x, d), -d / x**2, f"inv_back({x}, {d})")
