"""Where a run is shown: a `RunLog`, a visdom server, TensorBoard, and at the end an HTML report.

Depends on the viewers beside it and on the directory of a run. It parses no flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..train.messages import UsageError, notice
from ..train.run_dir import write_optional
from .html import REPORT, write_report
from .run_log import Logger, MultiLogger, RunLog
from .visdom.client import LOCAL, VisdomClient


class Outputs(MultiLogger):
    """A logger that shows a run in all the places that are asked for.

    Args:
        title: The heading of the report.
        facts: Names and values below it; they may grow until `close`.
        dashboard: The URL of a visdom server; ``"auto"`` (default) is the local one, if it is there; or ``"off"``.
        tensorboard: A log directory of TensorBoard; None writes none.
        out: The directory of the run, for ``report.html``; None writes none.
        unit: The unit of x of all lines: ``"step"`` (default) or ``"epoch"``.

    Attributes:
        wanted: Whether anything is shown anywhere.

    Raises:
        UsageError: TensorBoard is asked for and tensorboardX is not installed.
    """

    def __init__(
        self,
        title: str,
        facts: Mapping[str, Any],
        *,
        dashboard: str = "auto",
        tensorboard: Path | None = None,
        out: Path | None = None,
        unit: str = "step",
    ) -> None:
        self.title, self.out = title, out
        self.facts: dict[str, Any] = dict(facts)
        self.log = RunLog(unit)
        loggers: list[Logger] = [self.log]
        if tensorboard is not None:
            loggers.append(_tensorboard(tensorboard))
        self.client = visdom_client(self.log, dashboard)
        self.wanted = self.client is not None or out is not None or len(loggers) > 1
        super().__init__(loggers)

    def close(self) -> None:
        """Send the last changes and write the report; what fails is reported in one line."""
        super().close()
        if self.client is not None:
            self.client.close()
        if self.out is not None:
            write_optional(
                self.out / REPORT, lambda path: write_report(path, self.title, self.log, self.facts)
            )


def visdom_client(log: RunLog, dashboard: str) -> VisdomClient | None:
    """Return a client that sends ``log`` to a URL, or for ``"auto"`` to the local server; None for ``"off"``."""
    if dashboard == "off":
        return None
    auto = dashboard == "auto"
    return VisdomClient(log, LOCAL if auto else dashboard, report=notice, quiet_if_absent=auto)


def _tensorboard(folder: Path) -> Logger:
    try:
        from .tensorboard import TensorBoardLogger
    except ImportError:
        raise UsageError("--tensorboard needs tensorboardX: pip install -e '.[dashboard]'") from None
    return TensorBoardLogger(folder)
