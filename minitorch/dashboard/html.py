"""The report of a run: one HTML page that needs no server, no network and no other file.

Lines are SVG charts with their values, images are embedded, images under a slider keep it. Depends on `run_log`, `svg`
and `images` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..train.run_dir import write_file
from .images import data_url, image_grid
from .run_log import Frames, Images, Lines, RunLog, Text, Window
from .svg import line_chart

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


def write_report(path: Path, title: str, log: RunLog, facts: Mapping[str, Any]) -> None:
    """Write the report of a run atomically.

    Args:
        path: The file.
        title: The heading of the page.
        log: What the run has shown.
        facts: Names and values in one line below the heading; None values are left out.
    """
    write_page(path, title, facts, [_section(window, log.unit) for window in log.windows()])


def write_page(path: Path, title: str, facts: Mapping[str, Any], sections: Sequence[str]) -> None:
    """Write a page of ``<section>`` elements atomically; title and facts as for `write_report`."""
    summary = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    inside = "\n".join(sections)
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(summary)}</p>\n<main>\n{inside}\n</main>\n"
        f"<script>{SLIDER}</script>\n</body>\n</html>\n"
    )
    write_file(path, page)


def _section(window: Window, unit: str) -> str:
    content, name = window.content, window.name
    if isinstance(content, Lines):
        kind, title, inside = "lines", name, line_chart(content.traces, unit) + _values(content, unit)
    elif isinstance(content, Images):
        url = data_url(image_grid(content.array, content.columns))
        kind, title, inside = "images", content.title, f'<img src="{url}" alt="{escape(content.title)}">'
    elif isinstance(content, Text):
        kind, title, inside = "text", name, content.html
    else:
        kind, title, inside = "frames", name, _slider(content)
    identity = f'class="{kind}" data-window="{escape(name)}"'
    return f"<section {identity}>\n<h2>{escape(title)}</h2>\n{inside}\n</section>"


def _values(content: Lines, unit: str) -> str:
    """Return the last 20 values of each line as a table that is folded at first."""
    tables = []
    for line, (xs, ys) in content.traces.items():
        rows = "".join(f"<tr><td>{x:g}</td><td>{y:.6g}</td></tr>" for x, y in list(zip(xs, ys))[-20:])
        tables.append(f"<table><tr><th>{escape(unit)}</th><th>{escape(line)}</th></tr>{rows}</table>")
    return f"<details><summary>last values</summary>{''.join(tables)}</details>"


def _slider(content: Frames) -> str:
    frames = [{"label": f.label, "src": data_url(f.array)} for f in content.frames]
    last = frames[-1]
    return (
        f'<img src="{last["src"]}" alt=""><div><output>{escape(last["label"])}</output></div>'
        f'<input type="range" min="0" max="{len(frames) - 1}" value="{len(frames) - 1}" step="1">'
        f'<script type="application/json">{json.dumps(frames).replace("<", chr(92) + "u003c")}</script>'
    )
