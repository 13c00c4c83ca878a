"""Which kernel of the CUDA room runs over the cells of given layouts, and on which grid; remembered for each.

Packed or alike operands are one row; an operand whose columns are the result's rows is turned tile by tile; all else
walks merged dimensions. It refuses to know what is computed.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from . import cuda_index, cuda_kernels, strided
from ._cuda import SIMULATED
from .cuda_index import natural
from .cuda_launch import Fn, Shape, blocks, strides

Layout = tuple[Shape, Shape]  # sizes and strides
# Threads of a block that turns a tile, across and down; a tile is as high as wide.
SQUARE = (8, 2) if SIMULATED else (cuda_index.SIDE, 8)


class Walk(NamedTuple):
    """How cells are walked.

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
    """Return how operands of these layouts are walked into a result of that one; there is at least one cell."""
    size, count = math.prod(out[0]), len(operands)
    sizes, steps = strided.plan(*out, *operands)
    if not sizes or all(s == (1,) for s in steps):
        return Walk(cuda_kernels.FLAT[count - 1], blocks(size), (size,), ((),) * count)
    turned = _turned(sizes, *steps) if count == 1 else None
    if turned is not None:
        return turned
    own, to, *of = (tuple(map(natural, part)) for part in (sizes, *steps))
    return Walk(cuda_index.RANKED[count - 1], strides(size), (size, own, to), tuple((s,) for s in of))


def _turned(sizes: Shape, to: Shape, of: Shape) -> Walk | None:
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
    return Walk(cuda_index.map_turned, grid, first, (own,))
