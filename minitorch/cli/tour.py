"""Shows in a few seconds what minitorch does: derivatives, training, digits, and where to go next.

    minitorch tour
    python -m minitorch

Everything is computed by the reference backend, on data of the package: nothing is compiled and nothing is downloaded.
The text has at most 80 columns. Colours are used on a terminal only, and never where NO_COLOR is set.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autodiff import Variable, no_grad
from ..dashboard.graph import derivatives
from ..data.image_sets import digits
from ..datasets import xor
from ..nn.containers import Sequential
from ..nn.linear import Linear
from ..nn.losses import cross_entropy
from ..optim.algorithms import Adam
from ..runtime.rng import manual_seed
from ..runtime.signals import describe
from ..scalar import Scalar
from ..tensor import Tensor, tensor
from ..tensor_data import get_default_dtype, set_default_dtype
from ..tensor_ops.backend import get_default_backend, set_default_backend
from ..train.loop import fit
from .common import Parser, notice

COLUMNS = 80
POINTS, HIDDEN, EPOCHS = 40, 6, 40  # of the set in the plane
WIDTH, HEIGHT = 52, 13  # of the drawing of the plane, in characters
BATCH, BATCHES, TESTED, SHOWN = 40, 12, 100, 4  # of the digits
SHADES = " .:+#@"
NEXT = (
    ("the minitorch course", "minitorch course new 0 hw0", "docs/course.md"),
    ("the CS231n-style assignment", "minitorch sanity", "docs/from_cs231n.md"),
    ("the PyNet homework", "minitorch gradcheck", "docs/architecture.md"),
    ("the CIFAR-10 study", "minitorch study --help", "docs/augmentation.md"),
    ("scripts for PyTorch", "python -m minitorch.torch", "docs/from_pytorch.md"),
)


class Style:
    """Bold and coloured text, or the text as it is where output is no terminal of at least 80 columns."""

    def __init__(self) -> None:
        wide = shutil.get_terminal_size((COLUMNS, 24)).columns >= COLUMNS
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self.used = sys.stdout.isatty() and wide and not plain

    def __call__(self, text: str, code: str) -> str:
        """Return ``text`` in the style of an ANSI code: "1" bold, "34" blue, "33" yellow."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.used else text


def tree(result: Variable) -> Iterator[str]:
    """Draw the graph of a Scalar as lines: each value below the call that used it, with its derivative."""
    slopes = derivatives(result)

    def draw(variable: Any, before: str, joint: str, after: str) -> Iterator[str]:
        name = variable.name or variable.history.last_fn.__name__
        head = f"{before}{joint}{name}"
        yield f"{head:22} value {variable.data:6.2f}   derivative {slopes[id(variable)]:6.2f}"
        parents = list(variable.parents)
        for k, parent in enumerate(parents):
            last = k == len(parents) - 1
            yield from draw(parent, before + after, "`-- " if last else "|-- ", "    " if last else "|   ")

    return draw(result, "  ", "", "")


def derivative_part() -> Iterator[str]:
    """Show the derivatives of a small expression."""
    a, b, c = (Scalar(value, name=name) for name, value in (("a", 2.0), ("b", -1.0), ("c", 3.0)))
    yield "y = (a * b + c).relu(): minitorch records the calls, and goes back through them."
    yield from tree((a * b + c).relu())


def plane(model: Sequential, points: Any, style: Style) -> Iterator[str]:
    """Draw what a network says about the unit square: "." for class 0, ":" for class 1, the points as o and x."""
    across = (np.arange(WIDTH) + 0.5) / WIDTH
    down = 1 - (np.arange(HEIGHT) + 0.5) / HEIGHT
    grid = np.stack(np.meshgrid(across, down), -1).reshape(-1, 2)
    with no_grad():
        classes = model(tensor(grid)).to_numpy().argmax(1).reshape(HEIGHT, WIDTH)
    marks = np.where(classes == 1, ":", ".")
    for (x, y), label in zip(points.X, points.y):
        row, column = min(int((1 - y) * HEIGHT), HEIGHT - 1), min(int(x * WIDTH), WIDTH - 1)
        marks[row, column] = "x" if label else "o"
    codes = {".": "2", ":": "34", "o": "1", "x": "1;34"}
    for line in marks:
        yield "  " + "".join(style(mark, codes[mark]) for mark in line)


