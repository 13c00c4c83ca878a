"""Central differences, Scalars against floats, and their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

import minitorch
from minitorch import (
    MathTestVariable,
    Scalar,
    ScalarHistory,
    central_difference,
    derivative_check,
    operators,
    scalar_functions,
)

from .strategies import assert_close, small_floats
from .support.checks import far_from_edges

ONE, TWO, _ = MathTestVariable._comp_testing()


@pytest.mark.task1_1
@pytest.mark.parametrize(
    ("fn", "at", "arg", "expected"),
    [
        (operators.id, (5.0,), 0, 1.0),
        (operators.add, (5.0, 10.0), 0, 1.0),
        (operators.add, (5.0, 10.0), 1, 1.0),
        (operators.mul, (5.0, 10.0), 0, 10.0),
        (operators.mul, (5.0, 10.0), 1, 5.0),
        (operators.exp, (2.0,), 0, math.exp(2.0)),
    ],
)
def test_central_difference(
    fn: Callable[..., float], at: tuple[float, ...], arg: int, expected: float
) -> None:
    assert_close(central_difference(fn, *at, arg=arg), expected)


@pytest.mark.task1_1
def test_central_difference_takes_the_stated_step_and_scalars() -> None:
    # (x + e)^3 - (x - e)^3 = 6 x^2 e + 2 e^3
    assert central_difference(lambda x: x * x * x, 1.0, epsilon=0.5) == 3.25
    slope = central_difference(lambda x, y: x * y, Scalar(3.0), Scalar(4.0), arg=1)
    assert isinstance(slope, Scalar)
    assert_close(slope.data, 3.0)


@pytest.mark.task1_2
@pytest.mark.parametrize(("name", "plain", "ours"), ONE, ids=[case[0] for case in ONE])
@given(a=small_floats)
def test_one_argument(name: str, plain: Callable[..., float], ours: Callable[..., Any], a: float) -> None:
    assume(name != "inv" or a != -3.5)
    found = ours(Scalar(a))
    assert isinstance(found, Scalar)
    assert_close(found.data, plain(a))


@pytest.mark.task1_2
@pytest.mark.parametrize(("name", "plain", "ours"), TWO, ids=[case[0] for case in TWO])
@given(a=small_floats, b=small_floats)
def test_two_arguments(
    name: str, plain: Callable[..., float], ours: Callable[..., Any], a: float, b: float
) -> None:
    assume(name != "div2" or b != -5.5)
    assert_close(ours(Scalar(a), Scalar(b)).data, plain(a, b))


@pytest.mark.task1_4
@pytest.mark.parametrize(("name", "_plain", "ours"), ONE, ids=[case[0] for case in ONE])
@given(a=small_floats)
def test_one_derivative(name: str, _plain: Any, ours: Callable[..., Any], a: float) -> None:
    assume(far_from_edges(name, a))
    derivative_check(ours, Scalar(a))


@pytest.mark.task1_4
@pytest.mark.parametrize(("name", "_plain", "ours"), TWO, ids=[case[0] for case in TWO])
@given(a=small_floats, b=small_floats)
def test_two_derivatives(name: str, _plain: Any, ours: Callable[..., Any], a: float, b: float) -> None:
    assume(far_from_edges(name, a, b))
    derivative_check(ours, Scalar(a), Scalar(b))


@pytest.mark.task1_2
@given(a=small_floats, b=small_floats)
def test_numbers_on_either_side(a: float, b: float) -> None:
    x, y = Scalar(a), Scalar(b)
    assert (x + b).data == (a + y).data == (x + y).data == a + b
    assert (x - b).data == (a - y).data == (x - y).data == a - b
    assert (x * b).data == (a * y).data == (x * y).data == a * b
    assert (x < b).data == (a < y).data == (x < y).data == float(a < b)
    assert (x > b).data == (a > y).data == (x > y).data == float(a > b)
    assert (x == b).data == (a == y).data == (x == y).data == float(a == b)
    assert (-x).data == -a
    if abs(b) > 1e-3:
        assert_close((x / b).data, a / b)
        assert_close((a / y).data, a / b)


@pytest.mark.task1_2
def test_methods() -> None:
    x = Scalar(0.5)
    assert x.log().data == operators.log(0.5)
    assert x.exp().data == operators.exp(0.5)
    assert x.sigmoid().data == operators.sigmoid(0.5)
    assert x.relu().data == 0.5
    assert Scalar(-0.5).relu().data == 0.0
    assert bool(x)
    assert not Scalar(0.0)


@pytest.mark.task1_2
def test_construction() -> None:
    x = Scalar(3, name="x")
    assert isinstance(x.data, float)
    assert x.derivative is None
    assert x.is_leaf()
    assert x.name == "x"
    assert repr(Scalar(0.5)) == "Scalar(0.5)"
    assert Scalar(1.0, None).is_constant()
    history = ScalarHistory()
    assert Scalar(1.0, history=history).history is Scalar(1.0, history).history is history
    assert len({Scalar(1.0), Scalar(1.0)}) == 2


@pytest.mark.task1_2
def test_numpy_numbers_on_either_side() -> None:
    assert (np.float64(2.0) * Scalar(3.0)).data == (Scalar(3.0) * np.float64(2.0)).data == 6.0


@pytest.mark.task1_4
def test_the_derivative_of_a_comparison_is_zero_and_not_none() -> None:
    for compare in (lambda x: x < 3.0, lambda x: x > 3.0, lambda x: x == 3.0):
        x = Scalar(2.0)
        compare(x).backward()
        assert x.derivative == 0.0


@pytest.mark.task1_2
@pytest.mark.parametrize("name", ["Add", "Log", "Mul", "Inv", "Neg", "Sigmoid", "ReLU", "Exp", "LT", "EQ"])
def test_functions_of_scalars(name: str) -> None:
    function = vars(scalar_functions)[name]
    assert issubclass(function, minitorch.ScalarFunction)
    numbers = (2.0, 3.0) if name in ("Add", "Mul", "LT", "EQ") else (2.0,)
    assert function.apply(*map(Scalar, numbers)).data == function.apply(*numbers)


@pytest.mark.task1_2
def test_scalars_raise_what_python_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        Scalar(1.0) / 0.0
    with pytest.raises(OverflowError):
        Scalar(1000.0).exp()


def test_derivative_check_finds_a_wrong_derivative() -> None:
    class Wrong(minitorch.ScalarFunction):
        @staticmethod
        def forward(ctx: minitorch.Context, x: float, y: float) -> float:
            return x * y

        @staticmethod
        def backward(ctx: minitorch.Context, d: float) -> tuple[float, float]:
            return 4.0 * d, 5.0 * d

    def product(x: Scalar, y: Scalar) -> Scalar:
        return Wrong.apply(x, y)

    with pytest.raises(
        AssertionError, match=r"product .*, argument 1: backward gives 5.0, differences give 2.99"
    ):
        derivative_check(product, Scalar(3.0), Scalar(4.0))


def test_math_tests_come_in_three_sorted_lists() -> None:
    plain, ours = minitorch.MathTest._tests(), MathTestVariable._comp_testing()
    assert [len(cases) for cases in plain] == [len(cases) for cases in ours] == [14, 6, 3]
    for cases, triples in zip(plain, ours):
        names = [name for name, _ in cases]
        assert names == sorted(names) == [name for name, _, _ in triples]
