"""Two-dimensional pooling of the Numba backend: the largest, or the average, element of each window.

Three families of loops, from general to fast; an iteration is a channel of an image in all of them:

    max_pool, avg_pool     any window, stride, padding and dilation; an element of the window is compared with, or added
                           to, all results of a row at once
    max_tiles, avg_tiles   windows side by side that fill the image (stride = window, no padding): the window size is a
                           constant of the kernel and nothing branches, so the compiler computes many windows at once
    max_pairs_grad         2x2 windows side by side: an intrinsic that separates even and odd columns in registers

    2x2:    a b | a b | ...      even columns  a a ..   odd columns  b b ..       top = larger(a, b)
            c g | c g | ...                    c c ..                g g ..       bottom = larger(c, g)

Rules, in all of them: nan wins over numbers; the first of equal maxima receives the derivative; padding counts as -inf
for "max", and in an average's divisor if ``count_pad``. Cost: each input is read once (by overlapping windows, from
the cache), each result written once. With the JIT off, the same loops run in Python, without the intrinsic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from ..runtime.placeholders import real
from ..runtime.types import Pair, PoolParams
from . import jit
from .simd import Emitter, named, take_even

# `jit.variant` binds the sizes of the window in the place of these.
# They are constants of the kernel, so that loops over a window are unrolled.
WINDOW_HEIGHT = 2
WINDOW_WIDTH = 2


def inside(start: int, step: int, count: int, size: int) -> Any:
    """Return which of the places start + k * step, k < count, lie in 0..size-1: the first k, and one past the last."""
    first = 0 if start >= 0 else (-start + step - 1) // step
    last = count if start + (count - 1) * step < size else (size - start + step - 1) // step
    return first, last


# Loops over a row are functions of their own: the compiler makes vectors of them, as arguments are distinct arrays.
def take_columns(taken: Any, line: Any, step: int, count: int) -> None:
    """taken[k] = line[k * step], for k < count."""
    if step == 2:
        take_even(taken, line, count)
    else:
        for k in range(count):
            taken[k] = line[k * step]


def keep_larger(best: Any, line: Any, count: int) -> None:
    """best[k] = the larger of best[k] and line[k], for k < count."""
    for k in range(count):
        v = line[k]
        best[k] = v if (v > best[k]) | (v != v) else best[k]


def note_larger(best: Any, winner: Any, number: Any, line: Any, count: int) -> None:
    """Do what `keep_larger` does, and note ``number`` where an element is the first, or larger than those before it."""
    for k in range(count):
        v = line[k]
        larger = (v > best[k]) | ((v != v) & (best[k] == best[k])) | (winner[k] < 0)
        best[k] = v if larger else best[k]
        winner[k] = number if larger else winner[k]


def add_row(total: Any, line: Any, count: int) -> None:
    """total[k] += line[k], for k < count."""
    for k in range(count):
        total[k] += line[k]


def max_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Take the largest element of each window; nan wins, padding never."""
    batch, channels, height, width = x.shape
    rows, cols = out.shape[2:]
    taken = x.reshape(x.size)
    fresh = True  # what a thread allocates for its first iteration serves its next ones
    for t in prange(batch * channels):
        if fresh:
            taken = np.empty(cols, x.dtype)
            fresh = False
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            top = y * stride[0] - padding[0]
            low, high = inside(top, dilation[0], window[0], height)
            result[y] = real(-np.inf)
            for i in range(low, high):
                for j in range(window[1]):
                    left = j * dilation[1] - padding[2]
                    first, last = inside(left, stride[1], cols, width)
                    line = image[top + i * dilation[0], left + first * stride[1] :]
                    if stride[1] == 1:
                        keep_larger(result[y, first:], line, last - first)
                    else:
                        take_columns(taken, line, stride[1], last - first)
                        keep_larger(result[y, first:], taken, last - first)


