"""The CUDA backend: tasks 3.3, 3.4 and 4.4b, a training step, optimizers and errors; and the strict simulator itself.

The same tests run on a GPU and in the simulator; tests/conftest.py chooses.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, lists, permutations

import minitorch
from minitorch import (
    Adam,
    BackendError,
    CudaOps,
    IndexingError,
    Parameter,
    RMSprop,
    Tensor,
    TensorBackend,
    TensorData,
    avgpool2d,
    conv1d,
    conv2d,
    cross_entropy,
    cuda_conv,
    logsoftmax,
    maxpool2d,
    mm_practice,
    operators,
    sum_practice,
    tensor,
)
from minitorch.cuda_ops import course
from minitorch.cuda_ops.device.numba_cuda import cuda

from ..strategies import MOST_CHECKED, assert_close, small_floats, small_ints
from ..support import checks, strict_simulator
from ..tensor_strategies import shaped_tensors, tensors

MODE = os.environ["MINITORCH_CUDA_TESTS"]
needs_cuda = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
Test = Callable[..., Any]


def task3_3(test: Test) -> Test:
    return pytest.mark.task3_3(needs_cuda(test))


def task3_4(test: Test) -> Test:
    return pytest.mark.task3_4(needs_cuda(test))


def task4_4b(test: Test) -> Test:
    return pytest.mark.task4_4b(needs_cuda(test))


few = settings.get_profile("sim")
SMALL = MOST_CHECKED // 2  # elements: in the simulator each of them takes a thread of its own
one = pytest.mark.parametrize("case", checks.ONE, ids=checks.name_of)
two = pytest.mark.parametrize("case", checks.TWO, ids=checks.name_of)
reductions = pytest.mark.parametrize("case", checks.REDUCTIONS, ids=checks.name_of)


def elements(*shape: int, seed: int = 0) -> Any:
    """Return random numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def on_device(*shape: int) -> tuple[Any, Any, Any]:
    """Return 1, 2, 3, ... of a shape as storage, shape and strides, all on the device."""
    values = TensorData(np.arange(1.0, math.prod(shape) + 1), shape)
    return tuple(cuda.to_device(part) for part in values.tuple())


# Task 3.3: map, zip, reduce


@task3_3
@few
@given(numbers=lists(small_floats, min_size=1))
def test_creation(numbers: list[float]) -> None:
    t = tensor(numbers, "cuda")
    assert t.backend is minitorch.CudaBackend
    assert [t[i] for i in range(len(numbers))] == numbers


@task3_3
@one
@few
@given(t=tensors(backend="cuda", most=SMALL))
def test_one_argument(case: checks.Case, t: Tensor) -> None:
    checks.check_one(case, t)


