"""What every test stands on: the simulator of CUDA, the number of examples, and the guide's page under a failure."""

import os
import random
from typing import Any

# Numba reads this when it is imported. On a computer with a GPU, NUMBA_ENABLE_CUDASIM=0 runs the kernels there.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")
os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")

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
