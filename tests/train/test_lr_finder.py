"""The learning-rate finder: a rising rate, a loss for each, and everything as it was afterwards."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import minitorch
from minitorch.data.dataset import Dataset
from minitorch.data.loader import DataLoader

Parts = tuple[minitorch.Sequential, DataLoader, minitorch.SGD]


@pytest.fixture
def parts() -> Parts:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 24)
    images = draw.normal(0, 0.3, (24, 1, 2, 2)) + labels[:, None, None, None]
    layers = minitorch.Flatten(), minitorch.Linear(4, 8), minitorch.BatchNorm1d(8), minitorch.ReLU()
    model = minitorch.Sequential(*layers, minitorch.Dropout(0.1), minitorch.Linear(8, 3))
    optimizer = minitorch.SGD(model.parameters(), lr=0.3, momentum=0.9)
    return model, DataLoader(Dataset(images, labels), 8, shuffle=True, seed=0), optimizer


def test_rates_rise_and_the_loss_falls(parts: Parts) -> None:
    rates, losses = minitorch.lr_range(*parts, start=1e-4, end=0.5, steps=30)
    assert rates.shape == losses.shape == (30,)
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 0.5, 30))
    assert losses[-5:].mean() < 0.7 * losses[:5].mean()


def test_everything_is_as_it_was(parts: Parts) -> None:
    model, loader, optimizer = parts
    for _ in minitorch.fit(model, loader, optimizer):  # so that there is momentum to restore
        pass
    model.eval()
    weights, settings, drawn = model.state_dict(), optimizer.state_dict(), random.getstate()
    minitorch.lr_range(model, loader, optimizer, steps=10)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, weights[name])
    np.testing.assert_equal(optimizer.state_dict(), settings)
    assert random.getstate() == drawn
    assert optimizer.lr == 0.3
    assert not model.training
    assert not model[0].training
    assert all(p.value.grad is None for p in model.parameters())


def test_training_after_it_is_as_without_it(parts: Parts) -> None:
    model, loader, optimizer = parts
    start = model.state_dict()
    runs = []
    for look in (False, True):
        model.load_state_dict(start)
        optimizer = minitorch.SGD(model.parameters(), lr=0.3, momentum=0.9)
        random.seed(1)
        if look:
            minitorch.lr_range(model, loader, optimizer, end=10.0, steps=7)
        loader.epoch = 0
        runs.append([step.loss for step in minitorch.fit(model, loader, optimizer, epochs=2)])
    assert runs[0] == runs[1]


def test_it_ends_where_the_loss_does_and_restores(parts: Parts) -> None:
    model, loader, optimizer = parts
    weights = model.state_dict()
    rates, losses = minitorch.lr_range(model, loader, optimizer, start=1.0, end=1e300, steps=20)
    assert len(rates) == len(losses) < 20
    assert np.isfinite(losses).all()
    np.testing.assert_equal(model.state_dict(), weights)


def test_it_restores_after_an_error(parts: Parts) -> None:
    model, loader, optimizer = parts
    weights = model.state_dict()
    with pytest.raises(minitorch.IndexingError, match="label 2"):
        minitorch.lr_range(model, loader, optimizer, loss=lambda s, y: minitorch.cross_entropy(s[:, :2], y))
    np.testing.assert_equal(model.state_dict(), weights)
    assert optimizer.lr == 0.3


def test_a_wrong_range_is_refused(parts: Parts) -> None:
    for settings in ({"start": 0.0}, {"start": 1.0, "end": 0.1}, {"steps": 1}):
        with pytest.raises(ValueError, match="no range"):
            minitorch.lr_range(*parts, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_a_learning_rate_beyond_the_dtype_is_infinite_without_a_warning(backend: str) -> None:
    weight = minitorch.Parameter(minitorch.tensor([1.0, 2.0], backend, dtype="float32", requires_grad=True))
    weight.value.grad = minitorch.tensor([1.0, -1.0], backend, dtype="float32")
    minitorch.SGD([weight], lr=1e300).step()
    assert weight.value.to_numpy().tolist() == [-math.inf, math.inf]
