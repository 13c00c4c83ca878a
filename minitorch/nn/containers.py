"""Sequential, and the base classes of layers that take over what follows them in it.

Depends on `minitorch.module` and `minitorch.tensor`. Two things that follow a layer may become part of it: a ReLU or
ReLU6 (`FusesActivation`: one kernel less, one pass over memory less), and in evaluation a norm, which is a scale and a
shift of each channel then and enters the convolution's weight (`FoldsNorm`, `FoldableNorm`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from ..module import Module, Parameter
from ..runtime.grad_mode import mode
from ..tensor import Tensor
from ..tensor_data import whole_number
from ..tensor_functions.math import ACTIVATED


class FusesActivation(Module):
    """A layer whose ``forward`` may take the activation after it as the setting ``act``: "none", "relu" or "relu6".

    Attributes:
        accepts_activation: Whether it does. A class declares this beside its ``forward``; for a subclass with another
            ``forward`` and no declaration of its own it is False.
        declared_forward: The ``forward`` that was declared so.
    """

    accepts_activation: ClassVar[bool] = False
    declared_forward: ClassVar[Any] = None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "accepts_activation" in vars(cls):
            cls.declared_forward = cls.forward
        elif "forward" in vars(cls):
            cls.accepts_activation = False


class FoldsNorm(FusesActivation):
    """A layer that can fold the norm after it into its weight: its ``forward`` takes it as the setting ``norm``.

    Attributes:
        weight: Its weight, output channels first.
        channels: Number of input and output channels.
    """

    weight: Parameter
    channels: tuple[int, int]


class FoldableNorm(FusesActivation):
    """A norm that, in evaluation, only scales and shifts each channel, so that the layer before it can do that.

    A class declares this for its ``forward`` by a ``scale_and_shift`` of its own. A subclass with another ``forward``
    and without ``scale_and_shift`` is not folded.

    Attributes:
        foldable_forward: The ``forward`` that was declared so.
        dims: Numbers of dimensions of the inputs it takes.
        num_features: Number of channels C.
    """

    dims: tuple[int, ...] = ()
    num_features = 0
    foldable_forward: ClassVar[Any] = None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "scale_and_shift" in vars(cls):
            cls.foldable_forward = cls.forward

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """Return scale and shift of the channels, both (C,); None where the norm depends on the batch."""
        raise NotImplementedError


class Sequential(Module):
    """Layers one after the other: Modules, and any callables (``ReLU()``, functions).

    ``len(model)`` counts them, ``model[i]`` is one of them, iteration gives all of them. A ReLU or ReLU6 is computed
    by the layer before it where that one accepts it; in evaluation a BatchNorm is folded into the convolution before.

    Args:
        *layers: The layers, each counted in the names "0", "1", ...; or one dict that gives names of its own.

    Raises:
        TypeError: A layer cannot be called.
        ValueError: A name is an attribute of every Module.
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        by_name = len(layers) == 1 and isinstance(layers[0], dict)
        named = layers[0] if by_name else {str(k): layer for k, layer in enumerate(layers)}
        for name, layer in named.items():
            if not callable(layer):
                raise TypeError(
                    f"Sequential: expected layers that can be called, got {layer!r} as layer {name!r}"
                )
            if name in dir(Module) or name == "names":
                raise ValueError(
                    f"Sequential: a layer cannot have the name {name!r}, which is an attribute: choose another"
                )
            setattr(self, name, layer)
        self.names = tuple(named)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int | slice) -> Any:
        """Return one layer; of a slice, a Sequential of these layers under the names they have here."""
        if isinstance(index, slice):
            return Sequential({name: getattr(self, name) for name in self.names[index]})
        position, count = whole_number("Sequential", "index", index), len(self.names)
        if not -count <= position < count:
            raise IndexError(f"Sequential: expected a layer number below {count}, got {position}")
        return getattr(self, self.names[position])

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.names)

    def forward(self, x: Any) -> Any:
        """Pass ``x`` through all layers."""
        return run_layers(self, x)


def run_layers(sequence: Iterable[Any], x: Any) -> Any:
    """Pass ``x`` through layers one after the other, fused and folded as in `Sequential`."""
    layers = list(sequence)
    while layers:
        layer = layers.pop(0)
        settings: dict[str, Any] = {}
        if layers and (norm := _foldable(layer, layers[0], x)) is not None:
            layers.pop(0)
            settings["norm"] = norm
        if layers and (act := _activation(layers[0])) and _accepts_activation(layer):
            layers.pop(0)
            settings["act"] = act
        x = layer(x, **settings)
    return x


def _foldable(layer: Any, follower: Any, x: Any) -> tuple[Tensor, Tensor] | None:
    """Return scale and shift of the norm ``follower`` where ``layer``, called with ``x``, can take them over."""
    if not (
        isinstance(x, Tensor)
        and isinstance(layer, FoldsNorm)
        and _accepts_activation(layer)
        and isinstance(follower, FoldableNorm)
        and _runs(follower, type(follower).foldable_forward)
    ):
        return None
    # A norm that does not fit stays where it is, and its own check reports it. Where a channel has more weights than
    # pixels, to scale the result is less work than to scale the weight, unless the result is needed for derivatives.
    fits = layer.weight.value.dims in follower.dims and layer.out_channels == follower.num_features
    pays = mode.enabled or layer.weight.value.size * layer.in_channels <= x.size * layer.out_channels
    return follower.scale_and_shift() if fits and pays else None


def _accepts_activation(layer: Any) -> bool:
    return (
        isinstance(layer, FusesActivation)
        and layer.accepts_activation
        and _runs(layer, type(layer).declared_forward)
    )


def _runs(layer: Module, forward: Any) -> bool:
    """Return whether a call of ``layer`` runs this ``forward``, which neither class nor instance has replaced."""
    kind, own = type(layer), vars(layer)
    return kind.forward is forward and kind.__call__ is Module.__call__ and "forward" not in own


def _activation(layer: Any) -> str | None:
    return next((name for name, fn in ACTIVATED.items() if layer is fn or type(layer) is fn), None)
