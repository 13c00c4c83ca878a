"""The tree of modules: parameters and buffers by dotted name, train and eval mode, saving and loading of state.

A ``Module`` owns the Parameters, buffers and Modules that were assigned to its attributes. A value may be a Tensor, a
Scalar or a plain number: it is used through the protocols below, and one that has no such method is skipped or treated
as plain numbers. The file depends on NumPy only; `minitorch.nn` builds on it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from .runtime.types import Array

T = TypeVar("T")
M = TypeVar("M", bound="Module")


@runtime_checkable
class _Trainable(Protocol):
    def requires_grad_(self, flag: bool, /) -> Any: ...


@runtime_checkable
class _Resettable(Protocol):
    def zero_grad_(self) -> Any: ...


@runtime_checkable
class _Readable(Protocol):
    def to_numpy(self) -> Array: ...


@runtime_checkable
class _Writable(Protocol):
    def copy_(self, array: Array, /) -> Any: ...


@runtime_checkable
class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


@runtime_checkable
class _Movable(Protocol):
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def to(self, backend: Any, /) -> Any: ...
    def astype(self, dtype: Any, /) -> Any: ...
    def requires_grad(self) -> bool: ...
    def requires_grad_(self, flag: bool, /) -> Any: ...


class Parameter:
    """A value that training changes. It keeps its place in the tree when the value is replaced.

    Args:
        x: Any value. One with ``requires_grad_`` is made to require a gradient.
        name: The name, which such a value gets too, for graphs and messages.

    Attributes:
        value: The value.
        name: The name, or None.
    """

    def __init__(self, x: Any = None, name: str | None = None) -> None:
        self.name = name
        self.update(x)

    def update(self, x: Any) -> None:
        """Replace the value by ``x``, which is made to require a gradient if it can."""
        self.value: Any = x
        if isinstance(x, _Trainable):
            x.requires_grad_(True)
            if self.name:
                self.value.name = self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @property
    def grad(self) -> Any:
        """The gradient of the value: None before a backward pass."""
        return self.value.grad

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set numbers of the value, outside the graph: a leaf stays one."""
        own = self.value
        if not isinstance(own, _Movable) or not own.requires_grad():
            self.value[key] = value
            return
        own.requires_grad_(False)
        try:
            self.value[key] = value
        finally:
            own.requires_grad_(True)

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return str(self.value)


