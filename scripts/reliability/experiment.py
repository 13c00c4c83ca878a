"""What the experiments share: counting what held, looking at the files of a run, and running programs.

Depends on the standard library and on the readers of `minitorch`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minitorch.train.checkpoint import load, read_checkpoint
from minitorch.train.run_dir import read_records, read_results
from minitorch.vision.io import read_image

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "project"
KEPT = 5  # failures that are kept for the report


@dataclass
class Outcome:
    """How often something was tried, and how often everything held."""

    tried: int = 0
    held: int = 0
    failures: list[str] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, part: str, what: str, problems: Sequence[str]) -> None:
        """Count one attempt, which held if there are no problems.

        Args:
            part: The row of the report that it belongs to.
            what: The attempt, for the list of failures.
            problems: What did not hold.
        """
        good = not problems
        self.tried += 1
        self.held += good
        counts = self.parts.setdefault(part, [0, 0])
        counts[0] += 1
        counts[1] += good
        if not good:
            print(f"    NOT HELD  {part}, {what}: {'; '.join(problems)[:500]}", flush=True)
            if len(self.failures) < KEPT:
                self.failures.append(f"{part}, {what}: {'; '.join(problems)[:300]}")


@dataclass(frozen=True)
class Experiment:
    """An experiment.

    Attributes:
        title: What is done.
        promise: What must hold.
        times: How often each part is tried in the full version.
        run: Does it, as often as it is told, in an empty folder.
    """

    title: str
    promise: str
    times: int
    run: Callable[[int, Path], Outcome]


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    out: str
    err: str
    seconds: float

    def problems(self, *statuses: int) -> list[str]:
        """Return what is wrong with its end: another status than these, a traceback, more than one line of error."""
        found = []
        if self.status not in statuses:
            found.append(f"exit status {self.status}, expected one of {statuses}: {self.err[-300:]!r}")
        for word in ("Traceback", "Exception ignored", "Fatal Python error"):
            if word in self.out + self.err:
                found.append(f"{word}: {(self.out + self.err)[-400:]!r}")
        if self.status == 2 and len(errors(self.err)) != 1:
            found.append(f"expected one line of error, got {self.err!r}")
        return found


NOTICES = ("the digits of 8x8 pixels are enlarged", "drawn in ", "shown at ", "kernels ready")


def errors(text: str) -> list[str]:
    """Return the lines of stderr that are no notice of a run that goes well."""
    return [line for line in text.splitlines() if line and not line.startswith(NOTICES)]


def command(name: str, *flags: object) -> list[str]:
    """Return the command line of a command of `minitorch`, or of a script of project/."""
    script = PROJECT / f"{name}.py"
    start = [str(script)] if script.exists() else [str(ROOT / "minitorch_command.py"), name]
    return [sys.executable, *start, *map(str, flags)]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a program: this one, with the package of this checkout and no simulator."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NUMBA_ENABLE_CUDASIM", "PYTHONUNBUFFERED")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def run(words: Sequence[str], **settings: Any) -> Ended:
    """Run a program to its end."""
    settings.setdefault("env", environment())
    began = time.perf_counter()
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=settings.pop("stdout", subprocess.PIPE),
        stderr=settings.pop("stderr", subprocess.PIPE),
        text=True,
        timeout=900,
        check=False,
        **settings,
    )
    return Ended(done.returncode, done.stdout or "", done.stderr or "", time.perf_counter() - began)


def temporary_files(folder: Path) -> list[str]:
    """Return the names of hidden files below a folder: each is a file that was not written to its end."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob(".*") if p.is_file())


def unreadable(folder: Path) -> list[str]:
    """Read every file of a run, and return what cannot be read."""
    readers: dict[str, Callable[[Path], object]] = {
        "checkpoint.safetensors": read_checkpoint,
        "model.safetensors": load,
        "metrics.jsonl": read_records,
        "results.json": lambda path: read_results(path.parent),
    }
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        try:
            if path.suffix == ".png":
                read_image(path)
            elif path.suffix in (".html", ".svg"):
                assert path.read_text(encoding="utf-8").rstrip().endswith(("</html>", "</svg>"))
            elif path.name in readers:
                readers[path.name](path)
        except Exception as error:  # whatever a reader raises is what is looked for
            found.append(f"{path.name} cannot be read: {error!r}")
    return found
