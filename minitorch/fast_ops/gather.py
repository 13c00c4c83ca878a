"""Rows of a matrix taken by their numbers, and the derivative of that, in the Numba backend.

    out[t] = a[rows[t]]                          in order of t
    out[r] = sum of d[t] over t with rows[t] = r  in order of t: the same bits each time

Cost: each row that is taken is read and written once; the derivative clears its result first. Shares are CHUNK rows, or
COLUMNS columns where rows are added up, as two numbers may be the same.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from ..runtime.placeholders import real

CHUNK = 64  # rows in one iteration
COLUMNS = 32  # columns in one iteration


def take_rows(out: Any, a: Any, rows: Any) -> None:
    """Write rows of ``a`` (R, C) by their ``rows`` (T,) into ``out`` (T, C)."""
    count, columns = out.shape
    for t in prange((count + CHUNK - 1) // CHUNK):
        for k in range(t * CHUNK, min((t + 1) * CHUNK, count)):
            row = rows[k]
            for c in range(columns):
                out[k, c] = a[row, c]


def add_rows(out: Any, d: Any, rows: Any) -> None:
    """Write into each row of ``out`` (R, C) the sum of the rows of ``d`` (T, C) with its number in ``rows`` (T,)."""
    count, columns = out.shape
    for t in prange((count + CHUNK - 1) // CHUNK):
        out[t * CHUNK : (t + 1) * CHUNK] = real(0)
    for t in prange((columns + COLUMNS - 1) // COLUMNS):
        low, high = t * COLUMNS, min((t + 1) * COLUMNS, columns)
        for k in range(len(rows)):
            row = rows[k]
            for c in range(low, high):
                out[row, c] += d[k, c]
