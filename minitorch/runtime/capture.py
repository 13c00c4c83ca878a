"""What Python does in a training step that is recorded once and then replayed.

A replay repeats what the device did. Whatever a step does in Python besides, and must do each time (count batches, draw
a random number), is wrapped in `repeat`.
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
    drawn: Any = None  # the state of Python's random numbers when all that was drawn so far is known of


_state = _State()


def recording() -> bool:
    """Tell whether this thread is recording a step: nothing is computed now, so there is nothing to be read."""
    return _state.actions is not None


def capture_safe() -> bool:
    """Tell whether this thread runs a step that is recorded now or later: what it does must not depend on numbers."""
    return _state.capture_safe


@contextmanager
def during_capture() -> Iterator[None]:
    """Run within the block a step that is recorded now or later, so that all its runs do the same."""
    before, _state.capture_safe = _state.capture_safe, True
    try:
        yield
    finally:
        _state.capture_safe = before


def repeat(action: Action) -> None:
    """Run ``action`` now; inside a step that is being recorded, also before each replay."""
    if _state.actions is None:
        action()
        return
    _refuse_draws()
    action()
    _state.drawn = random.getstate()
    _state.actions.append(action)


def note_step(optimizer: Any) -> None:
    """Take note, inside a step that is being recorded, that ``optimizer`` takes a step."""
    if _state.actions is not None:
        _state.stepped.append(optimizer)


def refuse_reading() -> None:
    """Check that single numbers on the device may be read, or written.

    Raises:
        RuntimeError: A step is being recorded.
    """
    if recording():
        raise RuntimeError(
            "the host read or wrote a number of the device (item, to_numpy, printing, a decision by a value) inside a "
            "step that is being recorded: return the tensor from the step, and read it after the call"
        )


def _refuse_draws() -> None:
    if random.getstate() != _state.drawn:
        raise RuntimeError(
            "the host drew random numbers inside a step that is being recorded, and a replay would use the same ones: "
            "draw them before the step, and pass them as one of its tensors"
        )


@contextmanager
def into(actions: list[Action], stepped: list[Any]) -> Iterator[None]:
    """Record within the block: what is repeated goes into ``actions``, optimizers that take a step into ``stepped``.

    Raises:
        RuntimeError: A step is being recorded already, or random numbers were drawn that are not `repeat`'s.
    """
    if recording():
        raise RuntimeError("a step is being recorded already")
    _state.actions, _state.stepped, _state.drawn = actions, stepped, random.getstate()
    try:
        yield
        _refuse_draws()
    finally:
        _state.actions, _state.stepped, _state.drawn = None, [], None
