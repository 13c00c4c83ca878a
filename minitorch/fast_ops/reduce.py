"""Part of fast_map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from .. import operators
from ..runtime.placeholders import fn, real
from ..runtime.types import Fn
from .elementwise import CHUNK, COLUMNS, LANES, MAX_DIMS, locate, place
from .sums import largest, total

IDENTITIES: dict[Fn, float] = {
    operators.add: 0.0,
    operators.mul: 1.0,
    operators.max: -math.inf,
    operators.max_nan: -math.inf,
}


def reduce_rows(out: Any, a: Any, start: float, sizes: Any, of: Any, n: int, step: int) -> None:
    """Fold each row of ``n`` elements, ``step`` apart; the rows lie over three coalesced dimensions."""
    for t in prange(sizes[0] * sizes[1] * sizes[2]):
        i2, i1, i0 = t % sizes[2], t // sizes[2] % sizes[1], t // (sizes[2] * sizes[1])
        row = a[i0 * of[0] + i1 * of[1] + i2 * of[2] :]
        folded = real(start)
        if step == 1:
            for j in range(n):
                folded = fn(row[j], folded)
        else:
            for j in range(n):
                folded = fn(row[j * step], folded)
        out[t] = folded


def reduce_columns(out: Any, a: Any, start: float, outer: int, n: int, inner: int, share: int) -> None:
    """Fold the middle of three packed dimensions, row by row of the last: ``share`` rows, then the shares in order."""
    chunks, pieces = (n + share - 1) // share, (inner + COLUMNS - 1) // COLUMNS
    partial = out if chunks == 1 else np.empty(outer * chunks * inner, out.dtype)
    for t in prange(outer * chunks * pieces):
        block, low = t // pieces, (t % pieces) * COLUMNS
        first = block // chunks * n + block % chunks * share
        m = min(COLUMNS, inner - low)
        dst = partial[block * inner + low :]
        for i in range(m):
            dst[i] = real(start)
        for j in range(first, min(first + share, (block // chunks + 1) * n)):
            src = a[j * inner + low :]
            for i in range(m):
                dst[i] = fn(src[i], dst[i])
    if chunks > 1:
        for t in prange(outer * pieces):
            block, low = t // pieces, (t % pieces) * COLUMNS
            for i in range(low, min(low + COLUMNS, inner)):
                folded = real(start)
                for k in range(chunks):
                    folded = fn(partial[(block * chunks + k) * inner + i], folded)
                out[block * inner + i] = folded


def reduce_long(out: Any, a: Any, start: float, rows: int, n: int) -> None:
    """Fold packed rows in chunks and each chunk in lanes; then lanes and chunks in order."""
    pieces = (n + CHUNK - 1) // CHUNK
    partial = np.empty(rows * pieces, out.dtype)
    for t in prange(rows * pieces):
        row, low = t // pieces, (t % pieces) * CHUNK
        m = min(CHUNK, n - low)
        src = a[row * n + low : row * n + low + m]
        lanes = np.full(LANES, real(start))
        for j in range(0, m - LANES + 1, LANES):
            for k in range(LANES):
                lanes[k] = fn(src[j + k], lanes[k])
        folded = real(start)
        for k in range(LANES):
            folded = fn(lanes[k], folded)
        for j in range(m - m % LANES, m):
            folded = fn(src[j], folded)
        partial[t] = folded
    for row in range(rows):
        folded = real(start)
        for k in range(pieces):
            folded = fn(partial[row * pieces + k], folded)
        out[row] = folded


def sum_long(out: Any, a: Any, rows: int, n: int) -> None:
    """Add up packed rows in chunks, then the chunks in order."""
    pieces = (n + CHUNK - 1) // CHUNK
    partial = np.empty(rows * pieces, out.dtype)
    for t in prange(rows * pieces):
        low = (t % pieces) * CHUNK
        partial[t] = total(a, t // pieces * n + low, min(CHUNK, n - low))
    for row in range(rows):
        out[row] = total(partial, row * pieces, pieces)


def max_long(out: Any, a: Any, rows: int, n: int) -> None:
    """Return the largest of packed rows, nan if there is one: in chunks, then of the chunks."""
    pieces = (n + CHUNK - 1) // CHUNK
    partial = np.empty(rows * pieces, out.dtype)
    for t in prange(rows * pieces):
        low = (t % pieces) * CHUNK
        partial[t] = largest(a, t // pieces * n + low, min(CHUNK, n - low))
    for row in range(rows):
        out[row] = largest(partial, row * pieces, pieces)


# Folds of packed rows whose vectors are written by hand.
BY_HAND: dict[Fn, Fn] = {operators.add: sum_long, operators.max_nan: max_long}


def reduce_any(
    out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any, reduce_dim: int
) -> None:
    """Fold along any dimension; ``out`` holds the start values."""
    size = 1
    for n in out_shape:
        size *= n
    for i in prange(size):
        out_index = np.empty(MAX_DIMS, np.int32)
        locate(i, out_shape, out_index)
        to = place(out_index, out_strides)
        at = place(out_index, a_strides)
        total = out[to]
        for j in range(a_shape[reduce_dim]):
            total = fn(a[at + j * a_strides[reduce_dim]], total)
        out[to] = total
