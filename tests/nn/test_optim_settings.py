"""Settings and states of optimizers: plain numbers, copies, and states that are refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch

OPTIMIZERS: list[Callable[..., Any]] = [
    lambda p, **s: minitorch.SGD(p, momentum=0.9, **s),
    lambda p, **s: minitorch.Adam(p, amsgrad=True, **s),
    minitorch.AdamW,
    minitorch.RMSprop,
    minitorch.Adagrad,
]


def _step(model: Any, optimizer: Any) -> None:
    model(minitorch.ones((3, 2))).sum().backward()
    optimizer.step()


def _weights(model: Any) -> Any:
    return model.weight.value.to_numpy()


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("lr", [np.float32(0.125), np.int64(1), np.array(0.125), np.array([0.125])])
def test_numpy_settings_survive_a_checkpoint(make: Callable[..., Any], lr: Any, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model = minitorch.Linear(2, 2)
    optimizer = make(model.parameters(), lr=lr)
    assert type(optimizer.lr) in (int, float)
    optimizer.lr = lr
    optimizer.param_groups[0]["weight_decay"] = np.float32(0.5)  # written past the setter
    _step(model, optimizer)
    minitorch.save_checkpoint(path, model, optimizer)
    again = minitorch.Linear(2, 2)
    resumed = make(again.parameters(), lr=0.5)
    minitorch.load_checkpoint(path, again, resumed)
    assert type(resumed.param_groups[0]["weight_decay"]) is float
    _step(model, optimizer)
    _step(again, resumed)
    np.testing.assert_array_equal(_weights(model), _weights(again))


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copied_optimizer_keeps_its_states(make: Callable[..., Any], copied: Callable[..., Any]) -> None:
    model = minitorch.Linear(2, 2)
    optimizer = make(model.parameters(), lr=0.1)
    for _ in range(3):
        _step(model, optimizer)
    again, resumed = copied((model, optimizer))
    assert len(resumed.state_dict()["state"]) == 2
    _step(model, optimizer)
    np.testing.assert_raises(AssertionError, np.testing.assert_array_equal, _weights(model), _weights(again))
    _step(again, resumed)
    np.testing.assert_array_equal(_weights(model), _weights(again))


def _damage(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda state: state["groups"][0].update({key: value})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_damage("lr", -1.0), "lr"),
        (_damage("eps", float("nan")), "eps"),
        (_damage("eps", "x"), "eps"),
        (_damage("betas", (0.9, 1.5)), "betas"),
        (_damage("lrr", 0.1), "settings"),
        (lambda state: state["groups"][0].pop("lr"), "settings"),
        (lambda state: state["state"].pop("0"), "none for .0."),
        (lambda state: state["state"]["0"]["states"].pop(), "expected 2 states"),
        (lambda state: state["state"]["0"].update(step=-3), "number of steps"),
        (lambda state: state["state"]["0"].update(step=1.5), "number of steps"),
        (lambda state: state["state"].update({"-1": state["state"]["1"]}), "2 parameters"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(
    damage: Callable[[dict[str, Any]], None], message: str, tmp_path: Path
) -> None:
    model = minitorch.Linear(2, 2)
    optimizer = minitorch.Adam(model.parameters())
    _step(model, optimizer)
    before = optimizer.state_dict()
    state = copy.deepcopy(before)
    damage(state)
    with pytest.raises(RuntimeError, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after["groups"] == before["groups"]
    np.testing.assert_equal(after["state"], before["state"])

    class Saved:
        def state_dict(self) -> dict[str, Any]:
            return state

        def load_state_dict(self, state: Any) -> None:
            raise AssertionError

    path = tmp_path / "c.safetensors"
    minitorch.save_checkpoint(path, model, Saved())
    with pytest.raises(minitorch.CheckpointError, match=message):
        minitorch.load_checkpoint(path, model, optimizer)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda m: minitorch.Adam(m.parameters), TypeError, r"call it, parameters\(\)"),
        (minitorch.Adam, TypeError, r"pass module.parameters\(\)"),
        (lambda m: minitorch.Adam(m.weight), TypeError, "got one Parameter"),
        (lambda m: minitorch.Adam(None), TypeError, "got one NoneType"),
        (lambda m: minitorch.Adam(m.parameters(), eps="x"), TypeError, "eps to be a number, got 'x'"),
        (
            lambda m: minitorch.SGD([{"params": m.weight}, {"params": m.parameters()}]),
            ValueError,
            "again in group 1",
        ),
        (lambda m: minitorch.SGD([m.weight, m.weight]), ValueError, "again in group 0"),
        (lambda m: minitorch.SGD([{"lr": 0.1}]), TypeError, "params"),
    ],
)
def test_wrong_parameters_are_one_clear_error(
    make: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(minitorch.Linear(2, 2))


def test_a_group_may_be_one_parameter() -> None:
    layer = minitorch.Linear(2, 2)
    assert minitorch.SGD([{"params": layer.weight}]).parameters == [layer.weight]


@pytest.mark.parametrize("later", [True, False])
def test_amsgrad_switched_after_the_first_step(later: bool) -> None:
    p = minitorch.Parameter(minitorch.ones((2,)))
    optimizer = minitorch.Adam([p], amsgrad=not later)
    p.value.grad = minitorch.ones((2,))
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = later
    before = p.value.to_numpy()
    p.value.grad = minitorch.ones((2,))
    with pytest.raises(
        RuntimeError, match=r"Adam: expected \d states of parameter 0 .* make a new optimizer"
    ):
        optimizer.step()
    np.testing.assert_array_equal(p.value.to_numpy(), before)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("lr", [1]), ("betas", 0.9), ("betas", ("a", 1)), ("amsgrad", "x"), ("amsgrad", None), ("eps", (1e-8,))],
)
def test_settings_of_another_kind(setting: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^Adam: expected {setting} to be "):
        minitorch.Adam([minitorch.Parameter(minitorch.ones((2,)))], **{setting: value})


@pytest.mark.parametrize("backend", ["simple", "fast"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("grad", [0.1, 1 / 3, 12345.678])
def test_centered_rmsprop_with_equal_gradients(backend: str, dtype: str, grad: float) -> None:
    # The running variance of equal gradients falls to 0, and rounding brought it below.
    p = minitorch.Parameter(minitorch.ones((2,), backend, dtype=dtype))
    optimizer = minitorch.RMSprop([p], lr=1e-6, centered=True)
    derivative = minitorch.tensor([grad, -grad], backend, dtype=dtype)
    largest = 1e-6 / np.sqrt(np.finfo(dtype).eps) * 1.01
    for _ in range(1500):
        before = p.value.to_numpy()
        p.value.grad = derivative
        optimizer.step()
        assert (np.abs(p.value.to_numpy() - before) <= largest).all()
