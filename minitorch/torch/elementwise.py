"""Functions of one element at a time.

Fractions run the Functions of the core; integers, bools and what has no derivative run NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff import Function
from ..tensor import Tensor as Core
from ..tensor_functions import elementwise as simple
from ..tensor_functions import math as more
from ..tensor_functions.late_relu import late_relu
from ..tensor_functions.shape import Cast
from .dtypes import TYPE_NAMES, bool_, dtype
from .operands import apply as apply
from .operands import binary
from .operands import check_shapes as check_shapes
from .operands import common_device as common_device
from .operands import result_type as result_type
from .tensor import Tensor, as_core, from_array, is_float, to_array, wrap

# Arithmetic


def _scaled(x: Any, alpha: Any) -> Any:
    return x if alpha == 1 else mul(x, alpha) if isinstance(x, Tensor) else x * alpha


def _bool_add(a: Any, b: Any) -> Any:
    return np.logical_or(a, b) if np.asarray(a).dtype == np.bool_ else np.add(a, b)


def _bool_mul(a: Any, b: Any) -> Any:
    return np.logical_and(a, b) if np.asarray(a).dtype == np.bool_ else np.multiply(a, b)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Return ``input + alpha * other``."""
    return binary("add", simple.Add, _bool_add, input, _scaled(other, alpha), "Add")


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Return ``input - alpha * other``."""
    if bool_ in (result_type(input, other),):
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported")
    return binary("sub", simple.Sub, np.subtract, input, _scaled(other, alpha), "Sub")


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Return ``other - alpha * input``."""
    return sub(other, input, alpha=alpha)


def mul(input: Any, other: Any) -> Tensor:
    """Return ``input * other``."""
    return binary("mul", simple.Mul, _bool_mul, input, other, "Mul")


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Return ``input / other``; rounded towards 0 ("trunc") or down ("floor") if ``rounding_mode`` says so."""
    if rounding_mode == "floor":
        return floor_divide(input, other)
    d = result_type(input, other)
    out = apply("div", simple.Div, np.divide, input, other, floats_only=True, op="Div")
    if rounding_mode == "trunc":
        return trunc(out) if d.is_floating_point else from_array(to_array(trunc(out)), out.device, d)
    if rounding_mode is not None:
        raise RuntimeError(f'div: expected rounding_mode None, "trunc" or "floor", got {rounding_mode!r}')
    return out


def rdiv(input: Any, other: Any) -> Tensor:
    """Return ``other / input``."""
    return div(other, input)


def floor_divide(input: Any, other: Any) -> Tensor:
    """Return the quotient, rounded down."""
    d = result_type(input, other)
    if d.is_floating_point:
        return floor(div(input, other))
    place = common_device("floor_divide", input, other)
    if np.any(to_array(other) == 0):
        raise RuntimeError("ZeroDivisionError")
    return from_array(np.floor_divide(to_array(input), to_array(other)), place, d)


def remainder(input: Any, other: Any) -> Tensor:
    """Return the remainder of the quotient rounded down: with the sign of ``other``."""
    d = result_type(input, other)
    if d.is_floating_point:
        return sub(input, mul(floor(div(input, other)), other))
    if np.any(to_array(other) == 0):
        raise RuntimeError("ZeroDivisionError")
    return from_array(np.mod(to_array(input), to_array(other)), common_device("remainder", input, other), d)


def fmod(input: Any, other: Any) -> Tensor:
    """Return the remainder of the quotient rounded towards 0: with the sign of ``input``."""
    d = result_type(input, other)
    if d.is_floating_point:
        return sub(input, mul(trunc(div(input, other)), other))
    if np.any(to_array(other) == 0):
        raise RuntimeError("ZeroDivisionError")
    return from_array(np.fmod(to_array(input), to_array(other)), common_device("fmod", input, other), d)


def pow(input: Any, exponent: Any) -> Tensor:
    """Return ``input ** exponent``."""
    if is_float(input) and type(exponent) in (int, float):
        v = input._value
        if exponent == 2:
            return wrap(simple.Mul.apply(v, v), op="Pow")
        return wrap(simple.Power.apply(v, exponent=float(exponent)), op="Pow")
    d = result_type(input, exponent)
    if not d.is_floating_point and np.any(to_array(exponent) < 0):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return apply("pow", more.Pow, np.power, input, exponent, op="Pow")


def rpow(input: Any, other: Any) -> Tensor:
    """Return ``other ** input``."""
    return pow(other, input)


def neg(input: Tensor) -> Tensor:
    """Return ``-input``."""
    return apply("neg", simple.Neg, np.negative, input, op="Neg")


def positive(input: Tensor) -> Tensor:
    """Return ``input``."""
    return input


def abs(input: Tensor) -> Tensor:
    """Return the magnitudes."""
    return apply("abs", simple.Abs, np.abs, input, op="Abs")


def _require_tensor(name: str, other: Any) -> None:
    if not isinstance(other, Tensor):
        raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """Return the larger of each two elements; nan wins."""
    _require_tensor("maximum", other)
    return apply("maximum", more.Maximum, np.maximum, input, other, op="Maximum")


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of each two elements; nan wins."""
    _require_tensor("minimum", other)
    return apply("minimum", more.Minimum, np.minimum, input, other, op="Minimum")


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Return the angles of the points ``(other, input)``."""
    return apply("atan2", more.Atan2, np.arctan2, input, other, floats_only=True, op="Atan2")


def _as_limit(x: Any, input: Tensor) -> Tensor:
    return x if isinstance(x, Tensor) else from_array(np.array(x, input.dtype.numpy), input.device)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Return the elements kept between ``min`` and ``max``, numbers or tensors; None is no limit."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        above = input if min is None else maximum(input, _as_limit(min, input))
        return above if max is None else minimum(above, _as_limit(max, input))
    if is_float(input):
        low, high = (-math.inf if min is None else float(min)), (math.inf if max is None else float(max))
        return wrap(more.Clamp.apply(input._value, low=low, high=high), op="Clamp")
    d = result_type(input, *(x for x in (min, max) if x is not None))
    return from_array(np.clip(to_array(input), min, max), input.device, d)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Return the elements, at least ``min``."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Return the elements, at most ``max``."""
    return clamp(input, max=max)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """Return ``input + weight * (end - input)``."""
    return add(input, mul(sub(end, input), weight))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """Return ``input + value * tensor1 * tensor2``."""
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """Return ``input + value * tensor1 / tensor2``."""
    return add(input, div(tensor1, tensor2), alpha=value)


