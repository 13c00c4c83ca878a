"""Matrix products of the Numba backend: in parts through BLAS, by NumPy, and what decides between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minitorch.fast_ops import jit, matmul

SHAPES = [
    ((5, 3), (3, 7)),
    ((1, 3), (3, 7)),
    ((5, 3), (3, 1)),
    ((1, 3), (3, 1)),
    ((5, 1), (1, 7)),
    ((4, 5, 3), (4, 3, 7)),
    ((4, 5, 3), (1, 3, 7)),
    ((1, 5, 3), (4, 3, 7)),
    ((4, 1, 3), (4, 3, 7)),
    ((4, 5, 3), (4, 3, 1)),
    ((4, 5, 1), (1, 7)),
    ((4, 5, 3), (3, 7)),
    ((300, 200), (200, 100)),  # parts of rows
    ((64, 80), (80, 500)),  # parts of columns
    ((3, 130, 90), (3, 90, 131)),
]


def laid_out(array: Any, order: str) -> Any:
    """Return the same matrices with packed rows, with packed columns, or with gaps."""
    if order == "columns":
        return np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)
    return np.repeat(array, 2, axis=-1)[..., ::2] if order == "gaps" else array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_products_of_operands_of_any_layout(shapes: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    exact = np.matmul(a.astype(np.float64), b.astype(np.float64))
    for a_order in ("rows", "columns", "gaps"):
        for b_order in ("rows", "columns", "gaps"):
            out = np.full(exact.shape, np.nan, dtype)
            matmul.matmul(out, laid_out(a, a_order), laid_out(b, b_order))
            np.testing.assert_allclose(out, exact, rtol=1e-5, atol=1e-4 if dtype == "float32" else 1e-12)


def test_without_the_functions_of_blas_numpy_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((64, 80)), rng.standard_normal((80, 100))
    found, expected = np.empty((64, 100)), a @ b
    monkeypatch.setattr(matmul, "_functions", lambda dtype: None)
    assert matmul.launch(found, a, b) is None
    matmul.matmul(found, a, b)
    np.testing.assert_array_equal(found, expected)


def test_nothing_is_launched_that_does_not_fit() -> None:
    """A kernel has no checks of its own: it would read beyond the operands."""
    out, a, b = np.empty((4, 5, 7)), np.ones((4, 5, 3)), np.ones((4, 3, 7))
    launched = matmul.launch(out, a, b)
    assert launched is not None or jit.disabled()
    for wrong in (
        (out, a[:2], b),
        (out, a, b[:3]),
        (out, a[:, :4], b),
        (out, a, b[:, :2]),
        (out, a, b[..., :6].copy()),
        (out[:, :, ::2], a, b[..., ::2].copy()),
        (out, a.astype(np.float32), b),
        (np.empty((4, 5, 7), np.float16), a.astype(np.float16), b.astype(np.float16)),
    ):
        assert matmul.launch(*wrong) is None


@pytest.mark.parametrize("shape", [(3, 4, 5), (200, 300, 400)])
def test_the_threads_of_blas_are_as_they_were(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    before = [get() for get, _ in matmul._threads()]
    for layout in ("rows", "gaps"):
        matmul.matmul(np.empty((m, n)), laid_out(np.ones((m, k)), layout), np.ones((k, n)))
        assert [get() for get, _ in matmul._threads()] == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_infinity_stay_in_their_rows_and_columns(dtype: str) -> None:
    a, b = np.ones((96, 128), dtype), np.ones((128, 200), dtype)
    a[3, 5], b[7, 11] = np.nan, np.inf
    out = np.zeros((96, 200), dtype)
    matmul.matmul(out, a, b)
    expected = np.full((96, 200), 128.0)
    expected[:, 11], expected[3] = np.inf, np.nan
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(12, 5408), (540, 12), (40, 40), (3, 7)])
def test_a_matrix_times_its_own_transpose_is_symmetric(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for a in (x, x.T):
        out = np.empty((len(a), len(a)), np.float32)
        matmul.matmul(out, a, a.T)
        np.testing.assert_array_equal(out, out.T)
        np.testing.assert_array_equal(out, a @ a.T)