def training_part(style: Style) -> Iterator[str]:
    """Train a network on points in the plane, and draw its decision boundary."""
    points = xor(POINTS)
    model = Sequential(Linear(2, HIDDEN), Tensor.relu, Linear(HIDDEN, 2))
    yield f"{POINTS} points of two classes; a network of {HIDDEN} hidden units learns them by Adam:"
    steps = fit(model, [(points.X, points.y)], Adam(model.parameters(), lr=0.15), epochs=EPOCHS)
    for step in steps:
        if step.step % (EPOCHS // 4) == 0:
            yield f"  step {step.step:3}: loss {step.loss:.3f}, accuracy {step.accuracy:.2f}"
    yield "What it says about the plane now (. o class 0, : x class 1):"
    yield from plane(model, points, style)


def pictures(images: Any, captions: Sequence[str]) -> Iterator[str]:
    """Draw pictures (N, 8, 8) with values 0..16 side by side, each above its caption."""
    shades = np.array(list(SHADES))[(images * (len(SHADES) - 1) + 8) // 16]
    for row in shades.transpose(1, 0, 2):
        yield "  " + "  ".join("".join(np.repeat(line, 2)) for line in row).rstrip()
    yield "  " + "  ".join(f"{caption:16}" for caption in captions).rstrip()


def digits_part() -> Iterator[str]:
    """Train a linear classifier on digits, and show what it says about some that it has not seen."""
    train, test = digits()
    size = train.images[0].size
    x = [np.asarray(part.images, float).reshape(-1, size) / 16 for part in (train, test)]
    model = Linear(size, 10)
    optimizer = Adam(model.parameters(), lr=0.05)
    for k in range(BATCHES):
        part = slice(k * BATCH, (k + 1) * BATCH)
        optimizer.zero_grad()
        cross_entropy(model(tensor(x[0][part])), train.labels[part]).backward()
        optimizer.step()
    with no_grad():
        found = model(tensor(x[1][:TESTED])).to_numpy().argmax(1)
    right = (found == test.labels[:TESTED]).mean()
    yield f"{BATCHES} steps on {BATCH} handwritten digits each; {right:.0%} of {TESTED} others are right:"
    captions = [f"{n} (is {label})" for n, label in zip(found, test.labels)]
    yield from pictures(test.images[:SHOWN, 0].astype(int), captions[:SHOWN])


def next_part() -> Iterator[str]:
    """Say where to go next."""
    for who, command, page in NEXT:
        yield f"  {who + ':':29}{command:28}{page}"
    yield "  all commands: minitorch --help"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    Parser(__doc__).parse_args(arguments)
    begin, style = time.perf_counter(), Style()
    before = get_default_backend(), get_default_dtype()
    set_default_backend("simple")
    set_default_dtype("float32")
    manual_seed(0)
    parts = {
        "Derivatives": derivative_part(),
        "Training": training_part(style),
        "Digits": digits_part(),
        "Where to go next": next_part(),
    }
    try:
        print("minitorch: a tour of a few seconds. Nothing is compiled, nothing is downloaded.")
        for number, (title, lines) in enumerate(parts.items(), 1):
            print(f"\n{style(f'{number}. {title}', '1')}", flush=True)
            for line in lines:
                print(line, flush=True)
        print(f"\n{time.perf_counter() - begin:.1f} seconds")
    except KeyboardInterrupt as stop:
        notice(f"minitorch tour: stopped by {describe(stop)}")
        raise
    finally:
        set_default_backend(before[0])
        set_default_dtype(before[1])
