"""Every loss against PyTorch's of the same name: values and gradients, all settings drawn by seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.nn import losses

from ..support.differential import Array, Case, Row, Sampler, Settings, Shape, cases, reference_leaf, torch

Draw = Callable[[Sampler, int], tuple[Settings, Shape]]
# Draws input and target; a target of whole numbers is labels, and has no gradient.
Pair = Callable[[np.random.Generator, Case], tuple[Array, Array]]
REDUCTIONS = (("mean",), ("sum",), ("none",))


@dataclass(frozen=True)
class Loss(Row):
    """A loss, with what its operands are like."""

    operands: Pair = lambda rng, case: (rng.normal(size=case.shape), rng.normal(size=case.shape))
    modes: Any = REDUCTIONS


def scores(**ranges: Callable[[Sampler, int], Any]) -> Draw:
    """Return a draw of settings and a shape (N, C)."""

    def draw(d: Sampler, n: int) -> tuple[Settings, Shape]:
        rows, classes = d.size(n), d.size(n)
        return d.some(**{k: fn(d, classes) for k, fn in ranges.items()}), (rows, classes)

    return draw


def any_shape(d: Sampler, n: int) -> tuple[Settings, Shape]:
    return {}, d.sizes(0, 4, n)


def labelled(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    """Draw scores and labels; where rows can be ignored some are, but never all."""
    (rows, classes), settings = case.shape, case.settings
    labels = rng.integers(0, classes, rows)
    if case.row.name != "multi_margin_loss":
        ignored = settings.get("ignore_index", -100)
        labels[rng.random(rows) < 0.2] = ignored
        labels[0] = next((k for k in range(classes) if k != ignored), ignored)
    return rng.normal(0, 3, case.shape), labels


def log_probabilities(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    x, labels = labelled(rng, case)
    return x - np.log(np.exp(x).sum(1, keepdims=True)), labels


def shares(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    """Draw scores and each row's probabilities: of one class, or of all."""
    rows, classes = case.shape
    one_hot = np.eye(classes)[rng.integers(0, classes, rows)]
    spread = rng.dirichlet(np.ones(classes), rows)
    return rng.normal(0, 3, case.shape), one_hot if case.config.seed % 2 else spread


def near(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    """Draw two arrays of which some elements are equal."""
    x, y = rng.normal(size=case.shape), rng.normal(size=case.shape)
    return x, np.where(rng.random(case.shape) < 0.2, x, y)


def chances(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    """Draw probabilities and a truth between 0 and 1, often one of these."""
    truth = rng.random(case.shape)
    return rng.uniform(0.02, 0.98, case.shape), np.where(truth < 0.5, truth, np.round(truth))


def logits(rng: np.random.Generator, case: Case) -> tuple[Array, Array]:
    return rng.normal(0, 10, case.shape), chances(rng, case)[1]


def smoothing(d: Sampler, classes: int) -> float:
    return d.choice([0.0, 0.1, d.random(), 1.0])


def ignored(d: Sampler, classes: int) -> int:
    return d.choice([-100, -1, d.randrange(classes), 255])


SMOOTH = scores(label_smoothing=smoothing)
LABELS = scores(label_smoothing=smoothing, ignore_index=ignored)
MARGIN = scores(p=lambda d, c: d.choice([1, 2]), margin=lambda d, c: d.uniform(0.1, 2))
ROWS = [
    Loss("cross_entropy", LABELS, note="of labels", operands=labelled),
    Loss("cross_entropy", SMOOTH, note="of probabilities", operands=shares),
    Loss("nll_loss", scores(ignore_index=ignored), operands=log_probabilities),
    Loss("multi_margin_loss", MARGIN, operands=labelled),
    Loss("mse_loss", any_shape),
    Loss("l1_loss", any_shape, operands=near),
    Loss("binary_cross_entropy", any_shape, operands=chances),
    Loss("binary_cross_entropy_with_logits", any_shape, operands=logits),
]


def as_given(labels: Array, case: Case) -> Any:
    """Return labels as a list, an array, or a Tensor."""
    kinds = (labels.tolist, lambda: labels.astype(np.int32), lambda: minitorch.tensor(labels))
    return kinds[case.config.seed % 3]()


@pytest.mark.parametrize("case", cases(ROWS, 48))
def test_loss(case: Case) -> None:
    config, rng = case.config, case.config.rng()
    config.settle()
    settings = {**case.settings, "reduction": case.ways[0]}
    input, target = case.row.operands(rng, case)
    input = np.asarray(input).astype(config.dtype)
    x, t = config.leaf(input), reference_leaf(input)
    pairs = [("input", x, t)]
    if target.dtype.kind == "i":
        y, truth = as_given(target, case), torch.tensor(target)
    else:
        target = np.asarray(target).astype(config.dtype)
        y, truth = config.leaf(target), reference_leaf(target)
        pairs.append(("target", y, truth))
    found = getattr(minitorch, case.row.name)(x, y, **settings)
    expected = getattr(torch.nn.functional, case.row.name)(t, truth, **settings)
    assert (found.dtype, found.backend) == (config.dtype, minitorch.get_default_backend())
    if case.ways[0] != "none":
        expected = expected.reshape(1)
    config.agree("value", found, expected)
    weights = rng.normal(size=found.shape).astype(config.dtype)
    found.backward(config.leaf(weights).detach())
    expected.backward(torch.from_numpy(weights).double())
    for what, ours, theirs in pairs:
        config.agree(f"{what} gradient", ours.grad, theirs.grad)


def test_every_public_loss_is_drawn_with_every_setting() -> None:
    public = {
        name
        for name in minitorch.__all__
        if getattr(getattr(minitorch, name), "__module__", "") == losses.__name__
    }
    assert public == {row.name for row in ROWS}
    drawn: dict[str, set[str]] = {name: {"input", "target", "reduction"} for name in public}
    for case in (param.values[0] for param in cases(ROWS, 48)):
        drawn[case.row.name] |= set(case.settings)
    for name in public:
        assert drawn[name] == set(inspect.signature(getattr(minitorch, name)).parameters), name
