"""Part of fast_conv."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numba import prange

from .. import operators
from ..runtime.placeholders import finish, real
from ..runtime.types import Array, ConvParams, Fn, Padding, Pair
from ..tensor_ops import reference_conv
from . import jit, register_tiles, simd, winograd
from .register_tiles import dot_tile, move, move_none, move_open, move_relu
from .simd import DOT_COLUMNS, DOT_ROWS
from .sums import PADDING, total
from .threads import thread_count

Sizes = tuple[int, ...]


# Bytes of images that a thread multiplies at a time: most of them stay in its nearest caches.
SCRATCH = 96 * 1024


# `jit.kernel` binds other tiles where channels are few, and how rows are finished.
tile_1, tile_2, tile_3 = (vars(register_tiles)[f"wide_{k}"] for k in (1, 2, 3))


FINISHES: dict[Fn, Any] = {operators.id: move_none, operators.relu: move_relu}
BROAD = (simd.WIDE, {f"tile_{k}": vars(register_tiles)[f"wide_{k}"] for k in (1, 2, 3)})
SLIM = (simd.NARROW, {f"tile_{k}": vars(register_tiles)[f"narrow_{k}"] for k in (1, 2, 3)})


def fill(image: Any, x: Any, y: Any, start: int, split: Any, corner: Any, tall: int, wide: int) -> None:
    """Copy pixels ``x`` (C, H, W) into a scratch image, phase by phase; what lies around them stays as it is.

    Where ``y`` is given, which goes with a ``split`` of 1, only those where it is positive.
    """
    channels, height, width = x.shape
    plane = start
    for c in range(channels):
        for a in range(split[0]):
            top = max(0, (corner[0] - a + split[0] - 1) // split[0])
            bottom = min(tall, (height - 1 - a + corner[0]) // split[0] + 1)
            for b in range(split[1]):
                low = max(0, (corner[1] - b + split[1] - 1) // split[1])
                high = min(wide, (width - 1 - b + corner[1]) // split[1] + 1)
                if bottom > top and high > low:
                    first, z = top * split[0] + a - corner[0], low * split[1] + b - corner[1]
                    at, count = plane + top * wide + low, high - low
                    of = (c * height + first) * width + z
                    # The compiler leaves out what is not for the y that it is given, and takes less time.
                    if y is not None:
                        move_open(image, at, wide, x, of, width, bottom - top, count, y)
                    elif split[1] == 1:
                        move(image, at, wide, x, of, split[0] * width, bottom - top, count, real(0))
                    else:
                        for r in range(bottom - top):
                            row, pixels = image[at + r * wide :], x[c, first + r * split[0], z:]
                            for k in range(count):
                                row[k] = pixels[k * split[1]]
                plane += tall * wide


def pack(w: Any, chosen: Any, steps: Any, groups: int, outs: int, ins: int, channels: int) -> Any:
    """Lay out weights as (groups, blocks of channels, taps of all inputs, channels).

    ``steps`` lie between the weights of two groups, two results and two inputs; ``chosen`` are the taps of each.
    """
    elements, taps = w.reshape(w.size), ins * len(chosen)
    blocks = (outs + channels - 1) // channels
    packed = np.zeros(groups * blocks * taps * channels, w.dtype)
    for g in range(groups):
        for o in range(outs):
            to = (g * blocks + o // channels) * taps * channels + o % channels
            for c in range(ins):
                for k in range(len(chosen)):
                    packed[to] = elements[g * steps[0] + o * steps[1] + c * steps[2] + chosen[k]]
                    to += channels
    return packed


def conv_tiles(
    out: Any, x: Any, y: Any, w: Any, chosen: Any, steps: Any, shift: Any, offsets: Any,
    groups: int, channels: int, lanes: int, threads: int,
    split: Any, corner: Any, tall: int, wide: int, rows: int, cols: int, to: Any, step: Any,
) -> None:  # fmt: skip
    """Sum weights times the pixels at ``offsets``; add ``shift``, activate, into every ``step``-th pixel.

    Where ``y`` is given, pixels count where it is positive.
    """
    batch = x.shape[0]
    ins, outs = x.shape[1] // groups, out.shape[1] // groups
    blocks = (outs + channels - 1) // channels
    taps = len(offsets)
    packed = pack(w, chosen, steps, groups, outs, ins, channels)
    pixels = (rows - 1) * wide + cols
    padded = (pixels + lanes - 1) // lanes * lanes
    for t in prange(threads):
        image = np.zeros(ins * split[0] * split[1] * tall * wide + 4 * lanes, x.dtype)
        sums = np.empty(channels * padded, x.dtype)
        for n in range(t * batch // threads, (t + 1) * batch // threads):
            for g in range(groups):
                low, high = g * ins, (g + 1) * ins
                if y is None:
                    fill(image, x[n, low:high], None, 0, split, corner, tall, wide)
                else:
                    fill(image, x[n, low:high], y[n, low:high], 0, split, corner, tall, wide)
                for block in range(blocks):
                    first = (g * blocks + block) * taps * channels
                    at, left = 0, padded // lanes
                    while left >= 3 and left != 4:
                        tile_3(sums, at, padded, image, at, offsets, packed, first, taps)
                        at, left = at + 3 * lanes, left - 3
                    while left >= 2:
                        tile_2(sums, at, padded, image, at, offsets, packed, first, taps)
                        at, left = at + 2 * lanes, left - 2
                    if left:
                        tile_1(sums, at, padded, image, at, offsets, packed, first, taps)
                    for m in range(min(channels, outs - block * channels)):
                        target = out[n, g * outs + block * channels + m]
                        more = shift[g * outs + block * channels + m]
                        if step[1] == 1:
                            of, next_row = m * padded, step[0] * out.shape[3]
                            at = to[0] * out.shape[3] + to[1]
                            finish(target, at, next_row, sums, of, wide, rows, cols, more)
                        else:
                            for r in range(rows):
                                line, row = (
                                    sums[m * padded + r * wide :],
                                    target[to[0] + r * step[0], to[1] :],
                                )
                                for k in range(cols):
                                    row[k * step[1]] = line[k] + more


def gather(out: Any, sums: Any, partial: Any, by_channel: Any, outs: int, lines: int, columns: int) -> None:
    """Add up what the threads of `dot_tiles` found, in order."""
    elements, taps = out.reshape(out.size), out.size // out.shape[0]
    for o in range(out.shape[0]):
        row, whole = o // outs * lines + o % outs, 0.0
        for t in range(len(partial)):
            whole += by_channel[t, o]
        sums[o] = real(whole)
        for k in range(taps):
            element = partial[0, row * columns + k]
            for t in range(1, len(partial)):
                element += partial[t, row * columns + k]
            elements[o * taps + k] = element


def dot_tiles(
    out: Any, sums: Any, x: Any, d: Any, y: Any, offsets: Any,
    groups: int, lanes: int, threads: int, chunk: int, split: Any, corner: Any, tall: int, wide: int,
) -> None:  # fmt: skip
    """Sum derivatives ``d`` times the pixels at ``offsets`` over all images; and ``d`` by channel.

    Where ``y`` is given, they count where it is positive. Each thread adds up its own, then all are added in order.
    """
    batch = x.shape[0]
    ins, outs, rows, cols = x.shape[1] // groups, d.shape[1] // groups, d.shape[2], d.shape[3]
    pixels = (rows - 1) * wide + cols
    padded = (pixels + lanes - 1) // lanes * lanes
    lines = (outs + DOT_ROWS - 1) // DOT_ROWS * DOT_ROWS
    size = ins * split[0] * split[1] * tall * wide
    partial = np.zeros((threads, groups * lines * len(offsets)), x.dtype)
    by_channel = np.zeros((threads, d.shape[1] + PADDING))
    for t in prange(threads):
        images = np.zeros(chunk * size + padded + lanes, x.dtype)
        changes = np.zeros(chunk * lines * padded, x.dtype)
        products = partial[t]
        end = (t + 1) * batch // threads
        for low in range(t * batch // threads, end, chunk):
            count = min(chunk, end - low)
            for g in range(groups):
                for b in range(count):
                    plane = x[low + b, g * ins : (g + 1) * ins]
                    fill(images, plane, None, b * size, split, corner, tall, wide)
                    for o in range(outs):
                        at, c = (b * lines + o) * padded, g * outs + o
                        if y is None:
                            move(changes, at, wide, d[low + b, c], 0, cols, rows, cols, real(0))
                        else:
                            move_open(changes, at, wide, d[low + b, c], 0, cols, rows, cols, y[low + b, c])
                        by_channel[t, c] += total(changes, at, padded)
                for o in range(0, lines, DOT_ROWS):
                    for k in range(0, len(offsets), DOT_COLUMNS):
                        at = (g * lines + o) * len(offsets) + k
                        dot_tile(
                            products, at, len(offsets), changes, o * padded, padded, lines * padded,
                            images, 0, size, offsets, k, padded // lanes, count,
                        )  # fmt: skip
    gather(out, sums, partial, by_channel, outs, lines, len(offsets))


@functools.lru_cache(maxsize=512)
def _forward_plan(
    size: Pair, kernel: Pair, channels: int, stride: Pair, dilation: Pair, columns: int
) -> tuple[Array, Array, int, int]:
    """Return the taps, the offset of each (as many as a multiple of ``columns``), and height and width of a phase."""
    spans = [dilation[k] * (kernel[k] - 1) for k in (0, 1)]
    tall, wide = (size[k] + spans[k] // stride[k] for k in (0, 1))
    offsets = [
        ((c * stride[0] + i * dilation[0] % stride[0]) * stride[1] + j * dilation[1] % stride[1])
        * tall
        * wide
        + i * dilation[0] // stride[0] * wide
        + j * dilation[1] // stride[1]
        for c in range(channels)
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]
    offsets += [0] * (-len(offsets) % columns)
    return np.arange(math.prod(kernel), dtype=np.int64), np.array(offsets, np.int64), tall, wide


def _phase(
    length: int, kernel: int, phase: int, before: int, stride: int, dilation: int
) -> tuple[list[Pair], int]:
    """Return (tap, its row in the derivative of the first pixel) for pixels ``phase``, ``phase + stride``, ..."""
    places = [(i, phase + before - i * dilation) for i in range(kernel)]
    return [(i, p // stride) for i, p in places if p % stride == 0], -(-(length - phase) // stride)


Job = tuple[Array, Array, Pair, int, int, int, int, Pair]


@functools.lru_cache(maxsize=512)
def _backward_plan(
    size: Pair, kernel: Pair, outs: int, stride: Pair, padding: Padding, dilation: Pair
) -> list[Job]:
    """Return what each phase of the input's derivative sums up."""
    jobs: list[Job] = []
    for a in range(min(stride[0], size[0])):
        for b in range(min(stride[1], size[1])):
            down, rows = _phase(size[0], kernel[0], a, padding[0], stride[0], dilation[0])
            across, cols = _phase(size[1], kernel[1], b, padding[2], stride[1], dilation[1])
            top, left = (max([0, *(-p for _, p in taps)]) for taps in (down, across))
            tall = rows + max([0, *(p + top for _, p in down)])
            wide = cols + max([0, *(p + left for _, p in across)])
            taps = np.array([i * kernel[1] + j for i, _ in down for j, _ in across], np.int64)
            offsets = [
                o * tall * wide + (p + top) * wide + q + left
                for o in range(outs)
                for _, p in down
                for _, q in across
            ]
            jobs.append((taps, np.array(offsets, np.int64), (top, left), tall, wide, rows, cols, (a, b)))
    return jobs


