"""Optimizers: each is one rule for one cell, run over all cells in place by the room of the parameter.

It refuses to know Scalar and Tensor: values are asked through verbs (``grad``, ``update_``, ``update_all_``,
``zero_grad_``, ``zeros``).
A rule ``(settings, x, d, *states) -> (x, *states)`` is a float function: see `minitorch.operators`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from .module import Parameter
from .recording import note_step

Plan = tuple[Callable[..., Any], tuple[float, ...], list[Any]]


@runtime_checkable
class _Cells(Protocol):
    @property
    def dims(self) -> int: ...


def sgd_rule(s: Any, x: float, d: float) -> tuple[float]:
    """Step against the derivative. Settings: lr, weight_decay."""
    return (x - s[0] * (d + s[1] * x),)


def momentum_rule(s: Any, x: float, d: float, v: float) -> tuple[float, float]:
    """Step along a velocity. Settings: lr, weight_decay, momentum, share of the derivative, nesterov."""
    d = d + s[1] * x
    v = s[2] * v + s[3] * d
    return x - s[0] * (d + s[2] * v if s[4] > 0.0 else v), v


def adam_rule(s: Any, x: float, d: float, m: float, v: float) -> tuple[float, float, float]:
    """Adam.

    Settings: step size, coupled decay, decoupled factor, eps, root of the second bias, then beta1, 1 - beta1, beta2,
    1 - beta2 (the differences too: taken from narrow numbers they would lose digits).
    """
    d = d + s[1] * x
    m = s[5] * m + s[6] * d
    v = s[7] * v + s[8] * d * d
    return x * s[2] - s[0] * m / (math.sqrt(v) / s[4] + s[3]), m, v


def amsgrad_rule(
    s: Any, x: float, d: float, m: float, v: float, top: float
) -> tuple[float, float, float, float]:
    """Adam that divides by the largest second moment so far. Settings as for Adam."""
    d = d + s[1] * x
    m = s[5] * m + s[6] * d
    v = s[7] * v + s[8] * d * d
    top = v if v > top else top
    return x * s[2] - s[0] * m / (math.sqrt(top) / s[4] + s[3]), m, v, top


def rmsprop_rule(
    s: Any, x: float, d: float, v: float, g: float, b: float
) -> tuple[float, float, float, float]:
    """RMSprop. Settings: lr, weight_decay, alpha, 1 - alpha, eps, momentum, centered."""
    d = d + s[1] * x
    v = s[2] * v + s[3] * d * d
    g = s[2] * g + s[3] * d
    spread = v - g * g if s[6] > 0.0 else v
    b = s[5] * b + d / (math.sqrt(spread) + s[4])
    return x - s[0] * b, v, g, b


def adagrad_rule(s: Any, x: float, d: float, total: float) -> tuple[float, float]:
    """Adagrad. Settings: lr, weight_decay, eps."""
    d = d + s[1] * x
    total = total + d * d
    return x - s[0] * d / (math.sqrt(total) + s[2]), total


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
            if not self.scalars and p.value is not None and not isinstance(p.value, _Cells):
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


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for; formulas as PyTorch's.

    Args:
        parameters: See `Optimizer`.
        lr: Step size; 1.0 as in the course.
        momentum: How much of the velocity stays.
        dampening: How much of the derivative does not enter the velocity.
        weight_decay: L2 penalty: added to the derivative, times the weight.
        nesterov: Look ahead along the velocity (needs momentum > 0 and dampening 0).
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1.0,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"nesterov needs momentum > 0 and dampening 0, not momentum {momentum} and dampening {dampening}"
            )
        super().__init__(
            parameters,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        if group["momentum"] == 0:
            return sgd_rule, (group["lr"], group["weight_decay"]), []
        steps, states = self._remember(p, 1)
        # The first velocity is the whole derivative, whatever the dampening.
        share = 1.0 if steps == 1 else 1.0 - group["dampening"]
        settings = (group["lr"], group["weight_decay"], group["momentum"], share, float(group["nesterov"]))
        return momentum_rule, settings, states


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015); ``amsgrad`` after Reddi et al., 2018. Weight decay is an L2 penalty."""

    scalars = False
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 3 if group["amsgrad"] else 2)
        lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
        coupled, factor = (0.0, 1.0 - lr * decay) if self.decoupled else (decay, 1.0)
        size, root = lr / (1 - beta1**steps), math.sqrt(1 - beta2**steps)
        rule = amsgrad_rule if group["amsgrad"] else adam_rule
        moments = (beta1, 1 - beta1, beta2, 1 - beta2)
        return rule, (size, coupled, factor, group["eps"], root, *moments), states


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    decoupled = True

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, 2012): divide by a running root mean square of the derivative."""

    scalars = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        _, states = self._remember(p, 3)
        alpha = group["alpha"]
        settings = (group["lr"], group["weight_decay"], alpha, 1 - alpha, group["eps"], group["momentum"])
        return rmsprop_rule, (*settings, float(group["centered"])), states


class Adagrad(Optimizer):
    """Adagrad (Duchi et al., 2011): divide by the root of the sum of squared derivatives."""

    scalars = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 1, group["initial_accumulator_value"])
        lr = group["lr"] / (1 + (steps - 1) * group["lr_decay"])
        return adagrad_rule, (lr, group["weight_decay"], group["eps"]), states


def clip_grad_norm_(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients by one factor, so that together they are no longer than ``max_norm``; names are PyTorch's.

    Args:
        parameters: Of Tensors; those without a gradient count for nothing.
        max_norm: The longest that the vector of all gradients may be, at least 0.

    Returns:
        How long it was.

    Raises:
        ValueError: ``max_norm`` is negative.
    """
    if not max_norm >= 0.0:
        raise ValueError(f"max_norm must be at least 0, not {max_norm}")
    clipped = [p for p in parameters if p.value is not None and p.value.grad is not None]
    norm = math.sqrt(sum((p.value.grad * p.value.grad).sum().item() for p in clipped))
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1.0:  # a norm of nan must be seen in the gradients
        for p in clipped:
            p.value.grad = p.value.grad * factor  # a fresh block: the old one may be shared
    return norm


def clip_grad_value_(parameters: Iterable[Parameter], value: float) -> None:
    """Bring each cell of each gradient into [-``value``, ``value``]; nan stays. The name is PyTorch's.

    Args:
        parameters: Of Tensors; those without a gradient stay without.
        value: At least 0.

    Raises:
        ValueError: ``value`` is negative.
    """
    if not value >= 0.0:
        raise ValueError(f"value must be at least 0, not {value}")
    for p in parameters:
        if p.value is not None and p.value.grad is not None:
            cells = np.clip(p.value.grad.to_numpy(), -value, value)
            p.value.grad = p.value.grad.zeros().copy_(cells)  # a fresh block: the old one may be shared