@task3_3
@two
@few
@given(ts=shaped_tensors(2, backend="cuda", most=SMALL))
def test_two_arguments(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two(case, *ts)


@task3_3
@reductions
@few
@given(t=tensors(backend="cuda", most=SMALL))
def test_reduction(case: checks.Case, t: Tensor) -> None:
    found, expected = case[2](t), case[2](t.to("simple"))
    assert found.shape == expected.shape
    assert np.allclose(found.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-9)


@task3_3
@pytest.mark.parametrize("dim", [0, 1, None])
@few
@given(data=data())
def test_sum(data: Any, dim: int | None) -> None:
    shape = (data.draw(small_ints), data.draw(small_ints), data.draw(small_ints))
    checks.check_sum(data.draw(tensors(backend="cuda", shape=shape)), dim)


@task3_3
@one
@few
@given(t=tensors(backend="cuda", most=SMALL))
def test_one_gradient(case: checks.Case, t: Tensor) -> None:
    checks.check_one_gradient(case, t)


@task3_3
@two
@few
@given(ts=shaped_tensors(2, backend="cuda", most=SMALL))
def test_two_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two_gradients(case, *ts)


@task3_3
@two
@few
@given(ts=shaped_tensors(2, backend="cuda", most=SMALL))
def test_broadcast_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_broadcast_gradients(case, *ts)


@task3_3
@reductions
@few
@given(t=tensors(backend="cuda", most=SMALL))
def test_reduction_gradient(case: checks.Case, t: Tensor) -> None:
    checks.slopes(case[2], t)


@task3_3
@few
@given(data=data())
def test_permute_gradient(data: Any) -> None:
    t = data.draw(tensors(backend="cuda", most=SMALL))
    checks.check_permute_gradient(t, tuple(data.draw(permutations(range(t.dims)))))


@task3_3
@pytest.mark.parametrize("size", [16, 48, 64, 100])
def test_sum_practice(size: int) -> None:
    numbers = elements(size)
    out = sum_practice(tensor(numbers, "cuda"))
    assert out.size == max(2, math.ceil(size / 32))
    for k in range(out.size):
        assert_close(out._storage[k], numbers[32 * k : 32 * (k + 1)].sum())


@task3_3
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((32,), 0), ((500,), 0), ((16, 32), 1), ((1025,), 0), ((3001,), 0), ((2, 1500), 1), ((1500, 2), 0)],
)
def test_long_sums(shape: tuple[int, ...], dim: int) -> None:
    numbers = elements(*shape)
    t = tensor(numbers, "cuda")
    sums = t.sum(dim)
    assert sums.shape == (*shape[:dim], 1, *shape[dim + 1 :])
    assert np.allclose(sums.to_numpy(), numbers.sum(dim, keepdims=True), rtol=0, atol=1e-9)
    assert np.array_equal(t.max(dim).to_numpy(), numbers.max(dim, keepdims=True))


@task3_3
@pytest.mark.parametrize("size", [1, 33, 257, 1023])
def test_odd_sizes(size: int) -> None:
    numbers = elements(size)
    t = tensor(numbers, "cuda")
    assert np.array_equal((t + t).to_numpy(), numbers + numbers)
    assert np.array_equal((-t).to_numpy(), -numbers)


@task3_3
def test_a_start_value_counts_once() -> None:
    backend = minitorch.CudaBackend
    t = backend.from_array(np.arange(40.0))
    assert CudaOps.reduce(operators.add, 5.0)(t, 0).item() == 5.0 + 780.0
    empty = backend.from_array(np.zeros((2, 0)))
    assert CudaOps.reduce(operators.add, 5.0)(empty, 1).to_numpy().tolist() == [[5.0], [5.0]]


def decay(x: float, total: float) -> float:
    return x + 0.5 * total


@task3_3
def test_functions_that_cannot_be_regrouped_are_reduced_from_the_left() -> None:
    numbers = elements(3, 40)
    found = CudaOps.reduce(decay, 1.0)(minitorch.CudaBackend.from_array(numbers), 1).to_numpy()
    for row, value in zip(numbers, found):
        total = 1.0
        for x in row:
            total = decay(x, total)
        assert value[0] == total


@task3_3
def test_scalars_empty_tensors_and_many_dimensions() -> None:
    assert (tensor(3.0, "cuda") + 1).item() == 4.0
    assert tensor(3.0, "cuda").sum().shape == (1,)
    assert (tensor([], "cuda") * 2).shape == (0,)
    assert tensor([], "cuda").sum().item() == 0.0
    deep = np.arange(2.0**7).reshape((2,) * 7)
    t = tensor(deep, "cuda").permute(6, 1, 4, 3, 2, 5, 0)
    assert np.array_equal((t + tensor(deep, "cuda")).to_numpy(), deep.transpose(6, 1, 4, 3, 2, 5, 0) + deep)


