"""The last task of each module: a short training with the classes of the course's scripts."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import FastBackend, Scalar, SimpleBackend, tensor
from minitorch.cli import mnist
from minitorch.data.image_sets import digits

from .cli.runner import script


def learn(trainer: Any, hidden: int, points: str, rate: float, epochs: int) -> None:
    """Train on 20 points: at the end 19 are classified correctly, and the loss is below a quarter of the first."""
    random.seed(1)
    last: list[tuple[int, list[float]]] = []
    learner, data = trainer(hidden), minitorch.datasets[points](20)
    learner.train(data, rate, epochs, log_fn=lambda epoch, loss, right, losses: last.append((right, losses)))
    right, losses = last[-1]
    assert right >= 19
    assert losses[-1] < 0.25 * losses[0]


@pytest.mark.task1_5
def test_a_layer_of_scalars_is_a_weighted_sum() -> None:
    layer = script("run_scalar").Network(3).layer1
    weights, bias = layer.arrays()
    found = [y.data for y in layer((Scalar(2.0), Scalar(-1.0)))]
    assert np.allclose(found, np.array([2.0, -1.0]) @ weights + bias, rtol=0, atol=1e-12)


@pytest.mark.task1_5
def test_every_weight_of_a_network_of_scalars_gets_a_derivative() -> None:
    model = script("run_scalar").Network(3)
    out = model((Scalar(0.3), Scalar(0.8)))
    out.backward()
    assert 0 < out.data < 1
    assert len(model.parameters()) == 2 * 3 + 3 + 3 * 3 + 3 + 3 + 1
    assert all(p.value.derivative is not None for p in model.parameters())


@pytest.mark.task1_5
def test_scalars_learn_a_line() -> None:
    learn(script("run_scalar").ScalarTrain, 5, "Simple", 0.7, 50)


def check_tensor_network(name: str, backend: Any) -> None:
    """Compare a layer with NumPy, and a batch of points with its points one by one."""
    model = script(name).Network(3, backend)
    points = random.choices(minitorch.datasets["Xor"](20).X, k=4)
    x = tensor(points, backend)
    weights, bias = model.layer1.arrays()
    assert np.allclose(model.layer1(x).to_numpy(), np.array(points) @ weights + bias, rtol=0, atol=1e-12)
    out = model(x)
    assert out.backend is backend
    assert out.shape == (4, 1)
    one_by_one = [model(tensor([point], backend)).item() for point in points]
    assert np.allclose(out.to_numpy().ravel(), one_by_one, rtol=0, atol=1e-12)
    out.sum().backward()
    assert all(p.value.grad.shape == p.value.shape for p in model.parameters())


@pytest.mark.task2_5
def test_a_network_of_tensors() -> None:
    check_tensor_network("run_tensor", SimpleBackend)


@pytest.mark.task2_5
def test_tensors_learn_a_line() -> None:
    learn(script("run_tensor").TensorTrain, 10, "Simple", 0.5, 40)


@pytest.mark.task3_5
def test_a_network_in_the_fast_backend() -> None:
    check_tensor_network("run_fast_tensor", FastBackend)


@pytest.mark.task3_5
def test_the_fast_backend_learns_xor() -> None:
    learn(script("run_fast_tensor").FastTrain, 20, "Xor", 0.2, 100)


@pytest.mark.task4_5
def test_lenet_gives_log_probabilities_and_keeps_its_channels() -> None:
    model = minitorch.models.LeNet()
    scores = model(minitorch.rand((2, 1, 28, 28)))
    assert np.allclose(np.exp(scores.to_numpy()).sum(1), [1.0, 1.0], rtol=0, atol=1e-9)
    assert model.mid.shape == (2, 4, 28, 28)
    assert model.out.shape == (2, 8, 28, 28)


@pytest.mark.task4_5
def test_lenet_learns_the_digits() -> None:
    parts = [mnist.enlarged(part) for part in digits()]
    seen, unseen = ((part.images[:300] / 128 - 0.5, part.labels[:300]) for part in parts)
    batches = [(seen[0][i : i + 20], seen[1][i : i + 20]) for i in range(0, 300, 20)]
    model = minitorch.models.LeNet()
    optimizer = minitorch.Adam(model.parameters(), lr=0.01)
    steps = list(minitorch.fit(model, batches, optimizer, epochs=5, loss=model.loss))
    assert len(steps) == 5 * 15
    assert minitorch.evaluate(model, batches, loss=model.loss).accuracy > 0.95
    assert minitorch.evaluate(model, [unseen], loss=model.loss).accuracy > 0.75
