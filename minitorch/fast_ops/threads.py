"""The threads of parallel kernels: how many there are, how long they wait for work, and what a fork leaves of them.

Numba's threads belong to a runtime of their own (GNU's OpenMP on Linux). The file depends on Numba only.
"""

from __future__ import annotations

import functools
import os
import sys

import numba


class _Process:
    forked = False


def _note_fork() -> None:
    _Process.forked = True


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_note_fork)


SPIN_COUNT = (
    20_000  # rounds that a thread spins before it sleeps: about as long as a small training step lasts
)


@functools.cache
def start_threads() -> None:
    """Start the threads of parallel kernels with a short spin-wait, unless the user has set one.

    By default GNU's OpenMP lets idle threads spin for many milliseconds. Where another program wants a core, a thread
    with work then waits for one without, and a step takes fifty times as long. The runtime reads GOMP_SPINCOUNT when
    its threads start, so the variable is set for that moment only.
    """
    if {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        return
    os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)
    try:
        numba.get_num_threads()
    finally:
        del os.environ["GOMP_SPINCOUNT"]


def thread_count() -> int:
    """Return how many threads kernels may use: one in a forked process, which has none of the others."""
    if _Process.forked:
        return 1
    start_threads()
    return numba.get_num_threads()
