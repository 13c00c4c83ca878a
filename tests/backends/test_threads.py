"""Kernels under several Python threads, after a fork, and with one thread: the same numbers, and no crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import prange

from minitorch.fast_ops import jit, threads

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


# Steps of two trainings: a LeNet with dropout, and a network with batch norm; prints all bits of all parameters.
TRAININGS = """
import hashlib, json
import numpy as np
import minitorch as mt
from minitorch.models.lenet import LeNet
from minitorch.models.resnet import ResNet

mt.set_default_dtype("float32")
mt.manual_seed(1)
found = []
for model, size in ((LeNet(), (16, 1, 28, 28)), (ResNet(), (4, 3, 32, 32))):
    optimizer = mt.Adam(model.parameters())
    draw = np.random.default_rng(0)
    for _ in range(3):
        loss = mt.cross_entropy(model(mt.tensor(draw.standard_normal(size))), np.arange(size[0]) % 10)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item().hex())
    found.append(hashlib.sha256(b"".join(p.value.to_numpy().tobytes() for p in model.parameters())).hexdigest())
print(json.dumps(found))
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
def test_threads_that_have_nothing_to_do_sleep_soon() -> None:
    seconds, used = run("""
import time
step(1)
begin, used = time.perf_counter(), time.process_time()
time.sleep(1.0)
print(json.dumps([time.perf_counter() - begin, time.process_time() - used]))
""")  # type: ignore[misc]  # JSON has no types
    assert used < seconds / 4


@needs_jit
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_changes_no_bit(dtype: str) -> None:
    body = TRAININGS.replace("float32", dtype)
    one, *others = (run(body, NUMBA_NUM_THREADS=str(count)) for count in (1, 2, 3, 8))
    assert others == [one] * 3


@needs_jit
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_threads_are_as_many_as_the_cores_that_the_process_may_use() -> None:
    body = "from minitorch.fast_ops import threads\nprint(threads.thread_count())"
    begin = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", begin + body], env=kept, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


@needs_jit
def test_without_threads_there_is_one_warning_and_the_same_numbers() -> None:
    broken = """
import warnings
from minitorch.fast_ops import threads
def fails(*args):
    raise RuntimeError("can't start new thread")
threads._thread = type("Broken", (), {"start_new_thread": staticmethod(fails)})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    numbers = step(1)
print(json.dumps([numbers, [str(w.message) for w in caught]]))
"""
    numbers, messages = run(broken)  # type: ignore[misc]  # JSON has no types
    assert messages == ["kernels run on 1 of 2 threads: can't start new thread"]
    assert numbers == run("print(json.dumps(step(1)))")


@needs_jit
def test_a_program_ends_at_once_with_its_threads_awake() -> None:
    for _ in range(5):
        run("step(1)\nprint('[]')", NUMBA_NUM_THREADS="8")


def allocate(out: Any, largest: int) -> None:
    for i in prange(len(out)):
        out[i] = np.empty(largest if i == len(out) - 1 else 1).size


@needs_jit
def test_an_error_in_a_share_is_an_error_of_the_call() -> None:
    kernel, out = jit.kernel(allocate, parallel=True, cache=False), np.zeros(100)
    for _ in range(3):
        with pytest.raises(MemoryError):
            kernel(out, 1 << 56)
    kernel(out, 2)  # the threads have survived
    assert out.tolist() == [1.0] * 99 + [2.0]


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


def test_two_threads_that_ask_first_get_the_same_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.parallel, "threading_layer", lambda: "workqueue")
    ask = threads.launch_lock.__wrapped__  # both find nothing in the cache
    assert ask() is ask() is not None


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
