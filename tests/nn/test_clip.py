"""Clipping of gradients: as PyTorch does it, and never in a block that something else may share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import minitorch
from minitorch import Parameter

SHAPES = ((3, 4), (5,), (2, 1, 3))


def parameters(scale: float, dtype: str = "float64") -> tuple[list[Parameter], list[npt.NDArray[Any]]]:
    """Return parameters with gradients, and one without; and those gradients."""
    draw = np.random.default_rng(0)
    given = [(scale * draw.standard_normal(shape)).astype(dtype) for shape in SHAPES]
    made = [Parameter(minitorch.zeros(shape, dtype=dtype)) for shape in SHAPES]
    for p, d in zip(made, given):
        p.value.grad = minitorch.tensor(d, dtype=dtype)
    return [*made, Parameter(minitorch.zeros((2,)))], given


def twins(gradients: list[npt.NDArray[Any]]) -> Any:
    torch = pytest.importorskip("torch")
    made = [torch.nn.Parameter(torch.zeros(d.shape, dtype=torch.from_numpy(d).dtype)) for d in gradients]
    for p, d in zip(made, gradients):
        p.grad = torch.from_numpy(d.copy())
    return torch.nn.utils, made


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 3.0, 1e3])
def test_norm_as_in_torch(max_norm: float, dtype: str) -> None:
    ours, gradients = parameters(2.0, dtype)
    utils, theirs = twins(gradients)
    norm = minitorch.clip_grad_norm_(ours, max_norm)
    close = 1e-12 if dtype == "float64" else 1e-5
    assert norm == pytest.approx(float(utils.clip_grad_norm_(theirs, max_norm)), rel=close)
    for p, q in zip(ours, theirs):
        assert p.value.grad.dtype == dtype
        np.testing.assert_allclose(p.value.grad.to_numpy(), q.grad.numpy(), rtol=close, atol=1e-30)
    assert ours[-1].value.grad is None


@pytest.mark.parametrize("value", [0.0, 0.5, 1e3])
def test_value_as_in_torch(value: float) -> None:
    ours, gradients = parameters(2.0)
    utils, theirs = twins(gradients)
    minitorch.clip_grad_value_(ours, value)
    utils.clip_grad_value_(theirs, value)
    for p, q in zip(ours, theirs):
        np.testing.assert_array_equal(p.value.grad.to_numpy(), q.grad.numpy())
    assert ours[-1].value.grad is None


@pytest.mark.parametrize("backend", ["simple", "fast"])
@pytest.mark.parametrize("by", ["norm", "value"])
def test_a_shared_derivative_stays(by: str, backend: str) -> None:
    a, b = (Parameter(minitorch.ones((2, 3), backend)) for _ in range(2))
    ((a.value + b.value) * 4.0).sum().backward()  # Add gives both the same derivative
    if by == "norm":
        assert minitorch.clip_grad_norm_([a], 1.0) == pytest.approx(4 * math.sqrt(6))
    else:
        minitorch.clip_grad_value_([a], 1 / math.sqrt(6))
    np.testing.assert_allclose(a.value.grad.to_numpy(), np.full((2, 3), 1 / math.sqrt(6)), rtol=1e-6)
    np.testing.assert_array_equal(b.value.grad.to_numpy(), np.full((2, 3), 4.0))
    assert a.value.grad.is_constant()
    minitorch.SGD([a], 1.0).step()
    np.testing.assert_allclose(a.value.to_numpy(), np.full((2, 3), 1 - 1 / math.sqrt(6)), rtol=1e-6)


def test_what_is_not_a_number_is_seen() -> None:
    ours, _ = parameters(1.0)
    wrong = np.full((3, 4), 7.0)
    wrong[0, 0] = math.nan
    ours[0].value.grad = minitorch.tensor(wrong)
    assert math.isnan(minitorch.clip_grad_norm_(ours, 1.0))
    assert np.isnan(ours[1].value.grad.to_numpy()).all()
    ours[0].value.grad = minitorch.tensor(wrong)
    minitorch.clip_grad_value_(ours[:1], 1.0)
    np.testing.assert_array_equal(ours[0].value.grad.to_numpy(), np.minimum(wrong, 1.0))


def test_nothing_to_clip() -> None:
    assert minitorch.clip_grad_norm_([], 1.0) == 0.0
    assert minitorch.clip_grad_norm_([Parameter(), Parameter(minitorch.zeros((2,)))], 1.0) == 0.0
    minitorch.clip_grad_value_([], 1.0)


def test_bounds_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="expected max_norm of at least 0, got -1"):
        minitorch.clip_grad_norm_([], -1.0)
    with pytest.raises(ValueError, match="expected a value of at least 0, got -1"):
        minitorch.clip_grad_value_([], -1.0)
