"""Part of cuda_conv."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import operators
from ..runtime.placeholders import finish, real
from ..runtime.types import ConvParams, Fn, Shape
from .device import memory
from .device.functions import block_sum, image_element, reader
from .device.launch import SHARING, blocks, kernel, launch, sharing
from .device.numba_cuda import SIMULATED, cuda
from .implicit_gemm import Tile, conv_gemm, conv_weight_gemm, shaped, short, sum_shares

Block = tuple[Any, Shape]  # a flat array on the device, and the shape of its elements


Plan = tuple[Any, tuple[int, int], tuple[Any, ...]]


# Rows, columns and depth of a block of threads; rows and columns of a thread.
Tiles = tuple[Tile, ...]
TILES: dict[str, Tiles] = {
    "float32": (Tile(128, 64, 8, 8, 8), Tile(64, 32, 8, 4, 4), Tile(128, 32, 4, 8, 4)),
    "float64": (Tile(64, 64, 8, 8, 4), Tile(64, 32, 8, 4, 4), Tile(128, 32, 4, 8, 4)),
}
WEIGHT_TILES: dict[str, Tiles] = {
    "float32": (Tile(64, 64, 8, 8, 8), Tile(32, 64, 8, 4, 8)),
    "float64": (Tile(64, 64, 8, 8, 4), Tile(32, 64, 8, 4, 4)),
}
SIMULATED_TILE = Tile(8, 4, 2, 2, 2)
WELL_USED, LEAST_USED = 0.5, 0.25  # parts of the work that are not padding
BLOCKS = 264  # that keep a card busy: two for each multiprocessor of a large one
SLICED = 1024  # blocks wanted for a weight's derivative: they have fewer threads
# Positions of a weight's derivative that are worth a block, and that float32 may add up one after the other.
LEAST_SHARE, MOST_SHARE = 256, 16_384
MOST_SHARING = 4 if SIMULATED else SHARING  # threads that sum up one weight's derivative


def conv_sum(x: Any, w: Any, n: int, o: int, y: int, z: int, settings: Any) -> Any:
    """Return the sum of the products of one output element."""
    stride, padding, dilation, per_group = settings
    _, _, height, width = x.shape
    _, ins, kh, kw = w.shape
    first = o // per_group * ins
    total = real(0)
    for c in range(ins):
        for i in range(kh):
            r = y * stride[0] + i * dilation[0] - padding[0]
            if 0 <= r < height:
                for j in range(kw):
                    k = z * stride[1] + j * dilation[1] - padding[2]
                    if 0 <= k < width:
                        total += x[n, first + c, r, k] * w[o, c, i, j]
    return total


def conv_elements(out: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Convolve: a thread sums the products of one output element."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = image_element(t, outs, rows, cols)
        out[n, o, y, z] = conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups))


def conv_activation_elements(
    out: Any, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Convolve, add the bias of the channel, and activate."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = image_element(t, outs, rows, cols)
        out[n, o, y, z] = finish(
            conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups)) + b[o]
        )


def conv_grad_input_elements(
    out: Any, d: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Go back to the input: a thread sums over the outputs that read its input element."""
    _, channels, height, width = out.shape
    _, outs, rows, cols = d.shape
    _, ins, kh, kw = w.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, r, k = image_element(t, channels, height, width)
        per_group = outs // groups
        first = c // ins * per_group
        total = real(0)
        for o in range(first, first + per_group):
            for i in range(kh):
                y = reader(r, padding[0] - i * dilation[0], stride[0], rows)
                if y >= 0:
                    for j in range(kw):
                        z = reader(k, padding[2] - j * dilation[1], stride[1], cols)
                        if z >= 0:
                            total += d[n, o, y, z] * w[o, c % ins, i, j]
        out[n, c, r, k] = total


