"""Elementwise kernels by layout, reductions by chunks, and gathered rows, in the CUDA backend."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import TensorData, operators, tensor
from minitorch.cuda_ops import elementwise, reduce
from minitorch.cuda_ops.device import launch, memory
from minitorch.nn import fusion
from minitorch.runtime import strides as runtime_strides

MODE = os.environ["MINITORCH_CUDA_TESTS"]
needs_cuda = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
every = pytest.mark.parametrize("dtype", ["float32", "float64"])


def elements(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def on(array: Any, order: tuple[int, ...] | None = None, dtype: str = "float64") -> TensorData:
    """Return numbers in the backend; in memory their dimensions lie in ``order``."""
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
def test_dimensions_are_coalesced(shape: Any, strides: Any, operands: Any, sizes: Any, steps: Any) -> None:
    assert runtime_strides.plan(shape, strides, *operands) == (sizes, steps)


def test_the_rest_of_a_reduction_keeps_its_order() -> None:
    assert runtime_strides.reduction_plan((2, 3, 4), (12, 4, 1), 2) == ((6,), (4,))
    assert runtime_strides.reduction_plan((2, 3, 4), (12, 4, 1), 1) == ((2, 4), (12, 1))
    assert runtime_strides.reduction_plan((2, 3, 4), (1, 2, 6), 2) == ((2, 3), (1, 2))
    assert runtime_strides.reduction_plan((5,), (1,), 0) == ((), ())


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
    a, b = elements(*shape).astype(dtype), elements(*shape, seed=1).astype(dtype)
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
    arrays = [elements(*s, seed=k).astype(dtype) for k, s in enumerate(shapes)]
    for count, fn in enumerate(FUNCTIONS, 1):
        for given in itertools.permutations(arrays, count):
            expression = fusion.trace(fn, count)
            operands = [on(x, tuple(range(x.ndim))[::-1], dtype) for x in given]
            out = minitorch.CudaBackend.elementwise(expression, *operands)
            expected = fn(*given)
            assert (out.shape, out.dtype) == (expected.shape, dtype)
            assert np.allclose(out.to_numpy(), expected, rtol=0, atol=1e-6)
            slopes = [expression.derivative(k) for k in range(count)]
            for slope in slopes:
                d = on(np.ones(expected.shape), None, dtype)
                assert minitorch.CudaBackend.elementwise(slope, *operands, d).shape == expected.shape


TURNED = [((9, 8), (1, 0)), ((33, 70), (1, 0)), ((2, 20, 3, 9), (0, 3, 2, 1)), ((10, 3, 11), (2, 1, 0))]


@needs_cuda
@every
@pytest.mark.parametrize(("shape", "order"), TURNED)
@pytest.mark.parametrize("square", [(8, 2), (32, 8), (16, 16)])
def test_columns_become_rows_in_tiles(
    shape: tuple[int, ...], order: tuple[int, ...], dtype: str, square: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elementwise, "TRANSPOSE_THREADS", square)
    monkeypatch.setattr(launch, "MAX_BLOCKS", 0)  # no other kernel can be launched
    elementwise.walk.cache_clear()
    array = elements(*shape).astype(dtype)
    if shape[-1] >= square[1] <= shape[order[-1]]:
        assert np.array_equal(on(array, order, dtype).contiguous().to_numpy(), array)
    elementwise.walk.cache_clear()


@needs_cuda
def test_threads_go_on_where_the_grid_is_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "MAX_BLOCKS", 2)
    elementwise.walk.cache_clear()
    a, b = elements(7, 5, 6), elements(5, 1)
    assert np.array_equal((on(a, (2, 0, 1)) + on(b)).to_numpy(), a + b)
    assert np.array_equal(on(a, (1, 2, 0)).contiguous().to_numpy(), a)
    minitorch.manual_seed(3)
    few = minitorch.dropout(tensor(a, "cuda"), 0.5).to_numpy()
    minitorch.manual_seed(3)
    assert np.array_equal(few, minitorch.dropout(tensor(a, "simple"), 0.5).to_numpy())
    elementwise.walk.cache_clear()


@needs_cuda
def test_packed_and_alike_operands_take_the_flat_kernel() -> None:
    alike, stretched = ((4, 3), (1, 4)), ((), ())
    for operands in (
        (alike, alike),
        (((1, 2, 3), (6, 3, 1)), ((2, 3), (3, 1)), ((1, 2, 3), (6, 3, 1))),
        (((1, 1), (1, 1)), stretched),
    ):
        walk = elementwise.walk(*operands)
        assert walk.loop is elementwise.FLAT[len(operands) - 2]
        assert walk.settings == (math.prod(operands[0][0]),)
    walk = elementwise.walk(((2, 3), (3, 1)), stretched)
    assert (walk.loop, walk.settings, walk.operand_settings) == (
        elementwise.RANKED[0],
        (6, (6,), (1,)),
        (((0,),),),
    )


@needs_cuda
def test_a_result_that_is_a_window() -> None:
    t = minitorch.zeros((4, 6), "cuda")
    expected = np.zeros((4, 6))
    t[1:3, ::2] = tensor(elements(2, 3), "cuda")
    expected[1:3, ::2] = elements(2, 3)
    t.permute(1, 0)[4:6, 0:4:2] = tensor(elements(2), "cuda")
    expected.T[4:6, 0:4:2] = elements(2)
    assert np.array_equal(t.to_numpy(), expected)
    assert math.isclose(t.sum().item(), expected.sum())


# Folds


FOLDED = [
    ((1,), 0),
    ((700,), 0),
    ((2100,), 0),
    ((3, 40), 1),
    ((40, 3), 0),
    ((300, 2), 0),
    ((3, 9, 5), 1),
    ((2, 3, 2, 3), 2),
    ((2, 3, 4, 2, 2), 1),
    ((33, 1), 1),
    ((1, 70), 0),
    ((0, 3), 1),
    ((3, 0), 1),
]


@needs_cuda
@every
@pytest.mark.parametrize(("shape", "dim"), FOLDED)
@pytest.mark.parametrize("threads", ["forward", "shuffle:1"])
def test_reductions(
    shape: tuple[int, ...], dim: int, dtype: str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINITORCH_SIM_ORDER", threads)
    array = elements(*shape).astype(dtype)
    for order in (tuple(range(len(shape))), tuple(range(len(shape)))[::-1]):
        t = on(array, order, dtype)
        exact = array.sum(dim, keepdims=True, dtype=np.float64)
        total = t.f.add_reduce(t, dim)
        assert (total.shape, total.dtype) == (exact.shape, dtype)
        assert np.allclose(total.to_numpy(), exact, rtol=0, atol=1e-12 if dtype == "float64" else 1e-4)
        top = array.max(dim, keepdims=True, initial=-np.inf)
        assert np.array_equal(t.f.max_reduce(t, dim).to_numpy(), top)
        if t.size:
            odd = array.copy()
            odd.reshape(-1)[array.size // 2] = math.nan
            found = t.f.max_reduce(on(odd, order, dtype), dim).to_numpy()
            assert np.isnan(found).sum() == 1


@needs_cuda
def test_sums_have_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    t = on(elements(2500, 2), None, "float32")
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "forward")
    first = t.f.add_reduce(t, 0).to_numpy()
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "reverse")
    assert np.array_equal(t.f.add_reduce(t, 0).to_numpy(), first)


@needs_cuda
def test_a_start_value_counts_once_in_several_passes() -> None:
    t = on(np.ones(3000))
    assert reduce.plan(t.shape, t.strides, 0).chunks > 1
    assert minitorch.CudaOps.reduce(operators.add, 7.0)(t, 0).to_numpy().tolist() == [3007.0]
    assert minitorch.CudaOps.reduce(operators.mul, 3.0)(t, 0).to_numpy().tolist() == [3.0]


@pytest.mark.parametrize("threads", [32, 256])
def test_reduction_plans_fit_a_card(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduce, "THREADS", threads)
    reduce.plan.cache_clear()
    for count, n in itertools.product((1, 2, 10, 33, 1000, 10**6), (0, 1, 7, 64, 1000, 10**6, 2**31 - 1)):
        for shape, dim in (((count, n), 1), ((n, count), 0)):
            found = reduce.plan(shape, (shape[1], 1), dim)
            assert found.elements == count
            assert found.across * found.down <= threads
            assert 1 <= found.chunks <= reduce.FULL_BLOCKS
            assert (found.chunks - 1) * found.chunk < max(n, 1) <= max(1, found.chunks * found.chunk)
            assert n < 10**5 or found.chunks * -(-count // found.across) * 4 >= reduce.FULL_BLOCKS
    assert reduce.plan((1000, 64), (64, 1), 0).across == threads // 8
    assert reduce.plan((64, 10**4), (10**4, 1), 1).across == 1
    reduce.plan.cache_clear()


@needs_cuda
@pytest.mark.parametrize(("shape", "dim"), [((70, 45), 0), ((3, 900), 1), ((5000,), 0)])
def test_reductions_with_the_blocks_of_a_card(
    shape: tuple[int, ...], dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduce, "THREADS", 256)
    reduce.plan.cache_clear()
    t = on(elements(*shape))
    assert np.allclose(t.f.add_reduce(t, dim).to_numpy(), t.to_numpy().sum(dim, keepdims=True), atol=1e-12)
    reduce.plan.cache_clear()


# Rows that are taken


TAKEN: list[Any] = [
    ((7, 3), [0, 6, 3, 3, 0, 3]),
    ((1, 1), [0]),
    ((4, 5), []),
    ((5, 1), [4] * 40),
    ((3, 0), [1, 2]),
]


@needs_cuda
@every
@pytest.mark.parametrize(("shape", "numbers"), TAKEN)
def test_rows_are_taken_and_their_derivatives_add_up(
    shape: tuple[int, int], numbers: list[int], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, table = np.array(numbers, np.int64), elements(*shape).astype(dtype)
    d = elements(len(rows), shape[1], seed=1).astype(dtype)
    exact = np.zeros(shape, dtype)
    np.add.at(exact, rows, d)
    for order in ((0, 1), (1, 0)):
        for most in (1, 1 << 16):
            monkeypatch.setattr(launch, "MAX_BLOCKS", most)
            a, slope = on(table, order, dtype), on(d, order, dtype)
            found, sums = a.f.take(a, rows), a.f.take_grad(slope, rows, shape)
            assert (found.dtype, sums.dtype, sums.shape) == (dtype, dtype, shape)
            assert np.array_equal(found.to_numpy(), table[rows])
            assert np.array_equal(sums.to_numpy(), exact)


@needs_cuda
def test_taking_rows_reads_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = minitorch.Embedding(6, 4).to("cuda")
    plain = minitorch.Embedding(6, 4).to("simple")
    plain.load_state_dict(layer.state_dict())
    rows, weights = [[1, 5, 1], [0, 0, 2]], elements(2, 3, 4)
    given, expected = tensor(weights, "cuda"), (plain(rows) * tensor(weights, "simple")).sum()

    def refuse(block: Any) -> Any:
        raise AssertionError("read back from the device")

    with monkeypatch.context() as during:
        during.setattr(memory, "host", refuse)
        total = (layer(rows) * given).sum()
        total.backward()
    expected.backward()
    assert math.isclose(total.item(), expected.item(), abs_tol=1e-12)
    assert np.allclose(layer.weight.value.grad.to_numpy(), plain.weight.value.grad.to_numpy(), atol=1e-12)


@needs_cuda
@pytest.mark.parametrize("wrong", [-1, 4, 2**32])
def test_rows_that_are_not_there(wrong: int) -> None:
    with pytest.raises(
        minitorch.IndexingError, match=rf"row {wrong} is not in 0\.\.3 of a matrix of shape \(4, 2\)"
    ):
        minitorch.CudaBackend.take(on(elements(4, 2)), np.array([0, wrong]))


STOCK = """
import json
import numpy as np
import minitorch
def results(backend):
    minitorch.manual_seed(1)
    x = np.arange(60.0).reshape(3, 4, 5) / 7
    t = minitorch.tensor(x, backend, requires_grad=True)
    table = minitorch.Embedding(5, 3).to(backend)
    transposed = t.permute(2, 0, 1)
    loss = (minitorch.dropout(transposed, 0.4, scale=True) * minitorch.tensor(x[0, 0], backend).view(5, 1, 1)).sum()
    (loss + (table([1, 4, 1]) ** 2).sum()).backward()
    long = minitorch.ones((700,), backend)
    found = [t.grad, table.weight.value.grad, transposed.contiguous(), t.sum(1), t.max(0), long.sum()]
    return [f.to_numpy().tolist() for f in found]
print(json.dumps([results("cuda"), results("simple")]))
"""


def test_all_of_it_runs_in_numbas_own_simulator() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", STOCK],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "MINITORCH_BACKEND": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    for found, reference in zip(*json.loads(done.stdout)):
        assert np.allclose(found, reference, rtol=0, atol=1e-12)
