"""What every test stands on: where CUDA kernels run, the Hypothesis profile, sealed global state, the real data.

`MINITORCH_CUDA_TESTS` chooses where CUDA kernels run: gpu, sim (Numba's simulator), off (their tests are skipped), or
auto: gpu where there is one, else sim.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .support import slow, strict_simulator


def _gpu_present() -> bool:
    """Ask the driver itself: numba.cuda must not be imported yet."""
    with contextlib.suppress(OSError):
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    return False


def _choose_cuda() -> tuple[str, str]:
    """Settle the mode before numba.cuda is imported, which reads it once; return it, and a line about it."""
    mode = os.environ.get("MINITORCH_CUDA_TESTS") or "auto"
    if mode == "auto":
        mode = "gpu" if _gpu_present() else "sim"
    if mode not in ("gpu", "sim", "off"):
        pytest.exit(f"MINITORCH_CUDA_TESTS is {mode!r}: expected auto, sim, gpu or off", returncode=4)
    if mode == "gpu" and not _gpu_present():
        pytest.exit("MINITORCH_CUDA_TESTS=gpu, and there is no GPU", returncode=4)
    simulated = "1" if mode == "sim" else "0"
    if "numba.cuda" in sys.modules and os.environ.get("NUMBA_ENABLE_CUDASIM", "0") != simulated:
        pytest.exit("numba.cuda was imported before the CUDA mode was chosen", returncode=4)
    os.environ["MINITORCH_CUDA_TESTS"], os.environ["NUMBA_ENABLE_CUDASIM"] = mode, simulated
    # Small grids warn, and our warnings are errors.
    os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")
    if "numba" in sys.modules:  # a warning filter that names one of its classes has imported it
        sys.modules["numba"].config.reload_config()
    return mode, strict_simulator.install() if mode == "sim" else {"gpu": "a GPU", "off": "nothing: skipped"}[
        mode
    ]


TESTS = Path(__file__).resolve().parent
CUDA_MODE, CUDA_LINE = _choose_cuda()

import minitorch  # noqa: E402 - it imports numba.cuda

from . import strategies as strategies  # noqa: E402


def pytest_report_header() -> str:
    """Say where CUDA kernels run."""
    return f"CUDA tests ({CUDA_MODE}) run on {CUDA_LINE}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without tests of the task that `-m` asks for: importing all of them takes seconds."""
    task = re.fullmatch(r"task\d_\w+", config.option.markexpr)
    if task is None or collection_path.suffix != ".py" or not collection_path.is_relative_to(TESTS):
        return None
    return f"mark.{task[0]}" not in collection_path.read_text(encoding="utf-8") or None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of the table in `support/slow.py`, and those that run when asked for only."""
    file = item.path.relative_to(TESTS).as_posix()
    if slow.is_slow(file, item.name) or item.get_closest_marker("whole_course") is not None:
        item.add_marker("slow")


@pytest.fixture(autouse=True)
def sealed() -> Iterator[None]:
    """Give each test the same random numbers, and undo what it does to the state of the package."""
    backend, dtype, state = minitorch.get_default_backend(), minitorch.get_default_dtype(), random.getstate()
    random.seed(0)
    yield
    minitorch.set_default_backend(backend)
    minitorch.set_default_dtype(dtype)
    random.setstate(state)
    assert minitorch.grad_enabled(), "the test left no_grad switched on"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets, named by `MINITORCH_DATA`."""
    named = os.environ.get("MINITORCH_DATA")
    if not named or not Path(named).is_dir():
        pytest.skip(f"NO REAL DATA: MINITORCH_DATA is {named!r}, not a folder of data sets")
    return Path(named)
