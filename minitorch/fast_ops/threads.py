"""The threads of parallel kernels, and the Python threads that compile and launch them.

Numba's threads belong to a runtime of their own (GNU's OpenMP on Linux): how many there are, how long they wait for
work, what a fork leaves of them, and whether two Python threads may launch kernels at once. `exclusive` makes
compiling all or nothing. The file depends on Numba and `runtime.signals`.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import numba
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc import parallel

from ..runtime.signals import STOPPING


class _Process:
    forked = False


def _note_fork() -> None:
    _Process.forked = True
    global_compiler_lock.release()  # type: ignore[no-untyped-call]


if sys.platform != "win32":
    # A fork waits for a thread that compiles: the child would inherit a lock that nobody releases.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=_note_fork,
    )


def forked() -> bool:
    """Return whether this process was forked: it has none of its parent's threads, so it runs serial kernels."""
    return _Process.forked


@contextmanager
def signals_wait() -> Iterator[None]:
    """Let Ctrl-C and the signals that ask a process to end wait until the block is done, then deliver each once.

    An exception between any two lines of a compiler leaves a kernel that is registered and has no code. Only the main
    thread handles signals, and a signal without a Python handler (ignored, or ending the process) needs no waiting.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: dict[int, FrameType | None] = {}
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def note(number: int, frame: FrameType | None) -> None:
        arrived[number] = frame

    try:
        with ExitStack() as restored:
            for number in STOPPING:
                handler = signal.getsignal(number)
                if callable(handler):
                    handlers[number] = handler
                    restored.callback(signal.signal, number, handler)
                    signal.signal(number, note)
            yield
    finally:
        for arrival, frame in arrived.items():
            handlers[arrival](arrival, frame)


@contextmanager
def exclusive() -> Iterator[None]:
    """Run a block that compiles: in one thread at a time, and whole, whatever signals arrive.

    The lock is Numba's own, so it cannot be taken in two orders.
    """
    with signals_wait(), global_compiler_lock:
        yield


SPIN_COUNT = (
    20_000  # rounds that a thread spins before it sleeps: about as long as a small training step lasts
)


@functools.cache
def start_threads() -> Callable[[], int]:
    """Start the threads of parallel kernels with a short spin-wait, unless the user has set one.

    Returned is what counts those that kernels may use: Numba's own function without the locks that it takes first,
    which cost ten times as much.

    By default GNU's OpenMP lets idle threads spin for many milliseconds. Where another program wants a core, a thread
    with work then waits for one without, and a step takes fifty times as long. The runtime reads GOMP_SPINCOUNT when
    its threads start, so the variable is set for that moment only.
    """
    with exclusive():
        if {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
            numba.get_num_threads()
        else:
            os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)
            try:
                numba.get_num_threads()
            finally:
                del os.environ["GOMP_SPINCOUNT"]
        count: Callable[[], int] = vars(parallel).get("_get_num_threads", numba.get_num_threads)
        return count


_launch = threading.RLock()


@functools.cache
def launch_lock() -> Any:
    """Return the lock to hold while a parallel kernel runs; None where kernels may run at the same time.

    Numba's workqueue layer (the default where neither OpenMP nor TBB is found, as on macOS) ends the process when two
    threads launch kernels.
    """
    start_threads()
    return _launch if parallel.threading_layer() == "workqueue" else None  # type: ignore[no-untyped-call]


def thread_count() -> int:
    """Return how many threads kernels may use: one in a forked process, which has none of the others."""
    if _Process.forked:
        return 1
    return start_threads()()
