"""Task 0.2: properties of the operators. In this file the tests are what you write.

A property holds for all numbers. Hypothesis draws them, and when a property fails, it finds a small example.
"""

import pytest
from hypothesis import given

from minitorch import operators

from .helpers import small_floats

pytestmark = pytest.mark.task0_2


@given(small_floats)
def test_sigmoid(a: float) -> None:
    """Check four properties of `operators.sigmoid`.

    It is from 0 to 1; one minus the sigmoid is the sigmoid of the negated number; it is 0.5 at 0; it never falls where
    its argument grows (compare with ``a + 1``). Allow for rounding: use `operators.is_close` where it helps.
    """
    assert 0.0 <= operators.sigmoid(a) <= 1.0
    assert operators.is_close(1.0 - operators.sigmoid(a), operators.sigmoid(-a))
    assert operators.is_close(operators.sigmoid(0.0), 0.5)
    assert operators.sigmoid(a) <= operators.sigmoid(a + 1.0)


@given(small_floats, small_floats, small_floats)
def test_transitive(a: float, b: float, c: float) -> None:
    """Check that `operators.lt` is transitive: what follows for a and c from a < b and b < c?"""
    low, middle, high = sorted((a, b, c))
    if operators.lt(low, middle) and operators.lt(middle, high):
        assert operators.lt(low, high)
    if operators.lt(a, b) and operators.lt(b, c):
        assert operators.lt(a, c)
    assert not (operators.lt(a, b) and operators.lt(b, a))


@given(small_floats, small_floats)
def test_symmetric(a: float, b: float) -> None:
    """Check that the order of the arguments does not matter for `operators.mul`."""
    assert operators.mul(a, b) == operators.mul(b, a)


@given(small_floats, small_floats, small_floats)
def test_distribute(a: float, b: float, c: float) -> None:
    """Check that `operators.mul` distributes over `operators.add`: multiply a sum, or add up products."""
    product = operators.mul(a, operators.add(b, c))
    assert operators.is_close(product, operators.add(operators.mul(a, b), operators.mul(a, c)))


@given(small_floats, small_floats)
def test_other(a: float, b: float) -> None:
    """Check a property of your own choice of `operators.add`, `operators.neg` or `operators.max`."""
    assert operators.add(a, b) == operators.add(b, a)
    assert operators.add(a, operators.neg(a)) == 0.0
    assert operators.max(a, b) == operators.max(b, a)
    assert operators.max(a, b) >= a
