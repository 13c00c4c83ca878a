"""Reductions of the Numba backend along one dimension.

A float function ``fn(element, reduced)`` combines elements, from a start value on. Where the start is the function's
identity (IDENTITIES), elements may be grouped; chunk sizes are constants, so the result does not depend on the number
of threads. The order of a reduction of n elements:

    sum_long, max_long   packed rows, + and max       chunks of CHUNK elements, each in the lanes of `sums`; chunks
    reduce_long          packed rows, any function    chunks of CHUNK elements, each in LANES lanes; lanes; chunks
    reduce_columns       strips of REDUCE_COLUMNS     groups of REDUCE_ROWS rows, each from top to bottom; groups
                                                      in pairs, pairs of pairs, ...
    reduce_rows          everything else              groups of REDUCE_ROWS elements, each in four lanes; groups in
                                                      pairs, pairs of pairs, ...
    a start that is not the identity                  one element after the other

    reduce_long, LANES = 4:    a0 a1 a2 a3 | a4 a5 a6 a7 | ...        lane k reduces every fourth element
                               l0 l1 l2 l3 -> ((((start, l0), l1), l2), l3) -> chunk -> row

Error of a sum: |error| <= m * eps * sum |a|, where m is the longest chain of additions that an element takes part in
(Higham, "The Accuracy of Floating Point Summation", 1993). One after the other, m is n - 1. In chunks of c with L
lanes it is about c / L + L + n / c: for a million elements in float32 some 350, not 1,000,000. In
columns it is at most g + log2(n / g) + 1 with g = REDUCE_ROWS, in strided rows g / 4 + log2(n / g) + 6: 269 and 82 for
a million elements.

Cost: each element is read once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from .. import operators
from ..runtime.placeholders import fn, real
from ..runtime.types import Fn
from ..tensor_data import MAX_DIMS, index_to_position, to_index
from .elementwise import CHUNK
from .sums import largest, total

LANES = 64  # reductions that run side by side over a packed row, so that vectors are full
REDUCE_ROWS, REDUCE_COLUMNS = 256, 512  # rows, and columns, that are reduced together

IDENTITIES: dict[Fn, float] = {
    operators.add: 0.0,
    operators.mul: 1.0,
    operators.max: -math.inf,
    operators.max_nan: -math.inf,
}


def reduce_rows(
    out: Any, a: Any, start: float, sizes: Any, a_strides: Any, n: int, step: int, group: int
) -> None:
    """Reduce rows of ``n`` elements, ``step`` apart; the rows lie over three coalesced dimensions ``sizes``.

    Elements are reduced in groups of ``group``. It is ``n`` where ``start`` is not the identity of the function.
    """
    for t in prange(sizes[0] * sizes[1] * sizes[2]):
        i2, i1, i0 = t % sizes[2], t // sizes[2] % sizes[1], t // (sizes[2] * sizes[1])
        row = a[i0 * a_strides[0] + i1 * a_strides[1] + i2 * a_strides[2] :]
        reduced = real(start)
        if n > group:
            # A stack of sums of 1, 2, 4, ... groups: equal ones are joined at once.
            joined, depth = np.empty(64, out.dtype), 0
            for number in range((n + group - 1) // group):
                low, high = number * group, min((number + 1) * group, n)
                r0 = r1 = r2 = r3 = real(start)
                for j in range(low, high - 3, 4):
                    r0 = fn(row[j * step], r0)
                    r1 = fn(row[(j + 1) * step], r1)
                    r2 = fn(row[(j + 2) * step], r2)
                    r3 = fn(row[(j + 3) * step], r3)
                part = fn(fn(r3, r2), fn(r1, r0))
                for j in range(high - (high - low) % 4, high):
                    part = fn(row[j * step], part)
                while number & 1:
                    depth -= 1
                    part = fn(part, joined[depth])
                    number >>= 1
                joined[depth] = part
                depth += 1
            for k in range(depth):
                reduced = fn(joined[depth - 1 - k], reduced)
        elif step == 1:
            for j in range(n):
                reduced = fn(row[j], reduced)
        else:
            for j in range(n):
                reduced = fn(row[j * step], reduced)
        out[t] = reduced


def reduce_columns(
    out: Any, partial: Any, a: Any, start: float, outer: int, n: int, inner: int, rows: int
) -> None:
    """Reduce the middle of three packed dimensions (outer, n, inner).

    An iteration is ``rows`` rows of a strip of columns: the reduced row stays in the cache, and vectors run along it.
    ``partial`` has (outer, ceil(n / rows), inner) elements; it is ``out`` where the second is 1.
    """
    groups, strips = (n + rows - 1) // rows, (inner + REDUCE_COLUMNS - 1) // REDUCE_COLUMNS
    for t in prange(outer * groups * strips):
        block, low = t // strips, (t % strips) * REDUCE_COLUMNS
        first = block // groups * n + block % groups * rows
        count = min(REDUCE_COLUMNS, inner - low)
        reduced_row = partial[block * inner + low :]
        for i in range(count):
            reduced_row[i] = real(start)
        for j in range(first, min(first + rows, (block // groups + 1) * n)):
            row = a[j * inner + low :]
            for i in range(count):
                reduced_row[i] = fn(row[i], reduced_row[i])
    if groups > 1:
        for t in prange(outer * strips):
            block, low = t // strips, (t % strips) * REDUCE_COLUMNS
            for i in range(low, min(low + REDUCE_COLUMNS, inner)):
                reduced = real(start)
                first, step = block * groups * inner + i, 1
                while step < groups:
                    for k in range(0, groups - step, 2 * step):
                        left, right = first + k * inner, first + (k + step) * inner
                        partial[left] = fn(partial[right], partial[left])
                    step *= 2
                out[block * inner + i] = fn(partial[first], reduced)


def reduce_long(out: Any, partial: Any, a: Any, start: float, rows: int, n: int) -> None:
    """Reduce packed rows in chunks and each chunk in lanes; then lanes and chunks in order.

    ``partial`` has an element for each chunk of each row.
    """
    chunks = (n + CHUNK - 1) // CHUNK
    for t in prange(rows * chunks):
        row, low = t // chunks, (t % chunks) * CHUNK
        count = min(CHUNK, n - low)
        elements = a[row * n + low : row * n + low + count]
        lanes = np.full(LANES, real(start))
        for j in range(0, count - LANES + 1, LANES):
            for k in range(LANES):
                lanes[k] = fn(elements[j + k], lanes[k])
        reduced = real(start)
        for k in range(LANES):
            reduced = fn(lanes[k], reduced)
        for j in range(count - count % LANES, count):
            reduced = fn(elements[j], reduced)
        partial[t] = reduced
    for row in range(rows):
        reduced = real(start)
        for k in range(chunks):
            reduced = fn(partial[row * chunks + k], reduced)
        out[row] = reduced


def sum_long(out: Any, partial: Any, a: Any, rows: int, n: int) -> None:
    """Add up packed rows in chunks, then the chunks in order; see `reduce_long`."""
    chunks = (n + CHUNK - 1) // CHUNK
    for t in prange(rows * chunks):
        low = (t % chunks) * CHUNK
        partial[t] = total(a, t // chunks * n + low, min(CHUNK, n - low))
    for row in range(rows):
        out[row] = total(partial, row * chunks, chunks)


def max_long(out: Any, partial: Any, a: Any, rows: int, n: int) -> None:
    """Write the largest of packed rows, nan if there is one: in chunks, then of the chunks; see `reduce_long`."""
    chunks = (n + CHUNK - 1) // CHUNK
    for t in prange(rows * chunks):
        low = (t % chunks) * CHUNK
        partial[t] = largest(a, t // chunks * n + low, min(CHUNK, n - low))
    for row in range(rows):
        out[row] = largest(partial, row * chunks, chunks)


# Reductions of packed rows whose vectors are written by hand, in `sums`.
VECTORIZED: dict[Fn, Fn] = {operators.add: sum_long, operators.max_nan: max_long}


def reduce_any(
    out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any, reduce_dim: int
) -> None:
    """Reduce along any dimension; ``out`` holds the start values."""
    size = 1
    for n in out_shape:
        size *= n
    for i in prange(size):
        out_index = np.empty(MAX_DIMS, np.int32)
        to_index(i, out_shape, out_index)
        target = index_to_position(out_index, out_strides)
        first = index_to_position(out_index, a_strides)
        reduced = out[target]
        for j in range(a_shape[reduce_dim]):
            reduced = fn(a[first + j * a_strides[reduce_dim]], reduced)
        out[target] = reduced
