"""The small vector kernels around convolution and pooling, each against a line of NumPy."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from minitorch.fast_ops import pool, simd
from minitorch.fast_ops.convolution import register_tiles, winograd_transforms

from ..support.checks import needs_jit

pytestmark = needs_jit
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def lanes(dtype: str) -> int:
    return simd.VECTOR_BYTES // np.dtype(dtype).itemsize


def numbers(*shape: int, dtype: str) -> Any:
    return np.random.default_rng(1).standard_normal(shape).astype(dtype)


@DTYPES
@pytest.mark.parametrize("name", ["transform_input", "transform_output", "transform_gradient"])
def test_transforms_are_matrices(name: str, dtype: str) -> None:
    matrix = {
        "transform_input": winograd_transforms.INPUT,
        "transform_output": winograd_transforms.OUTPUT,
        "transform_gradient": winograd_transforms.OUTPUT_TRANSPOSED,
    }[name]
    transform, n = getattr(winograd_transforms, name), 2 * lanes(dtype)
    image, out = numbers(len(matrix[0]), n, dtype=dtype), np.zeros((len(matrix), n), dtype)

    @numba.njit
    def run(out: Any, image: Any, offsets: Any) -> None:
        transform(out, 0, n, image, 0, offsets, 2)

    run(out.reshape(-1), image.reshape(-1), np.arange(len(matrix[0])) * n)
    assert np.allclose(out, np.array(matrix, dtype) @ image, atol=1e-5)


@DTYPES
@pytest.mark.parametrize("name", ["transpose_vector", "transpose_tile"])
def test_squares_are_transposed(name: str, dtype: str) -> None:
    transpose = getattr(winograd_transforms, name)
    n = lanes(dtype) if name == "transpose_vector" else simd.WIDE_CHANNELS
    image, out = numbers(n, n, dtype=dtype), np.zeros((n, n), dtype)

    @numba.njit
    def run(out: Any, image: Any) -> None:
        transpose(out, 0, n, image, 0, n)

    run(out.reshape(-1), image.reshape(-1))
    assert (out == image.T).all()


@DTYPES
@pytest.mark.parametrize("width", [2, 4, 8])
def test_four_streams_are_interleaved_and_split(width: int, dtype: str) -> None:
    interleave, split_4, split_6 = (
        getattr(winograd_transforms, f"{name}_{width}") for name in ("interleave", "split_4_of", "split_6_of")
    )
    streams = numbers(4, width, dtype=dtype)
    row, four, six = (np.zeros(n * width + 8, dtype) for n in (4, 4, 6))

    @numba.njit
    def run(row: Any, four: Any, six: Any, streams: Any) -> None:
        interleave(row, 0, streams, 0, width)
        split_4(four, 0, width, row, 0)
        split_6(six, 0, width, row, 0)

    run(row, four, six, streams.reshape(-1))
    assert (row[: 4 * width] == streams.T.reshape(-1)).all()
    assert (four[: 4 * width].reshape(4, width) == streams).all()
    places = np.arange(width) * 4
    assert (six[: 6 * width].reshape(6, width) == [row[places + j] for j in range(6)]).all()


@DTYPES
@pytest.mark.parametrize("cols", [1, 2, 3, 5, 8, 13, 16, 17, 40])
def test_rows_of_any_length_are_copied(cols: int, dtype: str) -> None:
    copy_rows, copy_rows_bias = register_tiles.copy_rows, register_tiles.copy_rows_bias
    copy_rows_bias_high = register_tiles.copy_rows_bias_high
    image = numbers(3, cols + 2, dtype=dtype)
    image[1, -1] = np.nan
    plain, positive, limited = (np.full((3, cols + 5), 7, dtype) for _ in range(3))

    @numba.njit
    def run(plain: Any, positive: Any, limited: Any, image: Any, numbers: Any) -> None:
        copy_rows(plain, 1, cols + 5, image, 2, cols + 2, 3, cols, shift)
        copy_rows_bias(positive, 1, cols + 5, image, 2, cols + 2, 3, cols, numbers)
        copy_rows_bias_high(limited, 1, cols + 5, image, 2, cols + 2, 3, cols, numbers)

    shift, low, high = map(np.dtype(dtype).type, (0.5, 0.0, 1.0))
    flat = (a.reshape(-1) for a in (plain, positive, limited, image))
    run(*flat, (shift, low, high))
    np.testing.assert_array_equal(plain[:, 1 : cols + 1], image[:, 2:])
    np.testing.assert_array_equal(positive[:, 1 : cols + 1], np.maximum(image[:, 2:] + shift, low))
    np.testing.assert_array_equal(limited[:, 1 : cols + 1], np.clip(image[:, 2:] + shift, low, high))
    for out in (plain, positive, limited):
        assert (out[:, 0] == 7).all()
        assert (out[:, cols + 1 :] == 7).all()


@DTYPES
@pytest.mark.parametrize("cols", [1, 2, 3, 7, 8, 12, 16, 19])
def test_the_first_largest_of_four_gets_it_all(cols: int, dtype: str) -> None:
    share = pool.share_pairs
    draw = np.random.default_rng(cols)
    image = draw.integers(0, 3, (2, 2 * cols)).astype(dtype)
    image[draw.random(image.shape) < 0.1] = np.nan
    d, out = numbers(cols, dtype=dtype), np.full((2, 2 * cols), 7, dtype)

    @numba.njit
    def run(out: Any, image: Any, d: Any) -> None:
        share(out, 0, image, 0, 2 * cols, d, 0, cols)

    run(out.reshape(-1), image.reshape(-1), d)
    for k in range(cols):
        window, found = image[:, 2 * k : 2 * k + 2].reshape(-1), out[:, 2 * k : 2 * k + 2].reshape(-1)
        first = int(np.flatnonzero(np.isnan(window))[0]) if np.isnan(window).any() else int(window.argmax())
        assert (found == np.where(np.arange(4) == first, d[k], 0)).all()
