"""Compares what a program gives on several backends with what it gives on the reference backend.

Equal are: which steps fail, and with which kind of error; shapes, dtypes and whether gradients are recorded; and all
numbers, within what `noise` finds that rounding may change. `problem` names the first difference; `smaller` leaves out
steps as long as the problem stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import minitorch

from . import networks as networks  # enters its drawers
from .interpreter import Outcome, Step, execute
from .noise import NoisyBackend, NoisyOps
from .programs import program

CLOSE = {"float64": 1e-10, "float32": 2e-5}  # of two numbers whose sums cannot cancel
RUNS = 4  # with noise
SPREAD = 16.0  # how many times the spread of the noisy runs is allowed


class Problem(NamedTuple):
    """The first difference of a program on a backend."""

    backend: str
    step: int
    text: str


def problem(
    steps: Sequence[Step], backends: Sequence[str], reference: list[Outcome] | None = None
) -> Problem | None:
    """Run a program on all backends; return the first fault or difference from the reference, or None."""
    expected = execute(list(steps), "simple") if reference is None else reference
    for k, outcome in enumerate(expected):
        if outcome.fault:
            return Problem("simple", k, f"{outcome.fault}: {outcome.status}: {outcome.message}")
    noisy: list[list[Outcome]] = []
    for backend in backends:
        got = execute(list(steps), backend)
        for k, outcome in enumerate(got):
            found = _difference(expected[k], outcome, [])
            if found and outcome.status == expected[k].status:
                noisy = noisy or _noisy_runs(list(steps))
                found = _difference(expected[k], outcome, [run[k] for run in noisy])
            if found:
                return Problem(backend, k, found)
    return None


def _noisy_runs(steps: list[Step]) -> list[list[Outcome]]:
    runs = []
    for seed in range(RUNS):
        NoisyOps.rng = np.random.default_rng(seed)
        runs.append(execute(steps, NoisyBackend))
    return runs


def _difference(expected: Outcome, got: Outcome, noisy: list[Outcome]) -> str:
    if got.fault:
        return f"{got.fault}: {got.status}: {got.message}"
    if got.status != expected.status:
        return f"{got.status} {got.message}, expected {expected.status} {expected.message}"
    if got.notes != expected.notes or got.numbers.keys() != expected.numbers.keys():
        names = set(got.numbers) ^ set(expected.numbers)
        return f"notes {got.notes}, expected {expected.notes}; {', '.join(sorted(names))}"
    for name, numbers in expected.numbers.items():
        found = _unequal(numbers, got.numbers[name], [run.numbers.get(name) for run in noisy])
        if found:
            return f"{name}: {found}"
    return ""


def _unequal(expected: Any, got: Any, noisy: list[Any]) -> str:
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"{got.shape} {got.dtype}, expected {expected.shape} {expected.dtype}"
    if expected.dtype.name not in CLOSE:
        return "" if np.array_equal(expected, got) else f"{got}, expected {expected}"
    with np.errstate(all="ignore"):
        allowed = CLOSE[expected.dtype.name] * np.abs(expected)
        for other in noisy:
            if other is None or other.shape != expected.shape:
                return ""  # the noise changed the course of the program
            moved = SPREAD * np.abs(other.astype(float) - expected)
            allowed = np.maximum(
                allowed, np.where((other == expected) | (np.isnan(other) & np.isnan(expected)), 0, moved)
            )
        equal = (got == expected) | (np.isnan(got) & np.isnan(expected))
        # Where noise makes a number infinite or nan, any number may come.
        equal |= (
            (np.abs(got.astype(float) - expected) <= allowed)
            | np.isnan(allowed)
            | np.isinf(allowed) * (len(noisy) > 0)
        )
    if equal.all():
        return ""
    place = tuple(int(i) for i in np.argwhere(~equal)[0])
    return f"{got[place]!r} at {place} of shape {got.shape}, expected {expected[place]!r} ({(~equal).sum()} differ)"


def check(seed: int, backends: Sequence[str]) -> tuple[list[Step], list[Outcome], Problem | None]:
    """Draw the program of a seed and run it; return it, what the reference gave, and its problem."""
    steps, outcomes = program(seed)
    return steps, outcomes, problem(steps, backends, outcomes)


def smaller(steps: list[Step], backends: Sequence[str]) -> list[Step]:
    """Leave out steps as long as the program still has a problem of the same kind."""
    found = problem(steps, backends)
    if found is None:
        return steps
    kind = found.text.split(":")[0] if ":" in found.text else ""
    steps = steps[: found.step + 1]

    def fails(candidate: list[Step]) -> bool:
        now = problem(candidate, backends)
        return now is not None and (not kind or now.text.split(":")[0] == kind)

    k = len(steps) - 1
    while k >= 0:
        shorter = without(steps, k)
        if len(shorter) < len(steps) and fails(shorter):
            steps = shorter
            k = min(k, len(steps))
        k -= 1
    return steps


def without(steps: list[Step], number: int) -> list[Step]:
    """Return a program without a step and without those that need its result."""
    places: dict[int, int] = {}
    kept: list[Step] = []
    for k, step in enumerate(steps):
        if k != number and all(o in places for o in step.operands):
            places[k] = len(kept)
            kept.append(step._replace(operands=tuple(places[o] for o in step.operands)))
    return kept


def text(steps: Sequence[Step]) -> str:
    """Return a program as Python."""
    return "[\n" + "".join(f"    Step({s.op!r}, {s.operands!r}, {s.settings!r}),\n" for s in steps) + "]"


def reset() -> None:
    """Set the default backend and dtype as they are at import."""
    minitorch.set_default_backend("fast")
    minitorch.set_default_dtype("float64")
