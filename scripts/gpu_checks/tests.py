"""Stage tests: the CUDA tests of the repository on the GPU, in eight processes.

minitorch is imported by the tests themselves: where kernels run must be settled before.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path
from typing import Any

from .report import Check, Row

ROOT = Path(__file__).resolve().parent.parent.parent
CHECK_LIMIT = None  # the limit of the stage
TEST_LIMIT = 60  # seconds, where pytest-timeout is installed
WORKERS = 8


def test_files() -> list[str]:
    """Return the files that the Makefile names as CUDA tests."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    found = re.search(r"^CUDA_TESTS\s*=\s*(.+)$", makefile, re.MULTILINE)
    files = found[1].split() if found else []
    files = [name for name in files if (ROOT / name).exists()]
    if not files:
        raise RuntimeError("the Makefile's CUDA_TESTS names no file that is there")
    return files


def arguments(rehearse: bool) -> list[str]:
    """Return what pytest is called with."""
    files = test_files()[:1] if rehearse else test_files()
    found = [*files, "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "gpu_checks.pytest_plugin"]
    # A warning of this machine's packages must not hide what the kernels do. The report counts them.
    found += ["-W", "default", "--no-header", "--no-summary", "--show-capture=no"]
    if rehearse:
        return [*found, "-m", "task3_4", "-p", "no:xdist"]
    if importlib.util.find_spec("pytest_timeout"):
        found += ["--timeout", str(TEST_LIMIT), "--timeout-method", "thread"]
    if importlib.util.find_spec("xdist"):
        found += ["-n", str(WORKERS), "--max-worker-restart", "200"]
    return found


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the one check of this stage."""

    def run() -> Row:
        import pytest

        from .pytest_plugin import Recorder

        recorder, given = Recorder(options.report), arguments(options.rehearse)
        print("pytest", *given, flush=True)
        status = pytest.main(given, plugins=[recorder])
        recorder.save()
        found: dict[str, Any] = options.report.state["tests"]
        if status not in (0, 1):
            raise RuntimeError(
                f"pytest ended with status {int(status)}, after {found['passed']} tests passed"
            )
        if status == 1 and not found["failed"]:
            raise RuntimeError("pytest failed outside of tests: see the log")
        if found["skipped"]:
            print("skipped:", *(f"{n} {reason};" for reason, n in found["skips"].items()), flush=True)
        return {name: found[name] for name in ("passed", "failed", "skipped", "warnings")}

    return [("pytest", run)]


def headline(rows: list[Row]) -> str:
    """Return the stage in one line."""
    total = next((row for row in rows if row["check"] == "pytest"), {})
    bad = [row for row in rows if row["status"] == "failed"]
    if "passed" not in total:
        return total.get("message", "pytest did not end")
    told = f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped"
    return (
        f"{told}; first: {bad[0]['check'].split('::')[-1]}: {bad[0].get('message', '')[:90]}" if bad else told
    )
