"""The course's markers: which files carry each one, and that it selects at least as many tests as the course has.

The course's suite of 2022 is counted. A marker is for tests of its task's subject; other tests have none. And the
marker `slow`: its table names tests that exist, and leaves out no basic test of an operation.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from ..support import slow
from ..support.op_table import BACKENDS, TABLE
from .source import ROOT

TESTS = ROOT / "tests"
# Marker: the files that may carry it, and the number of tests in the course's suite.
MARKERS = {
    "task0_1": ("test_operators.py", 7),
    "task0_2": ("test_operators.py", 5),
    "task0_3": ("test_operators.py", 5),
    "task0_4": ("test_module.py", 5),
    "task1_1": ("test_scalar.py", 1),
    "task1_2": ("test_scalar.py test_autodiff.py", 20),
    "task1_3": ("test_autodiff.py", 4),
    "task1_4": ("test_scalar.py test_autodiff.py", 24),
    "task1_5": ("test_training.py", 0),
    "task2_1": ("test_tensor_data.py", 4),
    "task2_2": ("test_tensor_data.py", 1),
    "task2_3": ("test_tensor.py", 23),
    "task2_4": ("test_tensor.py", 30),
    "task2_5": ("test_training.py", 0),
    "task3_1": ("test_tensor_general.py", 51),
    "task3_2": ("test_tensor_general.py", 2),
    "task3_3": ("cuda/test_cuda.py", 57),
    "task3_4": ("cuda/test_cuda.py", 7),
    "task3_5": ("test_training.py", 0),
    "task4_1": ("test_conv.py", 3),
    "task4_2": ("test_conv.py", 4),
    "task4_3": ("test_nn.py", 1),
    "task4_4": ("test_nn.py", 5),
    "task4_4b": ("cuda/test_cuda.py", 0),
    "task4_5": ("test_training.py", 0),
}
# Collects the files that carry markers, in a process of its own, and prints how many tests each marker selects.
COUNT = """
import collections, json, sys
import pytest

class Counter:
    def pytest_collection_modifyitems(self, items):
        names = [name for item in items for name in {mark.name for mark in item.iter_markers()}]
        self.found = collections.Counter(names)

counter = Counter()
status = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[counter])
print()
print(json.dumps([int(status), counter.found]))
"""


def carriers() -> dict[str, set[str]]:
    """Return the test files that name each marker; those of `tests/course` write a student's tests as text."""
    found: dict[str, set[str]] = {}
    for path in set(TESTS.rglob("*.py")) - set(TESTS.glob("course/*.py")):
        for name in re.findall(r"mark\.(task\w+)", path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(path.relative_to(TESTS).as_posix())
    return found


def test_only_these_files_carry_a_marker() -> None:
    assert carriers() == {name: set(files.split()) for name, (files, _) in MARKERS.items()}


def count(*arguments: str) -> dict[str, int]:
    """Return how many of the tests that pytest collects carry each marker."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    status, counts = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stdout
    return counts


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """How many tests carry each marker, in the files that carry markers of tasks."""
    names = sorted({name for files, _ in MARKERS.values() for name in files.split()})
    return count(*(str(TESTS / name) for name in names))


def test_every_marker_selects_as_many_tests_as_the_course_has(counts: dict[str, int]) -> None:
    few = {
        name: counts.get(name, 0)
        for name, (_, least) in MARKERS.items()
        if counts.get(name, 0) < max(1, least)
    }
    assert few == {}


def test_a_task_is_found_without_importing_the_other_files(counts: dict[str, int]) -> None:
    found = count("-m", "task2_3", str(TESTS))
    assert found["task2_3"] == counts["task2_3"]
    assert "task3_3" not in found  # tests/cuda/test_cuda.py was left out


def test_the_table_of_slow_tests_names_tests_that_exist(counts: dict[str, int]) -> None:
    lost = []
    for file, names in slow.SLOW.items():
        tests = re.findall(r"^def (test_\w+)", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)
        lost += [
            (file, name)
            for name in names
            if not any(re.match(re.split(r"\W", name)[0], test) for test in tests)
        ]
    assert lost == []
    assert counts["slow"] > 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_make_test_runs_each_operation_in_each_backend(backend: str) -> None:
    kinds = ("test_value", "test_gradient")
    names = [f"{kind}[packed-{backend}-{line.name}]" for kind in kinds for line in TABLE]
    assert [name for name in names if slow.is_slow("backends/test_backends.py", name)] == []
    assert slow.is_slow("backends/test_backends.py", "test_value_in_float32[fast-add]")


def test_markers_are_registered(pytestconfig: pytest.Config) -> None:
    registered = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert set(MARKERS) <= registered
