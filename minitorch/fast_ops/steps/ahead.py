"""Compiles the kernels of a training step before the step runs, in several processes at once.

Kernels are compiled when they are first called, one after the other. Where a step is known, its kernels are known
before anything is computed: `Rehearsal` records it (`recording`), and notes what each operation would launch. The
kernels that the cache does not hold are shared among forked processes, each of which takes the next one when it is
done with one; they keep the machine code in the cache, from where this process reads it at its first call.

A compiled kernel takes 0.3 to 6 seconds, reading it 5 to 20 milliseconds. Without `fork` (on Windows), without a cache
folder, or on one core nothing is done here. The file depends on `jit`, `kernel_cache`, `recording` and
`launch_records`.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

from numba.core.registry import cpu_target

from ...runtime.types import Fn
from .. import jit, threads
from ..kernel_cache import KernelCache, announce
from . import launch_records, recording

MOST = 256  # kernels: each is one byte in a pipe
Kernel = tuple[Any, tuple[Any, ...]]  # a dispatcher, and a signature


class Rehearsal(recording.Graph):
    """A step that is recorded to see its kernels, and never replayed."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: list[jit.Launch] = []

    def add(self, kernel: Fn, operands: tuple[Any, ...], launches: bool = False) -> None:
        """Note what a kernel launches; what else it does, it does on memory of this step, with any numbers."""
        with jit.noted_launches() as found:
            kernel(*self.hold(operands))
        self.launches += found

    def host(self, fn: Fn, operands: tuple[Any, ...]) -> None:
        """Leave out what reads values: there are none."""

    def missing(self) -> list[Kernel]:
        """Return the kernels that neither this process nor the cache has, those with the longest source first."""
        found: dict[tuple[int, tuple[Any, ...]], Kernel] = {}
        replay = [(fn, (0,) * fn.py_func.__code__.co_argcount) for fn in launch_records.functions()]
        for fn, operands in (*self.launches, *replay):
            dispatcher: Any = fn
            if isinstance(fn, functools.partial):
                dispatcher, operands = fn.func, (*fn.args, *operands)
            signature = tuple(map(dispatcher.typeof_pyval, operands))
            cache = dispatcher._cache
            if isinstance(cache, KernelCache) and signature not in dispatcher.overloads:
                found[id(dispatcher), signature] = dispatcher, signature
        codegen = cpu_target.target_context.codegen()
        kernels = [k for k in found.values() if not k[0]._cache.holds(k[1], codegen)]
        return sorted(kernels, key=lambda kernel: -len(kernel[0].py_func.__code__.co_code))


def compile_all(kernels: list[Kernel], progress: Callable[[int, int], None]) -> None:
    """Compile kernels into the cache, in as many processes as there are threads of kernels.

    Args:
        kernels: What `Rehearsal.missing` returned.
        progress: Called with the number of kernels that are done, and with that of all.
    """
    count = min(threads.thread_count(), len(kernels))
    if count < 2 or sys.platform == "win32":
        return
    announce(jit.cache_dir())
    turns, give = os.pipe()
    told, tell = os.pipe()
    os.write(give, bytes(range(min(len(kernels), MOST))))
    os.close(give)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of a fork beside threads: the child uses none of them
        workers = [_fork(kernels, turns, tell) for _ in range(count)]
    os.close(turns)
    os.close(tell)
    try:
        done = 0
        progress(0, min(len(kernels), MOST))
        while os.read(told, 1):
            done += 1
            progress(done, min(len(kernels), MOST))
    except BaseException:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        raise
    finally:
        os.close(told)
        for worker in workers:
            os.waitpid(worker, 0)


def _fork(kernels: list[Kernel], turns: int, tell: int) -> int:
    """Start a process that compiles the kernel whose number it reads next, until there is none."""
    worker = os.fork()
    if worker:
        return worker
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
        while turn := os.read(turns, 1):
            dispatcher, signature = kernels[turn[0]]
            dispatcher.compile(signature)
            os.write(tell, b".")
    finally:
        os._exit(0)  # whatever happened, the parent compiles what is missing
