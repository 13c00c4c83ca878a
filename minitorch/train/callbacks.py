"""What is kept of a run besides its log: the best weights, and a checkpoint that it can go on from.

It refuses to know data and what the model is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import minitorch
from cli import Refusal

WEIGHTS, CHECKPOINT = "model.safetensors", "checkpoint.safetensors"


def saved_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of the run whose checkpoint is in ``folder``.

    Raises:
        CheckpointError: There is none, or it is not from one of these scripts.
    """
    path = folder / CHECKPOINT
    extra = minitorch.load_checkpoint(path, _Blank()).extra
    if not isinstance(extra, dict) or "settings" not in extra:
        raise minitorch.CheckpointError(f"{path}: was not saved by a training script: it has no settings")
    settings: dict[str, Any] = extra["settings"]
    return settings


class _Blank:
    """Stands for a model where a checkpoint is read for its settings only."""

    def state_dict(self) -> Mapping[str, Any]:
        return {}

    def load_state_dict(self, state: Any, /) -> None:
        pass


class Keeper:
    """A sink that keeps the weights of the best validation accuracy (the earliest), and a checkpoint per epoch.

    It refuses to go on when a loss is no longer a number, so that what it has kept stays good.

    Args:
        model: What is trained.
        optimizer: What trains it.
        settings: Saved with each checkpoint.
        scheduler: What moves the learning rate, if anything does: saved too.

    Attributes:
        epoch: The last one that is complete.
        step: Its last step.
        best: The best validation accuracy so far.
        best_epoch: Where it was reached; 0 before the first.
        weights: The model's state then.
    """

    def __init__(
        self,
        model: minitorch.Module,
        optimizer: minitorch.Optimizer,
        settings: Mapping[str, Any],
        scheduler: Any = None,
    ) -> None:
        self.model, self.optimizer, self.settings = model, optimizer, settings
        self.scheduler = scheduler
        self.out: Path | None = None
        self.epoch, self.step, self.best, self.best_epoch = 0, 0, -1.0, 0
        self.weights = model.state_dict()

    def resume(self, source: Path) -> None:
        """Go on from the checkpoint in a folder."""
        parts = self.model, self.optimizer, self.scheduler
        checkpoint = minitorch.load_checkpoint(source / CHECKPOINT, *parts)
        self.epoch, self.step = checkpoint.epoch, checkpoint.step
        self.best, self.best_epoch = checkpoint.extra["best"], checkpoint.extra["best_epoch"]
        if self.best_epoch:
            self.weights = minitorch.load(source / WEIGHTS)

    def write_to(self, out: Path) -> None:
        """Keep weights and checkpoints in a folder, from where things stand now."""
        self.out = out
        if self.best_epoch:
            self._save_weights()
        else:
            (out / WEIGHTS).unlink(missing_ok=True)
        self._save_checkpoint()

    def __call__(self, step: minitorch.Step) -> None:
        """Keep what an epoch has brought.

        Raises:
            Refusal: The loss is infinite or not a number.
        """
        if not math.isfinite(step.loss) or not math.isfinite(step.valid_loss or 0.0):
            kept = f"; {self.out / CHECKPOINT} is of epoch {self.epoch}" if self.out else ""
            raise Refusal(f"the loss is no longer a number at step {step.step}, try a smaller --lr{kept}")
        if not step.last:
            return
        self.epoch, self.step = step.epoch, step.step
        if step.valid_accuracy is not None and step.valid_accuracy > self.best:
            self.best, self.best_epoch = step.valid_accuracy, step.epoch
            self.weights = self.model.state_dict()
            self._save_weights()
        self._save_checkpoint()

    def close(self) -> None:
        """Nothing is held open."""

    def _save_weights(self) -> None:
        if self.out is not None:
            minitorch.save(self.weights, self.out / WEIGHTS)

    def _save_checkpoint(self) -> None:
        if self.out is not None:
            extra = {"settings": self.settings, "best": self.best, "best_epoch": self.best_epoch}
            path, parts = self.out / CHECKPOINT, (self.model, self.optimizer, self.scheduler)
            minitorch.save_checkpoint(path, *parts, epoch=self.epoch, step=self.step, extra=extra)
