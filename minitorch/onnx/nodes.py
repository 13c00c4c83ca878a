"""The table of Functions and the ONNX operators that compute them.

A line is a function of the graph under construction, the operands of the call, what its ``forward`` saved, and its
result. It adds nodes, of which the last one computes ``nodes.result``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..autodiff import Function
from ..runtime.types import Array, ConvParams, PoolParams
from ..tensor_functions import arrange, elementwise, fused, nn, reduce, shape
from ..tensor_functions import math as more
from .errors import ExportError

Line: TypeAlias = Callable[["Nodes", Sequence[Any], Any, Any], None]


class Nodes:
    """The nodes and constants of a graph under construction.

    Args:
        parameters: Names of the parameters, by ``id`` of the tensor.

    Attributes:
        names: Names of the tensors that depend on the input, by ``id``.
        made: The nodes.
        constants: The constants.
        result: Name of the result of the call at hand.
    """

    def __init__(self, parameters: dict[int, str]) -> None:
        self.names: dict[int, str] = {}
        self.made: list[Any] = []
        self.constants: list[Any] = []
        self.result = ""
        self._parameters, self._stored = parameters, set[str]()
        self._count = 0

    def new_name(self) -> str:
        """Return a name that no other tensor has."""
        self._count += 1
        return f"t{self._count}"

    def name(self, operand: Any) -> str:
        """Return the name of an operand; one that does not depend on the input becomes a constant."""
        known = self.names.get(id(operand))
        if known is not None:
            return known
        own = self._parameters.get(id(operand))
        if own is None:
            return self.constant(operand.to_numpy())
        if own not in self._stored:
            self._stored.add(own)
            self.constant(operand.to_numpy(), own)
        return own

    def constant(self, values: Any, name: str | None = None) -> str:
        """Store an array, numbers as float32 and whole numbers as int64, and return its name."""
        from onnx import numpy_helper

        array = np.asarray(values)
        name = self.new_name() if name is None else name
        kind = np.int64 if array.dtype.kind == "i" else np.float32
        self.constants.append(
            numpy_helper.from_array(np.ascontiguousarray(array, kind).reshape(array.shape), name)
        )
        return name

    def add(self, operator: str, *operands: str, result: str | None = None, **settings: Any) -> str:
        """Add a node and return the name of its result: that of the call at hand by default."""
        from onnx import helper

        result = self.result if result is None else result
        self.made.append(helper.make_node(operator, list(operands), [result], **settings))
        return result


def _plain(operator: str, **settings: Any) -> Line:
    """Return the line of an operator that takes the operands as they are."""

    def line(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
        nodes.add(operator, *map(nodes.name, operands), **settings)

    return line


def _activated(
    nodes: Nodes, operator: str, operands: Sequence[str], activation: str, **settings: Any
) -> None:
    """Add a node with the activation after it, a name of `minitorch.tensor_ops.activations.ACTIVATIONS`."""
    if activation == "none":
        nodes.add(operator, *operands, **settings)
        return
    before = nodes.add(operator, *operands, result=nodes.new_name(), **settings)
    if activation == "relu6":
        _clip(nodes, before)
    else:
        nodes.add("Relu", before)


def _clip(nodes: Nodes, name: str) -> None:
    nodes.add("Clip", name, nodes.constant(0.0), nodes.constant(6.0))


def _relu6(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    _clip(nodes, nodes.name(operands[0]))


def _leaky_relu(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("LeakyRelu", nodes.name(operands[0]), alpha=saved[1].to_numpy().item())


def _power(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Pow", nodes.name(operands[0]), nodes.constant(float(saved[1])))


def _softmax(operator: str) -> Line:
    def line(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
        nodes.add(operator, nodes.name(operands[0]), axis=int(saved[1]))

    return line


def _conv_settings(params: ConvParams) -> dict[str, Any]:
    top, bottom, left, right = params.padding
    return {
        "strides": params.stride,
        "pads": (top, left, bottom, right),
        "dilations": params.dilation,
        "group": params.groups,
    }


def _conv(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Conv", *map(nodes.name, operands), **_conv_settings(saved[2]))


def _anchored_conv(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    height, width = operands[1].shape[2:]
    params = ConvParams(padding=(0, height - 1, 0, width - 1))
    nodes.add("Conv", *map(nodes.name, operands), **_conv_settings(params))


def _conv_activation(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    *_, activation, params = saved
    _activated(nodes, "Conv", [nodes.name(v) for v in operands], activation, **_conv_settings(params))


def _affine(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    _activated(nodes, "Gemm", [nodes.name(v) for v in operands], saved[3], transB=1)


def _scale_shift(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    x, scale, shift = map(nodes.name, operands)
    _activated(nodes, "Add", [nodes.add("Mul", x, scale, result=nodes.new_name()), shift], saved[3])


def _pool(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    params: PoolParams = saved[1]
    ends = []  # padding at the end of each axis, with what the last window needs when sizes were rounded up
    for axis in (0, 1):
        begin, end = params.padding[2 * axis : 2 * axis + 2]
        span = params.dilation[axis] * (params.window[axis] - 1) + 1
        needed = (out.shape[2 + axis] - 1) * params.stride[axis] + span
        missing = needed - (operands[0].shape[2 + axis] + begin + end)
        if missing > 0 and params.kind == "avg":
            raise ExportError(
                "export: average pooling with ceil_mode has no operator in the table of minitorch.onnx"
            )
        ends.append(end + max(missing, 0))
    settings: dict[str, Any] = {
        "kernel_shape": params.window,
        "strides": params.stride,
        "pads": (params.padding[0], params.padding[2], *ends),
    }
    if params.kind == "max":
        nodes.add("MaxPool", nodes.name(operands[0]), dilations=params.dilation, **settings)
    else:
        nodes.add("AveragePool", nodes.name(operands[0]), count_include_pad=int(params.count_pad), **settings)


def _take(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Gather", nodes.name(operands[0]), nodes.constant(np.asarray(saved[0], np.int64)), axis=0)


def _reduced(operator: str) -> Line:
    def line(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
        before = operands[0].shape
        if len(before) != len(out.shape):
            raise ExportError(
                "export: a sum over all elements has no operator in the table of minitorch.onnx"
            )
        axes = [k for k, (n, m) in enumerate(zip(before, out.shape)) if n != m]
        if operator == "ReduceSum":  # its axes are an operand in this version of the operators
            axes_name = nodes.constant(np.array(axes, np.int64))
            nodes.add(operator, nodes.name(operands[0]), axes_name, keepdims=1, noop_with_empty_axes=1)
        elif axes:
            nodes.add(operator, nodes.name(operands[0]), axes=axes, keepdims=1)
        else:
            nodes.add("Identity", nodes.name(operands[0]))

    return line


def _view(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Reshape", nodes.name(operands[0]), nodes.constant(np.array(out.shape, np.int64)))


def _permute(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Transpose", nodes.name(operands[0]), perm=list(saved[0]))


def _cat(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    nodes.add("Concat", *map(nodes.name, operands), axis=int(saved[0]))


def _pad(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    (key,) = saved
    before = [part.start for part in key]
    after = [n - part.stop for n, part in zip(out.shape, key)]
    values: Array = out.to_numpy()
    inside = np.zeros(values.shape, bool)
    inside[key] = True
    fill = values[~inside][:1]
    nodes.add(
        "Pad",
        nodes.name(operands[0]),
        nodes.constant(np.array([*before, *after], np.int64)),
        nodes.constant(float(fill[0]) if fill.size else 0.0),
    )


def _slice(nodes: Nodes, operands: Sequence[Any], saved: Any, out: Any) -> None:
    sizes, key = saved[1], saved[3]
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, slice) for part in parts):
        raise ExportError(
            "export: expected slices as an index; others have no operator in the table of minitorch.onnx"
        )
    ranges = [part.indices(n) for part, n in zip(parts, sizes)]
    if any(step < 1 for _, _, step in ranges):
        raise ExportError("export: expected slices with positive steps")
    starts, stops, steps = (nodes.constant(np.array(column, np.int64)) for column in zip(*ranges))
    axes = nodes.constant(np.arange(len(ranges), dtype=np.int64))
    nodes.add("Slice", nodes.name(operands[0]), starts, stops, axes, steps)


ALIASES: tuple[type[Function], ...] = (shape.Copy, shape.Cast, shape.To)  # they change no numbers

NODES: dict[type[Function], Line] = {
    elementwise.Add: _plain("Add"),
    elementwise.Sub: _plain("Sub"),
    elementwise.Mul: _plain("Mul"),
    elementwise.Div: _plain("Div"),
    elementwise.Weigh: _plain("Mul"),
    elementwise.Neg: _plain("Neg"),
    elementwise.Inv: _plain("Reciprocal"),
    elementwise.ReLU: _plain("Relu"),
    elementwise.Sigmoid: _plain("Sigmoid"),
    elementwise.Tanh: _plain("Tanh"),
    elementwise.Exp: _plain("Exp"),
    elementwise.Sqrt: _plain("Sqrt"),
    elementwise.Abs: _plain("Abs"),
    elementwise.Power: _power,
    elementwise.LeakyReLUFun: _leaky_relu,
    more.ReLU6: _relu6,
    reduce.MatMul: _plain("MatMul"),
    reduce.Sum: _reduced("ReduceSum"),
    reduce.Mean: _reduced("ReduceMean"),
    reduce.Max: _reduced("ReduceMax"),
    nn.Softmax: _softmax("Softmax"),
    nn.LogSoftmax: _softmax("LogSoftmax"),
    nn.Conv: _conv,
    nn.Conv2dFun: _anchored_conv,
    nn.Pool: _pool,
    nn.Take: _take,
    fused.ConvActivation: _conv_activation,
    fused.Affine: _affine,
    fused.ScaleShift: _scale_shift,
    shape.View: _view,
    shape.Permute: _permute,
    shape.Cat: _cat,
    shape.Slice: _slice,
    arrange.Pad: _pad,
}
