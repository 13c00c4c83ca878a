"""Layers in a row, and what a layer takes along for the one after it: an activation, or a norm that only scales."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..module import Module, Parameter
from ..tensor import Tensor
from ..tensor_functions.elementwise import ReLU


def fuses(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Mark a layer's ``forward`` that takes the activation after it as the setting ``activation``."""
    vars(forward)["fuses"] = True
    return forward


class Folding(Module):
    """A layer that, in evaluation, scales and shifts each channel: a convolution before it can do that as well."""

    dims: tuple[int, ...] = ()
    num_features = 0

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """Return both, (C,), or None where it does more."""
        raise NotImplementedError


class TakesNorm(Module):
    """A layer whose weight can take in the norm after it.

    Attributes:
        weight: Its weight, output channels first.
        channels: How many channels come in and go out.
    """

    weight: Parameter
    channels: tuple[int, int]


class Sequential(Module):
    """Layers one after the other: Modules, and any callables (``ReLU()``, functions).

    Each counts in the numbering "0", "1", ...; a dict gives names of its own.
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        by_name = len(layers) == 1 and isinstance(layers[0], dict)
        named = layers[0] if by_name else {str(k): layer for k, layer in enumerate(layers)}
        for name, layer in named.items():
            if not callable(layer):
                raise TypeError(f"layer {name!r} of Sequential cannot be called: {layer!r}")
            if name in dir(Module) or name == "names":
                raise ValueError(
                    f"no layer of Sequential can be called {name!r}: it has an attribute of that name"
                )
            setattr(self, name, layer)
        self.names = tuple(named)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Any:
        return getattr(self, self.names[index])

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.names)

    def forward(self, x: Any) -> Any:
        """Pass ``x`` through all layers.

        A ReLU is left to the layer before it where that one takes it along; so is a norm that only scales and shifts
        to a convolution.
        """
        layers = list(self)
        while layers:
            layer = layers.pop(0)
            settings: dict[str, Any] = {}
            after = _folded(layer, layers[0]) if layers else None
            if after is not None:
                layers.pop(0)
                settings["after"] = after
            if layers and _is_relu(layers[0]) and _fuses(layer):
                layers.pop(0)
                settings["activation"] = "relu"
            x = layer(x, **settings)
        return x


def _folded(layer: Any, norm: Any) -> tuple[Tensor, Tensor] | None:
    """Return the scale and shift that a convolution can take in from the layer after it."""
    if not (isinstance(layer, TakesNorm) and _fuses(layer) and isinstance(norm, Folding)):
        return None
    # What does not fit is left to the layer itself, which says so.
    fits = layer.weight.value.dims in norm.dims and layer.channels[1] == norm.num_features
    return norm.scale_and_shift() if fits else None


def _fuses(layer: Any) -> bool:
    return isinstance(layer, Module) and "fuses" in vars(type(layer).forward)


def _is_relu(layer: Any) -> bool:
    return layer is ReLU or type(layer) is ReLU
