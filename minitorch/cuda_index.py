"""Kernels of the CUDA room over cells that do not lie in one row, made for each number of dimensions.

Dimensions are merged before, by `minitorch.strided`; sizes and strides travel as tuples, and loops over them unroll.
Numbers of cells are unsigned and of 32 bits on a card, which has to divide nothing longer.
`minitorch.cuda_launch` binds ``fn`` and ``real``. It refuses to know shapes, and everything but arrays on the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import operators
from ._cuda import SIMULATED, cuda

fn: Any = operators.id
real: Any = np.float64
# The simulator has no types, and Python's own numbers are its fastest.
natural: Any = int if SIMULATED else np.uint32
SIDE = 32  # of the largest tile
SPACED = SIDE + 1  # cells from row to row of it: 32 threads read a column at once


def place(ordinal: int, sizes: Any, steps: Any) -> Any:
    """Return where in storage cell number ``ordinal`` of dimensions of ``sizes`` lies, which lie ``steps`` apart."""
    rest, at = natural(ordinal), natural(0)
    for k in range(len(sizes) - 1, 0, -1):
        over = rest // sizes[k]
        at += (rest - over * sizes[k]) * steps[k]
        rest = over
    return at + rest * steps[0]


def map_ranked(out: Any, size: int, sizes: Any, to: Any, a: Any, a_steps: Any) -> None:
    """Write ``fn`` of each cell of ``a`` into its cell of ``out``; ``to`` and ``a_steps`` are strides."""
    i = cuda.grid(1)
    while i < size:
        rest = natural(i)
        at, of_a = natural(0), natural(0)
        for k in range(len(sizes) - 1, 0, -1):
            over = rest // sizes[k]
            part = rest - over * sizes[k]
            rest = over
            at += part * to[k]
            of_a += part * a_steps[k]
        out[at + rest * to[0]] = fn(a[of_a + rest * a_steps[0]])
        i += cuda.gridsize(1)


def zip_ranked(out: Any, size: int, sizes: Any, to: Any, a: Any, a_steps: Any, b: Any, b_steps: Any) -> None:
    """Do for two operands what `map_ranked` does for one."""
    i = cuda.grid(1)
    while i < size:
        rest = natural(i)
        at, of_a, of_b = natural(0), natural(0), natural(0)
        for k in range(len(sizes) - 1, 0, -1):
            over = rest // sizes[k]
            part = rest - over * sizes[k]
            rest = over
            at += part * to[k]
            of_a += part * a_steps[k]
            of_b += part * b_steps[k]
        out[at + rest * to[0]] = fn(a[of_a + rest * a_steps[0]], b[of_b + rest * b_steps[0]])
        i += cuda.gridsize(1)


def three_ranked(
    out: Any, size: int, sizes: Any, to: Any,
    a: Any, a_steps: Any, b: Any, b_steps: Any, c: Any, c_steps: Any,
) -> None:  # fmt: skip
    """Do for three operands what `map_ranked` does for one."""
    i = cuda.grid(1)
    while i < size:
        rest = natural(i)
        at, of_a, of_b, of_c = natural(0), natural(0), natural(0), natural(0)
        for k in range(len(sizes) - 1, 0, -1):
            over = rest // sizes[k]
            part = rest - over * sizes[k]
            rest = over
            at += part * to[k]
            of_a += part * a_steps[k]
            of_b += part * b_steps[k]
            of_c += part * c_steps[k]
        out[at + rest * to[0]] = fn(
            a[of_a + rest * a_steps[0]], b[of_b + rest * b_steps[0]], c[of_c + rest * c_steps[0]]
        )
        i += cuda.gridsize(1)


def four_ranked(
    out: Any, size: int, sizes: Any, to: Any,
    a: Any, a_steps: Any, b: Any, b_steps: Any, c: Any, c_steps: Any, d: Any, d_steps: Any,
) -> None:  # fmt: skip
    """Do for four operands what `map_ranked` does for one."""
    i = cuda.grid(1)
    while i < size:
        rest = natural(i)
        at, of_a, of_b, of_c, of_d = natural(0), natural(0), natural(0), natural(0), natural(0)
        for k in range(len(sizes) - 1, 0, -1):
            over = rest // sizes[k]
            part = rest - over * sizes[k]
            rest = over
            at += part * to[k]
            of_a += part * a_steps[k]
            of_b += part * b_steps[k]
            of_c += part * c_steps[k]
            of_d += part * d_steps[k]
        out[at + rest * to[0]] = fn(
            a[of_a + rest * a_steps[0]],
            b[of_b + rest * b_steps[0]],
            c[of_c + rest * c_steps[0]],
            d[of_d + rest * d_steps[0]],
        )
        i += cuda.gridsize(1)


RANKED = (map_ranked, zip_ranked, three_ranked, four_ranked)


def map_turned(
    out: Any, tiles: Any, sizes: Any, to: Any, to_row: Any, a: Any, of: Any, of_column: Any
) -> None:
    """Do what `map_ranked` does where rows of ``out`` are columns of ``a``: tile by tile, through shared memory.

    Neighbouring threads read neighbours, and write neighbours: a square tile is read along one side and written along
    the other. A block has a tile.

    Args:
        out: Its last dimension is packed.
        tiles: How many tiles lie down and across, and the rows and columns of the matrices they cover.
        sizes: The dimensions outside of the matrices.
        to: Their strides in ``out``.
        to_row: How far apart rows are in ``out``.
        a: Its rows are packed where ``out`` has columns.
        of: The strides of the dimensions outside, in ``a``.
        of_column: How far apart neighbours along a row of ``out`` are in ``a``.
    """
    tile = cuda.shared.array((SIDE, SPACED), real)
    down, across, rows, columns = tiles
    i, j, side = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockDim.x
    number = natural(cuda.blockIdx.x)
    n, rest = number // (down * across), number % (down * across)
    top, left = rest // across * natural(side), rest % across * natural(side)
    at, to_at = place(n, sizes, of), place(n, sizes, to)
    row = top + natural(i)
    while j < side:
        column = left + natural(j)
        if row < rows and column < columns:
            tile[j, i] = a[at + row + column * of_column]
        j += cuda.blockDim.y
    cuda.syncthreads()
    j, column = cuda.threadIdx.y, left + natural(i)
    while j < side:
        row = top + natural(j)
        if row < rows and column < columns:
            out[to_at + row * to_row + column] = fn(tile[i, j])
        j += cuda.blockDim.y


def take_cells(out: Any, size: int, columns: int, a: Any, steps: Any, rows: Any) -> None:
    """Write the rows of ``a`` that ``rows`` names into a packed matrix ``out``; ``steps`` are the strides of ``a``."""
    i = cuda.grid(1)
    while i < size:
        row = natural(i) // natural(columns)
        column = natural(i) - row * natural(columns)
        out[i] = a[natural(rows[row]) * steps[0] + column * steps[1]]
        i += cuda.gridsize(1)


def take_grad_cells(out: Any, size: int, columns: int, d: Any, steps: Any, order: Any, starts: Any) -> None:
    """Sum up in ``out`` the rows of ``d`` that each of its rows was taken for.

    They are ``order[starts[row]]`` to ``order[starts[row + 1] - 1]``, added in this order.
    """
    i = cuda.grid(1)
    while i < size:
        row = natural(i) // natural(columns)
        column = natural(i) - row * natural(columns)
        total, k, end = real(0), natural(starts[row]), natural(starts[row + natural(1)])
        while k < end:
            total += d[natural(order[k]) * steps[0] + column * steps[1]]
            k += natural(1)
        out[i] = total
        i += cuda.gridsize(1)
