"""Shows the training of a network for images: lines, held-out images, hidden channels, mistakes, the graph.

It refuses to know where it is shown, and what special panels a network has.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import charts
import graph_svg
import minitorch
from board import Logger
from minitorch import Step
from minitorch.data import DataLoader, Dataset
from sinks import EVERY, Plan, Record

Array = npt.NDArray[Any]
Show = Callable[
    [Logger, Any, str], None
]  # of a logger, the model that has just seen the images, and when that was

SHOWN = 16  # held-out images in the pictures
LOOK = 50  # batches from one picture to the next
CHECKED = 200  # held-out images whose mistakes are shown after an epoch
WORST = 24


def show_records(logger: Logger, records: Sequence[Record]) -> None:
    """Draw the lines of a log."""
    for record in records:
        for name in ("loss", "accuracy", "lr"):
            value = record.get(name, math.nan)
            if name in record and not (name == "accuracy" and value is None):
                line = "learning rate" if name == "lr" else "train"
                logger.scalar(name, line, record["step"], math.nan if value is None else value)
        for name in ("loss", "accuracy"):
            if record.get(f"valid_{name}") is not None:
                logger.scalar(name, "validation", record["step"], record[f"valid_{name}"])


class Watch:
    """A sink that shows each step that is logged, pictures every 50 batches, and mistakes after each epoch.

    Nothing of it changes the run: the model looks at held-out images without dropout and without a graph.

    Args:
        logger: Where it is shown.
        model: What is trained.
        plan: What lies ahead.
        valid: Held-out images.
        normalize: Makes the model's input of them.
        show: Shows what is special to this model, if anything is.
    """

    def __init__(
        self,
        logger: Logger,
        model: Any,
        plan: Plan,
        valid: Dataset,
        normalize: Callable[[Array], Array],
        show: Show | None = None,
    ) -> None:
        self.logger, self.model, self.plan, self.show = logger, model, plan, show
        self.shown = valid.subset(range(min(SHOWN, len(valid))))
        self.batch = [(normalize(self.shown.images), self.shown.labels)]
        self.checked = valid.subset(range(min(CHECKED, len(valid))))
        self.loader = DataLoader(self.checked, 500, transform=normalize, seed=0)
        self.looked = False
        self.clock: float | None = None
        self.seen, self.seconds = 0, 0.0

    def begin(self, settings: Mapping[str, Any], records: Sequence[Record]) -> None:
        """Show what is known before the first step: settings, images, the log so far."""
        self.logger.text("flags", charts.settings(settings))
        self.logger.images("val_images", self.shown.images, title=f"val_images: {len(self.shown)} held out")
        show_records(self.logger, records)

    def _graph(self) -> str:
        """Return the graph of the scores of one image; what the model is and learns stays as it was."""
        parameter = self.model.parameters()[0].value
        image = minitorch.tensor(self.batch[0][0][:1], parameter.backend, dtype=parameter.dtype)
        self.model.eval()
        drawing = graph_svg.draw(self.model(image), graph_svg.parameter_names(self.model))
        self.model.train()
        return drawing

    def _look(self, moment: str) -> None:
        self.looked = True
        if self.show is not None:
            minitorch.predict(self.model, self.batch)
            self.show(self.logger, self.model, moment)

    def __call__(self, step: Step) -> None:
        """Show the step, if it is one to show."""
        now = time.perf_counter()
        if (
            not step.last and self.clock is not None
        ):  # neither the first batch, which compiles, nor a validation
            self.seen += self.plan.size(step)
            self.seconds += now - self.clock
        logged = step.last or step.step % EVERY == 0
        first = logged and not self.looked
        if logged or not math.isfinite(step.loss):
            self._lines(step)
        if first or step.last or step.step % LOOK == 0:
            self._look(f"step {step.step}")
        if first:
            self.logger.text("graph", self._graph())
        if step.last:
            scores, _ = minitorch.predict(self.model, self.loader)
            self.mistakes(scores, self.checked, f"validation after epoch {step.epoch}")
        self.clock = time.perf_counter()

    def _lines(self, step: Step) -> None:
        record = {"step": step.step, "loss": step.loss, "accuracy": step.accuracy, "lr": step.lr}
        if step.last:
            record |= {"valid_loss": step.valid_loss, "valid_accuracy": step.valid_accuracy}
        show_records(self.logger, [record])
        if self.seconds:
            self.logger.scalar("images_per_second", "train", step.step, self.seen / self.seconds)
            self.seen, self.seconds = 0, 0.0

    def tested(self, scores: Array, test: Dataset, accuracy: float, step: int) -> None:
        """Show what the test gave."""
        self.logger.scalar("accuracy", "test", step, accuracy)
        self.mistakes(scores, test, "test")

    def mistakes(self, scores: Array, images: Dataset, what: str) -> None:
        """Show how often each class is taken for each, and the images whose true class was thought least likely."""
        guesses, size = scores.argmax(axis=1), len(images.classes)
        counts = np.zeros((size, size), int)
        np.add.at(counts, (images.labels, guesses), 1)
        right = f"{np.trace(counts):,} of {len(images):,} right"
        self.logger.text("confusion", charts.confusion(counts, images.classes, f"{what}: {right}"))
        wrong = np.flatnonzero(guesses != images.labels)
        shifted = scores - scores.max(axis=1, keepdims=True)
        surprise = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(scores)), images.labels]
        worst = wrong[np.argsort(-surprise[wrong], kind="stable")][:WORST]
        gap = "\n" if max(map(len, images.classes)) > 2 else " "
        names = [
            f"{images.classes[guesses[n]]}{gap}({images.classes[images.labels[n]]})" for n in worst.tolist()
        ]
        title = (
            f"{what}: the worst of {len(wrong):,} mistakes, predicted (true)"
            if len(worst)
            else f"{what}: none"
        )
        self.logger.text("mistakes", charts.gallery(images.images[worst], names, title))

    def close(self) -> None:
        """Nothing is held open."""


def show_channels(logger: Logger, name: str, channels: Array, moment: str) -> None:
    """Show hidden channels (N, C, H, W), a window each, 4 images in a row, strong answers dark."""
    for c, channel in enumerate(channels.swapaxes(0, 1)):
        span = f"{channel.min():.3g} to {channel.max():.3g}"
        logger.images(f"{name}_{c}", -channel, columns=4, title=f"{name}_{c}: {span}, {moment}")


def show_filters(logger: Logger, weights: Array, moment: str) -> None:
    """Show the filters (O, C, H, W) of a convolution: in colours if C is 3, else their means over C."""
    low, high = (end(axis=(1, 2, 3), keepdims=True) for end in (weights.min, weights.max))
    tiles = ((weights - low) / np.where(high > low, high - low, 1) * 255).round().astype(np.uint8)
    if tiles.shape[1] != 3:
        tiles = tiles.mean(axis=1).astype(np.uint8)
    logger.images("filters", tiles, title=f"filters: each by its own range, {moment}")
