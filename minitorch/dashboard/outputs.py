"""Where a run is shown: the board, a visdom server, TensorBoard, and at the end a page; by the flags.

It refuses to know what is shown.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from board import Board, Fan, Logger
from cli import Refusal, notice
from report import REPORT, write_report
from visdom_link import LOCAL, Address, VisdomLink


def add_flags(parser: argparse.ArgumentParser, *, tensorboard: bool = True) -> None:
    """Add ``--dashboard``, and ``--tensorboard`` unless it makes no sense."""
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


def address(text: str, else_: str = "") -> str:
    """Read the address of a visdom server."""
    try:
        Address(text).connect(1.0)
    except (ValueError, OSError, http.client.InvalidURL):
        raise argparse.ArgumentTypeError(f"must be {else_}an http address, not {text!r}") from None
    return text.rstrip("/")


class Display(Fan):
    """A logger that shows a run wherever the flags say.

    Args:
        args: The flags; of them it reads ``dashboard``, ``tensorboard`` and ``out``.
        title: Stands above the page.
        facts: Said below it; may grow until the end.
        unit: What the lines are drawn over.

    Raises:
        Refusal: TensorBoard is asked for and cannot be written for.
    """

    def __init__(
        self, args: argparse.Namespace, title: str, facts: Mapping[str, Any], unit: str = "step"
    ) -> None:
        self.title, self.out = title, args.out
        self.facts: dict[str, Any] = dict(facts)
        self.board = Board(unit)
        loggers: list[Logger] = [self.board]
        if args.tensorboard is not None:
            loggers.append(_tensorboard(args.tensorboard))
        self.link: VisdomLink | None = None
        if args.dashboard != "off":
            patient = args.dashboard == "auto"
            self.link = VisdomLink(
                self.board, LOCAL if patient else args.dashboard, say=notice, patient=patient
            )
        self.wanted = self.link is not None or self.out is not None or len(loggers) > 1
        super().__init__(loggers)

    def close(self) -> None:
        """Send what is left, and write the page; what cannot be done is said in a line."""
        super().close()
        if self.link is not None:
            self.link.close()
        if self.out is not None:
            keep(self.out / REPORT, lambda path: write_report(path, self.title, self.board, self.facts))


def keep(path: Path, write: Any) -> bool:
    """Write something that a run can do without; where that fails, say so in one line and go on."""
    try:
        write(path)
    except OSError as error:
        notice(f"{Path(sys.argv[0]).name}: cannot write {path}: {error.strerror or error}")
        return False
    return True


def _tensorboard(folder: Path) -> Logger:
    try:
        from tensorboard_sink import TensorBoard
    except ImportError:
        raise Refusal("--tensorboard needs tensorboardX: pip install -e '.[dashboard]'") from None
    return TensorBoard(folder)
