"""Loops of the Numba backend over elements: map, zip, reduce, and the update of parameters in place.

Each runs over a float function that `minitorch.jit` binds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from .. import tensor_data
from ..runtime.placeholders import fn
from ..runtime.types import Fn
from . import jit
from .threads import thread_count

MAX_DIMS = tensor_data.MAX_DIMS
spread, place, locate = tensor_data.broadcast_index, tensor_data.index_to_position, tensor_data.to_index

# Cells that one thread takes at a time: fixed, so that sums do not depend on the number of threads.
CHUNK = 4096
LANES = 64  # folds that run side by side over a packed row, so that vectors are full
SQUARE, BLOCK = 32, 8  # rows that a thread turns at a time, and how many of them, and columns, at once
ROWS, COLUMNS = 256, 512  # rows, and columns, that a thread folds at a time


def map_flat(out: Any, a: Any, n: int) -> None:
    """Write ``fn(a[i])`` into ``out[i]``: both packed, of one shape."""
    for i in prange(n):
        out[i] = fn(a[i])


def zip_flat(out: Any, a: Any, b: Any, n: int) -> None:
    """Write ``fn(a[i], b[i])`` into ``out[i]``: all packed, of one shape."""
    for i in prange(n):
        out[i] = fn(a[i], b[i])


def map_rows(out: Any, a: Any, sizes: Any, to: Any, of: Any) -> None:
    """Map over four coalesced dimensions: ``sizes``, and the strides of both operands; the last one is a row."""
    n = sizes[3]
    pieces = (n + CHUNK - 1) // CHUNK
    for t in prange(sizes[0] * sizes[1] * sizes[2] * pieces):
        r, low = t // pieces, (t % pieces) * CHUNK
        i2, i1, i0 = r % sizes[2], r // sizes[2] % sizes[1], r // (sizes[2] * sizes[1])
        dst = out[i0 * to[0] + i1 * to[1] + i2 * to[2] + low * to[3] :]
        src = a[i0 * of[0] + i1 * of[1] + i2 * of[2] + low * of[3] :]
        m = min(CHUNK, n - low)
        if to[3] == 1 and of[3] == 1:
            for i in range(m):
                dst[i] = fn(src[i])
        else:
            for i in range(m):
                dst[i * to[3]] = fn(src[i * of[3]])


def map_transposed(out: Any, a: Any, sizes: Any, to: Any, of: Any) -> None:
    """Map where rows of ``out`` are columns of ``a``: block by block, so that what is fetched is used before it goes.

    Of four dimensions the third is packed in ``a`` and the last in ``out``; neither is shorter than a block, and their
    last blocks overlap those before. A block's sizes are constants: the compiler turns it in vectors.
    """
    pieces = (sizes[2] + SQUARE - 1) // SQUARE
    for t in prange(sizes[0] * sizes[1] * pieces):
        r, low = t // pieces, (t % pieces) * SQUARE
        i1, i0 = r % sizes[1], r // sizes[1]
        dst, src = out[i0 * to[0] + i1 * to[1] :], a[i0 * of[0] + i1 * of[1] :]
        step, far = to[2], of[3]
        for column in range(0, sizes[3], BLOCK):
            for row in range(low, min(low + SQUARE, sizes[2]), BLOCK):
                i, j = min(row, sizes[2] - BLOCK), min(column, sizes[3] - BLOCK)
                at, near = i * step + j, i + j * far
                for k in range(BLOCK):
                    for m in range(BLOCK):
                        dst[at + k * step + m] = fn(src[near + k + m * far])


def zip_rows(out: Any, a: Any, b: Any, sizes: Any, to: Any, of_a: Any, of_b: Any) -> None:
    """Zip over four coalesced dimensions: ``sizes``, and the strides of all operands; the last one is a row."""
    n = sizes[3]
    pieces = (n + CHUNK - 1) // CHUNK
    for t in prange(sizes[0] * sizes[1] * sizes[2] * pieces):
        r, low = t // pieces, (t % pieces) * CHUNK
        i2, i1, i0 = r % sizes[2], r // sizes[2] % sizes[1], r // (sizes[2] * sizes[1])
        dst = out[i0 * to[0] + i1 * to[1] + i2 * to[2] + low * to[3] :]
        x = a[i0 * of_a[0] + i1 * of_a[1] + i2 * of_a[2] + low * of_a[3] :]
        y = b[i0 * of_b[0] + i1 * of_b[1] + i2 * of_b[2] + low * of_b[3] :]
        m = min(CHUNK, n - low)
        if to[3] == 1 and of_a[3] == 1 and of_b[3] == 1:
            for i in range(m):
                dst[i] = fn(x[i], y[i])
        elif to[3] == 1 and of_a[3] == 1 and of_b[3] == 0:
            v = y[0]
            for i in range(m):
                dst[i] = fn(x[i], v)
        elif to[3] == 1 and of_a[3] == 0 and of_b[3] == 1:
            u = x[0]
            for i in range(m):
                dst[i] = fn(u, y[i])
        else:
            for i in range(m):
                dst[i * to[3]] = fn(x[i * of_a[3]], y[i * of_b[3]])


def update_1(settings: Any, p: Any, d: Any) -> None:
    """Update ``p``, in place."""
    for i in prange(len(p)):
        (p[i],) = fn(settings, p[i], d[i])


def update_2(settings: Any, p: Any, d: Any, s: Any) -> None:
    """Update ``p`` and one state, in place."""
    for i in prange(len(p)):
        p[i], s[i] = fn(settings, p[i], d[i], s[i])


def update_3(settings: Any, p: Any, d: Any, s: Any, t: Any) -> None:
    """Update ``p`` and two states, in place."""
    for i in prange(len(p)):
        p[i], s[i], t[i] = fn(settings, p[i], d[i], s[i], t[i])


def update_4(settings: Any, p: Any, d: Any, s: Any, t: Any, u: Any) -> None:
    """Update ``p`` and three states, in place."""
    for i in prange(len(p)):
        p[i], s[i], t[i], u[i] = fn(settings, p[i], d[i], s[i], t[i], u[i])


UPDATES = (update_1, update_2, update_3, update_4)


def elements_1(out: Any, a: Any) -> None:
    """Write ``fn(a[i])``; as the next three, for packed operands of one shape."""
    for i in prange(len(out)):
        out[i] = fn(a[i])


def elements_2(out: Any, a: Any, b: Any) -> None:
    """Write ``fn(a[i], b[i])``."""
    for i in prange(len(out)):
        out[i] = fn(a[i], b[i])


def elements_3(out: Any, a: Any, b: Any, c: Any) -> None:
    """Write ``fn(a[i], b[i], c[i])``."""
    for i in prange(len(out)):
        out[i] = fn(a[i], b[i], c[i])


def elements_4(out: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """Write ``fn(a[i], b[i], c[i], d[i])``."""
    for i in prange(len(out)):
        out[i] = fn(a[i], b[i], c[i], d[i])


ELEMENTS = (elements_1, elements_2, elements_3, elements_4)


def map_any(out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any) -> None:
    """Map over any shapes: index arithmetic for each element, unless the operands are aligned."""
    size = 1
    for n in out_shape:
        size *= n
    if len(out_shape) == len(a_shape) and (out_shape == a_shape).all() and (out_strides == a_strides).all():
        for i in prange(size):
            out[i] = fn(a[i])
    else:
        for i in prange(size):
            out_index = np.empty(MAX_DIMS, np.int32)
            a_index = np.empty(MAX_DIMS, np.int32)
            locate(i, out_shape, out_index)
            spread(out_index, out_shape, a_shape, a_index)
            out[place(out_index, out_strides)] = fn(a[place(a_index, a_strides)])


def zip_any(
    out: Any, out_shape: Any, out_strides: Any,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Zip over any shapes: index arithmetic for each element, unless the operands are aligned."""
    size = 1
    for n in out_shape:
        size *= n
    aligned = len(out_shape) == len(a_shape) and len(out_shape) == len(b_shape)
    aligned = aligned and (out_shape == a_shape).all() and (out_shape == b_shape).all()
    if aligned and (out_strides == a_strides).all() and (out_strides == b_strides).all():
        for i in prange(size):
            out[i] = fn(a[i], b[i])
    else:
        for i in prange(size):
            out_index = np.empty(MAX_DIMS, np.int32)
            a_index = np.empty(MAX_DIMS, np.int32)
            b_index = np.empty(MAX_DIMS, np.int32)
            locate(i, out_shape, out_index)
            spread(out_index, out_shape, a_shape, a_index)
            spread(out_index, out_shape, b_shape, b_index)
            out[place(out_index, out_strides)] = fn(
                a[place(a_index, a_strides)], b[place(b_index, b_strides)]
            )


class Variants:
    """The compiled forms of loops over one float function, made when first asked for."""

    def __init__(self, fn: Fn) -> None:
        self.fn = fn
        self.made: dict[tuple[Fn, int, bool], Fn] = {}

    def get(self, loop: Fn, dtype: np.dtype[Any], parallel: bool) -> Fn:
        parallel = parallel and thread_count() > 1
        key = (loop, dtype.itemsize, parallel)
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = jit.kernel(loop, dtype, parallel=parallel, fn=self.fn)
        return found
