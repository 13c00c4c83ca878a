"""Schedules of the learning rate over time; `plateau` has those that watch a metric.

Depends on nothing but ``optimizer.param_groups``. A scheduler writes ``"lr"`` (OneCycleLR the momentum too) into these.
Names, arguments and numbers are those of ``torch.optim.lr_scheduler``. A schedule of time is a function of the epoch
and of the rates found at the start, so a state needs no more than these; settings come from the constructor. Use one
scheduler per optimizer: a second one would overwrite what the first has set.

Call ``step`` after each epoch (OneCycleLR: each batch). It takes the epoch's loss or score, which only
ReduceLROnPlateau (in `plateau`) reads, so that a training loop can treat all alike. "Rate" stands for learning rate.
"""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

T = TypeVar("T")
Rule = Callable[[int, float], float]  # from epoch and first rate to the rate


class HasLR(Protocol):
    """An optimizer, as far as schedules need it: groups of parameters, each with an ``"lr"``."""

    @property
    def param_groups(self) -> list[dict[str, Any]]: ...


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise ValueError where a setting is out of range."""
    if not condition:
        raise ValueError(f"scheduler: expected {name} to be {expected}, got {value!r}")


def per_group(name: str, setting: T | Sequence[T], optimizer: HasLR) -> list[T]:
    """Return a setting for each parameter group: one value serves all.

    Raises:
        ValueError: The list has another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(setting, Sequence):
        return [setting] * count
    require(len(setting) == count, name, setting, f"one value or a list of {count}, one per parameter group")
    return list(setting)


class Stateful:
    """What progresses in plain numbers; ``_progress`` names them."""

    _progress: ClassVar[tuple[str, ...]]

    def state_dict(self) -> dict[str, Any]:
        """Return the progress (not the settings) as plain numbers, ready for JSON."""
        return {name: copy.copy(vars(self)[name]) for name in self._progress}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; all or nothing. The optimizer's rates come back with the optimizer's own state.

        Raises:
            RuntimeError: It is not a state of this class.
        """
        if not isinstance(state, Mapping) or set(state) != set(self._progress):
            found = sorted(state) if isinstance(state, Mapping) else state
            raise RuntimeError(
                f"{type(self).__name__}: expected a state with {list(self._progress)}, got {found!r}"
            )
        for name in self._progress:
            setattr(self, name, copy.copy(state[name]))


class Scheduler(Stateful):
    """The base of all schedulers."""

    optimizer: HasLR

    def get_last_lr(self) -> list[float]:
        """Return the current rate of each parameter group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]


