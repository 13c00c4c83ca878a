"""The network of an ONNX file: its nodes, called one after the other.

Depends on nothing of the file format: `load` makes the nodes, `operators` computes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..module import Module, Parameter
from ..runtime.shape_errors import first_line
from ..runtime.types import Array
from ..tensor import Tensor, tensor
from ..tensor_data import IndexingError
from .calls import Call, Node, as_tensor
from .errors import LoadError
from .operators import OPERATORS


class Input(NamedTuple):
    """An input of a network: its name, its sizes (a name where any size will do), and whether it is of real numbers."""

    name: str
    shape: tuple[int | str, ...] | None
    real: bool


class Network(Module):
    """The network of an ONNX file, made by `minitorch.onnx.load`.

    Weights of the file are Parameters under their names in it, and running statistics are buffers. Called with one
    array or Tensor for each input, it returns a Tensor, or a tuple where the file has several outputs. In training
    mode, dropout and batch normalization behave as the layers do.

    Attributes:
        inputs: The inputs, in order.
        outputs: Names of the outputs, in order.
    """

    def __init__(self, title: str, inputs: Sequence[Input], outputs: Sequence[str]) -> None:
        super().__init__()
        self.title = title
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.nodes: list[Node] = []
        self.settings: dict[str, Array] = {}
        self.homes: dict[str, tuple[Module, str]] = {}

    def forward(self, *inputs: Any) -> Any:
        """Compute the outputs.

        Args:
            *inputs: An array or Tensor for each input, of the sizes that the file gives.

        Raises:
            IndexingError: The number of inputs or a shape is another.
            LoadError: A node cannot be computed; the message names it.
        """
        values = self._known_values()
        like = next((v for v in (*values.values(), *inputs) if isinstance(v, Tensor)), None)
        like = tensor([0.0]) if like is None else like
        values |= self._inputs(inputs, like)
        for node in self.nodes:
            values[node.result] = self._compute(node, values, like)
            for name in node.done:
                del values[name]
        outputs = tuple(values[name] for name in self.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _known_values(self) -> dict[str, Any]:
        values: dict[str, Any] = dict(self.settings)
        for name, (home, key) in self.homes.items():
            kept = getattr(home, key)
            values[name] = kept.value if isinstance(kept, Parameter) else kept
        return values

    def _inputs(self, inputs: Sequence[Any], like: Tensor) -> dict[str, Any]:
        if len(inputs) != len(self.inputs):
            names = ", ".join(repr(i.name) for i in self.inputs)
            raise IndexingError(
                f"{self.title}: expected {len(self.inputs)} inputs ({names}), got {len(inputs)}"
            )
        given: dict[str, Any] = {}
        for value, expected in zip(inputs, self.inputs):
            if not isinstance(value, Tensor):
                value = np.asarray(value)
            shape = tuple(value.shape)
            if expected.shape is not None and not _fits(shape, expected.shape):
                wanted = f"({', '.join(map(str, expected.shape))}{',' if len(expected.shape) == 1 else ''})"
                raise IndexingError(
                    f"{self.title}: expected an input {expected.name!r} of shape {wanted}, got {shape}"
                )
            given[expected.name] = self._input(value, expected, like)
        return given

    def _input(self, value: Any, expected: Input, like: Tensor) -> Any:
        if not expected.real:
            array = value.to_numpy() if isinstance(value, Tensor) else value
            whole = array.astype(np.int64)
            if (whole != array).any():
                raise IndexingError(f"{self.title}: expected whole numbers as input {expected.name!r}")
            return whole
        if isinstance(value, Tensor):
            return value if value.dtype == like.dtype else value.astype(like.dtype)
        return as_tensor(value, like)

    def _compute(self, node: Node, values: Mapping[str, Any], like: Tensor) -> Any:
        operands = [values[name] if name else None for name in node.operands]
        try:
            return OPERATORS[node.operator].compute(Call(node, operands, like, self.training))
        except (LoadError, IndexingError, ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
            line = " ".join(first_line(error).split())
            raise LoadError(f"{self.title}: {node.label}: {line}") from None

    def extra_repr(self) -> str:
        """Show the file and the size."""
        return f"{self.title}, nodes={len(self.nodes)}"


def _fits(shape: Sequence[int], expected: Sequence[int | str]) -> bool:
    return len(shape) == len(expected) and all(
        isinstance(wanted, str) or n == wanted for n, wanted in zip(shape, expected)
    )
