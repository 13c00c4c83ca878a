"""The base of optimizers: parameter groups, states, and a step that hands rules to the backend.

Depends on `minitorch.module` for parameters; the rules are in `minitorch.optim.algorithms`. An optimizer is a rule for
one element, ``(settings, weight, grad, *states) -> (weight, *states)``, a function of floats as those of
`minitorch.operators`. The backend of the parameters compiles it and runs it over all elements in place.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, SupportsFloat, TypeAlias, runtime_checkable

import numpy as np

from ..module import Parameter
from ..runtime.capture import note_step
from ..tensor_data import IndexingError

# A rule, its settings at this step, and the states of one parameter.
Plan: TypeAlias = tuple[Callable[..., Any], tuple[float, ...], list[Any]]
# Rows (value, gradient, *states) by what they share: the class of the value, the rule, and its settings.
Updates: TypeAlias = dict[tuple[Any, Callable[..., Any], tuple[float, ...]], list[tuple[Any, ...]]]

_NO_STATES: tuple[int, list[Any]] = (0, [])
# Settings that are True or False, and those that are numbers of at least 0, whatever the algorithm.
_FLAGS = ("nesterov", "amsgrad", "centered")
_AT_LEAST_0 = (
    "lr", "momentum", "weight_decay", "eps", "alpha", "lr_decay", "initial_accumulator_value",
)  # fmt: skip


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
        given = self._listed(parameters)
        if not given:
            raise ValueError(f"{type(self).__name__}: expected at least one parameter, got no parameters")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups: list[dict[str, Any]] = []
        for group in groups:
            if not isinstance(group, dict) or "params" not in group:
                raise TypeError(
                    f'{type(self).__name__}: expected groups that are dicts with "params", got '
                    + (
                        f"the keys {', '.join(group)}"
                        if isinstance(group, dict)
                        else f"a {type(group).__name__}"
                    )
                )
            unknown = set(group) - set(settings) - {"params"}
            if unknown:
                raise ValueError(
                    f"{type(self).__name__}: expected settings {', '.join(settings)}, got {', '.join(sorted(unknown))}"
                )
            members = group["params"]
            members = [members] if isinstance(members, Parameter) else self._listed(members)
            self.param_groups.append({**settings, **group, "params": members})
        self.parameters: list[Parameter] = [p for g in self.param_groups for p in g["params"]]
        for p in self.parameters:
            if not isinstance(p, Parameter):
                raise TypeError(f"{type(self).__name__}: expected Parameters, got a {type(p).__name__}")
            if not self.scalars and p.value is not None and not isinstance(p.value, _Elements):
                kind = type(p.value).__name__
                raise TypeError(
                    f"{type(self).__name__}: expected Parameters of Tensors, got one of a {kind}: use SGD"
                )
        owners: dict[int, int] = {}
        for k, group in enumerate(self.param_groups):
            for p in group["params"]:
                if id(p) in owners:
                    raise ValueError(
                        f"{type(self).__name__}: expected each parameter once, got parameter {p.name!r} in "
                        f"group {owners[id(p)]} and again in group {k}"
                    )
                owners[id(p)] = k
            group.update(self._settings(group))
            self._check(group)
        self._memory: dict[int, tuple[int, list[Any]]] = {}

    @property
    def lr(self) -> float:
        """The learning rate (of the first group); writing sets it in all groups."""
        return self.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        value = _plain(value)
        for group in self.param_groups:
            group["lr"] = value

    def _listed(self, parameters: Any) -> list[Any]:
        """Return ``parameters`` as a list; a Parameter, a Module and a method that was not called are errors."""
        if callable(parameters):  # a Module can be called too
            method = parameters.__name__ if inspect.ismethod(parameters) else ""
            got = (
                f"the method {method}: call it, {method}()"
                if method
                else "a module: pass module.parameters()"
            )
            raise TypeError(f"{type(self).__name__}: expected a list of Parameters, got {got}")
        if isinstance(parameters, Parameter) or not isinstance(parameters, Iterable):
            raise TypeError(
                f"{type(self).__name__}: expected a list of Parameters, got one {type(parameters).__name__}"
            )
        return list(parameters)

    def _settings(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a group as plain numbers of Python."""
        return {k: _plain(v) for k, v in group.items() if k != "params"}

    def _check(self, group: dict[str, Any]) -> None:
        name = type(self).__name__
        for key in (*_AT_LEAST_0, "dampening"):
            if not isinstance(group.get(key, 0.0), int | float):
                raise TypeError(f"{name}: expected {key} to be a number, got {group[key]!r}")
        for key in _FLAGS:
            if not isinstance(group.get(key, False), bool | int):
                raise TypeError(f"{name}: expected {key} to be True or False, got {group[key]!r}")
        for key in _AT_LEAST_0:
            if not group.get(key, 0.0) >= 0.0 or group.get(key) == math.inf:
                raise ValueError(f"{name}: expected {key} to be a number of at least 0, got {group[key]}")
        if not math.isfinite(group.get("dampening", 0.0)):
            raise ValueError(f"{name}: expected dampening to be a number, got {group['dampening']}")
        betas = group.get("betas", (0.0, 0.0))
        if not isinstance(betas, tuple) or not all(isinstance(beta, int | float) for beta in betas):
            raise TypeError(f"{name}: expected betas to be two numbers, got {betas!r}")
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"{name}: expected betas to be two numbers in [0, 1), got {betas}")

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
            RuntimeError: A setting that adds or removes states (amsgrad) was changed after the first step.
        """
        due = self._due()
        note_step(self)
        one_by_one = type(self).update_one is not Optimizer.update_one
        updates: Updates = {}
        for p, grad, group in due:
            if p.value.grad is None:
                continue  # its value is that of another parameter too
            if one_by_one:
                self.update_one(p, group)
            else:
                self._plan(updates, p, grad, group)
            p.value.zero_grad_()
        _run(updates)

    def _due(self) -> list[tuple[Parameter, Any, dict[str, Any]]]:
        """Return parameters that have a gradient, with it and their group.

        States must have the shape of the value that they update, and be as many as the settings need.
        """
        found, memory = [], self._memory
        for group in self.param_groups:
            expected = self.state_count(group)
            for p in group["params"]:
                value = p.value
                grad = None if value is None else value.grad
                if grad is None:
                    continue
                found.append((p, grad, group))
                states = memory.get(id(p), _NO_STATES)[1]
                # The usual case first: this runs for each parameter in each step.
                if states and (states[0].shape != value.shape or len(states) != expected):
                    self._require_states(p, states, expected)
        return found

    def _require_states(self, p: Parameter, states: list[Any], expected: int | None) -> None:
        name, which = type(self).__name__, p.name or self.parameters.index(p)
        if expected is not None and len(states) != expected:
            raise RuntimeError(
                f"{name}: expected {expected} states of parameter {which} by the settings of its group, got "
                f"{len(states)}: they were changed after the first step; make a new optimizer"
            )
        if states[0].shape != p.value.shape:
            raise IndexingError(
                f"{name}: the states of parameter {which} have shape {states[0].shape}, but its value "
                f"now has {p.value.shape}; make a new optimizer after such a replacement"
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
        value = p.value
        updates.setdefault((type(value), rule, settings), []).append((value, grad, *states))

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
            {**self._settings(g), "params": [order[id(p)] for p in g["params"]]} for g in self.param_groups
        ]
        state = {}
        for k, p in enumerate(self.parameters):
            if id(p) in self._memory:
                steps, states = self._memory[id(p)]
                state[str(k)] = {"step": steps, "states": [s.to_numpy() for s in states]}
        stepped = [int(k) for k in state]
        return {"name": type(self).__name__, "groups": groups, "state": state, "stepped": stepped}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state that `state_dict` returned; it is all or nothing.

        Raises:
            RuntimeError: It is the state of another kind of optimizer, or of other parameters, or no state; or a
                setting is out of range, or a state is missing.
        """
        try:
            self._check_state(state)
            loaded = [{**g, **self._settings(saved)} for g, saved in zip(self.param_groups, state["groups"])]
            for group in loaded:
                self._check(group)
        except (AttributeError, LookupError, TypeError, ValueError) as problem:
            raise RuntimeError(
                f"{type(self).__name__}: expected what its state_dict returns: {problem!r}"
            ) from None
        for group, settings in zip(self.param_groups, loaded):
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
        for group, saved in zip(self.param_groups, state["groups"]):
            unknown = set(saved) - set(group)
            missing = set(group) - set(saved)
            if unknown - {"params"} or missing - {"params"}:
                raise RuntimeError(
                    f"{name}: expected the settings {', '.join(group)} in a group of the state, "
                    f"got {', '.join(saved)}"
                )
        absent = set(state.get("stepped", ())) - {int(k) for k in state["state"]}
        if absent:
            raise RuntimeError(
                f"{name}: expected a state for each parameter that was stepped, got none for {sorted(absent)}"
            )
        owners = [
            saved for g, saved in zip(self.param_groups, state["groups"]) for _ in range(len(g["params"]))
        ]
        for k, kept in state["state"].items():
            position, steps = int(k), kept["step"]
            if str(position) != str(k) or not 0 <= position < len(self.parameters):
                raise RuntimeError(f"{name}: expected states of {len(self.parameters)} parameters, got {k!r}")
            if int(steps) != steps or steps < 1:
                raise RuntimeError(f"{name}: expected a number of steps for parameter {k}, got {steps}")
            shape, expected = self.parameters[position].value.shape, self.state_count(owners[position])
            if expected is not None and len(kept["states"]) != expected:
                raise RuntimeError(
                    f"{name}: expected {expected} states for parameter {k}, got {len(kept['states'])}"
                )
            for array in kept["states"]:
                if np.shape(array) != shape:
                    raise RuntimeError(
                        f"{name}: expected a state of shape {shape} for parameter {k}, got {np.shape(array)}"
                    )

    def state_count(self, group: dict[str, Any]) -> int | None:
        """Return how many states a stepped parameter has under the settings of its group; None if it varies."""
        return None

    def __getstate__(self) -> dict[str, Any]:
        # States are kept by the identity of their parameter, which a copy does not share: by position they survive.
        kept = {k: self._memory[id(p)] for k, p in enumerate(self.parameters) if id(p) in self._memory}
        return {**self.__dict__, "_memory": kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._memory = {id(self.parameters[k]): kept for k, kept in state["_memory"].items()}


def _plain(value: Any) -> Any:
    """Return a setting as a plain number of Python, or a tuple of them: states are saved, and rules are compiled."""
    if isinstance(value, list | tuple):
        return tuple(_plain(v) for v in value)
    if type(value) in (bool, int, float) or value is None or isinstance(value, str):
        return value
    if isinstance(value, np.generic | np.ndarray) and value.size == 1 and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    return float(value) if isinstance(value, SupportsFloat) else value


def _run(updates: Updates) -> None:
    for (kind, rule, settings), rows in updates.items():
        kind.update_all_(rule, settings, rows)
