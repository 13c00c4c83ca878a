"""The subjects of modules 2.3 and 2.4 in the fast backend, and the matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, lists, permutations

import minitorch
from minitorch import FastBackend, FastOps, Tensor, TensorBackend, operators, tensor
from minitorch.fast_ops import course, jit

from .strategies import MOST_CHECKED, checked, small_floats, small_ints
from .support import checks
from .tensor_strategies import matmul_tensors, shaped_tensors, tensors

one = pytest.mark.parametrize("case", checks.ONE, ids=checks.name_of)
two = pytest.mark.parametrize("case", checks.TWO, ids=checks.name_of)


@pytest.mark.task3_1
@given(elements=lists(small_floats, min_size=1))
def test_creation(elements: list[float]) -> None:
    t = tensor(elements, "fast")
    assert t.backend is FastBackend
    assert [t[i] for i in range(len(elements))] == elements


@pytest.mark.task3_1
@one
@given(t=tensors(backend="fast"))
def test_one_argument(case: checks.Case, t: Tensor) -> None:
    checks.check_one(case, t)


@pytest.mark.task3_1
@two
@given(ts=shaped_tensors(2, backend="fast"))
def test_two_arguments(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two(case, *ts)


@pytest.mark.task3_1
@pytest.mark.parametrize("dim", [0, 1, None])
@given(data=data())
def test_sum(data: Any, dim: int | None) -> None:
    shape = (data.draw(small_ints), data.draw(small_ints), data.draw(small_ints))
    checks.check_sum(data.draw(tensors(backend="fast", shape=shape)), dim)


@pytest.mark.task3_1
@one
@checked
@given(t=tensors(backend="fast", most=MOST_CHECKED))
def test_one_gradient(case: checks.Case, t: Tensor) -> None:
    checks.check_one_gradient(case, t)


@pytest.mark.task3_1
@two
@checked
@given(ts=shaped_tensors(2, backend="fast", most=MOST_CHECKED))
def test_two_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two_gradients(case, *ts)


@pytest.mark.task3_1
@two
@checked
@given(ts=shaped_tensors(2, backend="fast", most=MOST_CHECKED))
def test_broadcast_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_broadcast_gradients(case, *ts)


@pytest.mark.task3_1
@pytest.mark.parametrize("case", checks.REDUCTIONS, ids=checks.name_of)
@checked
@given(t=tensors(backend="fast", most=MOST_CHECKED))
def test_reduction_gradient(case: checks.Case, t: Tensor) -> None:
    checks.slopes(case[2], t)


@pytest.mark.task3_1
@checked
@given(data=data())
def test_permute_gradient(data: Any) -> None:
    t = data.draw(tensors(backend="fast", most=MOST_CHECKED))
    checks.check_permute_gradient(t, tuple(data.draw(permutations(range(t.dims)))))


def triple(*shape: int) -> tuple[Any, Any, Any]:
    """Return 1, 2, 3, ... of a shape as storage, shape and strides."""
    elements = np.arange(1.0, np.prod(shape) + 1)
    return minitorch.TensorData(elements, shape).tuple()


def compiled_triple(x: float) -> float:
    return 3.0 * x


@checks.needs_jit
@pytest.mark.parametrize("ready", [False, True])
def test_kernels_take_plain_and_compiled_functions(ready: bool, capsys: pytest.CaptureFixture[str]) -> None:
    import numba

    fn = numba.njit(compiled_triple) if ready else compiled_triple
    kernel = course.tensor_map(fn)
    out = triple(2, 3)
    kernel(*out, *triple(1, 3))
    assert out[0].tolist() == [3.0, 6.0, 9.0, 3.0, 6.0, 9.0]
    kernel.parallel_diagnostics(level=3)
    assert "map_any" in capsys.readouterr().out


def test_zip_and_reduce_kernels_on_triples() -> None:
    out = triple(2, 3)
    course.tensor_zip(operators.mul)(*out, *triple(2, 1), *triple(3))
    assert out[0].tolist() == [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]
    sums = (np.zeros(2), np.array([2, 1]), np.array([1, 1]))
    course.tensor_reduce(operators.add)(*sums, *triple(2, 3), 1)
    assert sums[0].tolist() == [6.0, 15.0]


def test_indexing_functions_are_compiled_ones() -> None:
    out = np.zeros(2, np.int32)
    course.to_index(4, np.array([2, 3]), out)
    assert out.tolist() == [1, 1]
    assert course.index_to_position(out, np.array([3, 1])) == 4
    course.broadcast_index(out, np.array([2, 3]), np.array([1, 3]), out)
    assert out.tolist() == [0, 1]


@pytest.mark.task3_1
@pytest.mark.parametrize("shape", [(70_000,), (300, 301), (2, 35_000), (9, 4, 1000)])
def test_large_tensors_run_on_all_threads(shape: tuple[int, ...]) -> None:
    elements = np.random.default_rng(0).standard_normal(shape)
    t = tensor(elements, "fast")
    order = tuple(reversed(range(t.dims)))
    assert np.array_equal((t + t).to_numpy(), elements + elements)
    assert np.array_equal((-t.permute(*order)).to_numpy(), -elements.transpose(order))
    assert np.allclose(t.sum().item(), elements.sum(), rtol=0, atol=1e-9 * np.abs(elements).sum())
    for dim in range(t.dims):
        assert np.allclose(
            t.sum(dim).to_numpy(), elements.sum(dim, keepdims=True), rtol=0, atol=1e-9 * elements.size
        )
        assert np.array_equal(t.max(dim).to_numpy(), elements.max(dim, keepdims=True))


@pytest.mark.task3_1
def test_more_dimensions_than_the_kernels_coalesce() -> None:
    elements = np.arange(2.0**6).reshape((2,) * 6)
    order = (0, 3, 1, 4, 2, 5)
    t, flipped = tensor(elements, "fast"), elements.transpose(5, 4, 3, 2, 1, 0)
    assert np.array_equal(
        (t.permute(*order) + tensor(flipped, "fast")).to_numpy(), elements.transpose(order) + flipped
    )
    mixed = t.permute(5, 4, 3, 2, 1, 0)
    assert np.array_equal((-mixed).to_numpy(), -flipped)
    assert np.array_equal(mixed.sum(2).to_numpy(), flipped.sum(2, keepdims=True))


@pytest.mark.task3_2
def test_matmul() -> None:
    a, b = tensor(np.arange(6.0).reshape(2, 3), "fast"), tensor(np.arange(12.0).reshape(3, 4), "fast")
    product = (a.view(2, 3, 1) * b.view(1, 3, 4)).sum(1).view(2, 4)
    assert (
        (a @ b).to_numpy().tolist()
        == product.to_numpy().tolist()
        == [
            [20.0, 23.0, 26.0, 29.0],
            [56.0, 68.0, 80.0, 92.0],
        ]
    )


@pytest.mark.task3_2
@given(data=data())
def test_batched_matmul(data: Any) -> None:
    d, n, k, m = (data.draw(small_ints) for _ in range(4))
    a = data.draw(tensors(backend="fast", shape=(d, n, k)))
    b = data.draw(tensors(backend="fast", shape=(1, k, m)))
    expected = (a.contiguous().view(d, n, k, 1) * b.contiguous().view(1, 1, k, m)).sum(2).view(d, n, m)
    for ind in expected._tensor.indices():
        checks.assert_close((a @ b)[ind], expected[ind])
    checks.slopes(lambda x, y: x @ y, a, b)


@pytest.mark.task3_2
@given(ts=matmul_tensors(backend="fast"))
def test_matmul_gradient(ts: list[Tensor]) -> None:
    checks.slopes(lambda x, y: x @ y, *ts)


@pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(jit.plain(minitorch.tensor_matrix_multiply), id="python", marks=pytest.mark.task3_2),
        pytest.param(minitorch.tensor_matrix_multiply, id="compiled", marks=checks.needs_jit),
    ],
)
def test_matmul_kernel_on_triples(kernel: Any) -> None:
    out = triple(2, 2, 4)
    kernel(*out, *triple(2, 2, 3), *triple(1, 3, 4))
    expected = np.arange(1.0, 13).reshape(2, 2, 3) @ np.arange(1.0, 13).reshape(1, 3, 4)
    assert np.array_equal(out[0].reshape(2, 2, 4), expected)
    assert minitorch.tensor_matrix_multiply is course.tensor_matrix_multiply


def test_an_own_backend_on_the_same_backend_mixes() -> None:
    own = TensorBackend(FastOps)
    assert own == FastBackend
    assert hash(own) == hash(FastBackend)
    assert (tensor([1.0], own) + tensor([2.0], "fast")).item() == 3.0
