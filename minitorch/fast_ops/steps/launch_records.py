"""Launches kept as numbers, so that one compiled call runs many of them and Python none.

A call of a compiled kernel from Python takes about 1 microsecond before the kernel begins: Numba finds the form for the
types of the operands and unpacks each of them. A recorded step calls the same kernels with the same operands each time,
so this is done once. `shares.fork` writes the unpacked operands into a block anyway, for the other threads; `recorded`
calls a kernel with a pool of its own, whose `launch` copies the block and runs nothing. The copy, the address of the
kernel's task and whether threads may help are a record:

    block   [ exception | status | pool | first, last | the kernel's own operands ]
    task(block, threads, 0)       calls the kernel as Python does: `threads` and 0 take the places of first and last

So what comes after a kernel's first loop runs too, and it is the same compiled code on the same memory: the same bits.
The file depends on `shares`, `threads` and `jit`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ...runtime.types import Array
from .. import jit, shares, threads

# The words of a recording pool behind those of every pool: the task, the size of the block in bytes, the block itself.
TASK, SIZE, BLOCK = shares.WORDS, shares.WORDS + 1, shares.WORDS + 2
MOST = 512  # words of a block; a kernel with more operands is called from Python
# Words of a block.
STATUS, POOL = 1, 2
RETURN = 0xFFFF_FFFE  # a status: the kernel returns at once, as if it were done

Record = tuple[int, Array, int]  # a task, its block, whether threads may help


def keep(pool: Any, task: Any, block: Any, size: Any, count: Any, threads: Any) -> Any:
    """Stand in the place of `shares.launch`: copy the block, run nothing; with ``task`` 0, return its own address."""
    if task == 0:
        return shares.own_address()
    shares.store(pool, TASK, task)
    shares.store(pool, SIZE, size)
    for word in range(min(size // 8, MOST)):
        shares.store(pool, BLOCK + word, shares.load(block, word))
    shares.store(block, STATUS, RETURN)
    return 0


def run(records: Any, first: Any, count: Any) -> Any:
    """Run launches from ``first`` on, each three words at ``records``; return the number of one that failed, or -1."""
    for k in range(first, count):
        block = shares.load(records, 3 * k + 1)
        shares.call(shares.load(records, 3 * k), block, shares.load(records, 3 * k + 2), 0)
        if shares.load(block, STATUS) & 0xFFFF_FFFF != 0:
            shares.store(block, STATUS, 0)
            return k
    return -1


@functools.cache
def functions() -> tuple[Any, Any]:
    """Return `keep` and `run`, compiled at their first call with whole numbers."""
    return jit.compiled(keep), jit.compiled(run)


@functools.cache
def _recording_pool() -> Array:
    words = np.zeros(BLOCK + MOST, np.int64)
    words[shares.LAUNCH] = functions()[0](words.ctypes.data, 0, 0, 0, 0, 0)
    return words


def recorded(launch: jit.Launch) -> Record | None:
    """Return a launch as a record, and compute nothing; None where the kernel has no loop over ``prange``.

    Args:
        launch: A kernel, and its operands. Their memory is used by each `run`; the record does not keep it.
    """
    kernel, operands = launch
    if not isinstance(kernel, functools.partial):
        return None
    pool, parallel, last = kernel.args
    with threads.exclusive():  # the recording pool is one for all
        words = _recording_pool()
        words[TASK] = 0
        kernel.func(words.ctypes.data, parallel, last, *operands)
        size = int(words[SIZE]) // 8
        if words[TASK] == 0 or size > MOST:
            return None
        block = words[BLOCK : BLOCK + size].copy()
    block[STATUS], block[POOL] = 0, pool
    return int(words[TASK]), block, parallel


class Launches:
    """Launches in a row, which one call runs.

    Args:
        launches: The launches.
        records: Their records.
    """

    def __init__(self, launches: list[jit.Launch], records: list[Record]) -> None:
        self._launches, self._blocks = launches, [block for _, block, _ in records]
        self._words = np.array(
            [(task, block.ctypes.data, parallel) for task, block, parallel in records], np.int64
        )
        self._address, self._run = self._words.ctypes.data, functions()[1]

    def __call__(self) -> None:
        """Run them. One that fails is called again from Python, which raises its exception."""
        failed, count = self._run(self._address, 0, len(self._launches)), len(self._launches)
        while failed >= 0:
            kernel, operands = self._launches[failed]
            kernel(*operands)
            failed = self._run(self._address, failed + 1, count)
