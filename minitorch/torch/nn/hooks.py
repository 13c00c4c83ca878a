"""Hooks of a Module: functions that are called before and after ``forward``, and when gradients pass.

`HookedCall` is the part of `modules.module.Module` that calls ``forward`` and the hooks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor, _Hooked, wrap


class RemovableHandle:
    """Takes a hook away: by `remove`, or at the end of a ``with`` block."""

    _next = 0

    def __init__(self, *registries: Any) -> None:
        self.id, self._registries = RemovableHandle._next, registries
        RemovableHandle._next += 1

    def remove(self) -> None:
        """Take the hook away; a second call changes nothing."""
        for registry in self._registries:
            registry.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register(registry: Any, hook: Any, prepend: bool = False, *marks: Any) -> RemovableHandle:
    """Add a hook to an ordered registry, and its number to each of ``marks``; return its handle."""
    handle = RemovableHandle(registry, *marks)
    registry[handle.id] = hook
    if prepend:
        registry.move_to_end(handle.id, last=False)
    for mark in marks:
        mark[handle.id] = True
    return handle


REGISTRIES = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
    "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
    "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs",
)  # fmt: skip


def _replaced(found: Any, new: Any) -> tuple[Any, ...]:
    if new is None:
        return tuple(found)
    given = new if isinstance(new, tuple) else (new,)
    if len(given) != len(found):
        raise RuntimeError(
            f"Backward hook returned an invalid number of grad_output, got {len(given)}, but expected {len(found)}"
        )
    return given


class _Backward:
    """One call of a module with backward hooks: collects the gradients of its results and of its inputs."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.of_inputs: list[Any] = []
        self.of_outputs: list[Any] = []
        self.wanted: set[int] = set()
        self.waiting: set[int] = set()

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, their tensors watched."""
        self.of_inputs = [None] * sum(isinstance(a, Tensor) for a in args)
        found, place = [], 0
        for a in args:
            if isinstance(a, Tensor):
                if a.requires_grad:
                    self.wanted.add(place)
                    a = wrap(_Hooked.apply(a._value, hook=self._input_hook(place)))
                place += 1
            found.append(a)
        return tuple(found)

    def watch_outputs(self, out: Any) -> Any:
        """Return what the module returned, its tensors watched."""
        results = out if isinstance(out, tuple | list) else (out,)
        self.of_outputs = [None] * sum(isinstance(t, Tensor) for t in results)
        watched, place = [], 0
        for t in results:
            if isinstance(t, Tensor):
                if t.requires_grad:
                    t = wrap(
                        _Hooked.apply(t._value, hook=self._output_hook(place)), op="BackwardHookFunction"
                    )
                place += 1
            watched.append(t)
        if isinstance(out, tuple | list):
            return type(out)(*watched) if type(out) not in (tuple, list) else type(out)(watched)
        return watched[0]

    def _output_hook(self, place: int) -> Callable[[Tensor], Any]:
        def hook(grad: Tensor) -> Any:
            self.of_outputs[place] = grad
            self.waiting = set(self.wanted)
            for before in list(self.module._backward_pre_hooks.values()):
                new = before(self.module, tuple(self.of_outputs))
                self.of_outputs = list(_replaced(self.of_outputs, new))
            if not self.waiting:
                self._call()
            return self.of_outputs[place]

        return hook

    def _input_hook(self, place: int) -> Callable[[Tensor], Any]:
        def hook(grad: Tensor) -> Any:
            self.of_inputs[place] = grad
            self.waiting.discard(place)
            if not self.waiting:
                self._call()
            return self.of_inputs[place]

        return hook

    def _call(self) -> None:
        """Call the hooks; of several inputs, only the gradient that came last can still be replaced."""
        for hook in list(self.module._backward_hooks.values()):
            new = hook(self.module, tuple(self.of_inputs), tuple(self.of_outputs))
            if not any(g is not None for g in self.of_inputs):
                if new is not None and any(
                    g is not None for g in (new if isinstance(new, tuple) else (new,))
                ):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or "
                        "None for all gradients."
                    )
                continue
            self.of_inputs = list(_replaced(self.of_inputs, new))


class HookedCall:
    """What a Module does when it is called."""

    _forward_hooks: OrderedDict[int, Any]
    _forward_pre_hooks: OrderedDict[int, Any]
    _backward_hooks: OrderedDict[int, Any]
    _backward_pre_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: OrderedDict[int, Any]
    _forward_hooks_always_called: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, Any]
    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (
            self._forward_pre_hooks or self._forward_hooks or self._backward_hooks or self._backward_pre_hooks
        ):
            return self.forward(*args, **kwargs)
        finished: set[int] = set()
        try:
            return self._called(args, kwargs, finished)
        except Exception:
            for number in list(self._forward_hooks_always_called):
                if number not in finished:
                    self._after(number, args, kwargs, None)
            raise

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any], finished: set[int]) -> Any:
        for number, hook in list(self._forward_pre_hooks.items()):
            if number in self._forward_pre_hooks_with_kwargs:
                new = hook(self, args, kwargs)
                if new is not None:
                    if not (isinstance(new, tuple) and len(new) == 2):
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {new}."
                        )
                    args, kwargs = new
            else:
                new = hook(self, args)
                args = args if new is None else new if isinstance(new, tuple) else (new,)
        watched = bool(self._backward_hooks or self._backward_pre_hooks)
        gradients = _Backward(self)
        if watched:
            args = gradients.watch_inputs(args)
        out = self.forward(*args, **kwargs)
        for number in list(self._forward_hooks):
            finished.add(number)
            new = self._after(number, args, kwargs, out)
            out = out if new is None else new
        return gradients.watch_outputs(out) if watched else out

    def _after(self, number: int, args: Any, kwargs: Any, out: Any) -> Any:
        hook = self._forward_hooks[number]
        if number in self._forward_hooks_with_kwargs:
            return hook(self, args, kwargs, out)
        return hook(self, args, out)

    def register_forward_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward; what it returns replaces the output.

        Args:
            hook: The function; with ``with_kwargs`` it is called as ``hook(module, args, kwargs, output)``.
            prepend: Call it before the hooks that are there.
            with_kwargs: Whether to pass the keyword arguments.
            always_call: Call it also when ``forward`` fails, with None as output.

        Returns:
            A handle; ``remove()`` takes the hook away.
        """
        marks = [self._forward_hooks_with_kwargs] if with_kwargs else []
        marks += [self._forward_hooks_always_called] if always_call else []
        return register(self._forward_hooks, hook, prepend, *marks)

    def register_forward_pre_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward; what it returns replaces the arguments.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)``, and returns None or both.
        """
        marks = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return register(self._forward_pre_hooks, hook, prepend, *marks)

    def register_full_backward_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` in each backward pass.

        Both are tuples, with None for what requires no gradient; what the hook returns replaces ``grad_input``.
        """
        return register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the backward pass of the module; it may return another one."""
        return register(self._backward_pre_hooks, hook, prepend)

    register_backward_hook = register_full_backward_hook
