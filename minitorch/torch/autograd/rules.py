"""The derivatives of Functions, written with calls that are recorded: what ``create_graph=True`` computes.

Each rule gets the call and the derivative ``d`` of its result, and returns one derivative for each operand; None means
none. The formulas are those of the Functions' ``backward``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import operators
from ...autodiff import Context, Function
from ...runtime.types import ConvParams, PoolParams
from ...tensor import Tensor as Core
from ...tensor_functions import arrange, elementwise, fused, nn, reduce, shape
from ...tensor_functions import math as more
from ...tensor_ops.activations import ACTIVATIONS
from ..tensor import _Hooked, wrap
from .function import _Users
from .recorded import Call, rule, summed, viewed, zeros_like

# Elements


def _formula(fn: type[Function], formula: Callable[[Core, Core, Core], Any]) -> None:
    """Enter a function of one element by ``formula(d, a, y)``, for the operand ``a`` and the result ``y``."""
    rule(fn)(lambda c, d: (formula(d, c.operand(0), c.result()),))


_formula(elementwise.Inv, lambda d, a, y: -(d * y * y))
_formula(elementwise.Sigmoid, lambda d, a, y: d * y * (1.0 - y))
_formula(elementwise.Tanh, lambda d, a, y: d * (1.0 - y * y))
_formula(elementwise.Exp, lambda d, a, y: d * y)
_formula(elementwise.Log, lambda d, a, y: d / (a + operators.EPS))
_formula(elementwise.Sqrt, lambda d, a, y: d * 0.5 / y)
_formula(more.Ln, lambda d, a, y: d / a)
_formula(more.Log2, lambda d, a, y: d / (a * math.log(2.0)))
_formula(more.Log10, lambda d, a, y: d / (a * math.log(10.0)))
_formula(more.Log1p, lambda d, a, y: d / (a + 1.0))
_formula(more.Expm1, lambda d, a, y: d * (y + 1.0))
_formula(more.Rsqrt, lambda d, a, y: d * -0.5 * (y * y * y))
_formula(more.Sin, lambda d, a, y: d * more.Cos.apply(a))
_formula(more.Cos, lambda d, a, y: -(d * more.Sin.apply(a)))
_formula(more.Tan, lambda d, a, y: d * (y * y + 1.0))
_formula(more.Asin, lambda d, a, y: d * more.Rsqrt.apply(1.0 - a * a))
_formula(more.Acos, lambda d, a, y: -(d * more.Rsqrt.apply(1.0 - a * a)))
_formula(more.Atan, lambda d, a, y: d / (a * a + 1.0))
_formula(more.Sinh, lambda d, a, y: d * more.Cosh.apply(a))
_formula(more.Cosh, lambda d, a, y: d * more.Sinh.apply(a))
_formula(more.Erf, lambda d, a, y: d * (2.0 / math.sqrt(math.pi)) * elementwise.Exp.apply(-(a * a)))
_formula(more.Softplus, lambda d, a, y: d * elementwise.Sigmoid.apply(a))


@rule(elementwise.GELUFun)
def _gelu(c: Call, d: Core) -> tuple[Any, ...]:
    a = c.operand(0)
    below = (more.Erf.apply(a * math.sqrt(0.5)) + 1.0) * 0.5
    density = elementwise.Exp.apply(a * a * -0.5) * (1.0 / math.sqrt(2.0 * math.pi))
    return (d * (below + a * density),)


@rule(elementwise.GELUTanhFun)
def _gelu_tanh(c: Call, d: Core) -> tuple[Any, ...]:
    a, k = c.operand(0), math.sqrt(2.0 / math.pi)
    t = elementwise.Tanh.apply((a + a * a * a * 0.044715) * k)
    slope = (1.0 - t * t) * (a * a * (3 * 0.044715) + 1.0) * k
    return (d * 0.5 * (t + 1.0 + a * slope),)


@rule(
    elementwise.ReLU, elementwise.LeakyReLUFun, elementwise.Abs, more.ReLU6, more.Clamp, more.Maximum, more.Minimum,
    more.Floor, more.Ceil, more.Round, more.Trunc, more.Sign, fused.Drop,
)  # fmt: skip
def _linear_in_parts(c: Call, d: Core) -> tuple[Any, ...]:
    """The slopes are constants wherever they are defined."""
    return tuple(None if s is None else d * s for s in c.slopes(d))


@rule(elementwise.Neg)
def _neg(c: Call, d: Core) -> tuple[Any, ...]:
    return (-d,)


@rule(elementwise.Add)
def _add(c: Call, d: Core) -> tuple[Any, ...]:
    return d, d


@rule(elementwise.Sub)
def _sub(c: Call, d: Core) -> tuple[Any, ...]:
    return d, -d if c.needs(1) else None


@rule(elementwise.Mul)
def _mul(c: Call, d: Core) -> tuple[Any, ...]:
    return d * c.operand(1) if c.needs(0) else None, d * c.operand(0) if c.needs(1) else None


@rule(elementwise.Div)
def _div(c: Call, d: Core) -> tuple[Any, ...]:
    da = d / c.operand(1)
    return da, -(c.result() * da) if c.needs(1) else None


@rule(elementwise.Power)
def _power(c: Call, d: Core) -> tuple[Any, ...]:
    _, exponent = c.saved
    if exponent == 0:
        return (None,)
    return (d * exponent * elementwise.Power.apply(c.operand(0), exponent=exponent - 1.0),)


@rule(more.Pow)
def _pow(c: Call, d: Core) -> tuple[Any, ...]:
    a, b = c.operand(0), c.operand(1)
    da = d * b * more.Pow.apply(a, b - 1.0) if c.needs(0) else None
    if not c.needs(1):
        return da, None
    above = Core(a._tensor.f.lt_zip(a._tensor.filled(0.0), a._tensor))
    one = Core(a._tensor.filled(1.0))
    return da, d * c.result() * more.Ln.apply(more.Where.apply(above, a, one))


@rule(more.Atan2)
def _atan2(c: Call, d: Core) -> tuple[Any, ...]:
    a, b = c.operand(0), c.operand(1)
    square = a * a + b * b
    return d * b / square, -(d * a / square)


@rule(more.Where)
def _where(c: Call, d: Core) -> tuple[Any, ...]:
    mask, nothing = c.operand(0), zeros_like(d)
    return None, more.Where.apply(mask, d, nothing), more.Where.apply(mask, nothing, d)


@rule(elementwise.Weigh)
def _weigh(c: Call, d: Core) -> tuple[Any, ...]:
    da = elementwise.Weigh.apply(d, c.operand(1)) if c.needs(0) else None
    return da, d * c.operand(0) if c.needs(1) else None


@rule(elementwise.BCEWithLogits)
def _bce_with_logits(c: Call, d: Core) -> tuple[Any, ...]:
    a, target = c.operand(0), c.operand(1)
    return d * (elementwise.Sigmoid.apply(a) - target), -(d * a) if c.needs(1) else None


# Sums and products


@rule(reduce.Sum, arrange.Expand, shape.Copy, shape.Cast)
def _itself(c: Call, d: Core) -> tuple[Any, ...]:
    """`fitted` does the rest."""
    return (d,)


@rule(reduce.Mean)
def _mean(c: Call, d: Core) -> tuple[Any, ...]:
    (count,) = c.saved
    return (d / count,)


def _transposed(a: Core) -> Core:
    made: Core = shape.Permute.apply(a, order=(1, 0) if a.dims == 2 else (0, 2, 1))
    return made


@rule(reduce.MatMul)
def _matmul(c: Call, d: Core) -> tuple[Any, ...]:
    da = reduce.MatMul.apply(d, _transposed(c.operand(1))) if c.needs(0) else None
    return da, reduce.MatMul.apply(_transposed(c.operand(0)), d) if c.needs(1) else None


@rule(arrange.CumSum)
def _cumsum(c: Call, d: Core) -> tuple[Any, ...]:
    (dim,) = c.saved
    return (_flipped(arrange.CumSum.apply(_flipped(d, dim), dim=dim), dim),)


def _flipped(d: Core, dim: int) -> Core:
    places = np.flip(np.arange(d.size).reshape(d.shape), dim)
    made: Core = arrange.Pick.apply(d, places=np.ascontiguousarray(places))
    return made


# Layout


@rule(shape.View)
def _view(c: Call, d: Core) -> tuple[Any, ...]:
    (before,) = c.saved
    return (viewed(d, before),)


@rule(shape.Permute)
def _permute(c: Call, d: Core) -> tuple[Any, ...]:
    (order,) = c.saved
    return (shape.Permute.apply(d, order=tuple(order.index(k) for k in range(len(order)))),)


@rule(shape.Cat)
def _cat(c: Call, d: Core) -> tuple[Any, ...]:
    dim, sizes = c.saved
    ends = np.cumsum(sizes).tolist()
    keys = [(*(slice(None),) * dim, slice(end - n, end)) for end, n in zip(ends, sizes)]
    return tuple(shape.Slice.apply(d, key=key) for key in keys)


@rule(arrange.Pad)
def _pad(c: Call, d: Core) -> tuple[Any, ...]:
    (key,) = c.saved
    return (shape.Slice.apply(d, key=key),)


def _put(d: Core, like: Core, places: Any) -> Core:
    """Return zeros of the shape of ``like`` with ``d`` added at places."""
    made: Core = arrange.AddAt.apply(zeros_like(like), viewed(d, places.shape), places=places)
    return made


@rule(shape.Slice)
def _slice(c: Call, d: Core) -> tuple[Any, ...]:
    key, like = c.saved[-1], c.inputs[0]
    places = np.arange(like.size).reshape(like.shape)[key]
    return (_put(d, like, np.ascontiguousarray(places).reshape(d.shape)),)


@rule(arrange.Pick)
def _pick(c: Call, d: Core) -> tuple[Any, ...]:
    return (_put(d, c.inputs[0], c.saved[0]),)


@rule(nn.Take)
def _take(c: Call, d: Core) -> tuple[Any, ...]:
    table, rows = c.inputs[0], c.saved[0]
    return (_put(d, table, rows[:, None] * table.shape[1] + np.arange(table.shape[1])),)


@rule(arrange.AddAt)
def _add_at(c: Call, d: Core) -> tuple[Any, ...]:
    (places,) = c.saved
    return d, arrange.Pick.apply(d, places=places)


# Networks


@rule(nn.LogSoftmax)
def _log_softmax(c: Call, d: Core) -> tuple[Any, ...]:
    _, dim = c.saved
    return (d - elementwise.Exp.apply(c.result()) * reduce.Sum.apply(d, dim=dim),)


@rule(nn.Softmax)
def _softmax(c: Call, d: Core) -> tuple[Any, ...]:
    y, (_, dim) = c.result(), c.saved
    return (y * (d - reduce.Sum.apply(d * y, dim=dim)),)


@rule(nn.CrossEntropy)
def _cross_entropy(c: Call, d: Core) -> tuple[Any, ...]:
    """The slope is softmax minus target; of a row without a class it is 0."""
    slope, count = c.saved
    parts = nn.Softmax.apply(c.operand(0), dim=1)
    rows = Core(slope.f.from_array((slope.host() != 0).any(1, keepdims=True).astype(slope.dtype)))
    target = rows * parts.detach() - Core(slope)
    return ((parts * rows - target) * (d if count is None else d / count),)


def _before(activation: str, c: Call, d: Core) -> Core:
    """Return the derivative before the activation of a fused call."""
    if activation == "none":
        return d
    y = c.result()._tensor
    return d * Core(y.f.zip(ACTIVATIONS[activation][1])(y, y.filled(1.0)))


@rule(fused.Affine)
def _affine(c: Call, d: Core) -> tuple[Any, ...]:
    d = _before(c.saved[3], c, d)
    dx = reduce.MatMul.apply(d, c.operand(1)) if c.needs(0) else None
    return dx, reduce.MatMul.apply(_transposed(d), c.operand(0)) if c.needs(1) else None, d


@rule(fused.ScaleShift)
def _scale_shift(c: Call, d: Core) -> tuple[Any, ...]:
    d = _before(c.saved[3], c, d)
    return d * c.operand(1) if c.needs(0) else None, d * c.operand(0) if c.needs(1) else None, d


@rule(nn.Norm)
def _norm(c: Call, d: Core) -> tuple[Any, ...]:
    *_, eps, activation = c.saved
    x, w = c.operand(0), c.operand(1)
    d = _before(activation, c, d)

    def mean(t: Core) -> Core:
        return summed(t, 0, 2) / (x.shape[0] * x.shape[2])

    centered = x - mean(x)
    scale = more.Rsqrt.apply(mean(centered * centered) + eps)
    normal, g = centered * scale, d * w
    return scale * (g - mean(g) - normal * mean(g * normal)), d * normal, d


class ConvWeight(Function):
    """The derivative of a convolution for its weight, of the setting ``shape``, as a function of ``x`` and ``d``."""

    @staticmethod
    def forward(ctx: Context, x: Any, d: Any, shape: tuple[int, ...], params: ConvParams) -> Any:
        ctx.save_for_backward(x, d, params)
        return x.f.conv_grad_weight(x, d, shape, params)

    @staticmethod
    def backward(ctx: Context, dw: Any) -> tuple[Any, Any]:
        x, d, params = ctx.saved_values
        return dw.f.conv_grad_input(d, dw, x.shape, params), dw.f.conv(x, dw, params)


def _conv_grads(c: Call, d: Core, params: ConvParams) -> tuple[Any, Any]:
    x, w = c.inputs[:2]
    dx = arrange.ConvTranspose.apply(d, c.operand(1), size=x.shape[2:], params=params) if c.needs(0) else None
    return dx, ConvWeight.apply(c.operand(0), d, shape=w.shape, params=params) if c.needs(1) else None


@rule(nn.Conv)
def _conv(c: Call, d: Core) -> tuple[Any, ...]:
    return _conv_grads(c, d, c.saved[2])


@rule(fused.ConvActivation)
def _conv_activation(c: Call, d: Core) -> tuple[Any, ...]:
    d = _before(c.saved[3], c, d)
    return *_conv_grads(c, d, c.saved[4]), viewed(summed(d, 0, 2, 3), d.shape[1:2])


@rule(arrange.ConvTranspose)
def _conv_transpose(c: Call, d: Core) -> tuple[Any, ...]:
    params = c.saved[2]
    dx = nn.Conv.apply(d, c.operand(1), params=params) if c.needs(0) else None
    shape_of_w = c.inputs[1].shape
    return dx, ConvWeight.apply(d, c.operand(0), shape=shape_of_w, params=params) if c.needs(1) else None


@rule(ConvWeight)
def _conv_weight(c: Call, dw: Core) -> tuple[Any, ...]:
    params, x = c.saved[2], c.inputs[0]
    dx = (
        arrange.ConvTranspose.apply(c.operand(1), dw, size=x.shape[2:], params=params) if c.needs(0) else None
    )
    return dx, nn.Conv.apply(c.operand(0), dw, params=params) if c.needs(1) else None


class AverageBack(Function):
    """The derivative of average pooling for images like the setting ``like``, as a function of ``d``."""

    @staticmethod
    def forward(ctx: Context, d: Any, like: Any, params: PoolParams) -> Any:
        ctx.save_for_backward(d.shape[2:], params)
        return d.f.pool_grad(like, d, params)

    @staticmethod
    def backward(ctx: Context, dx: Any) -> Any:
        size, params = ctx.saved_values
        return dx.f.pool(dx, size, params)


@rule(AverageBack)
def _average_back(c: Call, dx: Core) -> tuple[Any, ...]:
    size, params = c.saved
    return (nn.Pool.apply(dx, size=size, params=params),)


@rule(nn.Pool)
def _pool(c: Call, d: Core) -> tuple[Any, ...]:
    x, params = c.saved
    if params.kind == "avg":
        return (AverageBack.apply(d, like=x, params=params),)
    like = c.operand(0)
    numbers = arrange.largest_places(x.host(), d.shape[2:], params)
    planes = np.arange(math.prod(like.shape[:2])).reshape(*like.shape[:2], 1, 1)
    return (_put(d, like, numbers + planes * math.prod(like.shape[2:])),)


# What users add


@rule(_Hooked)
def _hooked(c: Call, d: Core) -> tuple[Any, ...]:
    (hook,) = c.saved
    new = hook(wrap(d))
    return (d if new is None else new._value,)


@rule(_Users)
def _users(c: Call, d: Core) -> tuple[Any, ...]:
    (call,) = c.saved
    return call.recorded_backward(wrap(d), [wrap(x) for x in c.inputs], wrap(c.result()))
