"""A whole training run of an image classifier: train, resume, keep the best weights, test, write the files of the run.

Depends on the loop, callbacks and plots beside it, and on data sets and transforms. It parses no flags and knows no
dashboard: `minitorch.cli.image_trainer` adds both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..data.dataset import Dataset
from ..data.loader import DataLoader
from ..module import Module
from ..optim.algorithms import SGD, Adam
from ..optim.optimizer import Optimizer
from ..runtime.signals import describe
from ..vision.transforms import Compose, Normalize
from .callbacks import BestCheckpoint, Callback, JsonLinesLogger, LRSchedule
from .console import TrainingPlan, console_logger
from .loop import fit, predict
from .messages import UsageError, notice
from .metrics import accuracy
from .plots import plot_confusion, plot_curves, plot_mistakes, plot_predictions
from .run_dir import LOG, PLOTS, RESULTS, Record, read_records, read_results, write_json, write_optional

Array = npt.NDArray[Any]
PlotModel = Callable[[Path, Any], None]  # of a folder and the model, which has just seen the held-out images

LEARNING_RATES = {"adam": 0.001, "sgd": 0.05}
SHOWN = 16  # held-out images in the figures and on dashboards
EVAL_BATCH = 500  # images per batch where nothing is trained


@dataclass(frozen=True)
class ImageSplits:
    """The images of a run: for training, for validation, for the test."""

    train: Dataset
    valid: Dataset
    test: Dataset


@dataclass(frozen=True)
class Recipe:
    """How a run differs from the plain one.

    Attributes:
        optimizer: Makes the optimizer from (model, name, learning rate).
        schedule: Makes the schedule of the learning rate from (optimizer, steps in an epoch).
        loss: A function of (scores, labels), in place of the model's own ``loss``.
        augment: Changes the pixels of training images (N, C, H, W), before they are normalized.
        erase: Changes training images after they are normalized.
        mix: Changes a training batch and its labels, which become fractions of classes (N, classes).
        workers: Threads that prepare batches ahead.
        rates: Whether the log has learning rates.
    """

    optimizer: Callable[[Module, str, float], Optimizer] | None = None
    schedule: Callable[[Optimizer, int], LRSchedule | None] | None = None
    loss: Callable[..., Any] | None = None
    augment: Callable[[Array], Array] | None = None
    erase: Callable[[Array], Array] | None = None
    mix: Callable[[Array, Array], tuple[Array, Array]] | None = None
    workers: int = 0
    rates: bool = False


PLAIN = Recipe()


@dataclass(frozen=True)
class TestResult:
    """What the best weights give on the test images: scores (N, classes), and the share of right ones."""

    scores: Array
    accuracy: float


def split_images(whole: Dataset, test: Dataset, held_out: int, limit: int | None) -> ImageSplits:
    """Split training images: the last ``held_out`` for validation, the first ``limit`` of the others for training.

    Where there are not more than ``held_out`` images, a tenth is held out.

    Raises:
        UsageError: There are too few images.
    """
    kept = len(whole) - (held_out if len(whole) > held_out else len(whole) // 10)
    if kept == len(whole) or not len(test):
        raise UsageError(f"{whole.name}: {len(whole)} training and {len(test)} test images are too few")
    return ImageSplits(whole.subset(range(kept)[:limit]), whole.subset(range(kept, len(whole))), test)


def optimizer_for(model: Module, name: str, lr: float) -> Optimizer:
    """Return SGD with momentum 0.9 for ``"sgd"``, else Adam."""
    if name == "sgd":
        return SGD(model.parameters(), lr, momentum=0.9)
    return Adam(model.parameters(), lr)


def normalizer(images: Dataset) -> Normalize:
    """Return the transform that gives these images mean 0 and standard deviation 1 in each channel."""
    mean, std = images.mean_std()
    return Normalize(mean.tolist(), std.tolist())


class ImageRun:
    """One run: the model, its optimizer and schedule, its checkpoints, and the files of the run.

    Args:
        build: Makes the model; it has a method ``loss`` unless the recipe has one.
        images: What to train, validate and test on.
        settings: ``model``, ``dataset``, ``optimizer`` (``"adam"`` or ``"sgd"``), ``lr``, ``batch_size``, ``epochs``,
            ``seed``; they and any others are saved with checkpoints and results.
        recipe: What is special to this run.
        backend: The name of the backend, for the results; ``"cuda"`` replays captured steps.
        out: The directory of the run; None writes nothing.
        resume: The directory of the run to continue.
        plot_model: Draws figures that are special to the model.

    Attributes:
        model: The model that is trained.
        plan: How much there is to train.
        normalize: Maps images to the input of the model.
        records: The log of the part of the run that is resumed.
        checkpoint: Keeps the best weights and the last checkpoint.

    Raises:
        UsageError: The run to resume is past the last epoch.
        CheckpointError: There is no checkpoint to resume from.
    """

    def __init__(
        self,
        build: Callable[[], Any],
        images: ImageSplits,
        settings: Mapping[str, Any],
        *,
        recipe: Recipe = PLAIN,
        backend: str = "fast",
        out: Path | None = None,
        resume: Path | None = None,
        plot_model: PlotModel | None = None,
    ) -> None:
        self.images, self.settings, self.recipe, self.backend = images, settings, recipe, backend
        self.out, self.plot_model = out, plot_model
        self.epochs, self.batch_size = int(settings["epochs"]), int(settings["batch_size"])
        self.model = build()
        make_optimizer = recipe.optimizer or optimizer_for
        self.optimizer = make_optimizer(self.model, settings["optimizer"], settings["lr"])
        batches = -(-len(images.train) // self.batch_size)
        self.schedule = recipe.schedule(self.optimizer, batches) if recipe.schedule else None
        self.checkpoint = BestCheckpoint(self.model, self.optimizer, self.schedule, settings=settings)
        self.records: list[Record] = []
        if resume is not None:
            self.checkpoint.resume(resume)
            self.records = read_records(resume / LOG, until=self.checkpoint.step)
        if self.checkpoint.epoch > self.epochs:
            raise UsageError(
                f"the run in {resume} has done {self.checkpoint.epoch} epochs: it is past --epochs {self.epochs}"
            )
        self.normalize = normalizer(images.train)
        self.plan = TrainingPlan(self.epochs, len(images.train), self.batch_size, self.checkpoint.epoch)
        self.seconds = 0.0 if resume is None else _seconds_of(resume)

    def train(self, callbacks: Sequence[Callback] = (), *, quiet: bool = False) -> None:
        """Train up to the last epoch; write log, weights, checkpoints and figures of the training.

        Args:
            callbacks: Called with each step before the checkpoint, which stops at a loss that is not a number.
            quiet: Whether to print nothing.

        Raises:
            UsageError: The loss is not a number.
        """
        # A checkpoint holds the learning rate of the step to come, so the schedule comes first.
        chain: list[Callback] = [] if self.schedule is None else [self.schedule]
        if self.out is not None:
            (self.out / RESULTS).unlink(missing_ok=True)
            self.checkpoint.write_to(self.out)
            chain.append(JsonLinesLogger(self.out / LOG, self.records, rates=self.recipe.rates))
        chain += [*callbacks, self.checkpoint]
        if not quiet:
            chain.append(console_logger(self.plan))
        start = time.perf_counter()
        try:
            self._loop(chain)
            self.seconds += time.perf_counter() - start
        except KeyboardInterrupt as stop:
            epoch = self.checkpoint.epoch
            notice(
                f"stopped by {describe(stop)}"
                + (f"; --resume {self.out} goes on after epoch {epoch}" if self.out else "")
            )
            raise
        finally:
            if self.out is not None:
                write_optional(self.out / PLOTS, self._plot_training)

    def _loop(self, callbacks: Sequence[Callback]) -> None:
        """Pass each step to the callbacks, and close them whatever happens."""
        changes = (self.recipe.augment, self.normalize, self.recipe.erase)
        loader = DataLoader(
            self.images.train,
            self.batch_size,
            shuffle=True,
            transform=Compose([change for change in changes if change is not None]),
            mix=self.recipe.mix,
            seed=self.settings["seed"],
            workers=self.recipe.workers,
        )
        loader.epoch = self.checkpoint.epoch
        steps = fit(
            self.model,
            loader,
            self.optimizer,
            epochs=self.epochs,
            loss=self.recipe.loss or self.model.loss,
            valid=self.in_order(self.images.valid),
            start_epoch=self.checkpoint.epoch + 1,
            start_step=self.checkpoint.step,
            graph=self.backend == "cuda" and os.environ.get("MINITORCH_GRAPH") != "0",
        )
        with ExitStack() as stack:
            for callback in callbacks:
                stack.enter_context(closing(callback))
            for step in steps:
                for callback in callbacks:
                    callback(step)

    def in_order(self, images: Dataset) -> DataLoader:
        """Return a loader that gives images in their order, normalized and not augmented."""
        return DataLoader(images, EVAL_BATCH, transform=self.normalize, seed=0)

    def test(self) -> TestResult:
        """Load the best weights into the model and test them."""
        self.model.load_state_dict(self.checkpoint.weights)
        scores, labels = predict(self.model, self.in_order(self.images.test))
        return TestResult(scores, accuracy(scores, labels))

    def write_results(self, result: TestResult) -> None:
        """Write ``results.json`` and the figures of the test, if the run has a directory."""
        if self.out is None:
            return
        best = {
            "test_accuracy": result.accuracy,
            "valid_accuracy": self.checkpoint.best,
            "best_epoch": self.checkpoint.best_epoch,
        }
        more = {
            "seconds": round(self.seconds, 2),
            "backend": self.backend,
            "train_images": len(self.images.train),
        }
        write_json(self.out / RESULTS, {**best, **self.settings, **more})

        def plot_test(folder: Path) -> None:
            plot_confusion(folder, result.scores, self.images.test)
            plot_mistakes(folder, result.scores, self.images.test)

        write_optional(self.out / PLOTS, plot_test)

    def _plot_training(self, folder: Path) -> None:
        """Plot the log, and what the model as it is now predicts for some held-out images."""
        plot_curves(folder, read_records(folder.parent / LOG))
        shown = self.images.valid.subset(range(min(SHOWN, len(self.images.valid))))
        scores, _ = predict(self.model, self.in_order(shown))
        plot_predictions(folder, scores, shown)
        if self.plot_model is not None:
            self.plot_model(folder, self.model)


def _seconds_of(folder: Path) -> float:
    """Return how long the run in ``folder`` took; 0.0 if it did not end."""
    try:
        return float(read_results(folder).get("seconds") or 0.0)
    except UsageError:
        return 0.0
