"""Task 1.2: Scalars, forward."""

import pytest
from hypothesis import given

from minitorch import MathTest, MathTestVariable, Scalar

from .helpers import ONE, TWO, close, same, small_floats

pytestmark = pytest.mark.task1_2


@pytest.mark.parametrize("name", ONE)
@given(small_floats)
def test_one_argument(name: str, x: float) -> None:
    got = getattr(MathTestVariable, name)(Scalar(x))
    assert isinstance(got, Scalar), f"{name} of a Scalar: expected a Scalar, got {type(got).__name__}"
    close(got.data, getattr(MathTest, name)(x), f"{name}({x})")


@pytest.mark.parametrize("name", TWO)
@given(small_floats, small_floats)
def test_two_arguments(name: str, x: float, y: float) -> None:
    if name == "div2" and abs(y + 5.5) < 0.1:
        return
    got = getattr(MathTestVariable, name)(Scalar(x), Scalar(y))
    assert isinstance(got, Scalar), f"{name} of Scalars: expected a Scalar, got {type(got).__name__}"
    close(got.data, getattr(MathTest, name)(x, y), f"{name}({x}, {y})")


@given(small_floats, small_floats)
def test_numbers_as_operands(x: float, y: float) -> None:
    a = Scalar(x)
    close((a - y).data, x - y, f"Scalar({x}) - {y}")
    close((y * a).data, y * x, f"{y} * Scalar({x})")
    same((a < y).data, 1.0 if x < y else 0.0, f"Scalar({x}) < {y}")
    same((a > y).data, 1.0 if x > y else 0.0, f"Scalar({x}) > {y}")
    same((a == x).data, 1.0, f"Scalar({x}) == {x}")
