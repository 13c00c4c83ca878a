"""How the CUDA room finds cells: dimensions merged, kernels by their number, folds in rows and columns, rows taken."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import TensorData, cuda_fused_ops, cuda_launch, fusing, operators, strided, tensor

MODE = os.environ["MINITORCH_CUDA_TESTS"]
needs_cuda = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
every = pytest.mark.parametrize("dtype", ["float32", "float64"])


def cells(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def on(array: Any, order: tuple[int, ...] | None = None, dtype: str = "float64") -> TensorData:
    """Return numbers in the room; in memory their dimensions lie in ``order``."""
    array = np.asarray(array, dtype)
    order = order or tuple(range(array.ndim))
    back = tuple(int(k) for k in np.argsort(order)) if order else ()
    return tensor(array.transpose(order).copy(), "cuda")._tensor.permute(*back)


# Merging


LAYOUTS: list[Any] = [
    # shape, strides of the result, (shape, strides) of operands; sizes that are left, strides
    ((2, 3, 4), (12, 4, 1), [((2, 3, 4), (12, 4, 1))], (24,), [(1,), (1,)]),
    ((2, 1, 4), (4, 9, 1), [((2, 1, 4), (4, 5, 1))], (8,), [(1,), (1,)]),
    ((2, 3, 4), (12, 4, 1), [((4,), (1,))], (6, 4), [(4, 1), (0, 1)]),
    ((2, 3, 4), (12, 4, 1), [((3, 1), (1, 1))], (2, 3, 4), [(12, 4, 1), (0, 1, 0)]),
    ((2, 3, 4), (12, 4, 1), [((), ())], (24,), [(1,), (0,)]),
    ((4, 3), (1, 4), [((4, 3), (1, 4)), ((4, 3), (1, 4))], (12,), [(1,), (1,), (1,)]),
    ((4, 3), (3, 1), [((4, 3), (1, 4))], (4, 3), [(3, 1), (1, 4)]),
    ((1, 1), (1, 1), [((1,), (1,))], (), [(), ()]),
    ((4, 6), (12, 2), [((4, 6), (6, 1))], (24,), [(2,), (1,)]),
]


@pytest.mark.parametrize(("shape", "strides", "operands", "sizes", "steps"), LAYOUTS)
def test_dimensions_are_merged(shape: Any, strides: Any, operands: Any, sizes: Any, steps: Any) -> None:
    assert strided.plan(shape, strides, *operands) == (sizes, steps)


def test_the_rest_of_a_reduction_keeps_its_order() -> None:
    assert strided.rest_plan((2, 3, 4), (12, 4, 1), 2) == ((6,), (4,))
    assert strided.rest_plan((2, 3, 4), (12, 4, 1), 1) == ((2, 4), (12, 1))
    assert strided.rest_plan((2, 3, 4), (1, 2, 6), 2) == ((2, 3), (1, 2))
    assert strided.rest_plan((5,), (1,), 0) == ((), ())


# Maps, zips and chains


SHAPES = [(3,), (2, 3), (3, 2, 4), (2, 3, 1, 4), (2, 3, 2, 2, 2), (2, 1, 2, 3, 2, 2)]
ORDERS = [
    (shape, order) for shape in SHAPES for order in list(itertools.permutations(range(len(shape))))[::7]
]
FUNCTIONS = [
    lambda a: a * 2.0,
    lambda a, b: a - b,
    lambda a, b, c: a * b - c,
]


@needs_cuda
@every
@pytest.mark.parametrize(("shape", "order"), ORDERS)
def test_permuted_operands(shape: tuple[int, ...], order: tuple[int, ...], dtype: str) -> None:
    a, b = cells(*shape).astype(dtype), cells(*shape, seed=1).astype(dtype)
    x, y = on(a, order, dtype), on(b, None, dtype)
    f = x.f
    assert np.array_equal(f.map(operators.neg)(x).to_numpy(), -a)
    assert np.array_equal(f.add_zip(x, y).to_numpy(), a + b)
    assert np.array_equal(f.sub_zip(y, x).to_numpy(), b - a)
    assert np.array_equal(f.mul_zip(x, on(b, order, dtype)).to_numpy(), a * b)


STRETCHED = [
    ((2, 3, 4), (4,), (3, 1)),
    ((2, 3, 4), (), (2, 1, 1)),
    ((2, 1, 4), (3, 1), (1, 3, 4)),
    ((5, 1, 2, 1), (3, 1, 2), (2,)),
    ((1,), (1, 1), ()),
]


@needs_cuda
@every
@pytest.mark.parametrize("shapes", STRETCHED)
def test_stretched_operands(shapes: tuple[tuple[int, ...], ...], dtype: str) -> None:
    arrays = [cells(*s, seed=k).astype(dtype) for k, s in enumerate(shapes)]
    for count, fn in enumerate(FUNCTIONS, 1):
        for given in itertools.permutations(arrays, count):
            program = fusing.trace(fn, count)
            operands = [on(x, tuple(range(x.ndim))[::-1], dtype) for x in given]
            out = minitorch.CudaBackend.cells(program, *operands)
            expected = fn(*given)
            assert (out.shape, out.dtype) == (expected.shape, dtype)
            assert np.allclose(out.to_numpy(), expected, rtol=0, atol=1e-6)
            slopes = [program.derivative(k) for k in range(count)]
            for slope in slopes:
                d = on(np.ones(expected.shape), None, dtype)
                assert minitorch.CudaBackend.cells(slope, *operands, d).shape == expected.shape


@needs_cuda
def test_threads_go_on_where_the_grid_is_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_launch, "MOST_BLOCKS", 2)
    a, b = cells(7, 5, 6), cells(5, 1)
    assert np.array_equal((on(a, (2, 0, 1)) + on(b)).to_numpy(), a + b)
    assert np.array_equal(on(a, (1, 2, 0)).contiguous().to_numpy(), a)
    minitorch.manual_seed(3)
    few = minitorch.dropout(tensor(a, "cuda"), 0.5).to_numpy()
    minitorch.manual_seed(3)
    assert np.array_equal(few, minitorch.dropout(tensor(a, "simple"), 0.5).to_numpy())


@needs_cuda
def test_packed_and_alike_operands_take_the_flat_kernel() -> None:
    alike = ((4, 3), (1, 4))
    assert cuda_fused_ops._walk(alike, alike) is None
    assert cuda_fused_ops._walk(((1, 2, 3), (6, 3, 1)), ((2, 3), (3, 1)), ((1, 2, 3), (6, 3, 1))) is None
    stretched = cuda_fused_ops._walk(((2, 3), (3, 1)), ((), ()))
    assert stretched == ((6,), (1,), (0,))
    assert cuda_fused_ops._walk(((1, 1), (1, 1)), ((), ())) is None


@needs_cuda
def test_a_result_that_is_a_window() -> None:
    t = minitorch.zeros((4, 6), "cuda")
    expected = np.zeros((4, 6))
    t[1:3, ::2] = tensor(cells(2, 3), "cuda")
    expected[1:3, ::2] = cells(2, 3)
    t.permute(1, 0)[4:6, 0:4:2] = tensor(cells(2), "cuda")
    expected.T[4:6, 0:4:2] = cells(2)
    assert np.array_equal(t.to_numpy(), expected)
    assert math.isclose(t.sum().item(), expected.sum())
