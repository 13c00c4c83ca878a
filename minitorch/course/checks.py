"""Runs the tests of tasks in a student's folder, each task in a process of its own, with limits on time and memory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..train.messages import UsageError
from . import folder as folders
from .tasks import HERE, SOLVED, Task, modules, tasks

CHILD = HERE / "child.py"
HIDDEN = HERE / "hidden" / "test_hidden.py"
REFERENCE = (
    "reference_minitorch"  # the reference solutions beside the student's package, for the hidden tests
)

NO_TESTS = 5  # pytest's exit status


@dataclass(frozen=True)
class Limits:
    """Seconds and megabytes that the tests of one task may take."""

    seconds: float = 300.0
    megabytes: int = 4096


@dataclass(frozen=True)
class Result:
    """How the tests of a task ended.

    Attributes:
        task: The task.
        state: ``"done"``, ``"todo"`` (nothing but functions that are not written), ``"failing"`` or ``"stopped"``.
        passed: How many tests passed.
        total: How many ran.
        seconds: What they took, with the start of the process.
        problem: One line about the first failure.
    """

    task: Task
    state: str
    passed: int
    total: int
    seconds: float
    problem: str


def need_test_packages() -> None:
    """Raise UsageError unless pytest and Hypothesis are installed."""
    missing = [name for name in ("pytest", "hypothesis") if find_spec(name) is None]
    if missing:
        raise UsageError(f"the tests need {' and '.join(missing)}: pip install 'minitorch[course]'")


def check_own(student: Path, task: Task, limits: Limits) -> Result:
    """Run the tests of the student's folder."""
    return _run(student, student, task, limits, [], {})


def grade(student: Path, task: Task, limits: Limits, seed: int, examples: int = 50) -> Result:
    """Run the course's own tests and the hidden ones, with examples drawn by ``seed``.

    The tests in the student's folder are left out, except those of task 0.2, which the student writes.
    """
    with _tests_for(student) as place:
        settings = {"COURSE_EXAMPLES": str(examples)}
        return _run(student, place, task, limits, [f"--hypothesis-seed={seed}"], settings)


@contextmanager
def _tests_for(student: Path) -> Iterator[Path]:
    """Yield a folder with the course's tests, the hidden ones and the reference solutions."""
    module = folders.module_of(student)
    texts = folders.files_of(module, {}, todo=())
    own = {name for task in tasks() for name in task.functions if name.startswith("tests/")}
    with tempfile.TemporaryDirectory(prefix="minitorch-grade-") as made:
        place = Path(made)
        (place / "tests").mkdir()
        for name, text in texts.items():
            if name.startswith("tests/"):
                (place / name).write_text(text, encoding="utf-8")
        # The hidden tests are in one file, so all markers must be known.
        everything = folders.pyproject(modules()[-1].number)
        (place / "pyproject.toml").write_text(everything, encoding="utf-8")
        for name in own:
            with_own = student / name
            if with_own.is_file():
                shutil.copyfile(with_own, place / name)
        shutil.copyfile(HIDDEN, place / "tests" / HIDDEN.name)
        shutil.copytree(SOLVED / "minitorch", place / REFERENCE, ignore=shutil.ignore_patterns("__pycache__"))
        yield place


def _run(
    student: Path, place: Path, task: Task, limits: Limits, flags: list[str], settings: dict[str, str]
) -> Result:
    """Run the tests in the folder ``place`` that have a task's marker, on the package in ``student``."""
    student, place = student.resolve(), place.resolve()  # the child changes its folder
    with tempfile.TemporaryDirectory(prefix="minitorch-course-") as made:
        report, output = Path(made) / "report", Path(made) / "output"
        arguments = [
            "-q",
            "--show-capture=no",
            "-p",
            "no:cacheprovider",
            "-c",
            str(place / "pyproject.toml"),
            "--rootdir",
            str(place),
        ]
        arguments += ["-m", task.marker, *flags, str(place / "tests")]
        order = {
            "folder": str(student),
            "cwd": str(place),
            "megabytes": limits.megabytes,
            "report": str(report),
            "arguments": arguments,
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "MINITORCH_"))}
        # Threads reserve addresses for their stacks and pools, which count against the limit on memory.
        few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        path = os.pathsep.join([str(student), str(place)])
        environment = {
            **kept, **few, **settings, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        with output.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, str(CHILD), json.dumps(order)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            late = False
            try:
                process.wait(limits.seconds)
            except subprocess.TimeoutExpired:
                late = True
            finally:
                _end(process)
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        return _result(task, [json.loads(line) for line in lines], process.returncode, late, limits)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _result(
    task: Task, entries: list[dict[str, Any]], status: int | None, late: bool, limits: Limits
) -> Result:
    tests = {e["test"]: e for e in entries if "test" in e}
    passed = sum(e["outcome"] == "passed" for e in tests.values())
    seconds = sum(e["seconds"] for e in tests.values())
    problems = [_line(e["problem"]) for e in entries if e.get("problem")]
    ended = any("end" in e for e in entries)

    def result(state: str, problem: str) -> Result:
        return Result(task, state, passed, len(tests), seconds, problem)

    begun = [e["start"] for e in entries if "start" in e and e["start"] not in tests]
    if late or not ended or begun:
        last = f" in {_short(begun[-1])}" if begun else " after the tests" if tests else ""
        where = last or " before the first test"
        if late:
            return result(
                "stopped", f"stopped after {limits.seconds:g} seconds{where}: is there an endless loop?"
            )
        return result(
            "stopped", f"the process ended{where} (exit status {status}): os._exit, or out of memory?"
        )
    if not problems and passed == len(tests):
        if tests:
            return result("done", "")
        if status == NO_TESTS:
            return result("failing", f"no test has the marker {task.marker}")
        return result("failing", f"pytest ended before a test (exit status {status}): is there a sys.exit?")
    problems = problems or ["a test was skipped"]
    unwritten = all("Need to implement" in problem for problem in problems)
    return result("todo" if unwritten else "failing", problems[0])


def _line(text: str) -> str:
    """Return the line of an error that says what it is, not too long."""
    lines = text.splitlines() or [""]
    # The cause of an error in an import stands at the end.
    first = lines[-1].removeprefix("E").strip() if "CollectError" in lines[0] else lines[0]
    return first if len(first) <= 160 else first[:157] + "..."


def _short(test: str) -> str:
    """Return a test's name without its folder."""
    return test.rsplit("/", 1)[-1]
