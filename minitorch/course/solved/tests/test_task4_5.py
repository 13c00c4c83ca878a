"""Task 4.5: training on images."""

import pytest

import minitorch
from project import run_mnist_multiclass

from .helpers import same

pytestmark = pytest.mark.task4_5


def test_parameters() -> None:
    shapes = [tuple(p.value.shape) for p in run_mnist_multiclass.Network().parameters()]
    expected = [(4, 1, 3, 3), (4, 1, 1), (8, 4, 3, 3), (8, 1, 1), (392, 64), (64,), (64, 10), (10,)]
    same(sorted(shapes), sorted(expected), "shapes of the Parameters of LeNet")


def test_conv_layer() -> None:
    layer = run_mnist_multiclass.Conv2d(1, 2, 3, 3)
    t = minitorch.rand((1, 1, 4, 4), backend=minitorch.FastBackend)
    bias = layer.bias.value.to_numpy()
    expected = minitorch.conv2d(t, layer.weights.value).to_numpy() + bias
    got = layer.forward(t).to_numpy()
    assert got == pytest.approx(expected), f"Conv2d: expected {expected.tolist()}, got {got.tolist()}"


def test_output() -> None:
    model = run_mnist_multiclass.Network()
    model.eval()
    out = model.forward(minitorch.rand((2, 1, 28, 28), backend=minitorch.FastBackend))
    same(tuple(out.shape), (2, 10), "shape of the output for 2 images")
    same(tuple(model.mid.shape), (2, 4, 28, 28), "shape of mid")
    same(tuple(model.out.shape), (2, 8, 28, 28), "shape of out")
    for total in out.exp().sum(1).to_numpy().reshape(-1):
        assert abs(total - 1.0) < 1e-6, f"the probabilities of an image add up to 1, got {total}"
