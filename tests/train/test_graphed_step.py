"""Recorded training steps: replayed ones leave the same weights, bit by bit, as steps run one by one.

The Numba backend records its kernels, the CUDA backend a CUDA graph (in the simulator a list of launches). The tests
are the same.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    Adam,
    BackendError,
    GraphedStep,
    Module,
    Optimizer,
    Parameter,
    Tensor,
    cross_entropy,
    tensor,
)
from minitorch.data.dataset import Dataset
from minitorch.runtime import capture
from minitorch.tensor_data import IndexingError
from minitorch.train import trainer

CUDA = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(os.environ["MINITORCH_CUDA_TESTS"] == "off", reason="MINITORCH_CUDA_TESTS=off"),
)
Batch = tuple[Any, Any]


@pytest.fixture(autouse=True, params=["fast", CUDA])
def backend(request: pytest.FixtureRequest) -> str:
    minitorch.set_default_backend(request.param)
    return str(request.param)


class Net(Module):
    """A convolution, batch norm, pooling, dropout: small, with all that changes from step to step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = minitorch.Conv2d(1, 2, 3, padding="anchored")
        self.norm = minitorch.BatchNorm2d(2)
        self.pool = minitorch.AvgPool2d(2)
        self.dropout = minitorch.Dropout(0.25)
        self.linear = minitorch.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.pool(self.norm(self.conv(x)).relu()).flatten(1)
        return self.linear(self.dropout(hidden))


def batches(count: int, size: int = 2, dtype: str = "float32") -> list[Batch]:
    draw = np.random.default_rng(3)
    return [
        (draw.standard_normal((size, 1, 4, 4)).astype(dtype), draw.integers(0, 3, size)) for _ in range(count)
    ]


def stepper(model: Any, optimizer: Any, loss: Callable[..., Tensor] = cross_entropy) -> Callable[..., Tensor]:
    def step(images: Tensor, labels: Any) -> Tensor:
        optimizer.zero_grad()
        error = loss(model(images), labels)
        error.backward()
        optimizer.step()
        return error

    return step


def trained(
    make: Callable[[Any], Optimizer], given: list[Batch], replayed: bool, between: Any = None
) -> tuple[list[float], dict[str, Any], Any, Any]:
    """Train a Net, and return its losses, its state, that of its optimizer, and the step."""
    random.seed(5)
    model = Net()
    optimizer = make(model.parameters())
    step: Any = stepper(model, optimizer)
    if replayed:
        step = GraphedStep(step, *given[0], optimizer=optimizer)
    losses = []
    for k, (images, labels) in enumerate(given):
        if between is not None:
            between(k, optimizer)
        losses.append(step(images if replayed else tensor(images), labels).item())
    return losses, model.state_dict(), optimizer.state_dict(), step


