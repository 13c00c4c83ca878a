"""Puts the results that the scripts wrote into README.md: no number there is typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
BENCHMARKS = ROOT / "benchmarks" / "results"


def table(names: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def toys() -> str:
    """Return the table of the toy sets."""
    rows = []
    for path in sorted(RESULTS.glob("toy_*.json")):
        r = load(path)
        figure = path.with_suffix(".png").relative_to(ROOT)
        rows.append(
            [
                r["dataset"],
                f"`{r['command']}`",
                str(r["epochs"]),
                f"{r['accuracy']:.2f}",
                f"{r['seconds']:.0f} s",
                f"[boundary]({figure})",
            ]
        )
    return table(["set", "command", "epochs", "accuracy", "time", "figure"], rows)


def images() -> str:
    """Return the table of the image sets."""
    rows = []
    for path in sorted(RESULTS.glob("images_*.json")):
        r = load(path)
        rows.append(
            [
                r["dataset"],
                r["model"],
                f"`{r['command']}`",
                str(r["epochs"]),
                f"{r['test_accuracy']:.4f}",
                f"{r['seconds']:.0f} s",
            ]
        )
    return table(["set", "model", "command", "epochs", "test accuracy", "time"], rows)


def speed() -> str:
    """Return the tables of the benchmarks that a reader asks about first."""
    parts = []
    for name in ("training_step", "mnist", "startup"):
        path = BENCHMARKS / f"{name}.json"
        if not path.exists():
            continue
        found = load(path)
        m = found["machine"]
        head = list(found["rows"][0])
        rows = [
            [f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in found["rows"]
        ]
        where = (
            f"{m['date']}, {m['cores']} cores ({m['cpu']}), Python {m['python']}, NumPy {m['numpy']}, "
            f"Numba {m['numba']}, PyTorch {m['torch']}; `benchmarks/{name}.py`"
        )
        parts.append(f"{table(head, rows)}\n\n{where}")
    return "\n\n".join(parts)


def main() -> None:
    """Fill the marked parts of README.md."""
    page = ROOT / "README.md"
    text = page.read_text()
    for mark, content in (("results", f"{images()}\n\n{toys()}"), ("speed", speed())):
        pattern = rf"<!-- {mark} -->.*?<!-- /{mark} -->"
        filled = f"<!-- {mark} -->\n{content}\n<!-- /{mark} -->"
        text = re.sub(pattern, lambda _, filled=filled: filled, text, flags=re.DOTALL)
    page.write_text(text)


if __name__ == "__main__":
    main()
