"""Every line of `lines` on real PyTorch and on `minitorch.torch`: kind, dtype, shape and values are equal."""

from __future__ import annotations

from typing import Any

import pytest

import minitorch.torch as ours

from . import lines_nn
from .all_lines import AREAS, DIFFERENT, numbered
from .compare import equal, run, spaces

real = pytest.importorskip("torch", reason="the reference is PyTorch")
REAL = spaces(real, real.nn, real.nn.functional, real.optim, real.utils.data)
OURS = spaces(ours, ours.nn, ours.nn.functional, ours.optim, ours.utils.data)


def both(line: str) -> tuple[Any, Any]:
    """Return what a line gives here and there."""
    return run(line, OURS), run(line, REAL)


@pytest.mark.parametrize("area", AREAS)
def test_lines_give_what_pytorch_gives(area: str) -> None:
    wrong = []
    for name, _, line in numbered():
        if name != area or line in DIFFERENT:
            continue
        found, expected = both(line)
        if area != "errors" and expected[0] == "error":
            wrong.append(f"{line}: fails on PyTorch: {expected[2]}")
        elif not equal(found, expected):
            wrong.append(f"{line}\n    here: {found}\n    PyTorch: {expected}")
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_lines_and_few_known_differences() -> None:
    lines = [line for _, _, line in numbered()]
    assert set(lines_nn.LINES) <= set(AREAS)
    assert len(lines) >= 600
    assert len(set(lines)) == len(lines)
    assert set(DIFFERENT) <= set(lines)
    assert len(DIFFERENT) <= 0.03 * len(lines)


def test_known_differences_are_still_different() -> None:
    same = [line for line in DIFFERENT if equal(*both(line))]
    assert not same, f"equal by now, take them out of DIFFERENT: {same}"


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("x", "x + 1e-3"),
        ("x", "x.double()"),
        ("x", "x.unsqueeze(0)"),
        ("w", "w.detach()"),
        ("[1, 2]", "(1, 2)"),
        ("x[9]", "x[0]"),
        ("i", "i.int()"),
        ("1.0", "1"),
    ],
)
def test_the_comparison_notices(line: str, other: str) -> None:
    assert equal(run(line, OURS), run(line, REAL))
    assert not equal(run(line, OURS), run(other, REAL))
