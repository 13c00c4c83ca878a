"""Not-a-number, infinity and extreme magnitudes in layers: they show where they belong, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Scalar, Tensor, fuse, tensor
from minitorch.nn import functional

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
@pytest.mark.parametrize("name", FUSED)
def test_a_fused_relu_lets_nan_pass(name: str, backend: str) -> None:
    if backend == "simple" and "32" in name:
        pytest.skip("slow, and without a fused kernel")
    layer, shape = FUSED[name]()
    layer.to(backend, "float32")
    elements = numbers(*shape)
    elements[0, 1] = NAN
    found = []
    for call in (lambda x: layer(x, act="relu"), lambda x: layer(x).relu()):
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
