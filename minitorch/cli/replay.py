"""Shows a finished run on a visdom server: the lines of its log, its settings, its figures.

    minitorch replay runs/mnist
    minitorch replay runs/mnist --dashboard http://127.0.0.1:8097/env/main

The environment is named after the folder, unless the address has one. Exit status 2: it could not be sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..dashboard.callback import show_records
from ..dashboard.run_log import RunLog
from ..dashboard.svg import settings_table
from ..dashboard.visdom.client import LOCAL, VisdomClient
from ..train.callbacks import read_records
from ..train.run_dir import LOG, PLOTS, RESULTS
from ..vision.io import read_image
from .common import Parser, UsageError, address, notice

LINES = {"loss", "accuracy", "lr"}  # figures that are left out: the same is shown as lines


def load_run(log: RunLog, run: Path) -> None:
    """Write the log, settings and figures of the run in a folder to ``log``.

    Raises:
        UsageError: The folder has no log of a run, or a file in it cannot be read.
    """
    records = read_records(run / LOG)
    if not records:
        raise UsageError(f"{run}: no {LOG} of a run in it")
    results = run / RESULTS
    if results.exists():
        log.text("flags", settings_table(_settings(results)))
    show_records(log, records)
    for picture in sorted([*run.glob("*.png"), *run.glob(f"{PLOTS}/*.png")]):
        if picture.stem not in LINES:
            try:
                log.images(picture.stem, read_image(picture)[None], columns=1)
            except OSError as error:
                raise UsageError(str(error)) from None


def _settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: expected the results of a run, got a {type(settings).__name__}")
    return settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("run", metavar="RUN", type=Path, help="the --out directory of a run")
    parser.add_argument("--dashboard", metavar="URL", type=address, default=LOCAL, help=f"default: {LOCAL}")
    args = parser.parse_args(arguments)
    log = RunLog()
    load_run(log, args.run)
    url = args.dashboard if "/env/" in args.dashboard else f"{args.dashboard}/env/{args.run.resolve().name}"
    errors: list[str] = []
    if not VisdomClient(log, url, report=errors.append, pause=0.0).close(limit=60.0):
        raise UsageError(errors[0] if errors else f"{args.dashboard}: not everything could be shown")
    notice(f"shown at {url}")
