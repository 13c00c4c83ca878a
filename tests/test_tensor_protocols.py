"""Tensors in Python's own protocols: iteration, ``in``, pickle, copy; and `no_grad` on every kind of function."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, tensor

BACKENDS = ["simple", "fast"]


def test_iteration_gives_what_indexing_gives() -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = t
    np.testing.assert_array_equal(first.to_numpy(), [1.0, 2.0])
    (second.sum() * 2.0).backward()
    assert t.grad is not None
    np.testing.assert_array_equal(t.grad.to_numpy(), [[0.0, 0.0], [2.0, 2.0]])
    assert list(tensor([1.0, 2.0])) == [1.0, 2.0]
    assert sum(tensor([1.0, 2.0])) == 3.0
    np.testing.assert_array_equal(sum(tensor([[1.0, 2.0], [3.0, 4.0]])).to_numpy(), [4.0, 6.0])
    assert list(minitorch.zeros((0, 3))) == []
    assert [row.shape for row in minitorch.zeros((2, 0))] == [(0,), (0,)]
    assert [list(row) for row in minitorch.zeros((2, 3)).permute(1, 0)] == [[0.0, 0.0]] * 3
    with pytest.raises(TypeError, match=r"shape \(\) has no rows"):
        iter(tensor(1.0))
    with pytest.raises(ValueError, match="unpack"):
        (_,) = tensor([1.0, 2.0])


def test_in_compares_elements() -> None:
    t = tensor([[1.0, 2.0], [float("nan"), 4.0]])
    assert 2.0 in t
    assert 4 in t
    assert np.float32(1) in t
    assert tensor([1.0, 2.0]) in t
    assert 9.0 not in t
    assert float("nan") not in t
    assert 0.0 not in minitorch.zeros((0,))
    with pytest.raises(TypeError, match="in: expected a number or a Tensor, got str"):
        "x" in t  # noqa: B015


COPIES: list[Callable[[Any], Any]] = [
    copy.deepcopy,
    *(lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("copied", COPIES)
def test_copies_of_tensors(copied: Callable[[Any], Any], backend: str) -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]], backend, requires_grad=True, dtype="float32")
    t.name = "t"
    (t * t).sum().backward()
    other = copied(t)
    assert (other.name, other.dtype, other.backend, other.requires_grad()) == ("t", t.dtype, t.backend, True)
    assert other.unique_id != t.unique_id
    np.testing.assert_array_equal(other.to_numpy(), t.to_numpy())
    np.testing.assert_array_equal(other.grad.to_numpy(), t.grad.to_numpy())  # type: ignore[union-attr]
    other.detach()[0, 0] = 9.0
    assert float(t[0, 0]) == 1.0
    for view in (
        t.detach().permute(1, 0),
        t.detach()[:, 1:],
        minitorch.zeros((0, 2), backend),
        tensor(3.0, backend),
    ):
        np.testing.assert_array_equal(copied(view).to_numpy(), view.to_numpy())
        assert not copied(view).requires_grad()


def test_one_storage_stays_one_storage() -> None:
    t = tensor([1.0, 2.0])
    for copied in COPIES:
        a, b = copied([t, t.detach()])
        a[0] = 5.0
        assert b[0] == 5.0


def test_a_computed_tensor_is_not_copied_without_its_history() -> None:
    t = tensor([1.0], requires_grad=True) * 2.0
    for copied in COPIES:
        with pytest.raises(RuntimeError, match=r"was computed by Mul.*detach\(\)"):
            copied(t)
        assert copied(t.detach())[0] == 2.0


def test_copies_in_one_graph_keep_their_gradients_apart() -> None:
    a = tensor([2.0], requires_grad=True)
    assert a.unique_id
    b = copy.deepcopy(a)
    (a * 3.0 + b * 5.0).backward()
    assert a.grad is not None
    assert b.grad is not None
    assert (a.grad[0], b.grad[0]) == (3.0, 5.0)


def _models() -> list[Any]:
    image = minitorch.Sequential(
        minitorch.Conv2d(1, 2, 3), minitorch.BatchNorm2d(2), minitorch.ReLU(), minitorch.Dropout(0.5)
    )
    return [
        minitorch.Linear(4, 2),
        image,
        minitorch.Sequential({"a": minitorch.Flatten(), "b": minitorch.Linear(4, 2)}),
    ]


@pytest.mark.parametrize("copied", COPIES)
def test_copies_of_modules(copied: Callable[[Any], Any]) -> None:
    for model in _models():
        model.eval()
        other = copied(model)
        assert repr(other) == repr(model)
        assert not other.training
        np.testing.assert_equal(other.state_dict(), model.state_dict())
        assert [p.value.requires_grad() for p in other.parameters()] == [True] * len(model.parameters())
        x = minitorch.rand((2, 1, 4, 4) if len(model.parameters()) > 2 else (2, 4))
        np.testing.assert_array_equal(other(x).to_numpy(), model(x).to_numpy())


def test_a_backend_of_the_users_own() -> None:
    backend = minitorch.TensorBackend(minitorch.SimpleOps)
    t = tensor([1.0], backend)
    assert copy.deepcopy(t).backend is backend
    assert pickle.loads(pickle.dumps(t)).backend == backend


def _forward(model: Any) -> Any:
    return model(minitorch.ones((1, 2), "simple")).detach()


def test_models_can_be_sent_to_processes() -> None:
    model = minitorch.Linear(2, 2).to("simple")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_forward, (model,))
    np.testing.assert_allclose(found.to_numpy(), model(minitorch.ones((1, 2), "simple")).to_numpy())


def test_no_grad_on_functions_and_generators() -> None:
    x = tensor([1.0], requires_grad=True)

    @minitorch.no_grad
    def bare(t: Tensor) -> bool:
        """Say whether it is recorded."""
        return (t * 2.0).requires_grad()

    @minitorch.no_grad()
    def called(t: Tensor) -> bool:
        return (t * 2.0).requires_grad()

    assert not bare(x)
    assert not called(x)
    assert bare.__doc__ == "Say whether it is recorded."
    events: list[str] = []

    def steps(t: Tensor) -> Iterator[Any]:
        try:
            while True:
                try:
                    got = yield t * 2.0
                    events.append(f"got {got}")
                except KeyError:
                    events.append("KeyError")
                if len(events) > 2:
                    return "end"
        finally:
            events.append(f"recorded: {(t * 2.0).requires_grad()}")

    for decorate in (minitorch.no_grad, minitorch.no_grad()):
        events.clear()
        running: Any = decorate(steps)(x)
        assert not next(running).requires_grad()
        assert (x * 2.0).requires_grad()  # the caller's mode holds between the steps
        assert not running.send(3).requires_grad()
        assert not running.throw(KeyError()).requires_grad()
        with pytest.raises(StopIteration) as end:
            next(running)
        assert end.value.value == "end"
        assert events == ["got 3", "KeyError", "got None", "recorded: False"]
        events.clear()
        running = decorate(steps)(x)
        next(running)
        running.close()
        assert events == ["recorded: False"]
        assert (x * 2.0).requires_grad()


def test_no_grad_refuses_what_it_cannot_decorate() -> None:
    with pytest.raises(TypeError, match="asynchronous"):
        minitorch.no_grad()(asyncio.sleep)
    with pytest.raises(TypeError, match="no_grad: expected a function to decorate, got a bool"):
        minitorch.no_grad(False)
