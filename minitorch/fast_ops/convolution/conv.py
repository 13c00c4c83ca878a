"""General 2-D convolution of the Numba backend: stride, padding, dilation and groups, forward and backward.

The formula, for output channel o of a group with C input channels (cross-correlation, as in PyTorch):

    out[n, o, y, z] = sum over c, i, j of  w[o, c, i, j] * x[n, c, y * stride + i * dilation - top, ... - left]

**A padded scratch image.** A share (`shares`) copies one image into scratch memory whose margins hold zeros. After that
no read is out of bounds, and row y + 1 of the image lies a constant ``padded_width`` behind row y:

    scratch (padded_height x padded_width)          in memory, one row after the other
        0 0 0 0 0 0
        0 a b c d 0                                 0 0 0 0 0 0 0 a b c d 0 0 e f g h 0 0 0 0 0 0 0
        0 e f g h 0
        0 0 0 0 0 0

**Shifted taps.** Weight (c, i, j), a tap, multiplies the pixel that lies (i * padded_width + j) elements behind the
one of tap (0, 0), for all pixels of the result alike. So the sum over taps is a sum of *shifted copies of one flat
array*. For a 3x3 weight and rows of 6, the result (2 x 4) needs 10 sums, and tap (1, 2) reads from element 1 * 6 + 2 =
8 on:

    tap (0, 0)   [0 0 0 0 0 0 0 a b c] d 0 0 e f g h 0 0 0 0 0 0 0
    tap (1, 2)    0 0 0 0 0 0 0 a[b c d 0 0 e f g h 0] 0 0 0 0 0 0
    sums                         [0 1 2 3 . . 4 5 6 7]             two of them belong to no pixel

Sums are computed for whole padded rows: the ``padded_width - cols`` sums at the end of each row are wrong and are not
copied into the result. In exchange, loads are vectors of consecutive elements, with no branch at a row's end.

**Register tiles** (`register_tiles`) hold the sums of some channels and some vectors of pixels over all taps. Weights
are packed before, as (group, block of channels, tap, channel), in the order in which the tile reads them.

**Strides as phases.** With a stride, tap (i, j) reads each stride-th pixel. The scratch image is therefore split into
stride * stride planes, the phases: plane (a, b) holds pixels (a + k * stride, b + m * stride). In its plane a tap
reads consecutive pixels again; its offset includes the plane's.

**Backward to the input** is a forward convolution of the output's gradient with the weight's channels exchanged
(strides between weights say so, nothing is copied). A pixel of phase (a, b) receives products from those taps alone
whose rows and columns fall on the stride, so each phase is a small convolution with some taps (`input_grad_plan`)
that writes each stride-th pixel. Phases without taps are zero.

**Backward to the weight** is, for each (o, tap), the dot product of the gradient of channel o with the scratch image
shifted by the tap, over all images. A share copies a few images (SCRATCH_BYTES, which fit a core's caches), and dot
tiles compute some channels by some taps at once. The gradients are laid out with the image's ``padded_width`` too, with
zeros in the margin, so that the sums run over whole rows. Each share has its own sums; `gather` adds them up, share by
share. Zeros of a margin times infinity are nan: sums that are not finite are computed anew by `dot_windows`.

Where the result of a ReLU after the convolution is given, gradients are copied as 0 where it is 0: ReLU's
gradient costs no pass of its own, and the bias's gradient is summed from the copy.

Cost: N * O * C * KH * KW * rows * padded_width multiply-adds. Memory: each input is read once from main memory and
each result written once; scratch images stay in a core's caches. 3x3 convolutions of many channels run `winograd`
instead. With the JIT off, the reference backend's loops run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from ... import operators
from ...runtime import allocator
from ...runtime.placeholders import epilogue, real
from ...runtime.types import Array, ConvParams, Fn, Padding, Pair
from ...tensor_ops import reference_conv
from .. import jit, simd
from ..simd import DOT_CHANNELS, DOT_TAPS
from ..sums import CACHE_LINE_GAP, total
from . import register_tiles, winograd
from .conv_plan import TileLaunch, forward_launch, input_grad_launches, weight_grad_launch
from .register_tiles import (
    copy_rows,
    copy_rows_bias,
    copy_rows_bias_relu,
    copy_rows_relu_grad,
    dot_tile,
)

# The forward tiles of `conv_tiles`: `jit.variant` binds narrow ones for groups of few output channels, and how rows are
# copied into the result.
tile_1, tile_2, tile_3 = (vars(register_tiles)[f"wide_{v}"] for v in (1, 2, 3))
WIDE_TILES = {f"tile_{v}": vars(register_tiles)[f"wide_{v}"] for v in (1, 2, 3)}
NARROW_TILES = {f"tile_{v}": vars(register_tiles)[f"narrow_{v}"] for v in (1, 2, 3)}
EPILOGUES: dict[Fn, Any] = {operators.id: copy_rows_bias, operators.relu: copy_rows_bias_relu}


def fill(
    scratch: Any, scratch_offset: int, x: Any, relu_result: Any, phases: Any, corner: Any,
    padded_height: int, padded_width: int,
) -> None:  # fmt: skip
    """Copy pixels ``x`` (C, H, W) into a scratch image, phase by phase; the margins around them keep their zeros.

    Where ``relu_result`` is given, which goes with one phase, pixels are copied as 0 where it is 0 (nan is not).
    """
    channels, height, width = x.shape
    plane = scratch_offset
    for c in range(channels):
        for a in range(phases[0]):
            top = max(0, (corner[0] - a + phases[0] - 1) // phases[0])
            bottom = min(padded_height, (height - 1 - a + corner[0]) // phases[0] + 1)
            for b in range(phases[1]):
                left = max(0, (corner[1] - b + phases[1] - 1) // phases[1])
                right = min(padded_width, (width - 1 - b + corner[1]) // phases[1] + 1)
                if bottom > top and right > left:
                    y, z = top * phases[0] + a - corner[0], left * phases[1] + b - corner[1]
                    target, count = plane + top * padded_width + left, right - left
                    source = (c * height + y) * width + z
                    # Where `relu_result` is None, the compiler leaves the first branch out.
                    if relu_result is not None:
                        copy_rows_relu_grad(
                            scratch, target, padded_width, x, source, width, bottom - top, count, relu_result
                        )
                    elif phases[1] == 1:
                        copy_rows(
                            scratch, target, padded_width, x, source, phases[0] * width, bottom - top, count, real(0)
                        )  # fmt: skip
                    else:
                        for r in range(bottom - top):
                            row, pixels = scratch[target + r * padded_width :], x[c, y + r * phases[0], z:]
                            for k in range(count):
                                row[k] = pixels[k * phases[1]]
                plane += padded_height * padded_width


def pack_block(
    packed: Any, number: int, w: Any, taps: Any, strides: Any, outs: int, ins: int, channels: int
) -> None:
    """Lay out the weights of one block of channels as (taps of all inputs, channels).

    Args:
        packed: Where all blocks lie: (groups, blocks of channels, taps of all inputs, channels).
        number: The block's number, of all groups.
        w: The weights, packed.
        taps: Numbers of the taps that are taken from each pair of channels.
        strides: Elements between the weights of two groups, two results and two inputs.
        outs: Output channels of a group.
        ins: Input channels of a group.
        channels: Output channels of a register tile; the last block of a group is filled up with zeros.
    """
    weights, blocks = w.reshape(w.size), (outs + channels - 1) // channels
    g, first = number // blocks, number % blocks * channels
    target = number * ins * len(taps) * channels
    for c in range(ins):
        for k in range(len(taps)):
            source = g * strides[0] + first * strides[1] + c * strides[2] + taps[k]
            for m in range(channels):
                packed[target + m] = weights[source + m * strides[1]] if first + m < outs else real(0)
            target += channels


def conv_tiles(
    out: Any, packed: Any, x: Any, relu_result: Any, w: Any, taps: Any, w_strides: Any, bias: Any, offsets: Any,
    layout: Any,
) -> None:  # fmt: skip
    """Sum weights times the pixels at ``offsets``; add ``bias``, apply the activation, write each out_stride-th pixel.

    A share is some images and some blocks of channels. Where ``relu_result`` is given, pixels count where it is not 0.
    """
    (
        groups,
        channels,
        lanes,
        shares,
        parts,
        phases,
        corner,
        padded_height,
        padded_width,
        rows,
        cols,
        first,
        step,
    ) = layout
    batch = x.shape[0]
    ins, outs = x.shape[1] // groups, out.shape[1] // groups
    blocks = (outs + channels - 1) // channels
    count = len(offsets)
    pixels = (rows - 1) * padded_width + cols
    padded = (pixels + lanes - 1) // lanes * lanes
    for number in prange(groups * blocks):
        pack_block(packed, number, w, taps, w_strides, outs, ins, channels)
    for t in prange(shares * parts):
        scratch = np.zeros(ins * phases[0] * phases[1] * padded_height * padded_width + 4 * lanes, x.dtype)
        sums = np.empty(channels * padded, x.dtype)
        share, part = t // parts, t % parts
        low_block, high_block = part * groups * blocks // parts, (part + 1) * groups * blocks // parts
        for n in range(share * batch // shares, (share + 1) * batch // shares):
            for number in range(low_block, high_block):
                g, block = number // blocks, number % blocks
                # Load.
                if number == low_block or block == 0:
                    low, high = g * ins, (g + 1) * ins
                    if relu_result is None:
                        fill(scratch, 0, x[n, low:high], None, phases, corner, padded_height, padded_width)
                    else:
                        fill(
                            scratch, 0, x[n, low:high], relu_result[n, low:high], phases, corner, padded_height,
                            padded_width,
                        )  # fmt: skip
                # Multiply: vectors of pixels by threes, the last four as two and two.
                w_offset = number * count * channels
                pixel, left = 0, padded // lanes
                while left >= 3 and left != 4:
                    tile_3(sums, pixel, padded, scratch, pixel, offsets, packed, w_offset, count)
                    pixel, left = pixel + 3 * lanes, left - 3
                while left >= 2:
                    tile_2(sums, pixel, padded, scratch, pixel, offsets, packed, w_offset, count)
                    pixel, left = pixel + 2 * lanes, left - 2
                if left:
                    tile_1(sums, pixel, padded, scratch, pixel, offsets, packed, w_offset, count)
                # Store.
                for m in range(min(channels, outs - block * channels)):
                    target = out[n, g * outs + block * channels + m]
                    channel_bias = bias[g * outs + block * channels + m]
                    if step[1] == 1:
                        row_stride = step[0] * out.shape[3]
                        out_offset = first[0] * out.shape[3] + first[1]
                        epilogue(
                            target, out_offset, row_stride, sums, m * padded, padded_width, rows, cols, channel_bias
                        )  # fmt: skip
                    else:
                        for r in range(rows):
                            line = sums[m * padded + r * padded_width :]
                            row = target[first[0] + r * step[0], first[1] :]
                            for k in range(cols):
                                row[k * step[1]] = line[k] + channel_bias


def gather(
    out: Any, bias_grad: Any, partial: Any, partial_bias: Any, outs: int, padded_outs: int, columns: int
) -> None:
    """Add up what the shares of `dot_tiles` found, in order.

    Args:
        out: The weight's gradient (O, C, KH, KW).
        bias_grad: The bias's gradient (O,).
        partial: Sums of each share (shares, groups * padded_outs * columns).
        partial_bias: Sums of each share and channel (shares, O and a gap).
        outs: Output channels of a group.
        padded_outs: These, rounded up to whole dot tiles.
        columns: Taps of all input channels, rounded up to whole dot tiles.
    """
    elements, taps = out.reshape(out.size), out.size // out.shape[0]
    for o in range(out.shape[0]):
        row, channel_sum = o // outs * padded_outs + o % outs, 0.0
        for t in range(len(partial)):
            channel_sum += partial_bias[t, o]
        bias_grad[o] = real(channel_sum)
        for k in range(taps):
            element = partial[0, row * columns + k]
            for t in range(1, len(partial)):
                element += partial[t, row * columns + k]
            elements[o * taps + k] = element


def dot_tiles(
    out: Any, bias_grad: Any, checksum: Any, partial: Any, partial_bias: Any, x: Any, d: Any, relu_result: Any,
    offsets: Any, layout: Any,
) -> None:  # fmt: skip
    """Sum gradients ``d`` times the pixels at ``offsets`` over all images; and ``d`` by channel.

    A share is some images, taken in chunks, and has its own row of ``partial`` and ``partial_bias``; see `gather`.
    Where ``relu_result`` is given, gradients count where it is not 0. ``checksum[0]`` is the sum of ``out``: a number
    unless ``out`` holds nan or infinity, or the sum overflows.
    """
    groups, lanes, shares, chunk, phases, corner, padded_height, padded_width = layout
    batch = x.shape[0]
    ins, outs, rows, cols = x.shape[1] // groups, d.shape[1] // groups, d.shape[2], d.shape[3]
    pixels = (rows - 1) * padded_width + cols
    padded = (pixels + lanes - 1) // lanes * lanes
    padded_outs = (outs + DOT_CHANNELS - 1) // DOT_CHANNELS * DOT_CHANNELS
    size = ins * phases[0] * phases[1] * padded_height * padded_width
    for t in prange(shares):
        scratch = np.zeros(chunk * size + padded + lanes, x.dtype)
        grads = np.zeros(chunk * padded_outs * padded, x.dtype)
        products = partial[t]
        products[:], partial_bias[t] = real(0), 0.0
        end = (t + 1) * batch // shares
        for low in range(t * batch // shares, end, chunk):
            images = min(chunk, end - low)
            for g in range(groups):
                # Load.
                for b in range(images):
                    group = x[low + b, g * ins : (g + 1) * ins]
                    fill(scratch, b * size, group, None, phases, corner, padded_height, padded_width)
                    for o in range(outs):
                        target, c = (b * padded_outs + o) * padded, g * outs + o
                        if relu_result is None:
                            copy_rows(
                                grads, target, padded_width, d[low + b, c], 0, cols, rows, cols, real(0)
                            )
                        else:
                            copy_rows_relu_grad(
                                grads, target, padded_width, d[low + b, c], 0, cols, rows, cols, relu_result[low + b, c]
                            )  # fmt: skip
                        partial_bias[t, c] += total(grads, target, padded)
                # Multiply.
                for o in range(0, padded_outs, DOT_CHANNELS):
                    for k in range(0, len(offsets), DOT_TAPS):
                        target = (g * padded_outs + o) * len(offsets) + k
                        dot_tile(
                            products, target, len(offsets), grads, o * padded, padded, padded_outs * padded,
                            scratch, 0, size, offsets, k, padded // lanes, images,
                        )  # fmt: skip
    gather(out, bias_grad, partial, partial_bias, outs, padded_outs, len(offsets))
    checksum[0] = total(out, 0, out.size)


def dot_windows(out: Any, x: Any, d: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """Do what `dot_tiles` does, with the pixels of each window only: no margin of zeros meets an infinite pixel.

    It is many times slower. A thread takes a pair of channels.
    """
    batch, _, height, width = x.shape
    rows, cols = d.shape[2:]
    ins, outs = out.shape[1], out.shape[0] // groups
    for t in prange(out.shape[0] * ins):
        o, c = t // ins, t % ins
        channel = o // outs * ins + c
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                top, left = i * dilation[0] - padding[0], j * dilation[1] - padding[2]
                product = real(0)
                for n in range(batch):
                    for y in range(rows):
                        r, row_product = y * stride[0] + top, real(0)
                        if 0 <= r < height:
                            for z in range(cols):
                                k = z * stride[1] + left
                                if 0 <= k < width:
                                    row_product += d[n, o, y, z] * x[n, channel, r, k]
                        product += row_product
                out[o, c, i, j] = product


def _run_tiles(
    out: Array, x: Array, relu_result: Array | None, w: Array, bias: Array, activation: Fn, launch: TileLaunch
) -> None:  # fmt: skip
    taps, w_strides, offsets, packed, layout = launch
    tiles = WIDE_TILES if layout.channels > simd.NARROW_CHANNELS else NARROW_TILES
    parallel = layout.shares * layout.parts > 1
    run = jit.variant(conv_tiles, out.dtype, parallel, epilogue=EPILOGUES[activation], **tiles)
    weights = allocator.empty(packed, out.dtype)
    run(out, weights, x, relu_result, w, taps, w_strides, bias, offsets, tuple(layout))


def forward(
    out: Array, x: Array, w: Array, params: ConvParams, bias: Array | None = None, activation: Fn = operators.id
) -> None:  # fmt: skip
    """Write the cross-correlation of ``x`` with ``w`` into ``out``.

    Args:
        out: The result (N, O, H', W').
        x: The input (N, C, H, W), packed, of the result's dtype, as all other arrays.
        w: The weight (O, C / groups, KH, KW).
        params: The settings of the convolution.
        bias: Added to the channels (O,); none by default.
        activation: Applied to the sums: `operators.id` or `operators.relu`.
    """
    bias = np.zeros(len(w), out.dtype) if bias is None else bias
    if jit.disabled():
        reference_conv.conv(out, x, w, params)
        out[...] = np.vectorize(activation, [out.dtype])(out + bias[:, None, None])
        return
    if winograd.applies(w, params) and winograd.forward(out, x, w, params.padding, bias, activation):
        return
    launch = forward_launch(out.shape, w.shape, params, out.itemsize)
    _run_tiles(out, x, None, w, bias, activation, launch)


def fuses_relu_backward(w: Array, params: ConvParams) -> bool:
    """Return whether `grad_input` and `grad_weight` can apply the gradient of a ReLU while they read."""
    return not (jit.disabled() or winograd.applies(w, params))


def grad_input(
    out: Array, d: Array, w: Array, params: ConvParams, relu_result: Array | None = None
) -> None:  # fmt: skip
    """Write the derivative with respect to the input into ``out``.

    Args:
        out: The input's gradient (N, C, H, W).
        d: The output's gradient (N, O, H', W').
        w: The weight (O, C / groups, KH, KW).
        params: The settings of the convolution.
        relu_result: If `fuses_relu_backward`, the result of a ReLU after the convolution; ``d`` is then its gradient.
    """
    if jit.disabled():
        reference_conv.conv_grad_input(out, d, w, params)
        return
    bias = np.zeros(out.shape[1], out.dtype)
    if winograd.applies(w, params):
        top, bottom, left, right = params.padding
        flipped: Padding = (2 - top, 2 - bottom, 2 - left, 2 - right)
        transposed = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        if winograd.forward(out, d, transposed, flipped, bias, operators.id):
            return
    for launch in input_grad_launches(out.shape, w.shape, params, out.itemsize):
        if len(launch.taps):
            _run_tiles(out, d, relu_result, w, bias, operators.id, launch)
        else:
            top, left = launch.layout.out_corner
            out[:, :, top :: params.stride[0], left :: params.stride[1]] = 0


def grad_weight(
    out: Array, x: Array, d: Array, params: ConvParams,
    relu_result: Array | None = None, bias_grad: Array | None = None,
) -> None:  # fmt: skip
    """Write the derivative with respect to the weight into ``out``.

    Args:
        out: The weight's gradient (O, C / groups, KH, KW).
        x: The input (N, C, H, W).
        d: The output's gradient (N, O, H', W').
        params: The settings of the convolution.
        relu_result: See `grad_input`.
        bias_grad: If `fuses_relu_backward`, where the bias's gradient (O,) is written.
    """
    stride, padding, dilation, groups = params
    if jit.disabled():
        reference_conv.conv_grad_weight(out, x, d, params)
        return
    if winograd.applies(out, params) and winograd.grad_weight(out, x, d, padding):
        return
    offsets, partial, layout = weight_grad_launch(d.shape, out.shape, params, out.itemsize)
    bias_grad = np.empty(d.shape[1], d.dtype) if bias_grad is None else bias_grad
    sums = allocator.empty(layout.shares * partial, out.dtype).reshape(layout.shares, -1)
    bias_sums, checksum = np.empty((layout.shares, len(bias_grad) + CACHE_LINE_GAP)), np.zeros(1, out.dtype)
    run = jit.variant(dot_tiles, out.dtype, layout.shares > 1)
    run(out, bias_grad, checksum, sums, bias_sums, x, d, relu_result, offsets, tuple(layout))
    # Zeros in the margins times an infinite pixel or gradient are nan where a window's products are not.
    if not math.isfinite(checksum[0]):
        d = d if relu_result is None else np.where(relu_result <= 0, d.dtype.type(0), d)
        if not _all_nan(d, x.shape[2:], out.shape[2:], stride, padding, dilation):
            jit.variant(dot_windows, out.dtype, True)(out, x, d, stride, padding, dilation, groups)


def _all_nan(d: Array, size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> bool:
    """Return whether each channel of ``d`` has a nan that all taps read, so that all their sums are nan.

    So it is in a network that has diverged, which need not wait for the slow kernel.
    """
    inner = []
    for k in (0, 1):
        before, span = padding[2 * k], dilation[k] * (kernel[k] - 1)
        inner.append(slice(-(-before // stride[k]), max(0, (size[k] - 1 + before - span) // stride[k] + 1)))
    return bool(np.isnan(d[:, :, inner[0], inner[1]]).any(axis=(0, 2, 3)).all())
