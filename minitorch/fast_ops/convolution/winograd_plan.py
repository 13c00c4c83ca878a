"""Launches of the kernels in `winograd`: their layouts, and where their transforms read.

A launch depends on sizes, not on numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...runtime.types import Array, Pair
from .. import jit, simd, threads
from . import scratch
from .conv_plan import MOST_SUMMED_SHARES, share_count

CACHE_BYTES = 1_500_000  # bytes of transformed tiles that stay in a core's cache
SUMMED_TILES = 128  # tiles from which sums of their own pay


class WinogradLayout(NamedTuple):
    """Sizes that both kernels need. They take it as a plain tuple: see `conv_plan.TileLayout`.

    Attributes:
        group_images: Images that are transformed together.
        corner: Rows and columns of zeros above and to the left of the image.
        tile_rows: Rows of tiles in an image.
        tile_cols: Columns of tiles in an image.
        lanes: Elements of a vector register.
        channels: Output channels of a register tile.
        shares: Shares that the batch is divided into.
        scratch: Elements of a share's scratch memory.
    """

    group_images: int
    corner: Pair
    tile_rows: int
    tile_cols: int
    lanes: int
    channels: int
    shares: int
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
    """

    def __init__(
        self, batch: int, ins: int, outs: int, rows: int, cols: int, corner: Pair, itemsize: int, weight_grad: bool
    ) -> None:  # fmt: skip
        channels, lanes = simd.WIDE_CHANNELS, simd.VECTOR_BYTES // itemsize
        tile_rows, tile_cols = -(-rows // 4), -(-cols // 4)
        tiles = tile_rows * tile_cols
        self.padded_outs = -(-outs // channels) * channels
        self.columns = -(-ins // lanes) * lanes if weight_grad else ins
        cached = CACHE_BYTES // (
            36 * (self.columns + self.padded_outs) * itemsize
        )  # tiles that the cache holds
        # Whole images, so that no group computes tiles of images that it has not.
        most_images = max(1, max(3 * lanes, cached // lanes * lanes) // tiles)
        products = batch * rows * cols * ins * outs
        if weight_grad:
            shares = share_count(
                products, max(1, min(batch, batch * tiles // SUMMED_TILES, MOST_SUMMED_SHARES))
            )
        else:
            even = share_count(products, 4)  # so that two and four threads have equal numbers of shares
            shares = min(batch, -(-batch // (most_images * even)) * even)
        share_images = -(-batch // shares)
        group_images = -(-share_images // -(-share_images // most_images))
        plane_size = (tile_rows + 1) * group_images * tile_cols
        padded = -(-tile_rows * group_images * tile_cols // lanes) * lanes
        work = 4 * tile_cols + 48 + 24 * plane_size + 2 * padded + 40 * padded
        work += 36 * lanes * padded if weight_grad else 16 * padded
        work += 36 * (self.columns + self.padded_outs) * padded
        self.layout = WinogradLayout(
            group_images, corner, tile_rows, tile_cols, lanes, channels, shares, work
        )  # fmt: skip
        numbers = np.arange(max(ins, padded, 6), dtype=np.int64)
        below = group_images * tile_cols  # from a row of tiles to the next
        self.offsets = LineOffsets(
            np.array([0, plane_size, 2 * plane_size, 3 * plane_size, below, plane_size + below]),
            numbers[:6] * padded,
            numbers[:ins] * padded,
            numbers[:6] * 6 * self.padded_outs * padded,
            numbers[:4] * 4 * padded,
            numbers[:padded] * self.columns,
        )

    def run(self, loop: Any, dtype: Any, *operands: Any, **fns: Any) -> None:
        """Launch ``loop``."""
        kernel = jit.variant(loop, dtype, self.layout.shares > 1, **fns)
        pieces = scratch.pieces(min(self.layout.shares, threads.thread_count()), self.layout.scratch, dtype)
        kernel(*operands, *pieces, tuple(self.offsets), tuple(self.layout))
