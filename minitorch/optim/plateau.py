"""Schedules that watch a metric: a lower learning rate on a plateau, and early stopping.

It depends on `schedulers` for the state dictionaries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .schedulers import HasLR, Scheduler, Stateful, per_group, require


class ReduceLROnPlateau(Scheduler):
    """Multiply the rate by ``factor`` when a metric has not improved for more than ``patience`` epochs.

    Args:
        optimizer: Anything with ``param_groups``.
        mode: ``"min"`` (default) if lower is better, ``"max"`` if higher is.
        factor: In (0, 1), by default 0.1.
        patience: Number of epochs in a row without improvement that change nothing, by default 10.
        threshold: The smallest improvement that counts, at least 0, by default 1e-4.
        threshold_mode: ``"rel"`` (default): the threshold is a fraction of the best value's magnitude; ``"abs"``: a
            difference. For metrics below 0 this differs from PyTorch, where a worse value than a negative best counts
            as an improvement and the rate never falls.
        cooldown: Number of epochs after a reduction that do not count as bad, by default 0.
        min_lr: The lowest rate, by default 0; or a list, one per parameter group.
        eps: Smaller changes of the rate are not made, by default 1e-8.

    Attributes:
        best: The best metric so far, or None.
    """

    _progress = ("last_epoch", "best", "num_bad_epochs", "cooldown_counter")

    def __init__(
        self,
        optimizer: HasLR,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        require(mode in ("min", "max"), "mode", mode, '"min" or "max"')
        require(0 < factor < 1, "factor", factor, "above 0 and below 1")
        require(patience >= 0, "patience", patience, "at least 0")
        require(threshold >= 0, "threshold", threshold, "at least 0")
        require(threshold_mode in ("rel", "abs"), "threshold_mode", threshold_mode, '"rel" or "abs"')
        require(cooldown >= 0, "cooldown", cooldown, "at least 0")
        require(eps >= 0, "eps", eps, "at least 0")
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.eps = eps
        self.last_epoch = 0
        self.best: float | None = None
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def step(self, metric: float) -> None:
        """Compare the epoch's ``metric`` with the best, and reduce the rates once ``patience`` is over.

        A metric of nan is never better.
        """
        metric = float(metric)
        self.last_epoch += 1
        if _better(metric, self.best, self.mode, self.threshold, relative=self.threshold_mode == "rel"):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs):
            rate = max(group["lr"] * self.factor, lowest)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate


class EarlyStopping(Stateful):
    """Tell when a metric has not improved for ``patience`` epochs in a row (Prechelt, "Early stopping", 1998).

    Args:
        patience: At least 0, by default 10; 0 and 1 both stop at the first epoch without improvement.
        min_delta: By how much a metric must be better than the best to count, at least 0, by default 0.
        mode: ``"min"`` (default) if lower is better, ``"max"`` if higher is.

    Attributes:
        best: The best metric so far, or None.
        best_epoch: The epoch of the best metric, counted from 1; 0 before there is one.
        epoch: Number of epochs so far.
    """

    _progress = ("epoch", "best", "best_epoch")

    def __init__(self, patience: int = 10, min_delta: float = 0.0, mode: str = "min") -> None:
        require(patience >= 0, "patience", patience, "at least 0")
        require(min_delta >= 0, "min_delta", min_delta, "at least 0")
        require(mode in ("min", "max"), "mode", mode, '"min" or "max"')
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.epoch = 0
        self.best: float | None = None
        self.best_epoch = 0

    def update(self, metric: float) -> bool:
        """Compare an epoch's ``metric`` with the best (nan is never better); True means stop."""
        metric = float(metric)
        self.epoch += 1
        if _better(metric, self.best, self.mode, self.min_delta, relative=False):
            self.best, self.best_epoch = metric, self.epoch
            return False
        return self.epoch - self.best_epoch >= self.patience


def _better(metric: float, best: float | None, mode: str, threshold: float, relative: bool) -> bool:
    sign = 1.0 if mode == "min" else -1.0
    if best is None:
        return sign * metric < math.inf
    if relative:
        # The threshold is a fraction of the size of the best value: a limit beyond it also where that is negative.
        limit = best * (1.0 - (sign if best >= 0 else -sign) * threshold)
    else:
        limit = best - sign * threshold
    return sign * metric < sign * limit
