"""The callback that shows the training of an image classifier: lines, held-out images, mistakes, the graph.

Writes to any `Logger`. Depends on the training loop, on data sets, and on `svg` and `graph` beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..data.loader import DataLoader
from ..tensor import tensor
from ..train.callbacks import LOG_EVERY
from ..train.console import TrainingPlan
from ..train.loop import Step, predict
from ..train.metrics import confusion_matrix, worst_mistakes
from ..train.run_dir import Record
from ..train.trainer import EVAL_BATCH, SHOWN
from .graph import draw_graph, parameter_names
from .run_log import Logger
from .svg import confusion, gallery, settings_table

Array = npt.NDArray[Any]
# Of a logger, the model, which has just seen the held-out images, and the time as text, such as "step 50".
ShowModel = Callable[[Logger, Any, str], None]

SHOW_EVERY = 50  # batches from one set of images to the next
CHECKED = 200  # held-out images whose mistakes are shown after an epoch
WORST = 24  # mistakes that are shown


def show_records(logger: Logger, records: Sequence[Record]) -> None:
    """Add the lines of a log: loss, accuracy and learning rate over steps."""
    for record in records:
        for name in ("loss", "accuracy", "lr"):
            value = record.get(name, math.nan)
            if name in record and not (name == "accuracy" and value is None):
                line = "learning rate" if name == "lr" else "train"
                logger.scalar(name, line, record["step"], math.nan if value is None else value)
        for name in ("loss", "accuracy"):
            if record.get(f"valid_{name}") is not None:
                logger.scalar(name, "validation", record["step"], record[f"valid_{name}"])


class DashboardCallback:
    """Shows every tenth step, images every 50 batches, and the mistakes after each epoch.

    It does not change the run: the model sees the held-out images in evaluation mode and without a graph, and the state
    of ``random`` stays.

    Args:
        logger: Where everything is shown.
        model: The model that is trained.
        plan: How much there is to train.
        valid: Held-out images, uint8 (N, C, H, W).
        normalize: Maps them to the input of the model.
        show_model: Shows what is special to this model, if anything is.
    """

    def __init__(
        self,
        logger: Logger,
        model: Any,
        plan: TrainingPlan,
        valid: Dataset,
        normalize: Callable[[Array], Array],
        show_model: ShowModel | None = None,
    ) -> None:
        self.logger, self.model, self.plan, self.show_model = logger, model, plan, show_model
        self.shown = valid.subset(range(min(SHOWN, len(valid))))
        self.batch = [(normalize(self.shown.images), self.shown.labels)]
        self.checked = valid.subset(range(min(CHECKED, len(valid))))
        self.loader = DataLoader(self.checked, EVAL_BATCH, transform=normalize, seed=0)
        self.shown_once = False
        self.last_time: float | None = None
        self.seen, self.seconds = 0, 0.0

    def begin(self, settings: Mapping[str, Any], records: Sequence[Record]) -> None:
        """Show what is known before the first step: settings, held-out images, the log so far."""
        self.logger.text("flags", settings_table(settings))
        self.logger.images("val_images", self.shown.images, title=f"val_images: {len(self.shown)} held out")
        show_records(self.logger, records)

    def _graph(self) -> str:
        """Return the graph of the scores of one image, as SVG; the model stays as it was."""
        parameter = self.model.parameters()[0].value
        image = tensor(self.batch[0][0][:1], parameter.backend, dtype=parameter.dtype)
        self.model.eval()
        drawing = draw_graph(self.model(image), parameter_names(self.model))
        self.model.train()
        return drawing

    def _show_model(self, time_text: str) -> None:
        self.shown_once = True
        if self.show_model is not None:
            predict(self.model, self.batch)
            self.show_model(self.logger, self.model, time_text)

    def __call__(self, step: Step) -> None:
        """Show the step, if it is one to show."""
        now = time.perf_counter()
        # The rate leaves out the first batch, which compiles kernels, and the last, after which there is a validation.
        if not step.last and self.last_time is not None:
            self.seen += self.plan.size(step)
            self.seconds += now - self.last_time
        logged = step.last or step.step % LOG_EVERY == 0
        first = logged and not self.shown_once
        if logged or not math.isfinite(step.loss):
            self._lines(step)
        if first or step.last or step.step % SHOW_EVERY == 0:
            self._show_model(f"step {step.step}")
        if first:
            self.logger.text("graph", self._graph())
        if step.last:
            scores, _ = predict(self.model, self.loader)
            self.mistakes(scores, self.checked, f"validation after epoch {step.epoch}")
        self.last_time = time.perf_counter()

    def _lines(self, step: Step) -> None:
        record = {"step": step.step, "loss": step.loss, "accuracy": step.accuracy, "lr": step.lr}
        if step.last:
            record |= {"valid_loss": step.valid_loss, "valid_accuracy": step.valid_accuracy}
        show_records(self.logger, [record])
        if self.seconds:
            self.logger.scalar("images_per_second", "train", step.step, self.seen / self.seconds)
            self.seen, self.seconds = 0, 0.0

    def tested(self, scores: Array, test: Dataset, accuracy: float, step: int) -> None:
        """Show the result of the test: its accuracy and its mistakes."""
        self.logger.scalar("accuracy", "test", step, accuracy)
        self.mistakes(scores, test, "test")

    def mistakes(self, scores: Array, images: Dataset, title: str) -> None:
        """Show the confusion matrix, and the images whose true class got the lowest probability."""
        classes, guesses = images.classes, scores.argmax(axis=1)
        counts = confusion_matrix(scores, images.labels, classes)
        right = f"{np.trace(counts):,} of {len(images):,} right"
        self.logger.text("confusion", confusion(counts, classes, f"{title}: {right}"))
        wrong, worst = worst_mistakes(scores, images.labels, WORST)
        gap = "\n" if max(map(len, classes)) > 2 else " "
        captions = [f"{classes[guesses[n]]}{gap}({classes[images.labels[n]]})" for n in worst.tolist()]
        heading = f"the worst of {wrong:,} mistakes, predicted (true)" if wrong else "none"
        self.logger.text("mistakes", gallery(images.images[worst], captions, f"{title}: {heading}"))

    def close(self) -> None:
        """Do nothing: nothing is open."""


def show_channels(logger: Logger, name: str, channels: Array, time_text: str) -> None:
    """Show hidden channels (N, C, H, W): one window each, 4 images in a row, high activations dark."""
    for c, channel in enumerate(channels.swapaxes(0, 1)):
        span = f"{channel.min():.3g} to {channel.max():.3g}"
        logger.images(f"{name}_{c}", -channel, columns=4, title=f"{name}_{c}: {span}, {time_text}")


def show_filters(logger: Logger, weights: Array, time_text: str) -> None:
    """Show the filters (O, C, H, W) of a convolution: as RGB if C is 3, else their means over C."""
    low, high = (end(axis=(1, 2, 3), keepdims=True) for end in (weights.min, weights.max))
    tiles = ((weights - low) / np.where(high > low, high - low, 1) * 255).round().astype(np.uint8)
    if tiles.shape[1] != 3:
        tiles = tiles.mean(axis=1).astype(np.uint8)
    logger.images("filters", tiles, title=f"filters: each by its own range, {time_text}")
