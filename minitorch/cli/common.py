"""How every script talks to the shell: flags, one clear line for what cannot be done, the exit status.

It refuses to know data, models and training.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from flags import Parser as Parser

try:
    import minitorch
except ValueError as error:  # MINITORCH_BACKEND names no room
    print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
    raise SystemExit(2) from None

from minitorch.data import DataError

INTERRUPTED = 128 + signal.SIGINT


class Refusal(Exception):
    """What was asked for cannot be done; the message is the one line that the user reads."""


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    return _at_least(1, text)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not {text!r}")
    return value


def rate(text: str) -> float:
    """Read a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value


def amount(text: str) -> float:
    """Read a finite number of at least 0."""
    return _below(math.inf, text)


def share(text: str) -> float:
    """Read a number of at least 0, below 1."""
    return _below(1.0, text)


def _below(top: float, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < top:
        bound = "" if top == math.inf else f" and below {top:g}"
        raise argparse.ArgumentTypeError(f"must be a number of at least 0{bound}, not {text!r}")
    return value


def notice(message: str) -> None:
    """Tell the user something that is not a result."""
    print(message, file=sys.stderr, flush=True)


def guarded(main: Callable[[], None]) -> int:
    """Run ``main`` and return the exit status: 0; 2 with one line for what cannot be done; 130 after Ctrl-C."""
    expected = (Refusal, DataError, minitorch.BackendError, minitorch.CheckpointError, OSError)
    try:
        main()
    except KeyboardInterrupt:
        return INTERRUPTED
    except expected as error:
        told = (
            f"{error.filename}: {error.strerror}"
            if isinstance(error, OSError) and error.filename
            else str(error)
        )
        line = " ".join(told.split())  # some messages are lists of several lines
        notice(f"{Path(sys.argv[0]).name}: {line}")
        return 2
    return 0
