"""The tasks of the course, read from ``tasks.toml``. Depends on the standard library."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..train.messages import UsageError

HERE = Path(__file__).resolve().parent
SOLVED = HERE / "solved"


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: Such as ``"4.1"`` or ``"4.4b"``.
        title: Its subject.
        functions: What is written in it: names by file, below the student's folder.
        needs: The names of the tasks that it stands on.
        guide: What it is about.
        hints: What helps, from the first to the last.
        page: The page of this project's documentation on the subject.
    """

    name: str
    title: str
    functions: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]
    guide: str
    hints: tuple[str, ...]
    page: str

    @property
    def module(self) -> int:
        """The number of its module."""
        return int(self.name.split(".")[0])

    @property
    def marker(self) -> str:
        """The marker of its tests: ``"task4_1"``."""
        return "task" + self.name.replace(".", "_")

    @property
    def link(self) -> str:
        """Its section in the guide of the student's folder."""
        return f"guide/module{self.module}.md#task-{self.name.replace('.', '')}"

    @property
    def message(self) -> str:
        """The error of a function that is not written yet."""
        return f"Need to implement for Task {self.name}: {self.link}"


@dataclass(frozen=True)
class Module:
    """A module of the course: its number, title and subject, and the files and scripts that it adds."""

    number: int
    title: str
    text: str
    files: tuple[str, ...]
    scripts: tuple[str, ...]


def read_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ValueError: It is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib as parser
    else:
        import tomli as parser
    return parser.loads(text)


@cache
def _content() -> dict[str, Any]:
    return read_toml((HERE / "tasks.toml").read_text(encoding="utf-8"))


@cache
def modules() -> tuple[Module, ...]:
    """Return the modules, 0 to 4."""
    return tuple(
        Module(m["number"], m["title"], m["text"], tuple(m["files"]), tuple(m.get("scripts", ())))
        for m in _content()["module"]
    )


@cache
def tasks() -> tuple[Task, ...]:
    """Return the tasks, in the order of the course."""
    return tuple(
        Task(
            t["name"],
            t["title"],
            {file: tuple(names.split()) for file, names in (entry.split(":") for entry in t["functions"])},
            tuple(t["needs"]),
            t["guide"].strip(),
            tuple(t["hints"]),
            t["page"],
        )
        for t in _content()["task"]
    )


def find_task(text: str) -> Task:
    """Return the task with this name; ``4.1``, ``4_1`` and ``task4_1`` are the same.

    Raises:
        UsageError: There is none.
    """
    name = re.sub(r"^task", "", text.strip().lower()).replace("_", ".")
    for task in tasks():
        if task.name == name:
            return task
    known = ", ".join(task.name for task in tasks())
    raise UsageError(f"there is no task {text!r}: expected one of {known}")
