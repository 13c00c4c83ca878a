"""The base of optimizers: parameter groups, states, and a step that hands rules to the backend.

Depends on `minitorch.module` for parameters; the rules are in `minitorch.optim.algorithms`. An optimizer is a rule for
one element, ``(settings, weight, grad, *states) -> (weight, *states)``, a function of floats as those of
`minitorch.operators`. The backend of the parameters compiles it and runs it over all elements in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np

from ..module import Parameter
from ..runtime.capture import note_step
from ..tensor_data import IndexingError

# A rule, its settings at this step, and the states of one parameter.
Plan: TypeAlias = tuple[Callable[..., Any], tuple[float, ...], list[Any]]
# Rows (value, gradient, *states) by what they share: the class of the value, the rule, and its settings.
Updates: TypeAlias = dict[tuple[Any, Callable[..., Any], tuple[float, ...]], list[tuple[Any, ...]]]

_NO_STATES: tuple[int, list[Any]] = (0, [])


@runtime_checkable
class _Elements(Protocol):
    @property
    def dims(self) -> int: ...


class Optimizer:
    """The base of all optimizers; a subclass defines `rule_for`.

    Args:
        parameters: A non-empty sequence of Parameters, or of groups: dicts with ``"params"`` and settings of their own.
        **settings: The settings of all groups that do not have their own; ``lr`` among them.

    Attributes:
        parameters: All Parameters.
        param_groups: Dicts with ``"params"`` and settings; writing to them takes effect at the next step.
        scalars: Whether values may be Scalars.

    Raises:
        ValueError: No parameters, or a setting out of range or unknown.
        TypeError: Something else than Parameters.
    """

    scalars: ClassVar[bool] = True

    def __init__(self, parameters: Sequence[Any], **settings: Any) -> None:
        given = list(parameters)
        if not given:
            raise ValueError(f"{type(self).__name__}: expected at least one parameter, got no parameters")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups: list[dict[str, Any]] = []
        for group in groups:
            unknown = set(group) - set(settings) - {"params"}
            if unknown:
                raise ValueError(
                    f"{type(self).__name__}: expected settings {', '.join(settings)}, got {', '.join(sorted(unknown))}"
                )
            self.param_groups.append({**settings, **group, "params": list(group["params"])})
        self.parameters: list[Parameter] = [p for g in self.param_groups for p in g["params"]]
        for p in self.parameters:
            if not isinstance(p, Parameter):
                raise TypeError(f"{type(self).__name__}: expected Parameters, got a {type(p).__name__}")
            if not self.scalars and p.value is not None and not isinstance(p.value, _Elements):
                kind = type(p.value).__name__
                raise TypeError(
                    f"{type(self).__name__}: expected Parameters of Tensors, got one of a {kind}: use SGD"
                )
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
                    f"{type(self).__name__}: expected {name} to be a number of at least 0, got {group[name]}"
                )
        betas = group.get("betas", (0.0, 0.0))
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(
                f"{type(self).__name__}: expected betas to be two numbers in [0, 1), got {betas}"
            )

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for p in self.parameters:
            if p.value is not None:
                p.value.zero_grad_()

    def step(self) -> None:
        """Update each parameter that has a gradient, and set that gradient to None.

        All that share a rule and its settings are updated together, unless a subclass has an `update_one` of its own.

        Raises:
            IndexingError: The value of a parameter was replaced by one of another shape: its states belong to the old
                one. Nothing was changed.
        """
        self._require_own_states()
        note_step(self)
        one_by_one = type(self).update_one is not Optimizer.update_one
        updates: Updates = {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.value is None or p.value.grad is None:
                    continue
                if one_by_one:
                    self.update_one(p, group)
                else:
                    self._plan(updates, p, p.value.grad, group)
                p.value.zero_grad_()
        _run(updates)

    def _require_own_states(self) -> None:
        """Check that states have the shape of the value that they update."""
        for group in self.param_groups:
            for p in group["params"]:
                states = self._memory.get(id(p), _NO_STATES)[1]
                if not states or p.value is None or states[0].shape == p.value.shape:
                    continue
                if p.value.grad is not None:
                    raise IndexingError(
                        f"{type(self).__name__}: the states of parameter {p.name or self.parameters.index(p)} have "
                        f"shape {states[0].shape}, but its value now has {p.value.shape}; "
                        "make a new optimizer after such a replacement"
                    )

    def refresh(self, captured: Iterable[Parameter]) -> None:
        """Count a step that a captured graph computes, and hand its new settings to the backend.

        The graph knows where the gradients lie, and nobody reads them here: ``has_grad`` alone tells what is updated.

        Args:
            captured: The parameters that the graph updates; those of other optimizers are left out.
        """
        has_grad = {id(p) for p in captured}
        updates: Updates = {}
        for group in self.param_groups:
            for p in group["params"]:
                if id(p) in has_grad:
                    has_grad.remove(id(p))
                    self._plan(updates, p, p.value, group)  # the value stands where the gradient is not read
                    p.value.zero_grad_()
        _run(updates)

    def _plan(self, updates: Updates, p: Parameter, grad: Any, group: dict[str, Any]) -> None:
        rule, settings, states = self.rule_for(p, group)
        updates.setdefault((type(p.value), rule, settings), []).append((p.value, grad, *states))

    def update_one(self, p: Parameter, group: dict[str, Any]) -> None:
        """Update one Parameter that has a gradient by the settings of its group."""
        rule, settings, states = self.rule_for(p, group)
        type(p.value).update_all_(rule, settings, [(p.value, p.value.grad, *states)])

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """Return the rule for one Parameter that has a gradient, its settings at this step, and its states.

        Args:
            p: The Parameter; the call counts as one step of it.
            group: The parameter group it is in.
        """
        raise NotImplementedError

    @property
    def replayable(self) -> bool:
        """Whether steps consist of updates by rules only, so that a captured one needs nothing but new settings."""
        return type(self).step is Optimizer.step and type(self).update_one is Optimizer.update_one

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Take back the counts of steps within the block if it raises."""
        before = dict(self._memory)
        try:
            yield
        except BaseException:
            self._memory = before
            raise

    def _remember(self, p: Parameter, count: int, start: float = 0.0) -> tuple[int, list[Any]]:
        """Count a step of ``p``; return the number of its steps, this one included, and its ``count`` states."""
        steps, states = self._memory.get(id(p), (0, []))
        if not states:
            states = [p.value.zeros() for _ in range(count)]
            if start:
                for s in states:
                    s.copy_(np.full(s.shape, start))
        self._memory[id(p)] = (steps + 1, states)
        return steps + 1, states

    def state_dict(self) -> dict[str, Any]:
        """Return settings, numbers of steps and states: nested dicts and lists of plain values and arrays."""
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
        """Continue from a state that `state_dict` returned; it is all or nothing.

        Raises:
            RuntimeError: It is the state of another kind of optimizer, or of other parameters, or no state.
        """
        try:
            self._check_state(state)
        except (AttributeError, LookupError, TypeError, ValueError) as problem:
            raise RuntimeError(
                f"{type(self).__name__}: expected what its state_dict returns: {problem!r}"
            ) from None
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
            raise RuntimeError(f"{name}: expected a state of its own, got the state of {state.get('name')}")
        counts = [len(g["params"]) for g in state["groups"]]
        if counts != [len(g["params"]) for g in self.param_groups]:
            raise RuntimeError(
                f"{name}: expected a state of groups of {[len(g['params']) for g in self.param_groups]} parameters, "
                f"got {counts}"
            )
        for k, kept in state["state"].items():
            shape = self.parameters[int(k)].value.shape
            for array in kept["states"]:
                if np.shape(array) != shape:
                    raise RuntimeError(
                        f"{name}: expected a state of shape {shape} for parameter {k}, got {np.shape(array)}"
                    )
            int(kept["step"])


def _run(updates: Updates) -> None:
    for (kind, rule, settings), rows in updates.items():
        kind.update_all_(rule, settings, rows)
