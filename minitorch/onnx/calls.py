"""What an operator of an ONNX file is, a node, and a call of it with the values of its operands.

Values between nodes are Tensors where they are real numbers, and NumPy arrays where they are whole numbers, such as
shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..module import Module
from ..runtime.types import Array
from ..tensor import Tensor
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
        operator: Name of the operator that computes it.
        operands: Names of the operands; "" for one that is left out.
        result: Name of the result.
        settings: The attributes.
        version: Version of the operators.
        done: Names that no later node needs.
        layer: The child of the network that computes it, or None.
    """

    label: str
    operator: str
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
