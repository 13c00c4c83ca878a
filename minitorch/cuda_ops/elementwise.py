"""Which kernel of the CUDA backend runs over the elements of given layouts, and on which grid; remembered for each.

Packed or alike operands are one row; an operand whose columns are the result's rows is transposed tile by tile; all else
walks coalesced dimensions.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from ..runtime import strides
from ..runtime.placeholders import fn, real
from ..runtime.types import Fn, Shape
from .device.functions import natural, place
from .device.launch import blocks, grid_stride
from .device.numba_cuda import SIMULATED, cuda

SIDE = 32  # of the largest tile
SPACED = SIDE + 1  # elements from row to row of it: 32 threads read a column at once


def map_ranked(out: Any, size: int, sizes: Any, to: Any, a: Any, a_steps: Any) -> None:
    """Write ``fn`` of each element of ``a`` into its element of ``out``; ``to`` and ``a_steps`` are strides."""
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


def map_transposed(
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


def map_flat(out: Any, size: int, a: Any) -> None:
    """Do what `map_elements` does, where all is packed and of one shape."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i])


def zip_flat(out: Any, size: int, a: Any, b: Any) -> None:
    """Do what `zip_elements` does, where all is packed and of one shape."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i])


def three_flat(out: Any, size: int, a: Any, b: Any, c: Any) -> None:
    """Do for three operands what `map_flat` does for one."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i], c[i])


def four_flat(out: Any, size: int, a: Any, b: Any, c: Any, d: Any) -> None:
    """Do for four operands what `map_flat` does for one."""
    i = cuda.grid(1)
    if i < size:
        out[i] = fn(a[i], b[i], c[i], d[i])


FLAT = (map_flat, zip_flat, three_flat, four_flat)


Layout = tuple[Shape, Shape]  # sizes and strides
# Threads of a block that turns a tile, across and down; a tile is as high as wide.
SQUARE = (8, 2) if SIMULATED else (SIDE, 8)


class Walk(NamedTuple):
    """How elements are walked.

    Attributes:
        loop: The kernel, not compiled. It takes the result, ``first``, and each operand followed by its own.
        grid: Blocks, and threads of each.
        first: What stands between the result and the operands.
        each: What stands behind each operand.
    """

    loop: Fn
    grid: tuple[Any, Any]
    first: tuple[Any, ...]
    each: tuple[tuple[Any, ...], ...]

    def operands(self, out: Any, *storages: Any) -> tuple[Any, ...]:
        """Return all that the kernel takes."""
        rest = (part for storage, own in zip(storages, self.each) for part in (storage, *own))
        return (out, *self.first, *rest)


@functools.lru_cache(maxsize=4096)
def walk(out: Layout, *operands: Layout) -> Walk:
    """Return how operands of these layouts are walked into a result of that one; there is at least one element."""
    size, count = math.prod(out[0]), len(operands)
    sizes, steps = strides.plan(*out, *operands)
    if not sizes or all(s == (1,) for s in steps):
        return Walk(FLAT[count - 1], blocks(size), (size,), ((),) * count)
    transposed = _transposed(sizes, *steps) if count == 1 else None
    if transposed is not None:
        return transposed
    own, to, *of = (tuple(map(natural, part)) for part in (sizes, *steps))
    return Walk(RANKED[count - 1], grid_stride(size), (size, own, to), tuple((s,) for s in of))


def _transposed(sizes: Shape, to: Shape, of: Shape) -> Walk | None:
    """Return how rows are made of columns; None where there are none, or where they are too short for tiles."""
    side, least = SQUARE
    last = len(sizes) - 1
    near = [k for k in range(last) if of[k] == 1 and sizes[k] >= least]
    if not near or to[last] != 1 or of[last] <= 1 or sizes[last] < least:
        return None
    rows = near[0]
    down, across = -(-sizes[rows] // side), -(-sizes[last] // side)
    outside = [k for k in range(last) if k != rows]
    around, to_around, of_around = (
        tuple(natural(values[k]) for k in outside) or (natural(one),)
        for values, one in ((sizes, 1), (to, 0), (of, 0))
    )
    tiles = tuple(map(natural, (down, across, sizes[rows], sizes[last])))
    grid = math.prod(sizes[k] for k in outside) * down * across, SQUARE
    first, own = (tiles, around, to_around, natural(to[rows])), (of_around, natural(of[last]))
    return Walk(map_transposed, grid, first, (own,))
