"""Writes a network as an ONNX file.

The network is called once with an example, and the calls that were recorded for backpropagation become nodes: each
Function has one line in the table of `nodes`. What does not depend on the input, such as a weight that took over a
batch normalization, is computed here and stored as a constant.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Variable, topological_sort
from ..module import Module
from ..runtime.files import replacing
from ..runtime.types import Array
from ..tensor import Tensor, tensor
from .nodes import ALIASES, NODES, ExportError, Nodes

OPSET = 17  # version of ONNX's operators, of 2022
IR_VERSION = 8  # of the file format, which belongs to it


def export(model: Module, example: npt.ArrayLike, path: str | os.PathLike[str]) -> None:
    """Write a network in evaluation mode as an ONNX file, atomically; numbers are float32.

    The file has one input, ``input``, of the example's shape, and one output, ``output``.

    Args:
        model: The network; its ``forward`` takes one Tensor and returns one.
        example: An input; only its shape and what the network decides by its numbers matter.
        path: The file.

    Raises:
        ExportError: The network is in training mode, uses a Function without a line in the table, or returns something
            else than a Tensor that depends on its input.
        OSError: The file cannot be written.
    """
    if any(m.training for m in model.modules_recursive()):
        raise ExportError("export: expected a network in evaluation mode, call eval() first")
    from onnx import checker, helper

    named = model.named_parameters()
    dtypes = [p.value.dtype for _, p in named if isinstance(p.value, Tensor)]
    values = np.asarray(example, dtypes[0] if dtypes else np.float32)
    x = tensor(values, dtype=values.dtype, requires_grad=True)
    out = model(x)
    if not isinstance(out, Tensor):
        raise ExportError(f"export: expected a network that returns a Tensor, got {type(out).__name__}")
    nodes = Nodes({id(p.value): name for name, p in named})
    _record(nodes, x, out)
    graph = helper.make_graph(
        nodes.made,
        type(model).__name__,
        [helper.make_tensor_value_info("input", 1, x.shape)],
        [helper.make_tensor_value_info("output", 1, out.shape)],
        nodes.constants,
    )
    opset = helper.make_opsetid("", OPSET)
    made = helper.make_model(graph, producer_name="minitorch", opset_imports=[opset], ir_version=IR_VERSION)
    checker.check_model(made)
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(made.SerializeToString())


def _record(nodes: Nodes, x: Tensor, out: Tensor) -> None:
    """Make a node of each call that depends on ``x``."""
    nodes.names[id(x)] = "input"
    for v in reversed(topological_sort(out)):
        if not any(id(p) in nodes.names for p in v.parents):
            continue
        history: Any = v.history
        fn = history.last_fn
        if fn in ALIASES:
            nodes.names[id(v)] = nodes.names[id(v.parents[0])]
            continue
        if fn not in NODES:
            raise ExportError(f"export: {fn.__name__} has no operator in the table of minitorch.onnx")
        operands: list[Array | Variable] = list(v.parents)
        nodes.result = nodes.new_name()
        NODES[fn](nodes, operands, history.ctx.saved_values, v)
        nodes.names[id(v)] = nodes.result
    if id(out) not in nodes.names:
        raise ExportError("export: expected a result that depends on the input")
    nodes.add("Identity", nodes.names[id(out)], result="output")
