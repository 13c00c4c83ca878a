"""The matrix product of the CUDA backend: which kernel for which sizes, and its launches.

Large products go to blocks of threads that compute tiles (`minitorch.cuda_sgemm`), or, where the user allows it, to
tensor cores (`minitorch.cuda_tensor_cores`). Where there are few tiles and much depth, the depth is cut into slices,
whose products a second kernel adds. Choices follow from sizes and precision alone, so every run adds in the same
order.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..runtime.placeholders import finish, real
from ..runtime.types import Fn, Shape
from . import gemm, gemm_tf32
from .device import memory, numba_cuda
from .device.functions import tile_sum
from .device.launch import blocks, kernel, launch
from .device.numba_cuda import cuda

Steps = tuple[int, ...]

MOST_LAYERS = 65_535  # blocks in the z direction of a grid, on any card
# Blocks that keep a large card busy. A constant: with the card's own number, another card would add in another order.
FULL = 4 if numba_cuda.SIMULATED else 132
SLICE = 16 if numba_cuda.SIMULATED else 256  # the least depth that is worth a slice
FEWEST = (
    4  # slices that are worth a second launch, which takes Python longer than a small product takes a card
)


@dataclass(frozen=True)
class Tile:
    """What a block of threads computes.

    Attributes:
        side: Rows, and columns.
        depth: Of the slabs that pass through shared memory.
        each: Rows, and columns, of a thread's elements.
        run: How many of them are neighbours.
        pad: Cells between the rows of a slab in shared memory.
        unroll: Steps of the depth in one piece: more make fewer instructions that do not multiply, and take registers.
    """

    side: int
    depth: int
    each: int
    run: int
    pad: int
    unroll: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return (self.side // self.each) ** 2

    def constants(self) -> dict[str, Any]:
        """Return what the kernels of `minitorch.cuda_sgemm` are compiled for."""
        width = self.side + self.pad
        return {
            "TILE": self.side,
            "DEPTH": self.depth,
            "EACH": self.each,
            "THREADS": self.threads,
            "RUN": self.run,
            "ACROSS": self.side // self.each,
            "ELEMENTS": self.each**2,
            "LOADS": self.side * self.depth // self.threads,
            "WIDTH": width,
            "SLAB": self.depth * width,
            "BOTH": 2 * self.depth * width,
            "UNROLL": self.unroll,
            "ALIGNED": numba_cuda.ALIGNS,
        }


@dataclass(frozen=True)
class WarpTile:
    """What a block of threads computes on tensor cores.

    Attributes:
        side: Rows, and columns.
        depth: Of the slabs that pass through shared memory: a multiple of 8.
        down: Warps below each other.
        across: Warps side by side.
    """

    side: int
    depth: int
    down: int
    across: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return 32 * self.down * self.across

    def constants(self) -> dict[str, Any]:
        """Return what the kernels of `minitorch.cuda_tensor_cores` are compiled for."""
        down, across = self.side // self.down // 16, self.side // self.across // 8
        width = self.side + 8  # the lanes of a warp read 4 rows, 8 elements of each: all banks once
        return {
            "TILE": self.side,
            "DEPTH": self.depth,
            "THREADS": self.threads,
            "UNITS_DOWN": down,
            "UNITS_ACROSS": across,
            "WARPS_ACROSS": self.across,
            "ELEMENTS": 4 * down * across,
            "OURS": 4 * down,
            "THEIRS": 2 * across,
            "LOADS": self.side * self.depth // self.threads,
            "WIDTH": width,
            "SLAB": self.depth * width,
            "BOTH": 2 * self.depth * width,
        }


AnyTile = Tile | WarpTile
# By bytes of a number, largest first.
CARD = {
    4: (Tile(128, 8, 8, 4, 4, 2), Tile(64, 16, 4, 4, 4, 4)),
    8: (Tile(128, 8, 8, 2, 2, 1), Tile(64, 16, 4, 2, 2, 4)),
}
SIMULATOR = (Tile(16, 4, 4, 2, 1, 1), Tile(8, 4, 2, 2, 1, 2))
CARD_WARPS = (WarpTile(128, 16, 2, 4), WarpTile(64, 16, 2, 2))
WARP_TILES = (WarpTile(32, 16, 2, 2),) if numba_cuda.SIMULATED else CARD_WARPS
TILES = {4: SIMULATOR, 8: SIMULATOR} if numba_cuda.SIMULATED else CARD


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


def tiles_of(side: int, rows: int, cols: int) -> int:
    """Return how many square tiles cover a matrix."""
    return -(-rows // side) * -(-cols // side)


def cuts(count: int, depth: int, full: int = FULL, least: int = SLICE) -> tuple[int, int]:
    """Return into how many slices the depth of a product of ``count`` blocks is cut, and how deep each is."""
    slices = min(full // max(count, 1), depth // least)
    if slices < FEWEST:
        return 1, depth
    chunk = -(-depth // slices)
    return -(-depth // chunk), chunk


def tile_for(
    tiles: Sequence[AnyTile],
    layers: int,
    rows: int,
    cols: int,
    depth: int,
    full: int = FULL,
    least: int = SLICE,
) -> AnyTile | None:
    """Return the largest tile that keeps most of the card busy, its slices counted, or the smallest.

    None where most of the smallest would lie outside.
    """
    for tile in tiles:
        count = layers * tiles_of(tile.side, rows, cols)
        busy = count * cuts(count, depth, full, least)[0]
        if 4 * busy >= 3 * full and min(rows, cols) > tile.side // 2:
            return tile
    return tiles[-1] if min(rows, cols) >= tiles[-1].side // 2 else None


@dataclass(frozen=True)
class Plan:
    """How a product is computed.

    Attributes:
        tile: What a block computes.
        plain: The kernel that multiplies, for this tile.
        biased: The one that adds a bias and applies an activation as well.
        count: How many tiles cover a matrix.
        slices: Into how many parts the depth is cut.
        chunk: How deep each is.
    """

    tile: AnyTile
    plain: Fn
    biased: Fn
    count: int
    slices: int
    chunk: int


def plan_for(dtype: np.dtype[Any], sizes: Steps) -> Plan | None:
    """Return how a product of so many matrices, rows, columns and depth is computed; None where it is too small."""
    layers, rows, cols, depth = sizes
    found: AnyTile | None = None
    plain, biased = gemm_tf32.multiply_warps, gemm_tf32.multiply_warps_activation
    if _precision != "highest" and dtype == np.float32 and gemm_tf32.present():
        found = tile_for(WARP_TILES, *sizes)
    if found is None:
        plain, biased = gemm.multiply_tiles, gemm.multiply_tiles_activation
        found = tile_for(TILES[dtype.itemsize], *sizes)
    if found is None:
        return None
    count = tiles_of(found.side, rows, cols)
    return Plan(found, plain, biased, count, *cuts(layers * count, depth))


@functools.cache
def made(loop: Fn, dtype: Any, tile: AnyTile | None = None, finish: Fn | None = None) -> Any:
    """Return a kernel, compiled at its first launch for a tile and an activation."""
    constants = {} if tile is None else tile.constants()
    return kernel(loop, dtype, **constants, **({} if finish is None else {"finish": finish}))


def multiply(
    shapes: Sequence[Shape], dtype: np.dtype[Any],
    out: Any, out_steps: Steps, a: Any, a_steps: Steps, b: Any, b_steps: Steps, sizes: Steps,
) -> bool:  # fmt: skip
    """Multiply batches of matrices, if they are large enough for tiles.

    Args:
        shapes: Those of the operands, for the message of an error.
        dtype: Of the result.
        out: A storage.
        out_steps: How far neighbours lie apart: matrices, rows, columns.
        a: A storage.
        a_steps: The same; 0 where one matrix stretches.
        b: A storage.
        b_steps: See ``a_steps``.
        sizes: Matrices, rows, columns, depth.

    Returns:
        Whether it did.
    """
    plan = plan_for(dtype, sizes)
    if plan is None:
        return False
    layers, rows, cols, _ = sizes
    size = layers * rows * cols
    into, steps = out, (0, *out_steps)
    if plan.slices > 1:
        into, steps = memory.empty(plan.slices * size, dtype), (size, rows * cols, cols, 1)
    loop = made(plan.plain, dtype, plan.tile)
    for first in range(0, layers, MOST_LAYERS):
        grid = (plan.count, plan.slices, min(layers - first, MOST_LAYERS)), plan.tile.threads
        operands = (into, steps, a, a_steps, b, b_steps, sizes[1:], (plan.chunk, first))
        launch("matrix product", shapes, loop, grid, *operands)
    if plan.slices > 1:
        loop, sides = made(gemm.sum_slices, dtype), (plan.slices, layers, rows, cols)
        launch("matrix product", shapes, loop, blocks(size), out, out_steps, into, sides)
    return True


def linear(
    shapes: Sequence[Shape], dtype: np.dtype[Any],
    out: Any, a: Any, a_steps: Steps, b: Any, b_steps: Steps, bias: Any, sizes: Steps, finish: Fn,
) -> bool:  # fmt: skip
    """Write ``finish(a @ b + bias)`` into a packed ``out``, if it is large enough for tiles.

    Args:
        shapes: Those of the operands, for the message of an error.
        dtype: Of the result.
        out: A storage.
        a: A storage.
        a_steps: How far neighbours lie apart: rows, columns.
        b: A storage.
        b_steps: See ``a_steps``.
        bias: A number per column.
        sizes: Rows, columns, depth.
        finish: The activation.

    Returns:
        Whether it did.
    """
    plan = plan_for(dtype, (1, *sizes))
    if plan is None:
        return False
    rows, cols, _ = sizes
    operands = (a, (0, *a_steps), b, (0, *b_steps), sizes, (plan.chunk, 0))
    grid = (plan.count, plan.slices, 1), plan.tile.threads
    if plan.slices == 1:
        launch("linear", shapes, made(plan.biased, dtype, plan.tile, finish), grid, out, *operands, bias)
        return True
    parts = memory.empty(plan.slices * rows * cols, dtype)
    steps, sides = (rows * cols, 0, cols, 1), (plan.slices, 1, rows, cols)
    launch("linear", shapes, made(plan.plain, dtype, plan.tile), grid, parts, steps, *operands)
    loop = made(gemm.sum_slices_activation, dtype, None, finish)
    launch("linear", shapes, loop, blocks(rows * cols), out, parts, sides, bias)
    return True


TILE = 16


def tiles(rows: int, cols: int, depth: int, layers: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the grid of a matrix product; small matrices need no larger a block."""
    tile = max(1, min(TILE, max(rows, cols, depth)))
    return (-(-rows // tile), -(-cols // tile), layers), (tile, tile, 1)


BLOCK = 32  # threads that share a sum in `sum_blocks`, and the side of the largest tile


def matmul_tiles(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Multiply batches of matrices: a square block of up to 32x32 threads per tile of ``out``.

    The grid counts tiles down, tiles across, and matrices. Operands pass through shared memory tile by tile, each element
    read once per tile; each element of ``out`` is written once.
    """
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    j = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    sizes = out_shape[1], out_shape[2], a_shape[2]
    a_steps, b_steps = (a_strides[1], a_strides[2]), (b_strides[1], b_strides[2])
    a_next = a_strides[0] if a_shape[0] > 1 else 0
    b_next = b_strides[0] if b_shape[0] > 1 else 0
    n = cuda.blockIdx.z
    while n < out_shape[0]:
        total = tile_sum(left, right, a, b, n * a_next, n * b_next, a_steps, b_steps, sizes)
        if i < sizes[0] and j < sizes[1]:
            out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total
        n += cuda.gridDim.z


def linear_tiles(out: Any, x: Any, x_steps: Any, w: Any, w_steps: Any, b: Any, sizes: Any) -> None:
    """Write ``finish(x @ w + b)`` into a packed ``out``; ``sizes`` are rows, columns, depth. See `matmul_tiles`."""
    left = cuda.shared.array((BLOCK, BLOCK), real)
    right = cuda.shared.array((BLOCK, BLOCK), real)
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.y
    j = cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    total = tile_sum(left, right, x, w, 0, 0, x_steps, w_steps, sizes)
    if i < sizes[0] and j < sizes[1]:
        out[i * sizes[1] + j] = finish(total + b[j])
