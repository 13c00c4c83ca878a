"""Padding as Modules: one line for each."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from .. import functional as F
from ..tuples import _ntuple
from .module import Module


class _Pad(Module):
    dims: int
    mode: str
    padding: tuple[int, ...]
    value = 0.0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self.dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        """Pad the last dimensions."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Pad the last dimensions with ``value``."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


def _made(base: type[_Pad], name: str, dims: int, mode: str) -> Any:
    body = {
        "dims": dims,
        "mode": mode,
        "__doc__": f"Pads the last {dims} dimensions: mode {mode!r}.",
        "__module__": __name__,
    }
    return type(name, (base,), body)


ZeroPad1d, ZeroPad2d, ZeroPad3d = (_made(_Pad, f"ZeroPad{n}d", n, "constant") for n in (1, 2, 3))
ConstantPad1d, ConstantPad2d, ConstantPad3d = (
    _made(_ConstantPadNd, f"ConstantPad{n}d", n, "constant") for n in (1, 2, 3)
)
ReflectionPad1d, ReflectionPad2d, ReflectionPad3d = (
    _made(_Pad, f"ReflectionPad{n}d", n, "reflect") for n in (1, 2, 3)
)
ReplicationPad1d, ReplicationPad2d, ReplicationPad3d = (
    _made(_Pad, f"ReplicationPad{n}d", n, "replicate") for n in (1, 2, 3)
)
CircularPad1d, CircularPad2d, CircularPad3d = (
    _made(_Pad, f"CircularPad{n}d", n, "circular") for n in (1, 2, 3)
)
