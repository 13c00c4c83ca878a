"""Every task, without the tasks that it does not build on: its tests pass. Without the task itself: each of them fails.

In the first folder of a case, all functions are emptied but those of the task and of the tasks that it builds on. So no
test needs a later task, and emptying any other task changes nothing. In the second folder the task itself is emptied,
and each of its tests fails with the task's message. Kernels run as a student's tests run them: as Python, as compiled
code in the tests named ``compiled``, and in the CUDA simulator.

All tasks take minutes: ``pytest -n 2 -m whole_course tests/course``. The others of this file are in every run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minitorch.course import folder
from minitorch.course.tasks import Task, find_task, tasks

# One task of each kind: numbers, tests that the student writes, tensors, compiled kernels.
QUICK = ("0.1", "0.2", "2.2", "4.1")
# For each test its marker, its outcome and its error.
PLUGIN = """
import json, os
found = {}

def pytest_exception_interact(node, call, report):
    found.setdefault(report.nodeid, {})["error"] = call.excinfo.exconly()

def pytest_runtest_makereport(item, call):
    if call.when == "call":
        entry = found.setdefault(item.nodeid, {})
        entry["task"] = next(m.name for m in item.iter_markers() if m.name.startswith("task"))
        entry["passed"] = call.excinfo is None

def pytest_sessionfinish():
    with open(os.environ["COURSE_REPORT"], "w") as file:
        json.dump(found, file)
"""


def write(place: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def run(place: Path, marker: str) -> dict[str, dict[str, Any]]:
    """Run the tests of a task in a folder, and return what the plugin found, by test."""
    (place / "course_plugin.py").write_text(PLUGIN, encoding="utf-8")
    report = place / "report.json"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MINITORCH", "NUMBA"))}
    settings = {"PYTHONPATH": str(place), "COURSE_EXAMPLES": "3", "COURSE_REPORT": str(report)}
    flags = ["-q", "--tb=no", "-p", "course_plugin", "-p", "no:cacheprovider", "-m", marker]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags],
        cwd=place,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert {entry["task"] for entry in found.values()} == {marker}
    return found


def closure(task: Task) -> set[str]:
    """Return the names of a task and of all that it builds on."""
    return {task.name}.union(*(closure(find_task(name)) for name in task.needs))


def check_alone(task: Task, place: Path) -> None:
    kept = closure(task)
    others = tuple(t for t in tasks() if t.module <= task.module and t.name not in kept)
    write(place, folder.files_of(task.module, {}, todo=others))
    found = run(place, task.marker)
    assert {test: entry["error"] for test, entry in found.items() if not entry["passed"]} == {}


def check_emptied(task: Task, place: Path) -> None:
    write(place, folder.files_of(task.module, {}, todo=(task,)))
    found = run(place, task.marker)
    assert [test for test, entry in found.items() if entry["passed"]] == []
    assert [entry["error"] for entry in found.values() if task.message not in entry["error"]] == []


@pytest.mark.parametrize("name", QUICK)
def test_a_task_with_what_it_builds_on(name: str, tmp_path: Path) -> None:
    check_alone(find_task(name), tmp_path)


@pytest.mark.parametrize("name", QUICK)
def test_an_emptied_task_fails_with_its_message(name: str, tmp_path: Path) -> None:
    check_emptied(find_task(name), tmp_path)


@pytest.mark.whole_course
@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.marker)
def test_every_task(task: Task, tmp_path: Path) -> None:
    check_alone(task, tmp_path / "done")
    check_emptied(task, tmp_path / "emptied")


def test_prerequisites_are_earlier_tasks() -> None:
    names = [task.name for task in tasks()]
    assert [(t.name, n) for t in tasks() for n in t.needs if names.index(n) >= names.index(t.name)] == []