@needs_cuda
def test_windows_are_read_and_written() -> None:
    t = minitorch.zeros((4, 4), "cuda")
    t[1:3, ::2] = tensor([[1.0, 2.0]], "cuda")
    t[0, 1] = 5.0
    assert t.to_numpy().tolist() == [[0, 5, 0, 0], [1, 0, 2, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert t[1:, 0].to_numpy().tolist() == [1.0, 1.0, 0.0]


@needs_cuda
def test_beyond_the_finite_nothing_is_raised() -> None:
    assert tensor([-1000.0, 1000.0], "cuda").exp().to_numpy().tolist() == [0.0, math.inf]
    assert (1 / tensor([0.0], "cuda")).item() == math.inf
    assert math.isnan(tensor([-5.0], "cuda").log().item())
    huge = tensor([[1e308, -math.inf]], "cuda")
    assert math.isnan(((huge * 10) @ tensor([[1.0], [1.0]], "cuda")).item())
    assert math.isnan(tensor([1.0, math.nan, 2.0], "cuda").max().item())


@needs_cuda
@pytest.mark.parametrize("f", [f for _, _, f in checks.ONE], ids=[name for name, _, _ in checks.ONE])
def test_float32_stays_float32(f: Test) -> None:
    numbers = elements(2, 3).astype(np.float32)
    t = tensor(numbers, "cuda", requires_grad=True)
    out = f(t)
    out.sum().backward()
    assert out.dtype == t.grad.dtype == np.float32
    assert np.allclose(out.to_numpy(), f(tensor(numbers, "fast")).to_numpy(), rtol=1e-4, atol=1e-4)


@needs_cuda
def test_numbers_on_the_host_move_when_they_are_used() -> None:
    t = Tensor.make(np.arange(6.0), (2, 3), backend="cuda")
    assert (t + t).to_numpy().tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    assert t.to_numpy().tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    data = TensorData(np.arange(3.0), (3,), backend=minitorch.CudaBackend)
    data.to_cuda_()
    data.to_cuda_()
    assert data.to_numpy().tolist() == [0.0, 1.0, 2.0]


@task3_3
@pytest.mark.parametrize("compiled", [False, True])
def test_map_kernel_on_triples(compiled: bool) -> None:
    fn = cuda.jit(device=True)(operators.sigmoid) if compiled else operators.sigmoid
    out = on_device(2, 3)
    course.tensor_map(fn)[1, 32](*out, 6, *on_device(1, 3))
    expected = [operators.sigmoid(x) for x in (1.0, 2.0, 3.0)]
    assert np.allclose(out[0].copy_to_host().reshape(2, 3), [expected, expected], rtol=1e-12)


@needs_cuda
def test_zip_and_reduce_kernels_on_triples() -> None:
    out = on_device(2, 3)
    course.tensor_zip(operators.mul)[1, 32](*out, 6, *on_device(2, 1), *on_device(3))
    assert out[0].copy_to_host().tolist() == [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]
    for threads in (1, 2, 3, 32, 1024):
        out = on_device(2, 1)
        course.tensor_reduce(operators.add)[2, threads](*out, 2, *on_device(2, 37), 1, 10.0)
        assert out[0].copy_to_host().tolist() == [10 + 37 * 19, 10 + 37 * 56]


@task3_3
def test_practice_kernel_on_arrays() -> None:
    out = cuda.to_device(np.zeros(2))
    minitorch.jit_sum_practice[3, minitorch.THREADS_PER_BLOCK](out, cuda.to_device(np.arange(64.0)), 64)
    assert out.copy_to_host().tolist() == [496.0, 1520.0]


# Task 3.4: the matrix product


@task3_4
@pytest.mark.parametrize("size", [2, 7, 32])
def test_mm_practice(size: int) -> None:
    a, b = elements(size, size), elements(size, size, seed=1)
    found = mm_practice(tensor(a, "cuda"), tensor(b, "cuda").permute(1, 0))
    assert np.allclose(found.to_numpy(), a @ b.T, rtol=0, atol=1e-9)
    out = cuda.to_device(np.zeros(size * size))
    operands = (cuda.to_device(x.reshape(-1)) for x in (a, b))
    minitorch.jit_mm_practice[1, (32, 32)](out, *operands, size)
    assert np.allclose(out.copy_to_host().reshape(size, size), a @ b, rtol=0, atol=1e-9)


@task3_4
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((2, 2), (2, 2)),
        ((33, 33), (33, 33)),
        ((1, 5), (5, 1)),
        ((2, 33, 33), (2, 33, 33)),
        ((2, 45, 33), (2, 33, 40)),
        ((3, 4, 5), (1, 5, 2)),
        ((1, 4, 5), (3, 5, 2)),
        ((4, 5), (3, 5, 2)),
        ((3, 17, 5), (5, 18)),
        ((2, 3, 0), (2, 0, 4)),
    ],
)
def test_matmul(of_a: tuple[int, ...], of_b: tuple[int, ...]) -> None:
    a, b = elements(*of_a), elements(*of_b, seed=1)
    found = (tensor(a, "cuda") @ tensor(b, "cuda")).to_numpy()
    assert found.shape == (a @ b).shape
    assert np.allclose(found, a @ b, rtol=0, atol=1e-9)


