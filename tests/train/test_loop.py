"""The training loop: what a Step says, what it leaves alone, evaluation and prediction."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    SGD,
    Adam,
    Dropout,
    Evaluation,
    Linear,
    ReLU,
    Sequential,
    Step,
    Tensor,
    cross_entropy,
    data,
    evaluate,
    fit,
    mse_loss,
    predict,
    tensor,
)
from minitorch.data.dataset import Dataset
from minitorch.data.loader import DataLoader

Batch = tuple[Any, Any]


def batches(count: int = 3, size: int = 4, seed: int = 0) -> list[Batch]:
    """Return batches of points and the quadrant they lie in; the last one is smaller."""
    draw = np.random.default_rng(seed)
    sizes = [size] * (count - 1) + [size - 1]
    points = [draw.standard_normal((n, 2)) for n in sizes]
    return [(x.astype(np.float32), (x[:, 0] > 0) * 2 + (x[:, 1] > 0)) for x in points]


def model(*extra: Any) -> Sequential:
    minitorch.manual_seed(0)
    return Sequential(Linear(2, 8), ReLU(), *extra, Linear(8, 4))


class Watch:
    """A scheduler that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    def step(self, metric: float) -> None:
        self.heard.append(metric)


def test_steps_count_and_carry_plain_numbers() -> None:
    network = model()
    steps = list(fit(network, batches(), SGD(network.parameters(), lr=0.1), epochs=2))
    assert [(s.epoch, s.step, s.last) for s in steps] == [
        (1, 1, False),
        (1, 2, False),
        (1, 3, True),
        (2, 4, False),
        (2, 5, False),
        (2, 6, True),
    ]
    for s in steps:
        assert isinstance(s, Step)
        assert isinstance(s.loss, float)
        assert isinstance(s.accuracy, float)
        assert s.lr == 0.1
        assert s.valid_loss is s.valid_accuracy is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].loss = 0.0  # type: ignore[misc]


def test_a_step_is_that_of_the_loop_written_by_hand() -> None:
    ours, theirs = model(), model()
    optimizer = Adam(theirs.parameters(), lr=0.05)
    expected = []
    for points, labels in batches():
        optimizer.zero_grad()
        scores = theirs(tensor(points, dtype=np.float64))
        loss = cross_entropy(scores, labels)
        loss.backward()
        optimizer.step()
        expected.append((loss.item(), minitorch.accuracy(scores, labels)))
    steps = list(fit(ours, batches(), Adam(ours.parameters(), lr=0.05)))
    assert [(s.loss, s.accuracy) for s in steps] == expected
    for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters()):
        assert np.array_equal(p.value.to_numpy(), q.value.to_numpy()), name


def test_training_learns() -> None:
    network = model()
    data = batches(8, 16)
    before = evaluate(network, data)
    for _ in fit(network, data, Adam(network.parameters(), lr=0.05), epochs=8):
        pass
    after = evaluate(network, data)
    assert after.loss < before.loss / 2
    assert after.accuracy is not None
    assert after.accuracy > 0.9


def test_each_next_trains_one_batch_and_the_caller_may_stop() -> None:
    network = model()
    before = network.state_dict()
    loop = fit(network, batches(), SGD(network.parameters(), lr=0.1), epochs=100)
    assert all(np.array_equal(before[k], v) for k, v in network.state_dict().items())
    next(loop)
    first = network.state_dict()
    assert not all(np.array_equal(before[k], v) for k, v in first.items())
    loop.close()
    assert all(np.array_equal(first[k], v) for k, v in network.state_dict().items())


def test_the_rate_may_be_changed_between_steps() -> None:
    network = model()
    optimizer = SGD(network.parameters(), lr=0.1)
    rates = []
    for s in fit(network, batches(), optimizer):
        rates.append(s.lr)
        optimizer.lr /= 2
    assert rates == [0.1, 0.05, 0.025]


