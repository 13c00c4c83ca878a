"""Learning rates against PyTorch's schedulers; states, errors and EarlyStopping by hand."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from minitorch import optim
from minitorch.optim import (
    CosineAnnealingLR,
    EarlyStopping,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
    schedulers,
)


class Optimizer:
    """All that a scheduler asks for."""

    def __init__(self, *rates: float, **settings: Any) -> None:
        self.param_groups: list[dict[str, Any]] = [{"lr": rate, **settings} for rate in rates]


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "step": ("StepLR", {"step_size": 3}),
    "step each": ("StepLR", {"step_size": 1, "gamma": 0.7}),
    "milestones": ("MultiStepLR", {"milestones": [8, 2, 5], "gamma": 0.5}),
    "milestone twice": ("MultiStepLR", {"milestones": [0, 4, 4]}),
    "exponential": ("ExponentialLR", {"gamma": 0.9}),
    "cosine": ("CosineAnnealingLR", {"T_max": 7}),
    "cosine with floor": ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.05}),
    "lambda": ("LambdaLR", {"lr_lambda": lambda epoch: 1.0 / (1 + epoch)}),
    "lambdas": ("LambdaLR", {"lr_lambda": [lambda epoch: 0.5**epoch, lambda epoch: 1.0 + epoch]}),
    "linear": ("LinearLR", {}),
    "linear down": ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 8}),
    "one cycle": ("OneCycleLR", {"max_lr": 0.4, "total_steps": 20}),
    "one cycle by epochs": ("OneCycleLR", {"max_lr": [0.4, 1.0], "epochs": 5, "steps_per_epoch": 4}),
    "one cycle, straight": ("OneCycleLR", {"max_lr": 0.4, "total_steps": 21, "anneal_strategy": "linear"}),
    "one cycle, three phases": (
        "OneCycleLR",
        {"max_lr": 0.4, "total_steps": 25, "three_phase": True, "base_momentum": [0.7, 0.8]},
    ),
    "one cycle, no momentum": (
        "OneCycleLR",
        {
            "max_lr": 0.4,
            "total_steps": 20,
            "pct_start": 0.0,
            "cycle_momentum": False,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
    ),
}


def torch_optimizer(*rates: float, kind: str = "SGD", **settings: Any) -> Any:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return getattr(torch.optim, kind)(groups, **settings)


def torch_scheduler(name: str, optimizer: Any, settings: dict[str, Any]) -> Any:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)


def seen(optimizer: Any) -> list[float]:
    return [
        float(x)
        for group in optimizer.param_groups
        for x in (group["lr"], group.get("momentum", 0.0), *group.get("betas", ()))
    ]


def close(values: list[float]) -> Any:
    return pytest.approx(values, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_against_torch(case: str) -> None:
    name, settings = CASES[case]
    theirs = torch_optimizer(0.5, 0.2, momentum=0.9)
    ours = Optimizer(0.5, 0.2, momentum=0.9)
    reference = torch_scheduler(name, theirs, settings)
    scheduler = getattr(schedulers, name)(ours, **settings)
    assert seen(ours) == close(seen(theirs))
    for _ in range(20):
        theirs.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's own notices
            reference.step()
        scheduler.step()
        assert seen(ours) == close(seen(theirs))
        assert scheduler.get_last_lr() == close(reference.get_last_lr())


def test_one_cycle_sets_beta1() -> None:
    settings = {"max_lr": 0.1, "total_steps": 10}
    theirs = torch_optimizer(0.5, kind="Adam", betas=(0.9, 0.99))
    ours = Optimizer(0.5, betas=(0.9, 0.99))
    reference = torch_scheduler("OneCycleLR", theirs, settings)
    scheduler = OneCycleLR(ours, **settings)
    for _ in range(9):
        assert ours.param_groups[0]["betas"] == pytest.approx(theirs.param_groups[0]["betas"])
        theirs.step()
        reference.step()
        scheduler.step()
    assert ours.param_groups[0]["betas"] == pytest.approx((0.95, 0.99))


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 2},
        {"patience": 0, "factor": 0.5, "cooldown": 2},
        {"mode": "max", "patience": 1, "threshold": 0.05},
        {"mode": "max", "patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
        {"patience": 1, "threshold": 0.1, "threshold_mode": "abs", "min_lr": [0.01, 0.1]},
        {"patience": 0, "eps": 0.01},
    ],
    ids=str,
)
def test_plateau_against_torch(settings: dict[str, Any]) -> None:
    theirs, ours = torch_optimizer(0.5, 0.2), Optimizer(0.5, 0.2)
    reference = torch_scheduler("ReduceLROnPlateau", theirs, settings)
    scheduler = ReduceLROnPlateau(ours, **settings)
    metrics = [
        math.inf,
        math.nan,
        1.0,
        0.9,
        0.93,
        0.91,
        0.95,
        1.2,
        0.5,
        0.5,
        0.5,
        0.5,
        0.6,
        -0.1,
        -0.2,
        0.0,
        2.0,
    ]
    if settings.get("threshold_mode") != "abs":
        metrics = [
            abs(metric) for metric in metrics
        ]  # PyTorch takes any value for better than a negative best
    for metric in metrics + metrics:
        reference.step(metric)
        scheduler.step(metric)
        assert scheduler.get_last_lr() == close(reference.get_last_lr())


def test_rates_by_hand() -> None:
    optimizer = Optimizer(1.0)
    scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    rates = [scheduler.get_last_lr()]
    for _ in range(4):
        scheduler.step()
        rates.append(scheduler.get_last_lr())
    assert rates == [[1.0], [1.0], [0.5], [0.5], [0.25]]
    assert optimizer.param_groups == [{"lr": 0.25}]


def test_every_step_takes_a_metric() -> None:
    for make in MAKERS:
        make().step(0.5)


MAKERS: list[Callable[[], Any]] = [
    lambda: StepLR(Optimizer(0.5, 0.2), 2),
    lambda: MultiStepLR(Optimizer(0.5, 0.2), [1, 3]),
    lambda: ExponentialLR(Optimizer(0.5, 0.2), 0.9),
    lambda: LinearLR(Optimizer(0.5, 0.2)),
    lambda: CosineAnnealingLR(Optimizer(0.5, 0.2), 5),
    lambda: LambdaLR(Optimizer(0.5, 0.2), lambda epoch: 0.8**epoch),
    lambda: OneCycleLR(Optimizer(0.5, 0.2, momentum=0.0), 1.0, 10),
    lambda: ReduceLROnPlateau(Optimizer(0.5, 0.2), patience=1),
]


@pytest.mark.parametrize("make", MAKERS, ids=[type(make()).__name__ for make in MAKERS])
@pytest.mark.parametrize("before", [0, 4])
def test_resume(make: Callable[[], Any], before: int) -> None:
    first = make()
    for _ in range(before):
        first.step(1.0)
    text = json.dumps(first.state_dict(), allow_nan=False)
    resumed = make()
    resumed.optimizer.param_groups = [dict(group) for group in first.optimizer.param_groups]
    resumed.load_state_dict(json.loads(text))
    assert resumed.state_dict() == first.state_dict()
    for _ in range(5):
        first.step(1.0)
        resumed.step(1.0)
        assert resumed.optimizer.param_groups == first.optimizer.param_groups


def test_state_is_a_copy() -> None:
    scheduler = StepLR(Optimizer(0.5), 2)
    state = scheduler.state_dict()
    scheduler.load_state_dict(state)
    state["base_lrs"][0] = 7.0
    assert scheduler.base_lrs == [0.5]


def test_states_that_do_not_fit() -> None:
    scheduler = StepLR(Optimizer(0.5), 2)
    for bad in ({"base_lrs": [0.5]}, {}, None):
        with pytest.raises(RuntimeError, match="last_epoch"):
            scheduler.load_state_dict(bad)  # type: ignore[arg-type]
    for rates in ([0.5, 0.1], 0.5, None):
        with pytest.raises(RuntimeError, match=r"base_lrs .* each of 1"):
            scheduler.load_state_dict({"last_epoch": 1, "base_lrs": rates})
    with pytest.raises(RuntimeError, match="best_epoch"):
        EarlyStopping().load_state_dict(scheduler.state_dict())
    assert scheduler.state_dict() == {"last_epoch": 0, "base_lrs": [0.5]}


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("StepLR", {"step_size": 0}, "step_size to be .*got 0"),
        ("StepLR", {"step_size": 1, "gamma": -0.1}, "gamma to be .*got -0.1"),
        ("MultiStepLR", {"milestones": [3, -1]}, r"milestones to be .*got \[3, -1\]"),
        ("MultiStepLR", {"milestones": [3], "gamma": 0.0}, "gamma to be .*got 0.0"),
        ("ExponentialLR", {"gamma": math.nan}, "gamma to be .*got nan"),
        ("LinearLR", {"start_factor": 0.0}, "start_factor to be .*got 0.0"),
        ("LinearLR", {"end_factor": 1.5}, "end_factor to be .*got 1.5"),
        ("LinearLR", {"total_iters": 0}, "total_iters to be .*got 0"),
        ("CosineAnnealingLR", {"T_max": 0}, "T_max to be .*got 0"),
        ("CosineAnnealingLR", {"T_max": 3, "eta_min": -1.0}, "eta_min to be .*got -1.0"),
        ("LambdaLR", {"lr_lambda": []}, "a list of 1"),
        ("OneCycleLR", {"max_lr": 1.0}, "total_steps"),
        ("OneCycleLR", {"max_lr": 1.0, "epochs": 3}, "steps_per_epoch"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}, "total_steps to be .*got 0"),
        ("OneCycleLR", {"max_lr": 0.0, "total_steps": 9}, "max_lr to be .*got 0.0"),
        ("OneCycleLR", {"max_lr": [1.0, 2.0], "total_steps": 9}, "a list of 1"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1.5}, "pct_start to be .*got 1.5"),
        (
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "sine"},
            "anneal_strategy to be .*got 'sine'",
        ),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "div_factor": 0.0}, "div_factor to be .*got 0.0"),
        (
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 9, "final_div_factor": 0.0},
            "final_div_factor to be .*got 0.0",
        ),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9}, "momentum or betas"),
        ("ReduceLROnPlateau", {"mode": "low"}, "mode to be .*got 'low'"),
        ("ReduceLROnPlateau", {"factor": 1.0}, "factor to be .*got 1.0"),
        ("ReduceLROnPlateau", {"patience": -1}, "patience to be .*got -1"),
        ("ReduceLROnPlateau", {"threshold": -1.0}, "threshold to be .*got -1.0"),
        ("ReduceLROnPlateau", {"threshold_mode": "both"}, "threshold_mode to be .*got 'both'"),
        ("ReduceLROnPlateau", {"cooldown": -1}, "cooldown to be .*got -1"),
        ("ReduceLROnPlateau", {"eps": -1.0}, "eps to be .*got -1.0"),
        ("ReduceLROnPlateau", {"min_lr": [0.1, 0.1]}, "a list of 1"),
    ],
)
def test_bad_settings(name: str, settings: dict[str, Any], message: str) -> None:
    optimizer = Optimizer(0.5)
    with pytest.raises(ValueError, match=message):
        getattr(optim, name)(optimizer, **settings)
    assert optimizer.param_groups == [{"lr": 0.5}]


def test_one_cycle_ends() -> None:
    scheduler = OneCycleLR(Optimizer(0.5, momentum=0.0), 1.0, total_steps=3)
    for _ in range(3):
        scheduler.step()
    with pytest.raises(ValueError, match="3 steps"):
        scheduler.step()
    assert scheduler.last_epoch == 3


def test_one_cycle_without_a_rise_starts_at_the_peak() -> None:
    # PyTorch divides by zero here: the rising phase consists of step 0 alone.
    scheduler = OneCycleLR(Optimizer(0.5, momentum=0.0), 1.0, total_steps=10, pct_start=0.1)
    assert scheduler.get_last_lr() == [1.0]


@pytest.mark.parametrize(
    ("settings", "metrics", "stop", "best", "best_epoch"),
    [
        ({"patience": 2}, [1.0, 0.5, 0.6, 0.7], 4, 0.5, 2),
        ({"patience": 2}, [1.0, 1.1, 0.9, 1.0, 0.9], 5, 0.9, 3),
        ({"patience": 1}, [1.0, 0.9, 0.8], None, 0.8, 3),
        ({"patience": 0}, [1.0, 0.9, 0.9], 3, 0.9, 2),
        ({"patience": 1, "min_delta": 0.1}, [1.0, 0.95], 2, 1.0, 1),
        ({"patience": 2, "mode": "max"}, [0.1, 0.3, 0.2, 0.3], 4, 0.3, 2),
        ({"patience": 2, "mode": "max", "min_delta": 0.1}, [-0.5, -0.45, -0.3, -0.25], None, -0.3, 3),
        ({"patience": 2}, [math.nan, math.nan], 2, None, 0),
    ],
)
def test_early_stopping(
    settings: dict[str, Any], metrics: list[float], stop: int | None, best: float | None, best_epoch: int
) -> None:
    stopping = EarlyStopping(**settings)
    answers = [stopping.update(metric) for metric in metrics]
    assert answers == [epoch == stop for epoch in range(1, len(metrics) + 1)]
    assert (stopping.best, stopping.best_epoch) == (best, best_epoch)


def test_early_stopping_resumes() -> None:
    stopping = EarlyStopping(patience=2)
    stopping.update(0.5)
    stopping.update(0.6)
    resumed = EarlyStopping(patience=2)
    resumed.load_state_dict(json.loads(json.dumps(stopping.state_dict())))
    assert resumed.best == 0.5
    assert resumed.update(0.6)


@pytest.mark.parametrize("settings", [{"patience": -1}, {"min_delta": -0.1}, {"mode": "best"}], ids=str)
def test_early_stopping_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected .* to be .*got"):
        EarlyStopping(**settings)


@pytest.mark.parametrize(("mode", "best", "worse"), [("min", -1.0, -0.95), ("max", -1.0, -1.05)])
def test_plateau_of_negative_metrics(mode: str, best: float, worse: float) -> None:
    optimizer = Optimizer(1.0)
    schedule = ReduceLROnPlateau(optimizer, mode, patience=2)
    for _ in range(10):
        schedule.step(best)
    assert optimizer.param_groups[0]["lr"] < 1
    schedule = ReduceLROnPlateau(optimizer, mode, threshold=0.1)
    for metric in (best, worse, 2 * best if mode == "min" else best / 2):
        before = schedule.best
        schedule.step(metric)
        if metric == worse:
            assert schedule.best == before == best
    assert schedule.best == (2 * best if mode == "min" else best / 2)
