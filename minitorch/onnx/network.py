"""The network of an ONNX file: its nodes, called one after the other.

Values between nodes are Tensors where they are real numbers, and NumPy arrays where they are whole numbers, such as
shapes. Depends on nothing of the file format: `load` makes the nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..module import Module, Parameter
from ..runtime.types import Array
from ..tensor import Tensor, tensor
from ..tensor_data import IndexingError
from .errors import LoadError

MOST_ELEMENTS = (
    1 << 31
)  # of a result whose size the file says; larger ones are refused before they are allocated


class Operator(NamedTuple):
    """What computes a kind of node.

    Attributes:
        compute: A function of a `Call`.
        least: The least number of operands.
        most: The largest number of operands.
        settings: The attributes that are known, with their defaults; a type where there is none, which gives None.
        constants: Which operands are settings, that is, not differentiated.
    """

    compute: Callable[[Call], Any]
    least: int = 1
    most: int = 1
    settings: Mapping[str, Any] = {}
    constants: tuple[int, ...] = ()


class Node(NamedTuple):
    """One call of an operator.

    Attributes:
        label: What messages call it.
        operator: What computes it.
        operands: Names of the operands; "" for one that is left out.
        result: Name of the result.
        settings: The attributes.
        version: Version of the operators.
        done: Names that no later node needs.
        layer: The child of the network that computes it, or None.
    """

    label: str
    operator: Operator
    operands: tuple[str, ...]
    result: str
    settings: Mapping[str, Any]
    version: int
    done: tuple[str, ...] = ()
    layer: Module | None = None


class Call(NamedTuple):
    """A node with the values of its operands."""

    node: Node
    values: Sequence[Any]
    like: Tensor
    training: bool

    def setting(self, name: str) -> Any:
        """Return an attribute."""
        return self.node.settings[name]

    def has(self, place: int) -> bool:
        """Tell whether an operand is given."""
        return place < len(self.values) and self.values[place] is not None

    def tensor(self, place: int = 0) -> Tensor:
        """Return an operand as a Tensor."""
        value = self.values[place]
        return value if isinstance(value, Tensor) else as_tensor(value, self.like)

    def tensors(self) -> list[Tensor]:
        """Return all operands as Tensors."""
        return [self.tensor(place) for place in range(len(self.values))]

    def array(self, place: int) -> Array:
        """Return an operand as an array."""
        value = self.values[place]
        return value.to_numpy() if isinstance(value, Tensor) else value

    def whole(self, place: int) -> list[int]:
        """Return an operand as a list of whole numbers.

        Raises:
            LoadError: It holds others.
        """
        values = np.atleast_1d(self.array(place))
        if values.dtype.kind not in "iub":
            raise LoadError(f"expected whole numbers as operand {place + 1}, got {values.dtype}")
        return [int(v) for v in values.ravel()]

    def number(self, place: int, default: float) -> float:
        """Return an operand of one number, or the default if it is not given.

        Raises:
            LoadError: It has more elements.
        """
        if not self.has(place):
            return default
        values = self.array(place)
        if values.size != 1:
            raise LoadError(f"expected one number as operand {place + 1}, got shape {values.shape}")
        return float(values.reshape(-1)[0])

    def only_numbers(self) -> bool:
        """Tell whether no operand is a Tensor."""
        return not any(isinstance(value, Tensor) for value in self.values)


def as_tensor(array: Array, like: Tensor) -> Tensor:
    """Return an array as a Tensor of the backend and dtype of ``like``."""
    return Tensor(like.f.from_array(np.array(array, like.dtype)))


def require_size(shape: Sequence[int]) -> None:
    """Check the shape of a result whose size the file says.

    Raises:
        LoadError: It is negative somewhere, or too large.
    """
    if any(n < 0 for n in shape) or math.prod(shape) > MOST_ELEMENTS:
        raise LoadError(
            f"expected a result of at most {MOST_ELEMENTS:,} elements, got the shape {tuple(shape)}"
        )


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
            return node.operator.compute(Call(node, operands, like, self.training))
        except (LoadError, IndexingError, ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
            line = " ".join(str(error).split())
            raise LoadError(f"{self.title}: {node.label}: {line}") from None

    def extra_repr(self) -> str:
        """Show the file and the size."""
        return f"{self.title}, nodes={len(self.nodes)}"


def _fits(shape: Sequence[int], expected: Sequence[int | str]) -> bool:
    return len(shape) == len(expected) and all(
        isinstance(wanted, str) or n == wanted for n, wanted in zip(shape, expected)
    )
