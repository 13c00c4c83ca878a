"""Register tiles: the innermost loops of convolution, as intrinsics written with `simd.Emitter`.

A register tile keeps a block of sums in vector registers while it runs over all products that belong to them. So each
vector that is loaded takes part in several multiply-adds, and sums are written once.

    forward tile     channels x vectors of sums (8 x 3 on AVX-512), one round per tap:
                         load 3 vectors of pixels at the tap's offset
                         for each channel: broadcast 1 weight, 3 fused multiply-adds
                     24 multiply-adds for 3 vector loads and 8 broadcasts

                         pixels   [ p 0..15 ][ p 16..31 ][ p 32..47 ]
              w[ch 0] -> sums     [ 0, 0    ][ 0, 1     ][ 0, 2     ]
              w[ch 1] ->          [ 1, 0    ][ 1, 1     ][ 1, 2     ]
                ...                   ...

    dot tile         channels x taps of sums (4 x 6), one round per vector of pixels:
                         load 4 vectors of gradients
                         for each tap: load 1 vector of pixels, shifted by the tap; 4 fused multiply-adds
                     24 multiply-adds for 10 vector loads; the lanes of each sum are added at the end

All operands are flat packed arrays with an offset into each; the tiles know no images. Reads beyond a row are allowed
where the caller's scratch memory allows it (`conv` sees to that). The intrinsics exist compiled only: with the JIT off
`conv` calls `tensor_ops.reference_conv`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..simd import DOT_CHANNELS, DOT_TAPS, NARROW_CHANNELS, WIDE_CHANNELS, Emitter, named


def _copy_rows(bias: bool = False, high: bool = False, relu_grad: bool = False) -> Any:
    @intrinsic
    def copy_rows(  # type: ignore[no-untyped-def]
        typingctx, out, out_offset, out_stride, source, source_offset, source_stride, rows, cols, extra
    ):
        """out[out_offset + r * out_stride + k] = source[source_offset + r * source_stride + k], r < rows, k < cols.

        With ``bias``, ``extra`` is three numbers: the first is added, sums <= the second become it, and with ``high``
        sums >= the third become it. With ``relu_grad``, ``extra`` is an array laid out as ``source``: elements become
        0 where it is <= 0. Nan is neither <= nor >= a number.
        Rows of any length are copied in whole vectors: the last one overlaps the one before.
        """
        n = types.intp
        sig = types.void(out, n, n, source, n, n, n, n, extra)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, _, out_stride, _, source_offset, source_stride, rows, cols, extra = args
            targets, sources = (builder.gep(e.data(sig.args[k], args[k]), [args[k + 1]]) for k in (0, 3))
            levels = builder.gep(e.data(sig.args[8], extra), [source_offset]) if relu_grad else None

            def copy_vector(target: Any, line: Any, level_line: Any, offset: Any, width: int) -> None:
                value = e.load(builder.gep(line, [offset]), width)
                # "not <=" and not ">": nan stays, as in `operators.relu` and `relu_back`.
                if bias:
                    shift, least, most = (
                        e.broadcast(builder.extract_value(extra, k), width) for k in range(3)
                    )
                    value = builder.fadd(value, shift)
                    value = builder.select(builder.fcmp_ordered("<=", value, least), least, value)
                    if high:
                        value = builder.select(builder.fcmp_ordered(">=", value, most), most, value)
                if relu_grad:
                    level, zero = e.load(builder.gep(level_line, [offset]), width), e.constant(0.0, width)
                    value = builder.select(builder.fcmp_ordered("<=", level, zero), zero, value)
                e.store(value, builder.gep(target, [offset]))

            def copy_all(width: int) -> None:
                def copy_row(r: Any, no_values: list[Any]) -> list[Any]:
                    target = builder.gep(targets, [builder.mul(r, out_stride)])
                    line, level_line = (
                        start and builder.gep(start, [builder.mul(r, source_stride)])
                        for start in (sources, levels)
                    )
                    e.cover(cols, width, lambda offset: copy_vector(target, line, level_line, offset, width))
                    return no_values

                e.loop(rows, [], copy_row)

            e.with_widest(cols, copy_all)
            return context.get_dummy_value()

        return sig, codegen

    return copy_rows


def _gather(channels: int) -> Any:
    @intrinsic
    def gather(typingctx, out, out_offset, weights, weight_offset, channel_stride):  # type: ignore[no-untyped-def]
        """out[out_offset + m] = weights[weight_offset + m * channel_stride], for ``channels`` values of m."""
        n = types.intp
        sig = types.void(out, n, weights, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            target, source = (builder.gep(e.data(sig.args[k], args[k]), [args[k + 1]]) for k in (0, 2))
            line = ir.Constant(ir.VectorType(e.real, channels), ir.Undefined)
            for m in range(channels):
                weight = builder.gep(source, [builder.mul(args[4], ir.Constant(args[4].type, m))])
                line = builder.insert_element(line, builder.load(weight), ir.Constant(ir.IntType(32), m))
            e.store(line, target)
            return context.get_dummy_value()

        return sig, codegen

    return gather


def _forward_tile(channels: int, vectors: int) -> Any:
    @intrinsic
    def tile(  # type: ignore[no-untyped-def]
        typingctx,
        out,
        out_offset,
        out_stride,
        image,
        image_offset,
        tap_offsets,
        weights,
        weight_offset,
        tap_stride,
        channel_stride,
        taps,
        adds,
    ):
        """out[out_offset + m * out_stride + i] = sum over taps t of weight(t, m) * pixel(t, i).

        weight(t, m) is ``weights[weight_offset + t * tap_stride + m * channel_stride]`` and pixel(t, i) is
        ``image[image_offset + tap_offsets[t] + i]``, for ``channels`` values of m and ``vectors`` vectors of i. If
        ``adds`` is true, what ``out`` holds is part of the sum.
        """
        n = types.intp
        sig = types.void(out, n, n, image, n, tap_offsets, weights, n, n, n, n, types.boolean)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, out_offset, out_stride, _, image_offset, _, _, weight_offset, *rest = args
            tap_stride, channel_stride, taps, adds = rest
            targets, pixels, offsets, weights = (e.data(sig.args[k], args[k]) for k in (0, 3, 5, 6))
            pixels, weights = builder.gep(pixels, [image_offset]), builder.gep(weights, [weight_offset])
            rows = [
                builder.gep(weights, [builder.mul(channel_stride, ir.Constant(taps.type, m))])
                for m in range(channels)
            ]

            def add_tap(t: Any, sums: list[Any]) -> list[Any]:
                shifted = builder.gep(pixels, [builder.load(builder.gep(offsets, [t]))])
                values = [
                    e.load(builder.gep(shifted, [ir.Constant(t.type, v * e.lanes)])) for v in range(vectors)
                ]
                column = builder.mul(t, tap_stride)
                new = []
                for m in range(channels):
                    weight = e.broadcast_element(builder.gep(rows[m], [column]))
                    new += [e.fma(values[v], weight, sums[m * vectors + v]) for v in range(vectors)]
                return new

            pointers = []
            for m in range(channels):
                line = builder.add(out_offset, builder.mul(out_stride, ir.Constant(out_offset.type, m)))
                for v in range(vectors):
                    pointers.append(
                        builder.gep(targets, [builder.add(line, ir.Constant(line.type, v * e.lanes))])
                    )
            before = builder.block
            with builder.if_then(adds):
                present, inside = [e.load(pointer) for pointer in pointers], builder.block
            initial = [builder.phi(e.vector) for _ in pointers]
            for phi, zero, value in zip(initial, e.zeros(len(pointers)), present):
                phi.add_incoming(zero, before)
                phi.add_incoming(value, inside)
            for value, pointer in zip(e.loop(taps, initial, add_tap), pointers):
                e.store(value, pointer)
            return context.get_dummy_value()

        return sig, codegen

    return tile


def _dot_tile(channels: int, taps: int) -> Any:
    @intrinsic
    def tile(  # type: ignore[no-untyped-def]
        typingctx,
        out,
        out_offset,
        out_stride,
        grads,
        grads_offset,
        grads_channel_stride,
        grads_image_stride,
        image,
        image_offset,
        image_stride,
        tap_offsets,
        first_tap,
        vectors,
        images,
    ):
        """out[out_offset + m * out_stride + k] += sum over images b and pixels i of gradient(b, m, i) * pixel(b, k, i).

        gradient(b, m, i) is ``grads[grads_offset + b * grads_image_stride + m * grads_channel_stride + i]`` and
        pixel(b, k, i) is ``image[image_offset + b * image_stride + tap_offsets[first_tap + k] + i]``, for ``channels``
        values of m, ``taps`` values of k, and ``vectors`` vectors of i.
        """
        n = types.intp
        sig = types.void(out, n, n, grads, n, n, n, image, n, n, tap_offsets, n, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            targets, grads, pixels, offsets = (e.data(sig.args[k], args[k]) for k in (0, 3, 7, 10))
            _, out_offset, out_stride, _, grads_offset, channel_stride, grads_stride, *rest = args
            _, image_offset, image_stride, _, first_tap, vectors, images = rest
            grads = builder.gep(grads, [grads_offset])
            pixels = builder.gep(pixels, [image_offset])
            shifts = [
                builder.load(builder.gep(offsets, [builder.add(first_tap, ir.Constant(first_tap.type, k))]))
                for k in range(taps)
            ]
            lines = [
                builder.mul(channel_stride, ir.Constant(channel_stride.type, m)) for m in range(channels)
            ]

            def add_image(b: Any, held: list[Any]) -> list[Any]:
                grads_here = builder.gep(grads, [builder.mul(b, grads_stride)])
                pixels_here = builder.gep(pixels, [builder.mul(b, image_stride)])
                grads_lines = [builder.gep(grads_here, [line]) for line in lines]
                pixel_lines = [builder.gep(pixels_here, [shift]) for shift in shifts]

                def add_vector(i: Any, sums: list[Any]) -> list[Any]:
                    offset = builder.mul(i, ir.Constant(i.type, e.lanes))
                    gradients = [e.load(builder.gep(line, [offset])) for line in grads_lines]
                    new: list[Any] = [None] * (channels * taps)
                    for k in range(taps):
                        values = e.load(builder.gep(pixel_lines[k], [offset]))
                        for m in range(channels):
                            new[m * taps + k] = e.fma(gradients[m], values, sums[m * taps + k])
                    return new

                return e.loop(vectors, held, add_vector)

            sums = e.loop(images, e.zeros(channels * taps), add_image)
            for m in range(channels):
                line = builder.add(out_offset, builder.mul(out_stride, ir.Constant(out_stride.type, m)))
                for k in range(taps):
                    target = builder.gep(targets, [builder.add(line, ir.Constant(line.type, k))])
                    found = e.horizontal_sum(sums[m * taps + k])
                    builder.store(builder.fadd(builder.load(target), found), target)
            return context.get_dummy_value()

        return sig, codegen

    return tile


copy_rows = named("copy_rows", _copy_rows())
copy_rows_relu_grad = named("copy_rows_relu_grad", _copy_rows(relu_grad=True))
copy_rows_bias = named("copy_rows_bias", _copy_rows(bias=True))
copy_rows_bias_high = named("copy_rows_bias_high", _copy_rows(bias=True, high=True))
wide_3, wide_2, wide_1 = (named(f"wide_{v}", _forward_tile(WIDE_CHANNELS, v)) for v in (3, 2, 1))
narrow_3, narrow_2, narrow_1 = (named(f"narrow_{v}", _forward_tile(NARROW_CHANNELS, v)) for v in (3, 2, 1))
gather_wide, gather_narrow = (
    named("gather_wide", _gather(WIDE_CHANNELS)),
    named("gather_narrow", _gather(NARROW_CHANNELS)),
)
dot_tile = named("dot_tile", _dot_tile(DOT_CHANNELS, DOT_TAPS))
