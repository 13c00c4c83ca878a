"""Callbacks that print: a line per epoch, and a progress bar on a terminal.

Depends on the loop. The bar is drawn by rich, which is imported when a bar is made.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from .loop import Step

REPORT_SECONDS = 10.0  # from one line of progress to the next, where no bar is drawn


@dataclass(frozen=True)
class TrainingPlan:
    """How much training is to be done.

    Attributes:
        epochs: The last epoch, counted from 1.
        images: Images in an epoch.
        batch_size: Images in a batch; the last batch of an epoch may be smaller.
        start: Epochs that are done already.
    """

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


class ConsoleLogger:
    """Prints one line per epoch on stdout, and a line of progress every ten seconds.

    Args:
        plan: The training to be done.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        self.plan = plan
        self.start = self.last_report = time.perf_counter()
        self.first_size = 0
        self._reset()

    def _reset(self) -> None:
        self.epoch_start = time.perf_counter()
        self.seen, self.loss, self.hits = 0, 0.0, 0.0

    def __call__(self, step: Step) -> None:
        """Add the step to the sums, and print when it is time."""
        size = self.plan.size(step)
        self.seen += size
        self.loss += step.loss * size
        self.hits += (step.accuracy or 0.0) * size
        now = time.perf_counter()
        if not self.first_size:
            self.first_batch(size, now)
        elif not step.last and now - self.last_report > REPORT_SECONDS:
            self.progress(step, now)
        if step.last:
            self.report(self._epoch_line(step, now - self.epoch_start))
            self._reset()

    def _epoch_line(self, step: Step, seconds: float) -> str:
        parts = [
            f"epoch {step.epoch:>{len(str(self.plan.epochs))}}/{self.plan.epochs}",
            f"loss {_loss(self.loss / self.seen)}",
            *([] if step.accuracy is None else [f"accuracy {self.hits / self.seen:.4f}"]),
        ]
        if step.valid_loss is not None and step.valid_accuracy is not None:
            parts.append(f"validation loss {_loss(step.valid_loss)}, accuracy {step.valid_accuracy:.4f}")
        parts.append(f"{seconds:.1f} s, {self.seen / seconds:,.0f} images/s")
        return "   ".join(parts)

    def first_batch(self, size: int, now: float) -> None:
        """Leave the first batch out of the rate: kernels are compiled, or read from the cache, while it runs."""
        if now - self.start > REPORT_SECONDS:
            self.report(f"kernels ready, first batch done after {now - self.start:.1f} s")
        self.start, self.first_size = now, size

    def progress(self, step: Step, now: float) -> None:
        """Print how far the run is, its rate, and the time left."""
        plan = self.plan
        done = (step.epoch - 1 - plan.start) * plan.images + self.seen
        rate = (done - self.first_size) / (now - self.start)
        left = ((plan.epochs - plan.start) * plan.images - done) / rate
        self.report(
            f"epoch {step.epoch}/{plan.epochs}   {self.seen:,} of {plan.images:,} images   "
            f"loss {_loss(step.loss)}   {rate:,.0f} images/s   {_clock(left)} left"
        )

    def report(self, line: str) -> None:
        """Print a line at once."""
        self.last_report = time.perf_counter()
        print(line, flush=True)

    def close(self) -> None:
        """Do nothing: no file is open."""


class ProgressBar(ConsoleLogger):
    """As `ConsoleLogger`, with a progress bar on stderr in place of the lines of progress. Needs rich."""

    def __init__(self, plan: TrainingPlan) -> None:
        from rich import progress
        from rich.console import Console

        super().__init__(plan)
        columns = (
            progress.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            progress.BarColumn(bar_width=None),
            progress.TaskProgressColumn(),
            progress.TextColumn("loss {task.fields[loss]}"),
            progress.TextColumn("{task.fields[rate]} images/s"),
            progress.TimeRemainingColumn(),
        )
        # A stdout on the same terminal must print above the bar; any other stdout stays where it was sent.
        self.bar = progress.Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self.task = self.bar.add_task(
            "training",
            total=(plan.epochs - plan.start) * plan.images,
            epoch=plan.start + 1,
            epochs=plan.epochs,
            loss="-",
            rate="-",
        )
        self.bar.start()

    def __call__(self, step: Step) -> None:
        """Advance the bar."""
        rate = self.bar.tasks[0].speed
        self.bar.update(
            self.task,
            advance=self.plan.size(step),
            epoch=step.epoch,
            loss=_loss(step.loss),
            rate="-" if rate is None else f"{rate:,.0f}",
        )
        super().__call__(step)

    def first_batch(self, size: int, now: float) -> None:
        """Print nothing: the bar shows it."""
        self.first_size = size

    def progress(self, step: Step, now: float) -> None:
        """Print nothing: the bar shows it."""

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()


def console_logger(plan: TrainingPlan) -> ConsoleLogger:
    """Return a `ProgressBar` if stderr is a terminal and rich is installed, else a `ConsoleLogger`."""
    if not sys.stderr.isatty():
        return ConsoleLogger(plan)
    try:
        return ProgressBar(plan)
    except ImportError:
        return ConsoleLogger(plan)


def _loss(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:.1e}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