def test_validation_and_scheduler_come_after_the_last_batch() -> None:
    network, watch = model(), Watch()
    valid = batches(seed=1)
    steps = list(
        fit(network, batches(), SGD(network.parameters(), lr=0.1), epochs=2, valid=valid, scheduler=watch)
    )
    for s in steps:
        assert (s.valid_loss is None) == (s.valid_accuracy is None) == (not s.last)
    assert watch.heard == [s.valid_loss for s in steps if s.last]
    checked = evaluate(network, valid)
    assert (steps[-1].valid_loss, steps[-1].valid_accuracy) == (checked.loss, checked.accuracy)


def test_without_validation_the_scheduler_hears_the_mean_loss() -> None:
    network, watch = model(), Watch()
    steps = list(fit(network, batches(), SGD(network.parameters(), lr=0.1), scheduler=watch))
    assert np.isclose(watch.heard[0], (4 * steps[0].loss + 4 * steps[1].loss + 3 * steps[2].loss) / 11)


def test_the_mode_is_train_for_steps_and_restored_after_evaluation() -> None:
    network = model(Dropout(0.5))
    network.eval()
    next(fit(network, batches(), SGD(network.parameters(), lr=0.1)))
    assert network.training
    assert all(child.training for child in network.modules())
    network[2].eval()
    evaluate(network, batches())
    assert network.training
    assert not network[2].training


def test_evaluation_is_without_dropout_and_records_nothing() -> None:
    network = model(Dropout(0.5))
    first, second = (evaluate(network, batches()) for _ in range(2))
    assert first == second
    assert isinstance(first, Evaluation)
    assert first.count == 11
    seen: list[Tensor] = []

    def loss(scores: Tensor, labels: Any) -> Tensor:
        seen.append(scores)
        return cross_entropy(scores, labels)

    evaluate(network, batches(), loss=loss)
    assert all(scores.is_constant() for scores in seen)
    assert all(p.value.grad is None for p in network.parameters())


def test_the_mode_is_restored_after_an_error() -> None:
    network = model()

    def broken(scores: Tensor, labels: Any) -> Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate(network, batches(), loss=broken)
    assert network.training
    assert minitorch.grad_enabled()


def test_evaluation_weighs_batches_by_their_size() -> None:
    network = model()
    points, labels = (np.concatenate(part) for part in zip(*batches()))
    whole, parts = evaluate(network, [(points, labels)]), evaluate(network, batches())
    assert np.isclose(whole.loss, parts.loss)
    assert np.isclose(whole.accuracy, parts.accuracy)
    assert whole.count == parts.count == 11


def test_predict() -> None:
    network = model()
    scores, labels = predict(network, batches())
    assert scores.shape == (11, 4)
    assert labels.tolist() == np.concatenate([y for _, y in batches()]).tolist()
    assert np.isclose(minitorch.accuracy(scores, labels), evaluate(network, batches()).accuracy)


def test_other_losses_have_no_accuracy() -> None:
    network = Sequential(Linear(2, 1))
    data = [(x, x.sum(1, keepdims=True)) for x, _ in batches()]
    steps = list(fit(network, data, SGD(network.parameters(), lr=0.1), loss=mse_loss, valid=data))
    assert all(s.accuracy is None for s in steps)
    assert steps[-1].valid_accuracy is None
    assert steps[-1].valid_loss == evaluate(network, data, loss=mse_loss).loss
    assert evaluate(network, data, loss=mse_loss).accuracy is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_batches_take_the_dtype_and_backend_of_the_model(dtype: str, backend: str) -> None:
    network = model().to(backend, dtype)
    seen: list[Tensor] = []

    def loss(scores: Tensor, labels: Any) -> Tensor:
        seen.append(scores)
        return cross_entropy(scores, labels)

    next(fit(network, batches(), SGD(network.parameters(), lr=0.1), loss=loss))
    assert seen[0].dtype == np.dtype(dtype)
    assert seen[0].backend.ops.name == backend


def test_a_run_may_go_on_where_another_ended() -> None:
    network = model()
    steps = list(
        fit(network, batches(), SGD(network.parameters(), lr=0.1), epochs=3, start_epoch=3, start_step=6)
    )
    assert [(s.epoch, s.step) for s in steps] == [(3, 7), (3, 8), (3, 9)]


