"""Modules that hold others: Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from .module import Module
from .parameter import Parameter


class _List(Module):
    """What Sequential and ModuleList share: children by number."""

    def _names(self) -> list[str]:
        return list(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __add__(self, other: Any) -> Any:
        return type(self)(*self, *other) if isinstance(self, Sequential) else type(self)([*self, *other])

    def _place(self, index: int) -> str:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"index {index} is out of range")
        return self._names()[index]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._place(index), module)

    def __delitem__(self, index: Any) -> None:
        names = self._names()
        for name in names[index] if isinstance(index, slice) else [self._place(index)]:
            del self._modules[name]
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Any]) -> None:
        self._modules.clear()
        for k, m in enumerate(modules):
            self.add_module(str(k), m)

    def append(self, module: Module) -> Any:
        """Add a module at the end; return self."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before number ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add modules at the end; return self."""
        for m in modules:
            self.append(m)
        return self

    def pop(self, key: int) -> Any:
        """Remove a module and return it."""
        found = list(self)[key]
        del self[key]
        return found


class Sequential(_List):
    """Modules one after the other; or an OrderedDict of them."""

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for k, module in enumerate(args):
                self.add_module(str(k), module)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._place(index)]

    def forward(self, input: Any) -> Any:
        """Call one module after the other."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_List):
    """A list of modules, all of them registered."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._place(index)]

    def __iadd__(self, modules: Iterable[Any]) -> Any:  # type: ignore[misc]
        return self.extend(modules)

    def __repr__(self) -> str:
        runs: list[list[Any]] = []  # first number, last number, text: equal neighbours are shown once
        for k, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = k
            else:
                runs.append([k, k, text])
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in runs]
        inside = textwrap.indent("\n".join(lines), "  ")
        return f"ModuleList(\n{inside}\n)" if lines else "ModuleList()"


def _parameters_shown(module: Module) -> str:
    lines = [
        f"  ({name}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
        for name, p in module._parameters.items()
    ]
    return f"{type(module).__name__}(" + "\n".join(lines) + ")"


class ModuleDict(Module):
    """A dict of modules, all of them registered."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def keys(self) -> Any:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Any:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Any:
        """Return names and modules."""
        return self._modules.items()

    def update(self, modules: Any) -> None:
        """Add modules of a dict, or of pairs."""
        for key, module in modules.items() if isinstance(modules, dict | ModuleDict) else modules:
            self.add_module(key, module)


class ParameterList(Module):
    """A list of parameters, all of them registered."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def __getitem__(self, index: int) -> Any:
        return list(self._parameters.values())[index]

    def __setitem__(self, index: int, p: Any) -> None:
        self._parameters[str(range(len(self))[index])] = p

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def append(self, value: Any) -> Any:
        """Add a parameter at the end; return self."""
        self.register_parameter(str(len(self)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add parameters at the end; return self."""
        for value in values:
            self.append(value)
        return self

    def __repr__(self) -> str:
        return _parameters_shown(self)


class ParameterDict(Module):
    """A dict of parameters, all of them registered."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        for key, value in dict(parameters or {}).items():
            self[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.register_parameter(key, value if isinstance(value, Parameter) else Parameter(value))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: str) -> bool:
        return key in self._parameters

    def keys(self) -> Any:
        """Return the names."""
        return self._parameters.keys()

    def values(self) -> Any:
        """Return the parameters."""
        return self._parameters.values()

    def items(self) -> Any:
        """Return names and parameters."""
        return self._parameters.items()
