"""Register tiles: the innermost loops of convolution, written in LLVM's vector types.

A tile keeps its sums in vector registers while it runs over all taps (or all pixels), so that each number loaded is
used many times. The types are as wide as the machine's registers. Intrinsics need the compiler; `minitorch.fast_loops` holds their plain twins.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .simd import DOT_COLUMNS, DOT_ROWS, NARROW, WIDE, Emit, named


def _move(shifted: bool = False, positive: bool = False, gated: bool = False) -> Any:
    @intrinsic
    def move(typingctx, out, at, step, image, start, near, rows, cols, more):  # type: ignore[no-untyped-def]
        """out[at + r * step + k] = image[start + r * near + k] for rows and columns.

        ``more`` is a number to add before the sum is made positive, or an array like ``image``: elements count where its
        are positive. Rows of any length are moved in whole vectors: the last one overlaps the one before.
        """
        n = types.intp
        sig = types.void(out, n, n, image, n, n, n, n, more)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src = (builder.gep(e.data(sig.args[k], args[k]), [args[k + 1]]) for k in (0, 3))
            gates = builder.gep(e.data(sig.args[8], args[8]), [args[4]]) if gated else None
            rows, cols = args[6], args[7]

            def one(row: Any, line: Any, gate: Any, place: Any, width: int) -> None:
                value, zero = e.load(builder.gep(line, [place]), width), e.constant(0.0, width)
                if shifted:
                    value = builder.fadd(value, e.spread_value(args[8], width))
                if positive or gated:
                    level = e.load(builder.gep(gate, [place]), width) if gated else value
                    value = builder.select(builder.fcmp_ordered(">", level, zero), value, zero)
                e.store(value, builder.gep(row, [place]))

            def lines(width: int) -> None:
                def body(r: Any, none: list[Any]) -> list[Any]:
                    row = builder.gep(to, [builder.mul(r, args[2])])
                    line, gate = (
                        start and builder.gep(start, [builder.mul(r, args[5])]) for start in (src, gates)
                    )
                    e.across(cols, width, lambda place: one(row, line, gate, place, width))
                    return none

                e.loop(rows, [], body)

            e.widest(cols, lines)
            return context.get_dummy_value()

        return sig, codegen

    return move


def _forward_tile(channels: int, vectors: int, add: bool = False) -> Any:
    @intrinsic
    def tile(typingctx, out, at, step, image, start, offsets, weights, first, taps):  # type: ignore[no-untyped-def]
        """out[at + m * step + i] = sum over t of weights[first + t * channels + m] * image[start + offsets[t] + i].

        With ``add``, what ``out`` holds is part of the sum.
        """
        n = types.intp
        sig = types.void(out, n, n, image, n, offsets, weights, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src, where, w = (e.data(sig.args[k], args[k]) for k in (0, 3, 5, 6))
            src, w = builder.gep(src, [args[4]]), builder.gep(w, [args[7]])

            def body(t: Any, sums: list[Any]) -> list[Any]:
                pixels = builder.gep(src, [builder.load(builder.gep(where, [t]))])
                lanes = [
                    e.load(builder.gep(pixels, [ir.Constant(t.type, v * e.lanes)])) for v in range(vectors)
                ]
                row = builder.gep(w, [builder.mul(t, ir.Constant(t.type, channels))])
                new = []
                for m in range(channels):
                    weight = e.spread(builder.gep(row, [ir.Constant(t.type, m)]))
                    new += [e.fma(lanes[v], weight, sums[m * vectors + v]) for v in range(vectors)]
                return new

            places = []
            for m in range(channels):
                line = builder.add(args[1], builder.mul(args[2], ir.Constant(args[1].type, m)))
                for v in range(vectors):
                    places.append(builder.gep(to, [builder.add(line, ir.Constant(line.type, v * e.lanes))]))
            start = [e.load(place) for place in places] if add else e.zeros(len(places))
            for value, place in zip(e.loop(args[8], start, body), places):
                e.store(value, place)
            return context.get_dummy_value()

        return sig, codegen

    return tile


def _dot_tile(rows: int, columns: int) -> Any:
    @intrinsic
    def tile(  # type: ignore[no-untyped-def]
        typingctx,
        out,
        at,
        step,
        d,
        d_start,
        d_step,
        d_next,
        image,
        start,
        i_next,
        offsets,
        first,
        blocks,
        images,
    ):
        """out[at + m * step + k] += sum over images b and pixels i of d[.. m ..] * image[.. offsets[first + k] ..].

        Rows of ``d`` lie ``d_step`` apart, images ``d_next`` and ``i_next``; an image has ``blocks`` vectors of pixels.
        """
        n = types.intp
        sig = types.void(out, n, n, d, n, n, n, image, n, n, offsets, n, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, left, right, where = (e.data(sig.args[k], args[k]) for k in (0, 3, 7, 10))
            _, at, step, _, d_start, d_step, d_next, _, start, i_next, _, first, blocks, images = args
            left = builder.gep(left, [d_start])
            right = builder.gep(right, [start])
            shifts = [
                builder.load(builder.gep(where, [builder.add(first, ir.Constant(first.type, k))]))
                for k in range(columns)
            ]
            lines = [builder.mul(d_step, ir.Constant(d_step.type, m)) for m in range(rows)]

            def image_body(b: Any, held: list[Any]) -> list[Any]:
                near = builder.gep(left, [builder.mul(b, d_next)])
                far = builder.gep(right, [builder.mul(b, i_next)])
                near_lines = [builder.gep(near, [line]) for line in lines]
                far_lines = [builder.gep(far, [shift]) for shift in shifts]

                def body(i: Any, sums: list[Any]) -> list[Any]:
                    place = builder.mul(i, ir.Constant(i.type, e.lanes))
                    change = [e.load(builder.gep(line, [place])) for line in near_lines]
                    new: list[Any] = [None] * (rows * columns)
                    for k in range(columns):
                        pixels = e.load(builder.gep(far_lines[k], [place]))
                        for m in range(rows):
                            new[m * columns + k] = e.fma(change[m], pixels, sums[m * columns + k])
                    return new

                return e.loop(blocks, held, body)

            sums = e.loop(images, e.zeros(rows * columns), image_body)
            for m in range(rows):
                line = builder.add(at, builder.mul(step, ir.Constant(step.type, m)))
                for k in range(columns):
                    element = builder.gep(to, [builder.add(line, ir.Constant(line.type, k))])
                    builder.store(
                        builder.fadd(builder.load(element), e.total(sums[m * columns + k])), element
                    )
            return context.get_dummy_value()

        return sig, codegen

    return tile


move = named("move", _move())
move_open = named("move_open", _move(gated=True))
move_none = named("move_none", _move(shifted=True))
move_relu = named("move_relu", _move(shifted=True, positive=True))
wide_3 = named("wide_3", _forward_tile(WIDE, 3))
wide_2 = named("wide_2", _forward_tile(WIDE, 2))
wide_1 = named("wide_1", _forward_tile(WIDE, 1))
narrow_3 = named("narrow_3", _forward_tile(NARROW, 3))
narrow_2 = named("narrow_2", _forward_tile(NARROW, 2))
narrow_1 = named("narrow_1", _forward_tile(NARROW, 1))
more_2 = named("more_2", _forward_tile(WIDE, 2, add=True))
more_1 = named("more_1", _forward_tile(WIDE, 1, add=True))
dot_tile = named("dot_tile", _dot_tile(DOT_ROWS, DOT_COLUMNS))
