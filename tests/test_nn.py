"""Pooling, maxima, softmax and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import DrawFn, composite, data, floats, permutations

import minitorch
from minitorch import (
    IndexingError,
    Tensor,
    adaptive_avgpool2d,
    argmax,
    avgpool2d,
    dropout,
    grad_check,
    logsoftmax,
    max_reduce,
    maxpool2d,
    softmax,
    tensor,
    tile,
)

from .strategies import MOST_CHECKED, checked
from .support.checks import assert_close
from .support.op_table import BACKENDS
from .tensor_strategies import tensors

backend = pytest.mark.parametrize("backend", BACKENDS)
KERNELS = [(2, 2), (2, 1), (1, 2)]


@composite
def untied(draw: DrawFn, shape: tuple[int, ...]) -> Tensor:
    """Draw a leaf whose elements lie so far apart that no step of a difference changes which is the largest."""
    t = draw(tensors(backend="fast", shape=shape))
    t._tensor._storage[:] = np.array(draw(permutations(range(t.size)))) * draw(floats(0.5, 10)) - 10
    return t


def count_up(*shape: int, backend: str = "fast") -> Tensor:
    return tensor(np.arange(1.0, np.prod(shape) + 1).reshape(shape), backend)


@pytest.mark.task4_3
@backend
def test_tile(backend: str) -> None:
    images = count_up(1, 1, 4, 4, backend=backend)
    windows, rows, cols = tile(images, (2, 2))
    assert (windows.shape, rows, cols) == ((1, 1, 2, 2, 4), 2, 2)
    assert windows[0, 0, 0, 0].to_numpy().tolist() == [1, 2, 5, 6]
    assert windows[0, 0, 1, 0].to_numpy().tolist() == [9, 10, 13, 14]
    windows, rows, cols = tile(images, (1, 2))
    assert (windows.shape, rows, cols) == ((1, 1, 4, 2, 2), 4, 2)
    assert windows[0, 0, 0].to_numpy().tolist() == [[1, 2], [3, 4]]
    windows, _, _ = tile(images.permute(0, 1, 3, 2), (2, 1))
    assert windows[0, 0, 0, 0].to_numpy().tolist() == [1, 2]


@pytest.mark.task4_3
@pytest.mark.parametrize("kernel", KERNELS)
@checked
@given(t=tensors(backend="fast", shape=(1, 1, 4, 4)))
def test_avgpool2d(kernel: tuple[int, int], t: Tensor) -> None:
    out = avgpool2d(t, kernel)
    for n, c, y, z in out._tensor.indices():
        total = 0.0
        for i in range(kernel[0]):
            for j in range(kernel[1]):
                total += t[n, c, y * kernel[0] + i, z * kernel[1] + j]
        assert out[n, c, y, z] == total / (kernel[0] * kernel[1])
    grad_check(lambda x: avgpool2d(x, kernel), t)


@pytest.mark.task4_4
@given(t=tensors(backend="fast", shape=(2, 3, 4)))
def test_max_value(t: Tensor) -> None:
    elements = t.to_numpy()
    for dim in (0, 1, 2, -1):
        found = minitorch.max(t, dim)
        assert np.array_equal(found.to_numpy(), elements.max(dim, keepdims=True))
        assert np.array_equal(max_reduce(t, dim).to_numpy(), found.to_numpy())
        assert np.array_equal(t.max(dim).to_numpy(), found.to_numpy())
    assert t.max().item() == elements.max()


@pytest.mark.task4_4
@checked
@given(t=untied((2, 3, 2)))
def test_max_gradient(t: Tensor) -> None:
    for dim in (0, 1, 2):
        grad_check(lambda x, d=dim: minitorch.max(x, d) * minitorch.max(x, d), t)


@pytest.mark.task4_4
@backend
def test_max_ties(backend: str) -> None:
    t = tensor([[3.0, 1.0, 3.0], [2.0, 2.0, 0.0]], backend, True)
    minitorch.max(t, 1).backward(tensor([[5.0], [7.0]], backend))
    assert t.grad.to_numpy().tolist() == [[5, 0, 5], [7, 7, 0]]
    assert argmax(t, 1).to_numpy().tolist() == [[1, 0, 1], [1, 1, 0]]
    assert argmax(t, 0).to_numpy().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert argmax(t, 1).is_constant()
    assert max_reduce(t, 1).is_constant()
    assert max_reduce(t, 1).backend is t.backend


@pytest.mark.task4_4
@pytest.mark.parametrize("kernel", KERNELS)
@checked
@given(t=untied((1, 1, 4, 4)))
def test_maxpool2d(kernel: tuple[int, int], t: Tensor) -> None:
    out = maxpool2d(t, kernel)
    elements = t.to_numpy()
    for n, c, y, z in out._tensor.indices():
        window = elements[n, c, y * kernel[0] : (y + 1) * kernel[0], z * kernel[1] : (z + 1) * kernel[1]]
        assert out[n, c, y, z] == window.max()
    grad_check(lambda x: maxpool2d(x, kernel), t)


@pytest.mark.task4_4
@backend
def test_the_first_of_equal_elements_gets_the_gradient_of_a_pool(backend: str) -> None:
    t = tensor([[[[1.0, 4.0, 2.0, 2.0], [4.0, 4.0, 2.0, 2.0]]]], backend, True)
    maxpool2d(t, 2).backward(tensor([[[[3.0, 5.0]]]], backend))
    assert t.grad.to_numpy().tolist() == [[[[0, 3, 5, 0], [0, 0, 0, 0]]]]


@pytest.mark.task4_4
@pytest.mark.parametrize("dim", [0, 1, 3])
@checked
@given(t=tensors(backend="fast", shape=(1, 2, 2, 4)))
def test_softmax(dim: int, t: Tensor) -> None:
    found = softmax(t, dim)
    assert np.allclose(found.sum(dim).to_numpy(), 1.0, rtol=0, atol=1e-12)
    elements = np.exp(t.to_numpy() - t.to_numpy().max(dim, keepdims=True))
    assert np.allclose(found.to_numpy(), elements / elements.sum(dim, keepdims=True), rtol=0, atol=1e-12)
    grad_check(lambda x: softmax(x, dim) * softmax(x, dim), t)


@pytest.mark.task4_4
@pytest.mark.parametrize("dim", [1, 3])
@checked
@given(t=tensors(backend="fast", shape=(1, 2, 2, 4)))
def test_logsoftmax(dim: int, t: Tensor) -> None:
    plain = softmax(t, dim)
    logs = logsoftmax(t, dim).exp()
    for ind in t._tensor.indices():
        assert_close(plain[ind], logs[ind])
    grad_check(lambda x: logsoftmax(x, dim) * x, t, epsilon=1e-4)


@pytest.mark.task4_4
@backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_of_large_scores(backend: str, dtype: str) -> None:
    t = tensor([[1000.0, -1000.0, 1000.0], [-1000.0, -1000.0, -1000.0]], backend, True, dtype=dtype)
    assert np.allclose(softmax(t, 1).to_numpy(), [[0.5, 0.0, 0.5], [1 / 3] * 3])
    logs = logsoftmax(t, 1)
    assert np.allclose(logs.to_numpy(), [[-np.log(2), -2000 - np.log(2), -np.log(2)], [-np.log(3)] * 3])
    (logs * logs).sum().backward()
    assert np.isfinite(t.grad.to_numpy()).all()


@pytest.mark.task4_4
@backend
@checked
@given(data=data())
def test_dropout(backend: str, data: Any) -> None:
    t = data.draw(tensors(backend=backend, most=MOST_CHECKED))
    assert dropout(t, 0.0) is t
    assert dropout(t, 0.7, ignore=True) is t
    assert not dropout(t, 1.0).to_numpy().any()
    assert not dropout(t, 1.0, scale=True).to_numpy().any()
    elements, kept, scaled = t.to_numpy(), dropout(t, 0.5).to_numpy(), dropout(t, 0.75, scale=True).to_numpy()
    assert np.all((kept == 0) | (kept == elements))
    assert np.all((scaled == 0) | (scaled == 4 * elements))
    grad_check(lambda x: dropout(x, 0.5) * 2.0, t, epsilon=1e-4)


@pytest.mark.task4_4
def test_the_mask_of_dropout_depends_on_state_and_shape_only() -> None:
    masks = []
    for backend, dtype in [("simple", "float64"), ("fast", "float64"), ("fast", "float32")]:
        minitorch.manual_seed(5)
        masks.append(dropout(tensor(np.ones((40, 50)), backend, dtype=dtype), 0.3).to_numpy())
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[0], masks[2])
    assert abs(masks[0].mean() - 0.7) < 0.04
    assert not np.array_equal(masks[0], dropout(tensor(np.ones((40, 50))), 0.3).to_numpy())


# The general pools against PyTorch.


def both(name: str, elements: Any, backend: str, *args: Any, **settings: Any) -> None:
    """Compare value and gradient of a pool with those of PyTorch's function of nearly the same name."""
    torch = pytest.importorskip("torch")
    ours, theirs = tensor(elements, backend, True), torch.tensor(elements, requires_grad=True)
    out = vars(minitorch)[name](ours, *args, **settings)
    called = {
        "maxpool2d": "max_pool2d",
        "avgpool2d": "avg_pool2d",
        "adaptive_avgpool2d": "adaptive_avg_pool2d",
    }
    expected = getattr(torch.nn.functional, called[name])(theirs, *args, **settings)
    assert out.shape == tuple(expected.shape)
    assert np.allclose(out.to_numpy(), expected.detach().numpy(), rtol=0, atol=1e-12)
    d = np.random.default_rng(2).standard_normal(out.shape)
    out.backward(tensor(d, backend))
    expected.backward(torch.tensor(d))
    assert np.allclose(ours.grad.to_numpy(), theirs.grad.numpy(), rtol=0, atol=1e-12)


