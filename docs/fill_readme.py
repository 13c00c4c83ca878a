"""Fills the tables of README.md and of pages of the documentation from JSON and TOML, never by hand.

Input: ``docs/results/`` (from ``scripts/make_results.py`` and ``scripts/make_reliability.py``) and
``benchmarks/results/`` (from ``make bench``); ``minitorch/course/tasks.toml``.
Output: the text between ``<!-- name -->`` and ``<!-- /name -->`` on each page. A second run changes nothing.
It depends on the standard library only.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
BENCHMARKS = ROOT / "benchmarks" / "results"
RELIABILITY = RESULTS / "reliability.json"
TASKS = ROOT / "minitorch" / "course" / "tasks.toml"

# The rows of README.md, by the name of the file in docs/results.
README_RUNS = ("lenet-mnist", "cnn-mnist", "lenet-fashion", "lenet-digits", "resnet-cifar10")
README_SPEED = ("step", "minitorch ms", "PyTorch ms", "ratio")
README_STEP = "CIFAR net, batch 128"  # the row of README.md
TITLES = {
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    "digits": "UCI digits (bundled)",
    "cifar10": "CIFAR-10",
}
NETWORKS = {"lenet": "LeNet", "cnn": "CNN", "resnet": "residual network", "convnet": "ConvNet"}

# The figures below each table of docs/results.md: file and caption.
FIGURES = {
    "images": {
        "lenet-mnist-loss": "Loss of LeNet on MNIST",
        "lenet-mnist-mid_images": "LeNet: output of the first convolution, 4 channels",
        "lenet-mnist-out_images": "LeNet: output of the second convolution, 8 channels",
    },
    "cifar": {"resnet-cifar10-accuracy": "Accuracy of the residual network on CIFAR-10"},
    "toys": {"fast_tensor": "Decision boundaries of the fast trainer's networks on the six point sets"},
}

# Benchmarks by name; the older name of a result file is read where the newer file does not exist yet.
TABLES = (
    "training_step",
    "torch_module",
    "compiled_frameworks",
    "mnist",
    "startup",
    "ablation",
    "oversubscription",
    "operations",
    "photographs",
    # Kept from another kind of machine, by the commit that they name.
    "training_step_avx2",
    "photographs_avx2",
)


def table(names: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def text_of(value: Any) -> str:
    """Return a value of a result file as the text of a table entry."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def readme_results() -> str:
    """Return the small table of trained networks."""
    rows = []
    for name in README_RUNS:
        run = load(RESULTS / f"{name}.json")
        data, network = TITLES[run["dataset"]], NETWORKS[run["model"]]
        rows.append(
            [data, network, str(run["epochs"]), f"{run['test_accuracy']:.4f}", f"{run['seconds']:.0f}"]
        )
    return table(["data set", "network", "epochs", "test accuracy", "seconds"], rows)


def results(name: str) -> str:
    """Return a table of commands and results, with its figures."""
    figures = [f"![{caption}](results/{file}.png)" for file, caption in FIGURES[name].items()]
    return "\n\n".join([(RESULTS / f"{name}.md").read_text(encoding="utf-8").strip(), *figures])


def start() -> str:
    """Return how long the first training step takes, with and without kernels in the cache."""
    seconds = {row["what"].split(":")[0]: row["value"] for row in load(BENCHMARKS / "startup.json")["rows"]}
    return (
        f"The kernels are compiled at the first use and kept on the disk: {seconds['cold']:.0f} s to the end of the "
        f"first training step, then {seconds['warm']:.1f} s (`benchmarks/startup.py`)."
    )


def benchmark(name: str, columns: tuple[str, ...] = (), step: str | None = None) -> str:
    """Return the table of a benchmark and the machine that it was read on: all of it, or chosen columns of one step."""
    found = load(BENCHMARKS / f"{name}.json")
    m = found["machine"]
    heads = columns or tuple(found["rows"][0])
    rows = [
        [text_of(row[head]) for head in heads] for row in found["rows"] if step in (None, row.get("step"))
    ]
    jax = f", JAX {m['jax']}" if "jax" in m and not columns else ""
    script, _, kept = name.partition("_avx")
    commit = f", commit {m['commit']}" if kept else ""
    machine = (
        f"{m['date']}, {m['cores']} cores ({m['cpu']}), Python {m['python']}, NumPy {m['numpy']}, "
        f"Numba {m['numba']}, PyTorch {m['torch']}{jax}; `benchmarks/{script}.py`{commit}"
    )
    return f"{table([text_of(head) for head in heads], rows)}\n\n{machine}"


