"""Activation functions and dropout, named by `functional`; compositions of functions of the core."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...nn import functional as core
from ...tensor_functions import elementwise as simple
from ...tensor_functions import math as more
from ..elementwise import abs as _abs
from ..elementwise import add, clamp, div, expm1, maximum, minimum, mul, neg, sigmoid, sub, tanh, where
from ..elementwise import relu as _relu
from ..joining import chunk
from ..reductions import log_softmax, softmax
from ..shapes import reshape
from ..tensor import Tensor, is_float, replace, wrap

__all__ = [
    "alpha_dropout",
    "celu",
    "celu_",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "feature_alpha_dropout",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]  # fmt: skip


def _require_float(name: str, input: Any) -> None:
    if not is_float(input):
        got = input.dtype if isinstance(input, Tensor) else type(input).__name__
        raise RuntimeError(f"{name}: expected a Tensor of fractions, got {got}")


def _placed(input: Tensor, out: Tensor, inplace: bool) -> Tensor:
    return replace(input, out) if inplace else out


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``max(input, 0)``."""
    return _placed(input, _relu(input), inplace)


def relu_(input: Tensor) -> Tensor:
    """Do `relu` in place."""
    return relu(input, True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the elements kept between 0 and 6."""
    if not is_float(input):
        return hardtanh(input, 0.0, 6.0, inplace)
    return _placed(input, wrap(more.ReLU6.apply(input._value), op="Hardtanh"), inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return the elements kept between two limits; at the limits the derivative is 0."""
    out = clamp(input, min_val, max_val)
    if input.requires_grad:
        inside = (input > min_val) & (input < max_val)
        out = where(inside, input, out.detach())
    out._op = "Hardtanh"
    return _placed(input, out, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``relu6(input + 3) / 6``."""
    out = div(relu6(add(input, 3.0)), 6.0)
    out._op = "Hardsigmoid"
    return _placed(input, out, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input * relu6(input + 3) / 6``."""
    out = mul(input, hardsigmoid(input))
    out._op = "Hardswish"
    return _placed(input, out, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return the elements, times ``negative_slope`` where they are negative."""
    _require_float("leaky_relu", input)
    out = wrap(simple.LeakyReLUFun.apply(input._value, negative_slope=float(negative_slope)), op="LeakyRelu")
    return _placed(input, out, inplace)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return `leaky_relu` with a random slope for each element in training, else the mean one."""
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slope = input.detach().clone().uniform_(lower, upper)
    return _placed(input, where(input >= 0, input, mul(input, slope)), inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return the elements, times ``weight`` (one, or one for each channel) where they are negative."""
    w = reshape(weight, *(-1 if k == 1 else 1 for k in range(input.ndim))) if weight.numel() > 1 else weight
    out = add(_relu(input), mul(w, sub(input, _relu(input))))
    out._op = "Prelu"
    return out


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return ``alpha * (exp(x) - 1)`` where ``x`` is negative, else ``x``."""
    out = where(input > 0, input, mul(expm1(minimum(input, input.detach() * 0)), alpha))
    out._op = "Elu"
    return _placed(input, out, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    out = mul(elu(input, 1.6732632423543772), 1.0507009873554805)
    out._op = "Elu"
    return _placed(input, out, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return ``alpha * (exp(x / alpha) - 1)`` where ``x`` is negative, else ``x``."""
    return _placed(input, mul(elu(div(input, alpha)), alpha), inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return ``x`` times the normal distribution at ``x``; "tanh" approximates it."""
    _require_float("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    fn = simple.GELUFun if approximate == "none" else simple.GELUTanhFun
    return wrap(fn.apply(input._value), op="Gelu")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``x * sigmoid(x)``."""
    out = mul(input, sigmoid(input))
    out._op = "Silu"
    return _placed(input, out, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return ``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above ``threshold``."""
    _require_float("softplus", input)
    scaled = input if beta == 1 else mul(input, beta)
    out = wrap(more.Softplus.apply(scaled._value), op="Softplus")
    return where(scaled > threshold, input, out if beta == 1 else div(out, beta))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``x * tanh(softplus(x))``."""
    out = mul(input, tanh(softplus(input)))
    out._op = "Mish"
    return _placed(input, out, inplace)


def logsigmoid(input: Tensor) -> Tensor:
    """Return ``log(sigmoid(x))``."""
    _require_float("logsigmoid", input)
    out = neg(wrap(more.Softplus.apply(neg(input)._value)))
    out._op = "LogSigmoid"
    return out


def softsign(input: Tensor) -> Tensor:
    """Return ``x / (1 + |x|)``."""
    return div(input, add(_abs(input), 1.0))


def tanhshrink(input: Tensor) -> Tensor:
    """Return ``x - tanh(x)``."""
    return sub(input, tanh(input))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements moved by ``lambd`` towards 0, where they then stay."""
    return sub(
        maximum(sub(input, lambd), input.detach() * 0), maximum(sub(-lambd, input), input.detach() * 0)
    )


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements whose magnitude is above ``lambd``, else 0."""
    return where(_abs(input.detach()) > lambd, input, 0.0)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return the elements above ``threshold``, else ``value``."""
    return _placed(input, where(input > threshold, input, float(value)), inplace)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half along ``dim``, times the sigmoid of the second."""
    if input.size(dim) % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {input.size(dim)}")
    a, b = chunk(input, 2, dim)
    out = mul(a, sigmoid(b))
    out._op = "Glu"
    return out


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return the softmax of the negated elements."""
    return softmax(neg(input), dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Draw from the Gumbel-softmax distribution; ``hard`` gives one-hot rows with the gradient of the soft ones."""
    noise = logits.detach().clone().uniform_(1e-20, 1.0)
    soft = softmax(div(sub(logits, neg(noise.log()).log()), tau), dim)
    if not hard:
        return soft
    one_hot = (soft == soft.max(dim, True)[0]).to(soft.dtype)
    return one_hot - soft.detach() + soft


# Dropout


def _require_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set elements to 0 with probability ``p`` in training, and divide the others by ``1 - p``."""
    _require_probability(p)
    if not training or p == 0:
        return input
    _require_float("dropout", input)
    return _placed(input, wrap(core.dropout(input._value, p, scale=True), op="Dropout"), inplace)


def _channels(input: Tensor, p: float, training: bool, inplace: bool, spatial: int) -> Tensor:
    _require_probability(p)
    if not training or p == 0:
        return input
    ones = input.new_ones(*input.shape[: input.ndim - spatial], *(1,) * spatial)
    return _placed(input, mul(input, dropout(ones, p)), inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drop whole channels of (N, C, L)."""
    return _channels(input, p, training, inplace, 1)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drop whole channels of (N, C, H, W)."""
    return _channels(input, p, training, inplace, 2)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drop whole channels of (N, C, D, H, W)."""
    return _channels(input, p, training, inplace, 3)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drop elements so that mean and variance of `selu` stay."""
    _require_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        return _placed(input, mul(input, 0.0), inplace)
    return _alpha_dropped(input, input.detach().clone().bernoulli_(1 - p), p, inplace)


def _alpha_dropped(input: Tensor, kept: Tensor, p: float, inplace: bool) -> Tensor:
    low = -1.0507009873554805 * 1.6732632423543772
    a = 1 / math.sqrt((1 - p) * (1 + p * low**2))
    out = add(mul(add(mul(input, kept), mul(sub(1.0, kept), low)), a), -a * p * low)
    return _placed(input, out, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Drop whole channels of (N, C, ...) so that mean and variance of `selu` stay."""
    _require_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        return _placed(input, mul(input, 0.0), inplace)
    kept = input.new_ones(*input.shape[:2], *(1,) * (input.ndim - 2)).bernoulli_(1 - p)
    return _alpha_dropped(input, kept, p, inplace)


def _in_place(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def function(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return replace(input, fn(input, *args, **kwargs))

    function.__name__ = function.__qualname__ = f"{fn.__name__}_"
    function.__doc__ = f"Do `{fn.__name__}` in place."
    return function


celu_, elu_, selu_, hardtanh_ = _in_place(celu), _in_place(elu), _in_place(selu), _in_place(hardtanh)
leaky_relu_, rrelu_, threshold_ = _in_place(leaky_relu), _in_place(rrelu), _in_place(threshold)
