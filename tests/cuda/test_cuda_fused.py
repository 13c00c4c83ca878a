"""The fused kernels of the CUDA backend: each against the composition in the reference backend that is its meaning."""

from __future__ import annotations

import math
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    BackendError,
    CudaOps,
    IndexingError,
    SimpleBackend,
    TensorBackend,
    TensorData,
    fuse,
    tensor,
)
from minitorch.cuda_ops.device import launch
from minitorch.nn import fusion
from minitorch.runtime.types import ConvParams
from minitorch.tensor_ops import composite

MODE = os.environ["MINITORCH_CUDA_TESTS"]
pytestmark = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
ORDERS = ("forward", "shuffle:1") if MODE == "sim" else ("forward",)
TOLERANCE = {"float64": 1e-10, "float32": 2e-5}
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
activations = pytest.mark.parametrize("activation", ["none", "relu", "relu6"])


@pytest.fixture(autouse=True, params=ORDERS)
def order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test with the threads of a block in two orders."""
    monkeypatch.setenv("MINITORCH_SIM_ORDER", request.param)
    return request.param


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def on(backend: str, array: Any, dtype: str) -> TensorData:
    """Return numbers in a backend, not packed where there are several dimensions."""
    array = np.asarray(array, dtype)
    axes = tuple(range(array.ndim))[::-1]
    return tensor(array.transpose(axes).copy(), backend)._tensor.permute(*axes)


def tensors(result: Any) -> Iterator[TensorData]:
    """Yield the results of a kernel that has one or several."""
    yield from result if isinstance(result, tuple) else (result,)


def agree(name: str, dtype: str, *operands: Any) -> list[Any]:
    """Compare an optional kernel of the backend with its composition in the reference backend; return what it gave."""
    elements = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in operands]
    ours = [on("cuda", x, dtype) if real else x for x, real in zip(operands, elements)]
    plain = [on("simple", x, "float64") if real else x for x, real in zip(operands, elements)]
    found = list(tensors(getattr(minitorch.CudaBackend, name)(*ours)))
    expected = list(tensors(getattr(SimpleBackend, name)(*plain)))
    assert len(found) == len(expected)
    for ours_, reference in zip(found, expected):
        assert (ours_.shape, ours_.dtype, ours_.backend) == (reference.shape, dtype, minitorch.CudaBackend)
        a, b = ours_.to_numpy(), reference.to_numpy()
        finite = np.isfinite(b)
        assert np.array_equal(finite, np.isfinite(a))
        scale = max(1.0, np.abs(b[finite]).max(initial=0.0))
        assert np.abs(a[finite] - b[finite]).max(initial=0.0) <= TOLERANCE[dtype] * scale, name
        assert np.array_equal(a[~finite], b[~finite], equal_nan=True)
    return [t.to_numpy() for t in found]


CONVOLUTIONS = [
    ((2, 1, 5, 6), (2, 1, 3, 2), ((1, 1), (0, 2, 0, 1), (1, 1), 1)),
    ((1, 4, 5, 7), (6, 2, 2, 3), ((2, 3), (1, 1, 2, 2), (2, 1), 2)),
    ((3, 2, 4, 9), (3, 2, 1, 7), ((1, 1), (0, 0, 3, 3), (1, 1), 1)),
]


@every
@activations
@pytest.mark.parametrize(("of_x", "of_w", "settings"), CONVOLUTIONS)
def test_conv_activation(dtype: str, activation: str, of_x: Any, of_w: Any, settings: Any) -> None:
    agree(
        "conv_activation",
        dtype,
        numbers(*of_x),
        numbers(*of_w, seed=1),
        numbers(of_w[0], seed=2),
        activation,
        ConvParams(*settings),
    )


@every
@activations
@pytest.mark.parametrize(("n", "k", "m"), [(1, 1, 1), (3, 5, 2), (17, 20, 18), (2, 0, 3)])
def test_linear(dtype: str, activation: str, n: int, k: int, m: int) -> None:
    agree("linear", dtype, numbers(n, k), numbers(m, k, seed=1), numbers(m, seed=2), activation)


@every
@activations
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 2, 7), (2, 3, 4, 5), (300, 1), (0, 3)])
def test_activation_grad(dtype: str, activation: str, shape: tuple[int, ...]) -> None:
    agree("activation_grad", dtype, np.maximum(numbers(*shape), 0), numbers(*shape, seed=1), activation)


SOFTMAXES = [((3, 10), 1), ((3, 10), -1), ((3, 10), 0), ((2, 3, 4), 1), ((1,), 0), ((2, 300), 1), ((0, 3), 1)]


@every
@pytest.mark.parametrize(("shape", "dim"), SOFTMAXES)
def test_log_softmax(dtype: str, shape: tuple[int, ...], dim: int) -> None:
    (y,) = agree("log_softmax", dtype, 10 * numbers(*shape), dim)
    agree("log_softmax_grad", dtype, y.astype(np.float64), numbers(*shape, seed=1), dim)


@every
def test_log_softmax_of_huge_and_missing_scores(dtype: str) -> None:
    nan, inf = math.nan, math.inf
    rows = np.array([[1000.0, -1000.0, 0.0], [-inf, 0.0, 1.0], [nan, 1.0, 2.0], [-inf, -inf, -inf]])
    agree("log_softmax", dtype, rows, 1)


CHANNELS = [(1, 1, 1), (2, 3, 4), (5, 2, 1), (1, 3, 9), (40, 2, 9), (2, 1, 300), (0, 2, 3)]


@every
@activations
@pytest.mark.parametrize("shape", CHANNELS)
def test_norm(dtype: str, activation: str, shape: tuple[int, ...]) -> None:
    x, d = 2 * numbers(*shape) + 1, numbers(*shape, seed=1)
    w, b = (numbers(1, shape[1], 1, seed=k) for k in (2, 3))
    if math.prod(shape):
        _, mean, var = agree("norm", dtype, x, w, b, 0.1, activation)
        # Elements near the bend of ReLU may fall on either side in float32.
        near = np.abs((x - mean) / np.sqrt(var + 0.1) * w + b) < 1e-4
        agree("norm_grad", dtype, x, w, b, np.where(near, 0, d), mean, var, 0.1, activation)
    agree("scale_shift", dtype, x, w, b, activation)


@every
def test_norm_of_numbers_far_from_zero(dtype: str) -> None:
    x = 1000.0 + numbers(30, 2, 10)
    _, mean, var = agree("norm", "float64", x, np.ones((1, 2, 1)), np.zeros((1, 2, 1)), 1e-5, "none")
    found = minitorch.CudaBackend.norm(
        *(on("cuda", t, dtype) for t in (x, var * 0 + 1, var * 0)), 1e-5, "none"
    )
    assert np.allclose(found[2].to_numpy(), var, rtol=1e-3)
    assert np.allclose(found[1].to_numpy(), mean, rtol=1e-6)


@every
@pytest.mark.parametrize("shape", [(1, 1), (3, 10), (2, 300), (5, 2)])
def test_cross_entropy(dtype: str, shape: tuple[int, int]) -> None:
    target = np.abs(numbers(*shape, seed=1))
    agree("cross_entropy", dtype, 5 * numbers(*shape), target)
    agree("cross_entropy", dtype, 5 * numbers(*shape), np.eye(*shape))


@every
@pytest.mark.parametrize("shape", [(1, 1), (3, 10), (2, 300), (5, 2), (0, 3)])
def test_label_entropy(dtype: str, shape: tuple[int, int]) -> None:
    labels = np.arange(shape[0]) % shape[1]
    labels[1::3] = -1
    agree("label_entropy", dtype, 5 * numbers(*shape), labels)


@every
def test_label_entropy_of_huge_and_missing_scores(dtype: str) -> None:
    scores = np.array(
        [[-math.inf, 1.0], [1000.0, -1000.0], [math.nan, 0.0], [math.nan, 0.0], [0.0, -math.inf]]
    )
    agree("label_entropy", dtype, scores, np.array([1, 1, 0, -1, 1]))


@every
def test_cross_entropy_ignores_classes_of_probability_0(dtype: str) -> None:
    scores = np.array([[-math.inf, 1.0, 2.0], [1000.0, 0.0, -1000.0]])
    agree("cross_entropy", dtype, scores, np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]))


CHAINS: list[tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = [
    (lambda x: x * x.sigmoid(), ((3, 50),)),
    (lambda x, y: (x * y + 1.0).relu() - y / 2.0, ((2, 3, 4), (2, 3, 4))),
    (lambda x, y: (x - y).tanh() * (x < y), ((2, 1, 4), (3, 1))),
    (lambda x, y, z: (x * y).exp() + abs(z) ** 3, ((4,), (3, 1), ())),
]


@every
@pytest.mark.parametrize(("fn", "shapes"), CHAINS)
def test_chains_of_elements(dtype: str, fn: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    expression = fusion.trace(fn, len(shapes))
    operands = [numbers(*s, seed=k) for k, s in enumerate(shapes)]
    (out,) = agree("elementwise", dtype, expression, *operands)
    for k in range(len(shapes)):
        agree("elementwise", dtype, expression.derivative(k), *operands, numbers(*out.shape, seed=9))


def test_a_fused_function_has_gradients() -> None:
    swish = fuse(lambda x: x * x.sigmoid())
    grads = []
    for backend in ("cuda", "simple"):
        x = tensor(numbers(3, 4), backend, requires_grad=True)
        swish(x).sum().backward()
        grads.append(x.grad.to_numpy())
    assert np.allclose(*grads, rtol=0, atol=1e-12)


def test_an_empty_chain() -> None:
    expression = fusion.trace(lambda x: x + 1.0, 1)
    out = minitorch.CudaBackend.elementwise(expression, on("cuda", numbers(0, 3), "float64"))
    assert out.shape == (0, 3)


@pytest.mark.parametrize("name", sorted(composite.MEANINGS))
def test_every_composite_operation_is_fused_and_can_be_turned_off(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (name in CudaOps.fused) != (name == "conv_activation_grad"), (
        "that one is three launches, each fused"
    )
    assert getattr(TensorBackend(CudaOps), name) == getattr(CudaOps, name)
    monkeypatch.setenv("MINITORCH_FUSE", "0")
    assert getattr(TensorBackend(CudaOps), name).func is composite.MEANINGS[name]


def test_every_run_gives_the_same_bits(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = (on("cuda", numbers(*s), "float32") for s in ((7, 2, 50), (1, 2, 1), (1, 2, 1)))
    first = [t.to_numpy() for t in minitorch.CudaBackend.norm(x, w, b, 0.1, "relu")]
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "reverse")
    again = [t.to_numpy() for t in minitorch.CudaBackend.norm(x, w, b, 0.1, "relu")]
    assert all(np.array_equal(p, q) for p, q in zip(first, again))


def test_backends_and_shapes_that_do_not_fit() -> None:
    f = minitorch.CudaBackend
    x, there = on("cuda", numbers(2, 3), "float64"), on("fast", numbers(2, 3), "float64")
    channels, others = on("cuda", numbers(1, 2, 3), "float64"), on("fast", numbers(1, 2, 1), "float64")
    for call in (
        lambda: f.linear(x, there, on("fast", numbers(2), "float64"), "none"),
        lambda: f.cross_entropy(x, there),
        lambda: f.norm(channels, others, others, 0.1, "none"),
        lambda: f.scale_shift(channels, others, others, "none"),
        lambda: f.activation_grad(x, there, "relu"),
        lambda: f.elementwise(fusion.trace(lambda a, b: a + b, 2), x, there),
    ):
        with pytest.raises(BackendError, match=r"'cuda'.*'fast'"):
            call()
    with pytest.raises(IndexingError, match=r"\(2, 3\) and \(3, 2\)"):
        f.linear(x, on("cuda", numbers(3, 2), "float64"), x, "none")


def train(backend: str, fused: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the weights of a small network after two steps."""
    monkeypatch.setenv("MINITORCH_FUSE", fused)
    minitorch.manual_seed(3)
    minitorch.set_default_backend(TensorBackend(CudaOps) if backend == "cuda" else backend)
    model = minitorch.Sequential(
        minitorch.Conv2d(1, 2, 3, padding=1),
        minitorch.BatchNorm2d(2),
        minitorch.ReLU(),
        minitorch.Conv2d(2, 2, 3, stride=2),
        minitorch.ReLU(),
        minitorch.Flatten(),
        minitorch.Linear(8, 5),
        minitorch.ReLU(),
        minitorch.Linear(5, 3),
    )
    optimizer = minitorch.Adam(model.parameters(), lr=0.01)
    for k in range(2):
        loss = minitorch.cross_entropy(model(tensor(numbers(4, 1, 6, 6, seed=k))), [0, 2, 1, 1])
        loss.backward()
        optimizer.step()
    return list(model.state_dict().values())