class Module:
    """A node of the tree: it owns parameters, buffers (values that are saved and not trained) and child modules.

    A subclass calls ``super().__init__()``, assigns Parameters and Modules to attributes, which registers them, and
    defines ``forward`` with any signature; calling the module runs it. A new assignment to a name replaces what it
    stood for.

    Attributes:
        training: True in train mode, False in eval mode. ``mode`` reads it as ``"train"`` or ``"eval"``,
            unless the subclass has an attribute ``mode`` of its own.
    """

    def __init__(self) -> None:
        self._modules: dict[str, Module] = {}
        self._parameters: dict[str, Parameter] = {}
        self._buffers: dict[str, Any] = {}
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of a call of the module; a subclass defines it.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward: define it to call the module")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``self.forward(*args, **kwargs)``."""
        return self.forward(*args, **kwargs)

    def modules(self) -> list[Module]:
        """List the direct children, in order of assignment."""
        return list(self._modules.values())

    def children(self) -> list[Module]:
        """List the direct children: the same as `modules`."""
        return self.modules()

    def add_parameter(self, k: str, v: Any) -> Parameter:
        """Register the value ``v`` as a Parameter named ``k`` and return that Parameter."""
        parameter = Parameter(v, k)
        setattr(self, k, parameter)
        return parameter

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """List the parameters of the tree with their dotted names.

        A module's own come first, then those of its children, in order of assignment. A parameter that has several
        names is listed once, under the first.
        """
        return _once((path + key, p) for path, m in self._tree() for key, p in m._parameters.items())

    def parameters(self) -> list[Parameter]:
        """List the parameters of the tree, in the order of `named_parameters`."""
        return [p for _, p in self.named_parameters()]

    def register_buffer(self, name: str, value: Any) -> None:
        """Register ``value`` as a buffer: saved and moved with the parameters, and not trained.

        Reading ``module.name`` finds it; assigning to ``module.name`` replaces it.

        Args:
            name: The name of the attribute.
            value: A Tensor, or an array or number, which is kept as a NumPy array.

        Raises:
            TypeError: ``value`` is none of these.
        """
        self._register(self._buffers, name, _buffer(name, value))

    def named_buffers(self) -> list[tuple[str, Any]]:
        """List the buffers of the tree with their dotted names, in the order of `named_parameters`."""
        return _once((path + key, b) for path, m in self._tree() for key, b in m._buffers.items())

    def buffers(self) -> list[Any]:
        """List the buffers of the tree."""
        return [b for _, b in self.named_buffers()]

    def train(self: M, mode: bool = True) -> M:
        """Set the whole tree to train mode (eval mode if ``mode`` is False) and return self."""
        self.training = mode
        for child in self.modules():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Set the whole tree to eval mode and return self."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to None."""
        for p in self.parameters():
            if isinstance(p.value, _Resettable):
                p.value.zero_grad_()

    def to(self: M, backend: Any = None, dtype: npt.DTypeLike | None = None) -> M:
        """Move the Tensors of the tree, parameters and buffers, to another backend or dtype.

        Parameters stay the same objects and get new values. A value that moves loses its gradient; a frozen one stays
        frozen. NumPy buffers belong to the host and stay as they are.

        Args:
            backend: A name or a TensorBackend; None keeps each Tensor where it is.
            dtype: ``"float32"``, ``"float64"`` or the NumPy dtype; None keeps the dtype of each Tensor.

        Returns:
            The module itself.
        """
        for p in self.parameters():
            value = p.value
            if isinstance(value, _Movable):
                moved = _moved(value, backend, dtype)
                if moved is not value:
                    p.update(moved)
                    if not value.requires_grad():
                        moved.requires_grad_(False)
        for _, module in self._tree():
            for key, value in module._buffers.items():
                if isinstance(value, _Movable):
                    module._buffers[key] = _moved(value, backend, dtype)
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copy all parameters and buffers to the host, by dotted name.

        Module by module, parameters before buffers; a Scalar gives an array of shape (). As in PyTorch, a value that
        has several names is listed under each of them.

        Raises:
            TypeError: A parameter does not hold numbers.
        """
        return {name: _numbers(name, _value(slot), copy=True) for name, slot in self._slots()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> tuple[list[str], list[str]]:
        """Load parameters and buffers by dotted name: all of them, or none if one does not fit.

        Values are written in place and cast to the dtype and backend of what they replace.

        Args:
            state: By name: an array, a Tensor, nested lists, or anything NumPy reads, such as PyTorch's CPU tensors.
            strict: Require equal sets of names. A wrong shape is an error in any case.

        Returns:
            The names that ``state`` misses, and the names in it that this module does not have.

        Raises:
            RuntimeError: Names or shapes do not fit; the message lists all of them.
            TypeError: A value does not consist of numbers.
        """
        slots = dict(self._slots())
        missing = [name for name in slots if name not in state]
        unexpected = [name for name in state if name not in slots]
        arrays = {name: _numbers(name, state[name]) for name in slots if name in state}
        faults = []
        if strict:
            faults += [f"missing: {name}" for name in missing]
            faults += [f"unexpected: {name}" for name in unexpected]
        for name, array in arrays.items():
            shape = _shape(name, _value(slots[name]))
            if array.shape != shape:
                faults.append(f"shape: {name} is {shape} in the module, {array.shape} in the state")
        if faults:
            headline = f"load_state_dict: the state does not fit {type(self).__name__}, nothing was loaded:"
            raise RuntimeError("\n  ".join([headline, *faults]))
        for name, array in arrays.items():
            _write(slots[name], array)
        return missing, unexpected

    def extra_repr(self) -> str:
        """Return what ``repr`` shows besides the children, such as the settings of a layer."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        if not self._modules:
            return f"{name}({extra})"
        lines = [extra] if extra else []
        lines += [f"({key}): {child!r}" for key, child in self._modules.items()]
        inside = textwrap.indent("\n".join(lines), "  ")
        return f"{name}(\n{inside}\n)"

    def __getattr__(self, key: str) -> Any:
        here = self.__dict__
        try:
            return here["_parameters"][key] if key in here["_parameters"] else here["_modules"][key]
        except KeyError:
            registries = self._registries()
        for registry in registries:
            if key in registry:
                return registry[key]
        if key == "mode" and registries:
            return "train" if self.training else "eval"
        # Python also comes here when a property raised an AttributeError: run it again to show that one.
        for kind in type(self).__mro__:
            computed = vars(kind).get(key)
            if isinstance(computed, property | cached_property):
                return computed.__get__(self)
        hint = "" if registries else ": was super().__init__() called?"
        raise AttributeError(f"{type(self).__name__} has no attribute {key!r}{hint}", name=key, obj=self)

    def __setattr__(self, key: str, value: Any) -> None:
        registries = self._registries()
        if isinstance(value, (Parameter, Module)):
            if not registries:
                name = type(self).__name__
                raise AttributeError(f"{name}.{key}: call super().__init__() before assigning to it")
            if isinstance(value, Module):
                if any(m is self for m in value.modules_recursive()):
                    raise ValueError(f"{type(self).__name__}.{key}: a module cannot contain itself")
                self._register(self._modules, key, value)
            else:
                self._register(self._parameters, key, value)
        elif registries and key in self._parameters and isinstance(value, _Trainable):
            self._parameters[key].update(value)
        elif registries and key in self._buffers:
            self._buffers[key] = _buffer(key, value)
        else:
            for registry in registries:
                registry.pop(key, None)
            super().__setattr__(key, value)

    def __delattr__(self, key: str) -> None:
        for registry in self._registries():
            if key in registry:
                del registry[key]
                return
        super().__delattr__(key)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for registry in self._registries() for key in registry)]

    def _registries(self) -> tuple[dict[str, Any], ...]:
        # Empty before __init__ has run: copying and unpickling read attributes earlier.
        here = self.__dict__
        return (here["_parameters"], here["_modules"], here["_buffers"]) if "_buffers" in here else ()

    def _register(self, home: dict[str, Any], key: str, value: Any) -> None:
        for other in (self.__dict__, *self._registries()):
            if other is not home:
                other.pop(key, None)
        home[key] = value

    def modules_recursive(self) -> Iterator[Module]:
        """Yield the module itself and all below it, a parent before its children, in order of assignment."""
        for _, module in self._tree():
            yield module

    def _tree(self, path: str = "") -> Iterator[tuple[str, Module]]:
        yield path, self
        for key, child in self._modules.items():
            yield from child._tree(f"{path}{key}.")

    def _slots(self) -> Iterator[tuple[str, Any]]:
        for path, module in self._tree():
            for registry in (module._parameters, module._buffers):
                for key, slot in registry.items():
                    yield path + key, slot


def _once(pairs: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
    first: dict[int, tuple[str, T]] = {}
    for name, thing in pairs:
        first.setdefault(id(thing), (name, thing))
    return list(first.values())


def _value(slot: Any) -> Any:
    return slot.value if isinstance(slot, Parameter) else slot


def _numbers(name: str, value: Any, copy: bool | None = None) -> Array:
    array = value.to_numpy() if isinstance(value, _Readable) else np.array(value, copy=copy)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds a {type(value).__name__}: expected numbers, an array or a Tensor")
    return array


def _shape(name: str, value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, _Shaped) else _numbers(name, value).shape


def _buffer(name: str, value: Any) -> Any:
    return value if isinstance(value, _Readable) else _numbers(name, value)


def _write(slot: Any, array: Array) -> None:
    value = _value(slot)
    if isinstance(value, _Writable):
        value.copy_(array)
    elif isinstance(value, np.ndarray):
        value[...] = array
    else:
        slot.update(array.astype(np.asarray(value).dtype).tolist())


def _moved(value: _Movable, backend: Any, dtype: npt.DTypeLike | None) -> Any:
    moved = value if backend is None else value.to(backend)
    return moved if dtype is None or moved.dtype == np.dtype(dtype) else moved.astype(dtype)
