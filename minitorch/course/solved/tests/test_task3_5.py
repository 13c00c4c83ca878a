"""Task 3.5: training with the fast backend."""

import random

import pytest

import minitorch
from project import run_fast_tensor

from .helpers import same

pytestmark = pytest.mark.task3_5


def test_linear() -> None:
    layer = run_fast_tensor.Linear(2, 3, minitorch.FastBackend)
    x = minitorch.tensor([[2.0, -1.0], [0.5, 3.0]], backend=minitorch.FastBackend)
    expected = x.to_numpy() @ layer.weights.value.to_numpy() + layer.bias.value.to_numpy()
    got = layer.forward(x).to_numpy()
    assert got == pytest.approx(expected), f"Linear: expected {expected.tolist()}, got {got.tolist()}"


def test_output() -> None:
    model = run_fast_tensor.Network(4, minitorch.FastBackend)
    out = model.forward(minitorch.tensor([[0.3, 0.8], [0.1, 0.2]], backend=minitorch.FastBackend))
    same(tuple(out.shape), (2, 1), "shape of the output for 2 points")
    same(out.backend is minitorch.FastBackend, True, "the output is in the fast backend")


def test_it_learns() -> None:
    random.seed(1)
    data = minitorch.datasets["Simple"](20)
    losses = run_fast_tensor.FastTrain(8).train(data, 0.05, 8, log_fn=lambda *_: None)
    assert losses[-1] < losses[0], (
        f"the loss must fall: {losses[0]:.2f} at first, {losses[-1]:.2f} at the end"
    )
