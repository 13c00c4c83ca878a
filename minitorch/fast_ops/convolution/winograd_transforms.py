"""Vector kernels around Winograd's products: small constant matrices, transposition and interleaving.

`winograd` calls them; each is an intrinsic written with `simd.Emitter`, on flat packed arrays with an offset into each
and strides between lines. They know no images.

Winograd's minimal filtering F(4x4, 3x3) uses three matrices (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", 2016), built on the interpolation points 0, 1, -1, 2, -2 and infinity:

    INPUT              B^T, 6 x 6    input tile d (6 x 6)     ->  B^T d B
    WEIGHT             G,   6 x 3    weight g (3 x 3)         ->  G g G^T
    OUTPUT             A^T, 4 x 6    elementwise products M   ->  A^T M A       (4 x 4 results)

A matrix is applied to rows, then to columns. One call applies it to the lines of many tiles at once: line j holds
element j of all tiles side by side, so a vector register holds the same element of several tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..simd import WIDE_CHANNELS, Emitter, named

Matrix = Sequence[Sequence[float]]

INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
WEIGHT = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
OUTPUT_TRANSPOSED, WEIGHT_TRANSPOSED = tuple(zip(*OUTPUT)), tuple(zip(*WEIGHT))


def _combined(e: Emitter, factors: Sequence[float], vectors: list[Any]) -> Any:
    """Return the sum of ``factors[j] * vectors[j]``: no multiplication by 1 or -1, no term for 0."""
    total = None
    for factor, vector in zip(factors, vectors):
        if not factor:
            continue
        if total is None:
            total = vector if factor == 1 else e.builder.fmul(vector, e.constant(factor))
        elif factor in (1, -1):
            total = (e.builder.fadd if factor == 1 else e.builder.fsub)(total, vector)
        else:
            total = e.fma(vector, e.constant(factor), total)
    return total


def _transform(matrix: Matrix) -> Any:
    @intrinsic
    def transform(  # type: ignore[no-untyped-def]
        typingctx, out, out_offset, out_stride, source, source_offset, line_offsets, vectors
    ):
        """out[out_offset + k * out_stride + i] = sum over j of matrix[k][j] * line(j)[i], for ``vectors`` vectors of i.

        line(j) begins at ``source[source_offset + line_offsets[j]]``.
        """
        n = types.intp
        sig = types.void(out, n, n, source, n, line_offsets, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, out_offset, out_stride, _, source_offset, _, vectors = args
            target, source, offsets = (e.data(sig.args[k], args[k]) for k in (0, 3, 5))
            target, source = builder.gep(target, [out_offset]), builder.gep(source, [source_offset])
            sources = [
                builder.gep(source, [builder.load(builder.gep(offsets, [ir.Constant(out_offset.type, j)]))])
                for j in range(len(matrix[0]))
            ]
            targets = [
                builder.gep(target, [builder.mul(out_stride, ir.Constant(out_stride.type, k))])
                for k in range(len(matrix))
            ]

            def transform_vector(i: Any, no_values: list[Any]) -> list[Any]:
                place = builder.mul(i, ir.Constant(i.type, e.lanes))
                lines = [e.load(builder.gep(line, [place])) for line in sources]
                for line, factors in zip(targets, matrix):
                    e.store(_combined(e, factors, lines), builder.gep(line, [place]))
                return no_values

            e.loop(vectors, [], transform_vector)
            return context.get_dummy_value()

        return sig, codegen

    return transform


def _transpose(register_wide: bool) -> Any:
    @intrinsic
    def transpose(typingctx, out, out_offset, out_stride, source, source_offset, source_stride):  # type: ignore[no-untyped-def]
        """out[out_offset + i * out_stride + k] = source[source_offset + k * source_stride + i], in a square.

        The square is a vector register wide, or as wide as a forward tile has channels.
        """
        n = types.intp
        sig = types.void(out, n, n, source, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, out_offset, out_stride, _, source_offset, source_stride = args
            width = e.lanes if register_wide else WIDE_CHANNELS
            target = builder.gep(e.data(sig.args[0], args[0]), [out_offset])
            source = builder.gep(e.data(sig.args[3], args[3]), [source_offset])
            lines = [
                e.load(
                    builder.gep(source, [builder.mul(source_stride, ir.Constant(source_stride.type, k))]),
                    width,
                )
                for k in range(width)
            ]
            size = width // 2
            while size:
                # Swap the off-diagonal blocks of `size` elements between lines k and k + size.
                for k in (k for k in range(width) if not k & size):
                    a, b = lines[k], lines[k + size]
                    upper = [i if not i & size else width + i - size for i in range(width)]
                    lower = [i + size if not i & size else width + i for i in range(width)]
                    lines[k], lines[k + size] = e.shuffle(a, b, upper), e.shuffle(a, b, lower)
                size //= 2
            for i, line in enumerate(lines):
                e.store(line, builder.gep(target, [builder.mul(out_stride, ir.Constant(out_stride.type, i))]))
            return context.get_dummy_value()

        return sig, codegen

    return transpose


def _interleave(width: int) -> Any:
    @intrinsic
    def interleave(typingctx, out, out_offset, streams, streams_offset, stream_stride):  # type: ignore[no-untyped-def]
        """out[out_offset + 4 * i + s] = streams[streams_offset + s * stream_stride + i], i < ``width``, s < 4."""
        n = types.intp
        sig = types.void(out, n, streams, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, out_offset, _, streams_offset, stream_stride = args
            target = builder.gep(e.data(sig.args[0], args[0]), [out_offset])
            source = builder.gep(e.data(sig.args[2], args[2]), [streams_offset])
            streams = [
                e.load(
                    builder.gep(source, [builder.mul(stream_stride, ir.Constant(stream_stride.type, s))]),
                    width,
                )
                for s in range(4)
            ]
            both = list(range(2 * width))
            left, right = (e.shuffle(streams[s], streams[s + 1], both) for s in (0, 2))
            e.store(e.shuffle(left, right, [s * width + i for i in range(width) for s in range(4)]), target)
            return context.get_dummy_value()

        return sig, codegen

    return interleave


def _deinterleave(width: int, streams: int) -> Any:
    @intrinsic
    def deinterleave(typingctx, out, out_offset, stream_stride, row, row_offset):  # type: ignore[no-untyped-def]
        """out[out_offset + j * stream_stride + i] = row[row_offset + 4 * i + j], i < ``width``, j < ``streams``."""
        n = types.intp
        sig = types.void(out, n, n, row, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emitter(context, builder, sig.args[0])
            _, out_offset, stream_stride, _, row_offset = args
            target = builder.gep(e.data(sig.args[0], args[0]), [out_offset])
            row = e.data(sig.args[3], args[3])
            for j in range(streams):
                shift = ir.Constant(row_offset.type, j // 4 * 4)
                elements = e.load(builder.gep(row, [builder.add(row_offset, shift)]), 4 * width)
                stream = e.shuffle(elements, elements, [4 * i + j % 4 for i in range(width)])
                line = builder.mul(stream_stride, ir.Constant(stream_stride.type, j))
                e.store(stream, builder.gep(target, [line]))
            return context.get_dummy_value()

        return sig, codegen

    return deinterleave


@intrinsic
def _prefetch(typingctx, array, offset, count):  # type: ignore[no-untyped-def]
    """Ask for ``array[offset : offset + count]``, so that it is in a cache when it is read; it may lie outside."""
    n = types.intp

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        first, byte, number = (
            builder.gep(e.data(sig.args[0], args[0]), [args[1]]),
            ir.IntType(8),
            ir.IntType(32),
        )
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), number, number, number])
        name, width = "llvm.prefetch.p0i8", 64 // e.item_bytes  # elements of a cache line
        ask = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

        def ask_line(k: Any, no_values: list[Any]) -> list[Any]:
            line = builder.gep(first, [builder.mul(k, ir.Constant(k.type, width))])
            settings = (ir.Constant(number, setting) for setting in (0, 3, 1))  # to be read, soon, data
            builder.call(ask, [builder.bitcast(line, byte.as_pointer()), *settings])
            return no_values

        above = builder.add(args[2], ir.Constant(args[2].type, width - 1))
        e.loop(builder.sdiv(above, ir.Constant(above.type, width)), [], ask_line)
        return context.get_dummy_value()

    return types.void(array, n, n), codegen


prefetch = named("prefetch", _prefetch)
transform_input = named("transform_input", _transform(INPUT))
transform_output = named("transform_output", _transform(OUTPUT))
transform_gradient = named("transform_gradient", _transform(OUTPUT_TRANSPOSED))
transform_weight = named("transform_weight", _transform(WEIGHT))
transform_weight_grad = named("transform_weight_grad", _transform(WEIGHT_TRANSPOSED))
transpose_vector = named("transpose_vector", _transpose(True))
transpose_tile = named("transpose_tile", _transpose(False))
interleave_8, interleave_4, interleave_2 = (
    named(f"interleave_{width}", _interleave(width)) for width in (8, 4, 2)
)
# Overlapping tiles of 6 columns, 4 apart: columns 4 and 5 are 0 and 1 of the next tile.
split_6_of_8, split_6_of_4, split_6_of_2 = (
    named(f"split_6_of_{width}", _deinterleave(width, 6)) for width in (8, 4, 2)
)
# Tiles of 4 columns, side by side.
split_4_of_8, split_4_of_4, split_4_of_2 = (
    named(f"split_4_of_{width}", _deinterleave(width, 4)) for width in (8, 4, 2)
)
