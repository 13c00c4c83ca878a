"""Callbacks of the training loop: the log as JSON lines, the best weights, checkpoints, the learning rate.

A callback is any callable that takes a `Step`; `close` ends it. Depends on the loop, checkpoints and schedulers of the
package, not on data or models. `console` has the callbacks that print.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..optim.optimizer import Optimizer
from ..optim.plateau import ReduceLROnPlateau
from ..optim.schedulers import CosineAnnealingLR, OneCycleLR
from .checkpoint import Checkpoint, Stateful, load, load_checkpoint, read_checkpoint, save, save_checkpoint
from .loop import Step
from .messages import UsageError
from .run_dir import CHECKPOINT, WEIGHTS, Record, write_file
from .torch_format import CheckpointError

_NUMBERS = ("loss", "accuracy", "lr", "valid_loss", "valid_accuracy")  # in a record
LOG_EVERY = 10  # steps from one line of the log to the next

SCHEDULES = ("none", "onecycle", "cosine", "plateau")
FIXED_LENGTH = ("onecycle", "cosine")  # schedules that are planned for a number of steps


class Callback(Protocol):
    """Takes the record of each training step."""

    def __call__(self, step: Step) -> None:
        """Take one record."""

    def close(self) -> None:
        """Finish; no record follows."""


class JsonLinesLogger:
    """Writes one JSON object per line for every tenth step and for the last step of each epoch.

    An object has ``epoch``, ``step``, ``loss`` and ``accuracy``; the last of an epoch also ``valid_loss`` and
    ``valid_accuracy``. Values that are not finite are null. There are no times in it, so equal runs give equal bytes.

    Args:
        path: The file; it is replaced.
        earlier: Records that the file begins with, from the part of a run that is being resumed.
        rates: Whether to write the learning rate too, as ``lr``.
    """

    def __init__(self, path: Path, earlier: list[Record], *, rates: bool = False) -> None:
        self.path, self.rates = path, rates
        write_file(path, "".join(map(_json_line, earlier)))
        self.file = path.open("a", encoding="utf-8", newline="\n")

    def __call__(self, step: Step) -> None:
        """Write the step, if it is one to log."""
        if not step.last and step.step % LOG_EVERY:
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
        try:
            self.file.write(_json_line(record))
            self.file.flush()
        except OSError as error:
            error.filename = str(self.path)
            raise

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _json_line(record: Record) -> str:
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}
    return json.dumps(finite, allow_nan=False) + "\n"


class BestCheckpoint:
    """Keeps the weights of the best epoch and, after each epoch, a checkpoint to resume from.

    The best epoch is the one with the best ``metric``; of equal ones the earliest counts, and a nan never does.
    With a folder, the weights are in ``model.safetensors`` and the last checkpoint in ``checkpoint.safetensors``:

        checkpoint = BestCheckpoint(model, optimizer, folder=Path("runs/first"))
        for step in fit(model, loader, optimizer, epochs=5, valid=valid):
            checkpoint(step)

    Args:
        model: The model that is trained.
        optimizer: Its optimizer; saved in each checkpoint.
        scheduler: What sets the learning rate, if anything does; saved in each checkpoint.
        folder: Where the files go; created at the first save. None keeps the best weights in memory only.
        settings: What JSON can hold; saved in each checkpoint, see `saved_settings`.
        metric: Name of the field of `Step` that is compared: ``"valid_accuracy"`` (default) or ``"valid_loss"``.
        mode: ``"max"`` (default) if a larger metric is better, else ``"min"``.

    Attributes:
        epoch: The last complete epoch; 0 before the first.
        step: The last step of that epoch.
        best: The best metric so far; None before the first.
        best_epoch: The epoch of the best metric; 0 before the first.
        weights: The state dict of the model after that epoch.

    Raises:
        ValueError: ``mode`` is another word.
    """

    def __init__(
        self,
        model: Stateful,
        optimizer: Stateful | None = None,
        scheduler: Stateful | None = None,
        *,
        folder: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        metric: str = "valid_accuracy",
        mode: str = "max",
    ) -> None:
        if mode not in ("max", "min"):
            raise ValueError(f"mode is 'max' or 'min', not {mode!r}")
        self.parts = model, optimizer, scheduler
        self.folder, self.settings = folder, settings
        self.metric, self.mode = metric, mode
        self.epoch, self.step, self.best_epoch = 0, 0, 0
        self.best: float | None = None
        self.weights: Mapping[str, Any] = model.state_dict()

    def resume(self, source: Path) -> None:
        """Load the checkpoint in the folder ``source`` and continue from it.

        Raises:
            CheckpointError: There is none, or it was not saved by this class, or it or the best weights are damaged or
                do not fit. Nothing has changed.
        """
        path = source / CHECKPOINT
        best, best_epoch = _best_of(path, read_checkpoint(path))
        weights = load(source / WEIGHTS) if best_epoch else None
        if weights is not None:
            _check_fit(source / WEIGHTS, weights, self.parts[0].state_dict())
        checkpoint = load_checkpoint(path, *self.parts)
        self.epoch, self.step = checkpoint.epoch, checkpoint.step
        self.best, self.best_epoch = best, best_epoch
        if weights is not None:
            self.weights = weights

    def write_to(self, folder: Path) -> None:
        """Use ``folder`` from now on, and write the present state to it."""
        self.folder = folder
        if self.best_epoch:
            self._save_weights()
        else:
            (folder / WEIGHTS).unlink(missing_ok=True)
        self._save_checkpoint()

    def __call__(self, step: Step) -> None:
        """Save what an epoch has brought, after its last step.

        Raises:
            UsageError: The loss is infinite or not a number. What was saved before stays.
        """
        if not math.isfinite(step.loss) or not math.isfinite(step.valid_loss or 0.0):
            kept = f"; {self.folder / CHECKPOINT} is of epoch {self.epoch}" if self.folder else ""
            raise UsageError(f"the loss is no longer a number at step {step.step}, try a smaller --lr{kept}")
        if not step.last:
            return
        self.epoch, self.step = step.epoch, step.step
        value = getattr(step, self.metric)
        if value is not None and self._is_better(value):
            self.best, self.best_epoch = value, step.epoch
            self.weights = self.parts[0].state_dict()
            self._save_weights()  # first: a run cut in between finds no metric whose weights are missing
        self._save_checkpoint()

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _is_better(self, value: float) -> bool:
        if math.isnan(value) or self.best is None:
            return not math.isnan(value)
        return value > self.best if self.mode == "max" else value < self.best

    def _save_weights(self) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            save(self.weights, self.folder / WEIGHTS)

    def _save_checkpoint(self) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            extra = {"settings": self.settings, "best": self.best, "best_epoch": self.best_epoch}
            path = self.folder / CHECKPOINT
            save_checkpoint(path, *self.parts, epoch=self.epoch, step=self.step, extra=extra)


def _best_of(path: Path, checkpoint: Checkpoint) -> tuple[float | None, int]:
    """Return the best metric in a checkpoint and its epoch."""
    extra = checkpoint.extra
    if not isinstance(extra, dict) or not {"best", "best_epoch"} <= set(extra):
        raise CheckpointError(f"{path}: was not saved by BestCheckpoint: it has no best metric")
    best, epoch = extra["best"], extra["best_epoch"]
    if type(epoch) is not int or not 0 <= epoch <= checkpoint.epoch:
        raise CheckpointError(f"{path}: is damaged: best_epoch is {epoch!r}, after {checkpoint.epoch} epochs")
    if epoch and (not isinstance(best, int | float) or math.isnan(best)):
        raise CheckpointError(f"{path}: is damaged: the best metric is {best!r}, expected a number")
    return best if epoch else None, epoch


def _check_fit(path: Path, weights: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Check that weights have the names and shapes of a model's state: they are needed after the training only."""
    found, expected = ({name: np.shape(value) for name, value in s.items()} for s in (weights, state))
    differing = sorted({name for name, _ in set(found.items()) ^ set(expected.items())})
    if differing:
        raise CheckpointError(f"{path}: does not fit this model: {', '.join(differing)[:200]}")


