"""Every layer against PyTorch's layer of the same name and arguments, and what layers promise besides."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

import minitorch
from minitorch import (
    GELU,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    Dropout,
    Dropout2d,
    IndexingError,
    LeakyReLU,
    Linear,
    Sequential,
)

Case = tuple[Callable[[Any], Any], tuple[int, ...]]

# Each is called with `minitorch` and with `torch.nn`, so names, order and defaults of arguments are checked as well.
CASES: dict[str, Case] = {
    "Linear": (lambda nn: nn.Linear(30, 10), (4, 30)),
    "Linear without bias": (lambda nn: nn.Linear(5, 3, False), (4, 5)),
    "Linear of 3 dimensions": (lambda nn: nn.Linear(5, 3), (2, 4, 5)),
    "Linear of 1 dimension": (lambda nn: nn.Linear(5, 3), (5,)),
    "Conv1d": (lambda nn: nn.Conv1d(3, 4, 3), (2, 3, 9)),
    "Conv1d with settings": (lambda nn: nn.Conv1d(4, 6, 3, 2, 1, 2, 2, False), (2, 4, 11)),
    "Conv1d same": (lambda nn: nn.Conv1d(2, 3, 4, padding="same"), (2, 2, 7)),
    "Conv2d": (lambda nn: nn.Conv2d(3, 6, 3, stride=2, padding=1), (2, 3, 8, 8)),
    "Conv2d with defaults": (lambda nn: nn.Conv2d(2, 3, 3), (2, 2, 5, 6)),
    "Conv2d of 1x7": (lambda nn: nn.Conv2d(2, 3, (1, 7), padding=(0, 3)), (2, 2, 4, 7)),
    "Conv2d in pairs": (lambda nn: nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 2), (1, 2), 2, False), (2, 2, 7, 6)),
    "Conv2d depthwise": (lambda nn: nn.Conv2d(3, 6, 3, groups=3), (2, 3, 5, 5)),
    "Conv2d same": (lambda nn: nn.Conv2d(2, 3, (3, 5), padding="same", dilation=(2, 1)), (1, 2, 6, 7)),
    "Conv2d valid": (lambda nn: nn.Conv2d(2, 3, 2, padding="valid"), (1, 2, 4, 4)),
    "Conv2d of 1x1": (lambda nn: nn.Conv2d(4, 2, 1), (2, 4, 3, 3)),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(2, 2), (2, 3, 8, 8)),
    "MaxPool2d with a rest": (lambda nn: nn.MaxPool2d(2), (1, 2, 5, 7)),
    "MaxPool2d overlapping": (lambda nn: nn.MaxPool2d(3, 2, 1), (2, 2, 7, 6)),
    "MaxPool2d with settings": (
        lambda nn: nn.MaxPool2d((3, 2), (2, 1), (1, 0), 2, ceil_mode=True),
        (1, 2, 9, 8),
    ),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(2), (2, 3, 4, 6)),
    "AvgPool2d padded": (lambda nn: nn.AvgPool2d(3, 2, 1), (1, 2, 7, 6)),
    "AvgPool2d ceil": (lambda nn: nn.AvgPool2d((3, 2), 2, (1, 0), True), (1, 2, 6, 7)),
    "AvgPool2d without padding": (lambda nn: nn.AvgPool2d(3, 2, 1, False, False), (1, 2, 6, 7)),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d(1), (2, 3, 4, 5)),
    "AdaptiveAvgPool2d uneven": (lambda nn: nn.AdaptiveAvgPool2d((3, 2)), (2, 2, 7, 5)),
    "AdaptiveAvgPool2d larger": (lambda nn: nn.AdaptiveAvgPool2d((5, 4)), (1, 2, 3, 4)),
    "Flatten": (lambda nn: nn.Flatten(), (2, 3, 4, 5)),
    "Flatten a part": (lambda nn: nn.Flatten(0, 2), (2, 3, 4, 5)),
    "Softmax": (lambda nn: nn.Softmax(1), (3, 5)),
    "Softmax of channels": (lambda nn: nn.Softmax(dim=-3), (2, 3, 2, 2)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(-1), (3, 5)),
    "Identity": (lambda nn: nn.Identity(), (3, 5)),
    "Dropout at 0": (lambda nn: nn.Dropout(0.0), (3, 5)),
    "Dropout in evaluation": (lambda nn: nn.Dropout().eval(), (3, 5)),
    "Dropout2d in evaluation": (lambda nn: nn.Dropout2d(0.9).eval(), (2, 3, 2, 2)),
    "Dropout of everything": (lambda nn: nn.Dropout(1.0), (3, 5)),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(100), (8, 100)),
    "BatchNorm1d of rows": (lambda nn: nn.BatchNorm1d(3, 1e-3, 0.3), (4, 3, 5)),
    "BatchNorm1d in evaluation": (lambda nn: nn.BatchNorm1d(3).eval(), (4, 3)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3), (4, 3, 2, 5)),
    "BatchNorm2d plain": (
        lambda nn: nn.BatchNorm2d(3, affine=False, track_running_stats=False),
        (4, 3, 2, 5),
    ),
    "BatchNorm2d plain in evaluation": (lambda nn: nn.BatchNorm2d(3, affine=False).eval(), (1, 3, 2, 2)),
    "LayerNorm": (lambda nn: nn.LayerNorm(6), (2, 3, 6)),
    "LayerNorm of 2 dimensions": (lambda nn: nn.LayerNorm((3, 4), 1e-3, False), (2, 3, 4)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 6), (3, 6, 4)),
    "GroupNorm plain": (lambda nn: nn.GroupNorm(3, 6, affine=False), (2, 6, 2, 2)),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(), (4, 6)),
    "LeakyReLU steep": (lambda nn: nn.LeakyReLU(0.3), (2, 3, 2, 2)),
    "GELU": (lambda nn: nn.GELU(), (4, 6)),
    "GELU by tanh": (lambda nn: nn.GELU(approximate="tanh"), (2, 3, 2, 2)),
    "ReLU": (lambda nn: nn.ReLU(), (4, 6)),
    "Sigmoid": (lambda nn: nn.Sigmoid(), (4, 6)),
    "Tanh": (lambda nn: nn.Tanh(), (4, 6)),
    "Sequential": (
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(27, 8),
            nn.Tanh(),
            nn.Dropout(0.0),
            nn.Linear(8, 4),
        ),
        (3, 1, 6, 7),
    ),
}
PARAMETERS = [
    name for name in CASES if name.startswith(("Linear", "Conv", "Sequential", "BatchNorm", "GroupNorm"))
]


def reference() -> Any:
    return pytest.importorskip("torch", reason="the reference is PyTorch")


def close(ours: Any, theirs: Any, tolerance: float, what: str) -> None:
    found, expected = np.asarray(ours), theirs.detach().numpy()
    scale = max(1.0, float(np.abs(expected).max())) if expected.size else 1.0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize(
    ("backend", "dtype", "tolerance", "permuted"),
    [
        ("fast", "float64", 1e-9, False),
        ("fast", "float64", 1e-9, True),
        ("fast", "float32", 1e-4, False),
        ("simple", "float64", 1e-9, False),
    ],
    ids=["fast", "permuted", "float32", "simple"],
)
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_pytorch(name: str, backend: str, dtype: str, tolerance: float, permuted: bool) -> None:
    torch = reference()
    minitorch.set_default_backend(backend)
    minitorch.set_default_dtype(dtype)
    build, shape = CASES[name]
    ours, theirs = build(minitorch), build(torch.nn).to(getattr(torch, dtype))
    if isinstance(ours, minitorch.Module):
        theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    elements = np.random.default_rng(len(name)).normal(0, 2, shape).astype(dtype)
    x = minitorch.tensor(elements.T.copy() if permuted else elements, requires_grad=True)
    t = torch.tensor(elements, requires_grad=True)
    out, expected = ours(x.permute(*range(x.dims)[::-1]) if permuted else x), theirs(t)
    assert out.dtype == dtype
    assert out.backend == minitorch.get_default_backend()
    close(out, expected, tolerance, "output")
    weights = np.linspace(-1, 1, out.size).reshape(out.shape).astype(dtype)
    out.backward(minitorch.tensor(weights))
    expected.backward(torch.from_numpy(weights))
    assert x.grad is not None
    assert x.grad.dtype == dtype
    close(x.grad.to_numpy().T if permuted else x.grad, t.grad, tolerance, "input gradient")
    if isinstance(ours, minitorch.Module):
        parameters = dict(ours.named_parameters())
        assert list(parameters) == [k for k, _ in theirs.named_parameters()]
        for key, p in theirs.named_parameters():
            close(parameters[key].grad, p.grad, tolerance, f"{key} gradient")
        state = ours.state_dict()
        for key, array in theirs.state_dict().items():
            close(state[key], array, tolerance, f"{key} afterwards")


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_state_dicts_pass_both_ways(name: str, dtype: str) -> None:
    torch = reference()
    minitorch.set_default_dtype(dtype)
    build, shape = CASES[name]
    ours, theirs = build(minitorch), build(torch.nn).to(getattr(torch, dtype))
    elements = np.random.default_rng(0).normal(size=shape).astype(dtype)
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    state = ours.state_dict()
    assert [(k, v.shape) for k, v in state.items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    for key, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, theirs.state_dict()[key].numpy())
    close(
        ours(minitorch.tensor(elements)), theirs(torch.from_numpy(elements)), tolerance, "their weights here"
    )
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    ours.load_state_dict(state)
    close(
        ours(minitorch.tensor(elements)), theirs(torch.from_numpy(elements)), tolerance, "our weights there"
    )


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_activations_of_large_and_special_numbers(backend: str) -> None:
    torch = reference()
    if backend == "fast" and numba.config.DISABLE_JIT:
        pytest.skip("Python's own exceptions where nothing is compiled")
    numbers = [0.0, -0.0, 1e4, -1e4, 40.0, -40.0, np.inf, np.nan]
    for name in ("LeakyReLU steep", "GELU", "GELU by tanh", "ReLU", "Sigmoid", "Tanh"):
        build, _ = CASES[name]
        elements = np.array(numbers)
        x, t = minitorch.tensor(elements, backend, True), torch.tensor(elements, requires_grad=True)
        out, expected = build(minitorch)(x), build(torch.nn)(t)
        np.testing.assert_allclose(out.to_numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
        out.backward(minitorch.ones(x.shape, backend))
        expected.backward(torch.ones_like(t))
        assert x.grad is not None
        same = slice(None) if name == "ReLU" else slice(6)
        np.testing.assert_allclose(x.grad.to_numpy()[same], t.grad.numpy()[same], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_embedding(backend: str) -> None:
    torch = reference()
    ours = minitorch.Embedding(7, 3).to(backend)
    theirs = torch.nn.Embedding(7, 3).double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    numbers = np.array([[0, 6, 2], [2, 2, 5]])
    weights = np.arange(18.0).reshape(2, 3, 3)
    out, expected = ours(numbers), theirs(torch.from_numpy(numbers))
    close(out, expected, 1e-12, "output")
    out.backward(minitorch.tensor(weights, backend))
    expected.backward(torch.from_numpy(weights))
    close(ours.weight.grad, theirs.weight.grad, 1e-12, "weight gradient")
    for same in (numbers.tolist(), minitorch.tensor(numbers, backend), numbers.astype(float)):
        np.testing.assert_array_equal(ours(same).to_numpy(), out.to_numpy())
    for wrong in ([7], [-1]):
        with pytest.raises(IndexingError):
            ours(wrong)
    with pytest.raises(TypeError, match="whole"):
        ours([0.5])


def test_initial_values_are_uniform_in_one_over_root_fan_in() -> None:
    for layer, fan in ((Linear(50, 400), 50), (Conv2d(8, 60, (3, 5), groups=2), 60), (Conv1d(6, 300, 4), 24)):
        bound = 1 / math.sqrt(fan)
        for key, elements in layer.state_dict().items():
            assert np.abs(elements).max() <= bound, key
            assert np.abs(elements).max() > 0.95 * bound, key
            assert elements.std() == pytest.approx(bound / math.sqrt(3), rel=0.15), key
        assert all(p.value.requires_grad() for p in layer.parameters())


def test_new_parameters_take_default_dtype_and_backend() -> None:
    minitorch.set_default_dtype("float32")
    minitorch.set_default_backend("simple")
    for layer in (Linear(2, 3), Conv2d(1, 1, 2)):
        for p in layer.parameters():
            assert p.value.dtype == "float32"
            assert p.value.backend == minitorch.SimpleBackend


def test_weights_are_drawn_from_pythons_random() -> None:
    random.seed(3)
    first = Conv2d(2, 3, 3).state_dict()
    random.seed(3)
    again = Conv2d(2, 3, 3).state_dict()
    other = Conv2d(2, 3, 3).state_dict()
    np.testing.assert_array_equal(first["weight"], again["weight"])
    assert (first["weight"] != other["weight"]).any()


def test_dropout_in_training() -> None:
    x = minitorch.ones((200, 50)).requires_grad_(True)
    layer = Dropout(0.25)
    out = layer(x)
    elements = out.to_numpy()
    assert set(np.unique(elements)) == {0.0, 1 / 0.75}
    assert (elements == 0).mean() == pytest.approx(0.25, abs=0.02)
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), elements)
    assert (layer(x).to_numpy() != elements).any(), "each call draws a new mask"
    assert layer.eval()(x) is x


def test_dropout2d_drops_whole_channels() -> None:
    x = minitorch.rand((40, 20, 3, 2)) + 1.0
    elements = (Dropout2d(0.5)(x) / x).to_numpy()
    assert (elements == elements[:, :, :1, :1]).all()
    np.testing.assert_allclose(np.unique(elements.round(12)), [0.0, 2.0])
    assert (elements == 0).mean() == pytest.approx(0.5, abs=0.06)
    assert (Dropout2d(1.0)(x).to_numpy() == 0).all()


def test_masks_are_the_same_in_every_backend() -> None:
    masks = []
    for backend in ("simple", "fast"):
        random.seed(5)
        masks.append(Dropout(0.5)(minitorch.ones((4, 5), backend)).to_numpy())
    np.testing.assert_array_equal(*masks)


def test_sequential() -> None:
    double = lambda x: x * 2.0  # noqa: E731
    net = Sequential(Linear(3, 4), minitorch.ReLU(), double, Linear(4, 2))
    assert len(net) == 4
    assert net[2] is double
    assert [type(layer).__name__ for layer in net] == ["Linear", "ReLU", "function", "Linear"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    x = minitorch.rand((5, 3))
    np.testing.assert_array_equal(net(x).to_numpy(), net[3](double(net[0](x).relu())).to_numpy())
    named = Sequential({"first": Linear(3, 4), "activation": minitorch.Tanh(), "last": Linear(4, 2)})
    assert list(named.state_dict()) == ["first.weight", "first.bias", "last.weight", "last.bias"]
    assert named(x).shape == (5, 2)
    assert len(named) == 3
    empty = Sequential()
    assert len(empty) == 0
    assert empty(x) is x
    with pytest.raises(TypeError, match="'1'"):
        Sequential(Linear(2, 2), 3)


def test_weights_can_be_read_and_assigned() -> None:
    layer = Conv2d(1, 2, 3)
    assert layer.weight.shape == (2, 1, 3, 3)
    assert layer.bias.shape == (2,)
    edge = np.array([[1.0, 0, -1]] * 3)
    layer.weight[0, 0] = edge
    layer.weight[1] = edge.T[None]
    layer.bias[...] = 0.0
    stripes = np.tile([0.0, 1.0], (1, 1, 6, 3))
    out = layer(minitorch.tensor(stripes)).to_numpy()
    assert out.shape == (1, 2, 4, 4)
    np.testing.assert_allclose(out[0, 1], 0, atol=1e-12)
    assert repr(layer.weight)


def test_errors_show_both_numbers() -> None:
    x = minitorch.rand((2, 3, 4, 4))
    with pytest.raises(IndexingError, match=r"expected 7 features.*got 12"):
        Linear(7, 2)(minitorch.rand((2, 12)))
    with pytest.raises(IndexingError):
        Linear(7, 2)(minitorch.tensor(3.0))
    with pytest.raises(IndexingError, match="the input has 3"):
        Conv2d(4, 2, 3)(x)
    with pytest.raises(IndexingError):
        Conv2d(3, 2, 5)(x)
    with pytest.raises(IndexingError):
        Conv2d(3, 2, 3)(minitorch.rand((3, 4, 4)))
    with pytest.raises(IndexingError):
        minitorch.MaxPool2d(5)(x)
    with pytest.raises(IndexingError):
        minitorch.Softmax(4)(x)
    with pytest.raises(IndexingError):
        minitorch.Flatten(1, 4)(x)


def test_settings_out_of_range() -> None:
    for wrong in (-0.1, 1.1):
        for drop in (Dropout, Dropout2d):
            with pytest.raises(ValueError, match="between 0 and 1"):
                drop(wrong)
    for groups in (0, 2):
        with pytest.raises(ValueError, match="groups"):
            Conv2d(3, 6, 3, groups=groups)
    with pytest.raises(ValueError, match="kernel_size"):
        Conv2d(3, 6, 0)
    with pytest.raises(TypeError, match="kernel_size"):
        Conv2d(3, 6, 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="same"):
        Conv2d(3, 6, 3, stride=2, padding="same")(minitorch.rand((1, 3, 4, 4)))
    with pytest.raises(ValueError, match="at most half"):
        minitorch.MaxPool2d(2, 2, 2)(minitorch.rand((1, 3, 4, 4)))
    with pytest.raises(ValueError, match='"none" or "tanh"'):
        GELU("fast")


def test_repr_shows_the_settings() -> None:
    assert repr(Linear(3, 4, bias=False)) == "Linear(3, 4, bias=False)"
    assert repr(LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(GELU()) == "GELU(approximate='none')"
    assert "Conv2d(1, 2, (3, 3)" in repr(Sequential(Conv2d(1, 2, 3)))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_norm_is_folded_into_the_convolution_before_it(affine: bool, bias: bool) -> None:
    with minitorch.runtime.rng.seeded(4):
        convolution, norm = Conv2d(3, 5, 3, padding=1, bias=bias), BatchNorm2d(5, affine=affine)
        x = minitorch.rand((4, 3, 6, 6), requires_grad=True)
    together, apart = minitorch.Sequential(convolution, norm, minitorch.ReLU()), [convolution, norm]
    together(x)  # moves the running statistics
    together.eval()
    folded = together(x)
    plain = apart[1](apart[0](x)).relu()
    assert np.allclose(folded.to_numpy(), plain.to_numpy())
    grads = []
    for out in (folded, plain):
        for p in together.parameters():
            p.value.zero_grad_()
        x.zero_grad_()
        (out * out).sum().backward()
        grads.append([x.grad.to_numpy(), *(p.value.grad.to_numpy() for p in together.parameters())])
    for a, b in zip(*grads):
        assert np.allclose(a, b)


@pytest.mark.parametrize(("side", "scaled"), [(5, 1), (6, 0)], ids=["few pixels", "many pixels"])
@pytest.mark.parametrize("bias", [True, False])
def test_few_pixels_are_scaled_and_not_the_weight(
    side: int, scaled: int, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    scale_shift = minitorch.nn.normalization.ScaleShift
    forward = scale_shift.forward
    monkeypatch.setattr(scale_shift, "forward", lambda *a, **k: calls.append(k) or forward(*a, **k))
    with minitorch.runtime.rng.seeded(4):
        together = minitorch.Sequential(
            Conv2d(3, 5, 3, padding=1, bias=bias), BatchNorm2d(5), minitorch.ReLU()
        )  # 27 weights for each channel of the result
        x = minitorch.rand((1, 3, side, side)) - 0.5
    together(x)
    together.eval()
    folded = together(x).to_numpy()
    assert calls == []
    with minitorch.no_grad():
        assert np.allclose(together(x).to_numpy(), folded, atol=1e-12)
    assert calls == [{"activation": "relu"}] * scaled


@pytest.mark.parametrize(
    "changed", ["weight", "bias", "running_mean", "running_var", "eps", "numpy", "dtype"]
)
def test_what_is_folded_is_of_the_values_of_today(changed: str) -> None:
    with minitorch.runtime.rng.seeded(4):
        convolution, norm = Conv2d(3, 5, 3), BatchNorm2d(5)
        x = minitorch.rand((4, 3, 6, 6))
    together = minitorch.Sequential(convolution, norm)
    together(x)
    together.eval()
    with minitorch.no_grad():
        before = together(x).to_numpy()
        assert np.array_equal(together(x).to_numpy(), before)
        if changed == "eps":
            norm.eps = 0.5
        elif changed == "numpy":
            norm.running_mean._tensor.numpy_view()[:] += 1.0
        elif changed == "dtype":
            together.to(dtype="float32")
            x = x.astype("float32")
        else:
            value = getattr(norm, changed)
            (value if isinstance(value, minitorch.Tensor) else value.value)[2] = 3.0
        folded, plain = together(x), norm(convolution(x))
        assert folded.dtype == plain.dtype
        assert np.allclose(folded.to_numpy(), plain.to_numpy(), atol=1e-5 if changed == "dtype" else 1e-12)
        assert changed == "dtype" or not np.allclose(folded.to_numpy(), before)


def test_a_norm_that_does_not_fit_is_not_folded() -> None:
    model = minitorch.Sequential(Conv2d(3, 5, 3), BatchNorm2d(4)).eval()
    with pytest.raises(minitorch.IndexingError, match=r"BatchNorm2d: expected 4 dimensions.*4 channels, got"):
        model(minitorch.rand((2, 3, 6, 6)))


def test_a_slice_of_a_sequential() -> None:
    net = minitorch.Sequential(minitorch.Linear(2, 3), minitorch.ReLU(), minitorch.Linear(3, 1))
    part = net[1:]
    assert part.names == ("1", "2")
    assert part[-1] is net[2]
    assert list(net[:0]) == []
    x = minitorch.rand((4, 2))
    np.testing.assert_array_equal(net[2](net[:2](x)).to_numpy(), net(x).to_numpy())