# Functions of fractions; integers become the default dtype.


def unary(name: str, fn: type[Function], op: str | None = None) -> Callable[[Tensor], Tensor]:
    """Return the function of PyTorch's kind that applies a Function of the core to each element."""

    def function(input: Tensor) -> Tensor:
        if is_float(input):
            return wrap(fn.apply(input._value), op=op or name.capitalize())
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
            )
        return apply(name, fn, np.asarray, input, floats_only=True)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Apply `minitorch.tensor_functions` ``{fn.__name__}`` to each element: {fn.__doc__}"
    return function


exp, sqrt, tanh = unary("exp", simple.Exp), unary("sqrt", simple.Sqrt), unary("tanh", simple.Tanh)
sigmoid, reciprocal = unary("sigmoid", simple.Sigmoid), unary("reciprocal", simple.Inv)
log, log2, log10 = unary("log", more.Ln), unary("log2", more.Log2), unary("log10", more.Log10)
log1p, expm1, rsqrt = unary("log1p", more.Log1p), unary("expm1", more.Expm1), unary("rsqrt", more.Rsqrt)
sin, cos, tan = unary("sin", more.Sin), unary("cos", more.Cos), unary("tan", more.Tan)
asin, acos, atan = unary("asin", more.Asin), unary("acos", more.Acos), unary("atan", more.Atan)
sinh, cosh, erf = unary("sinh", more.Sinh), unary("cosh", more.Cosh), unary("erf", more.Erf)
arcsin, arccos, arctan = asin, acos, atan


def relu(input: Tensor) -> Tensor:
    """Return ``max(input, 0)``."""
    if is_float(input):
        return wrap(late_relu(input._value), op="Relu")
    return apply("relu", simple.ReLU, lambda x: np.maximum(x, 0), input, op="Relu")


def square(input: Tensor) -> Tensor:
    """Return ``input ** 2``."""
    return pow(input, 2)


def _whole(name: str, fn: type[Function]) -> Callable[[Tensor], Tensor]:
    def function(input: Tensor) -> Tensor:
        return apply(name, fn, np.asarray, input, op=name.capitalize())

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Apply ``{fn.__name__}`` to each element: {fn.__doc__}"
    return function


floor, ceil, trunc = _whole("floor", more.Floor), _whole("ceil", more.Ceil), _whole("trunc", more.Trunc)
fix = trunc


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Return the nearest numbers of so many decimals; from the middle, the even one."""
    if decimals:
        return div(round(mul(input, 10.0**decimals)), 10.0**decimals)
    return apply("round", more.Round, np.asarray, input, op="Round")


def frac(input: Tensor) -> Tensor:
    """Return the fraction of each element."""
    return sub(input, trunc(input))


def sign(input: Tensor) -> Tensor:
    """Return -1, 0 or 1 for each element."""
    return apply("sign", more.Sign, np.sign, input, op="Sign")


# Choosing and converting


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """Return ``input`` where ``condition`` holds, else ``other``; all broadcast.

    With ``condition`` alone: the indices where it holds, a tensor for each dimension.
    """
    if input is None:
        return tuple(from_array(k, condition.device) for k in np.nonzero(to_array(condition)))
    d = result_type(input, other)
    chosen = to_array(condition)
    if chosen.dtype == np.uint8:
        chosen = chosen.astype(bool)
    if chosen.dtype != np.bool_:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{TYPE_NAMES[condition.dtype.name]}"
        )
    place = common_device("where", condition, input, other)
    if not d.is_floating_point:
        arrays = [np.asarray(to_array(x), d.numpy) for x in (input, other)]
        return from_array(np.where(chosen, *arrays), place)
    backend = next((x._value.backend for x in (input, other) if is_float(x)), None)
    a, b = as_core(input, d, backend), as_core(other, d, backend)
    mask = Core(a.backend.from_array(np.array(chosen, a.dtype)))
    return wrap(more.Where.apply(mask, a, b), op="Where")


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return ``input`` with ``value`` where ``mask`` holds."""
    d = input.dtype
    if isinstance(value, Tensor):
        value = value.item()
    if not d.is_floating_point:
        return from_array(np.where(to_array(mask), d.numpy.type(value), to_array(input)), input.device)
    return where(mask, float(value), input)


def cast(input: Tensor, d: dtype) -> Tensor:
    """Return the elements in another dtype; ``input`` itself if they are in it already."""
    if input.dtype is d:
        return input
    if is_float(input) and d.is_floating_point and d.numpy.itemsize > 2:
        return wrap(Cast.apply(input._value, dtype=d.numpy), op="ToCopy")
    with np.errstate(invalid="ignore", over="ignore"):
        values = to_array(input).astype(d.numpy)
    return from_array(values, input.device, d)
