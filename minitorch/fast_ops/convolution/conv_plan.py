"""Launches of the convolution kernels in `conv`: their layouts, and which taps read and write where.

A plan depends on sizes and settings, not on numbers, so it is computed once and remembered.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from ...runtime.types import Array, ConvParams, Pair, Shape
from .. import jit, simd

# Bytes of images that are multiplied at a time: most of them stay in a core's nearest caches.
SCRATCH_BYTES = 96 * 1024
BAND_BYTES = 256 * 1024  # of images that a band reads, for all blocks of channels one after the other
BAND_VECTORS = 24  # vectors of pixels of a band, at least
DOT_VECTORS = 64  # vectors of pixels that a dot tile runs over, at least, if their images fit BAND_BYTES
FEW_IMAGES = 16  # images below which threads share them
PART_PRODUCTS = 128  # products for each pixel that a part copies, at least
TRANSPOSED_PRODUCTS = (
    256  # products for each pixel from which to transpose it pays; a part has four times as many
)
PACKED_PIXELS = 2048  # pixels of a result for which weights are packed
PACKED_WEIGHTS = 4096  # weights so few that they are packed for any result
PART_CHANNELS = 16  # channels of a part that reads pixels where they lie, at least
MOST_SHARES = 32
MOST_SUMMED_SHARES = 8  # shares with sums of their own, which are added up
PASS_PIXELS = 128  # pixels multiplied together: two vectors of channels of each fit a core's nearest cache
SUMMED_PIXELS = 512  # pixels of a result from which sums of their own pay


def apart(size: int, itemsize: int) -> int:
    """Return ``size`` elements or some more: an odd number of a cache's lines of 64 bytes.

    Dozens of streams that begin a power of two apart would meet in a few sets of a cache, and drive one another out.
    """
    line = 64 // itemsize
    return (-(-size // line) | 1) * line


def share_count(products: int, most: int) -> int:
    """Return the largest power of two of shares that leaves each half of `jit.SERIAL` products, up to ``most``.

    It depends on the work alone, not on the threads, as results depend on it.
    """
    return 1 << (max(1, min(2 * products // jit.SERIAL, most)).bit_length() - 1)


class TileLayout(NamedTuple):
    """Sizes of `conv_tiles`. A pair is (vertical, horizontal).

    Kernels take layouts as plain tuples and unpack them first: to pass a NamedTuple itself costs Numba some
    2 microseconds a launch, a tuple as little as its numbers one by one.

    Attributes:
        groups: Groups of channels.
        lanes: Elements of a vector register.
        shares: Shares that the bands of all images are divided into.
        parts: Parts that the blocks of output channels are divided into.
        bands: Bands of rows that an image is divided into.
        band_rows: Rows of the result in a band.
        direct: Whether the image is read where it lies: no scratch image.
        phases: Phases that the scratch image is split into: the stride of a forward convolution.
        corner: Rows and columns of zeros above and to the left of the image.
        padded_height: Rows of a phase's plane.
        padded_width: Columns of a phase's plane.
        rows: Rows that are computed.
        cols: Columns that are computed.
        out_corner: The first pixel of the result that is written.
        out_stride: Rows and columns from one pixel that is written to the next.
    """

    groups: int
    lanes: int
    shares: int
    parts: int
    bands: int
    band_rows: int
    direct: bool
    phases: Pair
    corner: Pair
    padded_height: int
    padded_width: int
    rows: int
    cols: int
    out_corner: Pair
    out_stride: Pair


class DotLayout(NamedTuple):
    """Sizes of `dot_tiles`; see `TileLayout`. ``chunk`` is how many images are multiplied at a time."""

    groups: int
    lanes: int
    shares: int
    parts: int
    chunk: int
    phases: Pair
    corner: Pair
    padded_height: int
    padded_width: int


class TapPlan(NamedTuple):
    """Some taps of a convolution, and where they read and write; see `TileLayout`.

    Attributes:
        taps: Numbers of the taps in a weight (KH, KW), flattened.
        offsets: Where each tap of each input channel reads, from the first pixel of the scratch image on.
        corner: See `TileLayout`, as for the following fields.
    """

    taps: Array
    offsets: Array
    corner: Pair
    padded_height: int
    padded_width: int
    rows: int
    cols: int
    out_corner: Pair

    def banded(self, height: int) -> Array:
        """Return the offsets where planes have ``height`` rows."""
        plane = self.offsets // (self.padded_height * self.padded_width)
        return self.offsets - plane * (self.padded_height - height) * self.padded_width


def forward_plan(size: Pair, kernel: Pair, channels: int, params: ConvParams, multiple: int = 1) -> TapPlan:
    """Return the plan of a forward convolution, for all taps of all input channels of a group.

    Args:
        size: Rows and columns of the result.
        kernel: Rows and columns of the weight.
        channels: Input channels of a group.
        params: The settings of the convolution.
        multiple: The offsets are filled up, with zeros, to a multiple of this.
    """
    stride, padding, dilation, _ = params
    spans = [dilation[k] * (kernel[k] - 1) for k in (0, 1)]
    height, width = (size[k] + spans[k] // stride[k] for k in (0, 1))
    offsets = []
    for c in range(channels):
        for i in range(kernel[0]):
            for j in range(kernel[1]):
                y, z = i * dilation[0], j * dilation[1]
                plane = (c * stride[0] + y % stride[0]) * stride[1] + z % stride[1]
                offsets.append(plane * height * width + y // stride[0] * width + z // stride[1])
    offsets += [0] * (-len(offsets) % multiple)
    taps = np.arange(math.prod(kernel), dtype=np.int64)
    corner = (padding[0], padding[2])
    return TapPlan(taps, np.array(offsets, np.int64), corner, height, width, *size, (0, 0))


def taps_of_phase(
    length: int, kernel: int, phase: int, padding: int, stride: int, dilation: int
) -> tuple[list[Pair], int]:
    """Return what reaches pixels ``phase``, ``phase + stride``, ... of an axis of the input.

    Returns:
        Pairs (tap, the output's row whose product with it belongs to the first of these pixels), and their count.
    """
    rows = [(i, phase + padding - i * dilation) for i in range(kernel)]
    return [(i, row // stride) for i, row in rows if row % stride == 0], -(-(length - phase) // stride)


def input_grad_plan(size: Pair, kernel: Pair, outs: int, params: ConvParams) -> list[TapPlan]:
    """Return the plan of each phase of the input's derivative.

    Args:
        size: Rows and columns of the input.
        kernel: Rows and columns of the weight.
        outs: Output channels of a group.
        params: The settings of the convolution.
    """
    stride, padding, dilation, _ = params
    plans: list[TapPlan] = []
    for a in range(min(stride[0], size[0])):
        for b in range(min(stride[1], size[1])):
            down, rows = taps_of_phase(size[0], kernel[0], a, padding[0], stride[0], dilation[0])
            across, cols = taps_of_phase(size[1], kernel[1], b, padding[2], stride[1], dilation[1])
            top, left = (max([0, *(-row for _, row in taps)]) for taps in (down, across))
            height = rows + max([0, *(row + top for _, row in down)])
            width = cols + max([0, *(col + left for _, col in across)])
            taps = np.array([i * kernel[1] + j for i, _ in down for j, _ in across], np.int64)
            offsets = [
                o * height * width + (row + top) * width + col + left
                for o in range(outs)
                for _, row in down
                for _, col in across
            ]
            plans.append(
                TapPlan(taps, np.array(offsets, np.int64), (top, left), height, width, rows, cols, (a, b))
            )
    return plans


def walked_params(params: ConvParams, rows: int, cols: int) -> tuple[Pair, ConvParams]:
    """Return stride and settings with a stride of 1 where the result has one row or column, so that nobody walks it.

    A scratch image has a phase for each step of the stride, so its size would grow with a stride of any size.
    """
    stride = params.stride
    if (rows == 1 and stride[0] > 1) or (cols == 1 and stride[1] > 1):
        stride = (1 if rows == 1 else stride[0], 1 if cols == 1 else stride[1])
        params = params._replace(stride=stride)
    return stride, params


class TileLaunch(NamedTuple):
    """What `conv_tiles` is called with beside arrays of numbers.

    Attributes:
        taps: See `TapPlan`; none for a phase of an input's derivative that is 0.
        w_strides: Elements between the weights of two groups, two results and two inputs.
        offsets: See `TapPlan`.
        packed: Elements of all weights in blocks of channels; 0 if those of a channel lie in the order of the offsets
            and are read from there.
        channels: Output channels of a register tile.
        layout: Sizes.
    """

    taps: Array
    w_strides: tuple[int, int, int]
    offsets: Array
    packed: int
    channels: int
    layout: TileLayout


def _band_rows(rows: int, halo: int, row_bytes: int, most: int) -> int:
    """Return how many rows of a result are computed at a time, so that what they read stays in a core's caches.

    Args:
        rows: Rows of the result.
        halo: Rows that are read beyond those of a band.
        row_bytes: Bytes that are read for a row.
        most: How many bands threads can use.
    """
    cached = max(BAND_BYTES // row_bytes - halo, 2 * halo, 1)
    return -(-rows // max(-(-rows // cached), min(most, rows)))


def _tile_launch(
    batch: int, outs: int, ins: int, groups: int, w_strides: tuple[int, int, int], plan: TapPlan, phases: Pair,
    out_stride: Pair, itemsize: int, packs: bool, direct: bool,
) -> TileLaunch:  # fmt: skip
    """Choose register tile, bands and shares for ``outs`` output channels in ``groups`` groups of ``ins`` inputs."""
    count, group_outs, lanes = len(plan.offsets), outs // groups, simd.VECTOR_BYTES // itemsize
    channels = simd.WIDE_CHANNELS if group_outs > simd.NARROW_CHANNELS else simd.NARROW_CHANNELS
    # To pack takes about as long as some products with each weight.
    packs = (
        packs
        or group_outs < channels
        or batch * plan.rows * plan.cols >= PACKED_PIXELS
        or outs * count <= PACKED_WEIGHTS
    )
    blocks = groups * -(-group_outs // channels)
    pixels = plan.rows * plan.padded_width
    wished = share_count(batch * pixels * outs * count, MOST_SHARES)
    images, row_bytes = max(batch, 1), ins * phases[0] * phases[1] * plan.padded_width * itemsize
    # Threads get images first. Where these are few, they get groups, then bands of rows, then blocks of channels: each
    # part copies all pixels that it reads, which has to be little beside its products.
    needed = wished // images if images < FEW_IMAGES else 1
    split_groups = min(needed, groups)
    usable = min(needed // max(split_groups, 1), pixels // (BAND_VECTORS * lanes))
    halo = plan.padded_height - plan.rows
    band_rows = _band_rows(plan.rows, halo, row_bytes, usable) if halo < plan.rows else plan.rows
    # Vectors of an image itself end with its last pixel, so each band has to be that long.
    direct = direct and (plan.rows % band_rows or band_rows) * plan.cols >= 3 * lanes
    bands = -(-plan.rows // band_rows)
    shares = min(wished, images * bands)
    worth = outs // PART_CHANNELS if direct else outs * count // (ins * PART_PRODUCTS)
    parts = max(1, split_groups, min(needed * images // shares, blocks, worth))
    layout = TileLayout(
        groups, lanes, shares, parts, bands, band_rows, direct, phases, plan.corner,
        plan.padded_height if direct else band_rows + halo, plan.padded_width, plan.rows, plan.cols, plan.out_corner,
        out_stride,
    )  # fmt: skip
    offsets = plan.offsets if direct or bands == 1 else plan.banded(band_rows + halo)
    return TileLaunch(
        plan.taps, w_strides, offsets, blocks * channels * count if packs else 0, channels, layout
    )


@functools.lru_cache(maxsize=512)
def forward_launch(out: Shape, w: Shape, params: ConvParams, itemsize: int) -> TileLaunch:
    """Return the launch of a forward convolution.

    Args:
        out: Shape of the result (N, O, H', W').
        w: Shape of the weight (O, C / groups, KH, KW).
        params: The settings of the convolution.
        itemsize: Bytes of an element.
    """
    stride, params = walked_params(params, *out[2:])
    plan = forward_plan((out[2], out[3]), (w[2], w[3]), w[1], params)
    taps = w[2] * w[3]
    w_strides = (math.prod(w) // params.groups, w[1] * taps, taps)
    direct = w[2:] == (1, 1) and stride == (1, 1) and params.padding == (0, 0, 0, 0)
    return _tile_launch(
        out[0], out[1], w[1], params.groups, w_strides, plan, stride, (1, 1), itemsize, packs=False, direct=direct
    )  # fmt: skip


@functools.lru_cache(maxsize=512)
def input_grad_launches(
    out: Shape, w: Shape, params: ConvParams, itemsize: int, gated: bool
) -> list[TileLaunch]:
    """Return the launch of each phase of the input's derivative ``out`` (N, C, H, W); see `forward_launch`.

    ``gated`` says that ReLU's gradient is applied to what is read.
    """
    groups, taps = params.groups, w[2] * w[3]
    w_strides = (math.prod(w) // groups, taps, w[1] * taps)
    direct = not gated and taps == 1 and params.stride == (1, 1) and params.padding == (0, 0, 0, 0)
    return [
        _tile_launch(
            out[0],
            out[1],
            w[0] // groups,
            groups,
            w_strides,
            plan,
            (1, 1),
            params.stride,
            itemsize,
            packs=True,
            direct=direct,
        )
        for plan in input_grad_plan((out[2], out[3]), (w[2], w[3]), w[0] // groups, params)
    ]


@functools.lru_cache(maxsize=512)
def weight_grad_launch(d: Shape, w: Shape, params: ConvParams, itemsize: int) -> tuple[Array, int, DotLayout]:
    """Return offsets (see `TapPlan`), sums per share, and layout of the derivative by a weight of shape ``w``.

    Args:
        d: Shape of the output's gradient (N, O, H', W').
        w: See `forward_launch`.
        params: See `forward_launch`.
        itemsize: See `forward_launch`.
    """
    batch, rows, cols = d[0], d[2], d[3]
    stride, params = walked_params(params, rows, cols)
    plan = forward_plan((rows, cols), (w[2], w[3]), w[1], params, simd.DOT_TAPS)
    pixels = batch * rows * cols
    wished = share_count(pixels * math.prod(w), MOST_SUMMED_SHARES)
    shares = share_count(pixels * math.prod(w), max(1, min(batch, pixels // SUMMED_PIXELS, wished)))
    blocks = -(-(w[0] // params.groups) // simd.DOT_CHANNELS)
    padded_outs = blocks * simd.DOT_CHANNELS
    # Each part copies the images of its groups: many groups are divided, or many products for each pixel.
    worth = max(params.groups, w[0] * w[2] * w[3] // PART_PRODUCTS)
    parts = max(1, min(wished // shares, params.groups * blocks, worth))
    image = w[1] * stride[0] * stride[1] * plan.padded_height * plan.padded_width
    image_bytes = (image + padded_outs * rows * plan.padded_width) * itemsize
    # A tile's sums are added up over their lanes once for so many images: for few pixels that takes a large part.
    vectors = -(-(rows * plan.padded_width) * itemsize // simd.VECTOR_BYTES)
    cached = max(SCRATCH_BYTES // image_bytes, min(-(-DOT_VECTORS // vectors), BAND_BYTES // image_bytes))
    chunk = max(1, min(-(-batch // shares), cached))
    layout = DotLayout(
        params.groups, simd.VECTOR_BYTES // itemsize, shares, parts, chunk, stride, plan.corner, plan.padded_height,
        plan.padded_width,
    )  # fmt: skip
    return plan.offsets, params.groups * padded_outs * len(plan.offsets), layout


class PixelLayout(NamedTuple):
    """Sizes of `pixel_tiles`; see `TileLayout` and `DotLayout`. ``line`` is the elements from a pixel to the next."""

    groups: int
    lanes: int
    shares: int
    parts: int
    chunk: int
    corner: Pair
    padded_height: int
    padded_width: int
    line: int


def multiplies_pixels(w: Shape, params: ConvParams, itemsize: int) -> bool:
    """Return whether `pixel_tiles` is the faster kernel for the gradient of a weight of shape ``w``.

    It is if input channels fill a vector, and each pixel takes part in so many products that its way is worth while.
    """
    return (
        w[1] >= simd.VECTOR_BYTES // itemsize and w[0] // params.groups * w[2] * w[3] >= TRANSPOSED_PRODUCTS
    )


@functools.lru_cache(maxsize=512)
def pixel_launch(
    x: Shape, d: Shape, w: Shape, params: ConvParams, itemsize: int
) -> tuple[Array, Array, int, PixelLayout]:
    """Return pixels, taps, sums per share, and layout of `pixel_tiles`; see `weight_grad_launch`."""
    batch, rows, cols = d[0], d[2], d[3]
    (down, across), (top, _, left, _), dilation, groups = params
    lanes, taps, size = simd.VECTOR_BYTES // itemsize, w[2] * w[3], rows * cols
    outs, ins = w[0] // groups, w[1]
    products = batch * size * math.prod(w)
    wished = share_count(products, MOST_SUMMED_SHARES)
    shares = share_count(products, max(1, min(batch, batch * size // SUMMED_PIXELS, wished)))
    blocks = -(-outs // simd.WIDE_CHANNELS)
    worth = max(groups, w[0] * taps // (4 * TRANSPOSED_PRODUCTS))
    parts = max(1, min(wished // shares, groups * blocks, worth))
    # Pixels that no window reaches are copied too; windows reach zeros behind them.
    height = max(x[2] + top, (rows - 1) * down + dilation[0] * (w[2] - 1) + 1)
    width = max(x[3] + left, (cols - 1) * across + dilation[1] * (w[3] - 1) + 1)
    columns = -(-ins // lanes) * lanes
    line = apart(columns, itemsize)
    chunk = max(1, min(-(-batch // shares), PASS_PIXELS // size))
    b, y, z = np.ogrid[:chunk, :rows, :cols]
    pixels = ((b * height + y * down) * width + z * across) * line
    i, j = np.ogrid[: w[2], : w[3]]
    reads = (i * dilation[0] * width + j * dilation[1]) * line
    layout = PixelLayout(groups, lanes, shares, parts, chunk, (top, left), height, width, line)
    sums = groups * blocks * simd.WIDE_CHANNELS * taps * columns
    return pixels.ravel().astype(np.int64), reads.ravel().astype(np.int64), sums, layout
