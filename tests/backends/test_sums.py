"""Sums whose order stands in the source, against NumPy in double precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

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
