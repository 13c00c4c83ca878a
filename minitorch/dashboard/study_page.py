"""The page of a study: runs that differ by augmentation and seed, in one self-contained HTML file.

A table of means and spreads, curves of training and validation, the gap between them, the confusion matrix of the best
run. Depends on `html` and `svg` beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..train.run_dir import Record
from .html import write_page
from .svg import Trace, confusion, line_chart


@dataclass(frozen=True)
class Run:
    """One run of a study.

    Attributes:
        augment: Its augmentations.
        seed: Its seed.
        train_accuracy: Accuracy of the best weights on training images without augmentation.
        valid_accuracy: Accuracy of the best weights on the validation images.
        test_accuracy: The same on the test images.
        best_epoch: The epoch of the best weights.
        records: The log of the run.
        confusion: Counts (classes, classes) on the test images; rows are true classes.
        classes: Names of the classes.
    """

    augment: str
    seed: int
    train_accuracy: float
    valid_accuracy: float
    test_accuracy: float
    best_epoch: int
    records: Sequence[Record]
    confusion: npt.NDArray[np.int64]
    classes: Sequence[str]

    @property
    def gap(self) -> float:
        """The generalisation gap: training accuracy without augmentation less validation accuracy."""
        return self.train_accuracy - self.valid_accuracy


COLUMNS: dict[str, Callable[[Run], float]] = {
    "training": lambda run: run.train_accuracy,
    "validation": lambda run: run.valid_accuracy,
    "gap": lambda run: run.gap,
    "test": lambda run: run.test_accuracy,
    "best epoch": lambda run: float(run.best_epoch),
}


def write_study(path: Path, title: str, runs: Sequence[Run], facts: Mapping[str, Any]) -> None:
    """Write the page atomically.

    Args:
        path: The file.
        title: The heading of the page.
        runs: At least one.
        facts: Names and values in one line below the heading; None values are left out.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.augment, []).append(run)
    best = max(runs, key=lambda run: run.valid_accuracy)
    parts = [
        ("Accuracy of the best weights: mean ± standard deviation over seeds", summary(groups)),
        ("All runs", details(runs)),
        *((title_, line_chart(lines, "epoch")) for title_, lines in charts(groups).items() if lines),
        (
            f"Confusion matrix of the run with the best validation accuracy: {best.augment}, seed {best.seed}",
            confusion(best.confusion, best.classes, f"test accuracy {best.test_accuracy:.4f}"),
        ),
    ]
    sections = [
        f'<section class="text">\n<h2>{escape(head)}</h2>\n{body}\n</section>' for head, body in parts
    ]
    write_page(path, title, facts, sections)


def summary(groups: Mapping[str, Sequence[Run]]) -> str:
    """Return the table of means and standard deviations, one row for each augmentation."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("augmentation", "runs", *COLUMNS))
    rows = []
    for name, runs in groups.items():
        values = {column: np.array([read(run) for run in runs]) for column, read in COLUMNS.items()}
        digits = {column: 1 if column == "best epoch" else 4 for column in COLUMNS}
        texts = [f"{v.mean():.{digits[c]}f} ± {v.std():.{digits[c]}f}" for c, v in values.items()]
        rows.append(_row([name, str(len(runs)), *texts]))
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def details(runs: Sequence[Run]) -> str:
    """Return the table of all runs, folded at first."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("augmentation", "seed", *COLUMNS))
    rows = [
        _row([run.augment, str(run.seed), *(f"{read(run):.4g}" for read in COLUMNS.values())]) for run in runs
    ]
    return (
        f"<details><summary>{len(runs)} runs</summary><table><tr>{head}</tr>{''.join(rows)}</table></details>"
    )


def _row(texts: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in texts)}</tr>"


def charts(groups: Mapping[str, Sequence[Run]]) -> dict[str, dict[str, Trace]]:
    """Return the lines of each chart: means over the seeds at each epoch, one line for each augmentation."""
    found: dict[str, dict[str, Trace]] = {}
    for title, key in (("loss", "loss"), ("accuracy", "accuracy")):
        training = {
            name: _mean([by_epoch(run.records, key) for run in runs]) for name, runs in groups.items()
        }
        checked = {
            name: _mean([by_epoch(run.records, f"valid_{key}") for run in runs])
            for name, runs in groups.items()
        }
        found[f"Training {title} (augmented batches, mean of each epoch)"] = _drawn(training)
        found[f"Validation {title}"] = _drawn(checked)
        found[
            f"Gap of {title}: {'training - validation' if key == 'accuracy' else 'validation - training'}"
        ] = _drawn(
            {name: _gap(training[name], checked[name], 1 if key == "accuracy" else -1) for name in groups}
        )
    return found


def by_epoch(records: Sequence[Record], key: str) -> dict[int, float]:
    """Return the mean of a value over the records of each epoch that have it."""
    values: dict[int, list[float]] = {}
    for record in records:
        if record.get(key) is not None:
            values.setdefault(record["epoch"], []).append(record[key])
    return {epoch: float(np.mean(found)) for epoch, found in values.items()}


def _mean(runs: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Return the mean over runs at the epochs that all of them have."""
    epochs = sorted(set.intersection(*(set(run) for run in runs)))
    return {epoch: float(np.mean([run[epoch] for run in runs])) for epoch in epochs}


def _gap(first: Mapping[int, float], second: Mapping[int, float], sign: int) -> dict[int, float]:
    return {epoch: sign * (first[epoch] - second[epoch]) for epoch in first if epoch in second}


def _drawn(lines: Mapping[str, Mapping[int, float]]) -> dict[str, Trace]:
    return {name: (list(values), list(values.values())) for name, values in lines.items() if values}
