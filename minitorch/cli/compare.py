"""Compares the results of several runs: one table, and one figure of their training.

    minitorch compare runs/plain runs/augmented
    minitorch compare runs/cifar-* --out compared.png

Settings that are the same in all runs are left out of the table. A terminal gets a drawn table, a file Markdown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..train import plots
from ..train.run_dir import LOG, RESULTS, Record, read_records, read_results
from .common import Parser, UsageError
from .image_trainer import IDENTITY

OUTCOMES = {"best_epoch": "best epoch", "valid_accuracy": "validation", "test_accuracy": "test"}
SETTINGS = (*IDENTITY, "backend", "epochs")

Results = dict[str, Any]


def results_of(folder: Path) -> Results:
    """Return the results of a run of an image trainer.

    Raises:
        UsageError: There are none, or the file is damaged or of another kind.
    """
    results = read_results(folder)
    if results.get("test_accuracy") is None:
        raise UsageError(f"{folder / RESULTS} holds no test accuracy: it is not from an image trainer")
    return results


def by_name(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by their paths, without the part that all paths begin with."""
    paths = [Path(os.path.realpath(folder)) for folder in folders]  # of links that lead to themselves, too
    shared = os.path.commonpath([path.parent for path in paths])
    return {str(path.relative_to(shared)): path for path in paths}


def table(runs: Mapping[str, Results]) -> list[list[str]]:
    """Return the header and a row per run: its name, the settings in which runs differ, its results."""
    found = list(runs.values())
    differing = [s for s in SETTINGS if any(r.get(s) != found[0].get(s) for r in found)]
    columns = [*(differing or ["model"]), *OUTCOMES, "seconds"]
    head = ["run", *(OUTCOMES.get(c, c.replace("_", " ")) for c in columns)]
    return [head, *([name, *(_text(c, r.get(c)) for c in columns)] for name, r in runs.items())]


def _text(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column.endswith("accuracy"):
        return f"{value:.4f}"
    return f"{value:.0f}" if column == "seconds" else str(value)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(text.ljust(w) for text, w in zip(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn by rich on a terminal, else as Markdown."""
    try:
        if not sys.stdout.isatty():
            raise ImportError
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ImportError:
        print(markdown(rows))
        return
    drawn = Table(*rows[0])
    for row in rows[1:]:
        drawn.add_row(*map(escape, row))
    Console().print(drawn)


def read_log(folder: Path) -> list[Record]:
    """Return the log of a run.

    Raises:
        UsageError: There is none.
    """
    records = read_records(folder / LOG)
    if not records:
        raise UsageError(f"{folder / LOG} is missing or empty: there is nothing to draw")
    return records


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("runs", metavar="DIR", type=Path, nargs="+", help="the --out directory of a run")
    parser.add_argument(
        "--out", metavar="FILE.png", type=Path, help="draw validation accuracy and loss there"
    )
    args = parser.parse_args(arguments)
    if args.out is not None and args.out.suffix.lower() != ".png":
        parser.error(f"--out must name a .png file, not {args.out}")
    folders = by_name(args.runs)
    rows = table({name: results_of(folder) for name, folder in folders.items()})
    if args.out is not None:
        plots.plot_comparison(args.out, {name: read_log(folder) for name, folder in folders.items()})
    show(rows)
