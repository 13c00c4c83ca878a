"""Loops of the Numba backend over elements: maps, zips, fused expressions, and parameter updates in place.

Each loop calls a float function ``fn`` that `jit` binds and compiles into it. Which loop runs depends on how the
operands lie in memory; `backend` coalesces dimensions before, so that most operands have one:

    flat          all packed, of one shape              one loop over memory, that the compiler makes vectors of
    rows          up to four dimensions with strides    a loop per row; stride 0 means that the operand is broadcast
    transposed    rows of one are columns of the other  blocks that stay in the cache
    any           everything else, and the course       an index for each element

Cost: each element is read and written once, so memory bandwidth is the limit for all but the transcendental functions.
The file depends on `jit` and on the index functions of `tensor_data`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ..runtime.placeholders import fn
from ..runtime.types import Fn
from ..tensor_data import MAX_DIMS, broadcast_index, index_to_position, to_index
from .codegen import function_from_source

CHUNK = 4096  # elements of a row in one iteration
TRANSPOSE_ROWS = 32  # rows of the source that one iteration transposes
TRANSPOSE_BLOCK = 8  # rows and columns of a block that is transposed at once
MAX_INPUTS, MAX_STATES = 4, 3  # operands of a flat loop, and states of an update

# Loops that differ by the number of their operands only are written out from these two texts.
FLAT_LOOP = """
def flat_{count}(out, size, {arrays}):
    for i in prange(size):
        out[i] = fn({elements})
"""
UPDATE_LOOP = """
def update_{count}(hyperparameters, parameter, grad{states}):
    for i in prange(len(parameter)):
        parameter[i]{elements}, = fn(hyperparameters, parameter[i], grad[i]{elements})
