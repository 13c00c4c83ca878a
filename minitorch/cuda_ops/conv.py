"""Convolution of the CUDA backend: the choice of kernel, the launches, and direct kernels for few channels.

With x (N, C, H, W), w (O, C / groups, KH, KW), stride s, padding p, dilation e, and zeros outside of the input::

    out[n, o, y, z] = sum over c, i, j of x[n, c, y s + i e - p, z s + j e - p] * w[o, c, i, j]
    dx[n, c, r, k]  = sum over o, i, j of d[n, o, y, z] * w[o, c, i, j]  where  y s + i e - p = r, and z alike
    dw[o, c, i, j]  = sum over n, y, z of x[n, c, y s + i e - p, z s + j e - p] * d[n, o, y, z]

Where channels are many, tiles of `implicit_gemm` reuse each number they read; `tile_for` says when. The direct kernels
here serve the rest (LeNet, depthwise layers), in which a tile would be mostly padding:

- ``conv_elements``, ``conv_grad_input_elements``: a thread per element of the result, which gathers its sum.
  Neighbouring threads have neighbouring columns, so their reads are coalesced. 2 reads of memory (mostly from the
  cache) per fused multiply-add, 1 write.
- ``conv_grad_weight_elements``: a block per weight, whose threads share the N * H' * W' positions; `block_sum` adds
  them.

No two threads add to one element, so no atomics are needed, and every run gives the same bits.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import operators
from ..runtime.placeholders import activation, real
from ..runtime.types import ConvParams, Fn, Shape
from .device import memory
from .device.functions import block_sum, output_reading, unravel_image
from .device.launch import REDUCE_THREADS, block_per_row, blocks, kernel, launch
from .device.numba_cuda import SIMULATED, cuda
from .implicit_gemm import ConvTile, conv_gemm, conv_weight_gemm, int32, specialized, sum_weight_slices

Block = tuple[Any, Shape]  # a packed array on the device, and the shape of its elements
Plan = tuple[Any, tuple[int, int], tuple[Any, ...]]  # kernel, grid, arguments behind the arrays
Tiles = tuple[ConvTile, ...]

# The first of a dtype reads least for what it computes; the last is for few channels.
TILES: dict[str, Tiles] = {
    "float32": (ConvTile(128, 64, 8, 8, 8), ConvTile(64, 32, 8, 4, 4), ConvTile(128, 32, 4, 8, 4)),
    "float64": (ConvTile(64, 64, 8, 8, 4), ConvTile(64, 32, 8, 4, 4), ConvTile(128, 32, 4, 8, 4)),
}
WEIGHT_TILES: dict[str, Tiles] = {
    "float32": (ConvTile(64, 64, 8, 8, 8), ConvTile(32, 64, 8, 4, 8)),
    "float64": (ConvTile(64, 64, 8, 8, 4), ConvTile(32, 64, 8, 4, 4)),
}
SIMULATED_TILE = ConvTile(8, 4, 2, 2, 2)
GOOD_UTILIZATION, MIN_UTILIZATION = 0.5, 0.25  # parts of the work that are not padding
FULL_BLOCKS = 264  # that keep a card busy: two for each multiprocessor of a large one
FULL_WEIGHT_BLOCKS = 1024  # the same for a weight's gradient: its blocks have fewer threads
# Positions of a split-K slice of a weight's gradient: worth a block; and few enough to be added one by one in float32.
MIN_SLICE, MAX_SLICE = 256, 16_384
MAX_WEIGHT_THREADS = 4 if SIMULATED else REDUCE_THREADS  # threads that sum up one weight's gradient


def conv_sum(x: Any, w: Any, n: int, o: int, y: int, z: int, settings: Any) -> Any:
    """Return the sum of products of one output element; ``settings``: stride, padding, dilation, outputs per group."""
    stride, padding, dilation, outputs_per_group = settings
    _, _, height, width = x.shape
    _, ins, kh, kw = w.shape
    first_channel = o // outputs_per_group * ins
    total = real(0)
    for c in range(ins):
        for i in range(kh):
            row = y * stride[0] + i * dilation[0] - padding[0]
            if 0 <= row < height:
                for j in range(kw):
                    col = z * stride[1] + j * dilation[1] - padding[2]
                    if 0 <= col < width:
                        total += x[n, first_channel + c, row, col] * w[o, c, i, j]
    return total


def conv_elements(out: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Convolve: a thread per output element."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = unravel_image(t, outs, rows, cols)
        out[n, o, y, z] = conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups))


def conv_activation_elements(
    out: Any, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Convolve, add the bias of the channel, and activate: a thread per output element."""
    _, outs, rows, cols = out.shape
    t = cuda.grid(1)
    if t < out.size:
        n, o, y, z = unravel_image(t, outs, rows, cols)
        out[n, o, y, z] = activation(
            conv_sum(x, w, n, o, y, z, (stride, padding, dilation, outs // groups)) + b[o]
        )


def conv_grad_input_elements(
    out: Any, d: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Compute the input's gradient: a thread sums over the outputs that read its input element."""
    _, channels, height, width = out.shape
    _, outs, rows, cols = d.shape
    _, ins, kh, kw = w.shape
    t = cuda.grid(1)
    if t < out.size:
        n, c, row, col = unravel_image(t, channels, height, width)
        outputs_per_group = outs // groups
        first_output = c // ins * outputs_per_group
        total = real(0)
        for o in range(first_output, first_output + outputs_per_group):
            for i in range(kh):
                y = output_reading(row, padding[0] - i * dilation[0], stride[0], rows)
                if y >= 0:
                    for j in range(kw):
                        z = output_reading(col, padding[2] - j * dilation[1], stride[1], cols)
                        if z >= 0:
                            total += d[n, o, y, z] * w[o, c % ins, i, j]
        out[n, c, row, col] = total


def conv_grad_weight_elements(
    out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    """Compute the weight's gradient: the threads of a block share the positions at which one weight is used."""
    cache = cuda.shared.array(REDUCE_THREADS, real)
    outs, ins, kh, kw = out.shape
    batch, _, height, width = x.shape
    _, _, rows, cols = d.shape
    o, c, i, j = unravel_image(cuda.blockIdx.x, ins, kh, kw)
    channel = o // (outs // groups) * ins + c
    partial = real(0)
    for t in range(cuda.threadIdx.x, batch * rows * cols, cuda.blockDim.x):
        y, z = t // cols % rows, t % cols
        row = y * stride[0] + i * dilation[0] - padding[0]
        col = z * stride[1] + j * dilation[1] - padding[2]
        if 0 <= row < height and 0 <= col < width:
            n = t // (rows * cols)
            partial += x[n, channel, row, col] * d[n, o, y, z]
    total = block_sum(cache, partial)
    if cuda.threadIdx.x == 0:
        out[o, c, i, j] = total


# The choice of a kernel


def tile_for(tiles: Tiles, products: int, rows: int, cols: int, depth: int) -> ConvTile | None:
    """Return how a block computes ``products`` products of a size, or None where tiles would be mostly padding.

    It is the first tile that wastes little and gives the card blocks enough, or else the one that wastes least. One
    that wastes more than half still beats a thread per element if there are many blocks.

    Args:
        tiles: The first reads least for what it computes.
        products: How many products: groups, times the phases of an input gradient.
        rows: Positions, or for the weight its output channels.
        cols: Channels of the result, or for the weight its other elements.
        depth: Channels that are summed over; the window multiplies them and is no padding. For the weight, positions.
    """
    used = {tile: tile.utilization(rows, cols, depth) for tile in tiles}
    enough = [tile for tile in tiles if products * tile.number_covering(rows, cols) >= FULL_BLOCKS]
    for tile in enough:
        if used[tile] > GOOD_UTILIZATION:
            return tile
    best = max(tiles, key=lambda tile: (used[tile], tile.number_covering(rows, cols)))
    return (
        best if used[best] > GOOD_UTILIZATION or (used[best] >= MIN_UTILIZATION and best in enough) else None
    )


def slice_size(tile: ConvTile, tiles: int, positions: int) -> int:
    """Return how many positions a split-K slice has, so that there are blocks enough and each has work."""
    size = min(max(-(-positions * tiles // FULL_WEIGHT_BLOCKS), MIN_SLICE), MAX_SLICE)
    return -(-size // tile.depth) * tile.depth


def _tile(tiles: dict[str, Tiles], dtype: Any, *sizes: int) -> ConvTile | None:
    tile = tile_for(tiles[np.dtype(dtype).name], *sizes)
    return SIMULATED_TILE if SIMULATED and tile else tile


def _narrowed(*numbers: int) -> tuple[Any, ...]:
    # A card computes with 32 bits twice as fast as with 64.
    return tuple(map(int32, numbers))


@functools.lru_cache(1024)
def _plan(
    dtype: Any, reverse: bool, biased: bool, out: Shape, x: Shape, w: Shape,
    params: ConvParams, activation: Fn,
) -> Plan | None:  # fmt: skip
    """Return the plan of a convolution or of an input gradient; None where a thread computes an element."""
    stride, padding, dilation, groups = params
    (batch, outs, *size), (_, ins, *x_size), window = out, x, w[2:]
    phases = stride if reverse else (1, 1)
    rows = batch * math.prod(-(-size[k] // phases[k]) for k in (0, 1))
    products = math.prod(phases) * groups
    tile = _tile(TILES, dtype, products, rows, outs // groups, ins // groups)
    if tile is None:
        return None
    every = [stride[k] // math.gcd(stride[k], dilation[k]) if reverse else 1 for k in (0, 1)]
    vertical, horizontal = (
        _narrowed(size[k], x_size[k], window[k], stride[k], padding[2 * k], dilation[k], every[k])
        for k in (0, 1)
    )
    sizes = _narrowed(batch, groups, ins // groups, outs // groups)
    made = kernel(specialized(conv_gemm, tile, dtype), dtype, activation=activation)
    grid = (products * tile.number_covering(rows, outs // groups), tile.threads)
    return made, grid, (biased, reverse, sizes, vertical, horizontal)


@functools.lru_cache(1024)
def _plan_weight(dtype: Any, out: Shape, x: Shape, d: Shape, params: ConvParams) -> tuple[Plan, int] | None:
    """Return the plan of a weight gradient, and the number of split-K slices."""
    stride, padding, dilation, groups = params
    (outs, ins, *window), (batch, _, *x_size), size = out, x, d[2:]
    positions, rows, cols = batch * math.prod(size), outs // groups, ins * math.prod(window)
    # Slices give the card blocks enough, so that any tile has them.
    tile = _tile(WEIGHT_TILES, dtype, FULL_BLOCKS, rows, cols, positions)
    if tile is None:
        return None
    tiles = groups * tile.number_covering(rows, cols)
    slice_positions = slice_size(tile, tiles, positions)
    slices = max(1, -(-positions // slice_positions))
    vertical, horizontal = (
        _narrowed(size[k], x_size[k], window[k], stride[k], padding[2 * k], dilation[k]) for k in (0, 1)
    )
    made = kernel(specialized(conv_weight_gemm, tile, dtype), dtype)
    settings = (_narrowed(batch, groups, ins, rows), vertical, horizontal, *_narrowed(slice_positions))
    return (made, (tiles * slices, tile.threads), settings), slices


# Launches


def _direct(
    op: str, elements: Fn, grid: tuple[int, int], out: Block, operands: tuple[Block, ...], *settings: Any, **fns: Fn
) -> None:  # fmt: skip
    arrays = [storage.reshape(shape) for storage, shape in (out, *operands)]
    launch(op, [a.shape for a in arrays], kernel(elements, out[0].dtype, **fns), grid, *arrays, *settings)


def forward(out: Block, x: Block, w: Block, params: ConvParams) -> None:
    """Write the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C / groups, KH, KW) into ``out``."""
    op, dtype = "convolution", out[0].dtype
    plan = _plan(dtype, False, False, out[1], x[1], w[1], params, operators.id)
    if plan is None:
        _direct(op, conv_elements, blocks(out[0].size), out, (x, w), *params)
    else:
        made, grid, settings = plan
        launch(op, [x[1], w[1]], made, grid, out[0], x[0], w[0], w[0], *settings)


def forward_activation(
    out: Block, x: Block, w: Block, b: Block, params: ConvParams, activation: Fn
) -> None:  # fmt: skip
    """Write an activation of the cross-correlation plus ``b`` (O,) into ``out``."""
    op, dtype = "convolution", out[0].dtype
    plan = _plan(dtype, False, True, out[1], x[1], w[1], params, activation)
    if plan is None:
        grid = blocks(out[0].size)
        _direct(op, conv_activation_elements, grid, out, (x, w, b), *params, activation=activation)
    else:
        made, grid, settings = plan
        launch(op, [x[1], w[1]], made, grid, out[0], x[0], w[0], b[0], *settings)


def grad_input(out: Block, d: Block, w: Block, params: ConvParams) -> None:
    """Write the gradient with respect to the input into ``out``; ``d`` is that of the output."""
    op, dtype = "input gradient of a convolution", out[0].dtype
    plan = _plan(dtype, True, False, out[1], d[1], w[1], params, operators.id)
    if plan is None:
        _direct(op, conv_grad_input_elements, blocks(out[0].size), out, (d, w), *params)
    else:
        made, grid, settings = plan
        launch(op, [d[1], w[1]], made, grid, out[0], d[0], w[0], w[0], *settings)


def grad_weight(out: Block, x: Block, d: Block, params: ConvParams) -> None:
    """Write the gradient with respect to the weight into ``out``; ``d`` is that of the output."""
    op, target, shapes = "weight gradient of a convolution", out[0], [x[1], d[1]]
    plan = _plan_weight(target.dtype, out[1], x[1], d[1], params)
    if plan is None:
        positions = d[1][0] * d[1][2] * d[1][3]
        grid = block_per_row(target.size, min(positions, MAX_WEIGHT_THREADS))
        _direct(op, conv_grad_weight_elements, grid, out, (x, d), *params)
        return
    (made, grid, settings), slices = plan
    partial_sums = target if slices == 1 else memory.empty(slices * target.size, target.dtype)
    launch(op, shapes, made, grid, partial_sums, x[0], d[0], *settings)
    if slices > 1:
        made = kernel(sum_weight_slices, target.dtype)
        launch(op, shapes, made, blocks(target.size), target, partial_sums)
