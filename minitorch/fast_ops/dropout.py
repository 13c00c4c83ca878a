"""Dropout of the Numba backend: one pass draws random words, compares them with the rate and multiplies.

Element i belongs to random word i of a key, and words come from Philox in blocks of four (`runtime.philox`; Salmon et
al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). Block t depends on the key and on t alone, so the
result does not depend on the number of threads, nor on the backend.

    words    w0 w1 w2 w3 | w4 w5 w6 w7 | ...        mask[i] = scale where w_i >= threshold, else 0
    blocks   block 0     | block 1     | ...        y[i] = x[i] * mask[i]

Cost: ``x`` is read, ``mask`` and ``y`` are written once; some 30 integer operations per word.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from ..runtime.philox import at_least, four_words
from ..runtime.placeholders import real

CHUNK_BLOCKS = 1024  # blocks of four words in one iteration


def drop_elements(y: Any, mask: Any, x: Any, key: Any, threshold: Any, scale: Any) -> None:
    """Write ``scale`` into the elements of ``mask`` whose word is at least ``threshold``, else 0; and ``x * mask``."""
    zero, whole = real(0), len(x) // 4
    for p in prange((whole + CHUNK_BLOCKS - 1) // CHUNK_BLOCKS):
        first = p * CHUNK_BLOCKS
        part = mask[4 * first :]
        for t in range(min(CHUNK_BLOCKS, whole - first)):
            a, b, c, d = four_words(first + t, key)
            part[4 * t] = scale if at_least(a, threshold) else zero
            part[4 * t + 1] = scale if at_least(b, threshold) else zero
            part[4 * t + 2] = scale if at_least(c, threshold) else zero
            part[4 * t + 3] = scale if at_least(d, threshold) else zero
    last = four_words(whole, key)
    for i in range(4 * whole, len(x)):
        mask[i] = scale if at_least(last[i - 4 * whole], threshold) else zero
    for i in prange(len(x)):
        y[i] = x[i] * mask[i]
