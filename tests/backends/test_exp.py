"""Our exponential and error function: the system's, within one unit in the last place or two, everywhere."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import pytest

from minitorch import operators
from minitorch.fast_ops import codegen, jit
from minitorch.fast_ops.exp import vector_erf, vector_exp

from ..support.checks import needs_jit

pytestmark = needs_jit


@numba.njit
def run(out: Any, x: Any) -> None:
    for i in range(len(x)):
        out[i] = vector_exp(x[i])


def ours(x: Any) -> Any:
    out = np.empty_like(x)
    run(out, x)
    return out


@pytest.mark.parametrize(("dtype", "low", "high"), [("float32", -87.3, 88.7), ("float64", -708.3, 709.7)])
def test_one_unit_in_the_last_place(dtype: str, low: float, high: float) -> None:
    draw = np.random.default_rng(0)
    x = np.concatenate([draw.uniform(low, high, 50_000), draw.uniform(-1, 1, 50_000)]).astype(dtype)
    exact = np.exp(x.astype(np.longdouble))
    units = np.abs(ours(x) - exact) / np.spacing(exact.astype(dtype))
    assert units.max() < 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_range(dtype: str) -> None:
    x = np.array(
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 89.0 if dtype == "float32" else 710.0], dtype
    )
    assert np.array_equal(
        ours(x), np.array([1, 1, np.inf, 0, np.nan, np.inf, 0, np.inf], dtype), equal_nan=True
    )


@pytest.mark.parametrize(("dtype", "at"), [("float32", -100.0), ("float64", -740.0)])
def test_numbers_below_the_normal_ones_are_kept(dtype: str, at: float) -> None:
    found = ours(np.array([at], dtype))[0]
    assert 0 < found < np.finfo(dtype).tiny
    assert abs(float(found) - math.exp(at)) <= 2 * np.finfo(dtype).smallest_subnormal


@numba.njit
def run_erf(out: Any, x: Any) -> None:
    for i in range(len(x)):
        out[i] = vector_erf(x[i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_error_function(dtype: str) -> None:
    draw = np.random.default_rng(0)
    edges = np.nextafter([1.0, 1.0, 4.0, 4.0], [0.0, 2.0, 0.0, 5.0]).astype(dtype)
    tiny = np.finfo(dtype).tiny
    x = np.concatenate(
        [draw.uniform(-6, 6, 100_000), draw.uniform(-1, 1, 100_000), edges, [0.0, 1e-30, tiny]]
    )
    x = x.astype(dtype)
    exact = np.array([math.erf(v) for v in x])
    found = np.empty_like(x)
    run_erf(found, x)
    units = np.abs(found - exact) / np.spacing(np.abs(exact).astype(dtype))
    assert units.max() < 1.5
    assert np.abs(found).max() <= 1
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30], dtype)
    found = np.empty_like(special)
    run_erf(found, special)
    np.testing.assert_array_equal(found, np.array([1, -1, np.nan, 0, -0.0, 1], dtype))
    assert np.signbit(found[4])


def test_kernels_use_it() -> None:
    kernel = jit.kernel(_apply, np.float32, fn=operators.exp)
    out = np.empty(1, np.float32)
    kernel(out, np.array([1.0], np.float32))
    assert out[0] == ours(np.array([1.0], np.float32))[0]
    assert "vector_exp" in codegen.module_source(_apply, {"fn": operators.exp}, "float32", False)


fn = operators.exp


def _apply(out: Any, x: Any) -> None:
    for i in range(len(x)):
        out[i] = fn(x[i])
