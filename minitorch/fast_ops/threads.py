"""Part of jit."""

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


PATIENCE = 20_000  # turns that a thread waits for work before it sleeps: about as long as a small step lasts


@functools.cache
def start_threads() -> None:
    """Start the threads of parallel kernels, to sleep soon where there is nothing to do, unless the user says else.

    GNU's OpenMP lets them turn for many milliseconds: where another program wants a core, a thread that has work waits
    for one that has none, and a step takes fifty times as long.
    """
    if {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        return
    os.environ["GOMP_SPINCOUNT"] = str(PATIENCE)
    try:
        numba.get_num_threads()
    finally:
        del os.environ["GOMP_SPINCOUNT"]


def thread_count() -> int:
    """Return how many threads kernels may use: one after a fork, for the others did not come along."""
    if _Process.forked:
        return 1
    start_threads()
    return numba.get_num_threads()