def max_pool_grad(out: Any, x: Any, d: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Pass each derivative to the first largest element of its window.

    ``winner`` is the number of that element in its window, -1 before there is one; ``places`` says where it lies.
    """
    batch, channels, height, width = x.shape
    rows, cols = d.shape[2:]
    taken = bests = x.reshape(x.size)
    winners = np.empty(0, np.int32)
    places = np.empty(window[0] * window[1], np.int64)
    for k in range(len(places)):
        places[k] = k // window[1] * dilation[0] * width + k % window[1] * dilation[1]
    fresh = True  # what a thread allocates for its first iteration serves its next ones
    for t in prange(batch * channels):
        if fresh:
            taken, bests, winners = np.empty(cols, x.dtype), np.empty(cols, x.dtype), np.empty(cols, np.int32)
            fresh = False
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels].reshape(height * width)
        result[:] = real(0)
        for y in range(rows):
            top = y * stride[0] - padding[0]
            low, high = inside(top, dilation[0], window[0], height)
            bests[:], winners[:] = real(-np.inf), -1
            for i in range(low, high):
                for j in range(window[1]):
                    left = j * dilation[1] - padding[2]
                    first, last = inside(left, stride[1], cols, width)
                    line = image[top + i * dilation[0], left + first * stride[1] :]
                    best, winner, number = bests[first:], winners[first:], np.int32(i * window[1] + j)
                    if stride[1] == 1:
                        note_larger(best, winner, number, line, last - first)
                    else:
                        take_columns(taken, line, stride[1], last - first)
                        note_larger(best, winner, number, taken, last - first)
            corner = top * width - padding[2]
            for z in range(cols):
                if winners[z] >= 0:
                    result[corner + z * stride[1] + places[winners[z]]] += change[y, z]


def avg_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Average each window: elements added row by row, then divided."""
    batch, channels, height, width = x.shape
    rows, cols = out.shape[2:]
    taken = x.reshape(x.size)
    fresh = True  # what a thread allocates for its first iteration serves its next ones
    for t in prange(batch * channels):
        if fresh:
            taken = np.empty(cols, x.dtype)
            fresh = False
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            top = y * stride[0] - padding[0]
            bottom = min(top + window[0], height + padding[1])
            low, high = max(top, 0), min(bottom, height)
            result[y] = real(0)
            for r in range(low, high):
                for j in range(window[1]):
                    left = j - padding[2]
                    first, last = inside(left, stride[1], cols, width)
                    line = image[r, left + first * stride[1] :]
                    if stride[1] == 1:
                        add_row(result[y, first:], line, last - first)
                    else:
                        take_columns(taken, line, stride[1], last - first)
                        add_row(result[y, first:], taken, last - first)
            for z in range(cols):
                left = z * stride[1] - padding[2]
                right = min(left + window[1], width + padding[3])
                count = (bottom - top) * (right - left)
                if not count_pad:
                    count = (high - low) * (min(right, width) - max(left, 0))
                result[y, z] /= real(count)


def avg_pool_grad(out: Any, d: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Spread each derivative evenly over its window."""
    batch, channels, height, width = out.shape
    for t in prange(batch * channels):
        change, result = d[t // channels, t % channels], out[t // channels, t % channels]
        result[:] = real(0)
        for y in range(change.shape[0]):
            top = y * stride[0] - padding[0]
            bottom = min(top + window[0], height + padding[1])
            low, high = max(top, 0), min(bottom, height)
            for z in range(change.shape[1]):
                left = z * stride[1] - padding[2]
                right = min(left + window[1], width + padding[3])
                first, last = max(left, 0), min(right, width)
                count = (bottom - top) * (right - left) if count_pad else (high - low) * (last - first)
                share = change[y, z] / real(count)
                for r in range(low, high):
                    for k in range(first, last):
                        result[r, k] += share


def max_tiles(out: Any, x: Any) -> None:
    """`max_pool` for windows WINDOW_HEIGHT x WINDOW_WIDTH, side by side."""
    batch, channels, rows, cols = out.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                best = image[y * WINDOW_HEIGHT, z * WINDOW_WIDTH]
                for k in range(1, WINDOW_HEIGHT * WINDOW_WIDTH):
                    v = image[y * WINDOW_HEIGHT + k // WINDOW_WIDTH, z * WINDOW_WIDTH + k % WINDOW_WIDTH]
                    best = v if (v > best) | (v != v) else best
                result[y, z] = best


def max_tiles_grad(out: Any, x: Any, d: Any) -> None:
    """`max_pool_grad` for windows WINDOW_HEIGHT x WINDOW_WIDTH, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                best, winner, whole = image[y * WINDOW_HEIGHT, z * WINDOW_WIDTH], real(0), change[y, z]
                for k in range(1, WINDOW_HEIGHT * WINDOW_WIDTH):
                    v = image[y * WINDOW_HEIGHT + k // WINDOW_WIDTH, z * WINDOW_WIDTH + k % WINDOW_WIDTH]
                    larger = (v > best) | ((v != v) & (best == best))
                    best = v if larger else best
                    winner = real(k) if larger else winner
                for k in range(WINDOW_HEIGHT * WINDOW_WIDTH):
                    share = whole if winner == real(k) else real(0)
                    result[y * WINDOW_HEIGHT + k // WINDOW_WIDTH, z * WINDOW_WIDTH + k % WINDOW_WIDTH] = share


def max_pairs_grad(out: Any, x: Any, d: Any) -> None:
    """`max_pool_grad` for windows of 2x2, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        for y in range(rows):
            offset = y * 4 * cols
            share_pairs(result, offset, image, offset, 2 * cols, change, y * cols, cols)


def avg_tiles(out: Any, x: Any) -> None:
    """`avg_pool` for windows WINDOW_HEIGHT x WINDOW_WIDTH, side by side."""
    batch, channels, rows, cols = out.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                total = real(0)
                for k in range(WINDOW_HEIGHT * WINDOW_WIDTH):
                    total += image[y * WINDOW_HEIGHT + k // WINDOW_WIDTH, z * WINDOW_WIDTH + k % WINDOW_WIDTH]
                result[y, z] = total / real(WINDOW_HEIGHT * WINDOW_WIDTH)


def avg_tiles_grad(out: Any, d: Any) -> None:
    """`avg_pool_grad` for windows WINDOW_HEIGHT x WINDOW_WIDTH, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        change, result = d[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                share = change[y, z] / real(WINDOW_HEIGHT * WINDOW_WIDTH)
                for k in range(WINDOW_HEIGHT * WINDOW_WIDTH):
                    result[y * WINDOW_HEIGHT + k // WINDOW_WIDTH, z * WINDOW_WIDTH + k % WINDOW_WIDTH] = share


MAX_UNROLLED_WINDOW = 16  # elements of a window up to which its loop is worth unrolling


MAX_UNROLLED_SIZES = 8  # sizes of windows for which a process compiles kernels; others use the general loops
_unrolled_sizes: set[Pair] = set()


def _unrolls(window: Pair) -> bool:
    """Return whether ``window`` is small and among the first sizes: a program that varies it must stop compiling."""
    if window[0] * window[1] > MAX_UNROLLED_WINDOW:
        return False
    if window not in _unrolled_sizes and len(_unrolled_sizes) < MAX_UNROLLED_SIZES:
        _unrolled_sizes.add(window)
    return window in _unrolled_sizes


def windows_tile(image: Any, result: Any, params: PoolParams) -> bool:
    """Return whether the windows lie side by side and fill the image, and kernels of their size are unrolled."""
    _, window, stride, padding, dilation, _ = params
    fills = image.shape[2:] == (result.shape[2] * window[0], result.shape[3] * window[1])
    side_by_side = (stride, padding, dilation) == (window, (0, 0, 0, 0), (1, 1))
    return fills and side_by_side and _unrolls(window)


def _run(loop: Any, work: int, out: Any, *operands: Any, window: Pair | None = None) -> None:
    """Launch a loop that reads ``work`` elements; with ``window``, as constants of its kernel."""
    sizes: dict[str, Any] = {} if window is None else {"WINDOW_HEIGHT": window[0], "WINDOW_WIDTH": window[1]}
    jit.variant(loop, out.dtype, work > jit.PARALLEL, **sizes)(out, *operands)


def pool(out: Any, x: Any, params: PoolParams) -> None:
    """Write the largest or average element of each window into ``out``.

    Args:
        out: The result (N, C, H', W').
        x: The input (N, C, H, W), packed.
        params: The settings.
    """
    kind, window, stride, padding, dilation, count_pad = params
    work = out.size * window[0] * window[1]
    if windows_tile(x, out, params):
        _run(max_tiles if kind == "max" else avg_tiles, work, out, x, window=window)
    elif kind == "max":
        _run(max_pool, work, out, x, window, stride, padding, dilation)
    else:
        _run(avg_pool, work, out, x, window, stride, padding, count_pad)


def pool_grad(out: Any, x: Any, d: Any, params: PoolParams) -> None:
    """Write the derivative of `pool` with respect to its input into ``out``.

    Args:
        out: The input's gradient (N, C, H, W).
        x: The input (N, C, H, W), packed.
        d: The output's gradient (N, C, H', W'), packed.
        params: The settings.
    """
    kind, window, stride, padding, dilation, count_pad = params
    work = d.size * window[0] * window[1]
    tile = windows_tile(out, d, params)
    if tile and kind == "max" and window == (2, 2) and not jit.disabled():
        _run(max_pairs_grad, work, out, x, d)
    elif tile and kind == "max":
        _run(max_tiles_grad, work, out, x, d, window=window)
    elif tile:
        _run(avg_tiles_grad, work, out, d, window=window)
    elif kind == "max":
        _run(max_pool_grad, work, out, x, d, window, stride, padding, dilation)
    else:
        _run(avg_pool_grad, work, out, d, window, stride, padding, count_pad)


def _share_pairs() -> Any:
    @intrinsic
    def share_pairs(  # type: ignore[no-untyped-def]
        typingctx, out, out_offset, image, image_offset, row_stride, d, d_offset, cols
    ):
        """Pass ``cols`` derivatives to the first largest of 2x2 elements each, in rows ``row_stride`` apart."""
        n = types.intp
        sig = types.void(out, n, image, n, n, d, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            target, source, change = (
                builder.gep(e.data(sig.args[k], args[k]), [args[k + 1]]) for k in (0, 2, 5)
            )
            row_stride, cols = args[4], args[7]

            def larger(a: Any, b: Any) -> Any:
                # b is larger, or nan where a is a number.
                unordered = builder.and_(
                    builder.fcmp_unordered("uno", b, b), builder.fcmp_ordered("ord", a, a)
                )
                return builder.or_(builder.fcmp_ordered(">", b, a), unordered)

            def windows(offset: Any, width: int) -> None:
                upper = builder.mul(offset, ir.Constant(offset.type, 2))
                lower = builder.add(upper, row_stride)
                even, odd = list(range(0, 2 * width, 2)), list(range(1, 2 * width, 2))
                rows = [e.load(builder.gep(source, [k]), 2 * width) for k in (upper, lower)]
                (a, b), (c, g) = ((e.shuffle(r, r, even), e.shuffle(r, r, odd)) for r in rows)
                upper_right, lower_right = larger(a, b), larger(c, g)
                top, bottom = builder.select(upper_right, b, a), builder.select(lower_right, g, c)
                in_lower = larger(top, bottom)
                whole, zero = e.load(builder.gep(change, [offset]), width), e.constant(0.0, width)
                for share, k, in_right in (
                    (builder.select(in_lower, zero, whole), upper, upper_right),
                    (builder.select(in_lower, whole, zero), lower, lower_right),
                ):
                    left, right = builder.select(in_right, zero, share), builder.select(in_right, share, zero)
                    row = e.shuffle(left, right, [i + s * width for i in range(width) for s in (0, 1)])
                    e.store(row, builder.gep(target, [k]))

            e.with_widest(cols, lambda width: e.cover(cols, width, lambda offset: windows(offset, width)))
            return context.get_dummy_value()

        return sig, codegen

    return share_pairs


share_pairs = named("share_pairs", _share_pairs())
