"""Compiling ahead: a second process finds everything compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch import get_default_dtype, warmup

from .checks import needs_jit


@needs_jit
def test_the_kernels_of_a_step_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    before = get_default_dtype()
    assert warmup.main([]) == 0
    first = capsys.readouterr().out
    assert int(first.split(" kernels in ")[0]) >= 40
    assert get_default_dtype() == before
    assert warmup.main([]) == 0
    assert capsys.readouterr().out.split(",")[0] == first.split(",")[0]


def test_without_a_compiler_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "minitorch.warmup"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing to compile" in done.stderr
