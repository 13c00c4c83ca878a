"""Optimizers against PyTorch's, step by step; groups, states, Scalars and errors."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import SGD, Adagrad, Adam, AdamW, IndexingError, Optimizer, Parameter, RMSprop, Scalar, tensor
from minitorch.optim import algorithms

from ..support.op_table import BACKENDS

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
]
cases = pytest.mark.parametrize(("name", "settings"), CASES)
START = [np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]]), np.array([0.3])]
TARGET = np.array([[0.0, 1.0, 2.0], [3.0, -1.0, 0.0]])


def parameters(backend: str = "fast", dtype: Any = None) -> list[Parameter]:
    return [Parameter(tensor(x, backend, dtype=dtype)) for x in START]


def train(optimizer: Optimizer, params: Sequence[Parameter], steps: int) -> list[np.ndarray[Any, Any]]:
    """Walk down (w - target) ** 4 / 8 + (w * b) ** 2, with a scale that changes from step to step."""
    w, b = params
    for k in range(steps):
        target = tensor(TARGET, w.value.backend, dtype=w.value.dtype)
        loss = ((w.value - target) ** 4 / 8 + (w.value * b.value) ** 2) * (1.0 + 0.5 * (k % 3))
        loss.sum().backward()
        optimizer.step()
    return [p.value.to_numpy() for p in params]


def torch_train(name: str, settings: dict[str, Any], steps: int, groups: Any = None) -> list[Any]:
    """Walk the same way with PyTorch."""
    torch = pytest.importorskip("torch")
    w, b = (torch.tensor(x, requires_grad=True) for x in START)
    given = [w, b] if groups is None else [{"params": [p], **g} for p, g in zip((w, b), groups)]
    optimizer = getattr(torch.optim, name)(given, **settings)
    for k in range(steps):
        optimizer.zero_grad()
        loss = ((w - torch.tensor(TARGET)) ** 4 / 8 + (w * b) ** 2) * (1.0 + 0.5 * (k % 3))
        loss.sum().backward()
        optimizer.step()
    return [w.detach().numpy(), b.detach().numpy()]


@cases
def test_a_hundred_steps_against_pytorch(name: str, settings: dict[str, Any]) -> None:
    params = parameters()
    for found, expected in zip(
        train(getattr(minitorch, name)(params, **settings), params, 100), torch_train(name, settings, 100)
    ):
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-9)


@cases
def test_the_reference_backend_takes_the_same_steps(name: str, settings: dict[str, Any]) -> None:
    results = []
    for backend in BACKENDS:
        params = parameters(backend)
        results.append(train(getattr(minitorch, name)(params, **settings), params, 5))
    for found, expected in zip(*results):
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-12)


@cases
def test_float32(name: str, settings: dict[str, Any]) -> None:
    params = parameters(dtype="float32")
    for found, expected in zip(
        train(getattr(minitorch, name)(params, **settings), params, 5), torch_train(name, settings, 5)
    ):
        assert found.dtype == np.float32
        assert np.allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_groups_against_pytorch() -> None:
    groups = [{"lr": 0.05, "weight_decay": 0.1}, {"betas": (0.5, 0.9)}]
    params = parameters()
    optimizer = Adam([{"params": [p], **g} for p, g in zip(params, groups)], lr=0.01)
    assert optimizer.parameters == params
    assert [g["lr"] for g in optimizer.param_groups] == [0.05, 0.01]
    expected = torch_train("Adam", {"lr": 0.01}, 20, groups)
    for found, wanted in zip(train(optimizer, params, 20), expected):
        assert np.allclose(found, wanted, rtol=1e-6, atol=1e-9)


@cases
def test_a_saved_state_resumes_bit_for_bit(name: str, settings: dict[str, Any]) -> None:
    make = getattr(minitorch, name)
    params = parameters()
    optimizer = make(params, **settings)
    train(optimizer, params, 7)
    state = copy.deepcopy(optimizer.state_dict())
    others = [Parameter(tensor(p.value.to_numpy(), "fast")) for p in params]
    resumed = make(others)
    resumed.load_state_dict(state)
    assert resumed.state_dict()["groups"] == optimizer.state_dict()["groups"]
    for found, expected in zip(train(resumed, others, 7), train(optimizer, params, 7)):
        assert found.tobytes() == expected.tobytes()


@cases
def test_a_large_parameter_takes_the_same_steps(name: str, settings: dict[str, Any]) -> None:
    elements = np.linspace(-1.0, 1.0, 40_000)
    large, small = (Parameter(tensor(x, "fast")) for x in (elements, elements[:10]))
    for p in (large, small):
        optimizer = getattr(minitorch, name)([p], **settings)
        for _ in range(3):
            (p.value * p.value).sum().backward()
            optimizer.step()
    assert np.allclose(large.value.to_numpy()[:10], small.value.to_numpy(), rtol=1e-12, atol=0)


def test_steps_clear_gradients_and_skip_those_without() -> None:
    w, idle = parameters()
    optimizer = SGD([w, idle, Parameter()], lr=0.5)
    w.value.sum().backward()
    before = idle.value.to_numpy()
    optimizer.step()
    assert w.value.grad is None
    assert np.array_equal(w.value.to_numpy(), START[0] - 0.5)
    assert np.array_equal(idle.value.to_numpy(), before)
    w.value.sum().backward()
    optimizer.zero_grad()
    assert w.value.grad is None


def test_the_official_default_and_a_writable_rate() -> None:
    (w, _) = params = parameters()
    optimizer = SGD(params)
    assert optimizer.lr == 1.0
    optimizer.lr = 0.25
    w.value.sum().backward()
    optimizer.step()
    assert np.array_equal(w.value.to_numpy(), START[0] - 0.25)
    assert isinstance(optimizer, Optimizer)
    assert algorithms.SGD is SGD


def test_parameters_of_a_permuted_value() -> None:
    p = Parameter(tensor(START[0], "fast").permute(1, 0))
    (p.value * p.value).sum().backward()
    SGD([p], lr=0.25).step()
    assert np.array_equal(p.value.to_numpy(), START[0].T / 2)


def test_shared_gradients_are_not_written_to() -> None:
    a, b = (Parameter(tensor([1.0, 2.0], "fast")) for _ in range(2))
    (a.value + b.value).sum().backward()
    kept = b.value.grad
    SGD([a], lr=1.0, weight_decay=1.0).step()
    assert kept.to_numpy().tolist() == [1.0, 1.0]


def test_scalars() -> None:
    x = Parameter(Scalar(3.0))
    optimizer = SGD([x], lr=0.5, weight_decay=0.1)
    (x.value * x.value).backward()
    optimizer.step()
    assert x.value.data == 3.0 - 0.5 * (6.0 + 0.3)
    assert x.value.derivative is None
    (x.value * 2.0).backward()
    optimizer.zero_grad()
    assert x.value.derivative is None


@pytest.mark.parametrize("make", [Adam, AdamW, RMSprop, Adagrad])
def test_scalars_are_for_sgd(make: Any) -> None:
    with pytest.raises(TypeError, match="Scalar"):
        make([Parameter(Scalar(3.0))])


def test_scalars_keep_their_velocity() -> None:
    x, t = Parameter(Scalar(3.0)), Parameter(minitorch.tensor(3.0))
    optimizers = [SGD([p], lr=0.1, momentum=0.9, dampening=0.2) for p in (x, t)]
    for k in range(4):
        if k == 2:
            again = SGD([x], lr=0.1, momentum=0.9, dampening=0.2)
            again.load_state_dict(optimizers[0].state_dict())
            optimizers[0] = again
        for p, optimizer in zip((x, t), optimizers):
            (p.value * p.value).backward()
            optimizer.step()
        assert x.value.data == pytest.approx(t.value.item(), rel=1e-12)


def test_no_state_at_all() -> None:
    p = Parameter(minitorch.tensor([3.0, 4.0]))
    optimizer = Adam([p])
    good = optimizer.state_dict()
    for bad in (
        None,
        {},
        {"name": "Adam"},
        {**good, "state": {"7": {"step": 1, "states": []}}},
        {**good, "state": {"0": {"states": []}}},
        {**good, "state": {"x": {}}},
    ):
        with pytest.raises(RuntimeError, match="Adam"):
            optimizer.load_state_dict(bad)
    assert optimizer.state_dict() == good


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda p: SGD([]), ValueError, "no parameters"),
        (lambda p: SGD([p.value]), TypeError, "Tensor"),
        (lambda p: SGD([p], lr=-1.0), ValueError, "lr"),
        (lambda p: SGD([p], lr=float("nan")), ValueError, "lr"),
        (lambda p: SGD([p], momentum=-0.5), ValueError, "momentum"),
        (lambda p: SGD([p], weight_decay=-0.5), ValueError, "weight_decay"),
        (lambda p: SGD([p], nesterov=True), ValueError, "nesterov"),
        (lambda p: SGD([p], momentum=0.5, dampening=0.5, nesterov=True), ValueError, "nesterov"),
        (lambda p: Adam([p], betas=(1.0, 0.9)), ValueError, "betas"),
        (lambda p: Adam([p], eps=-1.0), ValueError, "eps"),
        (lambda p: RMSprop([p], alpha=-0.1), ValueError, "alpha"),
        (lambda p: Adagrad([p], lr_decay=-0.1), ValueError, "lr_decay"),
        (lambda p: Adam([{"params": [p], "momentum": 0.1}]), ValueError, "momentum"),
        (lambda p: Adam([{"params": [p], "lr": -0.1}]), ValueError, "lr"),
    ],
)
def test_errors(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make(parameters()[0])


def test_states_of_something_else() -> None:
    params = parameters()
    adam = Adam(params)
    train(adam, params, 1)
    state = adam.state_dict()
    w, b = parameters()
    for other, words in [
        (SGD([w, b]), "Adam"),
        (Adam([w]), "groups"),
        (Adam([b, w]), "shape"),
    ]:
        before = other.state_dict()
        with pytest.raises(RuntimeError, match=words):
            other.load_state_dict(state)
        assert other.state_dict() == before


class Counted(SGD):
    """Clips what it has just updated: so its update must happen at once."""

    def update_one(self, p: Parameter, group: dict[str, Any]) -> None:
        super().update_one(p, group)
        p.value.copy_(np.clip(p.value.to_numpy(), -1.0, 1.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_subclass_with_an_update_of_its_own_sees_each_update_at_once(backend: str) -> None:
    params = parameters(backend)
    for p in params:
        p.value.grad = p.value
    Counted(params, lr=0.5).step()
    for p, start in zip(params, START):
        assert np.array_equal(p.value.to_numpy(), np.clip(start * 0.5, -1.0, 1.0))
        assert p.value.grad is None


def test_parameters_that_share_rule_and_settings_are_updated_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    backend = minitorch.FastBackend
    update = backend.update

    def spy(rule: Any) -> Any:
        def run(settings: Any, rows: Any) -> None:
            calls.append((rule.__name__, settings, len(rows)))
            update(rule)(settings, rows)

        return run

    monkeypatch.setattr(backend, "update", spy)
    params = [
        Parameter(tensor(x, backend, dtype=d)) for x, d in ((START[0], "float64"), (START[1], "float32"))
    ]
    more = parameters()
    optimizer = SGD([{"params": [*params, more[0]]}, {"params": more[1:], "lr": 0.5}], lr=0.1)
    for p in optimizer.parameters:
        p.value.grad = p.value
    optimizer.step()
    assert calls == [("sgd_rule", (0.1, 0.0), 2), ("sgd_rule", (0.1, 0.0), 1), ("sgd_rule", (0.5, 0.0), 1)]


@pytest.mark.parametrize("value", [lambda: tensor([4.0], "fast"), lambda: Scalar(4.0)])
def test_a_value_that_is_listed_twice_is_updated_once(value: Any) -> None:
    shared = value()
    params = [Parameter(shared), Parameter(shared)]
    (shared * 3.0).backward()
    SGD(params, lr=1.0).step()
    assert float(np.asarray(shared.to_numpy()).item()) == 1.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [Adam, AdamW, RMSprop, Adagrad, lambda p: SGD(p, momentum=0.9)])
def test_states_belong_to_the_shape_of_a_value(backend: str, make: Any) -> None:
    params = parameters(backend)
    optimizer = make(params)
    for p in params:
        p.value.grad = p.value
    optimizer.step()
    before = optimizer.state_dict()
    params[1].update(tensor(np.zeros(1000), backend))
    for p in params:
        p.value.grad = p.value
    start = params[0].value.to_numpy()
    with pytest.raises(
        IndexingError, match=r"parameter 1 have shape \(1,\), but its value now has \(1000,\)"
    ):
        optimizer.step()
    assert params[0].value.grad is not None
    assert np.array_equal(params[0].value.to_numpy(), start)
    assert optimizer.state_dict()["state"]["0"]["step"] == before["state"]["0"]["step"] == 1
    params[1].value.zero_grad_()
    optimizer.step()  # what has no gradient is left alone
    assert optimizer.state_dict()["state"]["0"]["step"] == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_update_reads_gradients_and_states_of_its_own_shape(backend: str) -> None:
    a, b = (tensor(np.ones(n), backend) for n in (2, 3))
    a.grad = a
    with pytest.raises(IndexingError, match=r"a state of shape \(2,\) as of the tensor, got \(3,\)"):
        a.update_(algorithms.momentum_rule, (0.1, 0.0, 0.9, 1.0, 0.0), [b])
    with pytest.raises(IndexingError, match=r"a gradient of shape \(2,\) as of the tensor, got \(3,\)"):
        minitorch.Tensor.update_all_(algorithms.sgd_rule, (0.1, 0.0), [(b, b), (a, b)])
    assert np.array_equal(b.to_numpy(), np.ones(3))
    state = tensor([[0.0, 0.0], [0.0, 0.0]], backend)[:, 0].view(2)
    a.update_(algorithms.momentum_rule, (0.5, 0.0, 0.9, 1.0, 0.0), [state])
    assert a.to_numpy().tolist() == [0.5, 0.5]
    assert state.to_numpy().tolist() == [1.0, 1.0]


def test_a_plain_optimizer_has_no_rule() -> None:
    p = parameters()[1]
    p.value.grad = p.value
    with pytest.raises(NotImplementedError):
        Optimizer([p], lr=0.1).step()
    assert not Counted([p]).replayable
    assert SGD([p]).replayable


def test_counts_of_steps_are_forgotten_if_the_block_raises() -> None:
    p = parameters()[1]
    optimizer = Adam([p])
    p.value.grad = p.value

    def fail() -> None:
        with optimizer.counting():
            optimizer.step()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert optimizer.state_dict()["state"] == {}