"""


def _flat_loop(count: int) -> Fn:
    """Return ``out[i] = fn(a0[i], a1[i], ...)`` for the first ``size`` elements of ``count`` packed operands."""
    arrays = ", ".join(f"a{k}" for k in range(count))
    elements = ", ".join(f"a{k}[i]" for k in range(count))
    source = FLAT_LOOP.format(count=count, arrays=arrays, elements=elements)
    return function_from_source(f"flat_{count}", source, globals())


def _update_loop(count: int) -> Fn:
    """Return the loop that updates a parameter and ``count`` states of its optimizer by a rule ``fn``, in place.

    ``fn(hyperparameters, parameter, gradient, *states)`` returns the new parameter and states.
    """
    states = "".join(f", s{k}" for k in range(count))
    elements = "".join(f", s{k}[i]" for k in range(count))
    source = UPDATE_LOOP.format(count=count, states=states, elements=elements)
    return function_from_source(f"update_{count}", source, globals())


FLAT = tuple(_flat_loop(count) for count in range(1, MAX_INPUTS + 1))  # FLAT[k] has k + 1 operands
UPDATES = tuple(_update_loop(count) for count in range(MAX_STATES + 1))  # UPDATES[k] has k states
map_flat, zip_flat = FLAT[0], FLAT[1]


def map_rows(out: Any, a: Any, sizes: Any, out_strides: Any, a_strides: Any) -> None:
    """Map over four coalesced dimensions ``sizes``, the last of which is a row; an iteration is a chunk of a row."""
    n = sizes[3]
    chunks = (n + CHUNK - 1) // CHUNK
    out_step, a_step = out_strides[3], a_strides[3]
    for t in prange(sizes[0] * sizes[1] * sizes[2] * chunks):
        row, low = t // chunks, (t % chunks) * CHUNK
        i2, i1, i0 = row % sizes[2], row // sizes[2] % sizes[1], row // (sizes[2] * sizes[1])
        out_row = out[i0 * out_strides[0] + i1 * out_strides[1] + i2 * out_strides[2] + low * out_step :]
        a_row = a[i0 * a_strides[0] + i1 * a_strides[1] + i2 * a_strides[2] + low * a_step :]
        count = min(CHUNK, n - low)
        if out_step == 1 and a_step == 1:
            for i in range(count):
                out_row[i] = fn(a_row[i])
        elif out_step == 1 and a_step == 0:
            element = fn(a_row[0])
            for i in range(count):
                out_row[i] = element
        else:
            for i in range(count):
                out_row[i * out_step] = fn(a_row[i * a_step])


def map_transposed(out: Any, a: Any, sizes: Any, out_strides: Any, a_strides: Any) -> None:
    """Map where rows of ``out`` are columns of ``a``: in blocks, so that a cache line is used whole while it is there.

    Of four dimensions the third is packed in ``a`` and the last in ``out``; neither is shorter than a block, and their
    last blocks overlap those before. A block's sizes are constants, so the compiler transposes it in vector registers.
    An iteration is TRANSPOSE_ROWS of the third dimension.
    """
    chunks = (sizes[2] + TRANSPOSE_ROWS - 1) // TRANSPOSE_ROWS
    for t in prange(sizes[0] * sizes[1] * chunks):
        plane, low = t // chunks, (t % chunks) * TRANSPOSE_ROWS
        i1, i0 = plane % sizes[1], plane // sizes[1]
        out_plane = out[i0 * out_strides[0] + i1 * out_strides[1] :]
        a_plane = a[i0 * a_strides[0] + i1 * a_strides[1] :]
        out_step, a_step = out_strides[2], a_strides[3]
        for column in range(0, sizes[3], TRANSPOSE_BLOCK):
            for row in range(low, min(low + TRANSPOSE_ROWS, sizes[2]), TRANSPOSE_BLOCK):
                i, j = min(row, sizes[2] - TRANSPOSE_BLOCK), min(column, sizes[3] - TRANSPOSE_BLOCK)
                target, source = i * out_step + j, i + j * a_step
                for k in range(TRANSPOSE_BLOCK):
                    for m in range(TRANSPOSE_BLOCK):
                        out_plane[target + k * out_step + m] = fn(a_plane[source + k + m * a_step])


def zip_rows(out: Any, a: Any, b: Any, sizes: Any, out_strides: Any, a_strides: Any, b_strides: Any) -> None:
    """Zip over four coalesced dimensions ``sizes``, the last of which is a row; an iteration is a chunk of a row.

    Rows that are packed, or one of which is a single element, have loops that the compiler makes vectors of.
    """
    n = sizes[3]
    chunks = (n + CHUNK - 1) // CHUNK
    out_step, a_step, b_step = out_strides[3], a_strides[3], b_strides[3]
    for t in prange(sizes[0] * sizes[1] * sizes[2] * chunks):
        row, low = t // chunks, (t % chunks) * CHUNK
        i2, i1, i0 = row % sizes[2], row // sizes[2] % sizes[1], row // (sizes[2] * sizes[1])
        out_row = out[i0 * out_strides[0] + i1 * out_strides[1] + i2 * out_strides[2] + low * out_step :]
        a_row = a[i0 * a_strides[0] + i1 * a_strides[1] + i2 * a_strides[2] + low * a_step :]
        b_row = b[i0 * b_strides[0] + i1 * b_strides[1] + i2 * b_strides[2] + low * b_step :]
        count = min(CHUNK, n - low)
        if out_step == 1 and a_step == 1 and b_step == 1:
            for i in range(count):
                out_row[i] = fn(a_row[i], b_row[i])
        elif out_step == 1 and a_step == 1 and b_step == 0:
            b_element = b_row[0]
            for i in range(count):
                out_row[i] = fn(a_row[i], b_element)
        elif out_step == 1 and a_step == 0 and b_step == 1:
            a_element = a_row[0]
            for i in range(count):
                out_row[i] = fn(a_element, b_row[i])
        else:
            for i in range(count):
                out_row[i * out_step] = fn(a_row[i * a_step], b_row[i * b_step])


def map_any(out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any) -> None:
    """Map over any shapes, ``a`` broadcast: index arithmetic for each element, unless the operands are aligned."""
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
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            out[index_to_position(out_index, out_strides)] = fn(a[index_to_position(a_index, a_strides)])


def zip_any(
    out: Any, out_shape: Any, out_strides: Any,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Zip over any shapes, operands broadcast: index arithmetic for each element, unless they are aligned."""
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
            to_index(i, out_shape, out_index)
            broadcast_index(out_index, out_shape, a_shape, a_index)
            broadcast_index(out_index, out_shape, b_shape, b_index)
            out[index_to_position(out_index, out_strides)] = fn(
                a[index_to_position(a_index, a_strides)], b[index_to_position(b_index, b_strides)]
            )
