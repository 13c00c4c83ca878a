"""State dicts of a Module: `Stateful` is the part of `modules.module.Module` that saves and loads them."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from ..autograd import no_grad
from ..tensor import Tensor, from_array, to_array
from .hooks import RemovableHandle, register
from .parameter import Parameter, UninitializedTensor

EXTRA = "_extra_state"
METADATA = "_metadata"  # an attribute of a state dict: the version of each module


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: names that the state misses, and names that the module does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


IncompatibleKeys.__name__ = IncompatibleKeys.__qualname__ = "_IncompatibleKeys"


def _shared(value: Any, keep_vars: bool) -> Any:
    return value if keep_vars else value.detach()


class Stateful:
    """What a Module does to save and load its parameters and buffers."""

    _version: ClassVar[int | None] = 1
    _parameters: OrderedDict[str, Any]
    _buffers: OrderedDict[str, Any]
    _modules: OrderedDict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: OrderedDict[int, Any]
    _state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_post_hooks: OrderedDict[int, Any]

    def get_extra_state(self) -> Any:
        """Return what the state dict holds besides; a subclass may define it, with `set_extra_state`."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """Take what `get_extra_state` returned."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not Stateful.get_extra_state

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in self._parameters.items():
            if value is not None:
                destination[prefix + name] = _shared(value, keep_vars)
        for name, value in self._buffers.items():
            if value is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = _shared(value, keep_vars)
        if self._has_extra_state():
            destination[prefix + EXTRA] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Return parameters and buffers by dotted name; they share memory with the module.

        Args:
            *args: The same settings by place, as in old scripts.
            destination: A dict to be filled, by default a new one.
            prefix: What the names begin with.
            keep_vars: Whether to return the parameters themselves, not constants that share their memory.
        """
        given = (*args, *(destination, prefix, keep_vars)[len(args) :])
        destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            vars(destination)[METADATA] = OrderedDict()
        local: dict[str, Any] = {"version": self._version}
        if METADATA in _attributes(destination):
            _attributes(destination)[METADATA][prefix[:-1]] = local
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            new = hook(self, destination, prefix, local)
            destination = destination if new is None else new
        return destination

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], strict: bool, missing_keys: list[str],
        unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Load the own parameters and buffers, not those of children; a subclass may change it.

        ``local_metadata["pending"]``, if it is there, collects the copies, which are made when all names fit.
        """
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        kept = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        own = {k: v for k, v in itertools.chain(self._parameters.items(), kept.items()) if v is not None}
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        pending: list[Callable[[], None]] = local_metadata.get("pending", [])
        for name, value in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            given = state_dict[key]
            shape = tuple(to_array(given).shape)
            if not isinstance(value, UninitializedTensor) and shape != tuple(value.shape):
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                    f"current model is {value.shape}."
                )
                continue
            pending.append(lambda n=name, v=value, g=given: self._load_one(n, v, g, assign))  # type: ignore[misc]
        extra = prefix + EXTRA
        if self._has_extra_state():
            if extra in state_dict:
                pending.append(lambda: self.set_extra_state(state_dict[extra]))
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, _, rest = key[len(prefix) :].partition(".")
                    if first not in self._modules if rest else first not in own:
                        unexpected_keys.append(key)
        if "pending" not in local_metadata:
            for copy in pending:
                copy()

    def _load_one(self, name: str, value: Any, given: Any, assign: bool) -> None:
        source = given if isinstance(given, Tensor) else from_array(to_array(given))
        if isinstance(value, UninitializedTensor):
            value.materialize(source.shape)
        if not assign:
            with no_grad():
                value.copy_(source)
        elif name in self._parameters:
            kept = isinstance(source, Parameter)
            self._parameters[name] = source if kept else Parameter(source, value.requires_grad)
        else:
            self._buffers[name] = source

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Load parameters and buffers by dotted name: all of them, or none if one does not fit.

        Args:
            state_dict: What `state_dict` returned.
            strict: Whether the names have to be the same.
            assign: Whether to take the tensors themselves, not to copy their elements.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: Names (if ``strict``) or shapes do not fit; the message lists all of them.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing: list[str] = []
        unexpected: list[str] = []
        faults: list[str] = []
        pending: list[Callable[[], None]] = []
        metadata = _attributes(state_dict).get(METADATA, {})
        given = OrderedDict(state_dict)
        incompatible = IncompatibleKeys(missing, unexpected)

        def load(module: Any, local: Any, prefix: str) -> None:
            about = {**metadata.get(prefix[:-1], {}), "assign_to_params_buffers": assign, "pending": pending}
            module._load_from_state_dict(local, prefix, about, True, missing, unexpected, faults)
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in local.items() if k.startswith(below)}, below)
            for hook in list(module._load_state_dict_post_hooks.values()):
                pending.append(lambda: hook(module, incompatible))  # noqa: B023 - called below, in the same order

        load(self, given, "")
        if strict:
            if unexpected:
                faults.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
            if missing:
                faults.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if faults:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(faults)
            )
        for copy in pending:
            copy()
        return incompatible

    # Hooks

    def register_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before each `state_dict`."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after each `state_dict`; it returns None."""
        return register(self._state_dict_hooks, hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def register_load_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` before loading."""

        def with_module(*args: Any) -> None:
            hook(self, *args)

        return register(self._load_state_dict_pre_hooks, with_module)

    def _register_load_state_dict_pre_hook(self, hook: Any, with_module: bool = False) -> RemovableHandle:
        if with_module:
            return self.register_load_state_dict_pre_hook(hook)
        return register(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after each loading."""
        return register(self._load_state_dict_post_hooks, hook)


def _attributes(state_dict: Any) -> dict[str, Any]:
    return vars(state_dict) if isinstance(state_dict, OrderedDict) else {}


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{n}"' for n in names)
