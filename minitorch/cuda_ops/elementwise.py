"""Elementwise kernels of the CUDA backend, and the choice between them; the choice is cached by layout.

``out[i] = fn(a1[i], ..., an[i])`` for one to four operands that are broadcast to the result. A kernel of this kind does
no work to speak of: it moves ``n + 1`` numbers per element, so what counts is that neighbouring threads read and write
neighbouring elements (the card joins 32 of them into one transaction of 128 bytes), and that finding an element is
cheap. `walk` first coalesces dimensions (`runtime.strides`), then takes the first that fits:

- **flat** (`FLAT`): all operands are packed, or permuted alike: one dimension of stride 1. A thread per element, no
  index arithmetic.
- **transposed** (`map_transposed`): one operand whose columns are the result's rows. Tiles go through shared memory, so
  that reads and writes are both coalesced.
- **ranked** (`RANKED`): any other layout, such as a broadcast bias or a slice. A thread takes every so-many-th element
  (a grid-stride loop) and finds it with one division per coalesced dimension but the first. Sizes and strides are
  tuples of 32-bit integers: their number is known when the kernel is compiled, so the loop over dimensions is unrolled.

The kernels for one to four operands come from one template each; see `runtime.templates`. ``fn`` and ``real`` are bound
by `device.launch.kernel`. Reads and writes per element: n and 1.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from ..runtime import strides as runtime_strides
from ..runtime.placeholders import fn, real
from ..runtime.templates import kernels_from
from ..runtime.types import Fn, Shape
from .device.functions import index32, strided_offset
from .device.launch import blocks, grid_stride
from .device.numba_cuda import SIMULATED, cuda

MAX_OPERANDS = 4
COUNTS = range(1, MAX_OPERANDS + 1)
MAX_TILE = 32  # rows and columns of the largest tile that is transposed
TILE_PITCH = MAX_TILE + 1  # elements from row to row in shared memory: see `map_transposed`

# Thread i computes element i.
FLAT = kernels_from(
    """
