"""Functions of floats, their laws, and the small functional library."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import lists

from minitorch import operators
from minitorch.operators import EPS

from .strategies import assert_close, small_floats

UNARY: dict[str, Callable[[float], float]] = {
    "id": lambda x: x,
    "neg": lambda x: -x,
    "relu": lambda x: (x + math.fabs(x)) / 2,
    "exp": lambda x: math.e**x,
    "sigmoid": lambda x: (1 + math.tanh(x / 2)) / 2,
    "tanh": lambda x: 1 - 2 / (math.exp(2 * x) + 1),
    "abs": math.fabs,
}
BINARY: dict[str, Callable[[float, float], float]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "lt": lambda x, y: float(x < y),
    "eq": lambda x, y: float(x == y),
    "max": lambda x, y: sorted((x, y))[1],
    "is_close": lambda x, y: float(math.fabs(x - y) < 1e-2),
}


@pytest.mark.task0_1
@pytest.mark.parametrize("name", UNARY)
@given(x=small_floats)
def test_unary(name: str, x: float) -> None:
    found = vars(operators)[name](x)
    assert isinstance(found, float)
    assert math.isclose(found, UNARY[name](x), rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.task0_1
@pytest.mark.parametrize("name", BINARY)
@given(x=small_floats, y=small_floats)
def test_binary(name: str, x: float, y: float) -> None:
    for a, b in ((x, y), (x, x)):
        assert vars(operators)[name](a, b) == BINARY[name](a, b)


@pytest.mark.task0_1
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (operators.relu(0.0), 0.0),
        (operators.relu_back(3.0, 7.0), 7.0),
        (operators.relu_back(-3.0, 7.0), 0.0),
        (operators.relu_back(0.0, 7.0), 0.0),
        (operators.max(-2.0, -3.0), -2.0),
        (operators.is_close(1.0, 1.02), 0.0),
        (operators.is_close(1.0, 1.009), 1.0),
        (operators.is_close(1e6, 1e6 + 1), 0.0),
        (operators.log(1.0), math.log(1.0 + EPS)),
        (operators.log(0.0), math.log(1e-6)),
        (operators.log_back(3.0, 2.0), 2.0 / (3.0 + EPS)),
        (operators.inv(4.0), 0.25),
        (operators.inv_back(2.0, 3.0), -0.75),
        (operators.sqrt(9.0), 3.0),
        (operators.div(1.0, 4.0), 0.25),
        (operators.power(2.0, 0.5), math.sqrt(2.0)),
    ],
)
def test_value(found: float, expected: float) -> None:
    assert found == expected


@pytest.mark.task0_1
@pytest.mark.parametrize("name", ["sigmoid", "relu", "log", "exp", "inv", "tanh", "sqrt", "abs"])
@pytest.mark.parametrize("x", [0.25, 1.0, 4.0])
def test_derivative(name: str, x: float) -> None:
    fn, back = vars(operators)[name], vars(operators)[f"{name}_back"]
    slope = (fn(x + 1e-5) - fn(x - 1e-5)) / 2e-5
    assert math.isclose(back(x, 3.0), 3.0 * slope, rel_tol=1e-6)


@pytest.mark.task0_1
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: operators.inv(0.0), ZeroDivisionError),
        (lambda: operators.exp(1000.0), OverflowError),
        (lambda: operators.log(-1.0), ValueError),
        (lambda: operators.sqrt(-1.0), ValueError),
    ],
)
def test_python_raises(call: Callable[[], float], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


@pytest.mark.task0_1
def test_max_with_nan() -> None:
    assert math.isnan(operators.max_nan(math.nan, 1.0))
    assert math.isnan(operators.max_nan(1.0, math.nan))
    assert operators.max_nan(2.0, 1.0) == operators.max_nan(1.0, 2.0) == 2.0


@pytest.mark.task0_2
@given(a=small_floats)
def test_sigmoid_between_0_and_1(a: float) -> None:
    assert 0.0 <= operators.sigmoid(a) <= 1.0


@pytest.mark.task0_2
@given(a=small_floats)
def test_sigmoid_mirrored(a: float) -> None:
    assert math.isclose(1.0 - operators.sigmoid(a), operators.sigmoid(-a), abs_tol=1e-12)


@pytest.mark.task0_2
@given(a=small_floats, b=small_floats)
def test_sigmoid_never_falls(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert operators.sigmoid(low) <= operators.sigmoid(high)


@pytest.mark.task0_2
def test_sigmoid_fixed_points() -> None:
    assert operators.sigmoid(0.0) == 0.5
    assert operators.sigmoid(1e4) == 1.0
    assert operators.sigmoid(-1e4) == 0.0


@pytest.mark.task0_2
@given(ls=lists(small_floats, min_size=3, max_size=3))
def test_lt_transitive(ls: list[float]) -> None:
    a, b, c = ls
    if operators.lt(a, b) == operators.lt(b, c) == 1.0:
        assert operators.lt(a, c) == 1.0
    low, middle, high = sorted(ls)
    assert operators.lt(high, low) == operators.lt(middle, low) == operators.lt(high, middle) == 0.0


@pytest.mark.task0_2
@given(x=small_floats, y=small_floats)
def test_symmetric(x: float, y: float) -> None:
    for fn in (operators.mul, operators.add, operators.eq, operators.is_close, operators.max):
        assert fn(x, y) == fn(y, x)


@pytest.mark.task0_2
@given(x=small_floats, y=small_floats, z=small_floats)
def test_distributive(x: float, y: float, z: float) -> None:
    assert_close(
        operators.mul(z, operators.add(x, y)), operators.add(operators.mul(z, x), operators.mul(z, y))
    )


@pytest.mark.task0_2
@given(x=small_floats)
def test_relu_and_its_mirror_make_the_number(x: float) -> None:
    assert operators.relu(x) - operators.relu(-x) == x


@pytest.mark.task0_2
@given(x=small_floats)
def test_exp_and_log_undo_each_other(x: float) -> None:
    assert_close(operators.log(operators.exp(x / 10)), math.log(math.exp(x / 10) + EPS))


@pytest.mark.task0_3
@given(a=small_floats, b=small_floats, c=small_floats, d=small_floats)
def test_add_lists(a: float, b: float, c: float, d: float) -> None:
    assert operators.addLists([a, b], [c, d]) == [a + c, b + d]


@pytest.mark.task0_3
@given(
    ls1=lists(small_floats, min_size=5, max_size=5),
    ls2=lists(small_floats, min_size=5, max_size=5),
)
def test_sum_of_sums(ls1: list[float], ls2: list[float]) -> None:
    assert_close(operators.sum(ls1) + operators.sum(ls2), operators.sum(operators.addLists(ls1, ls2)))


@pytest.mark.task0_3
@given(ls=lists(small_floats))
def test_sum(ls: list[float]) -> None:
    assert math.isclose(operators.sum(ls), math.fsum(ls), abs_tol=1e-9)


@pytest.mark.task0_3
@given(ls=lists(small_floats, max_size=6))
def test_prod(ls: list[float]) -> None:
    assert math.isclose(operators.prod(ls), float(np.prod(ls)), rel_tol=1e-9)


@pytest.mark.task0_3
@given(ls=lists(small_floats))
def test_neg_list(ls: list[float]) -> None:
    assert operators.negList(ls) == [0.0 - x for x in ls]


@pytest.mark.task0_3
def test_empty_lists() -> None:
    assert operators.negList([]) == operators.addLists([], []) == []
    assert operators.sum([]) == 0.0
    assert operators.prod([]) == 1.0


@pytest.mark.task0_3
def test_higher_order() -> None:
    assert operators.map(operators.neg)(iter((1.0, -2.0))) == [-1.0, 2.0]
    assert operators.zipWith(operators.sub)((5.0, 7.0), iter([2.0, 3.0])) == [3.0, 4.0]
    # A left reduce_all: fn(x3, fn(x2, fn(x1, start))).
    assert operators.reduce(operators.sub, 100.0)([1.0, 10.0, 1000.0]) == 1000.0 - (10.0 - (1.0 - 100.0))
