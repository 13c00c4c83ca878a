"""Every optimizer and scheduler against PyTorch's of the same name, step by step; settings drawn by seed."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Parameter
from minitorch.optim import plateau as plateau_file
from minitorch.optim import schedulers

from ..support.differential import (
    Config,
    Sampler,
    Settings,
    Shape,
    configs,
    label,
    reference_leaf,
    settings_label,
    shape_label,
    torch,
)

RATES = 40  # learning rates of each schedule


def sgd(d: Sampler) -> Settings:
    found = d.some(lr=d.uniform(0, 0.1), momentum=d.uniform(0.1, 0.95), weight_decay=d.uniform(0, 0.3))
    # Written down also where it is the default: the course's rate is not PyTorch's.
    found.setdefault("lr", 1.0)
    if "momentum" in found:
        found |= d.choice([{}, {"nesterov": True}, {"dampening": d.uniform(0, 0.9)}])
    return found


def adam(d: Sampler) -> Settings:
    betas = (d.uniform(0, 0.95), d.uniform(0.5, 0.999))
    numbers = {"lr": d.uniform(0, 0.1), "eps": 10 ** d.uniform(-8, -2), "weight_decay": d.uniform(0, 0.3)}
    return d.some(**numbers, betas=betas, amsgrad=True)


def rmsprop(d: Sampler) -> Settings:
    numbers = {"lr": d.uniform(0, 0.1), "alpha": d.uniform(0.5, 0.999), "eps": 10 ** d.uniform(-8, -2)}
    return d.some(**numbers, weight_decay=d.uniform(0, 0.3), momentum=d.uniform(0.1, 0.95), centered=True)


def adagrad(d: Sampler) -> Settings:
    numbers = {"lr": d.uniform(0, 0.3), "lr_decay": d.uniform(0, 0.5), "eps": 10 ** d.uniform(-10, -2)}
    return d.some(**numbers, weight_decay=d.uniform(0, 0.3), initial_accumulator_value=d.uniform(0, 1))


def adadelta(d: Sampler) -> Settings:
    numbers = {"lr": d.uniform(0, 1), "rho": d.uniform(0, 0.99), "eps": 10 ** d.uniform(-7, -2)}
    return d.some(**numbers, weight_decay=d.uniform(0, 0.3))


def adamax(d: Sampler) -> Settings:
    betas = (d.uniform(0, 0.95), d.uniform(0.5, 0.999))
    numbers = {"lr": d.uniform(0, 0.1), "eps": 10 ** d.uniform(-8, -2), "weight_decay": d.uniform(0, 0.3)}
    return d.some(**numbers, betas=betas)


def decoupling(d: Sampler) -> Settings:
    return adamax(d) | d.some(decoupled_weight_decay=True)


OPTIMIZERS: dict[str, Callable[[Sampler], Settings]] = {
    "SGD": sgd,
    "Adam": adam,
    "AdamW": adam,
    "RMSprop": rmsprop,
    "Adagrad": adagrad,
    "Adadelta": adadelta,
    "Adamax": adamax,
    "NAdam": lambda d: decoupling(d) | d.some(momentum_decay=d.uniform(0, 0.1)),
    "RAdam": decoupling,
}
# Settings that a group may bring for itself, whatever the optimizer.
OWN = ("lr", "weight_decay", "eps", "betas", "alpha")


@dataclass(frozen=True)
class Run:
    """Some steps of an optimizer on groups of parameters.

    Attributes:
        idle: How often a parameter goes without a gradient.
        clip: What is done to gradients before each step.
    """

    name: str
    config: Config
    settings: Settings
    groups: list[tuple[Settings, list[Shape]]]
    steps: int
    idle: float
    clip: str

    def __str__(self) -> str:
        groups = "+".join(f"{'x'.join(map(shape_label, s))}({settings_label(own)})" for own, s in self.groups)
        return f"{self.name}-{self.config}-{groups}-{self.steps},{self.clip}-{settings_label(self.settings)}"


def runs(count: int) -> list[Run]:
    found = []
    for name, draw in OPTIMIZERS.items():
        for config in configs(count):
            d = Sampler(name, config.seed)
            groups = []
            for k in range(d.choice([1, 1, 2, 3])):
                own = {key: v for key, v in draw(d).items() if key in OWN} if k else {}
                groups.append((own, [d.sizes(0, 3, config.limit) for _ in range(d.randint(1, 3))]))
            clip = d.choice(["unclipped", "unclipped", "norm", "value"])
            found.append(Run(name, config, draw(d), groups, d.randint(3, 8), d.choice([0, 0.3]), clip))
    return found


@pytest.mark.parametrize("run", runs(36), ids=str)
def test_optimizer(run: Run) -> None:
    config, rng, d = run.config, run.config.rng(), Sampler("steps", run.config.seed)
    config.settle()
    starts = [[rng.normal(size=s).astype(config.dtype) for s in shapes] for _, shapes in run.groups]
    params = [[Parameter(config.leaf(np.asarray(x)).detach()) for x in group] for group in starts]
    leaves = [[reference_leaf(np.asarray(x)) for x in group] for group in starts]
    given, expected = (
        [{"params": group, **own} for (own, _), group in zip(run.groups, groups)]
        for groups in (params, leaves)
    )
    ours = getattr(minitorch, run.name)(given, **run.settings)
    theirs = getattr(torch.optim, run.name)(expected, **run.settings)
    pairs = [pair for groups in zip(params, leaves) for pair in zip(*groups)]
    clips = [getattr(nn, f"clip_grad_{run.clip}_", None) for nn in (minitorch, torch.nn.utils)]
    for step in range(run.steps):
        theirs.zero_grad()
        for p, t in pairs:
            if d.flag(run.idle) and p is not pairs[0][0]:  # PyTorch cannot clip where there is no gradient
                continue
            aim = np.asarray(rng.normal(size=p.value.shape)).astype(config.dtype)
            ((p.value - config.leaf(aim)) ** 2 / 2).sum().backward()
            ((t - torch.tensor(aim)) ** 2 / 2).sum().backward()
        bound = d.uniform(0.2, 3)
        for clip, values in zip(clips, ([p for p, _ in pairs], [t for _, t in pairs])):
            if clip is not None:
                clip(values, bound)
        ours.step()
        theirs.step()
        for k, (p, t) in enumerate(pairs):
            assert (p.value.dtype, p.value.grad) == (config.dtype, None)
            config.agree(f"parameter {k} after step {step}", p.value, t)
        if d.flag(0.2):  # as a scheduler does
            for one, other in zip(ours.param_groups, theirs.param_groups):
                one["lr"] = other["lr"] = other["lr"] * 0.7


def gamma(d: Sampler) -> float:
    return d.uniform(0.3, 1.1)


def one_cycle(d: Sampler, groups: int) -> Settings:
    def each(low: float, high: float) -> Any:
        return d.uniform(low, high) if d.flag() else [d.uniform(low, high) for _ in range(groups)]

    length = d.choice([{"total_steps": RATES}, {"total_steps": 61}, {"epochs": 9, "steps_per_epoch": 5}])
    numbers = {
        "pct_start": d.uniform(0.1, 0.45),
        "div_factor": d.uniform(2, 50),
        "final_div_factor": 10 ** d.uniform(1, 5),
    }
    momenta = {"base_momentum": each(0.5, 0.85), "max_momentum": each(0.86, 0.99)}
    words = {"anneal_strategy": "linear", "three_phase": True, "cycle_momentum": False}
    return {"max_lr": each(0.01, 1), **length, **d.some(**numbers, **momenta, **words)}


def plateau(d: Sampler, groups: int) -> Settings:
    lowest = d.choice([d.uniform(0, 0.05), [d.uniform(0, 0.05) for _ in range(groups)]])
    counts = {"patience": d.randint(0, 4), "cooldown": d.randint(0, 3)}
    words = {"mode": d.choice(["min", "max"]), "threshold_mode": d.choice(["rel", "abs"])}
    numbers = {
        "factor": d.uniform(0.1, 0.9),
        "threshold": 10 ** d.uniform(-4, -1),
        "eps": 10 ** d.uniform(-8, -2),
    }
    return {"patience": 2, **d.some(**counts, **words, **numbers, min_lr=lowest)}


def falling(rate: float) -> Callable[[int], float]:
    return lambda epoch: 1 / (1 + rate * epoch)


SCHEDULERS: dict[str, Callable[[Sampler, int], Settings]] = {
    "StepLR": lambda d, n: {"step_size": d.randint(1, 12), **d.some(gamma=gamma(d))},
    "MultiStepLR": lambda d, n: {
        "milestones": [d.randrange(RATES) for _ in range(d.randint(0, 5))],
        **d.some(gamma=gamma(d)),
    },
    "ExponentialLR": lambda d, n: {"gamma": gamma(d)},
    "LinearLR": lambda d, n: d.some(
        start_factor=d.uniform(0.01, 1), end_factor=d.random(), total_iters=d.randint(1, 50)
    ),
    "CosineAnnealingLR": lambda d, n: {"T_max": d.randint(1, 60), **d.some(eta_min=d.uniform(0, 0.01))},
    "LambdaLR": lambda d, n: {
        "lr_lambda": falling(d.random()) if d.flag() else [falling(d.random()) for _ in range(n)]
    },
    "OneCycleLR": one_cycle,
    "ReduceLROnPlateau": plateau,
}


@dataclass(frozen=True)
class Schedule:
    """A scheduler on groups of an optimizer that have rates of their own."""

    name: str
    seed: int
    kind: str
    rates: list[float]
    settings: Settings

    def __str__(self) -> str:
        return f"{self.name}-{self.seed},{self.kind}-{label(self.rates)}-{settings_label(self.settings)}"


def schedules(count: int) -> list[Schedule]:
    found = []
    for name, draw in SCHEDULERS.items():
        for seed in range(count):
            d = Sampler(name, seed)
            rates = [round(d.uniform(0.02, 1), 3) for _ in range(d.randint(1, 3))]
            found.append(Schedule(name, seed, d.choice(["SGD", "Adam"]), rates, draw(d, len(rates))))
    return found


def seen(optimizer: Any) -> list[float]:
    """Return all that a scheduler may write."""
    return [
        float(x)
        for group in optimizer.param_groups
        for x in (group["lr"], group.get("momentum", 0.0), *group.get("betas", ()))
    ]


def metrics(d: Sampler) -> list[float]:
    """Return losses that sink at first and then go up and down, some of them not finite."""
    values = [
        abs(math.exp(-k / 5) + d.gauss(0, 0.05)) for k in range(RATES)
    ]  # below 0 PyTorch's plateau differs
    for k in range(RATES):
        if d.flag(0.1):
            values[k] = d.choice([math.nan, math.inf, values[k - 1]])
    return values


@pytest.mark.parametrize("schedule", schedules(24), ids=str)
def test_scheduler(schedule: Schedule) -> None:
    given = {"momentum": 0.9} if schedule.kind == "SGD" else {}
    ours = getattr(minitorch, schedule.kind)(
        [{"params": [Parameter(minitorch.zeros((1,)))], "lr": rate} for rate in schedule.rates], **given
    )
    theirs = getattr(torch.optim, schedule.kind)(
        [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in schedule.rates], **given
    )
    reference = getattr(torch.optim.lr_scheduler, schedule.name)(theirs, **schedule.settings)
    scheduler = getattr(minitorch, schedule.name)(ours, **schedule.settings)
    close = lambda values: pytest.approx(values, rel=1e-9, abs=1e-13)  # noqa: E731
    assert seen(ours) == close(seen(theirs))
    for metric in metrics(Sampler("metrics", schedule.seed))[1:]:
        theirs.step()
        given_metric = (metric,) if schedule.name == "ReduceLROnPlateau" else ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's own notices
            reference.step(*given_metric)
        scheduler.step(*given_metric)
        assert seen(ours) == close(seen(theirs))
        assert scheduler.get_last_lr() == close(reference.get_last_lr())


def public(test: Callable[[type], bool]) -> set[str]:
    classes = [getattr(minitorch, name) for name in minitorch.__all__]
    return {kind.__name__ for kind in classes if isinstance(kind, type) and test(kind)}


def missing(name: str, drawn: set[str]) -> set[str]:
    return set(inspect.signature(getattr(minitorch, name)).parameters) - drawn


def test_every_public_optimizer_is_drawn_with_every_setting() -> None:
    assert public(lambda kind: issubclass(kind, minitorch.Optimizer)) - {"Optimizer"} == set(OPTIMIZERS)
    for name in OPTIMIZERS:
        assert not missing(name, {"parameters"}.union(*(w.settings for w in runs(36) if w.name == name)))


def test_every_public_scheduler_is_drawn_with_every_setting() -> None:
    here = public(
        lambda kind: (
            kind.__module__ in (schedulers.__name__, plateau_file.__name__) and "get_last_lr" in dir(kind)
        )
    )
    assert here == set(SCHEDULERS)
    for name in SCHEDULERS:
        assert not missing(name, {"optimizer"}.union(*(s.settings for s in schedules(24) if s.name == name)))
