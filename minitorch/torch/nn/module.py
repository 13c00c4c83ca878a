"""Module: the tree of layers with parameters, buffers, hooks, modes and state dicts, by PyTorch's rules."""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..autograd import no_grad
from ..dtypes import device, dtype
from ..tensor import HookHandle, Tensor, from_array, to_array
from .parameter import Buffer, Parameter


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: names that the state misses, and names that the module does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Module:
    """A node of the tree: a subclass calls ``super().__init__()``, assigns layers to attributes, has ``forward``."""

    training: bool
    dump_patches = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        put = super().__setattr__
        put("training", True)
        put("_parameters", OrderedDict())
        put("_buffers", OrderedDict())
        put("_modules", OrderedDict())
        put("_not_saved", set())
        put("_forward_hooks", [])
        put("_forward_pre_hooks", [])
        put("_backward_hooks", [])

    def forward(self, *input: Any, **kwargs: Any) -> Any:
        """Compute the result of a call; a subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._forward_pre_hooks or self._forward_hooks or self._backward_hooks):
            return self.forward(*args, **kwargs)
        for handle, hook, _ in list(self._forward_pre_hooks):
            if not handle.removed:
                new = hook(self, args)
                args = args if new is None else new if isinstance(new, tuple) else (new,)
        out = self.forward(*args, **kwargs)
        for handle, hook, with_kwargs in list(self._forward_hooks):
            if not handle.removed:
                new = hook(self, args, kwargs, out) if with_kwargs else hook(self, args, out)
                out = out if new is None else new
        for handle, hook, _ in list(self._backward_hooks):
            if not handle.removed and isinstance(out, Tensor) and out.requires_grad:
                out.register_hook(lambda grad, hook=hook: hook(self, (None,), (grad,)) and None)
        return out

    # Registration

    def __setattr__(self, name: str, value: Any) -> None:
        registries = vars(self)
        if "_modules" not in registries:
            if isinstance(value, Parameter | Module):
                kind = "parameters" if isinstance(value, Parameter) else "module"
                raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
            super().__setattr__(name, value)
            return
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._register("_modules", name, value)
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' (torch.nn.Parameter or None "
                    "expected)"
                )
            self._parameters[name] = None
        elif name in self._modules and value is None:
            self._modules[name] = None
        elif name in self._buffers:
            self._buffers[name] = value
        else:
            self._modules.pop(name, None)
            super().__setattr__(name, value)

    def _register(self, home: str, name: str, value: Any) -> None:
        for other in ("_parameters", "_buffers", "_modules"):
            if other != home:
                vars(self)[other].pop(name, None)
        vars(self).pop(name, None)
        vars(self)[home][name] = value

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
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a Parameter, or None, under a name."""
        if "." in name or not name:
            raise KeyError(f"parameter name can't contain '.' and can't be empty, got {name!r}")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{type(param).__name__}' object to parameter '{name}'")
        if param is not None and not param.is_leaf:
            raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'.")
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that is saved (if ``persistent``) and moved with the parameters, and not trained."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{type(tensor).__name__}' object to buffer '{name}'")
        self._register("_buffers", name, tensor)
        if not persistent:
            self._not_saved.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a child under a name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register("_modules", name, module)

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """Return the module of a dotted name; "" is this one."""
        found = self
        for name in target.split(".") if target else ():
            found = found._modules[name] if name in found._modules else getattr(found, name)
        return found

    def get_parameter(self, target: str) -> Any:
        """Return the parameter of a dotted name."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._parameters[name]

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

    def modules(self) -> Iterator[Any]:
        """Iterate over this module and all below it."""
        return (m for _, m in self.named_modules())

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
        for module in self.modules():
            vars(module)["training"] = mode
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
                p.data = fn(p.data)
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

    def cpu(self) -> Any:
        """Move the tree to the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Any:
        """Move the tree to the GPU."""
        return self.to("cuda")

    def float(self) -> Any:
        """Convert the tree to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def half(self) -> Any:
        """Convert the tree to float16, which is for files: minitorch does not compute in it."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def type(self, dst_type: Any) -> Any:
        """Convert the tree to a dtype."""
        return self.to(dst_type)

    def share_memory(self) -> Any:
        """Accepted, and changes nothing."""
        return self

    def double(self) -> Any:
        """Convert the tree to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted, and changes nothing."""

    # State

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Return parameters and buffers by dotted name; they share memory with the module."""
        found = OrderedDict() if destination is None else destination
        for path, module in self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False):
            for name, value in (*module._parameters.items(), *module._buffers.items()):
                if value is not None and name not in module._not_saved:
                    found[f"{path}.{name}" if path else name] = value if keep_vars else value.detach()
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Load parameters and buffers by dotted name: all of them, or none if one does not fit.

        Raises:
            RuntimeError: Names (if ``strict``) or shapes do not fit; the message lists all of them.
        """
        own = self.state_dict(keep_vars=True)
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        faults = []
        if strict and unexpected:
            faults.append(
                "Unexpected key(s) in state_dict: " + ", ".join(f'"{n}"' for n in unexpected) + ". "
            )
        if strict and missing:
            faults.append("Missing key(s) in state_dict: " + ", ".join(f'"{n}"' for n in missing) + ". ")
        for name, value in own.items():
            if name in state_dict and tuple(to_array(state_dict[name]).shape) != tuple(value.shape):
                faults.append(
                    f"size mismatch for {name}: copying a param with shape {state_dict[name].shape} from checkpoint, "
                    f"the shape in current model is {value.shape}."
                )
        if faults:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(faults)
            )
        with no_grad():
            for name, value in own.items():
                if name in state_dict:
                    given = state_dict[name]
                    value.copy_(given if isinstance(given, Tensor) else _tensor_of(given))
        return IncompatibleKeys(missing, unexpected)

    # Hooks and text

    def register_forward_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Any:
        """Call ``hook(module, args, output)`` after each forward; what it returns replaces the output."""
        return self._hooked(self._forward_hooks, hook, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False
    ) -> Any:
        """Call ``hook(module, args)`` before each forward; what it returns replaces the arguments."""
        return self._hooked(self._forward_pre_hooks, hook, with_kwargs)

    def register_full_backward_hook(self, hook: Any, prepend: bool = False) -> Any:
        """Call ``hook(module, (None,), (gradient of the output,))`` in each backward pass."""
        return self._hooked(self._backward_hooks, hook, False)

    def _hooked(self, hooks: list[Any], hook: Any, with_kwargs: bool) -> HookHandle:
        handle = HookHandle()
        hooks.append((handle, hook, with_kwargs))
        return handle

    def extra_repr(self) -> str:
        """Return what ``repr`` shows besides the children."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if not self._modules and len(lines) < 2:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {m!r}" for name, m in self._modules.items()]
        return f"{self._get_name()}(\n" + textwrap.indent("\n".join(lines), "  ") + "\n)"


def _tensor_of(values: Any) -> Tensor:
    return from_array(to_array(values))