def same(found: Any, expected: Any) -> bool:
    """Compare nested states, bit by bit; nan equals nan."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, Tensor | np.ndarray):
        return np.array_equal(np.asarray(found), np.asarray(expected), equal_nan=True)
    return bool(found == expected)


def check_equal(make: Callable[[Any], Optimizer], given: list[Batch], between: Any = None) -> None:
    eager = trained(make, given, False, between)
    replayed = trained(make, given, True, between)
    assert replayed[3].recorded
    assert replayed[0] == eager[0]
    assert same(replayed[1], eager[1])
    assert same(replayed[2], eager[2])


MAKERS: dict[str, Callable[[Any], Optimizer]] = {
    "sgd": lambda p: minitorch.SGD(p, lr=0.1),
    "momentum": lambda p: minitorch.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "adam": lambda p: Adam(p, lr=0.05),
    "adamw": lambda p: minitorch.AdamW(p, lr=0.05, amsgrad=True),
    "rmsprop": lambda p: minitorch.RMSprop(p, lr=0.02, centered=True),
    "adagrad": lambda p: minitorch.Adagrad(p, lr=0.1, lr_decay=0.1),
}


def other_rate(k: int, optimizer: Optimizer) -> None:
    optimizer.lr = 0.1 / (k + 1)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_replays_leave_the_same_weights_states_and_statistics(name: str, dtype: str) -> None:
    minitorch.set_default_dtype(dtype)
    check_equal(MAKERS[name], batches(9, dtype=dtype), other_rate)


def test_a_replay_runs_no_python_of_the_step() -> None:
    calls = []
    w = Parameter(tensor([1.0, 2.0]))
    optimizer = Adam([w], lr=0.1)

    def step(x: Tensor) -> Tensor:
        calls.append(1)
        loss = (w.value * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    graphed = GraphedStep(step, [1.0, 2.0], optimizer=optimizer, warmup=2)
    results = [graphed([float(k), 1.0]) for k in range(6)]
    assert len(calls) == 3
    assert results[2] is results[5], "the same tensor with new numbers"
    assert optimizer.state_dict()["state"]["0"]["step"] == 6


def test_a_short_last_batch_runs_as_it_is() -> None:
    given = batches(6)
    images, labels = batches(1, size=3)[0]
    check_equal(MAKERS["adam"], [*given, (images, labels), *given])


def test_groups_whose_settings_part_are_captured_anew() -> None:
    def make(parameters: Any) -> Optimizer:
        parameters = list(parameters)
        return Adam([{"params": parameters[:2]}, {"params": parameters[2:]}], lr=0.05)

    def part(k: int, optimizer: Optimizer) -> None:
        optimizer.param_groups[1]["lr"] = 0.05 if k < 6 else 0.01

    check_equal(make, batches(9), part)


def test_states_that_were_loaded_are_captured_anew() -> None:
    def reload(k: int, optimizer: Optimizer) -> None:
        if k == 6:
            optimizer.load_state_dict(optimizer.state_dict())

    check_equal(MAKERS["momentum"], batches(9), reload)


def test_two_optimizers_step_in_one_replay() -> None:
    def run(replayed: bool) -> list[Any]:
        a, b = Parameter(tensor([1.0, 2.0])), Parameter(tensor([3.0]))
        optimizers = [Adam([a], lr=0.1), minitorch.SGD([b], lr=0.1, momentum=0.9)]

        def step(x: Tensor) -> Tensor:
            loss = (a.value * x * b.value).sum()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            return loss

        taken: Any = GraphedStep(step, [1.0, 1.0], optimizer=optimizers) if replayed else step
        found = [taken([k, 1.0] if replayed else tensor([k, 1.0])).item() for k in range(7)]
        return [found, a.value.to_numpy(), b.value.to_numpy(), [o.state_dict() for o in optimizers]]

    assert same(run(True), run(False))


def test_an_optimizer_that_was_not_given_or_steps_twice_is_an_error() -> None:
    w = Parameter(tensor([1.0]))
    optimizer = Adam([w], lr=0.1)

    def step(x: Tensor) -> None:
        for _ in range(2):
            (w.value * x).sum().backward()
            optimizer.step()

    for given, told in (
        (None, "Adam, which was not given as optimizer="),
        (optimizer, "Adam more than once"),
    ):
        graphed = GraphedStep(step, [1.0], optimizer=given, warmup=1)
        graphed([1.0])
        with pytest.raises(RuntimeError, match=told):
            graphed([1.0])


def test_what_a_captured_update_reads_from_outside_is_kept() -> None:
    w = Parameter(tensor([1.0, 2.0]))
    optimizer = minitorch.SGD([w], lr=1.0)
    outside = [tensor([0.5, 0.25])]

    def step(x: Tensor) -> None:
        w.value.grad = outside[0]
        optimizer.step()

    graphed = GraphedStep(step, [0.0], optimizer=optimizer, warmup=1)
    graphed([0.0]), graphed([0.0])
    outside.clear()
    others = [tensor([100.0, 100.0]) for _ in range(20)]
    graphed([0.0])
    assert w.value.to_numpy().tolist() == [-0.5, 1.25]
    assert len(others) == 20


def test_nll_loss_smoothing_and_slices_are_captured_too() -> None:
    def run(replayed: bool) -> list[Any]:
        random.seed(1)
        w = Parameter(minitorch.randn((4, 3)))
        optimizer = minitorch.SGD([w], lr=0.1)

        def step(x: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
            optimizer.zero_grad()
            scores = x[:, 1:] @ w.value
            error = cross_entropy(scores, labels, label_smoothing=0.1)
            error = error + minitorch.nll_loss(minitorch.logsoftmax(x[:, :4] @ w.value, 1), labels) * 0.5
            error.backward()
            optimizer.step()
            return error, scores

        draw = np.random.default_rng(0)
        given = [(draw.standard_normal((2, 5)), draw.integers(0, 3, 2)) for _ in range(7)]
        taken: Any = GraphedStep(step, *given[0], optimizer=optimizer) if replayed else step
        found = []
        for x, labels in given:
            error, scores = taken(x if replayed else tensor(x), labels)
            found += [error.item(), scores.to_numpy()]
        return [*found, w.value.to_numpy()]

    assert same(run(True), run(False))


def test_what_the_step_makes_of_host_numbers_is_fresh_at_each_replay() -> None:
    def step(x: Tensor) -> Tensor:
        total = minitorch.zeros((3,))
        for _ in range(2):
            total[0:2] = total[0:2] + x[0:2]  # in place: what was written must not be seen by the next replay
        return total

    graphed = GraphedStep(step, [0.0, 0.0, 0.0], warmup=1)
    for k in range(4):
        assert graphed([k, 1.0, 2.0]).to_numpy().tolist() == [2.0 * k, 2.0, 0.0]


def test_values_that_a_captured_step_copies_are_those_of_the_capture() -> None:
    values = np.array([1.0, 2.0, 3.0])
    kept = minitorch.zeros((3,))

    def step(x: Tensor) -> Tensor:
        kept.copy_(values)
        return kept + x

    graphed = GraphedStep(step, [0.0, 0.0, 0.0], warmup=1)
    graphed([0.0, 0.0, 0.0]), graphed([0.0, 0.0, 0.0])
    values[:] = 100.0
    assert graphed([1.0, 1.0, 1.0]).to_numpy().tolist() == [2.0, 3.0, 4.0]


def test_a_captured_step_reuses_its_blocks_and_returns_them_at_its_end() -> None:
    x = np.arange(30_000.0)

    def step(t: Tensor) -> Tensor:
        for _ in range(20):
            t = t + 1.0
        return t

    graphed = GraphedStep(step, x, warmup=1)
    for _ in range(3):
        assert np.array_equal(graphed(x).to_numpy(), x + 20.0)
    graph = graphed._graph
    assert graph is not None
    assert graph.pool.stats()["fresh"] <= 5
    others = [tensor(-x) for _ in range(5)]
    assert np.array_equal(graphed(x).to_numpy(), x + 20.0)
    assert all(np.array_equal(t.to_numpy(), -x) for t in others)
    pool = graph.pool
    del graphed, graph, others
    gc.collect()
    assert pool.stats()["used"] == 0


def test_replay_inputs_are_made_again_before_each_replay() -> None:
    made: list[float] = []

    def make() -> np.ndarray[Any, Any]:
        made.append(10.0 * (len(made) + 1))
        return np.array([made[-1]])

    def step(x: Tensor) -> Tensor:
        return x + Tensor(x.backend.replay_input(make, (1,)))

    graphed = GraphedStep(step, [1.0], warmup=2)
    assert [graphed([1.0]).item() for _ in range(5)] == [11.0, 21.0, 31.0, 41.0, 51.0]


# What a step must not do


def host_sum(x: Tensor) -> Any:
    return x * float(x.to_numpy().sum())


HOST_READS: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda x: x * x.sum().item(),
    "to_numpy": host_sum,
    "a element": lambda x: x * x[0],
    "a decision": lambda x: x if bool(x.sum() > 0.0) else -x,
    "another backend": lambda x: x.to("simple").to(x.backend),
    "printing": lambda x: x * len(repr(x)),
}


@pytest.mark.parametrize("name", HOST_READS)
def test_reading_on_the_host_inside_is_an_error_in_one_line(name: str) -> None:
    graphed = GraphedStep(HOST_READS[name], [1.0, 2.0], warmup=1)
    graphed([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"during graph capture: return the tensor") as caught:
        graphed([1.0, 2.0])
    assert "\n" not in str(caught.value)
    assert not capture.recording()
    assert (tensor([1.0, 2.0]) + 1.0).to_numpy().tolist() == [2.0, 3.0]
    fine = GraphedStep(lambda x: x * 2.0, [1.0, 2.0], warmup=1)
    assert [fine([k, 1.0]).to_numpy().tolist() for k in range(3)] == [[0.0, 2.0], [2.0, 2.0], [4.0, 2.0]]


def test_a_step_that_could_not_be_captured_has_not_been_taken() -> None:
    w = Parameter(tensor([1.0, 2.0]))
    optimizer = Adam([w], lr=0.1)

    def step(x: Tensor) -> float:
        loss = (w.value * x).sum()
        loss.backward()
        optimizer.step()
        (w.value * x).sum().backward()
        return loss.item()

    graphed = GraphedStep(step, [1.0, 1.0], optimizer=optimizer, warmup=1)
    graphed([1.0, 1.0])
    before = w.value.to_numpy()
    with pytest.raises(RuntimeError, match="cannot read or write"):
        graphed([1.0, 1.0])
    assert optimizer.state_dict()["state"]["0"]["step"] == 1
    assert w.value.grad is None
    assert np.array_equal(w.value.to_numpy(), before)


def test_writing_one_element_inside_is_an_error_too() -> None:
    def step(x: Tensor) -> Tensor:
        x[0] = 1.0
        return x

    graphed = GraphedStep(step, [1.0, 2.0], warmup=1)
    graphed([1.0, 2.0])
    with pytest.raises(RuntimeError, match="cannot read or write"):
        graphed([1.0, 2.0])


def test_random_numbers_drawn_on_the_host_inside_are_an_error() -> None:
    graphed = GraphedStep(lambda x: x * minitorch.rand((2,)), [1.0, 2.0], warmup=1)
    graphed([1.0, 2.0])
    with pytest.raises(RuntimeError, match="cannot draw random numbers"):
        graphed([1.0, 2.0])


def test_a_wrong_label_is_an_error_or_makes_the_loss_nan(backend: str) -> None:
    graphed = GraphedStep(lambda x, y: cross_entropy(x, y), np.zeros((2, 3)), [0, 1], warmup=1)

    def loss(*labels: int) -> float:
        return float(graphed(np.zeros((2, 3)), labels).item())

    assert np.isfinite([loss(0, 1), loss(0, 2)]).all()
    if backend == "cuda":  # which does not wait for the host
        assert np.isnan(loss(0, 3))
    else:
        with pytest.raises(IndexingError, match=r"expected class numbers in 0..2, got label 3.0 in row 1"):
            loss(0, 3)
    assert np.isfinite(loss(1, 1))


def test_ignored_rows_are_refused_in_a_captured_step(backend: str) -> None:
    graphed = GraphedStep(
        lambda x, y: cross_entropy(x, y, ignore_index=2), np.zeros((2, 3)), [0, 1], warmup=1
    )
    with pytest.raises(ValueError, match=r"2.* cannot be used in a step that is captured"):
        graphed(np.zeros((2, 3)), [0, 2])


def test_an_error_in_a_replay_counts_no_step() -> None:
    minitorch.set_default_backend("fast")
    w = Parameter(minitorch.zeros((3, 3)))
    optimizer = Adam([w], lr=0.1)

    def step(x: Tensor, y: Tensor) -> Tensor:
        loss = cross_entropy(x @ w.value, y)
        loss.backward()
        optimizer.step()
        return loss

    graphed = GraphedStep(step, np.eye(3), [0, 1, 2], optimizer=optimizer, warmup=1)
    for _ in range(3):
        graphed(np.eye(3), [0, 1, 2])
    before = w.value.to_numpy()
    with pytest.raises(IndexingError, match="got label 7"):
        graphed(np.eye(3), [0, 7, 2])
    assert optimizer.state_dict()["state"]["0"]["step"] == 3
    assert np.array_equal(w.value.to_numpy(), before)
    graphed(np.eye(3), [0, 1, 2])
    assert optimizer.state_dict()["state"]["0"]["step"] == 4


@pytest.mark.parametrize("name", ["LeNet", "CNN", "ResNet"])
def test_networks_replay_what_they_do_eagerly(name: str) -> None:
    """A schedule, dropout, momentum, and a convolution whose result is not finite."""
    minitorch.set_default_backend("fast")
    minitorch.set_default_dtype("float32")
    size = (3, 32, 32) if name == "ResNet" else (1, 28, 28)
    draw = np.random.default_rng(7)
    given = [(draw.standard_normal((4, *size)).astype(np.float32), draw.integers(0, 10, 4)) for _ in range(7)]
    given[5][0][0, 0, 0, 0] = np.inf

    def run(graph: bool) -> tuple[list[Any], Any, Any]:
        random.seed(3)
        model = getattr(minitorch.models, name)()
        optimizer = minitorch.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        schedule = minitorch.StepLR(optimizer, step_size=1, gamma=0.5)
        steps = list(
            minitorch.fit(
                model, given, optimizer, epochs=2, loss=cross_entropy, scheduler=schedule, graph=graph
            )
        )
        return [(s.loss, s.lr, s.accuracy) for s in steps], model.state_dict(), optimizer.state_dict()

    replayed, eager = run(True), run(False)
    assert np.array_equal(replayed[0], eager[0], equal_nan=True)
    for found, expected in zip(replayed[1:], eager[1:]):
        assert same(found, expected)


def test_steps_that_do_not_fit() -> None:
    with pytest.raises(BackendError, match=r"expected tensors in backend 'fast' or 'cuda', got 'simple'"):
        GraphedStep(lambda x: x, tensor([1.0], "simple"))
    with pytest.raises(ValueError, match="warmup must be at least 1, not 0"):
        GraphedStep(lambda x: x, [1.0], warmup=0)
    with pytest.raises(TypeError, match="takes 1 tensors, not 2"):
        GraphedStep(lambda x: x, [1.0])([1.0], [2.0])
    graphed = GraphedStep(lambda x: 3.0, [1.0], warmup=1)
    graphed([1.0])
    with pytest.raises(TypeError, match="a tensor, a tuple of tensors or None, not float"):
        graphed([1.0])


def test_an_optimizer_with_an_update_of_its_own_is_refused() -> None:
    class Mine(minitorch.SGD):
        def update_one(self, p: Parameter, group: dict[str, Any]) -> None:
            p.value.copy_(p.value.to_numpy() - group["lr"] * p.value.grad.to_numpy())

    optimizer = Mine([Parameter(tensor([1.0]))], lr=0.1)
    with pytest.raises(TypeError, match="Mine has an update_one or a step of its own"):
        GraphedStep(lambda x: x, [1.0], optimizer=optimizer)


# The loop


def test_fit_replays_and_yields_the_same_records(monkeypatch: pytest.MonkeyPatch) -> None:
    minitorch.set_default_dtype("float32")

    def run(graph: bool) -> tuple[list[Any], Any]:
        random.seed(2)
        model = Net()
        optimizer = Adam(model.parameters(), lr=0.05)
        loader = [*batches(4), *batches(1, size=1)]
        steps = list(minitorch.fit(model, loader, optimizer, epochs=2, valid=loader[:1], graph=graph))
        return steps, model.state_dict()

    replays = []
    kind = type(minitorch.get_default_backend().ops.step_graph())
    replay = kind.replay
    monkeypatch.setattr(kind, "replay", lambda graph: replays.append(1) or replay(graph))
    (steps, state), (found, weights) = run(False), run(True)
    assert found == steps
    assert same(weights, state)
    assert len(replays) == 5, "of eight full batches, three warm up"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_replays_smoothed_labels_and_probabilities(dtype: str) -> None:
    minitorch.set_default_dtype(dtype)
    draw = np.random.default_rng(4)
    numbers = [(draw.standard_normal((4, 1, 4, 4)), draw.integers(0, 3, 4)) for _ in range(6)]
    mixed = [(x, draw.dirichlet(np.ones(3), 4)) for x, _ in numbers]

    def run(loader: list[Batch], graph: bool) -> Any:
        random.seed(8)
        model = Net()
        optimizer = Adam(model.parameters(), lr=0.05)

        def loss(scores: Tensor, targets: Any) -> Tensor:
            return cross_entropy(scores, targets, label_smoothing=0.1)

        return list(minitorch.fit(model, loader, optimizer, loss=loss, graph=graph)), model.state_dict()

    for loader in (numbers, mixed):
        (found, weights), (steps, state) = run(loader, True), run(loader, False)
        assert found == steps
        assert same(weights, state)


def test_fit_replays_regression_in_the_dtype_of_the_model() -> None:
    def run(graph: bool) -> Any:
        model = minitorch.Linear(3, 1)
        w = model.parameters()
        for p in w:
            p.value.copy_(np.full(p.shape, 0.5))
        draw = np.random.default_rng(1)
        loader = [(draw.standard_normal((4, 3)), draw.standard_normal((4, 1))) for _ in range(6)]
        optimizer = minitorch.SGD(w, lr=0.1)
        return list(minitorch.fit(model, loader, optimizer, loss=minitorch.mse_loss, graph=graph))

    minitorch.set_default_dtype("float32")
    assert run(True) == run(False)


@pytest.mark.parametrize(("variable", "expected"), [(None, True), ("1", True), ("0", False)])
def test_image_trainers_replay_unless_told_otherwise(
    backend: str, variable: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINITORCH_GRAPH", raising=False)
    if variable is not None:
        monkeypatch.setenv("MINITORCH_GRAPH", variable)
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(trainer, "fit", lambda *given, **settings: asked.append(settings) or [])
    few = Dataset(np.arange(8, dtype=np.uint8).reshape(2, 1, 2, 2), np.array([0, 1]), ("a", "b"), "few")
    settings = {
        "model": "",
        "dataset": "",
        "optimizer": "sgd",
        "lr": 0.1,
        "batch_size": 2,
        "epochs": 1,
        "seed": 0,
    }
    recipe = dataclasses.replace(trainer.PLAIN, loss=cross_entropy)
    run = trainer.ImageRun(
        lambda: minitorch.Sequential(minitorch.Flatten(), minitorch.Linear(4, 2)),
        trainer.ImageSplits(few, few, few),
        settings,
        recipe=recipe,
        backend=backend,
    )
    run._loop([])
    assert asked[0]["graph"] is expected
