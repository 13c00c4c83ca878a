"""Shows a finished run on a visdom server: the lines of its log, its settings, its figures.

    minitorch replay runs/mnist
    minitorch replay runs/mnist --dashboard http://127.0.0.1:8097/env/main

The environment is named after the folder, unless the address has one. Exit status 2: it could not be sent.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..dashboard.callback import show_records
from ..dashboard.run_log import RunLog
from ..dashboard.svg import settings_table
from ..dashboard.visdom.client import LOCAL, VisdomClient
from ..train.run_dir import LOG, PLOTS, RESULTS, read_records, read_results
from ..vision.io import read_image
from .common import Parser, UsageError, address, notice

LINES = {"loss", "accuracy", "lr"}  # figures that are left out: the same is shown as lines


def load_run(log: RunLog, run: Path) -> None:
    """Write the log, settings and figures of the run in a folder to ``log``.

    Raises:
        UsageError: The folder has no log of a run, or it, the results or a figure are damaged.
    """
    records = read_records(run / LOG)
    if not records:
        raise UsageError(f"{run}: no {LOG} of a run in it")
    if os.path.lexists(run / RESULTS):
        log.text("flags", settings_table(read_results(run)))
    show_records(log, records)
    for picture in sorted([*run.glob("*.png"), *run.glob(f"{PLOTS}/*.png")]):
        if picture.stem not in LINES and picture.is_file():
            try:
                log.images(picture.stem, read_image(picture)[None], columns=1)
            except OSError as error:
                raise UsageError(str(error)) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("run", metavar="RUN", type=Path, help="the --out directory of a run")
    parser.add_argument("--dashboard", metavar="URL", type=address, default=LOCAL, help=f"default: {LOCAL}")
    args = parser.parse_args(arguments)
    log = RunLog()
    load_run(log, args.run)
    url = (
        args.dashboard
        if "/env/" in args.dashboard
        else f"{args.dashboard}/env/{Path(os.path.realpath(args.run)).name}"
    )
    errors: list[str] = []
    if not VisdomClient(log, url, report=errors.append, pause=0.0).close(limit=60.0):
        raise UsageError(errors[0] if errors else f"{args.dashboard}: not everything could be shown")
    notice(f"shown at {url}")
