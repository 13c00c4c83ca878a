"""Task 2.5: training with Tensors."""

import random

import pytest

import minitorch
from project import run_tensor

from .helpers import same

pytestmark = pytest.mark.task2_5


def test_parameters() -> None:
    shapes = [tuple(p.value.shape) for p in run_tensor.Network(3).parameters()]
    same(sorted(shapes), sorted([(2, 3), (3,), (3, 3), (3,), (3, 1), (1,)]), "shapes of the Parameters")


def test_linear() -> None:
    layer = run_tensor.Linear(2, 3)
    x = minitorch.tensor([[2.0, -1.0], [0.5, 3.0]])
    expected = x.to_numpy() @ layer.weights.value.to_numpy() + layer.bias.value.to_numpy()
    got = layer.forward(x).to_numpy()
    assert got == pytest.approx(expected), f"Linear: expected {expected.tolist()}, got {got.tolist()}"


def test_output() -> None:
    out = run_tensor.Network(4).forward(minitorch.tensor([[0.3, 0.8], [0.1, 0.2]]))
    same(tuple(out.shape), (2, 1), "shape of the output for 2 points")
    assert ((out.to_numpy() > 0.0) & (out.to_numpy() < 1.0)).all(), (
        f"the outputs are probabilities, got {out}"
    )


def test_it_learns() -> None:
    random.seed(1)
    data = minitorch.datasets["Simple"](10)
    losses = run_tensor.TensorTrain(3).train(data, 0.2, 8, log_fn=lambda *_: None)
    assert losses[-1] < losses[0], (
        f"the loss must fall: {losses[0]:.2f} at first, {losses[-1]:.2f} at the end"
    )
