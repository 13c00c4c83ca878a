"""Pooling of the Numba backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from ..runtime.placeholders import real
from ..runtime.types import Pair, PoolParams
from . import jit
from .simd import Emit, named

TALL, WIDE = 2, 2


def inside(start: int, step: int, count: int, size: int) -> Any:
    """Return the first, and one past the last, of ``count`` places from ``start`` that lie in 0..size-1."""
    first = 0 if start >= 0 else (-start + step - 1) // step
    last = count if start + (count - 1) * step < size else (size - start + step - 1) // step
    return first, last


def max_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Take the largest element of each window; nan wins, padding never."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(result.shape[0]):
            top = y * stride[0] - padding[0]
            low, high = inside(top, dilation[0], window[0], height)
            for z in range(result.shape[1]):
                left = z * stride[1] - padding[2]
                first, last = inside(left, dilation[1], window[1], width)
                best = real(-np.inf)
                for i in range(low, high):
                    for j in range(first, last):
                        v = image[top + i * dilation[0], left + j * dilation[1]]
                        best = v if v > best or v != v else best
                result[y, z] = best


def max_pool_grad(out: Any, x: Any, d: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Pass each derivative to the first largest element of its window."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        result[:] = real(0)
        for y in range(change.shape[0]):
            top = y * stride[0] - padding[0]
            low, high = inside(top, dilation[0], window[0], height)
            for z in range(change.shape[1]):
                left = z * stride[1] - padding[2]
                first, last = inside(left, dilation[1], window[1], width)
                if low < high and first < last:
                    r, k = top + low * dilation[0], left + first * dilation[1]
                    best = image[r, k]
                    for i in range(low, high):
                        for j in range(first, last):
                            v = image[top + i * dilation[0], left + j * dilation[1]]
                            if (v > best) | ((v != v) & (best == best)):
                                best, r, k = v, top + i * dilation[0], left + j * dilation[1]
                    result[r, k] += change[y, z]


def avg_pool(out: Any, x: Any, window: Any, stride: Any, padding: Any, count_pad: bool) -> None:
    """Average each window: elements added row by row, then divided."""
    batch, channels, height, width = x.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(result.shape[0]):
            top = y * stride[0] - padding[0]
            bottom = min(top + window[0], height + padding[1])
            low, high = max(top, 0), min(bottom, height)
            for z in range(result.shape[1]):
                left = z * stride[1] - padding[2]
                right = min(left + window[1], width + padding[3])
                first, last = max(left, 0), min(right, width)
                total = real(0)
                for r in range(low, high):
                    for k in range(first, last):
                        total += image[r, k]
                count = (bottom - top) * (right - left) if count_pad else (high - low) * (last - first)
                result[y, z] = total / real(count)


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


# Windows that tile: sizes are constants and nothing branches, so the compiler computes many windows at once.


def max_tiles(out: Any, x: Any) -> None:
    """`max_pool` for windows TALL x WIDE, side by side."""
    batch, channels, rows, cols = out.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                best = image[y * TALL, z * WIDE]
                for k in range(1, TALL * WIDE):
                    v = image[y * TALL + k // WIDE, z * WIDE + k % WIDE]
                    best = v if (v > best) | (v != v) else best
                result[y, z] = best


def max_tiles_grad(out: Any, x: Any, d: Any) -> None:
    """`max_pool_grad` for windows TALL x WIDE, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                best, at, all_of_it = image[y * TALL, z * WIDE], real(0), change[y, z]
                for k in range(1, TALL * WIDE):
                    v = image[y * TALL + k // WIDE, z * WIDE + k % WIDE]
                    more = (v > best) | ((v != v) & (best == best))
                    best = v if more else best
                    at = real(k) if more else at
                for k in range(TALL * WIDE):
                    share = all_of_it if at == real(k) else real(0)
                    result[y * TALL + k // WIDE, z * WIDE + k % WIDE] = share


def max_pairs_grad(out: Any, x: Any, d: Any) -> None:
    """`max_pool_grad` for windows of 2x2, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        image, change = x[t // channels, t % channels], d[t // channels, t % channels]
        result = out[t // channels, t % channels]
        for y in range(rows):
            at = y * 4 * cols
            share_pairs(result, at, image, at, 2 * cols, change, y * cols, cols)


def avg_tiles(out: Any, x: Any) -> None:
    """`avg_pool` for windows TALL x WIDE, side by side."""
    batch, channels, rows, cols = out.shape
    for t in prange(batch * channels):
        image, result = x[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                total = real(0)
                for k in range(TALL * WIDE):
                    total += image[y * TALL + k // WIDE, z * WIDE + k % WIDE]
                result[y, z] = total / real(TALL * WIDE)


def avg_tiles_grad(out: Any, d: Any) -> None:
    """`avg_pool_grad` for windows TALL x WIDE, side by side."""
    batch, channels, rows, cols = d.shape
    for t in prange(batch * channels):
        change, result = d[t // channels, t % channels], out[t // channels, t % channels]
        for y in range(rows):
            for z in range(cols):
                share = change[y, z] / real(TALL * WIDE)
                for k in range(TALL * WIDE):
                    result[y * TALL + k // WIDE, z * WIDE + k % WIDE] = share


LARGEST_TILE = 16  # elements of a window up to which its loop is worth unrolling


def tiles(image: Any, result: Any, window: Pair, *settings: Any) -> bool:
    """Tell whether the windows lie side by side and fill the image."""
    (rows, cols), plain = window, (window, (0, 0, 0, 0), (1, 1))
    whole = image.shape[2:] == (result.shape[2] * rows, result.shape[3] * cols)
    return whole and settings == plain and rows * cols <= LARGEST_TILE


def _sized(loop: Any, dtype: Any, work: int, **sizes: int) -> Any:
    return jit.variant(loop, dtype, work > jit.PARALLEL, **sizes)


def _tiled(loop: Any, dtype: Any, work: int, window: Pair) -> Any:
    return _sized(loop, dtype, work, TALL=window[0], WIDE=window[1])


def pool(out: Any, x: Any, params: PoolParams) -> None:
    """Write the largest or average element of each window into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    work = out.size * window[0] * window[1]
    if tiles(x, out, window, stride, padding, dilation):
        _tiled(max_tiles if kind == "max" else avg_tiles, out.dtype, work, window)(out, x)
    elif kind == "max":
        _sized(max_pool, out.dtype, work)(out, x, window, stride, padding, dilation)
    else:
        _sized(avg_pool, out.dtype, work)(out, x, window, stride, padding, count_pad)


def pool_grad(
    out: Any,
    x: Any,
    d: Any,
    params: PoolParams,
) -> None:
    """Write the derivative of `pool` with respect to its input into ``out``."""
    kind, window, stride, padding, dilation, count_pad = params
    work = d.size * window[0] * window[1]
    side_by_side = tiles(out, d, window, stride, padding, dilation)
    if side_by_side and kind == "max" and window == (2, 2) and not jit.disabled():
        _sized(max_pairs_grad, out.dtype, work)(out, x, d)
    elif side_by_side and kind == "max":
        _tiled(max_tiles_grad, out.dtype, work, window)(out, x, d)
    elif side_by_side:
        _tiled(avg_tiles_grad, out.dtype, work, window)(out, d)
    elif kind == "max":
        _sized(max_pool_grad, out.dtype, work)(out, x, d, window, stride, padding, dilation)
    else:
        _sized(avg_pool_grad, out.dtype, work)(out, d, window, stride, padding, count_pad)


def _share_pairs() -> Any:
    @intrinsic
    def share_pairs(typingctx, out, at, image, start, step, d, first, cols):  # type: ignore[no-untyped-def]
        """Pass ``cols`` derivatives to the first largest of 2x2 elements each, in rows ``step`` apart."""
        n = types.intp
        sig = types.void(out, n, image, n, n, d, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src, change = (builder.gep(e.data(sig.args[k], args[k]), [args[k + 1]]) for k in (0, 2, 5))

            def higher(a: Any, b: Any) -> Any:
                # Larger, or nan where the first is a number.
                unordered = builder.and_(
                    builder.fcmp_unordered("uno", b, b), builder.fcmp_ordered("ord", a, a)
                )
                return builder.or_(builder.fcmp_ordered(">", b, a), unordered)

            def windows(place: Any, width: int) -> None:
                both = builder.mul(place, ir.Constant(place.type, 2))
                near, far = both, builder.add(both, args[4])
                even, odd = list(range(0, 2 * width, 2)), list(range(1, 2 * width, 2))
                rows = [e.load(builder.gep(src, [k]), 2 * width) for k in (near, far)]
                (a, b), (c, g) = ((e.shuffle(r, r, even), e.shuffle(r, r, odd)) for r in rows)
                upper, lower = higher(a, b), higher(c, g)
                top, bottom = builder.select(upper, b, a), builder.select(lower, g, c)
                down = higher(top, bottom)
                whole, zero = e.load(builder.gep(change, [place]), width), e.constant(0.0, width)
                for pair, k, right in (
                    (builder.select(down, zero, whole), near, upper),
                    (builder.select(down, whole, zero), far, lower),
                ):
                    left, other = builder.select(right, zero, pair), builder.select(right, pair, zero)
                    woven = e.shuffle(left, other, [i + s * width for i in range(width) for s in (0, 1)])
                    e.store(woven, builder.gep(to, [k]))

            cols = args[7]
            e.widest(cols, lambda width: e.across(cols, width, lambda place: windows(place, width)))
            return context.get_dummy_value()

        return sig, codegen

    return share_pairs


share_pairs = named("share_pairs", _share_pairs())