POOLS: list[tuple[Any, Any, dict[str, Any]]] = [
    (2, 2, {}),
    (3, 2, {}),
    ((2, 3), (1, 2), {}),
    (3, 2, {"padding": 1}),
    ((3, 2), 2, {"padding": (1, 0)}),
    (3, 2, {"ceil_mode": True}),
    (2, 3, {"padding": 1, "ceil_mode": True}),
    (4, 3, {"padding": 2, "ceil_mode": True}),
]


@backend
@pytest.mark.parametrize(("kernel", "stride", "settings"), POOLS)
def test_pools_against_pytorch(backend: str, kernel: Any, stride: Any, settings: dict[str, Any]) -> None:
    elements = np.random.default_rng(1).standard_normal((2, 2, 7, 6))
    both("maxpool2d", elements, backend, kernel, stride, **settings)
    both("avgpool2d", elements, backend, kernel, stride, **settings)
    both("avgpool2d", elements, backend, kernel, stride, count_include_pad=False, **settings)


@backend
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [((2, 2), 3, 2, 0), ((1, 1), 2, 2, 0), ((1, 1), 4, 3, 1), ((1, 5), 2, 3, 0), ((3, 2), (4, 3), (2, 2), 0)],
)
def test_pools_of_images_smaller_than_the_window(
    backend: str, size: tuple[int, int], kernel: Any, stride: Any, padding: int
) -> None:
    elements = np.random.default_rng(1).standard_normal((2, 2, *size))
    settings: dict[str, Any] = {"padding": padding, "ceil_mode": True}
    both("maxpool2d", elements, backend, kernel, stride, **settings)
    both("avgpool2d", elements, backend, kernel, stride, **settings)
    both("avgpool2d", elements, backend, kernel, stride, count_include_pad=False, **settings)
    with pytest.raises(minitorch.IndexingError, match=r"the window .* is larger than the padded images"):
        minitorch.maxpool2d(tensor(elements, backend), kernel, stride, padding)
    with pytest.raises(minitorch.IndexingError, match=r"the window .* is larger than the padded images"):
        minitorch.maxpool2d(tensor(elements, backend), 9, 1, padding, ceil_mode=True)


