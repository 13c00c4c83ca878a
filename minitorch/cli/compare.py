"""Puts the results of several runs side by side: a table, and one figure of how they went.

    python project/compare.py runs/plain runs/augmented
    python project/compare.py runs/cifar-* --out compared.png

Settings that are the same in all runs are left out of the table. On a terminal it is drawn, elsewhere it is Markdown.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import panels
from cli import Parser, Refusal, guarded
from sinks import Record, read_records
from trainer import IDENTITY, LOG, RESULTS

OUTCOMES = {"best_epoch": "best epoch", "valid_accuracy": "validation", "test_accuracy": "test"}
SETTINGS = (*IDENTITY, "backend", "epochs")

Results = dict[str, Any]


def read_results(folder: Path) -> Results:
    """Return what a run has written of its end.

    Raises:
        Refusal: It has written nothing, or something else.
    """
    path = folder / RESULTS
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal(f"{folder} has no {RESULTS}: it is not the folder of a finished run") from None
    except (OSError, ValueError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from None
    if not isinstance(results, dict) or not isinstance(results.get("test_accuracy"), float):
        raise Refusal(f"{path} holds no test accuracy: it is not from a trainer of images")
    return results


def by_name(folders: Sequence[Path]) -> dict[str, Path]:
    """Return each folder by its path, without what all the paths begin with."""
    paths = [folder.resolve() for folder in folders]
    shared = os.path.commonpath([path.parent for path in paths])
    return {str(path.relative_to(shared)): path for path in paths}


def table(runs: Mapping[str, Results]) -> list[list[str]]:
    """Return the head and a row for each run: its name, the settings in which runs differ, how it ended."""
    found = list(runs.values())
    told = [s for s in SETTINGS if any(r.get(s) != found[0].get(s) for r in found)]
    columns = [*(told or ["model"]), *OUTCOMES, "seconds"]
    head = ["run", *(OUTCOMES.get(c, c.replace("_", " ")) for c in columns)]
    return [head, *([name, *(_cell(c, r.get(c)) for c in columns)] for name, r in runs.items())]


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column.endswith("accuracy"):
        return f"{value:.4f}"
    return f"{value:.0f}" if column == "seconds" else str(value)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, in columns for the eye too."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn on a terminal, if rich is there to draw it, else as Markdown."""
    try:
        if not sys.stdout.isatty():
            raise ImportError
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(markdown(rows))
        return
    drawn = Table(*rows[0])
    for row in rows[1:]:
        drawn.add_row(*row)
    Console().print(drawn)


def read_log(folder: Path) -> list[Record]:
    """Return the log of a run.

    Raises:
        Refusal: It has none.
    """
    records = read_records(folder / LOG)
    if not records:
        raise Refusal(f"{folder / LOG} is missing or empty: there is nothing to draw")
    return records


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    parser = Parser(__doc__)
    parser.add_argument("runs", metavar="DIR", type=Path, nargs="+", help="what --out of a trainer named")
    parser.add_argument(
        "--out", metavar="FILE.png", type=Path, help="draw validation accuracy and loss there"
    )
    args = parser.parse_args(arguments)
    if args.out is not None and args.out.suffix.lower() != ".png":
        parser.error(f"--out must name a .png file, not {args.out}")
    folders = by_name(args.runs)
    rows = table({name: read_results(folder) for name, folder in folders.items()})
    if args.out is not None:
        panels.draw_comparison(args.out, {name: read_log(folder) for name, folder in folders.items()})
    show(rows)


if __name__ == "__main__":
    sys.exit(guarded(main))
