"""Initial values: PyTorch's formulas, in place, from one source of random numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Parameter
from minitorch.nn import init

FILLERS: list[tuple[Callable[[Any], Any], float, bool]] = [
    (lambda t: init.uniform_(t, -2, 3), 5 / math.sqrt(12), True),
    (lambda t: init.normal_(t, 1.0, 0.5), 0.5, False),
    (init.xavier_uniform_, math.sqrt(2 / (40 * 9 + 60 * 9)), True),
    (lambda t: init.xavier_uniform_(t, 2.0), 2 * math.sqrt(2 / (100 * 9)), True),
    (lambda t: init.xavier_normal_(t, gain=5 / 3), 5 / 3 * math.sqrt(2 / (100 * 9)), False),
    (init.kaiming_uniform_, math.sqrt(2 / (40 * 9)), True),
    (lambda t: init.kaiming_uniform_(t, math.sqrt(5)), math.sqrt(2 / 6 / (40 * 9)), True),
    (lambda t: init.kaiming_uniform_(t, mode="fan_out"), math.sqrt(2 / (60 * 9)), True),
    (lambda t: init.kaiming_normal_(t, nonlinearity="relu"), math.sqrt(2 / (40 * 9)), False),
    (
        lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"),
        5 / 3 / math.sqrt(60 * 9),
        False,
    ),
]


@pytest.mark.parametrize("case", range(len(FILLERS)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_deviation_and_range(case: int, dtype: str) -> None:
    fill, std, flat = FILLERS[case]
    weight = minitorch.zeros((60, 40, 3, 3), dtype=dtype)
    assert fill(weight) is weight
    elements = weight.to_numpy()
    assert elements.dtype == dtype
    assert elements.std() == pytest.approx(std, rel=0.03)
    if flat:
        middle = 0.5 if case == 0 else 0.0
        bound = std * math.sqrt(3)
        assert np.abs(elements - middle).max() <= bound * (1 + 1e-6)
        assert np.abs(elements - middle).max() >= bound * 0.99
    else:
        assert np.abs(elements).max() > 3 * std


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_truncated_normal(backend: str) -> None:
    weight = init.trunc_normal_(
        minitorch.zeros((200, 100), backend), mean=1.0, std=2.0, a=-1.0, b=3.0
    ).to_numpy()
    assert -1 <= weight.min() < -0.99
    assert 2.99 < weight.max() <= 3
    # A normal distribution that is cut at one standard deviation has this one.
    assert weight.mean() == pytest.approx(1.0, abs=0.03)
    assert weight.std() == pytest.approx(2 * 0.5396, rel=0.02)
    for wrong in ({"std": 0.0}, {"a": 3.0}, {"mean": 5.0}, {"b": math.inf}, {"a": 0.0, "b": 0.0}):
        with pytest.raises(ValueError, match="trunc_normal_: expected finite a <= mean <= b"):
            init.trunc_normal_(minitorch.zeros((2,)), **wrong)


def test_constants() -> None:
    weight = minitorch.rand((2, 3))
    np.testing.assert_array_equal(init.constant_(weight, 0.25).to_numpy(), np.full((2, 3), 0.25))
    np.testing.assert_array_equal(init.zeros_(weight).to_numpy(), np.zeros((2, 3)))
    np.testing.assert_array_equal(init.ones_(weight).to_numpy(), np.ones((2, 3)))
    assert init.ones_(minitorch.zeros(())).item() == 1


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_a_parameter_keeps_its_value_and_its_gradient(backend: str) -> None:
    value = minitorch.zeros((3, 4), backend)
    parameter = Parameter(value)
    (value * 2).sum().backward()
    assert init.kaiming_normal_(parameter) is parameter
    assert parameter.value is value
    assert value.requires_grad()
    assert (value.to_numpy() != 0).all()
    np.testing.assert_array_equal(parameter.grad.to_numpy(), 2)


def test_seed_governs() -> None:
    def drawn(seed: int, backend: str) -> np.ndarray:
        random.seed(seed)
        return init.xavier_normal_(minitorch.zeros((4, 5), backend)).to_numpy()

    np.testing.assert_array_equal(drawn(1, "simple"), drawn(1, "fast"))
    assert (drawn(1, "fast") != drawn(2, "fast")).all()


def test_no_elements() -> None:
    for shape in ((0, 3), (3, 0), (0, 0)):
        for fill in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_):
            assert fill(minitorch.zeros(shape)).shape == shape


def test_gain() -> None:
    for plain in ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "sigmoid"):
        assert init.calculate_gain(plain) == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("leaky_relu", 0.3) == math.sqrt(2 / (1 + 0.3**2))
    assert init.calculate_gain("selu") == 0.75


def test_errors() -> None:
    weight = minitorch.zeros((2, 3))
    with pytest.raises(ValueError, match="unknown nonlinearity 'swish', expected"):
        init.kaiming_uniform_(weight, nonlinearity="swish")
    for slope in ("steep", True):
        with pytest.raises(ValueError, match="expected a number as slope"):
            init.calculate_gain("leaky_relu", slope)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mode"):
        init.kaiming_normal_(weight, mode="fan")
    for fill in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.raises(ValueError, match=r"at least 2 dimensions .*got shape \(3,\)"):
            fill(minitorch.zeros((3,)))
    with pytest.raises(ValueError, match="std"):
        init.normal_(weight, std=-1)
    with pytest.raises(ValueError, match="a <= b"):
        init.uniform_(weight, 1, 0)
    for wrong in ([1.0], Parameter(3.0), np.zeros((2, 2))):
        with pytest.raises(TypeError, match="Tensor or a Parameter"):
            init.zeros_(wrong)
    np.testing.assert_array_equal(weight.to_numpy(), 0)


def test_numbers_are_pytorchs() -> None:
    theirs = pytest.importorskip("torch").nn.init
    for word in ("linear", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(word) == theirs.calculate_gain(word)
    assert init.calculate_gain("leaky_relu", 2) == theirs.calculate_gain("leaky_relu", 2)
    torch = pytest.importorskip("torch")
    for shape in ((7, 5), (6, 4, 3), (8, 2, 3, 5)):
        assert init._fans(shape) == theirs._calculate_fan_in_and_fan_out(torch.zeros(shape))
