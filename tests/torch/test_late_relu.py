"""A ReLU after a layer is recorded as part of it, and nobody can tell but by the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch.torch as ours
from minitorch.tensor_functions.late_relu import JOINS, JoinedHistory

theirs = pytest.importorskip("torch", reason="the reference is PyTorch")


def conv(torch: Any, x: Any, w: Any, b: Any) -> Any:
    return torch.nn.functional.conv2d(x, w, b, padding=1)


def norm(torch: Any, x: Any, w: Any, b: Any) -> Any:
    return torch.nn.functional.batch_norm(x, None, None, b[:2], b[1:], training=True)


def evaluated(torch: Any, x: Any, w: Any, b: Any) -> Any:
    return torch.nn.functional.batch_norm(x, torch.zeros(2), torch.ones(2) * 2.0, b[:2], b[1:])


def linear(torch: Any, x: Any, w: Any, b: Any) -> Any:
    return torch.nn.functional.linear(x.reshape(8, 10), w.reshape(3, 18)[:, :10], b)


LAYERS = [conv, norm, evaluated, linear]


def operands(torch: Any, special: bool = False) -> list[Any]:
    draw = np.random.default_rng(3)
    arrays = [draw.normal(size=shape).astype("float32") for shape in ((2, 2, 4, 5), (3, 2, 3, 3), (3,))]
    if special:
        arrays[0][0, 0, 0, 0], arrays[0][1, 1, 2, 2] = np.nan, np.inf
    return [torch.tensor(a.tolist(), requires_grad=True) for a in arrays]


def numbers(t: Any) -> Any:
    return np.zeros(0) if t is None else np.array(t.detach().tolist())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("special", [False, True], ids=["numbers", "nan and inf"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "used twice"])
def test_values_and_gradients_are_those_of_two_calls(layer: Any, special: bool, again: bool) -> None:
    results = []
    for torch in (ours, theirs):
        leaves = operands(torch, special)
        y = layer(torch, *leaves)
        z = torch.relu(y)
        loss = (z * z).sum() + (y.sum() if again else 0.0)
        loss.backward()
        results.append([z, *(t.grad for t in leaves)])
    for got, expected in zip(*results):
        np.testing.assert_allclose(numbers(got), numbers(expected), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_it_is_recorded_as_one_call(layer: Any) -> None:
    z = ours.relu(layer(ours, *operands(ours)))
    h = z._value.history
    assert isinstance(h, JoinedHistory)
    if h.last_fn not in JOINS:
        h = h.inputs[0].history  # behind a view
    assert h.last_fn in JOINS
    assert "relu" in [s for s in h.ctx.saved_values if isinstance(s, str)]
    assert z.grad_fn.name() == "ReluBackward0"
    ((before, _),) = z.grad_fn.next_functions
    assert before.name() in ("ConvolutionBackward0", "ViewBackward0", "AddmmBackward0")
    assert None not in [node for node, _ in before.next_functions]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_derivative_of_the_value_in_between_can_be_asked_for(layer: Any) -> None:
    found = []
    for torch in (ours, theirs):
        leaves = operands(torch)
        y = layer(torch, *leaves)
        z = torch.relu(y)
        found.append([*torch.autograd.grad((z * z).sum(), [y, leaves[0]])])
    for got, expected in zip(*found):
        np.testing.assert_allclose(numbers(got), numbers(expected), rtol=2e-4, atol=2e-5)


def test_a_hook_or_a_change_before_it_keeps_two_calls() -> None:
    for torch in (ours, theirs):
        x, w, b = operands(torch)
        y = conv(torch, x, w, b)
        y.retain_grad()
        torch.relu(y).sum().backward()
        assert y.grad.shape == y.shape
    y = conv(ours, *operands(ours))
    ours.zeros(3).add_(1.0)  # something was changed in place
    assert not isinstance(ours.relu(y)._value.history, JoinedHistory)


def test_nothing_is_recorded_without_gradients() -> None:
    with ours.no_grad():
        assert not ours.relu(conv(ours, *operands(ours))).requires_grad


def test_in_place() -> None:
    found = []
    for torch in (ours, theirs):
        x, w, b = operands(torch)
        y = conv(torch, x, w, b)
        torch.nn.functional.relu(y, inplace=True)
        y.sum().backward()
        found.append(numbers(w.grad))
    np.testing.assert_allclose(*found, rtol=1e-4)
