"""Shows a finished run on a visdom server: the lines of its log, its settings, its pictures.

python project/replay.py runs/mnist
python project/replay.py runs/mnist --dashboard http://127.0.0.1:8097/env/main

The environment is named after the folder, if the address names none. Exit status 2: no server took it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import charts
from board import Board
from cli import Parser, Refusal, guarded, notice
from display import address
from minitorch.vision import read_image
from sinks import read_records
from visdom_link import LOCAL, VisdomLink
from watch import show_records

LINES = {"loss", "accuracy", "lr"}  # pictures of what is shown as lines


def fill(board: Board, run: Path) -> None:
    """Put a run on a board.

    Raises:
        Refusal: There is no log of a run in the folder.
    """
    records = read_records(run / "metrics.jsonl")
    if not records:
        raise Refusal(f"{run}: no metrics.jsonl of a run in it")
    results = run / "results.json"
    if results.exists():
        board.text("flags", charts.settings(json.loads(results.read_text(encoding="utf-8"))))
    show_records(board, records)
    for picture in sorted([*run.glob("*.png"), *run.glob("panels/*.png")]):
        if picture.stem not in LINES:
            board.images(picture.stem, read_image(picture)[None], columns=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    parser = Parser(__doc__)
    parser.add_argument("run", metavar="RUN", type=Path, help="the folder that --out named")
    parser.add_argument("--dashboard", metavar="URL", type=address, default=LOCAL, help=f"default: {LOCAL}")
    args = parser.parse_args(arguments)
    board = Board()
    fill(board, args.run)
    url = args.dashboard if "/env/" in args.dashboard else f"{args.dashboard}/env/{args.run.resolve().name}"
    told: list[str] = []
    if not VisdomLink(board, url, say=told.append, pause=0.0).close(limit=60.0):
        raise Refusal(told[0] if told else f"{args.dashboard}: not everything could be shown")
    notice(f"shown at {url}")


if __name__ == "__main__":
    sys.exit(guarded(main))