def map_flat_{n}(out, size, {a#}):
    i = cuda.grid(1)
    if i < size:
        out[i] = fn({a#[i]})
""",
    COUNTS,
    globals(),
)

# `sizes` are the coalesced dimensions. Element number i has index i % sizes[-1] in the last one, and so on; all
# operands are walked by the same index, each with strides of its own (0 where it is broadcast).
RANKED = kernels_from(
    """
def map_ranked_{n}(out, size, sizes, out_strides, {a#, a#_strides}):
    i = cuda.grid(1)
    while i < size:
        rest = index32(i)
        out_offset = index32(0)
        {a#_offset = index32(0)}
        for k in range(len(sizes) - 1, 0, -1):
            quotient = rest // sizes[k]
            index = rest - quotient * sizes[k]
            rest = quotient
            out_offset += index * out_strides[k]
            {a#_offset += index * a#_strides[k]}
        out[out_offset + rest * out_strides[0]] = fn({a#[a#_offset + rest * a#_strides[0]]})
        i += cuda.gridsize(1)
""",
    COUNTS,
    globals(),
)


def map_transposed(
    out: Any, tiles: Any, sizes: Any, out_strides: Any, row_stride: Any, a: Any, a_strides: Any, column_stride: Any
) -> None:  # fmt: skip
    """Write ``fn`` of a matrix whose rows are columns in memory, tile by tile: a block per tile, side x height threads.

    Written row by row, such a matrix would be read with a stride: 32 transactions where one is enough. So a block reads
    a square tile along the operand's columns into shared memory, and writes it along the result's rows::

            a in memory        shared memory        out in memory
           (columns packed)                         (rows packed)
            |  read: x goes    tile[y, x]            write: x goes
            v  down a column   <- read               --> along a row
                               tile[x, y] -> write

    In shared memory 32 banks serve 32 neighbouring numbers at once, and a column of a tile of 32 x 32 would lie in one
    bank. With a pitch of 33 the elements of a column lie in 32 different banks. Each element is read and written once.
    Source: NVIDIA, "An Efficient Matrix Transpose in CUDA C/C++", 2013.

    Args:
        out: Its last dimension is packed.
        tiles: Tiles down and across a matrix; its rows and columns.
        sizes: The dimensions outside of the matrix.
        out_strides: Their strides in ``out``.
        row_stride: From row to row of ``out``.
        a: Its elements are packed along the rows' dimension of ``out``.
        a_strides: The strides of the dimensions outside, in ``a``.
        column_stride: From column to column of ``out``, in ``a``.
    """
    tile = cuda.shared.array((MAX_TILE, TILE_PITCH), real)
    tiles_down, tiles_across, rows, columns = tiles
    x, y, side = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockDim.x
    number = index32(cuda.blockIdx.x)
    matrix, rest = number // (tiles_down * tiles_across), number % (tiles_down * tiles_across)
    top, left = rest // tiles_across * index32(side), rest % tiles_across * index32(side)
    a_offset, out_offset = (
        strided_offset(matrix, sizes, a_strides),
        strided_offset(matrix, sizes, out_strides),
    )
    # Load: neighbouring threads take neighbouring rows of the result.
    row = top + index32(x)
    while y < side:
        column = left + index32(y)
        if row < rows and column < columns:
            tile[y, x] = a[a_offset + row + column * column_stride]
        y += cuda.blockDim.y
    cuda.syncthreads()
    # Store: neighbouring threads take neighbouring columns.
    y, column = cuda.threadIdx.y, left + index32(x)
    while y < side:
        row = top + index32(y)
        if row < rows and column < columns:
            out[out_offset + row * row_stride + column] = fn(tile[x, y])
        y += cuda.blockDim.y


Layout = tuple[Shape, Shape]  # shape and strides
# Threads across and down of a block that transposes a tile, which is as high as wide.
TRANSPOSE_THREADS = (8, 2) if SIMULATED else (MAX_TILE, 8)


class Walk(NamedTuple):
    """How the elements of certain layouts are walked.

    Attributes:
        loop: The kernel, not compiled. It takes the result, ``settings``, and each operand followed by its own
        settings. grid: Blocks, and threads of each.
        settings: The arguments between the result and the operands.
        operand_settings: For each operand, the arguments behind it.
    """

    loop: Fn
    grid: tuple[Any, Any]
    settings: tuple[Any, ...]
    operand_settings: tuple[tuple[Any, ...], ...]

    def arguments(self, out: Any, *storages: Any) -> tuple[Any, ...]:
        """Return all arguments of the kernel."""
        parts = zip(storages, self.operand_settings)
        return (out, *self.settings, *(part for storage, own in parts for part in (storage, *own)))


@functools.lru_cache(maxsize=4096)
def walk(out: Layout, *operands: Layout) -> Walk:
    """Return how operands of these layouts are walked into a result of that one, which has an element at least."""
    size, count = math.prod(out[0]), len(operands)
    sizes, strides = runtime_strides.plan(*out, *operands)
    if not sizes or all(s == (1,) for s in strides):
        return Walk(FLAT[count - 1], blocks(size), (size,), ((),) * count)
    transposed = _transposed(sizes, *strides) if count == 1 else None
    if transposed is not None:
        return transposed
    sizes32, out_strides, *operand_strides = (tuple(map(index32, part)) for part in (sizes, *strides))
    settings = (size, sizes32, out_strides)
    return Walk(RANKED[count - 1], grid_stride(size), settings, tuple((s,) for s in operand_strides))


def _transposed(sizes: Shape, out_strides: Shape, a_strides: Shape) -> Walk | None:
    """Return the walk by transposed tiles; None where the layouts are not transposed, or the sides are too short."""
    side, shortest = TRANSPOSE_THREADS
    last = len(sizes) - 1
    packed_in_a = [k for k in range(last) if a_strides[k] == 1 and sizes[k] >= shortest]
    if not packed_in_a or out_strides[last] != 1 or a_strides[last] <= 1 or sizes[last] < shortest:
        return None
    rows = packed_in_a[0]
    tiles_down, tiles_across = -(-sizes[rows] // side), -(-sizes[last] // side)
    outside = [k for k in range(last) if k != rows]
    outer_sizes, outer_out_strides, outer_a_strides = (
        tuple(index32(values[k]) for k in outside) or (index32(default),)
        for values, default in ((sizes, 1), (out_strides, 0), (a_strides, 0))
    )
    tiles = tuple(map(index32, (tiles_down, tiles_across, sizes[rows], sizes[last])))
    grid = math.prod(sizes[k] for k in outside) * tiles_down * tiles_across, TRANSPOSE_THREADS
    settings = (tiles, outer_sizes, outer_out_strides, index32(out_strides[rows]))
    return Walk(map_transposed, grid, settings, ((outer_a_strides, index32(a_strides[last])),))
