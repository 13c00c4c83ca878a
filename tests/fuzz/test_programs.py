"""Random programs give the same on all backends: some new ones, and all that failed before; and failures are found.

``python -m tests.fuzz`` runs many more, with bounds checks in all kernels.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import minitorch

from . import operations, runner
from .interpreter import Step
from .kept import KEPT
from .programs import SHARED, program

SIMULATED = os.environ.get("MINITORCH_CUDA_TESTS") != "off"
BACKENDS = ["fast", "cuda"] if SIMULATED else ["fast"]


@pytest.mark.parametrize("first", range(0, 150, 30))
def test_programs_agree_with_the_reference(first: int) -> None:
    for seed in range(first, first + 30):
        steps, _, problem = runner.check(seed, ["fast"])
        assert problem is None, f"seed {seed}: {problem}\n{runner.text(steps)}"


@pytest.mark.skipif(not SIMULATED, reason="MINITORCH_CUDA_TESTS=off")
def test_programs_on_cuda_agree_with_the_reference() -> None:
    for seed in range(150, 165):
        steps, _, problem = runner.check(seed, ["cuda"])
        assert problem is None, f"seed {seed}: {problem}\n{runner.text(steps)}"


def test_programs_agree_with_pytorch() -> None:
    reference = pytest.importorskip("tests.fuzz.torch_reference", exc_type=ImportError)
    compared = 0
    for seed in range(100):
        steps, _ = program(seed, 0.0, SHARED)
        count, difference = reference.difference(steps, "fast")
        assert not difference, f"seed {seed}: {difference}\n{runner.text(steps)}"
        compared += count
    assert compared > 500  # steps: not all of them stop at the start


@pytest.mark.parametrize(("seed", "steps"), KEPT, ids=[str(seed) for seed, _ in KEPT])
def test_programs_that_failed_before(seed: int, steps: list[Step]) -> None:
    assert runner.problem(steps, BACKENDS) is None


# Failures are found

A = Step(
    "make",
    (),
    {"shape": (3, 4), "dtype": "float64", "kind": "normal", "seed": 1, "layout": None, "grad": True},
)
SUM = Step("reduction", (0,), {"name": "sum", "dim": 0})


def found(monkeypatch: pytest.MonkeyPatch, name: str, replaced: Any, steps: list[Step]) -> str:
    monkeypatch.setitem(operations.OPERATIONS, name, replaced)
    problem = runner.problem(steps, ["fast"])
    return "" if problem is None else problem.text


def on_fast(change: Any) -> Any:
    """Return the sum, changed on backend fast only."""

    def run(backend: Any, t: Any, name: str, dim: Any) -> Any:
        result = t.sum(dim)
        return change(result) if t.backend.ops.name == "fast" else result

    return run


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t, ""),
        (lambda t: t * (1 + 1e-7), "differ"),
        (lambda t: t.view(4), "(4,)"),
        (lambda t: t.astype("float32"), "float32"),
        (lambda t: t.detach(), "notes"),
        (lambda t: t * float("nan"), "nan"),
        (lambda t: t.view(5), "IndexingError"),
    ],
)
def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch, change: Any, message: str) -> None:
    text = found(monkeypatch, "reduction", on_fast(change), [A, SUM])
    assert message in text
    assert bool(text) == bool(message)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def backward(backend: Any, t: Any, grad: Any) -> None:
        t.backward(grad * 2.0 if t.backend.ops.name == "fast" else grad)

    grad = A._replace(settings={**A.settings, "shape": (1, 4), "seed": 2, "grad": False})
    steps = [A, SUM, grad, Step("backward", (1, 2), {})]
    assert runner.problem(steps, ["fast"]) is None
    assert found(monkeypatch, "backward", backward, steps).startswith("0.grad: ")


def fails(error: BaseException) -> Any:
    def run(backend: Any, t: Any, **settings: Any) -> None:
        with minitorch.no_grad():
            t[0] = 7.0
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("x"), "not a public error: ZeroDivisionError"),
        (KeyError("x"), "not a public error: KeyError"),
        (minitorch.IndexingError("two\nlines"), "the message is not one line"),
        (ValueError("x"), "raised by Python or NumPy, not by a check"),
    ],
)
def test_an_unclear_error_is_found(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    assert message in found(monkeypatch, "reduction", fails(error), [A, SUM])


def test_a_change_by_a_failed_step_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(backend: Any, t: Any, **settings: Any) -> None:
        with minitorch.no_grad():
            t[0] = 7.0
        t.view(5)

    assert "a failed step changed numbers" in found(monkeypatch, "reduction", run, [A, SUM])


def test_a_warning_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(backend: Any, t: Any, **settings: Any) -> Any:
        return t * float(np.float64(1.0) / np.zeros(1)[0])

    assert "RuntimeWarning" in found(monkeypatch, "reduction", run, [A, SUM])


def test_rounding_of_numbers_that_cancel_is_no_difference() -> None:
    large = {"shape": (1000,), "dtype": "float32", "kind": "normal", "seed": 3, "layout": None, "grad": False}
    steps = [
        Step("make", (), large),
        Step("reduction", (0,), {"name": "sum", "dim": 0}),
        Step("unary", (0,), {"name": "neg"}),
        Step("reduction", (2,), {"name": "sum", "dim": None}),
        Step("binary", (1, 3), {"name": "add"}),
        Step("view", (0,), {"shape": (10, 100), "copies": False}),
        Step("reduction", (5,), {"name": "sum", "dim": 0}),
        Step("reduction", (6,), {"name": "sum", "dim": 1}),
        Step("binary", (7, 3), {"name": "add"}),
    ]
    assert runner.problem(steps, BACKENDS) is None


def test_a_seed_gives_the_same_program() -> None:
    assert runner.text(program(7)[0]) == runner.text(program(7)[0])
    assert runner.text(program(7)[0]) != runner.text(program(8)[0])


def test_steps_are_left_out_of_a_program_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operations.OPERATIONS, "reduction", on_fast(lambda t: t * 2.0))
    steps = [A, Step("unary", (0,), {"name": "exp"}), A, Step("reduction", (2,), SUM.settings), A]
    assert [s.op for s in runner.smaller(steps, ["fast"])] == ["make", "reduction"]