@needs_cuda
def test_matmul_of_permuted_operands_in_float32() -> None:
    a, b = elements(3, 20, 2).astype(np.float32), elements(18, 20, 3, seed=1).astype(np.float32)
    found = tensor(a, "cuda").permute(2, 0, 1) @ tensor(b, "cuda").permute(2, 1, 0)[:2]
    expected = a.transpose(2, 0, 1).astype(np.float64) @ b.transpose(2, 1, 0)[:2].astype(np.float64)
    assert found.dtype == np.float32
    assert np.linalg.norm(found.to_numpy() - expected) < 1e-5 * np.linalg.norm(expected)


@task3_4
@few
@given(data=data())
def test_matmul_gradient(data: Any) -> None:
    d, n, k, m = (data.draw(small_ints) for _ in range(4))
    a, b = (data.draw(tensors(backend="cuda", shape=shape)) for shape in ((d, n, k), (1, k, m)))
    checks.slopes(lambda x, y: x @ y, a, b)


@task3_4
@pytest.mark.parametrize("tile", [5, 16, 32])
def test_matmul_kernel_on_triples(tile: int) -> None:
    out = on_device(2, 17, 4)
    grid = math.ceil(17 / tile), math.ceil(4 / tile), 2
    operands = (*on_device(2, 17, 20), *on_device(1, 20, 4))
    course.tensor_matrix_multiply[grid, (tile, tile, 1)](*out, 2 * 17 * 4, *operands)
    a, b = (np.arange(1.0, math.prod(s) + 1).reshape(s) for s in ((2, 17, 20), (1, 20, 4)))
    assert np.array_equal(out[0].copy_to_host().reshape(2, 17, 4), a @ b)


# Task 4.4b: convolution and pooling, against the reference backend


def agree(f: Callable[..., Tensor], *arrays: Any) -> None:
    """Compare values and gradients with those of the reference backend."""
    results = []
    for backend in ("cuda", "simple"):
        leaves = [tensor(a, backend, requires_grad=True) for a in arrays]
        out = f(*leaves)
        out.backward(tensor(elements(*out.shape, seed=9), backend))
        results.append([out.to_numpy(), *(leaf.grad.to_numpy() for leaf in leaves)])
    for found, expected in zip(*results):
        assert found.shape == expected.shape
        assert np.allclose(found, expected, rtol=0, atol=1e-9, equal_nan=True)


@task4_4b
@pytest.mark.parametrize(
    ("of_x", "of_w"), [((1, 1, 6), (1, 1, 4)), ((2, 2, 6), (3, 2, 2)), ((2, 1, 2), (1, 1, 4))]
)
def test_conv1d(of_x: tuple[int, ...], of_w: tuple[int, ...]) -> None:
    agree(conv1d, elements(*of_x), elements(*of_w, seed=1))


@task4_4b
def test_conv1d_exactly() -> None:
    x, w = tensor([[[0, 1, 2, 3]]], "cuda"), tensor([[[1, 2, 3]]], "cuda")
    assert conv1d(x, w).to_numpy().tolist() == [[[8, 14, 8, 3]]]


