"""Losses against PyTorch's: values and gradients, all options, in both CPU backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

import minitorch
from minitorch import (
    IndexingError,
    Tensor,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
    tensor,
)

torch = pytest.importorskip("torch", reason="the reference is PyTorch")
functional = torch.nn.functional

BACKENDS = ("simple", "fast")
REDUCTIONS = ("mean", "sum", "none")
both_backends = pytest.mark.parametrize("backend", BACKENDS)
all_reductions = pytest.mark.parametrize("reduction", REDUCTIONS)


def draw(*key: int) -> np.random.Generator:
    return np.random.default_rng(key)


def agree(
    ours: Callable[..., Tensor],
    theirs: Callable[..., Any],
    *arrays: np.ndarray,
    backend: str,
    tolerance: float = 1e-9,
) -> None:
    """Compare value and gradients at ``arrays``, weighing the elements of the loss unevenly."""
    xs = [tensor(a, backend, True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    loss, reference = ours(*xs), theirs(*ts)
    assert loss.dtype == arrays[0].dtype
    assert loss.shape in (tuple(reference.shape), (1,))
    expected = reference.detach().numpy().reshape(loss.shape)
    np.testing.assert_allclose(loss.to_numpy(), expected, rtol=tolerance, atol=tolerance)
    weights = np.linspace(1, 2, loss.size).reshape(loss.shape).astype(arrays[0].dtype)
    loss.backward(tensor(weights, backend))
    reference.backward(torch.from_numpy(weights.reshape(tuple(reference.shape))))
    for x, t in zip(xs, ts):
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.to_numpy(), t.grad.numpy(), rtol=tolerance, atol=tolerance)


def scores(seed: int, scale: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    random = draw(seed)
    n, c = (int(k) for k in random.integers(2, 8, 2))
    return random.normal(0, scale, (n, c)), random.integers(0, c, n)


@both_backends
@all_reductions
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("ignored", [False, True])
def test_cross_entropy(backend: str, reduction: str, smoothing: float, ignored: bool) -> None:
    for seed in range(3):
        x, y = scores(seed)
        ignore = {"ignore_index": int(y[0])} if seed == 2 else {}
        if ignored:
            y[1] = ignore.get("ignore_index", -100)
        settings: Any = {"reduction": reduction, "label_smoothing": smoothing, **ignore}
        agree(
            lambda t, y=y, settings=settings: cross_entropy(t, y, **settings),
            lambda t, y=y, settings=settings: functional.cross_entropy(t, torch.from_numpy(y), **settings),
            x,
            backend=backend,
        )


@both_backends
@all_reductions
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities(backend: str, reduction: str, smoothing: float) -> None:
    x, _ = scores(5)
    p = draw(6).dirichlet(np.ones(x.shape[1]), len(x))
    settings: Any = {"reduction": reduction, "label_smoothing": smoothing}
    agree(
        lambda t, q: cross_entropy(t, q, **settings),
        lambda t, q: functional.cross_entropy(t, q, **settings),
        x,
        p,
        backend=backend,
    )
    plain, given = (cross_entropy(tensor(x, backend), q, **settings) for q in (p, tensor(p, backend)))
    np.testing.assert_allclose(plain.to_numpy(), given.to_numpy(), rtol=1e-12)


@both_backends
@all_reductions
def test_nll_loss(backend: str, reduction: str) -> None:
    for seed, ignore in ((7, -100), (8, 1)):
        x, y = scores(seed)
        y[0] = ignore
        agree(
            lambda t, y=y, i=ignore: nll_loss(t, y, reduction=reduction, ignore_index=i),
            lambda t, y=y, i=ignore: functional.nll_loss(
                t, torch.from_numpy(y), reduction=reduction, ignore_index=i
            ),
            x,
            backend=backend,
        )


@both_backends
@all_reductions
@pytest.mark.parametrize(
    ("ours", "theirs"), [(mse_loss, functional.mse_loss), (l1_loss, functional.l1_loss)], ids=["mse", "l1"]
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_regression(
    backend: str,
    reduction: str,
    ours: Callable[..., Tensor],
    theirs: Callable[..., Any],
    shape: tuple[int, ...],
) -> None:
    a, b = draw(9).normal(size=(2, *shape))
    a, b = np.array(a), np.array(b)
    if shape:
        b.flat[0] = a.flat[0]
    agree(
        lambda x, y: ours(x, y, reduction=reduction),
        lambda x, y: theirs(x, y, reduction=reduction),
        a,
        b,
        backend=backend,
    )


@both_backends
@all_reductions
def test_binary_cross_entropy(backend: str, reduction: str) -> None:
    p = np.array([[0.0, 1.0, 0.5, 1e-30], [1.0, 0.0, 0.9, 1 - 1e-16]])
    t = np.array([[0.0, 1.0, 0.2, 1.0], [1.0, 0.0, 1.0, 0.0]])
    # Their divisor of at least 1e-12 is a float32 number.
    agree(
        lambda x: binary_cross_entropy(x, t, reduction=reduction),
        lambda x: functional.binary_cross_entropy(x, torch.from_numpy(t), reduction=reduction),
        p,
        backend=backend,
        tolerance=1e-8,
    )
    inside = draw(10).uniform(0.01, 0.99, (2, 3, 2))
    agree(
        lambda x, y: binary_cross_entropy(x, y, reduction=reduction),
        lambda x, y: functional.binary_cross_entropy(x, y, reduction=reduction),
        *inside,
        backend=backend,
    )
    wrong = binary_cross_entropy(tensor([0.0, 1.0], backend), [1.0, 0.0], reduction="none")
    np.testing.assert_array_equal(wrong.to_numpy(), [100, 100])
    if backend == "fast" and numba.config.DISABLE_JIT:
        pytest.skip("Python's own exceptions where nothing is compiled")
    outside = binary_cross_entropy(tensor([-0.5, 1.5], backend), [0.0, 1.0], reduction="none")
    assert np.isnan(outside.to_numpy()).all()


@both_backends
@all_reductions
def test_binary_cross_entropy_with_logits(backend: str, reduction: str) -> None:
    x = np.array([[-1e4, 1e4, 0.0, 50.0], [1e4, -1e4, -3.0, 2.5]])
    t = np.array([[0.0, 1.0, 0.5, 1.0], [0.0, 1.0, 0.1, 0.0]])
    agree(
        lambda a, b: binary_cross_entropy_with_logits(a, b, reduction=reduction),
        lambda a, b: functional.binary_cross_entropy_with_logits(a, b, reduction=reduction),
        x,
        t,
        backend=backend,
    )
    tiny = binary_cross_entropy_with_logits(tensor([50.0], backend), [1.0]).item()
    assert tiny == pytest.approx(np.exp(-50.0), rel=1e-12)


@both_backends
@all_reductions
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("margin", [1.0, 0.3])
def test_multi_margin_loss(backend: str, reduction: str, p: int, margin: float) -> None:
    x, y = scores(11, 1.0)
    agree(
        lambda t: multi_margin_loss(t, y, p, margin, reduction=reduction),
        lambda t: functional.multi_margin_loss(t, torch.from_numpy(y), p, margin, reduction=reduction),
        x,
        backend=backend,
    )


@both_backends
def test_margin_loss_is_the_assignments_divided_by_the_classes(backend: str) -> None:
    x, y = scores(12)
    own = x[np.arange(len(y)), y][:, None]
    theirs = (np.maximum(0, x - own + 1).sum() - len(y)) / len(y)
    assert multi_margin_loss(tensor(x, backend), y).item() * x.shape[1] == pytest.approx(theirs, rel=1e-12)


@both_backends
@pytest.mark.parametrize("scale", [1e4, 1e100])
def test_scores_of_any_size_stay_finite(backend: str, scale: float) -> None:
    x = np.array([[scale, 0.0, -scale], [-scale, -scale, scale], [scale, scale, scale]])
    y = np.array([2, 2, 0])
    agree(
        lambda t: cross_entropy(t, y),
        lambda t: functional.cross_entropy(t, torch.from_numpy(y)),
        x,
        backend=backend,
    )
    agree(
        lambda t: multi_margin_loss(t, y[:2]),
        lambda t: functional.multi_margin_loss(t, torch.from_numpy(y[:2])),
        x[:2],
        backend=backend,
    )
    agree(
        lambda t: binary_cross_entropy_with_logits(t, np.ones(x.shape)),
        lambda t: functional.binary_cross_entropy_with_logits(t, torch.ones(x.shape, dtype=torch.float64)),
        x,
        backend=backend,
    )


@both_backends
def test_a_masked_score_of_minus_infinity_is_harmless(backend: str) -> None:
    x, y = np.array([[1.0, -np.inf, 2.0], [0.5, 0.25, -np.inf]]), np.array([0, 1])
    agree(
        lambda t: cross_entropy(t, y),
        lambda t: functional.cross_entropy(t, torch.from_numpy(y)),
        x,
        backend=backend,
    )


@both_backends
def test_all_rows_ignored(backend: str) -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]], backend, True)
    loss = cross_entropy(x, [-100, -100])
    assert np.isnan(loss.item())
    loss.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), 0)
    assert cross_entropy(x, [-100, -100], reduction="sum").item() == 0
    assert cross_entropy(x, [-100, -100], reduction="none").shape == (2,)


@both_backends
def test_no_rows(backend: str) -> None:
    for loss in (cross_entropy, nll_loss):
        x = minitorch.zeros((0, 3), backend).requires_grad_(True)
        assert np.isnan(loss(x, []).item())
        assert loss(x, [], reduction="sum").item() == 0
        assert loss(x, [], reduction="none").shape == (0,)
    with pytest.raises(IndexingError, match="C > 0"):
        cross_entropy(minitorch.zeros((2, 0), backend), [-100, -100])


@both_backends
def test_float32_stays_float32(backend: str) -> None:
    x, y = scores(13)
    small = x.astype(np.float32)
    p = 1 / (1 + np.exp(-small))
    t = np.round(p)
    pairs: list[tuple[Any, Any, np.ndarray]] = [
        (lambda a: cross_entropy(a, y), lambda a: functional.cross_entropy(a, torch.from_numpy(y)), small),
        (lambda a: mse_loss(a, t), lambda a: functional.mse_loss(a, torch.from_numpy(t)), small),
        (
            lambda a: binary_cross_entropy(a, t),
            lambda a: functional.binary_cross_entropy(a, torch.from_numpy(t)),
            p,
        ),
        (
            lambda a: binary_cross_entropy_with_logits(a, t),
            lambda a: functional.binary_cross_entropy_with_logits(a, torch.from_numpy(t)),
            small,
        ),
        (
            lambda a: multi_margin_loss(a, y),
            lambda a: functional.multi_margin_loss(a, torch.from_numpy(y)),
            small,
        ),
    ]
    for ours, theirs, array in pairs:
        agree(ours, theirs, array, backend=backend, tolerance=1e-5)


def test_labels_of_every_kind() -> None:
    x, _ = scores(14)
    x, y = x[:, :2], np.arange(len(x)) % 2
    expected = cross_entropy(tensor(x), y).item()
    for labels in (y.tolist(), tuple(y), y.astype(np.uint8), y.astype(float), y.astype(bool), tensor(y)):
        assert cross_entropy(tensor(x), labels).item() == expected


def test_errors_name_the_row() -> None:
    x = minitorch.zeros((3, 4))
    for labels, message in (([0, 1, 4], "label 4 in row 2"), ([0, -1, 1], "label -1 in row 1")):
        for loss in (cross_entropy, nll_loss, multi_margin_loss):
            with pytest.raises(IndexingError, match=message):
                loss(x, labels)
    with pytest.raises(IndexingError, match=r"label 0\.5 in row 0"):
        cross_entropy(x, [0.5, 1, 2])
    with pytest.raises(IndexingError, match="label nan in row 1"):
        cross_entropy(x, [0, float("nan"), 2])
    with pytest.raises(IndexingError, match="expected 3 labels"):
        cross_entropy(x, [0, 1])
    with pytest.raises(IndexingError, match=r"row 0"):
        multi_margin_loss(x, [-100, 0, 0])
    with pytest.raises(TypeError, match="class numbers"):
        cross_entropy(x, ["a", "b", "c"])
    with pytest.raises(IndexingError, match=r"\(3, 5\)"):
        cross_entropy(x, np.zeros((3, 5)))
    with pytest.raises(IndexingError, match="scores"):
        cross_entropy(minitorch.zeros((3,)), [1])


def test_wrong_settings() -> None:
    x = minitorch.zeros((3, 4))
    pairs = (mse_loss, l1_loss, binary_cross_entropy, binary_cross_entropy_with_logits)
    for loss in pairs:
        with pytest.raises(IndexingError, match="equal shapes"):
            loss(x, np.zeros((3, 1)))
        with pytest.raises(ValueError, match=r"expected reduction .* got 'average'"):
            loss(x, x, reduction="average")
    for class_loss in (cross_entropy, nll_loss, multi_margin_loss):
        with pytest.raises(ValueError, match=r"expected reduction .* got 'average'"):
            class_loss(x, [0, 1, 2], reduction="average")
    with pytest.raises(ValueError, match="label_smoothing"):
        cross_entropy(x, [0, 1, 2], label_smoothing=1.5)
    with pytest.raises(ValueError, match="ignore_index"):
        cross_entropy(x, x, ignore_index=1)
    with pytest.raises(ValueError, match="expected p 1 or 2, got 3"):
        multi_margin_loss(x, [0, 1, 2], 3)


def test_tensors_of_two_backends_do_not_mix() -> None:
    a, b = minitorch.zeros((2, 2), "simple"), minitorch.zeros((2, 2), "fast")
    for loss in (mse_loss, l1_loss, binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy):
        with pytest.raises(minitorch.BackendError):
            loss(a, b)
