"""Places that cannot be written to: full disks, read-only folders, output that is closed or full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .experiment import Outcome, command, environment, errors, run, temporary_files, unreadable
from .stops import SMALL, in_a_fork
from .training import contents, reference, status_of, train_forked

PAGE = 4096
QUICK: dict[str, tuple[str, ...]] = {
    "run_manual": ("--dashboard", "off"),
    "show_expression": ("--dashboard", "off", "--out", "DIR/expression.svg"),
    "mnist": (*SMALL, "--epochs", "1"),
    "run_scalar": ("--EPOCHS", "20", "--dashboard", "off"),
    "data": ("--help",),
    "--help": (),
}


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path | None]:
    """Mount a file system of ``size`` bytes in memory; gives None where that is not allowed (it needs root)."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        allowed = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    try:
        yield folder if allowed else None
    finally:
        if allowed:
            subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, leave: int) -> None:
    """Fill a disk until ``leave`` bytes are free."""
    status = os.statvfs(disk)
    size = status.f_bavail * status.f_frsize - leave
    with open(disk / "ballast", "wb") as file:
        file.write(b"\0" * max(size, 0))


def full_disk(times: int, folder: Path) -> Outcome:
    """Train on disks with less and less space, from one that is just large enough down to none."""

    def work(outcome: Outcome) -> None:
        expected, _ = reference(folder / "reference")
        needed = sum(-(-len(content) // PAGE) * PAGE for content in expected.values()) + 64 * PAGE
        for n in range(times):
            leave = needed * n // times
            for part in ("new run", "resumed run"):
                with small_disk(folder / "disk", 4 * needed) as disk:
                    if disk is None:
                        outcome.notes.append("left out: mounting a small disk is not allowed here")
                        return
                    one = disk / "run"
                    if part == "resumed run":
                        shutil.copytree(folder / "reference" / "whole", one)
                        (one / "results.json").unlink()
                    before = contents(one)
                    fill(disk, leave)
                    err = folder / "err"
                    status = status_of(train_forked(one, err))
                    text = err.read_text()
                    problems = [] if status in (0, 2) else [f"ended with status {status}"]
                    if status == 2 and (text.count("\n") != 1 or "No space left" not in text):
                        problems.append(f"expected one line about the disk, got {text!r}")
                    if "Traceback" in text:
                        problems.append("a traceback")
                    problems += unreadable(one) + [f"left {name}" for name in temporary_files(one)]
                    found = contents(one)
                    problems += [f"{name} is gone" for name in before if name not in found]
                    (disk / "ballast").unlink()
                    if status_of(train_forked(one, err)) != 0 or contents(one) != expected:
                        problems.append(f"cannot be resumed with more space: {err.read_text()!r}")
                    outcome.add(part, f"{leave} bytes free", problems)

    return in_a_fork(work)


def read_only(times: int, folder: Path) -> Outcome:
    """Run commands whose folders cannot be written to; as root, without the right to do so all the same."""
    outcome = Outcome()
    prefix: list[str] = []
    if os.geteuid() == 0:
        tool = shutil.which("setpriv")
        if tool is None:
            outcome.notes.append("left out: root can write everywhere, and setpriv is not installed")
            return outcome
        prefix = [tool, "--bounding-set", "-dac_override,-dac_read_search"]
        outcome.notes.append("run as root without CAP_DAC_OVERRIDE")
    finished = folder / "finished"
    run(command("mnist", *SMALL, "--quiet", "--out", finished))
    before = contents(finished)
    locked = folder / "locked"
    locked.mkdir()
    cases = {
        "--out": (command("mnist", *SMALL, "--out", locked / "run"), {}, (2,)),
        "--out that exists": (command("mnist", *SMALL, "--out", locked), {}, (2,)),
        "--resume": (command("mnist", "--resume", finished, "--epochs", 3, "--dashboard", "off"), {}, (2,)),
        "toys --out": (command("toys", "--dashboard", "off", "--out", locked), {}, (2,)),
        "graph --out": (command("graph", "--dashboard", "off", "--out", locked / "a.svg"), {}, (2,)),
        "compare --out": (command("compare", finished, "--out", locked / "a.png"), {}, (2,)),
        "data --unpack": (command("data", "mnist", "--unpack", locked), {}, (2,)),
        "cache": (
            command("graph", "--dashboard", "off", "--out", folder / "a.svg"),
            {"MINITORCH_CACHE_DIR": str(locked)},
            (0,),
        ),
    }
    try:
        for path in (locked, finished):
            path.chmod(0o500)
        for name, (words, variables, statuses) in list(cases.items()) * times:
            ended = run([*prefix, *words], env=environment(**variables), cwd=folder)
            problems = ended.problems(*statuses)
            if ended.status == 2 and str(locked) not in ended.err and str(finished) not in ended.err:
                problems.append(f"the folder is not named: {ended.err!r}")
            problems += [f"{path} was written" for path in locked.iterdir()]
            if contents(finished) != before:
                problems.append("the run was changed")
            outcome.add(name, "read-only", problems)
    finally:
        for path in (locked, finished):
            path.chmod(0o700)
    return outcome


def lost_output(times: int, folder: Path, names: tuple[str, ...] = tuple(QUICK)) -> Outcome:
    """Run commands whose output is a closed pipe, a full disk, or closed."""
    outcome = Outcome()
    for name in list(names) * times:
        words = command(name, *(flag.replace("DIR", str(folder)) for flag in QUICK[name]))
        read, write = os.pipe()
        os.close(read)
        with open("/dev/full", "w") as full, open(write, "w") as broken:
            cases = {
                "closed pipe": ({"stdout": broken}, (2,)),
                "full disk": ({"stdout": full}, (2,)),
                "both streams a closed pipe": ({"stdout": broken, "stderr": broken}, (2,)),
            }
            for case, (streams, statuses) in cases.items():
                for unbuffered in ("", "1"):
                    variables = {"PYTHONUNBUFFERED": unbuffered} if unbuffered else {}
                    ended = run(words, env=environment(**variables), cwd=folder, **streams)
                    problems = ended.problems(*statuses) if "stderr" not in streams else []
                    if ended.status not in statuses:
                        problems.append(f"exit status {ended.status}")
                    if "stderr" not in streams and not any("cannot write" in e for e in errors(ended.err)):
                        problems.append(f"expected a line about the output, got {ended.err!r}")
                    outcome.add(case, f"{name}{' unbuffered' if unbuffered else ''}", problems)
        for case, closed in (("closed stdout", ">&-"), ("all streams closed", "<&- >&- 2>&-")):
            shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *words]
            ended = run(shell, cwd=folder)
            outcome.add(case, name, ended.problems(0))
    return outcome
