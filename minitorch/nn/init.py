"""Initial values of weights, written in place.

Each function takes a Tensor, or a Parameter that holds one, and returns it. Names, defaults and formulas are those of
``torch.nn.init``; random numbers come from `minitorch.runtime.rng`, so ``random.seed`` governs them. For a weight (out,
in, *kernel), ``fan_in = in * prod(kernel)`` elements feed an output and ``fan_out = out * prod(kernel)`` outputs use an
element.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from ..runtime import rng
from .settings import require_number

T = TypeVar("T")

_UNIT_GAIN = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


@runtime_checkable
class _Writable(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...
    def copy_(self, values: Any, /) -> Any: ...


@runtime_checkable
class _Holder(Protocol):
    value: Any


def _elements(t: Any) -> _Writable:
    inner = t.value if isinstance(t, _Holder) else t
    if not isinstance(inner, _Writable):
        raise TypeError(f"init: expected a Tensor or a Parameter of one, got {type(inner).__name__}")
    return inner


def uniform_(t: T, a: float = 0.0, b: float = 1.0) -> T:
    """Fill with numbers uniform in [a, b).

    Args:
        t: A Tensor or Parameter of any shape.
        a: Lower end, by default 0.
        b: Upper end, by default 1.

    Raises:
        ValueError: ``a`` is above ``b``, or one is not finite.
    """
    require_number("uniform_", "a", a)
    require_number("uniform_", "b", b)
    if not -math.inf < a <= b < math.inf:
        raise ValueError(f"uniform_: expected finite a <= b, got a={a}, b={b}")
    elements = _elements(t)
    elements.copy_(rng.uniform(elements.shape, a, b))
    return t


def normal_(t: T, mean: float = 0.0, std: float = 1.0) -> T:
    """Fill with numbers from a normal distribution.

    Args:
        t: A Tensor or Parameter of any shape.
        mean: By default 0.
        std: Standard deviation, by default 1.

    Raises:
        ValueError: ``std`` is negative, or a number is not finite.
    """
    require_number("normal_", "mean", mean)
    require_number("normal_", "std", std)
    if not (0 <= std < math.inf and math.isfinite(mean)):
        raise ValueError(f"normal_: expected a finite mean and std >= 0, got mean={mean}, std={std}")
    elements = _elements(t)
    elements.copy_(rng.normal(elements.shape, mean, std))
    return t


def trunc_normal_(t: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> T:
    """Fill with numbers from a normal distribution, drawn again until they are in [a, b].

    Args:
        t: A Tensor or Parameter of any shape.
        mean: By default 0.
        std: Standard deviation, by default 1.
        a: Lower end, by default -2.
        b: Upper end, by default 2.

    Raises:
        ValueError: ``mean`` is outside [a, b], ``std`` is not above 0, or a number is not finite.
    """
    for name, value in (("mean", mean), ("std", std), ("a", a), ("b", b)):
        require_number("trunc_normal_", name, value)
    if not (-math.inf < a <= mean <= b < math.inf and 0 < std < math.inf and a < b):
        raise ValueError(
            f"trunc_normal_: expected finite a <= mean <= b, a < b and std > 0, got mean={mean}, std={std}, "
            f"a={a}, b={b}"
        )
    elements = _elements(t)
    source = rng.generator()
    values = source.normal(mean, std, elements.shape)
    while (outside := (values < a) | (values > b)).any():
        values[outside] = source.normal(mean, std, int(outside.sum()))
    elements.copy_(values)
    return t


def constant_(t: T, val: float) -> T:
    """Fill with ``val``; raises TypeError where it is not a number."""
    require_number("constant_", "val", val)
    elements = _elements(t)
    elements.copy_(np.full(elements.shape, val))
    return t


def zeros_(t: T) -> T:
    """Fill with 0."""
    return constant_(t, 0.0)


def ones_(t: T) -> T:
    """Fill with 1."""
    return constant_(t, 1.0)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor of initial weights that keeps the standard deviation after a nonlinearity.

    Args:
        nonlinearity: "linear", "conv1d" ... "conv_transpose3d", "sigmoid" (1), "tanh" (5/3), "relu" (sqrt(2)),
            "leaky_relu" (sqrt(2 / (1 + slope ** 2))), "selu" (3/4).
        param: The slope of "leaky_relu", by default 0.01; others ignore it.

    Raises:
        ValueError: The word is unknown, or the slope is not a number.
    """
    if nonlinearity in _UNIT_GAIN:
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: expected a number as slope of leaky_relu, got {slope!r}")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3 / 4
    raise ValueError(
        f"calculate_gain: unknown nonlinearity {nonlinearity!r}, expected one of {_UNIT_GAIN}, "
        "tanh, relu, leaky_relu, selu"
    )


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan in and fan out of a weight (out, in, *kernel)."""
    if len(shape) < 2:
        raise ValueError(
            f"init: expected a weight of at least 2 dimensions (out, in, *kernel), got shape {shape}"
        )
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _xavier_std(t: Any, gain: float) -> float:
    shape = _elements(t).shape
    total = sum(_fans(shape))
    return gain * math.sqrt(2 / total) if total else 0.0


def _kaiming_std(t: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f'kaiming: expected mode "fan_in" or "fan_out", got {mode!r}')
    fan = _fans(_elements(t).shape)[mode.lower() == "fan_out"]
    gain = calculate_gain(nonlinearity, a)
    # Without elements there is nothing to fill, and no fan to divide by.
    return gain / math.sqrt(fan) if fan else 0.0


def xavier_uniform_(t: T, gain: float = 1.0) -> T:
    """Fill with numbers uniform in ±``gain * sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio, 2010).

    Args:
        t: A weight (out, in, *kernel).
        gain: See `calculate_gain`; by default 1.

    Raises:
        ValueError: The weight has fewer than 2 dimensions.
    """
    bound = math.sqrt(3) * _xavier_std(t, gain)
    return uniform_(t, -bound, bound)


def xavier_normal_(t: T, gain: float = 1.0) -> T:
    """Fill with normal numbers of standard deviation ``gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio, 2010).

    Arguments and errors as for `xavier_uniform_`.
    """
    return normal_(t, 0.0, _xavier_std(t, gain))


def kaiming_uniform_(t: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Fill with numbers uniform in ±``calculate_gain(nonlinearity, a) * sqrt(3 / fan)`` (He et al., 2015).

    Args:
        t: A weight (out, in, *kernel).
        a: The slope of "leaky_relu", by default 0 (which makes it "relu").
        mode: "fan_in" (default) keeps the deviation in the forward pass, "fan_out" in the backward pass.
        nonlinearity: What follows the weight, by default "leaky_relu"; see `calculate_gain`.

    Raises:
        ValueError: An unknown word, or a weight of fewer than 2 dimensions.
    """
    bound = math.sqrt(3) * _kaiming_std(t, a, mode, nonlinearity)
    return uniform_(t, -bound, bound)


def kaiming_normal_(t: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Fill with normal numbers of standard deviation ``calculate_gain(nonlinearity, a) / sqrt(fan)`` (He et al., 2015).

    Arguments and errors as for `kaiming_uniform_`.
    """
    return normal_(t, 0.0, _kaiming_std(t, a, mode, nonlinearity))