def conv_grad_weight_elements(
    out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Go back to the weight: the threads of a block share the positions at which one weight was used."""
    cache = cuda.shared.array(SHARING, real)
    outs, ins, kh, kw = out.shape
    batch, _, height, width = x.shape
    _, _, rows, cols = d.shape
    o, c, i, j = image_element(cuda.blockIdx.x, ins, kh, kw)
    channel = o // (outs // groups) * ins + c
    part = real(0)
    for t in range(cuda.threadIdx.x, batch * rows * cols, cuda.blockDim.x):
        y, z = t // cols % rows, t % cols
        r = y * stride[0] + i * dilation[0] - padding[0]
        k = z * stride[1] + j * dilation[1] - padding[2]
        if 0 <= r < height and 0 <= k < width:
            n = t // (rows * cols)
            part += x[n, channel, r, k] * d[n, o, y, z]
    total = block_sum(cache, part)
    if cuda.threadIdx.x == 0:
        out[o, c, i, j] = total


def tile_for(tiles: Tiles, layers: int, rows: int, cols: int, depth: int) -> Tile | None:
    """Return how a block computes ``layers`` products of a size, or None where they would be mostly padding.

    It is the first tile that wastes little and gives the card blocks enough, or else the one that wastes least. One
    that wastes more than half still beats a thread per element if there are many.

    Args:
        tiles: The first reads least for what it computes.
        layers: How many products.
        rows: Positions, or for the weight its output channels.
        cols: Channels of the result, or for the weight its other elements.
        depth: Channels that are summed over; the window multiplies them and is no padding. For the weight, positions.
    """
    used = {tile: tile.used(rows, cols, depth) for tile in tiles}
    enough = [tile for tile in tiles if layers * tile.needed(rows, cols) >= BLOCKS]
    for tile in enough:
        if used[tile] > WELL_USED:
            return tile
    best = max(tiles, key=lambda tile: (used[tile], tile.needed(rows, cols)))
    return best if used[best] > WELL_USED or (used[best] >= LEAST_USED and best in enough) else None


def share_of(tile: Tile, tiles: int, positions: int) -> int:
    """Return how many positions a block sums over, so that there are blocks enough and each has work."""
    share = min(max(-(-positions * tiles // SLICED), LEAST_SHARE), MOST_SHARE)
    return -(-share // tile.depth) * tile.depth


def _tile(tiles: dict[str, Tiles], dtype: Any, *sizes: int) -> Tile | None:
    tile = tile_for(tiles[np.dtype(dtype).name], *sizes)
    return SIMULATED_TILE if SIMULATED and tile else tile


def _shorts(*numbers: int) -> tuple[Any, ...]:
    # A card counts with 32 bits twice as fast as with 64.
    return tuple(map(short, numbers))


@functools.lru_cache(1024)
def _plan(
    dtype: Any, reverse: bool, biased: bool, out: Shape, x: Shape, w: Shape,
    params: ConvParams, finish: Fn,
) -> Plan | None:  # fmt: skip
    """Return kernel, grid and what follows the arrays; None where a thread computes a element."""
    stride, padding, dilation, groups = params
    (batch, outs, *size), (_, ins, *x_size), window = out, x, w[2:]
    phases = stride if reverse else (1, 1)
    rows = batch * math.prod(-(-size[k] // phases[k]) for k in (0, 1))
    layers = math.prod(phases) * groups
    tile = _tile(TILES, dtype, layers, rows, outs // groups, ins // groups)
    if tile is None:
        return None
    every = [stride[k] // math.gcd(stride[k], dilation[k]) if reverse else 1 for k in (0, 1)]
    down, across = (
        _shorts(size[k], x_size[k], window[k], stride[k], padding[2 * k], dilation[k], every[k])
        for k in (0, 1)
    )
    sizes = _shorts(batch, groups, ins // groups, outs // groups)
    made = kernel(shaped(conv_gemm, tile, dtype), dtype, finish=finish)
    grid = (layers * tile.needed(rows, outs // groups), tile.threads)
    return made, grid, (biased, reverse, sizes, down, across)


@functools.lru_cache(1024)
def _plan_weight(dtype: Any, out: Shape, x: Shape, d: Shape, params: ConvParams) -> tuple[Plan, int] | None:
    """Return the same for the weight, and the number of slices."""
    stride, padding, dilation, groups = params
    (outs, ins, *window), (batch, _, *x_size), size = out, x, d[2:]
    positions, rows, cols = batch * math.prod(size), outs // groups, ins * math.prod(window)
    # Slices give the card blocks enough, so that any tile has them.
    tile = _tile(WEIGHT_TILES, dtype, BLOCKS, rows, cols, positions)
    if tile is None:
        return None
    tiles = groups * tile.needed(rows, cols)
    share = share_of(tile, tiles, positions)
    slices = max(1, -(-positions // share))
    down, across = (
        _shorts(size[k], x_size[k], window[k], stride[k], padding[2 * k], dilation[k]) for k in (0, 1)
    )
    made = kernel(shaped(conv_weight_gemm, tile, dtype), dtype)
    tail = (_shorts(batch, groups, ins, rows), down, across, *_shorts(share))
    return (made, (tiles * slices, tile.threads), tail), slices


def _direct(
    op: str,
    elements: Fn,
    grid: tuple[int, int],
    out: Block,
    operands: tuple[Block, ...],
    *rest: Any,
    **fns: Fn,
) -> None:
    arrays = [storage.reshape(shape) for storage, shape in (out, *operands)]
    launch(op, [a.shape for a in arrays], kernel(elements, out[0].dtype, **fns), grid, *arrays, *rest)


def forward(out: Block, x: Block, w: Block, params: ConvParams) -> None:
    """Write the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C / groups, KH, KW) into ``out``."""
    op, dtype = "convolution", out[0].dtype
    plan = _plan(dtype, False, False, out[1], x[1], w[1], params, operators.id)
    if plan is None:
        _direct(op, conv_elements, blocks(out[0].size), out, (x, w), *params)
    else:
        made, grid, tail = plan
        launch(op, [x[1], w[1]], made, grid, out[0], x[0], w[0], w[0], *tail)


def forward_activation(out: Block, x: Block, w: Block, b: Block, params: ConvParams, finish: Fn) -> None:
    """Write an activation of the cross-correlation plus ``b`` (O,) into ``out``."""
    op, dtype = "convolution", out[0].dtype
    plan = _plan(dtype, False, True, out[1], x[1], w[1], params, finish)
    if plan is None:
        grid = blocks(out[0].size)
        _direct(op, conv_activation_elements, grid, out, (x, w, b), *params, finish=finish)
    else:
        made, grid, tail = plan
        launch(op, [x[1], w[1]], made, grid, out[0], x[0], w[0], b[0], *tail)


def grad_input(out: Block, d: Block, w: Block, params: ConvParams) -> None:
    """Write the derivative with respect to the input into ``out``."""
    op, dtype = "input gradient of a convolution", out[0].dtype
    plan = _plan(dtype, True, False, out[1], d[1], w[1], params, operators.id)
    if plan is None:
        _direct(op, conv_grad_input_elements, blocks(out[0].size), out, (d, w), *params)
    else:
        made, grid, tail = plan
        launch(op, [d[1], w[1]], made, grid, out[0], d[0], w[0], w[0], *tail)


def grad_weight(out: Block, x: Block, d: Block, params: ConvParams) -> None:
    """Write the derivative with respect to the weight into ``out``."""
    op, to, shapes = "weight gradient of a convolution", out[0], [x[1], d[1]]
    plan = _plan_weight(to.dtype, out[1], x[1], d[1], params)
    if plan is None:
        positions = d[1][0] * d[1][2] * d[1][3]
        grid = sharing(to.size, min(positions, MOST_SHARING))
        _direct(op, conv_grad_weight_elements, grid, out, (x, d), *params)
        return
    (made, grid, tail), slices = plan
    parts = to if slices == 1 else memory.empty(slices * to.size, to.dtype)
    launch(op, shapes, made, grid, parts, x[0], d[0], *tail)
    if slices > 1:
        launch(op, shapes, kernel(sum_shares, to.dtype), blocks(to.size), to, parts)
