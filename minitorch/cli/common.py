"""What the commands share: types of flags, the dashboard flags, errors as one line, exit statuses.

Depends on the errors of the package and on the dashboards.
"""

from __future__ import annotations

import argparse
import ast
import atexit
import gc
import http.client
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..dashboard.outputs import Outputs
from ..dashboard.visdom.client import LOCAL, Address
from ..data.download import DataError
from ..onnx.errors import OnnxError
from ..runtime.parser import Parser as Parser
from ..runtime.signals import exit_status, stoppable
from ..runtime.streams import drop_unwritten, open_streams
from ..tensor_data import BackendError
from ..train.messages import UsageError as UsageError
from ..train.messages import notice as notice
from ..train.torch_format import CheckpointError

# What ends a command as one line, with status 2.
EXPECTED = (UsageError, DataError, BackendError, CheckpointError, OnnxError, MemoryError, OSError)
LARGEST_COUNT = (1 << 31) - 1  # sizes beyond it are in no computer that runs this


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
    if value > LARGEST_COUNT:
        raise argparse.ArgumentTypeError(f"must be a whole number of at most {LARGEST_COUNT}, not {text!r}")
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
    the command, also where the output cannot be written; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
    """
    # At its end, Python looks for cycles in all that was imported, which takes a third of a second. Spare that.
    atexit.register(gc.freeze)
    try:
        with stoppable():
            open_streams()
            return _run(main)
    except KeyboardInterrupt as stop:
        return exit_status(stop)


def _run(main: Callable[[], int | None]) -> int:
    try:
        try:
            return main() or 0
        finally:
            sys.stdout.flush()
    except EXPECTED as error:
        line = " ".join(_text_of(error).split())  # some messages are lists of several lines
        with suppress(OSError):
            notice(f"{Path(sys.argv[0]).name}: {line}")
        return 2
    finally:
        drop_unwritten()


def _text_of(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        # What the package writes has a name; the streams of the process have none.
        return f"{error.filename or 'cannot write the output'}: {error.strerror}"
    return str(error)


def parse_expression(text: str) -> ast.expr:
    """Parse a Python expression.

    Raises:
        UsageError: It is none, or it is nested too deeply.
    """
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"not an expression: {shown!r}: {error.msg}") from None
    except ValueError as error:
        raise UsageError(f"not an expression: {shown!r}: {error}") from None
    except (RecursionError, MemoryError):  # MemoryError: of the parser's stack, in some versions of Python
        raise UsageError(f"an expression that is nested too deeply: {shown!r}") from None