def reliability() -> dict[str, str]:
    """Return the tables of the experiments with faults: one row for each, and one for each of its parts."""
    rows, parts, notes = [], [], []
    for name, found in load(RELIABILITY).items():
        held = f"{found['held']:,} of {found['tried']:,}"
        rows.append([f"`{name}`", found["title"], found["promise"], f"{found['tried']:,}", held])
        parts += [[f"`{name}`", part, str(n), str(good)] for part, (n, good) in found["parts"].items()]
        notes += [f"- `{name}`: {note}." for note in found["notes"]]
        notes += [f"- `{name}` did not hold: {failure}" for failure in found["failures"]]
    heads = ["experiment", "what is done", "what must hold", "tried", "held"]
    found = list(load(RELIABILITY).values())
    made = sorted({f"{run['date']}, {run['system']}" for run in found})
    lines = "\n".join([*notes, "", f"Made on {'; '.join(made)}."])
    return {
        "faults": table(heads, rows),
        "parts": f"{table(['experiment', 'part', 'tried', 'held'], parts)}\n\n{lines}",
    }


def course() -> str:
    """Return the table of the course's tasks."""
    rows = []
    for task in tomllib.loads(TASKS.read_text(encoding="utf-8"))["task"]:
        files = ", ".join(f"`{entry.split(':')[0]}`" for entry in task["functions"])
        subject = f"[{task['title']}]({task['page']})"
        rows.append([task["name"], subject, files, ", ".join(task["needs"]) or "-"])
    return table(["task", "guide", "files", "builds on"], rows)


def counts() -> str:
    """Return how much the guides hold, beside the public site of the course."""
    pages = sorted((ROOT / "docs" / "guide").glob("*.md"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    figures = len(list((ROOT / "docs" / "images" / "guide").glob("*.svg")))
    exercises = text.count("<summary>Answer</summary>")
    blocks = text.count("```python\n")
    rows = [
        ["guides", str(len(pages)), "23"],
        ["figures", str(figures), "139"],
        ["exercises with answers", str(exercises), "not counted"],
        ["pieces of code that the tests run", str(blocks), "not counted"],
    ]
    return table(["", "here", "the public course site"], rows)


def guides() -> None:
    """Fill the section on the task in the guides, which is what the student's folder says of it."""
    for task in tomllib.loads(TASKS.read_text(encoding="utf-8"))["task"]:
        lines = []
        for entry in task["functions"]:
            file, names = entry.split(":")
            lines.append(f"- `{file}`: " + ", ".join(f"`{name}`" for name in names.split()))
        hints = [f"- {hint}" for hint in task["hints"]]
        parts = [
            task["guide"].strip(),
            "\n".join(lines),
            f"Tests: `pytest -m task{task['name'].replace('.', '_')}`. "
            f"Reference solution: `minitorch course fill {task['name']}`.",
            "\n".join(['<details markdown="1"><summary>Hints</summary>', "", *hints, "", "</details>"]),
        ]
        fill(ROOT / "docs" / task["page"], {f"task {task['name']}": "\n\n".join(parts)})


def fill(page: Path, parts: dict[str, str]) -> None:
    """Replace the text between the markers of a page.

    Raises:
        ValueError: The page has no markers of this name.
    """
    text = page.read_text(encoding="utf-8")
    for name, content in parts.items():
        pattern = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
        filled = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
        text, count = pattern.subn(lambda _, filled=filled: filled, text)
        if count != 1:
            raise ValueError(f"{page.name}: expected one pair of markers <!-- {name} -->, got {count}")
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Fill the pages."""
    speed = benchmark("training_step", README_SPEED, README_STEP)
    fill(ROOT / "README.md", {"start": start(), "results": readme_results(), "speed": speed})
    fill(ROOT / "docs" / "results.md", {name: results(name) for name in FIGURES})
    fill(ROOT / "docs" / "performance.md", {name: benchmark(name) for name in TABLES})
    fill(ROOT / "docs" / "reliability.md", reliability())
    fill(ROOT / "docs" / "course.md", {"tasks": course(), "counts": counts()})
    guides()


if __name__ == "__main__":
    main()