def _run_tiles(
    out: Array, x: Array, y: Array | None, w: Array, shift: Array, activation: Fn,
    groups: int, steps: Sizes, job: Job, split: Pair, step: Pair,
) -> None:  # fmt: skip
    """Choose the tile by the number of channels of a group's result, and launch it."""
    chosen, offsets, corner, tall, wide, rows, cols, to = job
    outs = out.shape[1] // groups
    channels, tiles = BROAD if outs > simd.NARROW else SLIM
    work = x.shape[0] * rows * wide * out.shape[1] * len(offsets)
    threads = thread_count() if work > jit.SERIAL else 1
    run = jit.variant(conv_tiles, out.dtype, threads > 1, finish=FINISHES[activation], **tiles)
    lanes = simd.BYTES // out.itemsize
    run(
        out, x, y, w, chosen, steps, shift, offsets,
        groups, channels, lanes, threads, split, corner, tall, wide, rows, cols, to, step,
    )  # fmt: skip


def forward(
    out: Array, x: Array, w: Array, params: ConvParams,
    shift: Array | None = None, activation: Fn = operators.id,
) -> None:  # fmt: skip
    """Write the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C / groups, KH, KW) into ``out``.

    ``shift`` (O,) is added to the channels (none by default), then ``activation`` is applied.
    """
    stride, padding, dilation, groups = params
    shift = np.zeros(len(w), out.dtype) if shift is None else shift
    if jit.disabled():
        reference_conv.conv(out, x, w, params)
        out[...] = np.vectorize(activation, [out.dtype])(out + shift[:, None, None])
        return
    if winograd.suits(w, params) and winograd.conv(out, x, w, padding, shift, activation):
        return
    taps = w.shape[2] * w.shape[3]
    chosen, offsets, tall, wide = _forward_plan(out.shape[2:], w.shape[2:], w.shape[1], stride, dilation, 1)
    job = (chosen, offsets, (padding[0], padding[2]), tall, wide, *out.shape[2:], (0, 0))
    steps = (w.size // groups, w.shape[1] * taps, taps)
    _run_tiles(out, x, None, w, shift, activation, groups, steps, job, stride, (1, 1))


def fuses_relu_backward(w: Array, params: ConvParams) -> bool:
    """Return whether `grad_input` and `grad_weight` can apply the gradient of a ReLU while they read."""
    return not (jit.disabled() or winograd.suits(w, params))


def grad_input(
    out: Array, d: Array, w: Array, params: ConvParams,
    y: Array | None = None,
) -> None:  # fmt: skip
    """Write the derivative with respect to the input into ``out``.

    If `fuses_relu_backward`, ``y`` may be what a ReLU after the convolution gave.
    """
    stride, padding, dilation, groups = params
    if jit.disabled():
        reference_conv.conv_grad_input(out, d, w, params)
        return
    shift = np.zeros(out.shape[1], out.dtype)
    if winograd.suits(w, params):
        around = (2 - padding[0], 2 - padding[1], 2 - padding[2], 2 - padding[3])
        transposed = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        if winograd.conv(out, d, transposed, around, shift, operators.id):
            return
    taps = w.shape[2] * w.shape[3]
    steps = (w.size // groups, taps, w.shape[1] * taps)
    for job in _backward_plan(out.shape[2:], w.shape[2:], w.shape[0] // groups, stride, padding, dilation):
        if len(job[0]):
            _run_tiles(out, d, y, w, shift, operators.id, groups, steps, job, (1, 1), stride)
        else:
            top, left = job[-1]
            out[:, :, top :: stride[0], left :: stride[1]] = 0


def grad_weight(
    out: Array, x: Array, d: Array, params: ConvParams,
    y: Array | None = None, sums: Array | None = None,
) -> None:  # fmt: skip
    """Write the derivative with respect to the weight into ``out``.

    If `fuses_relu_backward`, ``y`` may be what a ReLU after the convolution gave, and that of a bias goes into ``sums``.
    """
    stride, padding, dilation, groups = params
    if jit.disabled():
        reference_conv.conv_grad_weight(out, x, d, params)
        return
    if winograd.suits(out, params) and winograd.grad_weight(out, x, d, padding):
        return
    batch, size = x.shape[0], d.shape[2:]
    _, offsets, tall, wide = _forward_plan(size, out.shape[2:], out.shape[1], stride, dilation, DOT_COLUMNS)
    lines = -(-(out.shape[0] // groups) // DOT_ROWS) * DOT_ROWS
    threads = thread_count() if batch * size[0] * size[1] * out.size > jit.SERIAL else 1
    one = (out.shape[1] * stride[0] * stride[1] * tall * wide + lines * size[0] * wide) * out.itemsize
    chunk = max(1, min(-(-batch // threads), SCRATCH // one))
    run = jit.variant(dot_tiles, out.dtype, threads > 1)
    lanes = simd.BYTES // out.itemsize
    corner = (padding[0], padding[2])
    sums = np.empty(d.shape[1], d.dtype) if sums is None else sums
    run(out, sums, x, d, y, offsets, groups, lanes, threads, chunk, stride, corner, tall, wide)
