"""Puts the results that the scripts wrote into README.md and performance.md: no number there is typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
BENCHMARKS = ROOT / "benchmarks" / "results"
FIGURES = {
    "images": {"lenet-mnist-loss": "Loss of LeNet on MNIST"},
    "cifar": {"resnet-cifar10-accuracy": "Accuracy of the residual network on CIFAR-10"},
    "toys": {"fast_tensor": "What the fast trainer's networks learned on the six sets"},
}


def table(names: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def results() -> str:
    """Return the tables that project/make_results.py wrote, each with its figures."""
    parts = []
    for name, figures in FIGURES.items():
        path = RESULTS / f"{name}.md"
        if path.exists():
            parts.append(path.read_text().strip())
            parts += [f"![{text}](docs/results/{figure}.png)" for figure, text in figures.items()]
    return "\n\n".join(parts)


def benchmark(name: str) -> str:
    """Return the table of a benchmark, and what it was read on."""
    found = load(BENCHMARKS / f"{name}.json")
    m = found["machine"]
    head = list(found["rows"][0])
    rows = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in found["rows"]]
    jax = f", JAX {m['jax']}" if "jax" in m else ""
    where = (
        f"{m['date']}, {m['cores']} cores ({m['cpu']}), Python {m['python']}, NumPy {m['numpy']}, "
        f"Numba {m['numba']}, PyTorch {m['torch']}{jax}; `benchmarks/{name}.py`"
    )
    return f"{table(head, rows)}\n\n{where}"


def speed() -> str:
    """Return the tables of the benchmarks that a reader asks about first."""
    return "\n\n".join(map(benchmark, ("training_step", "mnist", "startup")))


def fill(page: Path, parts: dict[str, str]) -> None:
    """Fill the marked parts of a page."""
    text = page.read_text()
    for mark, content in parts.items():
        pattern = rf"<!-- {mark} -->.*?<!-- /{mark} -->"
        filled = f"<!-- {mark} -->\n{content}\n<!-- /{mark} -->"
        text = re.sub(pattern, lambda _, filled=filled: filled, text, flags=re.DOTALL)
    page.write_text(text)


def main() -> None:
    """Fill README.md and docs/performance.md."""
    fill(ROOT / "README.md", {"results": results(), "speed": speed()})
    names = ("training_step", "peers", "ablation", "crowded", "operations")
    fill(ROOT / "docs" / "performance.md", {name: benchmark(name) for name in names})


if __name__ == "__main__":
    main()
