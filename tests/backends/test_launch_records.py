"""Launches kept as numbers: the same bits as calls from Python, exceptions, and what cannot be kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import prange

from minitorch.fast_ops import jit
from minitorch.fast_ops.steps import launch_records
from minitorch.fast_ops.steps.launch_records import Launches, recorded

pytestmark = pytest.mark.skipif(jit.disabled(), reason="only compiled kernels are kept")


def scale(out: Any, x: Any, factors: tuple[float, float], shift: Any) -> None:
    """Two loops, and a statement after each."""
    for i in prange(len(x)):
        out[i] = x[i] * factors[0]
    out[0] += 1.0
    for i in prange(len(x)):
        out[i] = out[i] * factors[1] + shift
    out[-1] += 1.0


def refuse(out: Any, x: Any) -> None:
    """Raise for a negative number."""
    for i in prange(len(x)):
        if x[i] < 0.0:
            raise ValueError("a negative number")
        out[i] += x[i]


def first(out: Any, x: Any) -> None:
    """Launch nothing."""
    out[0] = x[0]


def kernel(loop: Any, parallel: bool) -> Any:
    return jit.kernel(loop, np.float64, parallel=parallel, cache=False)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_record_computes_what_a_call_computes(parallel: bool, size: int) -> None:
    made, x = kernel(scale, parallel), np.random.default_rng(size).standard_normal(size)
    expected, out, other = np.full((3, size), 7.0)
    launches = [(made, (out, x, (2.0, 3.0), 0.5)), (made, (other, out, (0.1, 0.7), -2.0))]
    records = [recorded(launch) for launch in launches]
    assert (out == 7.0).all()
    assert (other == 7.0).all()
    assert None not in records
    run = Launches(launches, [record for record in records if record])
    for _ in range(3):
        x += 1.0  # the memory is used, not a copy of it
        run()
        made(expected, x, (2.0, 3.0), 0.5)
        assert out.tobytes() == expected.tobytes()
        made(expected, out, (0.1, 0.7), -2.0)
        assert other.tobytes() == expected.tobytes()


def test_steps_in_memory_are_kept() -> None:
    made, x = kernel(scale, False), np.arange(24.0).reshape(4, 6)
    out, expected = np.zeros((2, 4))
    launch = made, (out, x[:, 3], (1.0, 1.0), 0.0)
    record = recorded(launch)
    assert record is not None
    Launches([launch], [record])()
    made(expected, x[:, 3].copy(), (1.0, 1.0), 0.0)
    assert out.tolist() == expected.tolist()


@pytest.mark.parametrize("parallel", [False, True])
def test_an_exception_is_raised_and_the_launches_work_again(parallel: bool) -> None:
    made, x = kernel(refuse, parallel), np.ones(3)
    before, after = np.zeros((2, 3))
    launches = [(made, (before, np.ones(3))), (made, (np.zeros(3), x)), (made, (after, np.ones(3)))]
    run = Launches(launches, [record for launch in launches if (record := recorded(launch))])
    run()
    x[1] = -1.0
    with pytest.raises(ValueError, match="a negative number"):
        run()
    assert before.tolist() == [2.0] * 3
    assert after.tolist() == [1.0] * 3
    x[1] = 1.0
    run()
    assert before.tolist() == [3.0] * 3
    assert after.tolist() == [2.0] * 3


def test_what_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.ones(3)
    assert recorded((kernel(first, False), (x, x))) is None
    assert recorded((np.copyto, (x, x))) is None
    assert recorded((kernel(refuse, False), (np.zeros(3), x))) is not None
    monkeypatch.setattr(launch_records, "MOST", 4)
    assert recorded((kernel(refuse, False), (np.zeros(3), x))) is None
