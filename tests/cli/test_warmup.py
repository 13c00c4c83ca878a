"""Compiling ahead: a second process finds everything compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch import get_default_dtype
from minitorch.cli import warmup

from ..support.checks import needs_jit


@needs_jit
def test_the_kernels_of_a_step_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    before = get_default_dtype()
    assert warmup.main([]) == 0
    first = capsys.readouterr().out
    assert int(first.split(" kernels in ")[0]) >= 40
    assert get_default_dtype() == before
    assert warmup.main([]) == 0
    assert capsys.readouterr().out.split(",")[0] == first.split(",")[0]


@needs_jit
@pytest.mark.parametrize("name", warmup.MODELS)
def test_kernels_of_a_named_network(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert warmup.main(["--model", name]) == 0
    kernels = capsys.readouterr().out.split(" kernels in ")[0]
    assert warmup.main(["--model", name]) == 0
    assert capsys.readouterr().out.split(" kernels in ")[0] == kernels


def test_an_unknown_network(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        warmup.main(["--model", "vit"])
    assert stop.value.code == 2
    assert "invalid choice: 'vit'" in capsys.readouterr().err


TRAIN = """
import hashlib, random
import numpy as np
from minitorch.cli import warmup
from minitorch import Adam, cross_entropy, set_default_dtype, tensor

random.seed(1)
set_default_dtype("float32")
draw = np.random.default_rng(0)
model, seen = warmup.network(), hashlib.sha256()
optimizer = Adam(model.parameters())
for count in (5, 160, 160):
    scores = model(tensor(draw.standard_normal((count, 3, 32, 32)).astype(np.float32)))
    loss = cross_entropy(scores, np.arange(count) % 10)
    loss.backward()
    seen.update(scores.to_numpy().tobytes())
    for p in model.parameters():
        seen.update(p.value.grad.to_numpy().tobytes())
    optimizer.step()
print(seen.hexdigest())
"""


@needs_jit
def test_the_process_that_compiles_computes_the_same_bits_as_those_that_find_its_kernels(
    tmp_path: Path,
) -> None:
    def run() -> str:
        return subprocess.run(
            [sys.executable, "-c", TRAIN],
            env={**os.environ, "MINITORCH_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = run()
    assert len(first.strip()) == 64
    assert [run(), run()] == [first, first]


def test_without_a_compiler_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "minitorch.cli.main", "warmup"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing to compile" in done.stderr
