"""The base of optimizers, and those of the core under PyTorch's names.

``param_groups`` are dicts with ``"params"`` and settings of their own; ``state`` holds tensors under PyTorch's names. A
step asks the algorithm of the core for its rule, settings and states, and the backend updates all elements in place.
"""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from ...module import Parameter as Slot
from ...tensor import Tensor as Core
from ..autograd import enable_grad
from ..creation import tensor
from ..nn.hooks import RemovableHandle, register
from ..tensor import Tensor, from_array, is_float


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


_HOOKS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_pre", "load_post")


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``step`` with the hooks of the optimizer before and after it."""

    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self._hooks["step_pre"].values()):
            new = hook(self, args, kwargs)
            if new is not None:
                if not (isinstance(new, tuple) and len(new) == 2):
                    raise RuntimeError(
                        f"{step.__qualname__} must return None or a tuple of (new_args, new_kwargs), but got {new}."
                    )
                args, kwargs = new
        out = step(self, *args, **kwargs)
        for hook in list(self._hooks["step_post"].values()):
            hook(self, args, kwargs)
        return out

    return hooked


class Optimizer:
    """The base of all optimizers; a subclass defines ``step``.

    Args:
        params: Tensors, pairs of names and tensors, or dicts with ``"params"`` and settings of their own.
        defaults: The settings of groups that do not have their own.

    Raises:
        ValueError: There is no parameter, or one is in two groups.
        TypeError: A parameter is no Tensor.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._hooks: dict[str, OrderedDict[int, Any]] = {kind: OrderedDict() for kind in _HOOKS}
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got Tensor"
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def register_step_pre_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; what it returns replaces the arguments."""
        return register(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return register(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before each `state_dict`."""
        return register(self._hooks["state_dict_pre"], hook, prepend)

    def register_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after each `state_dict`; what it returns replaces the dict."""
        return register(self._hooks["state_dict_post"], hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; what it returns replaces the dict."""
        return register(self._hooks["load_pre"], hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return register(self._hooks["load_post"], hook, prepend)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with settings of its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        given = group["params"]
        members = [given] if isinstance(given, Tensor) else list(given)
        if members and isinstance(members[0], tuple):
            group["param_names"] = [name for name, _ in members]
            members = [p for _, p in members]
        seen = {id(p) for g in self.param_groups for p in g["params"]}
        for p in members:
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}"
                )
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
            if id(p) in seen:
                raise ValueError("some parameters appear in more than one parameter group")
        group["params"] = members
        for name, value in self.defaults.items():
            if value is required and name not in group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
            group.setdefault(name, value)
        self.param_groups.append(group)

    def _with_gradients(self) -> Iterator[tuple[dict[str, Any], Tensor, Tensor]]:
        """Iterate over the parameters that have a gradient, with their groups; ``maximize`` turns the gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    yield group, p, -p.grad if group.get("maximize") else p.grad

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set all gradients to None, or to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters; a subclass defines it."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return settings and states, parameters by number: what PyTorch's optimizer of the same name loads."""
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        numbers = {id(p): k for k, p in enumerate(p for g in self.param_groups for p in g["params"])}
        state = {numbers[id(p)]: dict(s) for p, s in self.state.items() if isinstance(p, Tensor)}
        groups = [
            {**{k: v for k, v in g.items() if k != "params"}, "params": [numbers[id(p)] for p in g["params"]]}
            for g in self.param_groups
        ]
        found: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._hooks["state_dict_post"].values()):
            new = hook(self, found)
            found = found if new is None else new
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned, here or in PyTorch.

        Raises:
            ValueError: It has other groups of parameters.
        """
        for hook in list(self._hooks["load_pre"].values()):
            new = hook(self, state_dict)
            state_dict = state_dict if new is None else new
        given = copy.deepcopy(state_dict)
        groups, saved = self.param_groups, given["param_groups"]
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        named = dict(zip((k for s in saved for k in s["params"]), (p for g in groups for p in g["params"])))
        self.state = defaultdict(dict)
        for key, values in given["state"].items():
            p = named.get(key)
            if p is None:
                self.state[key] = values
                continue
            self.state[p] = {
                name: v.to(dtype=p.dtype, device=p.device) if isinstance(v, Tensor) and name != "step" else v
                for name, v in values.items()
            }
        for group, changed in zip(groups, saved):
            group.update({k: v for k, v in changed.items() if k != "params"})
        for hook in list(self._hooks["load_post"].values()):
            hook(self)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


class _Adapter:
    """What an algorithm of the core asks: the settings come from a group, the states from ``state``."""

    def __init__(self, owner: Optimizer, names: tuple[str, ...]) -> None:
        self.owner, self.names, self.decoupled = owner, names, False
        self.tensor: Any = None

    def _remember(self, p: Any, count: int, start: float = 0.0) -> tuple[int, list[Any]]:
        state, t = self.owner.state[self.tensor], self.tensor
        # PyTorch's SGD saves no number of steps: a state that is there means that this is not the first one.
        steps = int(state.get("step", any(name in state for name in self.names))) + 1
        counted = state.get("step")
        if is_float(counted):
            counted._value._tensor._storage[0] = steps  # a tensor of one element, on the CPU
        elif self.names != ("momentum_buffer",):
            state["step"] = tensor(float(steps))
        for name in self.names[:count]:
            if state.get(name) is None:
                state[name] = from_array(np.full(tuple(t.shape), start, t.dtype.numpy), t.device)
        return steps, [state[name]._value for name in self.names[:count]]


class _OfCore(Optimizer):
    """An optimizer whose rule is that of the core's class ``algorithm``."""

    algorithm: ClassVar[Any]
    state_names: ClassVar[tuple[str, ...]]
    switches: ClassVar[tuple[str, ...]] = ("maximize", "foreach", "capturable", "differentiable")

    def __init__(self, params: Any, defaults: dict[str, Any], ignored: dict[str, Any]) -> None:
        settings: dict[str, Any] = {s: None if s in ("foreach", "fused") else False for s in self.switches}
        for name, value in ignored.items():
            if name not in settings:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}"
                )
            settings[name] = value
        for name in ("lr", "eps", "weight_decay", "momentum", "alpha", "lr_decay"):
            value = defaults.get(name, 0.0)
            if value is not required and not float(value) >= 0.0:
                words = {"lr": "learning rate", "eps": "epsilon value", "momentum": "momentum value"}
                raise ValueError(f"Invalid {words.get(name, f'{name} value')}: {value}")
        for k, beta in enumerate(defaults.get("betas", ())):
            if not 0.0 <= float(beta) < 1.0:
                raise ValueError(f"Invalid beta parameter at index {k}: {beta}")
        super().__init__(params, {**defaults, **settings})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient.

        Args:
            closure: Computes the loss anew, and is called first.

        Returns:
            What ``closure`` returned, else None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        adapter = _Adapter(self, self.state_names)
        updates: dict[Any, list[Any]] = {}
        for group in self.param_groups:
            settings = {
                k: float(v) if isinstance(v, Tensor) else v for k, v in group.items() if k != "params"
            }
            adapter.decoupled = bool(group.get("decoupled_weight_decay", False))
            for p in group["params"]:
                grad = p._value._grad
                if grad is None:
                    continue
                adapter.tensor = p
                rule, numbers, states = self.algorithm.rule_for(adapter, slot_of(p), settings)
                direction = -grad if group.get("maximize") else grad
                updates.setdefault((rule, numbers), []).append((p._value, direction, *states))
        for (rule, numbers), rows in updates.items():
            Core.update_all_(rule, numbers, rows)
        return loss


def slot_of(p: Tensor) -> Any:
    """Return the Tensor of the core of a parameter in the holder that the core's algorithms take."""
    slot = Slot.__new__(Slot)
    slot.name, slot.value = None, p._value
    return slot
