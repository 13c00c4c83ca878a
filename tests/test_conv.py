"""Convolution: the course's anchored one exactly, the general one against PyTorch, and the kernels themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import (
    Context,
    Conv1dFun,
    Conv2dFun,
    IndexingError,
    Tensor,
    conv1d,
    conv2d,
    grad_check,
    tensor,
)
from minitorch.fast_ops import jit
from minitorch.runtime.types import ConvParams
from minitorch.tensor_ops.composite import MEANINGS

from .strategies import assert_close, checked
from .support.checks import needs_jit
from .support.op_table import BACKENDS
from .tensor_strategies import tensors

backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.mark.task4_1
@backend
def test_conv1d_exactly(backend: str) -> None:
    x, w = tensor([[[0, 1, 2, 3]]], backend), tensor([[[1, 2, 3]]], backend)
    assert conv1d(x, w).to_numpy().tolist() == [[[8, 14, 8, 3]]]
    x, w = tensor([[[0, 1, 2, 3]] * 2], backend), tensor([[[1, 2, 3]] * 2], backend)
    assert conv1d(x, w).to_numpy().tolist() == [[[16, 28, 16, 6]]]


@pytest.mark.task4_1
@backend
def test_conv1d_backward_by_hand(backend: str) -> None:
    x, w, d = (
        tensor([[[0, 1, 2, 3]]], backend),
        tensor([[[1, 2, 3]]], backend),
        tensor([[[0, 1, 2, 3]]], backend),
    )
    ctx = Context()
    Conv1dFun.forward(ctx, x, w)
    assert ctx.saved_values[0] is x
    assert ctx.saved_values[1] is w
    assert len(ctx.saved_values) == 2
    dx, dw = Conv1dFun.backward(ctx, d)
    assert dx.to_numpy().tolist() == [[[0, 1, 4, 10]]]
    assert dw.to_numpy().tolist() == [[[14, 8, 3]]]


@pytest.mark.task4_1
@pytest.mark.parametrize(
    ("of_x", "of_w"), [((1, 1, 6), (1, 1, 4)), ((2, 2, 6), (3, 2, 2)), ((1, 2, 2), (1, 2, 4))]
)
@checked
@given(data=data())
def test_conv1d_gradient(data: Any, of_x: tuple[int, ...], of_w: tuple[int, ...]) -> None:
    x, w = data.draw(tensors(backend="fast", shape=of_x)), data.draw(tensors(backend="fast", shape=of_w))
    grad_check(conv1d, x, w, epsilon=1e-4)


@pytest.mark.task4_2
@pytest.mark.parametrize(
    ("of_x", "of_w"),
    [((1, 1, 6, 6), (1, 1, 2, 4)), ((2, 1, 6, 6), (1, 1, 2, 4)), ((2, 2, 6, 6), (3, 2, 2, 4))],
)
@checked
@given(data=data())
def test_conv2d_gradient(data: Any, of_x: tuple[int, ...], of_w: tuple[int, ...]) -> None:
    x, w = data.draw(tensors(backend="fast", shape=of_x)), data.draw(tensors(backend="fast", shape=of_w))
    grad_check(conv2d, x, w, epsilon=1e-4)


@pytest.mark.task4_2
@backend
def test_conv2d_of_ones(backend: str) -> None:
    x, w = tensor(np.arange(16.0).reshape(1, 1, 4, 4), backend), tensor(np.ones((1, 1, 2, 2)), backend)
    x.requires_grad_()
    out = conv2d(x, w)
    elements = np.pad(np.arange(16.0).reshape(4, 4), (0, 1))
    sums = elements[:-1, :-1] + elements[1:, :-1] + elements[:-1, 1:] + elements[1:, 1:]
    assert out.to_numpy()[0, 0].tolist() == sums.tolist()
    out.sum().backward()
    assert x.grad.to_numpy()[0, 0].tolist() == [[1, 2, 2, 2], [2, 4, 4, 4], [2, 4, 4, 4], [2, 4, 4, 4]]


@pytest.mark.task4_2
def test_conv2d_backward_by_hand() -> None:
    x, w = tensor(np.arange(4.0).reshape(1, 1, 2, 2)), tensor(np.ones((1, 1, 1, 2)))
    ctx = Context()
    assert Conv2dFun.forward(ctx, x, w).to_numpy().tolist() == [[[[1, 1], [5, 3]]]]
    assert [a is b for a, b in zip(ctx.saved_values, (x, w))] == [True, True]
    dx, dw = Conv2dFun.backward(ctx, x)
    assert dx.to_numpy().tolist() == [[[[0, 1], [2, 5]]]]
    assert dw.to_numpy().tolist() == [[[[14, 6]]]]


@pytest.mark.task4_2
@backend
def test_conv_and_its_function_are_one(backend: str) -> None:
    for convolution, function, shapes in [
        (conv1d, Conv1dFun, ((2, 3, 5), (2, 3, 7))),
        (conv2d, Conv2dFun, ((2, 2, 3, 4), (3, 2, 5, 2))),
    ]:
        results = []
        for run in (convolution, function.apply):
            minitorch.manual_seed(1)
            x, w = (minitorch.rand(shape, backend, True) for shape in shapes)
            out = run(x, w)
            (out * out).sum().backward()
            results.append([t.to_numpy() for t in (out, x.grad, w.grad)])
        for a, b in zip(*results):
            assert np.array_equal(a, b)
        assert results[0][0].shape == (2, shapes[1][0], *shapes[0][2:])


# The general form against PyTorch.

GENERAL: list[tuple[tuple[int, ...], tuple[int, ...], bool, dict[str, Any]]] = [
    ((2, 3, 7, 6), (4, 3, 3, 2), True, {}),
    ((2, 3, 7, 6), (4, 3, 3, 2), False, {"padding": 0}),
    ((1, 2, 7, 8), (5, 2, 3, 3), True, {"stride": 2, "padding": 1}),
    ((1, 2, 7, 8), (3, 2, 3, 3), False, {"stride": (2, 3), "padding": (2, 0)}),
    ((2, 1, 9, 9), (2, 1, 3, 2), True, {"dilation": (2, 3), "padding": "valid"}),
    ((1, 4, 5, 5), (6, 2, 3, 3), True, {"groups": 2, "padding": 1}),
    ((2, 3, 4, 4), (3, 1, 2, 2), False, {"groups": 3}),
    ((1, 2, 5, 9), (3, 2, 1, 7), True, {"padding": (0, 3)}),
    ((1, 2, 5, 6), (3, 2, 2, 4), True, {"padding": "same"}),
    ((1, 2, 6, 7), (2, 2, 3, 2), False, {"padding": "same", "dilation": 2}),
    ((1, 1, 4, 4), (1, 1, 4, 4), True, {}),
]


def both(x: Any, w: Any, b: Any, settings: dict[str, Any], backend: str) -> tuple[list[Any], list[Any]]:
    """Return output and gradients of a convolution, ours and PyTorch's."""
    torch = pytest.importorskip("torch")
    ours = [None if a is None else tensor(a, backend, True) for a in (x, w, b)]
    theirs = [None if a is None else torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    name = f"conv{x.ndim - 2}d"
    out = vars(minitorch)[name](*ours, **settings)
    expected = getattr(torch.nn.functional, name)(*theirs, **settings)
    d = np.random.default_rng(7).standard_normal(tuple(expected.shape))
    out.backward(tensor(d, backend))
    expected.backward(torch.tensor(d))
    return (
        [out.to_numpy(), *(t.grad.to_numpy() for t in ours if t is not None)],
        [expected.detach().numpy(), *(t.grad.numpy() for t in theirs if t is not None)],
    )


@backend
@pytest.mark.parametrize(("of_x", "of_w", "bias", "settings"), GENERAL)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_conv2d_against_pytorch(
    backend: str, of_x: Any, of_w: Any, bias: bool, settings: dict[str, Any]
) -> None:
    draw = np.random.default_rng(3)
    x, w = draw.standard_normal(of_x), draw.standard_normal(of_w)
    b = draw.standard_normal(of_w[0]) if bias else None
    for found, expected in zip(*both(x, w, b, settings if settings or bias else {"padding": 0}, backend)):
        assert found.shape == expected.shape
        assert np.allclose(found, expected, rtol=0, atol=1e-9)


@backend
@pytest.mark.parametrize(
    "settings",
    [
        {"padding": 0},
        {"stride": 2, "padding": 3},
        {"dilation": 2},
        {"padding": "same"},
        {"groups": 2, "padding": 1},
    ],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_conv1d_against_pytorch(backend: str, settings: dict[str, Any]) -> None:
    draw = np.random.default_rng(4)
    x, b = draw.standard_normal((2, 4, 9)), draw.standard_normal(6)
    w = draw.standard_normal((6, 4 // settings.get("groups", 1), 4))
    for found, expected in zip(*both(x, w, b, settings, backend)):
        assert found.shape == expected.shape
        assert np.allclose(found, expected, rtol=0, atol=1e-9)


@backend
def test_anchored_is_padding_at_the_right_and_bottom(backend: str) -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(5)
    x, w = draw.standard_normal((2, 3, 7, 6)), draw.standard_normal((4, 3, 3, 2))
    for stride, dilation in [(1, 1), (2, 1), (3, 2)]:
        out = conv2d(
            tensor(x, backend), tensor(w, backend), stride=stride, dilation=dilation, padding="anchored"
        )
        padded = torch.nn.functional.pad(torch.tensor(x), (0, dilation, 0, 2 * dilation))
        expected = torch.nn.functional.conv2d(padded, torch.tensor(w), stride=stride, dilation=dilation)
        assert out.shape[2:] == (-(-7 // stride), -(-6 // stride))
        assert np.allclose(out.to_numpy(), expected.numpy(), rtol=0, atol=1e-9)
    anchored = conv2d(tensor(x, backend), tensor(w, backend))
    explicit = conv2d(tensor(x, backend), tensor(w, backend), padding="anchored")
    assert np.allclose(anchored.to_numpy(), explicit.to_numpy(), rtol=0, atol=1e-12)


def test_padding_none_means_anchored_only_with_everything_at_its_default() -> None:
    x, w, b = (tensor(np.ones(s), "fast") for s in ((1, 1, 4, 4), (1, 1, 3, 3), (1,)))
    assert conv2d(x, w).shape == (1, 1, 4, 4)
    assert (
        conv2d(x, w, b).shape
        == conv2d(x, w, padding=0).shape
        == conv2d(x, w, None, 1, 0).shape
        == (1, 1, 2, 2)
    )
    assert conv2d(x, w, stride=2).shape == (1, 1, 1, 1)


def test_large_convolutions_run_on_all_threads() -> None:
    draw = np.random.default_rng(6)
    x, w = draw.standard_normal((4, 3, 32, 32)), draw.standard_normal((9, 3, 3, 3))
    for found, expected in zip(*both(x, w, None, {"padding": 1}, "fast")):
        assert np.allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max() * 100)


def test_float32() -> None:
    draw = np.random.default_rng(6)
    x, w = (draw.standard_normal(s).astype(np.float32) for s in ((2, 3, 8, 8), (5, 3, 3, 3)))
    found, expected = both(x, w, None, {"padding": 1}, "fast")
    for a, b in zip(found, expected):
        assert a.dtype == np.float32
        assert np.allclose(a, b, rtol=0, atol=1e-4)


@backend
def test_permuted_and_strided_operands(backend: str) -> None:
    draw = np.random.default_rng(8)
    x, w = draw.standard_normal((5, 2, 3, 6)), draw.standard_normal((2, 3, 4, 3))
    images = tensor(x, backend).permute(1, 2, 0, 3)
    weights = tensor(w, backend).permute(2, 1, 0, 3)
    packed = conv2d(images.contiguous(), weights.contiguous())
    assert np.array_equal(conv2d(images, weights).to_numpy(), packed.to_numpy())
    half = images[:, :, ::2]
    assert np.array_equal(conv2d(half, weights).to_numpy(), conv2d(half.clone(), weights).to_numpy())


# The course's kernels, called directly.


def triple(t: Tensor) -> tuple[Any, Any, Any]:
    return t._tensor.tuple()


def run(kernel: Any, x: Tensor, w: Tensor, shape: tuple[int, ...], reverse: bool = False) -> Tensor:
    out = minitorch.zeros(shape)
    kernel(*triple(out), out.size, *triple(x), *triple(w), reverse)
    return out


def in_python_and_compiled(kernel: Any, task: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """Run a test with a kernel as the Python function that the task is about, and as Numba compiles it."""
    forms = [
        pytest.param(jit.plain(kernel), id="python", marks=task),
        pytest.param(kernel, id="compiled", marks=needs_jit),
    ]
    return pytest.mark.parametrize("kernel", forms)


@in_python_and_compiled(minitorch.tensor_conv1d, pytest.mark.task4_1)
@pytest.mark.parametrize("reverse", [False, True])
def test_tensor_conv1d(kernel: Any, reverse: bool) -> None:
    x, w = tensor(np.arange(12.0).reshape(3, 2, 2)).permute(1, 2, 0), tensor(np.arange(4.0).reshape(1, 2, 2))
    out = run(kernel, x, w, (2, 1, 2), reverse)
    elements, weights = x.to_numpy(), w.to_numpy()
    for n, o, at in np.ndindex(2, 1, 2):
        total = 0.0
        for c, k in np.ndindex(2, 2):
            z = at - k if reverse else at + k
            total += elements[n, c, z] * weights[o, c, k] if 0 <= z < 3 else 0.0
        assert_close(out[n, o, at], total)


@in_python_and_compiled(minitorch.tensor_conv2d, pytest.mark.task4_2)
@pytest.mark.parametrize("reverse", [False, True])
def test_tensor_conv2d(kernel: Any, reverse: bool) -> None:
    x = tensor(np.arange(24.0).reshape(4, 3, 2, 1)).permute(3, 2, 1, 0)
    w = tensor(np.arange(12.0).reshape(2, 2, 1, 3))
    out = run(kernel, x, w, (1, 2, 3, 2), reverse)
    elements, weights = x.to_numpy(), w.to_numpy()
    for n, o, h, v in np.ndindex(1, 2, 3, 2):
        total = 0.0
        for c, i, j in np.ndindex(2, 1, 3):
            y, z = (h - i, v - j) if reverse else (h + i, v + j)
            total += elements[n, c, y, z] * weights[o, c, i, j] if 0 <= y < 3 and 0 <= z < 4 else 0.0
        assert_close(out[n, o, h, v], total)


@needs_jit
@pytest.mark.parametrize("dims", [1, 2])
def test_parallel_diagnostics(dims: int, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = minitorch.tensor_conv1d if dims == 1 else minitorch.tensor_conv2d
    x, w = tensor(np.ones((1, 1, *[2] * dims))), tensor(np.ones((1, 1, *[1] * dims)))
    run(kernel, x, w, x.shape)
    kernel.parallel_diagnostics(level=3)
    assert f"anchored_conv{dims}d" in capsys.readouterr().out


# Errors.


@pytest.mark.parametrize(
    ("of_x", "of_w", "settings", "error", "words"),
    [
        ((1, 1, 4, 4), (1, 1, 5, 2), {"padding": 0}, IndexingError, "padded input"),
        ((1, 2, 4, 4), (1, 3, 2, 2), {}, IndexingError, r"\(1, 3, 2, 2\)"),
        ((1, 2, 4, 4), (1, 3, 2, 2), {"padding": 1}, IndexingError, r"\(1, 3, 2, 2\)"),
        ((1, 3, 4, 4), (4, 1, 2, 2), {"groups": 2}, IndexingError, "group"),
        ((1, 4, 4, 4), (3, 2, 2, 2), {"groups": 2}, IndexingError, "group"),
        ((1, 2, 4), (1, 2, 2, 2), {}, IndexingError, "4 dimensions"),
        ((1, 2, 4), (1, 2, 2, 2), {"padding": 0}, IndexingError, "4 dimensions"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"stride": 0}, ValueError, "stride"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"stride": 2, "padding": "same"}, ValueError, "same"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"padding": "full"}, ValueError, "full"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"padding": -1}, ValueError, "padding"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"dilation": 0}, ValueError, "dilation"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"groups": 0}, ValueError, "groups"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"stride": 1.5}, TypeError, "stride"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"bias": np.ones(2)}, IndexingError, "bias"),
    ],
)
def test_errors(of_x: Any, of_w: Any, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    if "bias" in settings:
        settings = {"bias": tensor(settings["bias"])}
    with pytest.raises(error, match=words):
        conv2d(tensor(np.ones(of_x)), tensor(np.ones(of_w)), **settings)


def test_errors_of_conv1d() -> None:
    with pytest.raises(IndexingError, match="3 dimensions"):
        conv1d(tensor(np.ones((1, 1, 2, 2))), tensor(np.ones((1, 1, 2))))
    with pytest.raises(IndexingError, match="padded input"):
        conv1d(tensor(np.ones((1, 1, 2))), tensor(np.ones((1, 1, 3))), padding="valid")


SETTINGS = [
    ((2, 1, 6, 7), (3, 1, 3, 2), ((1, 1), (0, 2, 0, 1), (1, 1), 1)),
    ((3, 4, 9, 8), (6, 2, 3, 3), ((2, 2), (1, 1, 1, 1), (1, 1), 2)),
    ((1, 2, 8, 9), (5, 2, 2, 3), ((1, 3), (1, 0, 2, 1), (2, 1), 1)),
    ((2, 3, 5, 5), (4, 3, 1, 1), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
    ((2, 24, 6, 6), (24, 24, 3, 3), ((1, 1), (1, 1, 1, 1), (1, 1), 1)),
    ((40, 4, 28, 28), (8, 4, 3, 3), ((1, 1), (0, 2, 0, 2), (1, 1), 1)),
]


@needs_jit
@pytest.mark.parametrize("activation", ["none", "relu", "relu6"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("of_x", "of_w", "settings"), SETTINGS)
def test_convolution_derivatives_with_the_activation_gradient_fused(
    of_x: tuple[int, ...], of_w: tuple[int, ...], settings: Any, dtype: str, activation: str
) -> None:
    draw = np.random.default_rng(1)
    x, w, b = (
        minitorch.tensor(draw.standard_normal(shape), "fast", dtype=dtype)._tensor
        for shape in (of_x, of_w, of_w[:1])
    )
    y = x.f.conv_activation(x, w, b, activation, ConvParams(*settings))
    d = minitorch.tensor(draw.standard_normal(y.shape), "fast", dtype=dtype)._tensor
    expected = MEANINGS["conv_activation_grad"](
        x.f.ops, x, w, y, d, activation, (True, True), ConvParams(*settings)
    )
    for wanted in ((True, True), (False, True), (True, False)):
        found = x.f.conv_activation_grad(x, w, y, d, activation, wanted, ConvParams(*settings))
        for ours, reference, asked in zip(found, expected, (*wanted, True)):
            if asked:
                scale = np.abs(reference.to_numpy()).max()
                off = np.abs(ours.to_numpy() - reference.to_numpy()).max()
                assert ours.shape == reference.shape
                assert off <= (1e-5 if dtype == "float32" else 1e-12) * scale
            else:
                assert ours == 0.0
