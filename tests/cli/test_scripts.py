"""The scripts of project/ as such: importing one starts nothing, and they import what they need themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .runner import PROJECT, SCRIPTS, process

COMMANDS = (
    "run_cifar10",
    "classify",
    "compare",
    "replay",
    "sanity",
    "gradient_checker",
    "show_expression",
    "dashboard",
)


def test_importing_a_script_starts_nothing(tmp_path: Path) -> None:
    names = ", ".join((*SCRIPTS, *COMMANDS, "parallel_check", "pynet"))
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import {names}; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stderr == ""
    assert not {"'matplotlib'", "'torch'", "'rich'", "'visdom'", "'PIL'"} & set(
        done.stdout.strip("[]\n").split(", ")
    )
    assert not list(tmp_path.iterdir())


def test_parallel_check_prints_four_diagnostics() -> None:
    started = process("parallel_check")
    told, complaints = started.communicate(timeout=300)
    assert started.returncode == 0, complaints
    titles = [line for line in told.splitlines() if line in ("MAP", "ZIP", "REDUCE", "MATRIX MULTIPLY")]
    assert titles == ["MAP", "ZIP", "REDUCE", "MATRIX MULTIPLY"]
    assert told.count("Parallel Accelerator Optimizing") == 4


def test_the_server_is_started_with_the_standard_library_alone() -> None:
    bare = [sys.executable, "-S", PROJECT / "dashboard.py"]
    done = subprocess.run([*bare, "-c", ""], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    done = subprocess.run([*bare, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--port" in done.stdout


def test_the_files_of_its_page_are_placed_with_the_standard_library_alone() -> None:
    assets = PROJECT.parent / "minitorch" / "dashboard" / "visdom" / "assets.py"
    done = subprocess.run(
        [sys.executable, "-S", assets, "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--from" in done.stdout
