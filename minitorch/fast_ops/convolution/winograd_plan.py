"""Launches of the kernels in `winograd`: their layouts, and where their transforms read.

A launch depends on sizes, not on numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...runtime.types import Array, Pair
from .. import jit, simd, threads
from . import scratch
from .conv_plan import MOST_SUMMED_SHARES, apart, share_count

CACHE_BYTES = 1_500_000  # bytes of transformed tiles that stay in a core's cache
SUMMED_TILES = 128  # tiles from which sums of their own pay
PART_OUTS = 128  # output channels for which input tiles are transformed once more, at least


class WinogradLayout(NamedTuple):
    """Sizes that both kernels need. They take it as a plain tuple: see `conv_plan.TileLayout`.

    Attributes:
        group_images: Images that are transformed together.
        band: Rows of tiles that are transformed together: all of them, unless an image's tiles exceed the cache.
        corner: Rows and columns of zeros above and to the left of the image.
        tile_rows: Rows of tiles in an image.
        tile_cols: Columns of tiles in an image.
        lanes: Elements of a vector register.
        channels: Output channels of a register tile.
        shares: Shares that the batch is divided into.
        parts: Parts that the blocks of output channels are divided into.
        padded: Elements from a line of tiles to the next, T.
        step: Elements from a frequency's tiles to the next frequency's.
        sums_step: Elements from a frequency's sums to the next; for the weight's gradient, from its transposed tiles.
        line_size: Elements of a row of pixels in scratch memory.
        planes_size: Elements of a channel of pixels in scratch memory.
        scratch: Elements of a share's scratch memory.
    """

    group_images: int
    band: int
    corner: Pair
    tile_rows: int
    tile_cols: int
    lanes: int
    channels: int
    shares: int
    parts: int
    padded: int
    step: int
    sums_step: int
    line_size: int
    planes_size: int
    scratch: int


class LineOffsets(NamedTuple):
    """Where the lines that a transform reads begin, counted from its first line; arrays of int64."""

    input_rows: Array  # the six rows of an input tile, in a column's planes
    lines: Array  # lines of T tiles that lie one after the other
    channels: Array  # the input channels of ``tiles``
    output_rows: Array  # the six row frequencies of ``sums``
    gradient_rows: Array  # the four rows of a tile of output gradients
    tiles: Array  # the lines of channels of transposed input tiles


class Launch:
    """The layout of one convolution: how many images lie side by side, and what scratch memory a share needs.

    Args:
        batch: Images.
        ins: Input channels.
        outs: Output channels.
        rows: Rows of the result.
        cols: Columns of the result.
        corner: Rows and columns of zeros above and to the left of the image.
        itemsize: Bytes of an element.
        weight_grad: Whether the layout is that of `winograd_weight_grad`.

    Attributes:
        layout: Sizes.
        offsets: Where lines begin.
        padded_outs: Output channels in whole blocks.
        columns: Input channels, for a weight's gradient in whole vectors.
        weights: The shape of the transformed weights: frequencies, blocks, elements of a block.
        partial_lines: Where the lines of `winograd_weights.weight_grads` begin.
    """

    def __init__(
        self, batch: int, ins: int, outs: int, rows: int, cols: int, corner: Pair, itemsize: int, weight_grad: bool
    ) -> None:  # fmt: skip
        channels, lanes = simd.WIDE_CHANNELS, simd.VECTOR_BYTES // itemsize
        tile_rows, tile_cols = -(-rows // 4), -(-cols // 4)
        tiles = tile_rows * tile_cols
        self.padded_outs = -(-outs // channels) * channels
        self.weights = (36, self.padded_outs // channels, apart(ins * channels, itemsize))
        self.columns = -(-ins // lanes) * lanes if weight_grad else ins
        cached = CACHE_BYTES // (
            36 * (self.columns + self.padded_outs) * itemsize
        )  # tiles that a cache holds
        most_tiles = max(3 * lanes, cached // lanes * lanes)
        products, parts = batch * rows * cols * ins * outs, 1
        if weight_grad:
            wished = share_count(products, MOST_SUMMED_SHARES)
            shares = share_count(products, max(1, min(batch, batch * tiles // SUMMED_TILES, wished)))
            parts = max(1, min(wished // shares, outs // PART_OUTS))
            # Each group reads and writes the sums once, and its tiles twice: there are to be more tiles than sums.
            part_outs = -(-self.padded_outs // channels // parts) * channels
            most_tiles = max(most_tiles, 3 * part_outs * self.columns // (part_outs + self.columns))
        # Whole images, so that no group computes tiles of images that it has not; or a band of one.
        most_images = max(1, most_tiles // tiles)
        band = -(-tile_rows // -(-tile_rows // max(1, most_tiles // tile_cols)))
        if not weight_grad:
            even = share_count(products, 4)  # so that two and four threads have equal numbers of shares
            shares = min(batch, -(-batch // (most_images * even)) * even)
        share_images = -(-batch // shares)
        group_images = -(-share_images // -(-share_images // most_images))
        plane_size = (band + 1) * group_images * tile_cols
        padded = apart(band * group_images * tile_cols, itemsize)
        # Whole vectors, so that lines of tiles do not cross the lines of a cache.
        line_size, planes_size = (-(-size // lanes) * lanes for size in (4 * tile_cols + 48, 24 * plane_size))
        planes_size += 2 * padded
        tile_line = apart(self.columns, itemsize)
        if weight_grad:
            step, sums_step = apart(lanes * padded, itemsize), apart(tile_line * padded, itemsize)
            others = 36 * (step + sums_step + part_outs * padded)
        else:
            step, sums_step = (apart(count * padded, itemsize) for count in (ins, self.padded_outs))
            others = 16 * padded + 36 * (step + sums_step)
        self.layout = WinogradLayout(
            group_images, band, corner, tile_rows, tile_cols, lanes, channels, shares, parts, padded, step, sums_step,
            line_size, planes_size, line_size + planes_size + 40 * padded + others,
        )  # fmt: skip
        numbers = np.arange(max(ins, padded, 6), dtype=np.int64)
        below = group_images * tile_cols  # from a row of tiles to the next
        self.offsets = LineOffsets(
            np.array([0, plane_size, 2 * plane_size, 3 * plane_size, below, plane_size + below]),
            numbers[:6] * padded,
            numbers[:ins] * padded,
            numbers[:6] * 6 * sums_step,
            numbers[:4] * 4 * padded,
            numbers[:padded] * tile_line,
        )
        self.partial_lines = (6 * self.columns * numbers[:6], self.columns * numbers[:6])

    def run(self, loop: Any, dtype: Any, *operands: Any, **fns: Any) -> None:
        """Launch ``loop``."""
        shares = self.layout.shares * self.layout.parts
        kernel = jit.variant(loop, dtype, shares > 1, **fns)
        pieces = scratch.pieces(min(shares, threads.thread_count()), self.layout.scratch, dtype)
        kernel(*operands, *pieces, tuple(self.offsets), tuple(self.layout))
