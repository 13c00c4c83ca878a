"""What the commands share: types of flags, the dashboard flags, errors as one line, exit statuses.

Depends on the errors of the package and on the dashboards.
"""

from __future__ import annotations

import argparse
import http.client
import math
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..dashboard.outputs import Outputs
from ..dashboard.visdom.client import LOCAL, Address
from ..data.download import DataError
from ..tensor_data import BackendError
from ..train.messages import UsageError as UsageError
from ..train.messages import notice as notice
from ..train.torch_format import CheckpointError
from .parser import Parser as Parser

INTERRUPTED = 128 + signal.SIGINT


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


def nonnegative(text: str) -> float:
    """Read a finite number of at least 0."""
    return _below(math.inf, text)


def fraction(text: str) -> float:
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


def add_dashboard_flags(parser: argparse.ArgumentParser, *, tensorboard: bool = True) -> None:
    """Add ``--dashboard``, and ``--tensorboard`` unless the command has no use for it."""
    add = parser.add_argument
    add(
        "--dashboard",
        metavar="{auto,off,URL}",
        type=_dashboard,
        default="auto",
        help=f"a visdom server; default: auto, the one at {LOCAL} if there is one, now or later",
    )
    if tensorboard:
        add("--tensorboard", metavar="DIR", type=Path, help="also write what TensorBoard reads, into DIR")


def _dashboard(text: str) -> str:
    return text if text in ("auto", "off") else address(text, "auto, off or ")


def address(text: str, others: str = "") -> str:
    """Read the address of a visdom server; ``others`` names other values in the error."""
    try:
        Address(text).connect(1.0)
    except (ValueError, OSError, http.client.InvalidURL):
        raise argparse.ArgumentTypeError(f"must be {others}an http address, not {text!r}") from None
    return text.rstrip("/")


def open_outputs(
    args: argparse.Namespace, title: str, facts: Mapping[str, Any], unit: str = "step"
) -> Outputs:
    """Return the outputs that ``--dashboard``, ``--tensorboard`` and ``--out`` ask for."""
    return Outputs(
        title, facts, dashboard=args.dashboard, tensorboard=args.tensorboard, out=args.out, unit=unit
    )


def run_command(main: Callable[[], int | None]) -> int:
    """Run a command and return its exit status.

    The status is what ``main`` returns (None: 0); 2 after an expected error, which is printed as one line that names
    the command; 130 after Ctrl-C.
    """
    try:
        return main() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except (UsageError, DataError, BackendError, CheckpointError, OSError) as error:
        text = (
            f"{error.filename}: {error.strerror}"
            if isinstance(error, OSError) and error.filename
            else str(error)
        )
        line = " ".join(text.split())  # some messages are lists of several lines
        notice(f"{Path(sys.argv[0]).name}: {line}")
        return 2
