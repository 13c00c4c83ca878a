"""Parameters that are computed of others: ``torch.nn.utils.parametrize``.

A parametrized attribute becomes a property of a subclass that the module alone has. It calls the parametrizations,
which are children in ``parametrizations``, on the original parameter, ``parametrizations.<name>.original``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...autograd import no_grad
from ...tensor import Tensor
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

_cache: dict[tuple[int, str], Any] = {}
_cached = [0]  # how many `cached` blocks are open


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once within the block."""
    _cached[0] += 1
    try:
        yield
    finally:
        _cached[0] -= 1
        if not _cached[0]:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and what they are computed of: ``original``, or ``original0``, ..."""

    def __init__(self, modules: list[Any], original: Tensor, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            new: Any = original.detach()
            for module in reversed(list(self)):
                new = _inverse(module, new)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        trained = isinstance(original, Parameter)
        for name, t in zip(self._originals(), [new] if self.is_tensor else list(new)):
            if trained:
                setattr(self, name, original if not modules_change(modules) else Parameter(t))
                getattr(self, name).requires_grad_(original.requires_grad)
            else:
                self.register_buffer(name, t)

    def _originals(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{k}" for k in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrizations give ``value``."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                new = _inverse(module, new)
            for name, t in zip(self._originals(), [new] if self.is_tensor else list(new)):
                getattr(self, name).copy_(t)

    def forward(self) -> Any:
        """Return the tensor that the parametrizations compute."""
        first, *rest = list(self)
        out = first(*(getattr(self, name) for name in self._originals()))
        for module in rest:
            out = module(out)
        return out


def modules_change(modules: list[Any]) -> bool:
    """Tell whether one of the parametrizations has an inverse, which makes another original."""
    return any("right_inverse" in dir(type(m)) for m in modules)


def _inverse(module: Any, value: Any) -> Any:
    return module.right_inverse(value) if "right_inverse" in dir(type(module)) else value


def _property(name: str) -> property:
    def get(self: Any) -> Any:
        if not _cached[0]:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def put(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def _own_class(module: Module) -> None:
    """Give the module a subclass of its own, to which properties can be added."""
    base = type(module)

    def copied(self: Any, memo: Any) -> Any:
        made = self.__new__(type(self))
        memo[id(self)] = made
        vars(made).update(copy.deepcopy(vars(self), memo))
        return made

    body = {
        "__deepcopy__": copied,
        "_parametrized_base": base,
        "__doc__": base.__doc__,
        "__module__": base.__module__,
    }
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), body)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether a module has a parametrization, of this name or of any."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter or buffer by ``parametrization`` whenever it is read; return the module.

    Args:
        module: The owner of the tensor.
        tensor_name: The name of the tensor.
        parametrization: A Module that maps the original tensor to the one that is used; it may have a method
            ``right_inverse`` that maps back.
        unsafe: Whether the result may have another shape or dtype.

    Raises:
        ValueError: There is no such tensor, or the result has another shape or dtype.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain = module.parametrizations[tensor_name]
        with no_grad():
            now = getattr(module, tensor_name)
            inverse = _inverse(parametrization, now)
            _require_fit(now, parametrization(inverse), tensor_name, unsafe)
            if modules_change([parametrization]):
                chain.right_inverse(inverse)
        chain.append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    original = getattr(module, tensor_name)
    chain = ParametrizationList([parametrization], original, unsafe)
    with no_grad():
        _require_fit(original, chain(), tensor_name, unsafe)
    if not is_parametrized(module):
        _own_class(module)
        module._modules["parametrizations"] = ModuleDict()
    delattr(module, tensor_name)
    module.parametrizations[tensor_name] = chain
    setattr(type(module), tensor_name, _property(tensor_name))
    return module


def _require_fit(original: Tensor, new: Any, name: str, unsafe: bool) -> None:
    if unsafe:
        return
    if not isinstance(new, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(new).__name__}.")
    if new.dtype is not original.dtype or new.shape != original.shape:
        raise ValueError(
            f"Registering a parametrization may not change the shape or the dtype of the tensor '{name}', unless the "
            f"`unsafe` flag is enabled: {original.dtype} {tuple(original.shape)} became {new.dtype} {tuple(new.shape)}"
        )


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the tensor an ordinary one again: with the value that was computed, or with the original.

    Raises:
        ValueError: It is not parametrized; or it has several originals and ``leave_parametrized`` is False.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    original = chain.original if chain.is_tensor else chain.original0
    if not leave_parametrized and not chain.is_tensor:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    with no_grad():
        value = getattr(module, tensor_name).detach().clone() if leave_parametrized else original
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if isinstance(original, Parameter):
        kept = chain.is_tensor and original.shape == value.shape
        if kept:
            with no_grad():
                original.copy_(value)
        module.register_parameter(tensor_name, original if kept else Parameter(value, original.requires_grad))
    else:
        module.register_buffer(tensor_name, value)
    if not len(module.parametrizations):
        module.__class__ = vars(type(module))["_parametrized_base"]
        del module._modules["parametrizations"]
    return module


def type_before_parametrizations(module: Module) -> type:
    """Return the class that a module had before it was parametrized."""
    return vars(type(module))["_parametrized_base"] if is_parametrized(module) else type(module)
