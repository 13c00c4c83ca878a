"""Runs the checks of a stage one by one and keeps their rows in a JSON file, written anew after each row.

It needs the standard library only, and knows no check.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Row = dict[str, Any]
Check = tuple[str, Callable[[], Any]]

REFERENCE = "GPU_DAY_REFERENCE"  # variable that names the file of the losses on the CPU
CONTEXT_LOST = 75  # exit status of a process whose CUDA context answers no more
CHECK_LIMIT = (
    60.0  # seconds after which a check is said to hang, unless its stage has a CHECK_LIMIT of its own
)


class NotRun(Exception):
    """A check could not be run here; the message says why."""


def empty_state(stage: str, rehearsal: bool) -> dict[str, Any]:
    """Return what the JSON file of a stage holds at first."""
    return {
        "stage": stage, "status": "running", "seconds": 0.0, "headline": "", "rehearsal": rehearsal,
        "device": "simulator" if rehearsal else "", "planned": [], "index": -1, "current": None, "rows": [],
    }  # fmt: skip


def write(path: Path, value: Any) -> None:
    """Write JSON in one piece: a reader sees the old file or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(value, indent=1, default=str) + "\n")
    os.replace(temporary, path)


def shown(value: Any) -> str:
    """Return a value as it stands in a table."""
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("\n", " ")


def table(rows: list[Row]) -> str:
    """Return rows as a table of text; the names of the columns are those of all rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    elements = [names, *([shown(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[k]) for line in elements) for k in range(len(names))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in elements)


def counts(state: dict[str, Any]) -> str:
    """Return how many rows have which status."""
    found = [row["status"] for row in state["rows"]]
    return ", ".join(f"{found.count(s)} {s}" for s in ("ok", "failed", "not run") if s in found) or "no rows"


def one_line(problem: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}"[:400]


def context_lost() -> bool:
    """Tell whether numba.cuda is in use, and its context answers with an error."""
    cuda = sys.modules.get("numba.cuda")
    if cuda is None or os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        return False
    try:
        cuda.synchronize()
    except Exception:  # whatever it is, nothing can be launched any more
        return True
    return False


class Report:
    """The rows of a stage.

    Args:
        path: The JSON file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = json.loads(path.read_text())

    def save(self) -> None:
        """Write the file."""
        write(self.path, self.state)

    def add(self, check: str, status: str = "ok", message: str = "", **fields: Any) -> None:
        """Add a row, write the file, and print the row."""
        fields = {k: None if v != v else v for k, v in fields.items()}  # JSON has no nan
        row: Row = {"check": check, "status": status, **({"message": message} if message else {}), **fields}
        self.state["rows"].append(row)
        self.save()
        print("  ".join([f"[{status}] {check}", message, *(f"{k}={shown(v)}" for k, v in fields.items())]))


def run(stage: ModuleType, options: argparse.Namespace) -> int:
    """Run the checks of a stage after the first ``options.skip``; return the exit status of the process."""
    report = Report(options.out / f"{options.child}.json")
    options.report = report
    checks: list[Check] = stage.checks(options)
    limit = vars(stage).get("CHECK_LIMIT", CHECK_LIMIT)
    report.state["planned"] = [name for name, _ in checks]
    for index, (name, check) in enumerate(checks):
        if index < options.skip:
            continue
        report.state.update(index=index, current=name)
        report.save()
        if limit:
            faulthandler.dump_traceback_later(limit, exit=True)
        start = time.perf_counter()
        try:
            found = check()
            fields = found if isinstance(found, dict) else {}
            if found is not None:
                report.add(name, **{"seconds": round(time.perf_counter() - start, 2), **fields})
        except NotRun as problem:
            report.add(name, "not run", str(problem))
        except Exception as problem:  # a check may fail in any way, and the next one still runs
            traceback.print_exc(file=sys.stdout)
            report.add(name, "failed", one_line(problem))
            if context_lost():
                print("the CUDA context is lost: the next check runs in a new process", flush=True)
                os._exit(CONTEXT_LOST)
        faulthandler.cancel_dump_traceback_later()
    report.state["current"] = None
    found = {row["status"] for row in report.state["rows"]}
    status = "failed" if "failed" in found else "not run" if found == {"not run"} else "ok"
    report.state.update(status=status, headline=stage.headline(report.state["rows"]))
    report.save()
    return 0
