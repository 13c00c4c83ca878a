"""Not-a-number, infinity and extreme magnitudes in layers: they show where they belong, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Scalar, Tensor, fuse, tensor
from minitorch.nn import functional
from minitorch.tensor_functions.math import ACTIVATED

from ..support.op_table import BACKENDS

backends = pytest.mark.parametrize("backend", BACKENDS)
NAN, INF = np.nan, np.inf


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape)


def parameters(layer: Any) -> list[Tensor]:
    return [p.value for p in layer.parameters()]


# (channels in and out, settings): a direct convolution, one with a stride, and one of many channels by Winograd's way.
CONVOLUTIONS = [(3, 5, 1), (3, 5, 2), (32, 32, 1)]
FUSED: dict[str, Callable[[], tuple[Any, tuple[int, ...]]]] = {
    **{
        f"convolution {ins} to {outs}, stride {stride}": (
            lambda ins=ins, outs=outs, stride=stride: (
                minitorch.Conv2d(ins, outs, 3, stride=stride, padding=1),
                (2, ins, 9, 9),
            )
        )
        for ins, outs, stride in CONVOLUTIONS
    },
    "linear": lambda: (minitorch.Linear(9, 7), (5, 9)),
    "norm": lambda: (minitorch.BatchNorm2d(3), (4, 3, 5, 5)),
    "norm in evaluation": lambda: (minitorch.BatchNorm2d(3).eval(), (4, 3, 5, 5)),
}


@backends
@pytest.mark.parametrize("act", ["relu", "relu6"])
@pytest.mark.parametrize("name", FUSED)
def test_a_fused_activation_lets_nan_pass(name: str, act: str, backend: str) -> None:
    if backend == "simple" and "32" in name:
        pytest.skip("slow, and without a fused kernel")
    layer, shape = FUSED[name]()
    layer.to(backend, "float32")
    elements = 10 * numbers(*shape)
    elements[0, 1] = NAN
    found = []
    for call in (lambda x: layer(x, act=act), lambda x: ACTIVATED[act].apply(layer(x))):
        x = tensor(elements, backend, True, dtype="float32")
        for p in parameters(layer):
            p.zero_grad_()
        out = call(x)
        out.backward(minitorch.ones(out.shape, backend, dtype="float32"))
        grads = [t.grad.to_numpy() for t in (x, *parameters(layer))]
        found.append([out.to_numpy(), *grads])
    assert np.isnan(found[0][0]).any()
    for ours, plain in zip(*found):
        np.testing.assert_allclose(ours, plain, rtol=2e-4, atol=1e-4)


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("width", "stride"), [(7, 1), (150, 1), (150, 2)])
@pytest.mark.parametrize("act", ["relu", "relu6"])
def test_a_fused_activation_at_its_edges_is_pytorchs(
    act: str, width: int, stride: int, dtype: str, backend: str
) -> None:
    torch = pytest.importorskip("torch", reason="NO PYTORCH")
    near = np.nextafter(6.0, 0.0, dtype=dtype)
    edges = np.array([NAN, -INF, INF, 0.0, 6.0, near, -1e-30, 1e-30, 3.0, 7.0, -2.0], dtype)
    elements = np.resize(np.repeat(edges, stride), (1, 1, 2, width))
    change = np.arange(1.0, 2 * -(-width // stride) + 1).reshape(1, 1, 2, -1)[:, :, : -(-2 // stride)]
    x, w, b = (tensor(t, backend, True, dtype=dtype) for t in (elements, [[[[1.0]]]], [0.0]))
    out = minitorch.conv2d(x, w, b, stride=stride, padding=0, act=act)
    out.backward(tensor(change, backend, dtype=dtype))
    functions = torch.nn.functional
    their_x = torch.tensor(elements, requires_grad=True)
    their_w, their_b = torch.ones(1, 1, 1, 1, dtype=their_x.dtype), torch.zeros(1, dtype=their_x.dtype)
    expected = vars(functions)[act](functions.conv2d(their_x, their_w, their_b, stride=stride))
    expected.backward(torch.tensor(change, dtype=their_x.dtype))
    assert np.isnan(out.to_numpy()).any()
    np.testing.assert_array_equal(out.to_numpy(), expected.detach().numpy())
    # At nan PyTorch's relu6 lets the derivative pass where elements are few, else it does not. Ours passes.
    grad, nan = x.grad.to_numpy(), np.isnan(elements)
    np.testing.assert_array_equal(grad[~nan], their_x.grad.numpy()[~nan])
    passed = np.zeros_like(elements)
    passed[:, :, ::stride, ::stride] = change
    np.testing.assert_array_equal(grad[nan], passed[nan])
    np.testing.assert_array_equal(b.grad.to_numpy(), [grad.sum()])


@backends
def test_nan_passes_relu_in_expressions(backend: str) -> None:
    x = tensor([NAN, -1.0, 2.0], backend, True)
    out = fuse(lambda v: v.relu() * 2)(x)
    out.sum().backward()
    np.testing.assert_array_equal(out.to_numpy(), [NAN, 0.0, 4.0])
    np.testing.assert_array_equal(x.grad.to_numpy(), [2.0, 0.0, 2.0])
    s = Scalar(NAN)
    out = s.relu()
    out.backward()
    assert np.isnan(out.data)
    assert s.derivative == 1.0


def test_a_diverged_network_has_no_healthy_loss() -> None:
    model = minitorch.Sequential(minitorch.Linear(4, 8), minitorch.ReLU(), minitorch.Linear(8, 3))
    model[0].weight.value.copy_(np.full((8, 4), NAN))
    assert np.isnan(minitorch.evaluate(model, [(np.ones((2, 4)), [0, 1])]).loss)


QUOTIENTS: dict[str, Callable[..., Any]] = {"plain": lambda a, b: a / b, "fused": fuse(lambda a, b: a / b)}


@backends
@pytest.mark.parametrize("name", QUOTIENTS)
@pytest.mark.parametrize(
    ("a", "b", "d", "expected"),
    [
        (1e20, 1e20, 1.0, -1e-20),
        (1e-30, 1e-30, 1.0, -1e30),
        (1e-30, 1e-30, 0.0, 0.0),
        (3.0, -2.0, 4.0, -3.0),
        (1e-30, 1e-35, 1e-30, -1e10),
    ],
)
def test_the_derivative_of_a_quotient_does_not_square_the_divisor(
    a: float, b: float, d: float, expected: float, name: str, backend: str
) -> None:
    x, y = (tensor([v], backend, True, dtype="float32") for v in (a, b))
    QUOTIENTS[name](x, y).backward(tensor([d], backend, dtype="float32"))
    np.testing.assert_allclose(y.grad.to_numpy(), [expected], rtol=1e-5)
    np.testing.assert_allclose(x.grad.to_numpy(), [np.float32(d) / np.float32(b)], rtol=1e-5)


@backends
def test_the_derivative_of_an_inverse_does_not_square_the_divisor(backend: str) -> None:
    for fn in (lambda x: 1e10 / x, lambda x: 1e10 * minitorch.Inv()(x), fuse(lambda x: 1e10 / x)):
        for at, d in ((1e20, 1.0), (1e-25, 1e-30), (1e-25, 0.0)):
            x = tensor([at], backend, True, dtype="float32")
            fn(x).backward(tensor([d], backend, dtype="float32"))
            np.testing.assert_allclose(x.grad.to_numpy(), [-1e10 / at * (d / at)], rtol=1e-5)


def test_scalars_divide_without_squares() -> None:
    for a, b in ((1e-100, 1e-170), (1e200, 1e200), (1.0, 1e170), (1e-310, 1e-310)):
        x, y = Scalar(a), Scalar(b)
        (x / y).backward()
        assert y.derivative == pytest.approx(-(a / b) / b, rel=1e-12)
        assert x.derivative == pytest.approx(1 / b, rel=1e-12)
        for out in (1.0 / y, minitorch.scalar_functions.Inv.apply(y)):
            y.derivative = None
            out.backward()
            assert y.derivative == pytest.approx(-(1 / b) / b, rel=1e-12)


class Doubled(minitorch.BatchNorm2d):
    """A norm with a ``forward`` of its own, which is not folded."""

    def forward(self, x: Tensor, act: str = "none") -> Tensor:
        """Norm, times 2."""
        return super().forward(x, act) * 2.0


class Shifted:
    """Comes before a layer among the bases of a class."""

    def forward(self, x: Tensor, *given: Any) -> Tensor:
        """Layer, plus 1."""
        return super().forward(x, *given) + 1.0  # type: ignore[misc]


class ShiftedConv(Shifted, minitorch.Conv2d):
    """A convolution whose ``forward`` is that of another base."""


class ShiftedNorm(Shifted, minitorch.BatchNorm2d):
    """A norm whose ``forward`` is that of another base."""


class Called(minitorch.BatchNorm2d):
    """A norm that does more when it is called."""

    def __call__(self, x: Tensor) -> Tensor:
        """Norm, times 3."""
        return super().__call__(x) * 3.0


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "layers",
    [
        lambda: (minitorch.Conv2d(1, 3, 3), Doubled(3)),
        lambda: (minitorch.Conv2d(1, 3, 3), ShiftedNorm(3)),
        lambda: (minitorch.Conv2d(1, 3, 3), Called(3)),
        lambda: (ShiftedConv(1, 3, 3), minitorch.BatchNorm2d(3)),
        lambda: (minitorch.Conv2d(1, 3, 3), minitorch.BatchNorm2d(3)),
    ],
)
def test_sequential_runs_the_forward_of_subclasses(layers: Callable[[], Any], training: bool) -> None:
    first, second = layers()
    x = tensor(numbers(2, 1, 5, 5) + 3)
    net = minitorch.Sequential(first, second, minitorch.ReLU()).train(training)
    np.testing.assert_allclose(net(x).to_numpy(), second(first(x)).relu().to_numpy(), atol=1e-12)


@pytest.mark.parametrize("place", [0, 1])
def test_sequential_runs_the_forward_of_an_instance(place: int) -> None:
    net = minitorch.Sequential(minitorch.Conv2d(1, 3, 3), minitorch.BatchNorm2d(3), minitorch.ReLU()).eval()
    x, calls = tensor(numbers(2, 1, 5, 5)), []
    plain = net(x).to_numpy()
    inner = net[place].forward

    def replaced(z: Tensor) -> Tensor:
        calls.append(z.shape)
        return inner(z)

    net[place].forward = replaced
    np.testing.assert_allclose(net(x).to_numpy(), plain, atol=1e-12)
    assert len(calls) == 1


def test_sequential_runs_a_replaced_forward_of_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    net = minitorch.Sequential(minitorch.Conv2d(1, 3, 3), minitorch.BatchNorm2d(3)).eval()
    stock, calls = minitorch.BatchNorm2d.forward, []

    def replaced(self: Any, x: Tensor, act: str = "none") -> Tensor:
        calls.append(x.shape)
        return stock(self, x, act)

    monkeypatch.setattr(minitorch.BatchNorm2d, "forward", replaced)
    net(tensor(numbers(2, 1, 5, 5)))
    assert len(calls) == 1


def test_unknown_activations_are_refused() -> None:
    x, w, b = (minitorch.ones(s) for s in ((2, 2, 4, 4), (2, 2, 3, 3), (2,)))
    rows, kernels = minitorch.ones((2, 2, 4)), minitorch.ones((2, 2, 3))
    for name, call in [
        ("conv2d", lambda: minitorch.conv2d(x, w, act="gelu")),
        ("conv2d", lambda: minitorch.conv2d(x, w, padding=1, act="gelu")),
        ("conv2d", lambda: minitorch.conv2d(x, w, b, act="gelu")),
        ("conv1d", lambda: minitorch.conv1d(rows, kernels, act="gelu")),
        ("conv1d", lambda: minitorch.conv1d(rows, kernels, b, act="gelu")),
        ("linear", lambda: functional.linear(b.view(1, 2), w[0, 0, :2, :2], act="gelu")),
        ("linear", lambda: functional.linear(b.view(1, 2), w[0, 0, :2, :2], b, act="gelu")),
        ("BatchNorm2d", lambda: minitorch.BatchNorm2d(2)(x, act="gelu")),
        ("BatchNorm2d", lambda: minitorch.BatchNorm2d(2).eval()(x, act="gelu")),
    ]:
        with pytest.raises(
            ValueError, match=f'{name}: expected act "none" or "relu" or "relu6", got \'gelu\''
        ):
            call()


@backends
def test_batch_norm_averages_all_batches_without_momentum(backend: str) -> None:
    torch = pytest.importorskip("torch", reason="NO PYTORCH")
    ours = minitorch.BatchNorm2d(2, momentum=None).to(backend)
    theirs = torch.nn.BatchNorm2d(2, momentum=None).double()
    for batch in np.split(numbers(12, 2, 3, 3) * 3 + 1, 3):
        out = ours(tensor(batch, backend)).to_numpy()
        np.testing.assert_allclose(out, theirs(torch.from_numpy(batch)).detach().numpy(), rtol=1e-9)
    for name in ("running_mean", "running_var"):
        np.testing.assert_allclose(getattr(ours, name).to_numpy(), getattr(theirs, name).numpy(), rtol=1e-9)
    assert int(ours.num_batches_tracked) == 3


@backends
@pytest.mark.parametrize("momentum", [0.1, None])
def test_an_empty_batch_changes_no_statistics(momentum: float | None, backend: str) -> None:
    layer = minitorch.BatchNorm2d(2, momentum=momentum).to(backend)
    out = layer(minitorch.zeros((0, 2, 3, 3), backend))
    assert out.shape == (0, 2, 3, 3)
    np.testing.assert_array_equal(layer.running_mean.to_numpy(), [0.0, 0.0])
    np.testing.assert_array_equal(layer.running_var.to_numpy(), [1.0, 1.0])
    assert int(layer.num_batches_tracked) == 1
    assert np.isfinite(layer.eval()(minitorch.ones((1, 2, 1, 1), backend)).to_numpy()).all()


@backends
@pytest.mark.parametrize("value", [INF, NAN])
def test_adaptive_pooling_keeps_special_numbers_in_their_windows(value: float, backend: str) -> None:
    elements = np.ones((2, 3, 7, 5))
    elements[0, 1, 0, 0] = value
    x = tensor(elements, backend, True)
    out = minitorch.adaptive_avgpool2d(x, (3, 2))
    expected = np.ones((2, 3, 3, 2))
    expected[0, 1, 0, 0] = value
    np.testing.assert_allclose(out.to_numpy(), expected)
    change = np.ones(out.shape)
    change[1, 2, 0, 0] = INF
    out.backward(tensor(change, backend))
    grad = x.grad.to_numpy()
    assert np.isinf(grad[1, 2, :3, :3]).all()
    assert np.isinf(grad).sum() == 9
    assert np.isfinite(grad).sum() == grad.size - 9


@pytest.mark.parametrize("value", [INF, NAN])
def test_resizing_keeps_special_numbers_in_their_filters(value: float) -> None:
    image = numbers(2, 8, 9).astype(np.float32)
    for size in (4, (3, 20), (16, 2)):
        plain = minitorch.vision.Resize(size)(image)
        special = image.copy()
        special[0, 0, 0] = value
        found = minitorch.vision.Resize(size)(special)
        changed = ~np.isfinite(found)
        assert changed[0, 0, 0]
        assert not changed[1].any()
        assert changed[0].mean() < 0.3
        np.testing.assert_allclose(found[~changed], plain[~changed], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("act", "settings"), [("none", {}), ("relu", {"stride": 2, "groups": 2})])
def test_an_infinite_pixel_changes_the_weights_that_meet_it(act: str, settings: dict[str, int]) -> None:
    groups = settings.get("groups", 1)
    elements, found = numbers(2, 4, 7, 7), []
    elements[0, 3, 6, 6] = INF
    for backend in BACKENDS:
        w = tensor(np.ones((4, 4 // groups, 3, 3)), backend, True)
        b = tensor(np.zeros(4), backend, True)
        minitorch.conv2d(tensor(elements, backend), w, b, padding=1, act=act, **settings).sum().backward()
        found.append(w.grad.to_numpy())
    assert np.isfinite(found[0]).any()
    assert not np.isfinite(found[0]).all()
    np.testing.assert_allclose(*found)
