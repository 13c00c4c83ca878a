"""Scratch memory for shares of kernels: a launch brings a piece for each thread, and a share borrows one.

Memory that a share allocated by itself would come from the system, in small pages, each time it is a large piece:
a page fault for each 4 KiB, and more pages than a core's table of addresses holds. Pieces are blocks of the pool
(`runtime.allocator`), which has huge pages, and a piece that was just given back is still in a core's cache.

    taken    0 or 1 for each piece; `borrow` takes the first that is free, by an atomic exchange

No more shares than threads run at a time, so there is a free piece, unless a share failed and kept its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...runtime import allocator
from ...runtime.types import Array
from ..shares import pause, swap

LOOKS = 1 << 16  # looks for a free piece: while one looks, others may give back and borrow


def pieces(count: int, size: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return ``count`` pieces of ``size`` elements with any content, (count, size), and which of them are taken."""
    return allocator.empty(count * size, dtype).reshape(count, size), np.zeros(count, np.int64)


def borrow(taken: Any) -> int:
    """Return the number of a free piece, which is the caller's until it calls `give_back`.

    Raises:
        RuntimeError: There is none: shares have failed, and their exception is the one to look at.
    """
    for look in range(LOOKS):
        piece = look % len(taken)
        if swap(taken.ctypes.data, piece, 1) == 0:
            return piece
        pause()
    raise RuntimeError("a share of a kernel found no scratch memory, as another share failed")


def give_back(taken: Any, piece: int) -> None:
    """Give a piece back."""
    swap(taken.ctypes.data, piece, 0)
