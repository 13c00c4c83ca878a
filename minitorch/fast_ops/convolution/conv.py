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
are packed before, as (group, block of channels, tap, channel), in the order in which the tile reads them; for results
of few pixels that would take longer than it saves, and the tile reads them where they lie.

**Bands.** Of a large image, a share copies a band of rows (BAND_BYTES, which fit a core's cache) with those beyond it
that its windows reach, and computes all channels of it. Where images are few, bands and blocks of channels are what
threads share. A 1x1 weight without stride and padding needs no copy: the scratch image is the image itself, and the
last vector of a band ends at its last pixel, so that nothing beyond the image is read. Each sum is computed whole by
one tile, so its bits do not depend on bands and shares.

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
share. Where pixels are few, the blocks of output channels are divided into parts. If input channels fill a vector and
take part in many products, `pixel_kernels` computes the sums a pixel at a time instead, with vectors of channels. Zeros
of a margin times infinity are nan: sums that are not finite are computed anew by `dot_windows`.

Where the result of a ReLU after the convolution is given, gradients are copied as 0 where it is 0: ReLU's
gradient costs no pass of its own, and the bias's gradient is summed from the copy.

Cost: N * O * C * KH * KW * rows * padded_width multiply-adds. Memory: each input is read once from main memory and
each result written once; scratch images stay in a core's caches. 3x3 convolutions of many channels run `winograd`
instead. With the JIT off, the reference backend's loops run.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ... import operators
from ...runtime import allocator
from ...runtime.types import Array, ConvParams, Fn, Padding, Pair
from ...tensor_ops import reference_conv
from .. import jit, simd
from ..sums import CACHE_LINE_GAP
from . import winograd
from .conv_plan import (
    DotLayout,
    PixelLayout,
    TileLaunch,
    forward_launch,
    input_grad_launches,
    multiplies_pixels,
    pixel_launch,
    weight_grad_launch,
)
from .dot_kernels import dot_tiles, dot_windows
from .pixel_kernels import pixel_tiles
from .tile_kernels import LIMITS, NARROW_TILES, WIDE_TILES, conv_tiles


@functools.lru_cache
def _limits(activation: Fn, dtype: np.dtype[Any]) -> Array:
    return np.array(LIMITS[activation], dtype)


def _run_tiles(
    out: Array, x: Array, relu_result: Array | None, w: Array, bias: Array, activation: Fn, launch: TileLaunch
) -> None:  # fmt: skip
    taps, w_strides, offsets, packed, channels, layout = launch
    tiles = WIDE_TILES if channels > simd.NARROW_CHANNELS else NARROW_TILES
    parallel = layout.shares * layout.parts > 1
    weights = allocator.empty(packed, out.dtype) if packed else w.reshape(-1)
    run = jit.variant(conv_tiles, out.dtype, parallel, packs=packed > 0, **tiles)
    masked, mask = relu_result is not None, x if relu_result is None else relu_result
    limits = _limits(activation, out.dtype)
    run(out, weights, x, mask, masked, w, taps, w_strides, bias, limits, offsets, tuple(layout))


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
        activation: Applied to the sums: a key of `LIMITS`.
    """
    bias = np.zeros(len(w), out.dtype) if bias is None else bias
    if jit.disabled():
        reference_conv.conv(out, x, w, params)
        out[...] = np.vectorize(activation, [out.dtype])(out + bias[:, None, None])
        return
    if (
        winograd.applies(w, params)
        and winograd.pays(out.shape)
        and winograd.forward(out, x, w, params.padding, bias, activation)
    ):
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
    if winograd.applies(w, params) and winograd.pays(out.shape):
        top, bottom, left, right = params.padding
        flipped: Padding = (2 - top, 2 - bottom, 2 - left, 2 - right)
        if winograd.forward(out, d, w, flipped, bias, operators.id, transposed=True):
            return
    for launch in input_grad_launches(out.shape, w.shape, params, out.itemsize, relu_result is not None):
        if len(launch.taps):
            _run_tiles(out, d, relu_result, w, bias, operators.id, launch)
        else:
            top, left = launch.layout.out_corner
            out[:, :, top :: params.stride[0], left :: params.stride[1]] = 0


def _run_weight_grad(
    out: Array, bias_grad: Array, checksum: Array, x: Array, d: Array, relu_result: Array | None, params: ConvParams
) -> None:  # fmt: skip
    kernel: Fn
    where: tuple[Array, ...]
    layout: DotLayout | PixelLayout
    if multiplies_pixels(out.shape, params, out.itemsize):
        pixels, taps, partial, layout = pixel_launch(x.shape, d.shape, out.shape, params, out.itemsize)
        kernel, where = pixel_tiles, (pixels, taps)
    else:
        offsets, partial, layout = weight_grad_launch(d.shape, out.shape, params, out.itemsize)
        kernel, where = dot_tiles, (offsets,)
    sums = allocator.empty(layout.shares * partial, out.dtype).reshape(layout.shares, -1)
    bias_sums = np.empty((layout.shares, len(bias_grad) + CACHE_LINE_GAP))
    run = jit.variant(kernel, out.dtype, layout.shares * layout.parts > 1)
    run(out, bias_grad, checksum, sums, bias_sums, x, d, relu_result, *where, tuple(layout))


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
    bias_grad = np.empty(d.shape[1], d.dtype) if bias_grad is None else bias_grad
    if not d.size:
        out[...], bias_grad[...] = 0, 0
        return
    if winograd.applies(out, params) and winograd.grad_weight(out, x, d, padding):
        return
    checksum = np.zeros(1, out.dtype)
    _run_weight_grad(out, bias_grad, checksum, x, d, relu_result, params)
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
