"""Losses by hand: values, shapes, gradients, and the errors that name the row. PyTorch references in another file."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists

import minitorch
from minitorch import IndexingError, Tensor, grad_check, tensor

from ..support.op_table import BACKENDS
from ..tensor_strategies import tensors

backend = pytest.mark.parametrize("backend", BACKENDS)
HALF = math.log(2.0)


@backend
def test_values_by_hand(backend: str) -> None:
    scores = tensor([[0.0, 0.0], [0.0, math.log(3.0)]], backend)
    rows = minitorch.cross_entropy(scores, [0, 1], reduction="none")
    assert np.allclose(rows.to_numpy(), [HALF, math.log(4 / 3)])
    assert math.isclose(minitorch.cross_entropy(scores, [0, 1]).item(), (HALF + math.log(4 / 3)) / 2)
    smooth = minitorch.cross_entropy(scores, [1, 1], reduction="none", label_smoothing=0.5)
    assert math.isclose(smooth[1], 0.75 * math.log(4 / 3) + 0.25 * math.log(4.0))
    logs = tensor([[-1.0, -2.0], [-3.0, -4.0]], backend)
    assert minitorch.nll_loss(logs, [1, 0], reduction="none").to_numpy().tolist() == [2.0, 3.0]
    x, y = tensor([[1.0, 2.0], [3.0, 4.0]], backend), tensor([[1.0, 4.0], [0.0, 3.0]], backend)
    assert minitorch.mse_loss(x, y).item() == (4.0 + 9.0 + 1.0) / 4
    assert minitorch.l1_loss(x, y, reduction="sum").item() == 6.0
    p, t = tensor([0.5, 0.0, 1.0], backend), tensor([1.0, 1.0, 1.0], backend)
    assert np.allclose(minitorch.binary_cross_entropy(p, t, reduction="none").to_numpy(), [HALF, 100.0, 0.0])
    z = tensor([0.0, -1000.0, 1000.0], backend)
    logits = minitorch.binary_cross_entropy_with_logits(z, t, reduction="none")
    assert np.allclose(logits.to_numpy(), [HALF, 1000.0, 0.0])
    margins = minitorch.multi_margin_loss(tensor([[1.0, 1.5, -3.0]], backend), [0], reduction="none")
    assert np.allclose(margins.to_numpy(), [1.5 / 3])
    squares = minitorch.multi_margin_loss(tensor([[1.0, 1.5, -3.0]], backend), [0], 2, 0.5, reduction="sum")
    assert np.allclose(squares.to_numpy(), [1.0 / 3])


CLASSES: list[Callable[..., Tensor]] = [
    minitorch.cross_entropy,
    minitorch.nll_loss,
    minitorch.multi_margin_loss,
]
ELEMENTS: list[Callable[..., Tensor]] = [
    minitorch.mse_loss,
    minitorch.l1_loss,
    minitorch.binary_cross_entropy,
    minitorch.binary_cross_entropy_with_logits,
]


@pytest.mark.parametrize("loss", CLASSES)
def test_shapes_of_class_losses(loss: Callable[..., Tensor]) -> None:
    scores = tensor([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]], dtype="float32")
    for target in ([2, 0], (2, 0), np.array([2, 0], np.uint8), tensor([2.0, 0.0])):
        assert [loss(scores, target, reduction=r).shape for r in ("mean", "sum", "none")] == [
            (1,),
            (1,),
            (2,),
        ]
        assert loss(scores, target).item() == loss(scores, [2, 0]).item()
    assert loss(scores, [2, 0]).dtype == np.float32


@pytest.mark.parametrize("loss", ELEMENTS)
def test_shapes_of_element_losses(loss: Callable[..., Tensor]) -> None:
    x, y = tensor([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    assert [loss(x, y, reduction=r).shape for r in ("mean", "sum", "none")] == [(1,), (1,), (2, 3)]
    total = loss(x, y, reduction="none").sum().item()
    assert math.isclose(loss(x, y, reduction="sum").item(), total)
    assert math.isclose(loss(x, y).item(), total / 6)


@given(t=tensors(floats(-10, 10), "fast", (3, 4)), labels=lists(integers(0, 3), min_size=3, max_size=3))
def test_gradients_of_class_losses(t: Tensor, labels: list[int]) -> None:
    for reduction in ("mean", "sum", "none"):
        grad_check(lambda x, r=reduction: minitorch.cross_entropy(x, labels, reduction=r), t)
        grad_check(lambda x, r=reduction: minitorch.nll_loss(x, labels, reduction=r), t)


@given(t=tensors(floats(-10, 10), "fast", (3, 4)))
def test_gradients_for_probabilities(t: Tensor) -> None:
    target = np.array([[0.5, 0.5, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.0, 1.0]])
    grad_check(lambda x: minitorch.cross_entropy(x, target, label_smoothing=0.1), t)
    grad_check(lambda x: minitorch.mse_loss(x, target), t)
    grad_check(lambda x: minitorch.binary_cross_entropy_with_logits(x, target), t)


@pytest.mark.parametrize("loss", CLASSES)
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ([0, 3], "label 3 in row 1"),
        ([-1, 0], "label -1 in row 0"),
        ([0, 1.5], "label 1.5 in row 1"),
        ([0], "expected 2 labels"),
    ],
)
def test_wrong_labels_name_the_row(loss: Callable[..., Tensor], target: Any, words: str) -> None:
    with pytest.raises(IndexingError, match=words):
        loss(tensor(np.ones((2, 3))), target)


@pytest.mark.parametrize("loss", ELEMENTS)
def test_shapes_must_be_equal(loss: Callable[..., Tensor]) -> None:
    with pytest.raises(IndexingError, match=r"\(2, 3\)"):
        loss(tensor(np.ones((2, 3))), np.ones((1, 3)))


@pytest.mark.parametrize("loss", [*CLASSES, *ELEMENTS])
def test_an_unknown_reduction(loss: Callable[..., Tensor]) -> None:
    target = [0, 1] if loss in CLASSES else np.ones((2, 3))
    with pytest.raises(ValueError, match="average"):
        loss(tensor(np.ones((2, 3))), target, reduction="average")


def test_an_impossible_smoothing() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        minitorch.cross_entropy(tensor(np.ones((2, 3))), [0, 1], label_smoothing=1.5)


def test_accuracy() -> None:
    scores = tensor([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])
    assert minitorch.accuracy(scores, [1, 0, 0]) == 1.0
    assert minitorch.accuracy(scores, [1, 0, 1]) == 2 / 3
    assert minitorch.accuracy(scores.to_numpy(), np.array([0, 1, 1])) == 0.0
    with pytest.raises(IndexingError, match=r"\(3, 2\)"):
        minitorch.accuracy(scores, [1, 0])
