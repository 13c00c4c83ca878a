"""Sinks of training steps: what is told on the console, what is kept as JSON lines.

A sink is any callable of a ``Step`` that can be closed. It refuses to know models and data.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import folder
from minitorch import Step

EVERY = 10  # steps from one line of the log to the next
PATIENCE = 10.0  # seconds from one line of progress to the next, where no bar can be drawn

Record = dict[str, Any]


class Sink(Protocol):
    """Takes the record of each training step."""

    def __call__(self, step: Step) -> None:
        """Take one record."""

    def close(self) -> None:
        """Finish; nothing comes after it."""


@dataclass(frozen=True)
class Plan:
    """How much training lies ahead: epochs, images and batch size; ``start`` epochs are done already."""

    epochs: int
    images: int
    batch_size: int
    start: int = 0

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return -(-self.images // self.batch_size)

    def size(self, step: Step) -> int:
        """Return the number of images in the batch of ``step``."""
        return self.images - (self.steps - 1) * self.batch_size if step.last else self.batch_size


class Console:
    """Prints a line for each epoch, and one now and then for whoever waits.

    Args:
        plan: What lies ahead.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.began = self.spoke = time.perf_counter()
        self.compiled = 0
        self._reset()

    def _reset(self) -> None:
        self.epoch_began = time.perf_counter()
        self.seen, self.loss, self.hits = 0, 0.0, 0.0

    def __call__(self, step: Step) -> None:
        """Count, and speak when it is time."""
        size = self.plan.size(step)
        self.seen += size
        self.loss += step.loss * size
        self.hits += (step.accuracy or 0.0) * size
        now = time.perf_counter()
        if not self.compiled:
            self.first_batch(size, now)
        elif not step.last and now - self.spoke > PATIENCE:
            self.progress(step, now)
        if step.last:
            self.say(self._epoch_line(step, now - self.epoch_began))
            self._reset()

    def _epoch_line(self, step: Step, seconds: float) -> str:
        parts = [
            f"epoch {step.epoch:>{len(str(self.plan.epochs))}}/{self.plan.epochs}",
            f"loss {_loss(self.loss / self.seen)}",
            f"accuracy {self.hits / self.seen:.4f}",
        ]
        if step.valid_loss is not None and step.valid_accuracy is not None:
            parts.append(f"validation loss {_loss(step.valid_loss)}, accuracy {step.valid_accuracy:.4f}")
        parts.append(f"{seconds:.1f} s, {self.seen / seconds:,.0f} images/s")
        return "   ".join(parts)

    def first_batch(self, size: int, now: float) -> None:
        """Leave the first batch out of the rate: kernels are compiled, or read from the cache, while it runs."""
        if now - self.began > PATIENCE:
            self.say(f"kernels ready, first batch done after {now - self.began:.1f} s")
        self.began, self.compiled = now, size

    def progress(self, step: Step, now: float) -> None:
        """Print how far the run is, how fast, and when it will be done."""
        plan = self.plan
        done = (step.epoch - 1 - plan.start) * plan.images + self.seen
        pace = (done - self.compiled) / (now - self.began)
        left = ((plan.epochs - plan.start) * plan.images - done) / pace
        self.say(
            f"epoch {step.epoch}/{plan.epochs}   {self.seen:,} of {plan.images:,} images   "
            f"loss {_loss(step.loss)}   {pace:,.0f} images/s   {_clock(left)} left"
        )

    def say(self, line: str) -> None:
        """Print a line at once."""
        self.spoke = time.perf_counter()
        print(line, flush=True)

    def close(self) -> None:
        """Nothing is held open."""


class Bar(Console):
    """As `Console`, with a progress bar on the terminal instead of lines now and then."""

    def __init__(self, plan: Plan) -> None:
        from rich import progress
        from rich.console import Console as Terminal

        super().__init__(plan)
        columns = (
            progress.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            progress.BarColumn(bar_width=None),
            progress.TaskProgressColumn(),
            progress.TextColumn("loss {task.fields[loss]}"),
            progress.TextColumn("{task.fields[pace]} images/s"),
            progress.TimeRemainingColumn(),
        )
        # Lines of a stdout on the same terminal must go above the bar; others go where they were sent.
        self.bar = progress.Progress(
            *columns,
            console=Terminal(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self.task = self.bar.add_task(
            "training",
            total=(plan.epochs - plan.start) * plan.images,
            epoch=plan.start + 1,
            epochs=plan.epochs,
            loss="-",
            pace="-",
        )
        self.bar.start()

    def __call__(self, step: Step) -> None:
        """Move the bar."""
        pace = self.bar.tasks[0].speed
        self.bar.update(
            self.task,
            advance=self.plan.size(step),
            epoch=step.epoch,
            loss=_loss(step.loss),
            pace="-" if pace is None else f"{pace:,.0f}",
        )
        super().__call__(step)

    def first_batch(self, size: int, now: float) -> None:
        """Say nothing: the bar does."""
        self.compiled = size

    def progress(self, step: Step, now: float) -> None:
        """Say nothing: the bar does."""

    def close(self) -> None:
        """Take the bar away."""
        self.bar.stop()


def console(plan: Plan) -> Console:
    """Return a bar where there is a terminal (and rich) to draw it with, else plain lines."""
    if not sys.stderr.isatty():
        return Console(plan)
    try:
        return Bar(plan)
    except ImportError:
        return Console(plan)


class JsonLines:
    """Keeps every tenth step and each epoch's last, one JSON object a line, without times: equal runs, equal bytes.

    Args:
        path: The file.
        earlier: Lines that the file begins with, of the part of the run that is being resumed.
        rates: Whether learning rates are kept too.
    """

    def __init__(self, path: Path, earlier: list[Record], *, rates: bool = False) -> None:
        self.rates = rates
        folder.write(path, "".join(map(_line, earlier)))
        self.file = path.open("a", encoding="utf-8", newline="\n")

    def __call__(self, step: Step) -> None:
        """Log the step, if it is one to log."""
        if not step.last and step.step % EVERY:
            return
        record: Record = {
            "epoch": step.epoch,
            "step": step.step,
            "loss": step.loss,
            "accuracy": step.accuracy,
        }
        if self.rates:
            record |= {"lr": step.lr}
        if step.last:
            record |= {"valid_loss": step.valid_loss, "valid_accuracy": step.valid_accuracy}
        self.file.write(_line(record))
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def read_records(path: Path, until: float = math.inf) -> list[Record]:
    """Return the records of a log up to step ``until``; none if there is no file."""
    return [record for record in _records(path) if record["step"] <= until]


def _records(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # the last line of a run that was killed while it wrote
            return


def _line(record: Record) -> str:
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}
    return json.dumps(finite, allow_nan=False) + "\n"


def _loss(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:.1e}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
