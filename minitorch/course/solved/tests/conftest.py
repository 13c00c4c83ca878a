"""What every test stands on: how kernels run, the number of examples, and the guide's page under a failure.

Kernels for the CPU run as Python functions: nothing is compiled, an error is Python's own, and a debugger works. Only
the tests named ``compiled`` compile them with Numba. ``NUMBA_DISABLE_JIT=0 pytest -m task3_1`` compiles them in all
tests. Kernels for CUDA run in Numba's simulator. ``NUMBA_ENABLE_CUDASIM=0`` runs them on a GPU.
"""

import os
import random
import sys
from pathlib import Path
from typing import Any

# Numba reads these when it is imported.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")
os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")
os.environ.setdefault(
    "NUMBA_OPT", "0"
)  # kernels of a few numbers: compiling them sooner matters more than their speed

# In the simulator a thread of CUDA is a thread of Python, and another one looks all the time which of them have ended.
sys.setswitchinterval(1e-4)

if Path(__file__).with_name("compiled.py").exists():  # from module 3 on
    from . import compiled as compiled

import pytest
from hypothesis import HealthCheck, Phase, settings

from .helpers import EXAMPLES

settings.register_profile(
    "course",
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Give each test the same random numbers."""
    random.seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    """Name the page of the guide under a failure."""
    report = yield
    if report.failed:
        for mark in item.iter_markers():
            if mark.name.startswith("task"):
                module, number = mark.name.removeprefix("task").split("_")
                page = f"guide/module{module}.md#task-{module}{number}"
                report.sections.append((f"Task {module}.{number}", f"The guide explains this task: {page}"))
    return report
