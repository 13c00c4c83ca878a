"""Optimizers: each is one rule for one element, run over all elements in place by the backend of the parameter.
A rule ``(settings, x, d, *states) -> (x, *states)`` is a float function: see `minitorch.operators`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from ..module import Parameter
from ..runtime.capture import note_step

Plan = tuple[Callable[..., Any], tuple[float, ...], list[Any]]


@runtime_checkable
class _Elements(Protocol):
    @property
    def dims(self) -> int: ...


class Optimizer:
    """The base of all optimizers.

    Args:
        parameters: A non-empty sequence of Parameters, or of groups: dicts with ``"params"`` and settings of their own.
        **settings: The settings of all groups that do not bring their own; ``lr`` among them.

    Attributes:
        parameters: All Parameters.
        param_groups: Dicts with ``"params"`` and settings; writing to them takes effect at the next step.

    Raises:
        ValueError: No parameters, or a setting out of range.
        TypeError: Something else than Parameters.
    """

    scalars: ClassVar[bool] = True  # whether values may be Scalars

    def __init__(self, parameters: Sequence[Any], **settings: Any) -> None:
        given = list(parameters)
        if not given:
            raise ValueError(f"{type(self).__name__} got no parameters")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups: list[dict[str, Any]] = []
        for group in groups:
            unknown = set(group) - set(settings) - {"params"}
            if unknown:
                raise ValueError(f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}")
            self.param_groups.append({**settings, **group, "params": list(group["params"])})
        self.parameters: list[Parameter] = [p for g in self.param_groups for p in g["params"]]
        for p in self.parameters:
            if not isinstance(p, Parameter):
                raise TypeError(f"{type(self).__name__} takes Parameters, not {type(p).__name__}")
            if not self.scalars and p.value is not None and not isinstance(p.value, _Elements):
                kind = type(p.value).__name__
                raise TypeError(f"{type(self).__name__} works on Tensors; for a {kind} use SGD")
        for group in self.param_groups:
            self._check(group)
        self._memory: dict[int, tuple[int, list[Any]]] = {}

    @property
    def lr(self) -> float:
        """The learning rate (of the first group); writing sets it in all groups."""
        return self.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.param_groups:
            group["lr"] = value

    def _check(self, group: dict[str, Any]) -> None:
        for name in (
            "lr",
            "momentum",
            "weight_decay",
            "eps",
            "alpha",
            "lr_decay",
            "initial_accumulator_value",
        ):
            if not group.get(name, 0.0) >= 0.0 or group.get(name) == math.inf:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a number of at least 0, not {group[name]}"
                )
        betas = group.get("betas", (0.0, 0.0))
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"{type(self).__name__}: betas must be two numbers in [0, 1), not {betas}")

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for p in self.parameters:
            if p.value is not None:
                p.value.zero_grad_()

    def step(self) -> None:
        """Update each parameter that has a gradient, and set that gradient to None.

        All that share a rule and its settings are updated together, unless a subclass has an `update_one` of its own.
        """
        note_step(self)
        own = type(self).update_one is not Optimizer.update_one
        together: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.value is None or p.value.grad is None:
                    continue
                if own:
                    self.update_one(p, group)
                else:
                    rule, settings, states = self.rule_for(p, group)
                    row = (p.value, p.value.grad, *states)
                    together.setdefault((type(p.value), rule, settings), []).append(row)
                p.value.zero_grad_()
        for (kind, rule, settings), rows in together.items():
            kind.update_all_(rule, settings, rows)

    def update_one(self, p: Parameter, group: dict[str, Any]) -> None:
        """Update one Parameter that has a gradient by the settings of its group."""
        rule, settings, states = self.rule_for(p, group)
        type(p.value).update_all_(rule, settings, [(p.value, p.value.grad, *states)])

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """Return the rule for one Parameter that has a gradient, its settings this time, and the states it changes."""
        raise NotImplementedError

    @property
    def replayable(self) -> bool:
        """Whether steps consist of updates by rules only, so that a recorded one needs nothing but new settings."""
        return type(self).step is Optimizer.step and type(self).update_one is Optimizer.update_one

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Forget the counts of steps taken within the block if it raises."""
        before = dict(self._memory)
        try:
            yield
        except BaseException:
            self._memory = before
            raise

    def _remember(self, p: Parameter, count: int, start: float = 0.0) -> tuple[int, list[Any]]:
        """Return how often ``p`` was updated, this time included, and its states."""
        steps, states = self._memory.get(id(p), (0, []))
        if not states:
            states = [p.value.zeros() for _ in range(count)]
            if start:
                for s in states:
                    s.copy_(np.full(s.shape, start))
        self._memory[id(p)] = (steps + 1, states)
        return steps + 1, states

    def state_dict(self) -> dict[str, Any]:
        """Return settings and states: nested dicts and lists of plain values and arrays."""
        order = {id(p): k for k, p in enumerate(self.parameters)}
        groups = [
            {**{k: v for k, v in g.items() if k != "params"}, "params": [order[id(p)] for p in g["params"]]}
            for g in self.param_groups
        ]
        state = {}
        for k, p in enumerate(self.parameters):
            if id(p) in self._memory:
                steps, states = self._memory[id(p)]
                state[str(k)] = {"step": steps, "states": [s.to_numpy() for s in states]}
        return {"name": type(self).__name__, "groups": groups, "state": state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            RuntimeError: It is the state of another kind of optimizer, or of other parameters, or no state; nothing has
                changed.
        """
        try:
            self._check_state(state)
        except (AttributeError, LookupError, TypeError, ValueError) as problem:
            raise RuntimeError(f"this is no state of {type(self).__name__}: {problem!r}") from None
        for group, saved in zip(self.param_groups, state["groups"]):
            settings = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items() if k != "params"}
            group.update(settings)
        self._memory = {}
        for k, kept in state["state"].items():
            p = self.parameters[int(k)]
            states = [p.value.zeros() for _ in kept["states"]]
            for s, array in zip(states, kept["states"]):
                s.copy_(array)
            self._memory[id(p)] = (int(kept["step"]), states)

    def _check_state(self, state: dict[str, Any]) -> None:
        name = type(self).__name__
        if state.get("name") != name:
            raise RuntimeError(f"this is the state of {state.get('name')}, not of {name}")
        counts = [len(g["params"]) for g in state["groups"]]
        if counts != [len(g["params"]) for g in self.param_groups]:
            raise RuntimeError(
                f"the state is for groups of {counts} parameters, and {name} has "
                f"{[len(g['params']) for g in self.param_groups]}"
            )
        for k, kept in state["state"].items():
            shape = self.parameters[int(k)].value.shape
            for array in kept["states"]:
                if np.shape(array) != shape:
                    raise RuntimeError(
                        f"the state of parameter {k} has shape {np.shape(array)}, expected {shape}"
                    )
            int(kept["step"])
