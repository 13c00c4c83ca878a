"""Every task emptied: its tests fail with its message, and the tests of earlier tasks do not need it.

Emptying each task and running all earlier tests would take an hour. Two runs show the same. In a solved folder whose
task functions note that they are called, every test calls a function of its own task and none of a later one. And with
one task emptied, each of its tests fails with the task's message. Kernels run as Python code; the CUDA ones run in the
simulator.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minitorch.course import folder, stubs
from minitorch.course.tasks import Task, tasks

LAST = 4
# The plugin of both runs: for each test its marker, its outcome, its error, and the tasks whose functions it called.
PLUGIN = """
import builtins, json, os
builtins.course_called = set()
found = {}

def pytest_runtest_setup(item):
    builtins.course_called.clear()

def pytest_exception_interact(node, call, report):
    found.setdefault(report.nodeid, {})["error"] = call.excinfo.exconly()

def pytest_runtest_makereport(item, call):
    if call.when == "call":
        entry = found.setdefault(item.nodeid, {})
        entry["task"] = next(m.name for m in item.iter_markers() if m.name.startswith("task"))
        entry["passed"] = call.excinfo is None
        entry["called"] = sorted(builtins.course_called)

def pytest_sessionfinish():
    with open(os.environ["COURSE_REPORT"], "w") as file:
        json.dump(found, file)
"""


def write(place: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def run(place: Path, marker: str | None = None, jit: bool = False) -> dict[str, dict[str, Any]]:
    """Run tests of a folder, and return what the plugin found, by test."""
    (place / "course_plugin.py").write_text(PLUGIN, encoding="utf-8")
    report = place / "report.json"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MINITORCH", "NUMBA"))}
    environment = {
        **kept,
        "PYTHONPATH": str(place),
        "COURSE_EXAMPLES": "2",
        "COURSE_REPORT": str(report),
        "NUMBA_DISABLE_JIT": str(int(not jit)),
    }
    chosen = ["-m", marker] if marker else []
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=no",
            "-p",
            "course_plugin",
            "-p",
            "no:cacheprovider",
            *chosen,
        ],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text())


def test_tests_need_their_own_task_and_no_later_one(tmp_path: Path) -> None:
    texts = folder.files_of(LAST, {}, todo=())
    for task in tasks():
        for name, functions in task.functions.items():
            line = f'import builtins; builtins.course_called.add("{task.marker}")'
            texts[name] = stubs.with_line(texts[name], functions, line)
    write(tmp_path, texts)
    found = run(tmp_path)
    order = [task.marker for task in tasks()]
    assert {entry["task"] for entry in found.values()} == set(order)
    problems = []
    for test, entry in found.items():
        if not entry["passed"]:
            problems.append(f"{test}: fails: {entry['error'][:300]}")
        # Task 0.2 is its tests; they have no other function.
        if entry["task"] not in entry["called"]:
            problems.append(f"{test}: calls no function of its task")
        later = [name for name in entry["called"] if order.index(name) > order.index(entry["task"])]
        if later:
            problems.append(f"{test}: calls functions of {later}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.marker)
def test_an_emptied_task_fails_with_its_message(task: Task, tmp_path: Path) -> None:
    write(tmp_path, folder.files_of(task.module, {}, todo=(task,)))
    found = run(tmp_path, task.marker)
    assert found
    for test, entry in found.items():
        assert not entry["passed"], test
        assert task.message in entry["error"], (test, entry["error"])


def test_prerequisites_are_earlier_tasks() -> None:
    names = [task.name for task in tasks()]
    assert [(t.name, n) for t in tasks() for n in t.needs if names.index(n) >= names.index(t.name)] == []


def test_an_emptied_kernel_says_so_when_it_is_compiled(tmp_path: Path) -> None:
    task = next(task for task in tasks() if task.name == "4.1")
    write(tmp_path, folder.files_of(LAST, {}, todo=(task,)))
    found = run(tmp_path, "task4_1", jit=True)
    assert all(task.message in entry["error"] for entry in found.values())