def test_a_loader_is_read_anew_each_epoch() -> None:
    draw = np.random.default_rng(0)
    points = Dataset(draw.standard_normal((10, 1, 1, 2)).astype(np.float32), draw.integers(0, 4, 10))
    loader = DataLoader(points, batch_size=4, shuffle=True, seed=1, transform=lambda x: x.reshape(len(x), 2))
    network = model()
    steps = list(fit(network, loader, SGD(network.parameters(), lr=0.1), epochs=2))
    assert [s.last for s in steps] == [False, False, True] * 2


def test_an_empty_loader() -> None:
    network = model()
    for call in (
        lambda: next(fit(network, [], SGD(network.parameters()))),
        lambda: evaluate(network, []),
        lambda: predict(network, []),
    ):
        with pytest.raises(ValueError, match="no batch"):
            call()


def test_steps_do_not_keep_graphs_alive() -> None:
    network = model()
    endless = itertools.cycle(batches())
    loop = fit(network, endless, SGD(network.parameters(), lr=0.01))
    for s in itertools.islice(loop, 5):
        assert {type(value) for value in dataclasses.astuple(s)} <= {int, float, bool, type(None)}
        assert all(p.value.grad is None and p.value.is_leaf() for p in network.parameters())


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_resumed_run_goes_on_with_the_shuffle(by_hand: bool, tmp_path: Path) -> None:
    images, _ = data.digits()
    path = tmp_path / "c.safetensors"

    def parts(seed: int) -> tuple[Any, Any, Any]:
        minitorch.manual_seed(seed)
        model = minitorch.Sequential(minitorch.Flatten(), minitorch.Linear(64, 10))
        loader = data.DataLoader(
            images.subset(range(60)), 20, shuffle=True, seed=0, transform=minitorch.vision.ToTensor()
        )
        return model, minitorch.SGD(model.parameters(), lr=0.1), loader

    straight, optimizer, loader = parts(0)
    list(minitorch.fit(straight, loader, optimizer, epochs=4))
    model, optimizer, loader = parts(0)
    last = list(minitorch.fit(model, loader, optimizer, epochs=2))[-1]
    minitorch.save_checkpoint(path, model, optimizer, epoch=last.epoch, step=last.step)
    model, optimizer, loader = parts(9)
    done = minitorch.load_checkpoint(path, model, optimizer)
    if by_hand:
        loader.epoch = done.epoch
    list(minitorch.fit(model, loader, optimizer, epochs=4, start_epoch=done.epoch + 1, start_step=done.step))
    np.testing.assert_array_equal(straight[1].weight.value.to_numpy(), model[1].weight.value.to_numpy())


def test_a_second_fit_from_epoch_1_has_new_shuffles() -> None:
    images, _ = data.digits()
    loader = data.DataLoader(
        images.subset(range(60)), 60, shuffle=True, seed=0, transform=minitorch.vision.ToTensor()
    )
    model = minitorch.Sequential(minitorch.Flatten(), minitorch.Linear(64, 10))
    for _ in range(2):
        list(minitorch.fit(model, loader, minitorch.SGD(model.parameters(), lr=0.1)))
    assert loader.epoch == 2


@pytest.mark.parametrize("result", [None, np.zeros((2, 3)), [1.0]])
def test_a_forward_that_returns_no_tensor(result: Any) -> None:
    class Wrong(minitorch.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Linear(2, 3)

        def forward(self, x: Tensor) -> Any:
            return result

    model, batches = Wrong(), [(np.zeros((2, 2)), np.array([0, 1]))]
    message = f"forward to return a Tensor, got {type(result).__name__}"
    with pytest.raises(TypeError, match=f"fit: expected the model's {message}"):
        next(fit(model, batches, SGD(model.parameters())))
    for run in (evaluate, predict):
        with pytest.raises(TypeError, match=message):
            run(model, batches)
