"""Kernels under several Python threads, after a fork, and with one thread: the same numbers, and no crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from minitorch.fast_ops import threads

from ..support.checks import needs_jit

# A step of a small network that runs parallel kernels of all kinds, for a seed; prints the loss and sums of gradients.
SCRIPT = """
import json, os
import numpy as np
import minitorch as mt
from minitorch.runtime import rng

mt.set_default_dtype("float32")


def step(seed):
    draw = np.random.default_rng(seed)
    with rng.seeded(seed):
        model = mt.Sequential(
            mt.Conv2d(3, 24, 3, padding=1), mt.BatchNorm2d(24), mt.ReLU(), mt.MaxPool2d(2),
            mt.Conv2d(24, 24, 3, padding=1), mt.ReLU(), mt.AvgPool2d(2), mt.Flatten(), mt.Linear(384, 10),
        )
    images = mt.tensor(draw.standard_normal((64, 3, 16, 16)).astype("float32"))
    loss = mt.cross_entropy(model(images), np.arange(64) % 10)
    loss.backward()
    return [loss.item(), *(float(np.abs(p.value.grad.to_numpy()).sum()) for p in model.parameters())]
"""


def run(body: str, **variables: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + body],
        env={**os.environ, "NUMBA_NUM_THREADS": "2", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@needs_jit
@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP is told so")
def test_threads_that_have_nothing_to_do_sleep_soon_unless_the_user_says_else() -> None:
    begin = """
import json, os
from minitorch.fast_ops import threads
count = threads.thread_count()
print(json.dumps([count, os.environ.get("GOMP_SPINCOUNT")]))
"""

    def told(**variables: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", begin],
            env={**os.environ, "NUMBA_NUM_THREADS": "2", "OMP_DISPLAY_ENV": "verbose", **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip(), done.stderr

    if "GOMP_SPINCOUNT" not in told()[1]:
        pytest.skip("Numba runs on other threads than GNU's OpenMP")
    assert told()[0] == "[2, null]"
    assert f"GOMP_SPINCOUNT = '{threads.SPIN_COUNT}'" in told()[1]
    assert told(GOMP_SPINCOUNT="77")[0] == '[2, "77"]'
    assert "GOMP_SPINCOUNT = '77'" in told(GOMP_SPINCOUNT="77")[1]


@needs_jit
def test_several_python_threads() -> None:
    alone, together = run("""
from concurrent.futures import ThreadPoolExecutor
alone = [step(k) for k in range(6)]
with ThreadPoolExecutor(4) as pool:
    together = list(pool.map(step, list(range(6)) * 3))
print(json.dumps([alone, together]))
""")
    assert together == alone * 3


@needs_jit
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_after_a_fork() -> None:
    here, there = run("""
here = step(1)
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, json.dumps(step(1)).encode())
    os._exit(0)
os.wait()
print(json.dumps([here, json.loads(os.read(read, 100_000))]))
""")
    assert np.allclose(here, there, rtol=1e-4)


@needs_jit
def test_one_thread_agrees_with_two() -> None:
    body = "print(json.dumps(step(1)))"
    assert np.allclose(run(body), run(body, NUMBA_NUM_THREADS="1"), rtol=1e-4)


@needs_jit
def test_two_processes_start_at_once(tmp_path: object) -> None:
    body = "print(json.dumps(step(1)))"
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: run(body, MINITORCH_CACHE_DIR=str(tmp_path)), range(2)))
    assert found[0] == found[1]


def short(body: str, cache: Path, **variables: str) -> str:
    """Run a program on two threads, with a cache of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys, threading\nimport numpy as np, minitorch as mt\n" + body],
        env={**os.environ, "NUMBA_NUM_THREADS": "2", "MINITORCH_CACHE_DIR": str(cache), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.strip()


FIRST_USE = """
sys.setswitchinterval(1e-5)
start, found = threading.Barrier(4), []
def use():
    x = mt.ones((4, 5))
    start.wait()
    found.append((x * x + 1.0).sum().item())
running = [threading.Thread(target=use) for _ in range(4)]
[t.start() for t in running]
[t.join() for t in running]
print(found)
"""


@needs_jit
def test_threads_that_use_a_kernel_first_at_the_same_time(tmp_path: Path) -> None:
    for _ in range(2):  # compiling, then loading what is compiled
        assert short(FIRST_USE, tmp_path) == "[40.0, 40.0, 40.0, 40.0]"


@needs_jit
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_the_kernels_of_the_course_run_after_a_fork(tmp_path: Path) -> None:
    body = """
from minitorch import operators
from minitorch.fast_ops import course
a, out = mt.tensor([[1.0, 2.0], [3.0, 4.0]]), mt.zeros((2, 2))
made = course.tensor_map(operators.neg)
made(*out.tuple(), *a.tuple())  # starts the threads
if os.fork() == 0:
    made(*out.tuple(), *a.tuple())
    print(out.to_numpy().tolist())
    mt.tensor_matrix_multiply(*out.tuple(), *a.tuple(), *a.tuple())
    print(out.to_numpy().tolist())
    images, weights, result = mt.ones((1, 1, 3)), mt.ones((1, 1, 2)), mt.zeros((1, 1, 3))
    mt.tensor_conv1d(*result.tuple(), result.size, *images.tuple(), *weights.tuple(), False)
    print(result.to_numpy().ravel().tolist(), flush=True)
    os._exit(0)
_, status = os.wait()
print(status)
"""
    assert short(body, tmp_path).splitlines() == [
        "[[-1.0, -2.0], [-3.0, -4.0]]",
        "[[7.0, 10.0], [15.0, 22.0]]",
        "[2.0, 2.0, 1.0]",
        "0",
    ]


@needs_jit
def test_a_layer_of_threads_that_allows_one_launch_at_a_time(tmp_path: Path) -> None:
    body = """
from concurrent.futures import ThreadPoolExecutor
from minitorch import operators
from minitorch.fast_ops import course
x, a = mt.ones((300, 300)), mt.tensor([[1.0, 2.0], [3.0, 4.0]])
made = course.tensor_map(operators.neg)
def use(k):
    out = mt.zeros((2, 2))
    made(*out.tuple(), *a.tuple())
    return (x + float(k)).to_numpy()[0, 0] + out.to_numpy()[0, 0]
with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(use, range(200))) == list(range(200)))
"""
    assert short(body, tmp_path, NUMBA_THREADING_LAYER="workqueue") == "True"
