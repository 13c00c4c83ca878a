"""Task 0.3: functions of functions."""

import pytest
from hypothesis import given
from hypothesis.strategies import lists

from minitorch import operators

from .helpers import close, same, small_floats

pytestmark = pytest.mark.task0_3


@given(lists(small_floats))
def test_map(ls: list[float]) -> None:
    same(list(operators.map(lambda x: x + 1.0)(ls)), [x + 1.0 for x in ls], f"map(x + 1)({ls})")


@given(lists(small_floats, min_size=3, max_size=3), lists(small_floats, min_size=3, max_size=3))
def test_zip_with(a: list[float], b: list[float]) -> None:
    expected = [x - y for x, y in zip(a, b)]
    same(list(operators.zipWith(lambda x, y: x - y)(a, b)), expected, f"zipWith(x - y)({a}, {b})")


def test_reduce_goes_from_the_left() -> None:
    got = operators.reduce(lambda x, total: 10.0 * total + x, 7.0)([1.0, 2.0, 3.0])
    same(got, 7123.0, "reduce(10 * total + x, 7)([1, 2, 3]), fn(x, total)")


@given(small_floats, small_floats, small_floats, small_floats)
def test_add_lists(a: float, b: float, c: float, d: float) -> None:
    same(operators.addLists([a, b], [c, d]), [a + c, b + d], f"addLists([{a}, {b}], [{c}, {d}])")


@given(lists(small_floats))
def test_neg_list(ls: list[float]) -> None:
    same(operators.negList(ls), [-x for x in ls], f"negList({ls})")


@given(lists(small_floats))
def test_sum(ls: list[float]) -> None:
    close(operators.sum(ls), sum(ls), f"sum({ls})")


@given(lists(small_floats, min_size=5, max_size=5), lists(small_floats, min_size=5, max_size=5))
def test_sum_of_sums(a: list[float], b: list[float]) -> None:
    close(
        operators.sum(a) + operators.sum(b), operators.sum(operators.addLists(a, b)), f"sums of {a} and {b}"
    )


@given(small_floats, small_floats, small_floats)
def test_prod(x: float, y: float, z: float) -> None:
    close(operators.prod([x, y, z]), x * y * z, f"prod([{x}, {y}, {z}])")


@pytest.mark.parametrize(("name", "expected"), [("sum", 0.0), ("prod", 1.0), ("negList", [])])
def test_empty_lists(name: str, expected: object) -> None:
    same(getattr(operators, name)([]), expected, f"{name}([])")
