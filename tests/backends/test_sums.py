"""Sums whose order stands in the source, against NumPy in double precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.fast_ops import jit
from minitorch.fast_ops.sums import largest, moments, total, weighted

SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 1000, 4099)


def all_sums(out: Any, a: Any, b: Any, at: int, n: int, near: Any) -> None:
    out[0] = total(a, at, n)
    out[1], out[2] = moments(a, at, n, near)
    out[3], out[4] = weighted(a, b, at, n, near)
    out[5] = largest(a, at, n)


def elements(n: int, dtype: str, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal((1, n + 7)).astype(dtype)


def compute(a: Any, b: Any, at: int, n: int, near: float) -> Any:
    out = np.full(6, np.nan, a.dtype)
    jit.kernel(all_sums, a.dtype)(out, a, b, at, n, a.dtype.type(near))
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_sums_of_any_length(n: int, dtype: str) -> None:
    a, b = elements(n, dtype, n), elements(n, dtype, n + 1)
    found = compute(a, b, 3, n, 0.25)
    x, y = (t[0, 3 : 3 + n].astype(np.float64) for t in (a, b))
    wanted = [x.sum(), (x - 0.25).sum(), ((x - 0.25) ** 2).sum(), x.sum(), (x * (y - 0.25)).sum()]
    limit = (n + 1) * np.finfo(a.dtype).eps
    np.testing.assert_allclose(found[:5], wanted, rtol=limit, atol=limit)
    assert found[5] == (x.max() if n else -math.inf)


@pytest.mark.parametrize("n", [1, 5, 10, 17, 40, 70])
def test_nan_and_infinity_are_kept_and_neighbours_do_not_count(n: int) -> None:
    for place in range(-1, n + 1):
        for value in (np.nan, np.inf, -np.inf):
            a = np.ones((1, n + 8), np.float32)
            a[0, 4 + place] = value
            found = compute(a, np.ones_like(a), 4, n, 0.0)
            row = a[0, 4 : 4 + n]
            wanted = [row.sum(), row.sum(), (row * row).sum(), row.sum(), row.sum(), row.max()]
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("columns", [1, 2, 3, 9])
@pytest.mark.parametrize("permuted", [False, True])
def test_sums_of_many_elements_along_narrow_columns_keep_their_digits(
    columns: int, permuted: bool, dim: int
) -> None:
    n = 400_000
    a = np.full((n, columns) if dim == 0 else (columns, n), 0.1, np.float32)
    t = minitorch.tensor(a.T.copy(), "fast").permute(1, 0) if permuted else minitorch.tensor(a, "fast")
    exact = n * float(np.float32(0.1))
    np.testing.assert_allclose(t.sum(dim).to_numpy(), exact, rtol=1e-5)
    np.testing.assert_allclose(
        t[:, ::2].sum(0).to_numpy(), a[:, ::2].sum(0, np.float64, keepdims=True), rtol=2e-5
    )


def test_sums_beyond_the_whole_numbers_of_float32() -> None:
    ones = minitorch.tensor(np.ones((17_000_000, 2), np.float32), "fast")
    np.testing.assert_array_equal(ones.sum(0).to_numpy(), 17_000_000)


def test_bias_gradients_of_many_rows_keep_their_digits() -> None:
    rows = 400_000
    x = minitorch.tensor(np.ones((rows, 1), np.float32), "fast")
    w = minitorch.tensor(np.ones((2, 1), np.float32), "fast")
    b = minitorch.tensor(np.zeros(2, np.float32), "fast", requires_grad=True)
    minitorch.nn.functional.linear(x, w, b, act="relu").backward(
        minitorch.tensor(np.full((rows, 2), 0.1, np.float32), "fast")
    )
    np.testing.assert_allclose(b.grad.to_numpy(), rows * float(np.float32(0.1)), rtol=2e-5)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 511, 515, 1023, 1793, 65_537, 70_001])
def test_every_element_counts_once(n: int) -> None:
    for columns in (3, 9):
        a = np.arange(columns * n, dtype=np.float64).reshape(n, columns) % 7
        t = minitorch.tensor(a, "fast")
        np.testing.assert_array_equal(t.sum(0).to_numpy(), a.sum(0, keepdims=True))
        np.testing.assert_array_equal(t.max(0).to_numpy(), a.max(0, keepdims=True))
