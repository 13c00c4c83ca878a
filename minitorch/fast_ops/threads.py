"""The threads that run kernels, and the Python threads that compile and launch them.

How many threads there are, how they start, sleep and end (what they do is in `shares`); what a fork leaves of them; and
whether two Python threads may launch a kernel of Numba's own threads, which only the course's kernels use, at once.
`exclusive` makes compiling all or nothing. The file depends on Numba, `shares` and `runtime.signals`.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import functools
import math
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc import parallel

from ..runtime.signals import STOPPING
from . import shares


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


_one_launch = threading.RLock()


@functools.cache
def launch_lock() -> Any:
    """Return the lock to hold while a kernel of Numba's own threads runs; None where several may run at the same time.

    Numba's workqueue layer (the default where neither OpenMP nor TBB is found, as on macOS) ends the process when two
    threads launch kernels.
    """
    with exclusive():
        numba.get_num_threads()  # starts them
    layer = parallel.threading_layer()  # type: ignore[no-untyped-call]
    # The same lock for all: two threads that ask for it first both come here.
    return _one_launch if layer == "workqueue" else None


def _granted(cores: int) -> int:
    """Return how many of these cores the system grants to this process's group (Linux's control groups)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such system, or "max"
        return cores


@functools.cache
def _allowed() -> int:
    """Return how many threads run kernels: NUMBA_NUM_THREADS, else the cores that this process may use."""
    count = int(vars(numba.config)["NUMBA_NUM_THREADS"])
    return count if "NUMBA_NUM_THREADS" in os.environ else _granted(count)


def thread_count() -> int:
    """Return how many threads kernels may use: one in a forked process, which has none of the others."""
    return 1 if _Process.forked else _allowed()


def _semaphore() -> tuple[int, int, int, int]:
    """Make a semaphore of the system: where its functions are that wait and post, that which yields, and its address.

    Each function can be called with three numbers: the semaphore, a time without end or a count, and 0.
    """
    if sys.platform == "win32":
        system = ctypes.WinDLL("kernel32")
        system.CreateSemaphoreW.restype = ctypes.c_void_p
        made = system.CreateSemaphoreW(None, 0, 2**31 - 1, None)
        functions = system.WaitForSingleObject, system.ReleaseSemaphore, system.SwitchToThread
    elif sys.platform == "darwin":
        system = ctypes.CDLL(None)
        system.dispatch_semaphore_create.restype = ctypes.c_void_p
        made = system.dispatch_semaphore_create(ctypes.c_long(0))
        functions = system.dispatch_semaphore_wait, system.dispatch_semaphore_signal, system.sched_yield
    else:
        system = ctypes.CDLL(None)
        memory = _kept(ctypes.create_string_buffer(64))
        made = None if system.sem_init(memory, 0, 0) else ctypes.addressof(memory)
        functions = system.sem_wait, system.sem_post, system.sched_yield
    if not made:
        raise OSError("no semaphore could be made")
    wait, post, relax = (ctypes.cast(function, ctypes.c_void_p).value or 0 for function in functions)
    return wait, post, relax, made


def _kept(memory: Any) -> Any:
    """Keep an object to the end of the process: threads use it longer than Python knows."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))
    return memory


def pool_address(compiled: Callable[..., Any]) -> int:
    """Start the threads that run shares of kernels, once, and return the address of their pool; see `shares`.

    Args:
        compiled: `jit.compiled`.
    """
    with exclusive():  # two threads that come first must not make two pools
        return _pool(compiled)


@functools.cache
def _pool(compiled: Callable[..., Any]) -> int:
    words = _kept(np.zeros(shares.WORDS + 8, np.int64))
    words = words[-words.ctypes.data // 8 % 8 :]  # from the first whole cache line on
    address: int = words.ctypes.data
    words[shares.LAUNCH] = compiled(shares.launch)(address, 0, 0, 0, 0, 0)
    words[shares.THREADS] = 1
    if thread_count() > 1:
        _start_threads(words, compiled(shares.work, nogil=True))
    return address


def _start_threads(words: Any, work: Callable[..., Any]) -> None:
    address, count = words.ctypes.data, thread_count()
    work(address, 0)  # compiles it
    try:
        words[[shares.WAIT, shares.POST, shares.YIELD, shares.SEMAPHORE]] = _semaphore()
        for started in range(1, count):
            # Not of `threading`: such a thread would be one of the program's, which exits when they are done.
            _thread.start_new_thread(work, (address, started))
            words[shares.THREADS] = started + 1
    except (OSError, RuntimeError) as problem:
        warnings.warn(
            f"kernels run on {words[shares.THREADS]} of {count} threads: {problem}",
            RuntimeWarning,
            stacklevel=2,
        )
    atexit.register(_close, words)


def _close(words: Any) -> None:
    """Let all threads sleep, so that none looks at the pool or runs code while Python frees both."""
    if forked():
        return
    words[shares.CLOSED] = 1
    end = time.monotonic() + 0.1
    while words[shares.SLEEPING] < words[shares.THREADS] - 1 and time.monotonic() < end:
        time.sleep(0)
