"""A tree of modules that hold parameters (module 0)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class NeedsGradient(Protocol):
    """A value that can be told to record what is computed with it: a tensor."""

    def requires_grad_(self, flag: bool, /) -> Any:
        """Switch the recording on or off."""


class Parameter:
    """A value that training changes.

    Attributes:
        value: Anything: a number, a Scalar, a Tensor.
        name: Its name; None if it has none.
    """

    def __init__(self, x: Any, name: str | None = None) -> None:
        self.value = x
        self.name = name
        self.update(x)

    def update(self, x: Any) -> None:
        """Replace the value."""
        self.value = x
        if isinstance(x, NeedsGradient):
            x.requires_grad_(True)

    def __repr__(self) -> str:
        return repr(self.value)


class Module:
    """A part of a model: it holds parameters and other modules.

    A Parameter or Module that is assigned to an attribute is kept in ``_parameters`` or ``_modules``, by its name.

    Attributes:
        training: True in training, False in evaluation.
    """

    _modules: dict[str, Module]
    _parameters: dict[str, Parameter]
    training: bool

    def __init__(self) -> None:
        self.__dict__.update(_modules={}, _parameters={}, training=True)

    def modules(self) -> Sequence[Module]:
        """Return the direct children."""
        return list(self._modules.values())

    def train(self) -> None:
        """Set ``training`` to True in this module and in all modules below it."""
        self.training = True
        for child in self.modules():
            child.train()

    def eval(self) -> None:
        """Set ``training`` to False in this module and in all modules below it."""
        self.training = False
        for child in self.modules():
            child.eval()

    def named_parameters(self) -> Sequence[tuple[str, Parameter]]:
        """Return a list of the names and Parameters of this module and of all modules below it.

        This module's own come first, then those of each child. In front of a child's names stands the child's own name
        and a dot: ``"layer.weight"``.
        """
        found = list(self._parameters.items())
        for name, child in self._modules.items():
            found += [(f"{name}.{below}", parameter) for below, parameter in child.named_parameters()]
        return found

    def parameters(self) -> Sequence[Parameter]:
        """Return a list of the Parameters of this module and of all modules below it."""
        return [parameter for _, parameter in self.named_parameters()]

    def add_parameter(self, k: str, v: Any) -> Parameter:
        """Make a Parameter of ``v``, keep it under the name ``k``, and return it."""
        self._parameters[k] = Parameter(v, k)
        return self._parameters[k]

    def __setattr__(self, key: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._parameters[key] = value
        elif isinstance(value, Module):
            self._modules[key] = value
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key: str) -> Any:
        for kept in ("_parameters", "_modules"):
            if key in self.__dict__.get(kept, {}):
                return self.__dict__[kept][key]
        raise AttributeError(f"{type(self).__name__} has no attribute {key!r}")

    def forward(self, *inputs: Any) -> Any:
        """Compute the output; each kind of module defines its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)
