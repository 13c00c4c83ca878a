"""The matrix product of the CUDA backend: choice of kernel, tile and split K, launches, and a plain tiled kernel.

Which kernel computes ``a @ b`` follows from sizes and precision alone, so that every run adds in the same order:

1. TF32 allowed by the user, float32, a card that has it: `gemm_tf32`, tensor cores;
2. both sides of the result at least half of the smallest tile: `gemm`, register-blocked tiles;
3. small or thin results: `matmul_tiles`, a thread per element (2 reads of shared memory per fused multiply-add).

**Tile.** A large tile reads less memory per product, a small one gives more blocks. `tile_for` takes the largest whose
blocks keep three quarters of a large card busy. **Split K.** Where that takes more blocks than there are tiles, the
depth is cut into slices, each a block of its own, and a second kernel adds the slices::

    out 64 x 128, K = 10,000: 2 tiles            2 tiles x 39 slices = 78 blocks
       [ tile 0 | tile 1 ]                       partial sums [slice][row][column] -> sum_slices -> out
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..runtime.placeholders import activation, real
from ..runtime.types import Fn, Shape
from . import gemm, gemm_tf32
from .device import memory, numba_cuda
from .device.functions import tiled_dot
from .device.launch import blocks, kernel, launch
from .device.numba_cuda import cuda

Strides = tuple[int, ...]

MAX_GRID_YZ = 65_535  # blocks in the y and in the z direction of a grid, on any card
# Blocks that keep a large card busy. A constant: with the card's own number, another card would add in another order.
FULL_BLOCKS = 4 if numba_cuda.SIMULATED else 132
MIN_SLICE_DEPTH = 16 if numba_cuda.SIMULATED else 256  # that is worth a block of its own
MIN_SLICES = 4  # that are worth a second launch: it takes Python longer than a small product takes a card


@dataclass(frozen=True)
class Tile:
    """What a block of threads of `gemm` computes.

    Attributes:
        side: Rows, and columns.
        depth: Depth of the slabs that pass through shared memory.
        thread_side: Rows, and columns, of a thread's elements.
        vector: How many of them are neighbours, in runs.
        padding: Numbers between the rows of a slab in shared memory.
        unroll: Steps of the depth that are written out: more make fewer instructions that do not multiply, and take
            registers.
    """

    side: int
    depth: int
    thread_side: int
    vector: int
    padding: int
    unroll: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return (self.side // self.thread_side) ** 2

    def constants(self) -> dict[str, Any]:
        """Return the constants that the kernels of `gemm` are compiled for."""
        pitch = self.side + self.padding
        return {
            "TILE": self.side,
            "DEPTH": self.depth,
            "THREAD_TILE": self.thread_side,
            "THREADS": self.threads,
            "VECTOR": self.vector,
            "THREADS_ACROSS": self.side // self.thread_side,
            "SUMS": self.thread_side**2,
            "LOADS": self.side * self.depth // self.threads,
            "SLAB_PITCH": pitch,
            "SLAB": self.depth * pitch,
            "BUFFER": 2 * self.depth * pitch,
            "UNROLL": self.unroll,
            "ALIGNED": numba_cuda.ALIGNS,
        }


@dataclass(frozen=True)
class WarpTile:
    """What a block of threads computes on tensor cores.

    Attributes:
        side: Rows, and columns.
        depth: Depth of the slabs that pass through shared memory: a multiple of 8.
        warps_down: Warps below each other.
        warps_across: Warps side by side.
    """

    side: int
    depth: int
    warps_down: int
    warps_across: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return 32 * self.warps_down * self.warps_across

    def constants(self) -> dict[str, Any]:
        """Return the constants that the kernels of `gemm_tf32` are compiled for."""
        down, across = self.side // self.warps_down // 16, self.side // self.warps_across // 8
        pitch = self.side + 8  # the lanes of a warp read 4 rows, 8 neighbours of each: every bank once
        return {
            "TILE": self.side,
            "DEPTH": self.depth,
            "THREADS": self.threads,
            "UNITS_DOWN": down,
            "UNITS_ACROSS": across,
            "WARPS_ACROSS": self.warps_across,
            "SUMS": 4 * down * across,
            "A_FRAGMENTS": 4 * down,
            "B_FRAGMENTS": 2 * across,
            "LOADS": self.side * self.depth // self.threads,
            "SLAB_PITCH": pitch,
            "SLAB": self.depth * pitch,
            "BUFFER": 2 * self.depth * pitch,
        }


AnyTile = Tile | WarpTile
# By bytes of a number, largest first.
CARD_TILES = {
    4: (Tile(128, 8, 8, 4, 4, 2), Tile(64, 16, 4, 4, 4, 4)),
    8: (Tile(128, 8, 8, 2, 2, 1), Tile(64, 16, 4, 2, 2, 4)),
}
SIMULATOR_TILES = (Tile(16, 4, 4, 2, 1, 1), Tile(8, 4, 2, 2, 1, 2))
CARD_WARP_TILES = (WarpTile(128, 16, 2, 4), WarpTile(64, 16, 2, 2))
WARP_TILES = (WarpTile(32, 16, 2, 2),) if numba_cuda.SIMULATED else CARD_WARP_TILES
TILES = {4: SIMULATOR_TILES, 8: SIMULATOR_TILES} if numba_cuda.SIMULATED else CARD_TILES


PRECISIONS = ("highest", "high", "medium")
_precision = "highest"


def set_float32_matmul_precision(precision: str) -> None:
    """Choose how exactly the CUDA backend multiplies float32 matrices.

    Args:
        precision: "highest", the default, computes in float32. "high" and "medium" let tensor cores round the
            operands to TF32, which keeps about three digits; sums stay in float32. Cards older than compute
            capability 8.0, small matrices, float64 and the other backends always compute in full.

    Raises:
        ValueError: It is none of these.
    """
    global _precision
    if precision not in PRECISIONS:
        raise ValueError(
            f"the precision of matrix products is {', '.join(map(repr, PRECISIONS))}, not {precision!r}"
        )
    _precision = precision


def get_float32_matmul_precision() -> str:
    """Return how exactly the CUDA backend multiplies float32 matrices; see `set_float32_matmul_precision`."""
    return _precision


# The choice of tile and slices


def tile_count(side: int, rows: int, cols: int) -> int:
    """Return how many square tiles cover a matrix."""
    return -(-rows // side) * -(-cols // side)


def split_k(
    count: int, depth: int, full: int = FULL_BLOCKS, min_depth: int = MIN_SLICE_DEPTH
) -> tuple[int, int]:
    """Return into how many slices the depth of a product is cut, and how deep each is.

    Args:
        count: Blocks of the product without slices.
        depth: Its depth.
        full: Blocks that keep the card busy.
        min_depth: The least depth of a slice.
    """
    slices = min(full // max(count, 1), depth // min_depth)
    if slices < MIN_SLICES:
        return 1, depth
    slice_depth = -(-depth // slices)
    return -(-depth // slice_depth), slice_depth


def tile_for(
    tiles: Sequence[AnyTile], matrices: int, rows: int, cols: int, depth: int,
    full: int = FULL_BLOCKS, min_depth: int = MIN_SLICE_DEPTH,
) -> AnyTile | None:  # fmt: skip
    """Return the largest tile that keeps most of the card busy, its slices counted, or the smallest.

    None where most of the smallest would lie outside of the result.
    """
    for tile in tiles:
        count = matrices * tile_count(tile.side, rows, cols)
        busy = count * split_k(count, depth, full, min_depth)[0]
        if 4 * busy >= 3 * full and min(rows, cols) > tile.side // 2:
            return tile
    return tiles[-1] if min(rows, cols) >= tiles[-1].side // 2 else None


@dataclass(frozen=True)
class MatmulPlan:
    """How a product is computed.

    Attributes:
        tile: What a block computes.
        plain: The kernel that multiplies, for this tile.
        biased: The kernel that adds a bias and applies an activation as well.
        count: How many tiles cover a matrix.
        slices: Split-K slices of the depth.
        slice_depth: How deep each is.
    """

    tile: AnyTile
    plain: Fn
    biased: Fn
    count: int
    slices: int
    slice_depth: int


def plan_for(dtype: np.dtype[Any], sizes: tuple[int, ...]) -> MatmulPlan | None:
    """Return how a product is computed; None where it is too small for tiles.

    Args:
        dtype: The result's.
        sizes: Matrices, rows, columns, depth.
    """
    matrices, rows, cols, depth = sizes
    tile: AnyTile | None = None
    plain, biased = gemm_tf32.multiply_warps, gemm_tf32.multiply_warps_activation
    if _precision != "highest" and dtype == np.float32 and gemm_tf32.present():
        tile = tile_for(WARP_TILES, *sizes)
    if tile is None:
        plain, biased = gemm.multiply_tiles, gemm.multiply_tiles_activation
        tile = tile_for(TILES[dtype.itemsize], *sizes)
    if tile is None:
        return None
    count = tile_count(tile.side, rows, cols)
    return MatmulPlan(tile, plain, biased, count, *split_k(matrices * count, depth))


@functools.cache
def made(loop: Fn, dtype: Any, tile: AnyTile | None = None, activation: Fn | None = None) -> Any:
    """Return a kernel, compiled at its first launch for a tile and an activation."""
    constants = {} if tile is None else tile.constants()
    return kernel(loop, dtype, **constants, **({} if activation is None else {"activation": activation}))


# Launches


def multiply(
    shapes: Sequence[Shape], dtype: np.dtype[Any],
    out: Any, out_strides: Strides, a: Any, a_strides: Strides, b: Any, b_strides: Strides, sizes: tuple[int, ...],
) -> bool:  # fmt: skip
    """Multiply batches of matrices, if they are large enough for tiles.

    Args:
        shapes: Those of the operands, for the message of an error.
        dtype: The result's.
        out: A storage.
        out_strides: From matrix to matrix, row to row, column to column.
        a: A storage.
        a_strides: The same; 0 from matrix to matrix where one is broadcast.
        b: A storage.
        b_strides: As ``a_strides``.
        sizes: Matrices, rows, columns, depth.

    Returns:
        Whether it did.
    """
    plan = plan_for(dtype, sizes)
    if plan is None:
        return False
    matrices, rows, cols, _ = sizes
    size = matrices * rows * cols
    target, target_strides = out, (0, *out_strides)
    if plan.slices > 1:
        target, target_strides = memory.empty(plan.slices * size, dtype), (size, rows * cols, cols, 1)
    loop = made(plan.plain, dtype, plan.tile)
    for first in range(0, matrices, MAX_GRID_YZ):
        grid = (plan.count, plan.slices, min(matrices - first, MAX_GRID_YZ)), plan.tile.threads
        operands = (target, target_strides, a, a_strides, b, b_strides, sizes[1:], (plan.slice_depth, first))
        launch("matrix product", shapes, loop, grid, *operands)
    if plan.slices > 1:
        loop, sides = made(gemm.sum_slices, dtype), (plan.slices, matrices, rows, cols)
        launch("matrix product", shapes, loop, blocks(size), out, out_strides, target, sides)
    return True


def linear(
    shapes: Sequence[Shape], dtype: np.dtype[Any],
    out: Any, a: Any, a_strides: Strides, b: Any, b_strides: Strides, bias: Any,
    sizes: tuple[int, ...], activation: Fn,
) -> bool:  # fmt: skip
    """Write ``activation(a @ b + bias)`` into a packed ``out``, if it is large enough for tiles.

    Args:
        shapes: Those of the operands, for the message of an error.
        dtype: The result's.
        out: A storage.
        a: A storage.
        a_strides: From row to row, column to column.
        b: A storage.
        b_strides: As ``a_strides``.
        bias: A number per column.
        sizes: Rows, columns, depth.
        activation: A float function.

    Returns:
        Whether it did.
    """
    plan = plan_for(dtype, (1, *sizes))
    if plan is None:
        return False
    rows, cols, _ = sizes
    operands = (a, (0, *a_strides), b, (0, *b_strides), sizes, (plan.slice_depth, 0))
    grid = (plan.count, plan.slices, 1), plan.tile.threads
    if plan.slices == 1:
        launch("linear", shapes, made(plan.biased, dtype, plan.tile, activation), grid, out, *operands, bias)
        return True
    partial_sums = memory.empty(plan.slices * rows * cols, dtype)
    strides, sides = (rows * cols, 0, cols, 1), (plan.slices, 1, rows, cols)
    launch("linear", shapes, made(plan.plain, dtype, plan.tile), grid, partial_sums, strides, *operands)
    loop = made(gemm.sum_slices_activation, dtype, None, activation)
    launch("linear", shapes, loop, blocks(rows * cols), out, partial_sums, sides, bias)
    return True


# Small and thin products: a thread per element

PLAIN_TILE = 16  # side of a block of threads


def tiles(
    rows: int, cols: int, depth: int, matrices: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the grid of `matmul_tiles`: tiles down, tiles across, matrices; small products take smaller blocks."""
    side = max(1, min(PLAIN_TILE, max(rows, cols, depth)))
    return (-(-rows // side), min(-(-cols // side), MAX_GRID_YZ), matrices), (side, side, 1)


BLOCK = 32  # the side of the largest block of threads


def matmul_tiles(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Multiply batches of matrices: a square block of up to 32 x 32 threads per tile of ``out``.

    The grid counts tiles down, tiles across, and matrices; where it has fewer than there are, blocks go on by the size
    of the grid. Operands pass through shared memory tile by tile, each number read once per tile; each element of
    ``out`` is written once. See `device.functions.tiled_dot`.
    """
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    sizes = out_shape[1], out_shape[2], a_shape[2]
    row_col_a, row_col_b = (a_strides[1], a_strides[2]), (b_strides[1], b_strides[2])
    a_next = a_strides[0] if a_shape[0] > 1 else 0
    b_next = b_strides[0] if b_shape[0] > 1 else 0
    n = cuda.blockIdx.z
    while n < out_shape[0]:
        first_col = (
            cuda.blockIdx.y * cuda.blockDim.x
        )  # the same for all threads of a block, which share barriers
        while first_col < sizes[1]:
            j = first_col + cuda.threadIdx.x
            a_offset, b_offset = n * a_next, n * b_next
            total = tiled_dot(left, right, a, b, a_offset, b_offset, row_col_a, row_col_b, sizes, i, j)
            if i < sizes[0] and j < sizes[1]:
                out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total
            first_col += cuda.gridDim.y * cuda.blockDim.x
        n += cuda.gridDim.z


def linear_tiles(out: Any, x: Any, x_strides: Any, w: Any, w_strides: Any, b: Any, sizes: Any) -> None:
    """Write ``activation(x @ w + b)`` into a packed ``out``; ``sizes``: rows, columns, depth. See `matmul_tiles`."""
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    first_col = cuda.blockIdx.y * cuda.blockDim.x
    while first_col < sizes[1]:
        j = first_col + cuda.threadIdx.x
        total = tiled_dot(left, right, x, w, 0, 0, x_strides, w_strides, sizes, i, j)
        if i < sizes[0] and j < sizes[1]:
            out[i * sizes[1] + j] = activation(total + b[j])
        first_col += cuda.gridDim.y * cuda.blockDim.x
