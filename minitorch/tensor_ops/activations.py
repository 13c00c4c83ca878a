"""The activations that layers compute with their results, by name; depends on `operators`.

Each is a float function and its derivative, which may take the function's argument or its result: ReLU's is at most 0
where its argument is, and ReLU6's at least 6. So a layer keeps its result only.
"""

from __future__ import annotations

from .. import operators
from ..runtime.types import Fn

ACTIVATIONS: dict[str, tuple[Fn, Fn]] = {
    "none": (operators.id, operators.id_back),
    "relu": (operators.relu, operators.relu_back),
    "relu6": (operators.relu6, operators.relu6_back),
}
