"""Task 2.1: storage, shape and strides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, permutations

import minitorch
from minitorch import TensorData

from .helpers import same
from .tensor_helpers import all_indices, shapes, tensor_data

pytestmark = pytest.mark.task2_1


def test_position() -> None:
    for index, strides, expected in (
        ((0, 0), (5, 1), 0),
        ((2, 3), (5, 1), 13),
        ((1, 2, 1), (1, 10, 100), 121),
    ):
        got = minitorch.index_to_position(np.array(index), np.array(strides))
        same(int(got), expected, f"index_to_position({index}, {strides})")


def test_layout() -> None:
    grid = TensorData([float(i) for i in range(15)], (3, 5), (5, 1))
    same(grid.get((1, 0)), 5.0, "element (1, 0) of 3 by 5, row by row")
    columns = TensorData([float(i) for i in range(15)], (3, 5), (1, 3))
    same(columns.get((1, 2)), 7.0, "element (1, 2) of 3 by 5, column by column")


@given(shapes())
def test_every_index_once(shape: tuple[int, ...]) -> None:
    size = len(all_indices(shape))
    found = []
    for ordinal in range(size):
        out = np.zeros(len(shape), np.int32)
        minitorch.to_index(ordinal, np.array(shape), out)
        found.append(tuple(int(i) for i in out))
    same(found, all_indices(shape), f"to_index for 0 to {size - 1}, shape {shape}")


@given(tensor_data())
def test_every_element_once(t: TensorData) -> None:
    positions = sorted(t.index(index) for index in t.indices())
    same(positions, list(range(t.size)), f"places in the storage, shape {t.shape}, strides {t.strides}")


@given(data())
def test_permute(data: object) -> None:
    t = data.draw(tensor_data())
    order = data.draw(permutations(range(t.dims)))
    moved = t.permute(*order)
    same(moved.shape, tuple(t.shape[i] for i in order), f"shape of {t.shape} permuted by {order}")
    for index in all_indices(t.shape):
        same(moved.get([index[i] for i in order]), t.get(index), f"element {index}, permuted by {order}")
    back = moved.permute(*[order.index(i) for i in range(t.dims)])
    same((back.shape, back.strides), (t.shape, t.strides), f"{order} and back")


@given(data())
def test_permute_shares_the_storage(data: object) -> None:
    t = data.draw(tensor_data())
    assert t.permute(*reversed(range(t.dims)))._storage is t._storage, "permute copies nothing"


def test_buffers_that_are_longer() -> None:
    found = minitorch.index_to_position(np.array([1, 2, 7, 7], np.int32), np.array([3, 1], np.int32))
    same(int(found), 5, "place of the index (1, 2) in a longer buffer, strides (3, 1)")
    buffer = np.array([9, 9, 9, 9], np.int32)
    minitorch.to_index(5, np.array([2, 3], np.int32), buffer)
    same([int(i) for i in buffer[:2]], [1, 2], "index number 5 of (2, 3) in a longer buffer")
