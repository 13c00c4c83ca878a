"""Runs the tests of a student's folder, in a process of its own that `checks` starts and watches.

It is run as a script and imports nothing of this package: ``minitorch`` is the student's here. The limits are against
mistakes, such as an endless loop or a list that grows for ever; they are no protection against bad intent.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

FILE_MEGABYTES = 64  # the size of a file that a test may write; what it prints goes to a file too


def limit_memory(megabytes: int) -> None:
    """Let allocations beyond this fail, and files beyond `FILE_MEGABYTES`, where the operating system can do it."""
    with suppress(ImportError):
        import resource

        for kind, size in (
            (resource.RLIMIT_AS, megabytes << 20),
            (resource.RLIMIT_FSIZE, FILE_MEGABYTES << 20),
        ):
            with suppress(ValueError, OSError):  # the computer's own limit is lower
                resource.setrlimit(kind, (size, size))


def refuse_network(*_: object) -> NoReturn:
    """Refuse a connection."""
    raise OSError("the tests of the course run without network")


class Report:
    """Writes a line for each test that begins, for each that ends, and for each error."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - the process may end at any time
        self.began = 0.0

    def write(self, **entry: Any) -> None:
        """Write a line at once: the process may end at any time."""
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test begins."""
        self.began = time.perf_counter()
        self.write(start=nodeid)

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        """Note an error, in a test or in the import of its file."""
        self.write(error=report.nodeid, problem=call.excinfo.exconly().strip())

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a test ended."""
        if report.when == "call" or report.outcome != "passed":
            self.write(test=report.nodeid, outcome=report.outcome, seconds=time.perf_counter() - self.began)


def main() -> int:
    """Run pytest as the first argument says, a JSON object; return its exit status."""
    settings = json.loads(sys.argv[1])
    sys.path[0] = settings["folder"]
    os.chdir(settings["cwd"])
    limit_memory(settings["megabytes"])
    socket.socket.connect = refuse_network  # type: ignore[method-assign]
    import pytest

    report = Report(settings["report"])
    status = int(pytest.main(settings["arguments"], plugins=[report]))
    report.write(end=status)
    return status


if __name__ == "__main__":
    sys.exit(main())
