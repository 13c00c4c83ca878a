"""Activation functions as Modules: one line for each, its function and the settings that ``repr`` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..creation import full
from ..tensor import Tensor
from . import functional as F
from .module import Module
from .parameter import Parameter

_REQUIRED = object()


def _layer(name: str, fn: Callable[..., Tensor], shown: str = "{}", **settings: Any) -> type[Module]:
    """Make a Module of a function.

    Args:
        name: Of the class.
        fn: Called with the input and the settings.
        shown: "{}" shows all settings as ``name=value``; "inplace" shows ``inplace=True`` only where it is.
        **settings: The names of the arguments, with their defaults.
    """

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        Module.__init__(self)
        if len(args) > len(settings):
            raise TypeError(f"{name}() takes at most {len(settings)} arguments, got {len(args)}")
        given = dict(zip(settings, args))
        for key, value in kwargs.items():
            if key not in settings:
                raise TypeError(f"{name}() got an unexpected keyword argument {key!r}")
            given[key] = value
        for key, default in settings.items():
            if default is _REQUIRED and key not in given:
                raise TypeError(f"{name}() missing 1 required argument: {key!r}")
            setattr(self, key, given.get(key, default))

    def forward(self: Any, input: Tensor) -> Tensor:
        return fn(input, **{key: vars(self)[key] for key in settings})

    def extra_repr(self: Any) -> str:
        parts = [f"{k}={vars(self)[k]!r}" for k in settings if k != "inplace"]
        if "inplace" in settings and self.inplace:
            parts.append("inplace=True")
        return "" if shown == "none" else shown.format(", ".join(parts), **vars(self))

    doc = f"Applies `functional.{fn.__name__}`: {fn.__doc__}"
    body = {
        "__init__": __init__,
        "forward": forward,
        "extra_repr": extra_repr,
        "__doc__": doc,
        "__module__": __name__,
    }
    return type(name, (Module,), body)


ReLU = _layer("ReLU", F.relu, inplace=False)
ReLU6 = _layer("ReLU6", F.relu6, inplace=False)
Sigmoid = _layer("Sigmoid", F.sigmoid)
Tanh = _layer("Tanh", F.tanh)
GELU = _layer("GELU", F.gelu, approximate="none")
SiLU = _layer("SiLU", F.silu, inplace=False)
Mish = _layer("Mish", F.mish, inplace=False)
ELU = _layer("ELU", F.elu, alpha=1.0, inplace=False)
SELU = _layer("SELU", F.selu, inplace=False)
CELU = _layer("CELU", F.celu, alpha=1.0, inplace=False)
LeakyReLU = _layer("LeakyReLU", F.leaky_relu, negative_slope=0.01, inplace=False)
Hardtanh = _layer("Hardtanh", F.hardtanh, min_val=-1.0, max_val=1.0, inplace=False)
Hardsigmoid = _layer("Hardsigmoid", F.hardsigmoid, inplace=False)
Hardswish = _layer("Hardswish", F.hardswish, inplace=False)
Softplus = _layer("Softplus", F.softplus, beta=1.0, threshold=20.0)
Softsign = _layer("Softsign", F.softsign)
Tanhshrink = _layer("Tanhshrink", F.tanhshrink)
Softshrink = _layer("Softshrink", F.softshrink, "{lambd}", lambd=0.5)
Hardshrink = _layer("Hardshrink", F.hardshrink, "{lambd}", lambd=0.5)
LogSigmoid = _layer("LogSigmoid", F.logsigmoid)
Threshold = _layer("Threshold", F.threshold, threshold=_REQUIRED, value=_REQUIRED, inplace=False)
GLU = _layer("GLU", F.glu, dim=-1)
Softmax = _layer("Softmax", F.softmax, dim=None)
LogSoftmax = _layer("LogSoftmax", F.log_softmax, dim=None)
Softmin = _layer("Softmin", F.softmin, dim=None)


class Softmax2d(Module):
    """Softmax over the channels of images."""

    def forward(self, input: Tensor) -> Tensor:
        """Keep the shape."""
        return F.softmax(input, -3)


class PReLU(Module):
    """Leaky ReLU with a trained slope: one, or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(full((num_parameters,), float(init)))

    def forward(self, input: Tensor) -> Tensor:
        """Keep the shape."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """Leaky ReLU with random slopes in training."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Keep the shape."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")