class _Schedule(Scheduler):
    _progress = ("last_epoch", "base_lrs")

    def __init__(
        self, optimizer: HasLR, rule: Rule | Sequence[Rule], base_lrs: Sequence[float] | None = None
    ) -> None:
        self.optimizer = optimizer
        self.base_lrs = list(base_lrs or self.get_last_lr())
        self.last_epoch = 0
        self._rules = per_group("the rule", rule, optimizer)
        self._set()

    def step(self, metric: float | None = None) -> None:
        """Go to the next epoch and set its rates; ``metric`` is not read."""
        self.last_epoch += 1
        self._set()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; all or nothing. The optimizer's rates come back with the optimizer's own state.

        Raises:
            RuntimeError: It is not a state of this class, or of another number of parameter groups.
        """
        before = self.state_dict()
        super().load_state_dict(state)
        if not isinstance(self.base_lrs, list) or len(self.base_lrs) != len(before["base_lrs"]):
            found = self.base_lrs
            super().load_state_dict(before)
            raise RuntimeError(
                f"{type(self).__name__}: expected base_lrs with a rate for each of {len(self.base_lrs)} groups, "
                f"got {found!r}"
            )

    def _set(self) -> None:
        for group, rule, base in zip(self.optimizer.param_groups, self._rules, self.base_lrs):
            group["lr"] = rule(self.last_epoch, base)


class StepLR(_Schedule):
    """Multiply the rate by ``gamma`` every ``step_size`` epochs.

    Args:
        optimizer: Anything with ``param_groups``.
        step_size: At least 1.
        gamma: Above 0.
    """

    def __init__(self, optimizer: HasLR, step_size: int, gamma: float = 0.1) -> None:
        require(step_size >= 1, "step_size", step_size, "at least 1")
        require(gamma > 0, "gamma", gamma, "above 0")
        super().__init__(optimizer, lambda epoch, base: base * gamma ** (epoch // step_size))


class MultiStepLR(_Schedule):
    """Multiply the rate by ``gamma`` at each of the ``milestones``.

    Args:
        optimizer: Anything with ``param_groups``.
        milestones: Epochs, in any order; one that is listed twice counts twice.
        gamma: Above 0.
    """

    def __init__(self, optimizer: HasLR, milestones: Sequence[int], gamma: float = 0.1) -> None:
        require(all(m >= 0 for m in milestones), "milestones", milestones, "epochs from 0")
        require(gamma > 0, "gamma", gamma, "above 0")
        passed = sorted(milestones)
        super().__init__(optimizer, lambda epoch, base: base * gamma ** bisect_right(passed, epoch))


class ExponentialLR(_Schedule):
    """Multiply the rate by ``gamma`` (above 0) every epoch."""

    def __init__(self, optimizer: HasLR, gamma: float) -> None:
        require(gamma > 0, "gamma", gamma, "above 0")
        super().__init__(optimizer, lambda epoch, base: base * gamma**epoch)


class LinearLR(_Schedule):
    """Multiply the rate by a factor that goes linearly from one value to another, then stays: a warm-up.

    The gradual warm-up of Goyal et al., "Accurate, large minibatch SGD" (2017).

    Args:
        optimizer: Anything with ``param_groups``.
        start_factor: The factor at the start, in (0, 1], by default 1/3.
        end_factor: The factor at the end, in [0, 1], by default 1.
        total_iters: Number of steps from start to end, at least 1, by default 5.
    """

    def __init__(
        self,
        optimizer: HasLR,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        require(0 < start_factor <= 1, "start_factor", start_factor, "above 0 and at most 1")
        require(0 <= end_factor <= 1, "end_factor", end_factor, "between 0 and 1")
        require(total_iters >= 1, "total_iters", total_iters, "at least 1")

        def rule(epoch: int, base: float) -> float:
            return base * _linear(start_factor, end_factor, min(epoch / total_iters, 1.0))

        super().__init__(optimizer, rule)


class CosineAnnealingLR(_Schedule):
    """Lower the rate along half a cosine wave, to ``eta_min`` after ``T_max`` epochs; after that it rises again.

    ``eta_min + (lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2``: the schedule, without restarts, of Loshchilov and
    Hutter, "SGDR" (2017).

    Args:
        optimizer: Anything with ``param_groups``.
        T_max: Half the period, at least 1.
        eta_min: The lowest rate, at least 0, by default 0.
    """

    def __init__(self, optimizer: HasLR, T_max: int, eta_min: float = 0.0) -> None:
        require(T_max >= 1, "T_max", T_max, "at least 1")
        require(eta_min >= 0, "eta_min", eta_min, "at least 0")
        super().__init__(optimizer, lambda epoch, base: _cosine(base, eta_min, epoch / T_max))


class LambdaLR(_Schedule):
    """Multiply the first rate by a function of the epoch.

    Args:
        optimizer: Anything with ``param_groups``.
        lr_lambda: Epoch (from 0) to factor; or a list of such functions, one per parameter group.
    """

    def __init__(
        self, optimizer: HasLR, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        def scaled(factor: Callable[[int], float]) -> Rule:
            return lambda epoch, base: base * factor(epoch)

        super().__init__(optimizer, [scaled(f) for f in per_group("lr_lambda", lr_lambda, optimizer)])


class OneCycleLR(_Schedule):
    """Raise the rate to a peak, then lower it far below its start; the momentum does the opposite.

    The policy of Smith and Topin, "Super-Convergence" (2018). Step it after each batch.

    Args:
        optimizer: Anything with ``param_groups``; its own rates are not used.
        max_lr: The peak, above 0; or a list, one per parameter group.
        total_steps: The length of the cycle; None (default): ``epochs * steps_per_epoch``.
        epochs: Used with ``steps_per_epoch`` where ``total_steps`` is None.
        steps_per_epoch: See ``epochs``.
        pct_start: The part of the cycle in which the rate rises, in [0, 1], by default 0.3.
        anneal_strategy: ``"cos"`` (default) or ``"linear"``.
        cycle_momentum: Whether to set ``"momentum"``, or the first of ``"betas"``, of each group too; by default True.
        base_momentum: The momentum at the peak, by default 0.85; or a list.
        max_momentum: The momentum at both ends, by default 0.95; or a list.
        div_factor: The first rate is ``max_lr / div_factor``, by default 25.
        final_div_factor: The last rate is the first divided by this, by default 1e4.
        three_phase: Return to the first rate as fast as it rose, and only then go to the last; by default False.

    Raises:
        ValueError: A setting is out of range, or ``cycle_momentum`` has no momentum to set.
    """

    def __init__(
        self,
        optimizer: HasLR,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    "OneCycleLR: expected total_steps, or both epochs and steps_per_epoch, got neither"
                )
            total_steps = epochs * steps_per_epoch
        peaks = per_group("max_lr", max_lr, optimizer)
        require(total_steps >= 1, "total_steps", total_steps, "at least 1")
        require(all(peak > 0 for peak in peaks), "max_lr", max_lr, "above 0")
        require(0 <= pct_start <= 1, "pct_start", pct_start, "between 0 and 1")
        require(anneal_strategy in _CURVES, "anneal_strategy", anneal_strategy, '"cos" or "linear"')
        require(div_factor > 0, "div_factor", div_factor, "above 0")
        require(final_div_factor > 0, "final_div_factor", final_div_factor, "above 0")
        momenta = list(
            zip(
                per_group("base_momentum", base_momentum, optimizer),
                per_group("max_momentum", max_momentum, optimizer),
            )
        )
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in optimizer.param_groups):
            raise ValueError(
                "OneCycleLR: expected an optimizer with momentum or betas, got one without: set cycle_momentum=False"
            )
        rise = pct_start * total_steps
        last = total_steps - 1.0  # steps count from 0
        self._total_steps = total_steps
        self._ends = (rise - 1.0, 2.0 * rise - 2.0, last) if three_phase else (rise - 1.0, last)
        self._curve = _CURVES[anneal_strategy]
        self._momenta = momenta if cycle_momentum else []

        def rule(step: int, first: float) -> float:
            peak, final = first * div_factor, first / final_div_factor
            return self._along(step, (first, peak, first, final) if three_phase else (first, peak, final))

        super().__init__(optimizer, rule, [peak / div_factor for peak in peaks])

    def step(self, metric: float | None = None) -> None:
        """Go to the next batch and set its rates and momenta; ``metric`` is not read.

        Raises:
            ValueError: The cycle is over.
        """
        if self.last_epoch == self._total_steps:
            raise ValueError(
                f"OneCycleLR: expected at most the {self._total_steps} steps of its cycle, got one more"
            )
        super().step(metric)

    def _along(self, step: int, knots: tuple[float, ...]) -> float:
        """Return the value at ``step`` of the curve that joins ``knots``, one for the start and each phase's end."""
        begin = 0.0
        for phase, end in enumerate(self._ends):
            if step <= end or phase == len(self._ends) - 1:
                break
            begin = end
        # A phase of no length is over at once.
        part = (step - begin) / (end - begin) if end != begin else 1.0
        return self._curve(knots[phase], knots[phase + 1], part)

    def _set(self) -> None:
        super()._set()
        for group, (low, high) in zip(self.optimizer.param_groups, self._momenta):
            momentum = self._along(self.last_epoch, (high, low, high, high))
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def _linear(start: float, end: float, part: float) -> float:
    return start + (end - start) * part


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * part)) / 2.0


_CURVES: dict[str, Callable[[float, float, float], float]] = {"cos": _cosine, "linear": _linear}
