"""Writes what a board shows as one HTML page that needs no server, no network and no other file.

Lines are drawings with their values, pictures are inside the page, pictures under a slider have one. It refuses to
know runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from board import Board, Frames, Images, Lines, Text, Window
from charts import line_chart
from folder import write
from pixels import data_address, sheet

REPORT = "report.html"

STYLE = """
body { font-family: sans-serif; color: #22262b; background: #f5f6f7; margin: 24px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 14px; margin: 0 0 8px; }
p { color: #6b7178; margin: 0 0 18px; }
main { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
section { background: white; border: 1px solid #dfe2e5; border-radius: 6px; padding: 12px; overflow: auto; }
section > svg, section > img { max-width: 100%; height: auto; display: block; }
input[type=range] { width: 100%; } details { margin-top: 6px; font-size: 12px; }
td, th { padding: 1px 10px 1px 0; text-align: right; font-variant-numeric: tabular-nums; }
section.text td { text-align: left; }
"""

SLIDER = """
for (const box of document.querySelectorAll("section.frames")) {
  const frames = JSON.parse(box.querySelector("script").textContent);
  const slider = box.querySelector("input");
  const show = () => {
    box.querySelector("img").src = frames[slider.value].src;
    box.querySelector("output").textContent = frames[slider.value].label;
  };
  slider.addEventListener("input", show);
}
"""


def write_report(path: Path, title: str, board: Board, facts: Mapping[str, Any]) -> None:
    """Write the page, wholly or not at all.

    Args:
        path: The file.
        title: Stands above.
        board: What is shown.
        facts: Said in a line below the title.
    """
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    sections = "\n".join(_section(window, board.unit) for window in board.windows())
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(told)}</p>\n<main>\n{sections}\n</main>\n"
        f"<script>{SLIDER}</script>\n</body>\n</html>\n"
    )
    write(path, page)


def _section(window: Window, unit: str) -> str:
    content, name = window.content, window.name
    if isinstance(content, Lines):
        kind, title, inside = "lines", name, line_chart(content.traces, unit) + _values(content, unit)
    elif isinstance(content, Images):
        address = data_address(sheet(content.array, content.columns))
        kind, title, inside = "images", content.title, f'<img src="{address}" alt="{escape(content.title)}">'
    elif isinstance(content, Text):
        kind, title, inside = "text", name, content.html
    else:
        kind, title, inside = "frames", name, _slider(content)
    identity = f'class="{kind}" data-window="{escape(name)}"'
    return f"<section {identity}>\n<h2>{escape(title)}</h2>\n{inside}\n</section>"


def _values(content: Lines, unit: str) -> str:
    """Return the last values of each line as a table that opens when asked for."""
    tables = []
    for line, (xs, ys) in content.traces.items():
        rows = "".join(f"<tr><td>{x:g}</td><td>{y:.6g}</td></tr>" for x, y in list(zip(xs, ys))[-20:])
        tables.append(f"<table><tr><th>{escape(unit)}</th><th>{escape(line)}</th></tr>{rows}</table>")
    return f"<details><summary>last values</summary>{''.join(tables)}</details>"


def _slider(content: Frames) -> str:
    frames = [{"label": f.label, "src": data_address(f.array)} for f in content.frames]
    last = frames[-1]
    return (
        f'<img src="{last["src"]}" alt=""><div><output>{escape(last["label"])}</output></div>'
        f'<input type="range" min="0" max="{len(frames) - 1}" value="{len(frames) - 1}" step="1">'
        f'<script type="application/json">{json.dumps(frames).replace("<", chr(92) + "u003c")}</script>'
    )
