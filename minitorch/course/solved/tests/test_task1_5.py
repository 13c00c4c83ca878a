"""Task 1.5: training with Scalars."""

import random

import pytest

import minitorch
from project import run_scalar

from .helpers import same

pytestmark = pytest.mark.task1_5


def test_parameters() -> None:
    model = run_scalar.Network(3)
    same(len(model.parameters()), 2 * 3 + 3 + 3 * 3 + 3 + 3 + 1, "number of Parameters with 3 hidden numbers")


def test_linear() -> None:
    layer = run_scalar.Linear(2, 3)
    x = [minitorch.Scalar(2.0), minitorch.Scalar(-1.0)]
    weights = [[w.value.data for w in row] for row in layer.weights]
    expected = [b.value.data + 2.0 * weights[0][j] - weights[1][j] for j, b in enumerate(layer.bias)]
    got = [y.data for y in layer.forward(x)]
    assert got == pytest.approx(expected), f"Linear: expected {expected}, got {got}"


def test_output() -> None:
    out = run_scalar.Network(4).forward([minitorch.Scalar(0.3), minitorch.Scalar(0.8)])
    assert 0.0 < out.data < 1.0, f"the output is a probability, got {out.data}"


def test_it_learns() -> None:
    random.seed(1)
    data = minitorch.datasets["Simple"](20)
    train = run_scalar.ScalarTrain(4)
    losses = train.train(data, 0.2, 15, log_fn=lambda *_: None)
    assert losses[-1] < losses[0], (
        f"the loss must fall: {losses[0]:.2f} at first, {losses[-1]:.2f} at the end"
    )
