"""Task 2.2: broadcasting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, integers

import minitorch

from .helpers import same
from .tensor_helpers import all_indices, shapes

pytestmark = pytest.mark.task2_2


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((1,), (5, 5), (5, 5)),
        ((5, 5), (1,), (5, 5)),
        ((1, 5, 5), (5, 5), (1, 5, 5)),
        ((5, 1, 5, 1), (1, 5, 1, 5), (5, 5, 5, 5)),
        ((2, 5), (5,), (2, 5)),
    ],
)
def test_shapes_that_fit(a: tuple[int, ...], b: tuple[int, ...], expected: tuple[int, ...]) -> None:
    same(minitorch.shape_broadcast(a, b), expected, f"shape_broadcast({a}, {b})")


@pytest.mark.parametrize(("a", "b"), [((5, 7), (5,)), ((5, 2), (5,)), ((2, 3), (3, 2))])
def test_shapes_that_do_not_fit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        got = minitorch.shape_broadcast(a, b)
    except minitorch.IndexingError:
        return
    pytest.fail(f"shape_broadcast({a}, {b}): expected an IndexingError, got {got}")


@given(data())
def test_broadcast_shapes_of_numpy(data: object) -> None:
    both = data.draw(shapes())
    a, b = (tuple(n if data.draw(integers(0, 2)) else 1 for n in both) for _ in range(2))
    a = a[data.draw(integers(0, len(a) - 1)) :]
    same(minitorch.shape_broadcast(a, b), np.broadcast_shapes(a, b), f"shape_broadcast({a}, {b})")


@given(data())
def test_broadcast_index(data: object) -> None:
    big = data.draw(shapes())
    small = tuple(n if data.draw(integers(0, 2)) else 1 for n in big)[data.draw(integers(0, len(big) - 1)) :]
    for index in all_indices(big):
        out = np.zeros(len(small), np.int32)
        minitorch.broadcast_index(np.array(index), np.array(big), np.array(small), out)
        own = index[len(big) - len(small) :]
        expected = tuple(i if n > 1 else 0 for i, n in zip(own, small))
        same(tuple(int(i) for i in out), expected, f"index {index} of {big} in {small}")


def test_buffers_that_are_longer() -> None:
    big, small = np.array([1, 2, 7, 7], np.int32), np.array([9, 9, 9, 9], np.int32)
    minitorch.broadcast_index(big, np.array([2, 3], np.int32), np.array([3], np.int32), small)
    same(int(small[0]), 2, "index in (3,) for the index (1, 2) of (2, 3), in longer buffers")
