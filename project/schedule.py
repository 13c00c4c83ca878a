"""Schedules of the learning rate by name, as sinks of training steps. They refuse to know data and models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minitorch import CosineAnnealingLR, OneCycleLR, Optimizer, ReduceLROnPlateau, Step

SCHEDULES = ("none", "onecycle", "cosine", "plateau")
FIXED = ("onecycle", "cosine")  # laid out for a number of epochs


class Schedule:
    """A sink that moves the learning rate on after each step, or after each epoch by its validation loss.

    Args:
        scheduler: Sets the rate.
        every_step: Whether it moves on after each step.
    """

    def __init__(self, scheduler: Any, *, every_step: bool) -> None:
        self.scheduler, self.every_step = scheduler, every_step

    def __call__(self, step: Step) -> None:
        """Set the rate of the next step."""
        if self.every_step:
            self.scheduler.step()
        elif step.valid_loss is not None:
            self.scheduler.step(step.valid_loss)

    def close(self) -> None:
        """Nothing is held open."""

    def state_dict(self) -> dict[str, Any]:
        """Return how far it is, for a checkpoint."""
        state: dict[str, Any] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.scheduler.load_state_dict(state)


def schedule_for(name: str, optimizer: Optimizer, steps: int) -> Schedule | None:
    """Return the schedule of ``name``, laid out for ``steps`` in all; the optimizer's rate is its highest.

    ``onecycle`` rises for 30 % of the steps from a 25th of that rate, ``cosine`` falls to 0, ``plateau`` falls to a
    fifth when the validation loss has not sunk for two epochs, ``none`` stays.
    """
    if name == "onecycle":
        return Schedule(OneCycleLR(optimizer, optimizer.lr, total_steps=steps), every_step=True)
    if name == "cosine":
        return Schedule(CosineAnnealingLR(optimizer, T_max=steps), every_step=True)
    if name == "plateau":
        return Schedule(ReduceLROnPlateau(optimizer, factor=0.2, patience=1), every_step=False)
    return None
