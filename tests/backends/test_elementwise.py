"""The loops of the Numba backend at sizes where they change their ways: blocks, lanes, chunks, threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from minitorch import operators, tensor
from minitorch.fast_ops import backend
from minitorch.fast_ops.elementwise import CHUNK, TRANSPOSE_BLOCK, TRANSPOSE_ROWS
from minitorch.fast_ops.reduce import LANES, REDUCE_COLUMNS, REDUCE_ROWS

from ..support.checks import needs_jit

pytestmark = needs_jit


@pytest.mark.parametrize(
    "shape",
    [(3, TRANSPOSE_ROWS + 5, 50), (2, 9, TRANSPOSE_BLOCK, TRANSPOSE_ROWS), (70, 1, 90), (5, 4, 3)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_permuted_copies(shape: tuple[int, ...], dtype: str) -> None:
    elements = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    t = tensor(elements, "fast", dtype=dtype)
    for order in itertools.permutations(range(len(shape))):
        assert (t.permute(*order).contiguous().to_numpy() == elements.transpose(order)).all()


def test_what_is_transposed_in_blocks() -> None:
    # 32 channels of 16x16 pixels, put last: pixels are packed in the source, channels in the result.
    transposed = backend._transposed_plan((1, 8, 256, 32), (0, 8192, 32, 1), (0, 8192, 1, 256))
    assert transposed == ((1, 8, 256, 32), (0, 8192, 32, 1), (0, 8192, 1, 256))
    assert backend._transposed_plan((1, 8, 256, 32), (0, 8192, 32, 1), (0, 8192, 32, 1)) is None
    assert backend._transposed_plan((1, 8, 256, 3), (0, 768, 3, 1), (0, 768, 1, 256)) is None


@pytest.mark.parametrize("n", [1, LANES - 1, LANES, 2 * LANES, 2 * LANES + 3, CHUNK - 1, 2 * CHUNK + 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reductions_of_rows(n: int, dtype: str) -> None:
    elements = np.random.default_rng(n).standard_normal((9, n)).astype(dtype)
    t = tensor(elements, "fast", dtype=dtype)
    assert (t.max(1).to_numpy() == elements.max(1, keepdims=True)).all()
    assert np.allclose(
        t.sum(1).to_numpy(), elements.sum(1, keepdims=True), atol=1e-3 if dtype == "float32" else 1e-9
    )
    elements[4, n // 2], elements[5, n - 1] = np.nan, np.inf
    assert np.array_equal(
        tensor(elements, "fast", dtype=dtype).max(1).to_numpy(),
        elements.max(1, keepdims=True),
        equal_nan=True,
    )


@pytest.mark.parametrize("inner", [8, REDUCE_COLUMNS - 1, REDUCE_COLUMNS, 2 * REDUCE_COLUMNS + 3])
@pytest.mark.parametrize("n", [1, 40, REDUCE_ROWS, 2 * REDUCE_ROWS + 3])
def test_reductions_of_columns(n: int, inner: int) -> None:
    elements = np.random.default_rng(inner).standard_normal((3, n, inner))
    t = tensor(elements, "fast")
    assert np.allclose(t.sum(1).to_numpy(), elements.sum(1, keepdims=True))
    assert (t.max(1).to_numpy() == elements.max(1, keepdims=True)).all()


def test_a_start_that_counts_is_counted_once() -> None:
    elements = np.random.default_rng(0).standard_normal((2, 2 * REDUCE_ROWS + 3, 9))
    t = tensor(elements, "fast")._tensor
    found = t.f.ops.reduce(operators.add, 5.0)(t, 1)
    assert np.allclose(found.to_numpy(), elements.sum(1, keepdims=True) + 5.0)