def saved_settings(folder: Path) -> dict[str, Any]:
    """Return the settings in the checkpoint of the run in ``folder``.

    Raises:
        CheckpointError: There is no checkpoint, or it has no settings.
    """
    path = folder / CHECKPOINT
    extra = read_checkpoint(path).extra
    settings = extra.get("settings") if isinstance(extra, dict) else None
    if not settings or not isinstance(settings, dict):
        raise CheckpointError(f"{path}: was not saved by a training script: it has no settings")
    return settings


class LRSchedule:
    """Steps a scheduler after each training step, or after each epoch with its validation loss.

    Args:
        scheduler: Sets the learning rate in its ``step``.
        every_step: True: after each step. False: after each epoch.
    """

    def __init__(self, scheduler: Any, *, every_step: bool) -> None:
        self.scheduler, self.every_step = scheduler, every_step

    def __call__(self, step: Step) -> None:
        """Set the learning rate of the next step."""
        if self.every_step:
            self.scheduler.step()
        elif step.valid_loss is not None:
            self.scheduler.step(step.valid_loss)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the scheduler, for a checkpoint."""
        state: dict[str, Any] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `state_dict` gave."""
        self.scheduler.load_state_dict(state)


def schedule_for(name: str, optimizer: Optimizer, steps: int) -> LRSchedule | None:
    """Return the schedule called ``name``, for ``steps`` training steps in all; None for ``"none"``.

    The optimizer's learning rate is the highest one. ``"onecycle"`` rises to it for 30 % of the steps from a 25th of it
    and falls then; ``"cosine"`` falls to 0; ``"plateau"`` falls to a fifth when the validation loss has not fallen for
    two epochs.
    """
    if name == "onecycle":
        return LRSchedule(OneCycleLR(optimizer, optimizer.lr, total_steps=steps), every_step=True)
    if name == "cosine":
        return LRSchedule(CosineAnnealingLR(optimizer, T_max=steps), every_step=True)
    if name == "plateau":
        return LRSchedule(ReduceLROnPlateau(optimizer, factor=0.2, patience=1), every_step=False)
    return None
