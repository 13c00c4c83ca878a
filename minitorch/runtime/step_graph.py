"""What backends record of a training step: operations and their operands, which a replay computes again.

    record     the step runs once in Python; each operation of the backend is noted and not computed
    refresh    before a replay: optimizers count a step, and their new settings replace those noted
    replay     all noted operations are computed, in order

A recorded operation keeps the addresses of its operands, so their memory must not be freed or used for anything else.
Results get memory from a pool of the step's own, whose blocks are used again within the step only. All other arrays are
kept alive.

A backend derives from `StepGraph` and says what an array is. `minitorch.train.graphed_step` is the user's side. The
file depends on `capture`, `allocator` and the standard library.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from . import capture
from .allocator import Pool


class Stale(Exception):
    """The recorded step is not what the step would do now."""


class RecordingError(RuntimeError):
    """The driver of a backend cannot record a step."""


class Recording(threading.local):
    """The steps of a backend that this thread records or refreshes.

    Attributes:
        captured: The step that is being recorded.
        refreshed: The step whose settings are being refreshed; nothing is computed meanwhile.
    """

    captured: Any = None
    refreshed: Any = None


class StepGraph(ABC):
    """A recorded step.

    Args:
        pool: The pool of its results, used by nobody else.
        state: What this thread records in the backend.

    Attributes:
        actions: What Python does before each replay.
        stepped: The optimizers that take a step in it.
        settings: For each update, where its settings are, and the rows it is for.
    """

    def __init__(self, pool: Pool, state: Recording) -> None:
        self.pool, self.state = pool, state
        self.actions: list[capture.Action] = []
        self.stepped: list[Any] = []
        self.settings: dict[Any, tuple[Any, Any]] = {}
        self._owned: dict[int, int] = {}
        self._kept: list[Any] = []

    @abstractmethod
    def record(self) -> AbstractContextManager[None]:
        """Record the operations within the block; nothing is computed."""

    @abstractmethod
    def replay(self) -> None:
        """Compute the recorded operations."""

    @contextmanager
    def refresh(self) -> Iterator[None]:
        """Make optimizer updates within the block hand over their settings for this step, and do nothing else."""
        self.state.refreshed = self
        try:
            yield
        finally:
            self.state.refreshed = None

    def own(self, array: Any) -> None:
        """Note an array of this step's pool: it is there at each replay, so no reference is kept."""
        address = self.address(array)
        self._owned[address] = max(array.nbytes, self._owned.get(address, 0))

    def hold(self, operand: Any) -> Any:
        """Return an operand as it is recorded; arrays that are not of this step's pool are kept alive."""
        if isinstance(operand, tuple | list):
            return tuple(map(self.hold, operand))
        if not self.is_array(operand):
            return operand
        address = self.address(operand)
        if any(start <= address < start + size for start, size in self._owned.items()):
            return self.borrowed(operand)
        self._kept.append(operand)
        return operand

    @staticmethod
    @abstractmethod
    def is_array(operand: Any) -> bool:
        """Tell whether an operand is memory of the backend."""

    @staticmethod
    @abstractmethod
    def address(array: Any) -> int:
        """Return where an array begins."""

    @staticmethod
    @abstractmethod
    def borrowed(array: Any) -> Any:
        """Return an array on the same memory that does not keep it in use: a block must be free to be used again."""