@task4_4b
@pytest.mark.parametrize(
    ("of_x", "of_w", "setting"),
    [
        ((2, 1, 6, 6), (1, 1, 2, 4), {}),
        ((2, 2, 6, 5), (3, 2, 2, 4), {}),
        ((1, 2, 2, 3), (2, 2, 4, 4), {}),
        ((2, 4, 5, 7), (6, 2, 2, 3), {"stride": (2, 3), "padding": (1, 2), "dilation": (2, 1), "groups": 2}),
        ((1, 3, 5, 5), (3, 1, 3, 3), {"padding": "same", "groups": 3}),
        ((1, 2, 7, 6), (2, 2, 3, 2), {"stride": 3, "padding": 1}),
    ],
)
def test_conv2d(of_x: tuple[int, ...], of_w: tuple[int, ...], setting: dict[str, Any]) -> None:
    agree(lambda x, w: conv2d(x, w, **setting), elements(*of_x), elements(*of_w, seed=1))


@task4_4b
def test_conv2d_of_permuted_operands_and_mixed_dtypes() -> None:
    x, w = elements(4, 2, 1, 5), elements(3, 2, 2, 2, seed=1).astype(np.float32)
    agree(lambda a, b: conv2d(a.permute(2, 1, 0, 3), b.permute(0, 1, 3, 2)), x, w)


@task4_4b
@few
@given(data=data())
def test_conv2d_gradient(data: Any) -> None:
    x, w = (data.draw(tensors(backend="cuda", shape=s)) for s in ((1, 2, 2, 3), (1, 2, 2, 2)))
    checks.slopes(conv2d, x, w)


POOLS = [
    ((2, 2, 4, 6), {"kernel": (2, 3)}),
    ((1, 2, 4, 4), {"kernel": (1, 2)}),
    ((2, 1, 5, 7), {"kernel": 3, "stride": (1, 2), "padding": 1}),
    ((1, 1, 6, 5), {"kernel": 2, "stride": 3, "ceil_mode": True}),
    ((1, 2, 5, 5), {"kernel": (3, 2), "stride": 2, "padding": (1, 1), "ceil_mode": True}),
]


@task4_4b
@pytest.mark.parametrize(("shape", "setting"), POOLS)
def test_avgpool2d(shape: tuple[int, ...], setting: dict[str, Any]) -> None:
    agree(lambda x: avgpool2d(x, **setting), elements(*shape))
    if "stride" in setting:
        agree(lambda x: avgpool2d(x, **setting, count_include_pad=False), elements(*shape))


@task4_4b
@pytest.mark.parametrize(("shape", "setting"), [*POOLS, ((1, 1, 7, 6), {"kernel": 3, "dilation": 2})])
def test_maxpool2d(shape: tuple[int, ...], setting: dict[str, Any]) -> None:
    agree(lambda x: maxpool2d(x, **setting), elements(*shape))
    agree(lambda x: maxpool2d(x, **setting), elements(*shape).round())  # ties


@task4_4b
def test_maxpool2d_of_nan_and_infinity() -> None:
    x = elements(1, 1, 4, 4)
    x[0, 0, 0, 1] = x[0, 0, 1, 0] = x[0, 0, 3, 3] = np.nan
    x[0, 0, 0, 2:] = x[0, 0, 1, 2:] = -np.inf
    agree(lambda t: maxpool2d(t, 2), x)
    agree(lambda t: maxpool2d(t, 3, stride=1, padding=1), x)


@task4_4b
@pytest.mark.parametrize("reverse", [False, True])
def test_conv_kernels_on_triples(reverse: bool) -> None:
    x, w, sign = (
        np.arange(1.0, 25).reshape(2, 1, 3, 4),
        np.arange(1.0, 13).reshape(2, 1, 2, 3),
        1 - 2 * reverse,
    )
    expected = np.zeros((2, 2, 3, 4))
    for n, o, y, z in np.ndindex(*expected.shape):
        for i, j in np.ndindex(2, 3):
            r, k = y + sign * i, z + sign * j
            if 0 <= r < 3 and 0 <= k < 4:
                expected[n, o, y, z] += x[n, 0, r, k] * w[o, 0, i, j]
    out = on_device(2, 2, 3, 4)
    cuda_conv.tensor_conv2d[2, 32](*out, 48, *on_device(2, 1, 3, 4), *on_device(2, 1, 2, 3), reverse)
    assert np.array_equal(out[0].copy_to_host().reshape(2, 2, 3, 4), expected)
    out = on_device(1, 1, 4)
    cuda_conv.tensor_conv1d[1, 32](*out, 4, *on_device(1, 1, 4), *on_device(1, 1, 3), reverse)
    assert out[0].copy_to_host().tolist() == ([1, 4, 10, 16] if reverse else [14, 20, 11, 4])