@backend
def test_dilated_maxpool_against_pytorch(backend: str) -> None:
    elements = np.random.default_rng(1).standard_normal((2, 2, 7, 9))
    both("maxpool2d", elements, backend, (2, 3), 1, padding=(1, 1), dilation=(3, 2))


@backend
def test_ties_and_extremes_against_pytorch(backend: str) -> None:
    elements = np.random.default_rng(1).integers(-1, 2, (2, 2, 6, 6)).astype(float)
    both("maxpool2d", elements, backend, 3, 2, padding=1)
    both("maxpool2d", np.full((1, 1, 3, 3), -np.inf), backend, 2, 1)


@backend
@pytest.mark.parametrize("size", [1, 3, (2, 5), (7, 6), (3, 2)])
def test_adaptive_pool_against_pytorch(backend: str, size: Any) -> None:
    both("adaptive_avgpool2d", np.random.default_rng(1).standard_normal((2, 2, 7, 6)), backend, size)


@backend
def test_nan_wins_a_pool(backend: str) -> None:
    t = tensor([[[[1.0, np.nan], [2.0, 3.0]]]], backend, True)
    out = maxpool2d(t, 2)
    assert np.isnan(out.item())
    out.backward()
    assert t.grad.to_numpy().tolist() == [[[[0, 1], [0, 0]]]]


@backend
def test_pools_of_permuted_images(backend: str) -> None:
    t = count_up(4, 6, 2, 3, backend=backend).permute(2, 3, 0, 1)
    for pool in (maxpool2d, avgpool2d, lambda x, k: tile(x, k)[0]):
        assert np.array_equal(pool(t, (2, 3)).to_numpy(), pool(t.contiguous(), (2, 3)).to_numpy())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: tile(x, (3, 2)), IndexingError, "3x2"),
        (lambda x: avgpool2d(x, (2, 3)), IndexingError, "2x3"),
        (lambda x: maxpool2d(x, 3), IndexingError, "3x3"),
        (lambda x: maxpool2d(x, 5, 1), IndexingError, "larger"),
        (lambda x: maxpool2d(x, 2, padding=2), ValueError, "half"),
        (lambda x: avgpool2d(x, 0), ValueError, "kernel"),
        (lambda x: avgpool2d(x, 2, stride=0), ValueError, "stride"),
        (lambda x: avgpool2d(x, 2.0), TypeError, "kernel"),
        (lambda x: adaptive_avgpool2d(x, 0), ValueError, "output_size"),
        (lambda x: maxpool2d(x[0], 2), IndexingError, r"\(1, 4, 4\)"),
        (lambda x: minitorch.max(x, 4), IndexingError, "dimension 4"),
        (lambda x: softmax(x, -5), IndexingError, "dimension -5"),
        (lambda x: dropout(x, 1.5), ValueError, "1.5"),
        (lambda x: dropout(x, -0.1), ValueError, "-0.1"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(count_up(1, 1, 4, 4))
