"""A pytest plugin for runs on a GPU: each failure at once as a line, and no test in a process without a CUDA context.

After an illegal address every later call of the driver fails. A worker of pytest-xdist then ends, and xdist starts
another one; without xdist the run stops.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from . import report

SHOWN = 30  # failures whose traceback is printed
OPERATION = re.compile(r"BackendError: (.+?) of shapes? .* failed on the device")
PLACE = re.compile(r"(minitorch/\S*?cuda\S*\.py:\d+)|File \"\S*(minitorch/\S*?cuda\S*\.py)\", line (\d+)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """End a process that has lost its CUDA context, after the test that lost it was reported."""
    found = yield
    failures = item.session.testsfailed
    if (failures or "PYTEST_XDIST_WORKER" in os.environ) and report.context_lost():
        if "PYTEST_XDIST_WORKER" in os.environ:
            sys.stdout.flush()
            os._exit(report.CONTEXT_LOST)
        item.session.shouldstop = (
            f"{item.nodeid} lost the CUDA context, and without pytest-xdist nothing restarts"
        )
    return found


def message_of(text: str) -> str:
    """Return the line of a traceback that says what was wrong."""
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    errors = [line for line in errors if line]
    return (errors or [line for line in text.splitlines() if line.strip()] or ["no message"])[0][:400]


class Recorder:
    """Counts results, and adds a row for each test that fails.

    Args:
        rows: The report of the stage.
    """

    def __init__(self, rows: report.Report) -> None:
        self.rows = rows
        self.outcomes: dict[str, str] = {}
        self.markers: dict[str, Counter[str]] = {}
        self.reasons: Counter[str] = Counter()
        self.slowest: list[tuple[float, str]] = []
        self.warned = 0
        self._saved = 0.0

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take note of a phase of a test."""
        if report.when == "call" or report.outcome != "passed":
            known = self.outcomes.get(report.nodeid)
            if known is None or (known == "passed" and report.outcome == "failed"):
                self.outcomes[report.nodeid] = report.outcome
                for name in report.keywords:
                    if str(name).startswith("task"):
                        self.markers.setdefault(str(name), Counter())[report.outcome] += 1
                if report.outcome == "failed":
                    self._failed(report)
                elif report.outcome == "skipped":
                    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
                    self.reasons[told.removeprefix("Skipped: ")[:200]] += 1
        if report.when == "call":
            self.slowest = sorted([*self.slowest, (round(report.duration, 2), report.nodeid)])[-15:]
        if time.monotonic() - self._saved > 1.0:
            self.save()

    def pytest_warning_recorded(self, warning_message: Any, when: str, nodeid: str, location: Any) -> None:
        """Count warnings: on this machine's packages they are no failures."""
        self.warned += 1
        if self.warned <= 5:
            print(f"warning in {nodeid}: {warning_message.message}", flush=True)

    def _failed(self, found: Any) -> None:
        text = str(found.longreprtext)
        operation, places = OPERATION.search(text), PLACE.findall(text)
        place = next((p[0] or f"{p[1]}:{p[2]}" for p in reversed(places)), "")
        told: dict[str, Any] = {"operation": operation[1] if operation else "", "place": place}
        told["seconds"] = round(found.duration, 2)
        self.rows.add(found.nodeid, "failed", message_of(text), **told)
        failures = list(self.outcomes.values()).count("failed")
        if failures <= SHOWN:
            print(text, flush=True)
        elif failures == SHOWN + 1:
            print(f"more than {SHOWN} failures: no more tracebacks", flush=True)

    def save(self) -> None:
        """Write the counts."""
        self._saved = time.monotonic()
        found = Counter(self.outcomes.values())
        self.rows.state["tests"] = {
            **{name: found[name] for name in ("passed", "failed", "skipped")},
            "warnings": self.warned,
            "markers": {name: dict(of) for name, of in sorted(self.markers.items())},
            "skips": dict(self.reasons.most_common()),
            "slowest": self.slowest[::-1],
        }
        self.rows.save()
