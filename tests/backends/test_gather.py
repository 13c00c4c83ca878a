"""Rows taken by their numbers, and the derivative of that: the kernels of the Numba backend against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch import IndexingError
from minitorch.tensor_ops.backend import find_backend


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "columns", "count"),
    [(5, 3, 0), (1, 1, 7), (7, 1, 200), (100, 33, 70), (3, 500, 1000), (900, 128, 1000)],
)
def test_rows_are_taken_and_added_up(rows: int, columns: int, count: int, dtype: str) -> None:
    draw = np.random.default_rng(0)
    backend = find_backend("fast")
    table, d = (
        draw.standard_normal((rows, columns)).astype(dtype),
        draw.standard_normal((count, columns)).astype(dtype),
    )
    numbers = draw.integers(0, rows, count)
    taken = backend.take(backend.from_array(table), numbers)
    np.testing.assert_array_equal(taken.to_numpy(), table[numbers])
    transposed = backend.take(backend.from_array(table.T.copy()).permute(1, 0), numbers)
    np.testing.assert_array_equal(transposed.to_numpy(), table[numbers])
    expected = np.zeros_like(table)
    np.add.at(expected, numbers, d)  # in the same order, so the same bits
    np.testing.assert_array_equal(
        backend.take_grad(backend.from_array(d), numbers, table.shape).to_numpy(), expected
    )
    turned = backend.from_array(d.T.copy()).permute(1, 0)
    np.testing.assert_array_equal(backend.take_grad(turned, numbers, table.shape).to_numpy(), expected)


@pytest.mark.parametrize("wrong", [-1, 4, 2**40])
def test_a_row_that_is_not_there_is_neither_read_nor_written(wrong: int) -> None:
    backend = find_backend("fast")
    numbers = np.array([0, wrong, 3])
    with pytest.raises(IndexingError, match=f"row {wrong} is not in 0..3"):
        backend.take(backend.from_array(np.zeros((4, 2))), numbers)
    with pytest.raises(IndexingError, match=f"row {wrong} is not in 0..3"):
        backend.take_grad(backend.from_array(np.zeros((3, 2))), numbers, (4, 2))


@pytest.mark.parametrize("shape", [(2, 2), (3, 1), (3, 3)])
def test_a_derivative_of_another_shape_is_not_read(shape: tuple[int, int]) -> None:
    backend = find_backend("fast")
    with pytest.raises(IndexingError, match=r"take_grad: expected shape \(3, 2\), got"):
        backend.take_grad(backend.from_array(np.zeros(shape)), np.array([0, 1, 2]), (4, 2))
