"""The signals that stop a command: Ctrl-C, SIGTERM, and SIGHUP when its terminal is gone. All clean up first.

It depends on the standard library only; commands handle the signals, and compiling makes them wait.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

# Windows has no SIGHUP.
STOPPING = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]


class Terminated(KeyboardInterrupt):
    """The process was asked to end by another signal than Ctrl-C; what handles Ctrl-C handles it too.

    Args:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def signal_of(stop: KeyboardInterrupt) -> signal.Signals:
    """Return the signal that raised an exception."""
    return signal.Signals(stop.number if isinstance(stop, Terminated) else signal.SIGINT)


def describe(stop: KeyboardInterrupt) -> str:
    """Return the name of what stopped a command, for a message."""
    number = signal_of(stop)
    return "Ctrl-C" if number == signal.SIGINT else number.name


def exit_status(stop: KeyboardInterrupt) -> int:
    """Return the exit status of a command that was stopped: 130 after Ctrl-C, 143 after SIGTERM, as in a shell."""
    return 128 + signal_of(stop)


def _stop(number: int) -> KeyboardInterrupt:
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


AGAIN = 0.01  # seconds until a signal whose exception could not be raised is sent again


@contextmanager
def _sent_again() -> Iterator[None]:
    """Send a signal again whose handler ran where Python ignores exceptions: in a finalizer or a weakref's callback."""
    waiting: list[tuple[threading.Timer, KeyboardInterrupt]] = []
    before = sys.unraisablehook

    def hook(ignored: Any) -> None:
        stop = ignored.exc_value
        if isinstance(stop, KeyboardInterrupt):
            timer = threading.Timer(AGAIN, signal.raise_signal, (signal_of(stop),))
            timer.daemon = True
            waiting.append((timer, stop))
            timer.start()
        else:
            before(ignored)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
        late = [stop for timer, stop in waiting if not timer.finished.is_set()]
        for timer, _ in waiting:
            timer.cancel()
    if late:
        raise late[0]


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the signals of `STOPPING` raise KeyboardInterrupt in the block, where nobody has set a handler.

    A signal that is ignored stays ignored (``nohup``, a shell that starts a job in the background). Only the main
    thread may set handlers; in another thread nothing changes. An error that comes after a signal is taken for its
    consequence: compiled libraries turn an exception of a Python function that they call into one of their own.
    """
    arrived: list[int] = []

    def handler(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        raise _stop(number)

    with ExitStack() as restored:
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                before = signal.getsignal(number)
                if before in (signal.SIG_DFL, signal.default_int_handler):
                    restored.callback(signal.signal, number, before)
                    signal.signal(number, handler)
            restored.enter_context(_sent_again())
        try:
            yield
        except Exception as error:
            if arrived:
                raise _stop(arrived[0]) from error
            raise
