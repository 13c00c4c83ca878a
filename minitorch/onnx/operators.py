"""The table of ONNX operators and what computes them.

A line is a function of a `calls.Call`. Operators of whole numbers, which make shapes, are in `arrays`. Source:
the specification of ONNX's operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..module import Module
from ..nn import functional
from ..runtime.types import Array
from ..tensor import Tensor, cat
from ..tensor_data import IndexingError
from ..tensor_functions import arrange, elementwise, nn, shape
from ..tensor_functions import math as more
from . import arrays
from .calls import Call, Operator, as_tensor, require_size
from .errors import LoadError
from .windows import average_pool, conv, global_average_pool, global_max_pool, max_pool


def _fn(function: Any, most: int = 1) -> Operator:
    """Return the operator that applies a Function to its operands."""
    return Operator(lambda call: function.apply(*call.tensors()), most, most)


def _either(tensors: Callable[[Any, Any], Any], numbers: Callable[[Any, Any], Any]) -> Operator:
    """Return an operator of two operands, of Tensors or of whole numbers."""

    def compute(call: Call) -> Any:
        if call.only_numbers():
            return numbers(call.array(0), call.array(1))
        return tensors(call.tensor(0), call.tensor(1))

    return Operator(compute, 2, 2)


def _chain(function: Callable[[Any, Any], Any]) -> Operator:
    """Return an operator of any number of operands, taken two by two."""

    def compute(call: Call) -> Any:
        result, *rest = call.tensors()
        for other in rest:
            result = function(result, other)
        return result

    return Operator(compute, 1, 1 << 10)


def _axes(call: Call, place: int, dims: int) -> list[int]:
    """Return the axes of an attribute, or of an operand in newer versions, counted from the front."""
    axes = call.whole(place) if call.has(place) else list(call.setting("axes"))
    if any(not -dims <= axis < dims for axis in axes):
        raise LoadError(f"expected axes of {dims} dimensions, got {axes}")
    found = [axis % dims for axis in axes]
    if len(set(found)) != len(found):
        raise LoadError(f"expected each axis once, got {axes}")
    return sorted(found)


def _reduce(name: str) -> Operator:
    def compute(call: Call) -> Tensor:
        x = call.tensor()
        axes = _axes(call, 1, x.dims)
        if not axes and call.setting("noop_with_empty_axes"):
            return x
        axes = axes or list(range(x.dims))
        before = x.shape
        for axis in axes:
            x = x.sum(axis) if name == "sum" else x.mean(axis) if name == "mean" else x.max(axis)
        if call.setting("keepdims"):
            return x
        return x.contiguous().view(*(n for axis, n in enumerate(before) if axis not in axes))

    return Operator(compute, 1, 2, {"axes": (), "keepdims": 1, "noop_with_empty_axes": 0}, (1,))


def _softmax(function: Any) -> Operator:
    def compute(call: Call) -> Any:
        x, axis = call.tensor(), call.setting("axis")
        if call.node.version < 13:  # all axes from this one on, as one
            axis = 1 if axis is None else axis
            if axis not in (-1, x.dims - 1):
                raise LoadError(f"expected the last axis before version 13 of the operators, got {axis}")
        return function.apply(x, dim=-1 if axis is None else axis)

    return Operator(compute, settings={"axis": int})


def _gemm(call: Call) -> Tensor:
    a, b = call.tensor(0), call.tensor(1)
    alpha, beta = call.setting("alpha"), call.setting("beta")
    if a.dims != 2 or b.dims != 2:
        raise IndexingError(f"expected matrices, got shapes {a.shape} and {b.shape}")
    a = a.permute(1, 0) if call.setting("transA") else a
    c = call.tensor(2) if call.has(2) else None
    if call.setting("transB") and alpha == beta == 1.0 and c is not None and c.shape == (b.shape[0],):
        return functional.linear(a, b, c)
    product = a @ (b.permute(1, 0) if call.setting("transB") else b)
    product = product if alpha == 1.0 else product * alpha
    if c is None:
        return product
    return product + (c if beta == 1.0 else c * beta)


def _pow(call: Call) -> Any:
    if isinstance(call.values[1], Tensor) or call.values[1].size != 1:
        return more.Pow.apply(call.tensor(0), call.tensor(1))
    return call.tensor() ** call.number(1, 1.0)


def _clip(call: Call) -> Any:
    low = call.number(1, call.setting("min"))
    high = call.number(2, call.setting("max"))
    return more.Clamp.apply(call.tensor(), low=low, high=high)


def _prelu(call: Call) -> Tensor:
    x, slope = call.tensor(0), call.tensor(1)
    return x.relu() - slope * (-x).relu()


def _elu(call: Call) -> Any:
    x = call.tensor()
    below = more.Minimum.apply(x, as_tensor(np.zeros((1,) * x.dims), x))
    return x.relu() + call.setting("alpha") * (below.exp() - 1.0)


def _hard_sigmoid(x: Tensor, alpha: float, beta: float) -> Any:
    return more.Clamp.apply(x * alpha + beta, low=0.0, high=1.0)


def _gelu(call: Call) -> Any:
    kind = call.setting("approximate")
    kinds = {"none": elementwise.GELUFun, "tanh": elementwise.GELUTanhFun}
    if kind not in kinds:
        raise LoadError(f"expected approximate none or tanh, got {kind!r}")
    return kinds[kind].apply(call.tensor())


def _dropout(call: Call) -> Tensor:
    ratio = call.number(1, call.setting("ratio"))
    return functional.dropout(call.tensor(), ratio, not call.training, scale=True)


def _batch_norm(call: Call) -> Any:
    layer = call.node.layer
    if not isinstance(layer, Module):
        raise LoadError("expected scale, shift, mean and variance that the file holds")
    return layer(call.tensor())


def _layer_norm(call: Call) -> Tensor:
    x = call.tensor()
    axis = call.setting("axis")
    if not -x.dims <= axis < x.dims:
        raise LoadError(f"expected an axis of {x.dims} dimensions, got {axis}")
    mean = x
    axes = range(axis % x.dims, x.dims)
    for k in axes:
        mean = mean.mean(k)
    difference = x - mean
    variance = difference * difference
    for k in axes:
        variance = variance.mean(k)
    out = difference / (variance + call.setting("epsilon")).sqrt() * call.tensor(1)
    return out + call.tensor(2) if call.has(2) else out


def _flatten(call: Call) -> Tensor:
    x, axis = call.tensor(), call.setting("axis")
    if not -x.dims <= axis <= x.dims:
        raise LoadError(f"expected an axis of {x.dims} dimensions, got {axis}")
    sizes = x.shape
    return x.contiguous().view(*arrays.flat_shape(sizes, axis if axis >= 0 else axis + x.dims))


def _reshape(call: Call) -> Any:
    sizes = arrays.reshaped(call.values[0].shape, call.whole(1), bool(call.setting("allowzero")))
    return call.array(0).reshape(sizes) if call.only_numbers() else call.tensor().contiguous().view(*sizes)


def _transpose(call: Call) -> Tensor:
    x = call.tensor()
    return x.permute(*(call.setting("perm") or range(x.dims - 1, -1, -1)))


def _concat(call: Call) -> Any:
    if call.only_numbers():
        return np.concatenate(list(call.values), axis=call.setting("axis"))
    return cat(call.tensors(), call.setting("axis"))


def _pad(call: Call) -> Any:
    if call.setting("mode") != "constant":
        raise LoadError(f"expected mode constant, got {call.setting('mode')!r}")
    x = call.tensor()
    pads = call.whole(1) if call.has(1) else list(call.setting("pads"))
    axes = call.whole(3) if call.has(3) else list(range(x.dims))
    if (
        len(pads) != 2 * len(axes)
        or any(not -x.dims <= axis < x.dims for axis in axes)
        or min(pads, default=0) < 0
    ):
        raise LoadError(f"expected two widths of at least 0 for each axis of shape {x.shape}, got {pads}")
    widths = [(0, 0)] * x.dims
    for k, axis in enumerate(axes):
        widths[axis] = (pads[k], pads[k + len(axes)])
    require_size([n + before + after for n, (before, after) in zip(x.shape, widths)])
    if not any(map(any, widths)):
        return x
    return arrange.Pad.apply(x, widths=tuple(widths), value=call.number(2, call.setting("value")))


def _slice(call: Call) -> Any:
    value = call.values[0]
    if len(call.values) > 1:
        starts, stops = call.whole(1), call.whole(2)
        axes = call.whole(3) if call.has(3) else list(range(len(starts)))
        steps = call.whole(4) if call.has(4) else [1] * len(starts)
    else:  # before version 10 of the operators
        starts, stops = list(call.setting("starts")), list(call.setting("ends"))
        axes, steps = list(call.setting("axes")) or list(range(len(starts))), [1] * len(starts)
    key = arrays.slices(tuple(value.shape), starts, stops, axes, steps)
    return value[key] if not isinstance(value, Tensor) else shape.Slice.apply(value, key=key)


def _squeeze(call: Call) -> Any:
    value = call.values[0]
    axes = _axes(call, 1, len(value.shape)) or [k for k, n in enumerate(value.shape) if n == 1]
    if any(value.shape[axis] != 1 for axis in axes):
        raise LoadError(f"expected axes of size 1, got {axes} of shape {tuple(value.shape)}")
    return _viewed(value, [n for k, n in enumerate(value.shape) if k not in axes])


def _unsqueeze(call: Call) -> Any:
    value = call.values[0]
    count = len(call.whole(1)) if call.has(1) else len(call.setting("axes"))
    axes, rest = _axes(call, 1, len(value.shape) + count), iter(value.shape)
    return _viewed(value, [1 if k in axes else next(rest) for k in range(len(value.shape) + count)])


def _viewed(value: Any, sizes: Sequence[int]) -> Any:
    return value.contiguous().view(*sizes) if isinstance(value, Tensor) else value.reshape(sizes)


def _expand(call: Call) -> Any:
    x = call.tensor()
    sizes = np.broadcast_shapes(x.shape, tuple(call.whole(1)))
    require_size(sizes)
    return arrange.Expand.apply(x, shape=sizes)


def _gather(call: Call) -> Any:
    value, rows, axis = call.values[0], call.array(1), call.setting("axis")
    dims = len(value.shape)
    if rows.dtype.kind not in "iu" or not -dims <= axis < dims:
        raise LoadError(
            f"expected whole numbers and an axis of {dims} dimensions, got {rows.dtype} and {axis}"
        )
    size = value.shape[axis]
    if rows.size and not (-size <= rows.min() and rows.max() < size):
        raise LoadError(f"expected indices of {size} elements, got {rows.min()} to {rows.max()}")
    if not isinstance(value, Tensor):
        return np.take(value, rows, axis)
    axis %= dims
    order = [axis, *(k for k in range(dims) if k != axis)]
    first = value.permute(*order).contiguous()
    table = first.view(size, -1)
    found = nn.Take.apply(table, rows=(rows % size).reshape(-1)).view(*rows.shape, *first.shape[1:])
    at = list(range(rows.ndim))  # the axes of the indices go where the gathered axis was
    others = list(range(rows.ndim, found.dims))
    return found.permute(*others[:axis], *at, *others[axis:]) if axis else found


def _cast(call: Call) -> Any:
    value, target = call.values[0], call.setting("to")
    if target in arrays.REAL:
        return value if isinstance(value, Tensor) else value.astype(np.float64)
    if target not in arrays.WHOLE:
        raise LoadError(f"expected a type of numbers, got number {target} of the types")
    return np.trunc(call.array(0)).astype(arrays.WHOLE[target])


def _constant_of_shape(call: Call) -> Array:
    sizes = call.whole(0)
    require_size(sizes)
    value = call.setting("value")
    filler = np.zeros(1, np.float32) if value is None else value
    return np.full(sizes, filler.reshape(-1)[0], filler.dtype)


OPERATORS: dict[str, Operator] = {
    "Abs": _fn(elementwise.Abs),
    "Add": _either(lambda a, b: a + b, np.add),
    "AveragePool": average_pool,
    "BatchNormalization": Operator(
        _batch_norm,
        5,
        5,
        {"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0, "spatial": 1},
        (1, 2, 3, 4),
    ),
    "Cast": Operator(_cast, settings={"to": 0}),
    "Ceil": _fn(more.Ceil),
    "Clip": Operator(_clip, 1, 3, {"min": -np.inf, "max": np.inf}, (1, 2)),
    "Concat": Operator(_concat, 1, 1 << 10, {"axis": 0}),
    "ConstantOfShape": Operator(_constant_of_shape, settings={"value": np.ndarray}, constants=(0,)),
    "Conv": conv,
    "Cos": _fn(more.Cos),
    "Div": _either(lambda a, b: a / b, arrays.divide),
    "Dropout": Operator(_dropout, 1, 3, {"ratio": 0.5, "seed": 0}, (1, 2)),
    "Elu": Operator(_elu, settings={"alpha": 1.0}),
    "Erf": _fn(more.Erf),
    "Exp": _fn(elementwise.Exp),
    "Expand": Operator(_expand, 2, 2, constants=(1,)),
    "Flatten": Operator(_flatten, settings={"axis": 1}),
    "Floor": _fn(more.Floor),
    "Gather": Operator(_gather, 2, 2, {"axis": 0}, (1,)),
    "Gelu": Operator(_gelu, settings={"approximate": "none"}),
    "Gemm": Operator(_gemm, 2, 3, {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}),
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "HardSigmoid": Operator(
        lambda call: _hard_sigmoid(call.tensor(), call.setting("alpha"), call.setting("beta")),
        settings={"alpha": 0.2, "beta": 0.5},
    ),
    "HardSwish": Operator(lambda call: call.tensor() * _hard_sigmoid(call.tensor(), 1 / 6, 0.5)),
    "Identity": Operator(lambda call: call.values[0]),
    "LayerNormalization": Operator(_layer_norm, 2, 3, {"axis": -1, "epsilon": 1e-5, "stash_type": 1}),
    "LeakyRelu": Operator(
        lambda call: elementwise.LeakyReLUFun.apply(call.tensor(), negative_slope=call.setting("alpha")),
        settings={"alpha": 0.01},
    ),
    "Log": _fn(more.Ln),
    "LogSoftmax": _softmax(nn.LogSoftmax),
    "MatMul": Operator(lambda call: call.tensor(0) @ call.tensor(1), 2, 2),
    "Max": _chain(more.Maximum.apply),
    "MaxPool": max_pool,
    "Min": _chain(more.Minimum.apply),
    "Mul": _either(lambda a, b: a * b, np.multiply),
    "Neg": _fn(elementwise.Neg),
    "PRelu": Operator(_prelu, 2, 2),
    "Pad": Operator(_pad, 1, 4, {"mode": "constant", "pads": (), "value": 0.0}, (1, 2, 3)),
    "Pow": Operator(_pow, 2, 2, constants=(1,)),
    "Reciprocal": _fn(elementwise.Inv),
    "ReduceMax": _reduce("max"),
    "ReduceMean": _reduce("mean"),
    "ReduceSum": _reduce("sum"),
    "Relu": _fn(elementwise.ReLU),
    "Reshape": Operator(_reshape, 2, 2, {"allowzero": 0}, (1,)),
    "Round": _fn(more.Round),
    "Shape": Operator(
        lambda call: np.array(call.values[0].shape, np.int64)[call.setting("start") : call.setting("end")],
        settings={"start": 0, "end": int},
    ),
    "Sigmoid": _fn(elementwise.Sigmoid),
    "Sign": _fn(more.Sign),
    "Sin": _fn(more.Sin),
    "Slice": Operator(_slice, 1, 5, {"starts": (), "ends": (), "axes": ()}, (1, 2, 3, 4)),
    "Softmax": _softmax(nn.Softmax),
    "Softplus": Operator(lambda call: more.Softplus.apply(call.tensor())),
    "Sqrt": _fn(elementwise.Sqrt),
    "Squeeze": Operator(_squeeze, 1, 2, {"axes": ()}, (1,)),
    "Sub": _either(lambda a, b: a - b, np.subtract),
    "Sum": _chain(lambda a, b: a + b),
    "Tanh": _fn(elementwise.Tanh),
    "Transpose": Operator(_transpose, settings={"perm": ()}),
    "Unsqueeze": Operator(_unsqueeze, 1, 2, {"axes": ()}, (1,)),
}
