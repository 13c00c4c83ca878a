"""Loop of the Numba backend that drops random elements, over flat arrays: one pass draws, compares and multiplies."""

from __future__ import annotations

from typing import Any

from numba import prange

from ..runtime.philox import at_least, four_words
from ..runtime.placeholders import real

PIECE = 1024  # blocks of four words that a thread makes at a time


def drop_elements(y: Any, mask: Any, x: Any, key: Any, bound: Any, factor: Any) -> None:
    """Write ``factor`` into the elements of ``mask`` whose word is at least ``bound``, else 0; and ``x * mask``."""
    zero, whole = real(0), len(x) // 4
    for p in prange((whole + PIECE - 1) // PIECE):
        low = p * PIECE
        part = mask[4 * low :]
        for t in range(min(PIECE, whole - low)):
            a, b, c, d = four_words(low + t, key)
            part[4 * t] = factor if at_least(a, bound) else zero
            part[4 * t + 1] = factor if at_least(b, bound) else zero
            part[4 * t + 2] = factor if at_least(c, bound) else zero
            part[4 * t + 3] = factor if at_least(d, bound) else zero
    last = four_words(whole, key)
    for i in range(4 * whole, len(x)):
        mask[i] = factor if at_least(last[i - 4 * whole], bound) else zero
    for i in prange(len(x)):
        y[i] = x[i] * mask[i]
