"""Kernels that are compiled before a training begins: all that it needs; and nothing else changes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Parameter, Tensor
from minitorch.fast_ops import jit
from minitorch.fast_ops.steps import ahead
from minitorch.train import compile_ahead as module
from minitorch.train.compile_ahead import any_batch, compile_ahead

FIRST_STEPS = """
import sys
import numpy as np
import minitorch
from minitorch import BatchNorm1d, Linear, ReLU, Sequential, cross_entropy
from minitorch.fast_ops import jit
from minitorch.fast_ops.steps import ahead
from minitorch.train.compile_ahead import any_batch, compile_ahead

def main():
    model = Sequential(Linear(4, 5), BatchNorm1d(5), ReLU(), Linear(5, 3))
    optimizer = minitorch.SGD(model.parameters(), lr=0.1, momentum=0.9)
    told = []
    compile_all = ahead.compile_all
    ahead.compile_all = lambda kernels, show: compile_all(kernels, lambda done, count: told.append((done, count)))
    compile_ahead(model, optimizer, cross_entropy, *any_batch(model[0].weight.value, (6, 4)))
    kept = set(jit.cache_dir().glob("*.nbc"))
    assert len(kept) >= told[-1][1] > 5, (kept, told)
    assert told == [(k, told[-1][1]) for k in range(told[-1][1] + 1)], told
    batch = np.ones((6, 4)), np.arange(6) % 3
    list(minitorch.fit(model, [batch] * 6, optimizer, valid=[batch], graph=True))
    print(sorted(p.name for p in set(jit.cache_dir().glob("*.nbc")) - kept))

main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_training_compiles_nothing_more(tmp_path: Path) -> None:
    settings = {"MINITORCH_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": "2", "MINITORCH_BACKEND": "fast"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEPS],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


class Net(minitorch.Module):
    """What a rehearsal could change: counts, statistics, random numbers, states, gradients, the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = minitorch.Conv2d(1, 2, 3)
        self.norm = minitorch.BatchNorm2d(2)
        self.dropout = minitorch.Dropout(0.5)
        self.linear = minitorch.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.norm(self.conv(x)).relu().flatten(1)))


def test_a_rehearsal_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    minitorch.set_default_backend("fast")
    found: list[Any] = []
    monkeypatch.setattr(ahead, "compile_all", lambda kernels, progress: found.append(kernels))
    random.seed(1)
    net = Net()
    optimizer = minitorch.Adam(net.parameters(), lr=0.1)
    net.dropout.eval()
    before = {name: np.array(value) for name, value in net.state_dict().items()}
    state = random.getstate()
    compile_ahead(net, optimizer, minitorch.cross_entropy, *any_batch(net.linear.weight.value, (4, 1, 4, 4)))
    assert len(found) == 1
    assert random.getstate() == state
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    assert optimizer.state_dict()["state"] == {}
    assert all(p.value.grad is None for p in net.parameters())
    assert (net.training, net.dropout.training) == (True, False)


def test_a_model_that_reads_values_is_an_error_and_leaves_no_trace() -> None:
    minitorch.set_default_backend("fast")
    w = Parameter(minitorch.ones((3, 3)))

    class Reads(minitorch.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = w

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.w.value * x.sum().item()

    net = Reads()
    with pytest.raises(RuntimeError, match="cannot read or write tensor values"):
        compile_ahead(net, minitorch.SGD([w], lr=0.1), minitorch.cross_entropy, *any_batch(w.value, (2, 3)))
    assert (w.value * 2.0).to_numpy().tolist() == [[2.0] * 3] * 3


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_nothing_is_done_where_nothing_is_compiled(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    minitorch.set_default_backend(backend)
    monkeypatch.setattr(jit, "disabled", lambda: backend == "fast")
    monkeypatch.setattr(ahead, "Rehearsal", lambda: pytest.fail("rehearsed"))
    net = minitorch.Linear(2, 2)
    compile_ahead(net, None, minitorch.cross_entropy, *any_batch(net.weight.value, (1, 2)))


def test_one_core_and_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    ahead.compile_all([], print)
    monkeypatch.setattr(ahead.threads, "thread_count", lambda: 1)
    ahead.compile_all([(None, ()), (None, ())], print)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_worker_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.threads, "thread_count", lambda: 2)
    told: list[tuple[int, int]] = []
    ahead.compile_all([(None, ())] * 5, lambda done, count: told.append((done, count)))
    assert told == [(0, 5)]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_workers_end_with_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.threads, "thread_count", lambda: 2)

    class Slow:
        def compile(self, signature: Any) -> None:
            import time

            time.sleep(60)

    def stop(done: int, count: int) -> None:
        raise KeyboardInterrupt

    workers: list[int] = []
    fork = ahead._fork
    monkeypatch.setattr(ahead, "_fork", lambda *given: workers.append(fork(*given)) or workers[-1])
    with pytest.raises(KeyboardInterrupt):
        ahead.compile_all([(Slow(), ())] * 2, stop)
    assert len(workers) == 2
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_a_terminal_counts(capsys: pytest.CaptureFixture[str]) -> None:
    module._show(1, 2), module._show(2, 2)
    assert capsys.readouterr().err == "\rcompiling kernels 1/2\rcompiling kernels 2/2\n"