# A training step, and optimizers


def lenet_step(backend: str) -> list[Any]:
    """Return the loss of a small LeNet, and the gradients of its weights."""
    shapes = [(2, 1, 3, 3), (2,), (3, 2, 3, 3), (3,), (12, 8), (8,), (8, 10), (10,)]
    weights = [tensor(0.5 * elements(*s, seed=k), backend, requires_grad=True) for k, s in enumerate(shapes)]
    x = tensor(elements(2, 1, 8, 8, seed=20), backend)
    for w, b in (weights[:2], weights[2:4]):
        x = conv2d(x, w, b, padding="anchored").relu()
    x = maxpool2d(avgpool2d(x, 2), 2).view(2, 12)
    x = (x @ weights[4] + weights[5]).relu() @ weights[6] + weights[7]
    loss = cross_entropy(x, [3, 7])
    loss.backward()
    return [loss.to_numpy(), logsoftmax(x, 1).to_numpy(), *(w.grad.to_numpy() for w in weights)]


@needs_cuda
def test_a_lenet_step_is_the_same_as_in_the_reference_backend() -> None:
    for found, expected in zip(lenet_step("cuda"), lenet_step("simple")):
        assert np.allclose(found, expected, rtol=0, atol=1e-9)


OPTIMIZERS = {
    "sgd": lambda p: minitorch.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum": lambda p: minitorch.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: Adam(p, lr=0.1, weight_decay=0.01),
    "amsgrad": lambda p: Adam(p, lr=0.1, amsgrad=True),
    "rmsprop": lambda p: RMSprop(p, lr=0.1, momentum=0.5, centered=True),
    "adagrad": lambda p: minitorch.Adagrad(p, lr=0.1),
}


@needs_cuda
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_optimizers_agree_with_the_fast_backend(name: str, dtype: str) -> None:
    results = []
    for backend in ("cuda", "fast"):
        p = Parameter(tensor(elements(5, 7), backend, dtype=dtype))
        optimizer = OPTIMIZERS[name]([p])
        for k in range(3):
            (p.value * tensor(elements(5, 7, seed=k), backend, dtype=dtype)).sum().backward()
            optimizer.step()
        assert p.value.dtype == dtype
        results.append(p.value.to_numpy())
    assert np.allclose(*results, rtol=0, atol=1e-9 if dtype == "float64" else 1e-5)


# Errors


@needs_cuda
def test_backends_do_not_mix() -> None:
    for f in (operators.add, lambda a, b: a @ b, lambda a, b: conv2d(a.view(1, 1, 2, 2), b.view(1, 1, 2, 2))):
        with pytest.raises(BackendError, match=r"'cuda'.*'fast'"):
            f(tensor([[1.0, 2.0]] * 2, "cuda"), tensor([[1.0, 2.0]] * 2, "fast"))
    with pytest.raises(BackendError, match=r"cuda.*simple"):
        sum_practice(tensor([1.0], "simple"))


@needs_cuda
def test_shapes_that_the_exercises_refuse() -> None:
    def zeros(*shape: int) -> Tensor:
        return minitorch.zeros(shape, "cuda")

    with pytest.raises(IndexingError, match=r"\(2, 2\)"):
        sum_practice(zeros(2, 2))
    for a, b in ((zeros(2, 3), zeros(3, 2)), (zeros(2, 2), zeros(3, 3)), (zeros(33, 33), zeros(33, 33))):
        with pytest.raises(IndexingError, match="mm_practice"):
            mm_practice(a, b)


