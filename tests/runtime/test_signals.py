"""Signals and streams of a command: what stops it is cleaned up after, and what cannot be written is one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest

from minitorch.cli.common import parse_expression, run_command
from minitorch.runtime import signals
from minitorch.train.messages import UsageError

COMMAND = [sys.executable, str(Path(__file__).resolve().parents[2] / "minitorch_command.py")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_unwinds_the_command(name: str, status: int) -> None:
    number, cleaned = signal.Signals[name], []
    before = signal.signal(number, signal.SIG_DFL)
    handlers = [signal.getsignal(n) for n in signals.STOPPING]

    def main() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as stop:
            cleaned.append(signals.describe(stop))
            raise

    try:
        assert run_command(main) == status
        assert [signal.getsignal(n) for n in signals.STOPPING] == handlers
    finally:
        signal.signal(number, before)
    assert cleaned == ["Ctrl-C" if name == "SIGINT" else name]


def test_ignored_signals_stay_ignored_and_handlers_of_others_stay() -> None:
    before = signal.getsignal(signal.SIGTERM)
    for handler in (signal.SIG_IGN, lambda *_: None):
        signal.signal(signal.SIGTERM, handler)
        try:
            with signals.stoppable():
                assert signal.getsignal(signal.SIGTERM) is handler
                signal.raise_signal(signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)


def test_a_command_runs_in_another_thread() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(run_command(lambda: 7)))
    thread.start()
    thread.join()
    assert found == [7]


def run(flags: list[str], redirection: str, **variables: str) -> tuple[int, str]:
    """Run a command in a shell with a redirection of its streams; return its status and its stderr."""
    shell = ["sh", "-c", f'"$@" {redirection}', "sh", *COMMAND, *flags]
    environment = {
        k: v for k, v in os.environ.items() if k not in ("NUMBA_ENABLE_CUDASIM", "PYTHONUNBUFFERED")
    }
    done = subprocess.run(
        shell, env={**environment, **variables}, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stderr


FULL = "minitorch{}: cannot write the output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written(unbuffered: str) -> None:
    variables = {"PYTHONUNBUFFERED": unbuffered} if unbuffered else {}
    assert run(["--help"], ">/dev/full", **variables) == (2, FULL.format(""))
    assert run(["data", "--help"], ">/dev/full", **variables) == (2, FULL.format(" data"))
    assert run(["--help"], ">/dev/full 2>/dev/full", **variables) == (2, "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
def test_closed_streams_are_as_the_null_device(tmp_path: Path) -> None:
    out = str(tmp_path / "drawn.svg")
    status, _ = run(["graph", "--dashboard", "off", "--out", out], "<&- >&- 2>&-")
    assert status == 0
    assert Path(out).read_text().endswith("</svg>\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
def test_a_wrong_backend_is_one_line() -> None:
    status, err = run(["mnist"], "", MINITORCH_BACKEND="abacus")
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("minitorch: MINITORCH_BACKEND is 'abacus'")


def test_errors_of_a_command_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(error: Exception) -> str:
        def main() -> None:
            raise error

        assert run_command(main) == 2
        text = capsys.readouterr().err
        assert text.count("\n") == 1
        return text.split(": ", 1)[1].strip()

    assert fail(UsageError("two\nlines")) == "two lines"
    assert fail(MemoryError()) == "not enough memory"
    assert fail(MemoryError("of 7 TiB")) == "not enough memory: of 7 TiB"
    assert fail(OSError(28, "it is full", "file")) == "file: it is full"
    assert fail(BrokenPipeError(32, "Broken pipe")) == "cannot write the output: Broken pipe"


@pytest.mark.parametrize("text", ["+".join(["x"] * 100_000), "(" * 5000, "x +", "\0", "-" * 100_000 + "x"])
def test_expressions_that_cannot_be_parsed_are_short_errors(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_expression(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("rounds", [0, 10_000_000])
def test_a_signal_in_a_callback_that_cannot_raise_is_not_lost(rounds: int) -> None:
    """Python ignores exceptions in finalizers: the block stops soon after it, or at its end."""

    class Watched:
        pass

    before, reached = signal.signal(signal.SIGTERM, signal.SIG_DFL), list[object]()

    def work() -> None:
        watched = Watched()
        reached.append(weakref.ref(watched, lambda _: signal.raise_signal(signal.SIGTERM)))
        with signals.stoppable():
            del watched
            for _ in range(rounds):
                pass
            reached.append("end")

    try:
        with pytest.raises(signals.Terminated) as stopped:
            work()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.number == signal.SIGTERM
    assert len(reached) == (2 if rounds == 0 else 1)


def test_an_error_that_a_library_makes_of_a_signal_is_the_signal() -> None:
    def main() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ValueError("invalid matrix") from None

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert run_command(main) == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(ValueError, match="without a signal"), signals.stoppable():
        raise ValueError("without a signal")
