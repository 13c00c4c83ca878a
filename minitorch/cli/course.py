"""The minitorch course: makes a student's folder, shows which tasks are done, and grades it.

    minitorch course new 4 my-module4
    minitorch course new 4 my-module4 --mine my-module3
    minitorch course status my-module4
    minitorch course fill 4.1
    minitorch course grade my-module4 --json

Tests run in processes of their own, without network, with limits on time and memory. The limits are against mistakes;
they are no protection against code that means harm.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from ..course import checks, folder, stubs
from ..course.tasks import SOLVED, Task, find_task, tasks
from .common import Parser, UsageError, count, notice, rate
from .compare import show

STATES = {"done": "done", "todo": "to do", "failing": "failing", "stopped": "stopped"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(__doc__)
    commands = parser.add_subparsers(dest="command", metavar="{new,status,fill,grade}", required=True)
    new = commands.add_parser(
        "new", help="write a folder for a module", description="write a folder for a module"
    )
    new.add_argument("module", type=int, metavar="MODULE", help="0 to 4")
    new.add_argument("folder", type=Path, metavar="DIR", help="the folder; it must not exist")
    new.add_argument("--mine", type=Path, metavar="PREVIOUS", help="take earlier tasks from this folder")
    status = commands.add_parser(
        "status", help="show which tasks are done", description="show which tasks are done"
    )
    _add_checks(status)
    fill = commands.add_parser(
        "fill",
        help="show the reference solution of a task",
        description="show the reference solution of a task",
    )
    fill.add_argument("task", metavar="TASK", help="such as 4.1")
    fill.add_argument("--yes", action="store_true", help="do not ask")
    graded = commands.add_parser(
        "grade",
        help="run the course's tests and hidden ones",
        description="run the course's tests and hidden ones",
    )
    _add_checks(graded)
    graded.add_argument("--json", action="store_true", help="print JSON")
    graded.add_argument("--seed", type=int, help="draw the same examples as a run before")
    args = parser.parse_args(arguments)
    if args.command == "new":
        return new_folder(args)
    if args.command == "fill":
        return show_solution(find_task(args.task), args.yes)
    if not args.folder.is_dir():
        raise UsageError(f"{args.folder} is no folder")
    module = folder.module_of(args.folder)
    checks.need_test_packages()
    chosen = [task for task in tasks() if task.module == module or (args.all and task.module < module)]
    limits = checks.Limits(args.seconds, args.megabytes)
    return show_status(args, chosen, limits) if args.command == "status" else show_grade(args, chosen, limits)


def _add_checks(parser: argparse.ArgumentParser) -> None:
    default = checks.Limits()
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that `new` made")
    parser.add_argument("--all", action="store_true", help="also the tasks of earlier modules")
    parser.add_argument("--seconds", type=rate, default=default.seconds, help="for the tests of a task")
    parser.add_argument("--megabytes", type=count, default=default.megabytes, help="for the tests of a task")


def new_folder(args: argparse.Namespace) -> int:
    """Write a student's folder."""
    folder.new_folder(args.module, args.folder, args.mine)
    print(f"{args.folder}: module {args.module} of the course; begin with {args.folder / 'README.md'}")
    return 0


def show_solution(task: Task, yes: bool) -> int:
    """Print the reference solution of a task, if the answer is yes."""
    if not yes:
        notice(f"This shows the solution of task {task.name}, {task.title}. Its hints are in {task.link}.")
        print("Show it? [yes/no] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != "yes":
            notice("Nothing is shown: the answer was not yes.")
            return 0
    for file, names in task.functions.items():
        text = (SOLVED / file).read_text(encoding="utf-8")
        print(f"# {file}")
        for name in names:
            print(f"\n{stubs.source_of(text, name)}")
        print()
    return 0


def show_status(args: argparse.Namespace, chosen: list[Task], limits: checks.Limits) -> int:
    """Print a table of the tasks, and which is next."""
    results = []
    for task in chosen:
        notice(f"task {task.name}: {task.title} ...")
        results.append(checks.check_own(args.folder, task, limits))
    rows = [["task", "subject", "state", "tests", "guide", "first problem"]]
    for r in results:
        state, passed = STATES[r.state], f"{r.passed}/{r.total}"
        rows.append([r.task.name, r.task.title, state, passed, r.task.link, _column(r.problem)])
    show(rows)
    print()
    done = {r.task.name for r in results if r.state == "done"}
    open_tasks = [r.task for r in results if r.task.name not in done]
    known = {task.name for task in chosen}
    ready = [t for t in open_tasks if all(n in done or n not in known for n in t.needs)] or open_tasks
    if not ready:
        print("All tasks are done.")
    else:
        print(
            f"Next: task {ready[0].name}, {ready[0].title}: {ready[0].link}, then pytest -m {ready[0].marker}"
        )
    return 0


def _column(problem: str) -> str:
    return "" if "Need to implement" in problem else problem.replace("|", "/")


def show_grade(args: argparse.Namespace, chosen: list[Task], limits: checks.Limits) -> int:
    """Print the points of each task: the share of its tests, hidden ones among them, that pass."""
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    results = []
    for task in chosen:
        notice(f"task {task.name}: {task.title} ...")
        results.append(checks.grade(args.folder, task, limits, seed))
    points = [r.passed / r.total if r.total and r.state != "stopped" else 0.0 for r in results]
    mean = sum(points) / len(points)
    if args.json:
        entries = [
            {
                "task": r.task.name,
                "state": r.state,
                "passed": r.passed,
                "tests": r.total,
                "points": round(p, 4),
                "seconds": round(r.seconds, 3),
                "problem": r.problem,
            }
            for r, p in zip(results, points)
        ]
        print(
            json.dumps({"folder": str(args.folder), "seed": seed, "points": round(mean, 4), "tasks": entries})
        )
        return 0
    rows = [["task", "subject", "state", "tests", "points", "seconds", "first problem"]]
    for r, p in zip(results, points):
        state, passed = STATES[r.state], f"{r.passed}/{r.total}"
        rows.append(
            [r.task.name, r.task.title, state, passed, f"{p:.2f}", f"{r.seconds:.1f}", _column(r.problem)]
        )
    show(rows)
    print(f"\nmean {mean:.2f}; --seed {seed} draws the same examples")
    return 0