@needs_cuda
def test_backends_on_the_backend_are_equal_and_moving_is_differentiable() -> None:
    assert TensorBackend(CudaOps) == minitorch.CudaBackend
    assert minitorch.CudaBackend.cuda
    t = tensor([1.0, 2.0], "fast", requires_grad=True)
    (t.to("cuda") * 3 + tensor([1.0, 1.0], TensorBackend(CudaOps))).to("fast").sum().backward()
    assert t.grad is not None
    assert t.grad.to_numpy().tolist() == [3.0, 3.0]
    minitorch.set_default_backend("cuda")
    assert minitorch.zeros((2,)).backend is minitorch.CudaBackend


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script where no GPU is to be seen, and no simulator."""
    hidden = {"NUMBA_ENABLE_CUDASIM": "0", "CUDA_VISIBLE_DEVICES": "", "MINITORCH_BACKEND": ""}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **hidden, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


TELL = """
    try:
        use()
        print("no error")
    except minitorch.BackendError as problem:
        print(problem)
"""


def test_without_a_gpu_the_first_use_raises_one_clear_line() -> None:
    uses = (
        "minitorch.tensor([1.0], 'cuda')",
        "minitorch.CudaBackend",
        "minitorch.set_default_backend('cuda')",
        "minitorch.tensor([1.0], minitorch.TensorBackend(minitorch.CudaOps))",
        "minitorch.tensor([1.0])",
    )
    listed = ", ".join(f"lambda: {use}" for use in uses)
    code = f"import minitorch, numba\nprint(numba.cuda.is_available())\nfor use in ({listed}):{TELL}"
    done = python(code, MINITORCH_BACKEND="cuda")
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    assert first == "False"
    assert len(lines) == len(uses)
    assert all("needs an NVIDIA GPU" in line and "'fast'" in line for line in lines)


def test_the_package_imports_where_numba_has_no_cuda() -> None:
    code = (
        "import sys\nsys.modules['numba.cuda'] = None\nimport minitorch\n"
        f"print((minitorch.ones((2,)) + 1).sum().item())\nuse = lambda: minitorch.CudaBackend\nif True:{TELL}"
    )
    done = python(code)
    assert done.stderr == ""
    total, line = done.stdout.splitlines()
    assert total == "4.0"
    assert "minitorch[cuda]" in line


def test_users_get_numbas_own_simulator_with_shared_memory_that_is_shared(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import minitorch, numpy as np\n"
        "from numba import cuda\n"
        "a = minitorch.tensor(np.arange(80.0).reshape(8, 10), 'cuda')\n"
        "print(a.sum().item(), (a @ a.permute(1, 0)).sum().item())\n"
        "def two_on_a_line(out):\n"
        "    a, b = cuda.shared.array(1, np.float64), cuda.shared.array(1, np.float64)\n"
        "    a[0], b[0] = 1.0, 2.0\n"
        "    out[0] = a[0]\n"
        "out = cuda.device_array(1, np.float64)\n"
        "cuda.jit(two_on_a_line)[1, 1](out)\n"
        "print(out[0])\n"
        "x = minitorch.tensor(np.arange(40.0).reshape(4, 10) / 40, 'cuda', True)\n"
        "minitorch.set_default_backend('cuda')\n"
        "layer = minitorch.Sequential(minitorch.BatchNorm1d(10), minitorch.Linear(10, 3), minitorch.ReLU())\n"
        "minitorch.cross_entropy(layer(x), [0, 1, 2, 0]).backward()\n"
        "other = layer.to('simple')(minitorch.tensor(x.to_numpy(), 'simple'))\n"
        "print(np.allclose(other.to_numpy(), layer.to('cuda')(x).to_numpy(), rtol=0, atol=1e-9))\n"
    )
    done = python(f"import runpy; runpy.run_path({str(script)!r})", NUMBA_ENABLE_CUDASIM="1")
    assert done.stderr == ""
    table = np.arange(80.0).reshape(8, 10)
    assert done.stdout.split() == [str(table.sum()), str((table @ table.T).sum()), "1.0", "True"]


# The strict simulator


strict = pytest.mark.skipif(
    MODE != "sim" or (cuda is not None and cuda.device_array.__name__ != "poisoned_array"),
    reason="the strict simulator is not in use",
)


@strict
@pytest.mark.parametrize("order", ["forward", "reverse", "shuffle:1", "shuffle:2"])
def test_the_order_of_threads_does_not_matter(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = tensor(elements(3, 20), "cuda"), tensor(elements(20, 5), "cuda")
    expected = (a @ b).sum(0).max().item(), a.sum().item(), sum_practice(a.view(60)).to_numpy().tolist()
    monkeypatch.setenv("MINITORCH_SIM_ORDER", order)
    found = (a @ b).sum(0).max().item(), a.sum().item(), sum_practice(a.view(60)).to_numpy().tolist()
    assert found == expected


def rotate(out: Any, barrier: bool) -> None:
    cache = cuda.shared.array(32, np.float64)
    i = cuda.threadIdx.x
    cache[i] = i
    if barrier:
        cuda.syncthreads()
    out[i] = cache[(i + 1) % 32]


def diverge(out: Any) -> None:
    if cuda.threadIdx.x < 3:
        cuda.syncthreads()
    out[0] = 1.0


def branch(out: Any) -> None:
    if cuda.threadIdx.x < 3:
        cuda.syncthreads()
    else:
        cuda.syncthreads()
    out[0] = 1.0


def two_on_a_line(out: Any) -> None:
    a, b = cuda.shared.array(1, np.float64), cuda.shared.array(1, np.float64)
    a[0], b[0] = 1.0, 2.0
    out[0] = a[0]


def greedy(out: Any) -> None:
    cuda.shared.array(48 * 1024 // 8, np.float64)
    cuda.shared.array(1, np.float64)


def unwritten(out: Any) -> None:
    out[0] = cuda.local.array(1, np.float64)[0]


def before_the_start(out: Any) -> None:
    out[cuda.threadIdx.x - 1] = 1.0


def votes(out: Any) -> None:
    i = cuda.threadIdx.x
    out[0] = cuda.syncthreads_count(i < 5)
    out[1] = cuda.syncthreads_and(i < 5)
    out[2] = cuda.syncthreads_or(i < 5)


@strict
def test_a_missing_barrier_shows_as_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "forward")
    out = cuda.device_array(32, np.float64)
    cuda.jit(rotate)[1, 32](out, True)
    assert out.copy_to_host().tolist() == [*range(1, 32), 0]
    cuda.jit(rotate)[1, 32](out, False)
    assert np.isnan(out.copy_to_host()).sum() == 31


@strict
def test_memory_is_poisoned_and_each_shared_array_is_one() -> None:
    assert np.isnan(cuda.device_array(2, np.float32).copy_to_host()).all()
    out = cuda.device_array(1, np.float64)
    cuda.jit(unwritten)[1, 1](out)
    assert np.isnan(out[0])
    cuda.jit(two_on_a_line)[1, 1](out)
    assert out[0] == 1.0


@strict
@pytest.mark.parametrize("kernel", [diverge, branch])
def test_a_divergent_barrier_is_an_error(kernel: Test) -> None:
    with pytest.raises(strict_simulator.Divergence, match=rf"{kernel.__name__}.*thread \(2, 0, 0\)"):
        cuda.jit(kernel)[1, 8](cuda.device_array(1, np.float64))


@strict
def test_the_limits_of_a_card_hold() -> None:
    out = cuda.device_array(1, np.float64)
    for blocks, threads in ((1, 1025), (1, (1, 1, 65)), ((1, 65_536), 1), ((1, 1, 65_536), 1)):
        with pytest.raises(ValueError, match="a card takes"):
            cuda.jit(unwritten)[blocks, threads](out)
    with pytest.raises(ValueError, match="shared memory"):
        cuda.jit(greedy)[1, 1](out)
    with pytest.raises(IndexError, match=r"thread \(0, 0, 0\).*negative"):
        cuda.jit(before_the_start)[1, 1](out)


@strict
def test_barriers_that_count() -> None:
    out = cuda.device_array(3, np.float64)
    cuda.jit(votes)[1, 8](out)
    assert out.copy_to_host().tolist() == [5.0, 0.0, 1.0]


@strict
def test_an_unknown_order_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "sideways")
    with pytest.raises(ValueError, match="sideways"):
        tensor([1.0], "cuda") + 1