@pytest.mark.parametrize("fused", ["1", "0"])
def test_a_network_with_every_fused_kernel_trains_as_in_the_reference_backend(
    fused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for found, expected in zip(train("cuda", fused, monkeypatch), train("simple", "0", monkeypatch)):
        assert np.allclose(found, expected, rtol=0, atol=1e-8)


def test_a_fault_of_the_driver_names_operation_and_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.cuda.cudadrv.driver import CudaAPIError

    def refuse(*operands: Any) -> None:
        raise CudaAPIError(701, "Call to cuLaunchKernel results in CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES")

    class Refusing(dict[Any, Any]):
        def __missing__(self, grid: Any) -> Any:
            return refuse

    monkeypatch.setattr(launch.numba_cuda, "jit", lambda fn: Refusing())
    launch.kernel.cache_clear()
    try:
        x = tensor(numbers(2, 3), "cuda")
        for call, told in (
            (lambda: x + x, r"zip of add of shapes \(2, 3\), \(2, 3\) failed"),
            (lambda: x.sum(1), r"reduce by add of shapes \(2, 3\) failed"),
            (lambda: x @ x.permute(1, 0), r"matrix product of shapes \(2, 3\), \(3, 2\) failed"),
            (lambda: minitorch.logsoftmax(x, 1), r"log-softmax of shapes \(2, 3, 1\) failed"),
        ):
            with pytest.raises(BackendError, match=told) as caught:
                call()
            assert "OUT_OF_RESOURCES" in str(caught.value)
    finally:
        launch.kernel.cache_clear()


def test_errors_of_cuda_core_are_errors_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    class CUDAError(Exception):
        pass

    core = types.SimpleNamespace(CUDAError=CUDAError)
    monkeypatch.setitem(sys.modules, "cuda.core._utils.cuda_utils", core)
    assert CUDAError in launch.numba_cuda.driver_errors()
