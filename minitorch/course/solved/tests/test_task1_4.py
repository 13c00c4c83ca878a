"""Task 1.4: backpropagation."""

import pytest
from hypothesis import assume, given

from minitorch import Context, MathTestVariable, Scalar, ScalarFunction, derivative_check, topological_sort

from .helpers import ONE, TWO, close, same, small_floats

pytestmark = pytest.mark.task1_4


class Plus10(ScalarFunction):
    """x + y + 10."""

    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        return x + y + 10.0

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        return d_output, d_output


def test_order() -> None:
    a, b = Scalar(1.0), Scalar(2.0)
    c = Plus10.apply(a, b)
    d = Plus10.apply(c, a)
    e = Plus10.apply(d, c)
    found = [v.unique_id for v in topological_sort(e)]
    same(len(found), 5, "number of variables, each once")
    same(found[:3], [e.unique_id, d.unique_id, c.unique_id], "each variable stands before its parents")


def test_constants_are_left_out() -> None:
    a = Scalar(1.0)
    found = list(topological_sort(Plus10.apply(a, Scalar(2.0, None))))
    same(len(found), 2, "number of variables besides the constant")


def test_one_function() -> None:
    x = Scalar(0.0)
    Plus10.apply(0.0, x).backward(5.0)
    same(x.derivative, 5.0, "derivative of 0 + x + 10, d_output 5")


def test_two_functions() -> None:
    x = Scalar(0.0)
    Plus10.apply(0.0, Plus10.apply(0.0, x)).backward(5.0)
    same(x.derivative, 5.0, "derivative through two functions")


def test_both_operands() -> None:
    x = Scalar(0.0)
    y = Plus10.apply(0.0, x)
    Plus10.apply(y, y).backward(5.0)
    same(x.derivative, 10.0, "derivative where a variable is used twice")


def test_a_diamond() -> None:
    x = Scalar(0.0)
    y = Plus10.apply(0.0, x)
    left, right = Plus10.apply(0.0, y), Plus10.apply(0.0, y)
    Plus10.apply(left, right).backward(5.0)
    same(x.derivative, 10.0, "derivative through both sides of a diamond")


@pytest.mark.parametrize("name", ONE)
@given(small_floats)
def test_one_argument(name: str, x: float) -> None:
    kinks = {"relu": (-5.5,), "complex": (-0.7,), "inv": (-3.5,)}
    assume(all(abs(x - kink) > 0.2 for kink in kinks.get(name, ())))
    derivative_check(getattr(MathTestVariable, name), Scalar(x))


@pytest.mark.parametrize("name", TWO)
@given(small_floats, small_floats)
def test_two_arguments(name: str, x: float, y: float) -> None:
    steps = {"lt2": x + 1.2 - y, "gt2": x + 1.2 - y, "eq2": x - y - 5.5, "div2": y + 5.5}
    assume(abs(steps.get(name, 1.0)) > 0.3)
    derivative_check(getattr(MathTestVariable, name), Scalar(x), Scalar(y))


@given(small_floats)
def test_derivatives_add_up(x: float) -> None:
    a = Scalar(x)
    (a * a).backward()
    (a * 3.0).backward()
    close(a.derivative, 2.0 * x + 3.0, f"derivative of x * x, then of 3 x, at {x}")
