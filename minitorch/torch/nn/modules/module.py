"""Module: the tree of layers with parameters, buffers and modes, by PyTorch's rules.

Calls and hooks are in `nn.hooks`, state dicts in `nn.state`.
"""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from ...autograd import no_grad
from ...creation import empty_like
from ...dtypes import bfloat16, device, dtype
from ...tensor import Tensor
from ..hooks import REGISTRIES, HookedCall
from ..parameter import Buffer, Parameter
from ..state import Stateful

_HOMES = ("_parameters", "_buffers", "_modules")


class Module(HookedCall, Stateful):
    """A node of the tree: a subclass calls ``super().__init__()``, assigns layers to attributes, has ``forward``."""

    training: bool
    dump_patches = False
    call_super_init = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs and not self.call_super_init:
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        if args and not self.call_super_init:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        put = super().__setattr__
        put("training", True)
        for home in _HOMES:
            put(home, OrderedDict())
        put("_non_persistent_buffers_set", set())
        for registry in REGISTRIES:
            put(registry, OrderedDict())

    def forward(self, *input: Any, **kwargs: Any) -> Any:
        """Compute the result of a call; a subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # Registration

    def __setattr__(self, name: str, value: Any) -> None:
        registries = vars(self)
        if "_modules" not in registries:
            if isinstance(value, Parameter | Module):
                kind = "parameters" if isinstance(value, Parameter) else "module"
                raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
            super().__setattr__(name, value)
        elif isinstance(value, Parameter):
            self._register("_parameters", name, value, True)
        elif name in self._parameters:
            if value is not None:
                raise TypeError(_no_place(value, "parameter", name, "torch.nn.Parameter or None"))
            self._parameters[name] = None
        elif isinstance(value, Module):
            self._register("_modules", name, value, True)
        elif name in self._modules:
            if value is not None:
                raise TypeError(_no_place(value, "child module", name, "torch.nn.Module or None"))
            self._modules[name] = None
        elif isinstance(value, Buffer):
            self._register("_buffers", name, value, True)
            if not value.persistent:
                self._non_persistent_buffers_set.add(name)
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(_no_place(value, "buffer", name, "torch.nn.Buffer, torch.Tensor or None"))
            self._buffers[name] = value
        else:
            super().__setattr__(name, value)

    def _register(self, home: str, name: str, value: Any, replace: bool = False) -> None:
        """Put a value into a registry.

        Raises:
            TypeError: ``name`` is no string.
            KeyError: It is empty or has a dot; or (without ``replace``) the module has such an attribute.
        """
        kind = {"_parameters": "parameter", "_buffers": "buffer", "_modules": "module"}[home]
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')
        own = vars(self)
        if not replace and name not in own[home]:
            taken = name in own or any(name in own[other] for other in _HOMES)
            if taken or any(name in vars(c) for c in type(self).__mro__):
                raise KeyError(f"attribute '{name}' already exists")
        for other in _HOMES:
            if other != home:
                own[other].pop(name, None)
        own.pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        own[home][name] = value

    def __getattr__(self, name: str) -> Any:
        registries = self.__dict__
        for home in ("_parameters", "_modules", "_buffers"):
            if home in registries and name in registries[home]:
                return registries[home][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        for home in (self._parameters, self._buffers, self._modules):
            if name in home:
                del home[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a Parameter, or None, under a name."""
        if "_parameters" not in vars(self):
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' (torch.nn.Parameter or None "
                "required)"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'.")
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that is saved (if ``persistent``) and moved with the parameters, and not trained."""
        if "_buffers" not in vars(self):
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._register("_buffers", name, tensor)
        if not persistent:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a child under a name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register("_modules", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Do `add_module`."""
        self.add_module(name, module)

    def get_submodule(self, target: str) -> Module:
        """Return the module of a dotted name; "" is this one.

        Raises:
            AttributeError: There is none of that name.
        """
        found = self
        for name in target.split(".") if target else ():
            child = _attribute(found, name)
            if not isinstance(child, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            found = child
        return found

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Replace the module of a dotted name; with ``strict`` there has to be one."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not isinstance(_attribute(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Any:
        """Return the parameter of a dotted name.

        Raises:
            AttributeError: There is none of that name.
        """
        path, _, name = target.rpartition(".")
        found = _attribute(self.get_submodule(path), name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Any:
        """Return the buffer of a dotted name.

        Raises:
            AttributeError: There is none of that name.
        """
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = _attribute(owner, name)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    # The tree

    def named_modules(
        self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Iterate over this module and all below it, with dotted names, a parent before its children."""
        seen = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(seen, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """Iterate over this module and all below it."""
        return (m for _, m in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the direct children with their names."""
        seen: set[int] = set()
        for name, child in self._modules.items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Any]:
        """Iterate over the direct children."""
        return (m for _, m in self.named_children())

    def _named(self, home: str, prefix: str, recurse: bool, once: bool = True) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in (
            self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else [(prefix, self)]
        ):
            for name, value in vars(module)[home].items():
                if value is not None and not (once and id(value) in seen):
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Iterate over the parameters with dotted names, each once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Iterate over the parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Iterate over the buffers with dotted names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """Iterate over the buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Call ``fn`` on all modules, children first; return self."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # Modes, devices, dtypes

    def train(self, mode: bool = True) -> Any:
        """Set the tree to training mode, or to evaluation; return self."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Any:
        """Set the tree to evaluation mode; return self."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Turn gradients of all parameters on or off; return self."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set all gradients to None, or to zeros."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Any:
        with no_grad():
            for p in self.parameters():
                grad = p.grad
                new = fn(p.data)
                p.data, p._bf16 = new, new._bf16
                if grad is not None:
                    p.grad = fn(grad)
            for module in self.modules():
                for name, b in module._buffers.items():
                    if b is not None:
                        module._buffers[name] = fn(b)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move parameters and buffers to a device, or those of fractions to a dtype; return self."""
        d, where = kwargs.get("dtype"), kwargs.get("device")
        for x in args:
            if isinstance(x, dtype):
                d = x
            elif isinstance(x, Tensor):
                d, where = x.dtype, x.device
            elif isinstance(x, str | device | int) and not isinstance(x, bool):
                where = x
        if d is not None and not d.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={d}"
            )
        return self._apply(lambda t: t.to(device=where, dtype=d if t.is_floating_point() else None))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Any:
        """Move the tree to a device without its values; return self."""
        return self._apply(lambda t: empty_like(t, device=device))

    def cpu(self) -> Any:
        """Move the tree to the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Any:
        """Move the tree to the GPU."""
        return self.to("cuda")

    def float(self) -> Any:
        """Convert the tree to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Any:
        """Convert the tree to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Any:
        """Convert the tree to float16, which is for files: minitorch does not compute in it."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Any:
        """Convert the tree to bfloat16, which is for files: minitorch does not compute in it."""
        return self.to(bfloat16)

    def type(self, dst_type: Any) -> Any:
        """Convert the tree to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def share_memory(self) -> Any:
        """Accepted, and changes nothing: the threads of this process share all memory."""
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted, and changes nothing."""

    # Text

    def extra_repr(self) -> str:
        """Return what ``repr`` shows besides the children."""
        return ""

    def _get_name(self) -> str:
        return self.__class__.__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if not self._modules and len(lines) < 2:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {m!r}" for name, m in self._modules.items()]
        return f"{self._get_name()}(\n" + textwrap.indent("\n".join(lines), "  ") + "\n)"


def _no_place(value: Any, kind: str, name: str, expected: str) -> str:
    return f"cannot assign '{type(value).__name__}' as {kind} '{name}' ({expected} expected)"


def _attribute(module: Module, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`") from None
