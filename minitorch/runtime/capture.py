"""Graph capture: what Python does in a training step that is recorded once and then replayed.

A replay repeats what the device did, without running Python. What a step does in Python besides, and must do at each
replay (count batches, draw a random number), is wrapped in `repeat`. What would go wrong silently at a replay raises an
error during the capture. The state belongs to one thread. The file depends on the standard library only; a
backend records (`step_graph`), `minitorch.train.graphed_step` runs the steps.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Action = Callable[[], None]


class _State(threading.local):
    actions: list[Action] | None = None
    stepped: list[Any]
    capture_safe: bool = False
    rehearsing: bool = False
    random_state: Any = None  # of Python's `random`, after the last draw inside `repeat`


_state = _State()


def recording() -> bool:
    """Tell whether this thread is capturing a step: kernels are recorded and have not run, so no value can be read."""
    return _state.actions is not None


def capture_safe() -> bool:
    """Tell whether this thread runs a step that is captured now or later: no decision may depend on tensor values."""
    return _state.capture_safe


@contextmanager
def during_capture() -> Iterator[None]:
    """Make `capture_safe` true within the block: it runs a step that is captured now or later."""
    before, _state.capture_safe = _state.capture_safe, True
    try:
        yield
    finally:
        _state.capture_safe = before


def repeat(action: Action) -> None:
    """Run ``action`` now; during a capture, also before each replay; during a rehearsal, not at all."""
    if _state.rehearsing:
        return
    if _state.actions is None:
        action()
        return
    _require_no_draws()
    action()
    _state.random_state = random.getstate()
    _state.actions.append(action)


def rehearsing() -> bool:
    """Tell whether this thread goes through a step to see its kernels: nothing may change."""
    return _state.rehearsing


@contextmanager
def rehearsal() -> Iterator[None]:
    """Within the block, run no action of `repeat`, and put the random state back at its end."""
    state, _state.rehearsing = random.getstate(), True
    try:
        yield
    finally:
        random.setstate(state)
        _state.rehearsing = False


def note_step(optimizer: Any) -> None:
    """During a capture, note that ``optimizer`` takes a step."""
    if _state.actions is not None:
        _state.stepped.append(optimizer)


def require_readable() -> None:
    """Check that the host may read or write tensor values.

    Raises:
        RuntimeError: A step is being captured.
    """
    if recording():
        raise RuntimeError(
            "cannot read or write tensor values (`item`, `to_numpy`, print, `if`) during graph capture: "
            "return the tensor from the step, and read it after the call"
        )


def _require_no_draws() -> None:
    if random.getstate() != _state.random_state:
        raise RuntimeError(
            "cannot draw random numbers on the host during graph capture, each replay would use the same ones: "
            "draw them before the step, and pass them as one of its tensors"
        )


@contextmanager
def record(actions: list[Action], stepped: list[Any]) -> Iterator[None]:
    """Capture within the block.

    Args:
        actions: Receives the actions that `repeat` runs.
        stepped: Receives the optimizers that take a step.

    Raises:
        RuntimeError: A step is being captured already, or random numbers are drawn outside of `repeat`.
    """
    if recording():
        raise RuntimeError("graph capture: this thread is capturing a step already")
    _state.actions, _state.stepped, _state.random_state = actions, stepped, random.getstate()
    try:
        yield
        _require_no_draws()
    finally:
        _state.actions, _state.stepped, _state.random_state = None, [], None
