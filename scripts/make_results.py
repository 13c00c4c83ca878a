"""Runs the course's scripts with good settings, and writes to docs/results: numbers, figures, a table.

python scripts/make_results.py            # the toy sets, with all three trainers: about four minutes
python scripts/make_results.py images     # MNIST, Fashion-MNIST and the digits: a minute or two
python scripts/make_results.py cifar      # the residual network on CIFAR-10: half an hour on two cores
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.cli.common import Parser, UsageError, notice, run_command
from minitorch.train.run_dir import write_file, write_json
from minitorch.vision.io import grid, read_image, save_image
from minitorch.vision.transforms import Resize

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
RUNS = ROOT / "runs" / "results"

# Hidden units, rate, epochs. A network of Scalars that is large enough for the spiral would take an hour.
SCALAR = {
    "simple": (4, 0.25, 200),
    "diag": (4, 0.5, 200),
    "split": (6, 0.5, 1000),
    "xor": (6, 0.5, 500),
    "circle": (6, 0.25, 400),
    "spiral": (12, 0.5, 200),
}
TENSOR = {
    "simple": (10, 0.25, 200),
    "diag": (10, 0.25, 200),
    "split": (10, 0.25, 1000),
    "xor": (10, 0.25, 500),
    "circle": (10, 0.25, 700),
    "spiral": (25, 0.5, 2000),
}
FAST = {
    "simple": (10, 0.1, 200),
    "diag": (10, 0.1, 200),
    "split": (10, 0.1, 600),
    "xor": (10, 0.1, 300),
    "circle": (10, 0.1, 600),
    "spiral": (30, 0.1, 1500),
}
TOYS = {"run_tensor.py": TENSOR, "run_scalar.py": SCALAR, "run_fast_tensor.py": FAST}  # slow ones first
CHANNELS = ("val_images", "mid_images", "out_images")
IMAGES = (("mnist", "lenet"), ("mnist", "cnn"), ("fashion", "lenet"), ("digits", "lenet"))

CIFAR = (
    *("--model", "resnet", "--optimizer", "sgd", "--lr", "0.1", "--schedule", "onecycle"),
    *("--weight-decay", "0.0005", "--label-smoothing", "0.1", "--cutout", "8"),
)
PICTURES = {
    "images": ("loss", "confusion", "mistakes"),
    "cifar": ("loss", "accuracy", "confusion", "mistakes", "filters", "val_images"),
}

Command = tuple[str, ...]


def toy_commands() -> dict[str, Command]:
    """Return the command of each toy run, by name."""
    commands: dict[str, Command] = {}
    for script, settings in TOYS.items():
        for name, (hidden, rate, epochs) in reversed(settings.items()):
            flags = ("--DATASET", name, "--HIDDEN", str(hidden), "--RATE", str(rate), "--EPOCHS", str(epochs))
            commands[f"{script.removeprefix('run_').removesuffix('.py')}-{name}"] = (script, *flags)
    return commands


def image_commands() -> dict[str, Command]:
    """Return the command of each image run, by name."""
    commands: dict[str, Command] = {}
    for dataset, model in IMAGES:
        commands[f"{model}-{dataset}"] = ("run_mnist_multiclass.py", "--dataset", dataset, "--model", model)
    return commands


def cifar_commands() -> dict[str, Command]:
    """Return the commands of the runs on CIFAR-10, by name."""
    return {"resnet-cifar10": ("run_cifar10.py", *CIFAR), "convnet-cifar10": ("run_cifar10.py",)}


def run(name: str, command: Command, keep: bool) -> dict[str, Any]:
    """Run a command (with ``keep``: use its earlier results) and return its results, with the command itself.

    Raises:
        UsageError: It failed; the message is its own.
    """
    folder = RUNS / name
    script, *flags = command
    words = [sys.executable, str(ROOT / "project" / script), *flags, "--out", str(folder)]
    if not (keep and (folder / "results.json").exists()):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"{' '.join(command)}: {done.stderr.strip()}")
    record: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    record["command"] = f"python project/{' '.join(command)}"
    write_json(RESULTS / f"{name}.json", record)
    notice(f"{name}: {accuracy(record):.4f} in {record['seconds']:.1f} s")
    return record


def accuracy(record: dict[str, Any]) -> float:
    """Return the accuracy in a result: of a toy on its points, of a network for images on the test images."""
    return float(record["accuracy"] if "accuracy" in record else record["test_accuracy"])


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return results as a table in Markdown."""
    lines = ["| command | accuracy | seconds |", "|---|---|---|"]
    lines += [f"| `{r['command']}` | {accuracy(r):.4f} | {r['seconds']:.0f} |" for r in records]
    return "\n".join(lines) + "\n"


def gather(names: Sequence[str], picture: str, target: Path, size: int, columns: int) -> None:
    """Lay out the same figure of several runs in a grid, each ``size`` pixels high."""
    shrink = Resize(size)
    images = [shrink(read_image(RUNS / name / picture)) for name in names]
    save_image(grid(np.stack(images), nrow=columns, padding=0), target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = Parser(__doc__)
    parser.add_argument("what", nargs="?", choices=("toys", *PICTURES), default="toys", help="default: toys")
    parser.add_argument("--keep", action="store_true", help="gather what earlier runs left in runs/results")
    args = parser.parse_args(arguments)
    what = args.what
    made = {"toys": toy_commands, "images": image_commands, "cifar": cifar_commands}
    commands = made[what]()
    # Toys have no use for a second core; images use all there are.
    with ThreadPoolExecutor(2 if what == "toys" else 1) as pool:
        records = dict(zip(commands, pool.map(run, commands, commands.values(), repeat(args.keep))))
    ordered = [records[name] for name in sorted(records)]
    write_file(RESULTS / f"{what}.md", table(ordered))
    if what == "toys":
        for script in ("scalar", "tensor", "fast_tensor"):
            names = [f"{script}-{name}" for name in SCALAR]
            gather(names, "boundary.png", RESULTS / f"{script}.png", 330, 3)
    else:
        for name in records:
            for picture in (*PICTURES[what], *(CHANNELS if name == "lenet-mnist" else ())):
                source = RUNS / name / "panels" / f"{picture}.png"
                write_file(RESULTS / f"{name}-{picture}.png", source.read_bytes())
    print(table(ordered), end="")


if __name__ == "__main__":
    sys.exit(run_command(main))
