"""The tour: what it shows, without a terminal and on one, and how it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch.cli import tour
from minitorch.cli.main import main
from minitorch.scalar import Scalar

from .runner import one_line

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("NUMBA_ENABLE_CUDASIM", "NO_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT)} | more


def start(*words: str, **more: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "minitorch", *words]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment(**more))


def test_the_tour_is_plain_text_of_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    backend, dtype = minitorch.get_default_backend(), minitorch.get_default_dtype()
    assert main(["tour"]) == 0
    assert (minitorch.get_default_backend(), minitorch.get_default_dtype()) == (backend, dtype)
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.isascii()
    assert "\x1b" not in told.out
    lines = told.out.splitlines()
    assert max(map(len, lines)) <= tour.COLUMNS
    for title in ("1. Derivatives", "2. Training", "3. Digits", "4. Where to go next"):
        assert title in lines
    assert "      |   |-- a        value   2.00   derivative  -1.00" in lines
    last = [line for line in lines if line.startswith(f"  step {tour.EPOCHS:3}")]
    assert float(last[0].split()[-1]) >= 0.9
    for who, command, page in tour.NEXT:
        assert any(who in line and command in line and page in line for line in lines)
        assert (ROOT / page).exists()
    right = next(line for line in lines if "handwritten digits" in line)
    assert int(right.split(";")[1].split("%")[0]) >= 70


def test_python_m_minitorch_is_the_tour_and_compiles_nothing(tmp_path: Path) -> None:
    process = start(MINITORCH_CACHE_DIR=str(tmp_path))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("minitorch: a tour of a few seconds")
    assert "  all commands: minitorch --help" in out
    assert not list(tmp_path.rglob("*.nbi"))
    assert not list(tmp_path.rglob("*.nbc"))


def test_python_m_minitorch_runs_commands() -> None:
    process = start("graph", "--help")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("usage: minitorch graph")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("settings", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"COLUMNS": "60"}, False)],
)
def test_colours(settings: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", "COLUMNS": "100", **settings}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert tour.Style()("text", "1") == ("\x1b[1mtext\x1b[0m" if coloured else "text")


def test_a_value_that_is_used_twice_is_drawn_twice() -> None:
    a = Scalar(3.0, name="a")
    assert [line.split()[-1] for line in tour.tree(a * a)] == ["1.00", "6.00", "6.00"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_ctrl_c_is_one_line() -> None:
    process: Any = start()
    assert process.stdout.readline().startswith("minitorch: a tour")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert one_line(err) == "minitorch tour: stopped by Ctrl-C\n"
    assert process.returncode == 130


def test_a_closed_pipe_and_unknown_flags_are_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["tour", "--fast"])
    assert left.value.code == 2
    assert one_line(capsys.readouterr().err).startswith("minitorch tour: ")
    process: Any = start()
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 2
