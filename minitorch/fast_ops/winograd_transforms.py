"""Small fixed matrices times vectors, transposition, interleaving, 2x2 windows: written in LLVM's vector types.

What `minitorch.fast_winograd` does around its products, and what pooling by 2x2 needs. As in `minitorch.fast_tile`,
each sees flat arrays, starts and steps; they refuse to know images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .simd import Emit, named

Matrix = Sequence[Sequence[float]]

# Winograd's F(4x4, 3x3) at the points 0, 1, -1, 2, -2 and infinity (Lavin and Gray, 2016).
INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
OUTPUT_TRANSPOSED = tuple(zip(*OUTPUT))


def _combine(e: Emit, row: Sequence[float], values: list[Any]) -> Any:
    """Return the sum of the values, weighted by a row of a matrix."""
    total = None
    for factor, value in zip(row, values):
        if not factor:
            continue
        if total is None:
            total = value if factor == 1 else e.builder.fmul(value, e.constant(factor))
        elif factor in (1, -1):
            total = (e.builder.fadd if factor == 1 else e.builder.fsub)(total, value)
        else:
            total = e.fma(value, e.constant(factor), total)
    return total


def _mix(matrix: Matrix) -> Any:
    @intrinsic
    def mix(typingctx, out, at, step, image, start, offsets, count):  # type: ignore[no-untyped-def]
        """out[at + k * step + i] = sum over j of matrix[k][j] * image[start + offsets[j] + i], for so many vectors."""
        n = types.intp
        sig = types.void(out, n, n, image, n, offsets, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src, where = (e.data(sig.args[k], args[k]) for k in (0, 3, 5))
            to, src = builder.gep(to, [args[1]]), builder.gep(src, [args[4]])
            sources = [
                builder.gep(src, [builder.load(builder.gep(where, [ir.Constant(args[1].type, j)]))])
                for j in range(len(matrix[0]))
            ]
            targets = [
                builder.gep(to, [builder.mul(args[2], ir.Constant(args[2].type, k))])
                for k in range(len(matrix))
            ]

            def body(i: Any, sums: list[Any]) -> list[Any]:
                place = builder.mul(i, ir.Constant(i.type, e.lanes))
                values = [e.load(builder.gep(source, [place])) for source in sources]
                for target, row in zip(targets, matrix):
                    e.store(_combine(e, row, values), builder.gep(target, [place]))
                return sums

            e.loop(args[6], [], body)
            return context.get_dummy_value()

        return sig, codegen

    return mix


def _turn(full: bool) -> Any:
    @intrinsic
    def turn(typingctx, out, at, step, image, start, near):  # type: ignore[no-untyped-def]
        """out[at + i * step + k] = image[start + k * near + i], in a square: a vector wide, or a tile tall."""
        n = types.intp
        sig = types.void(out, n, n, image, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            width = e.lanes if full else e.tall
            to, src = builder.gep(e.data(sig.args[0], args[0]), [args[1]]), e.data(sig.args[3], args[3])
            src = builder.gep(src, [args[4]])
            lines = [
                e.load(builder.gep(src, [builder.mul(args[5], ir.Constant(args[5].type, k))]), width)
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
                e.store(line, builder.gep(to, [builder.mul(args[2], ir.Constant(args[2].type, i))]))
            return context.get_dummy_value()

        return sig, codegen

    return turn


def _weave(width: int) -> Any:
    @intrinsic
    def weave(typingctx, out, at, image, start, step):  # type: ignore[no-untyped-def]
        """out[at + 4 * i + s] = image[start + s * step + i], for i below ``width`` and s below 4."""
        n = types.intp
        sig = types.void(out, n, image, n, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src = builder.gep(e.data(sig.args[0], args[0]), [args[1]]), e.data(sig.args[2], args[2])
            src = builder.gep(src, [args[3]])
            streams = [
                e.load(builder.gep(src, [builder.mul(args[4], ir.Constant(args[4].type, s))]), width)
                for s in range(4)
            ]
            both = list(range(2 * width))
            left, right = (e.shuffle(streams[s], streams[s + 1], both) for s in (0, 2))
            e.store(e.shuffle(left, right, [s * width + i for i in range(width) for s in range(4)]), to)
            return context.get_dummy_value()

        return sig, codegen

    return weave


def _unweave(width: int, streams: int) -> Any:
    @intrinsic
    def unweave(typingctx, out, at, step, image, start):  # type: ignore[no-untyped-def]
        """out[at + j * step + i] = image[start + 4 * i + j], for i below ``width`` and j below ``streams``."""
        n = types.intp
        sig = types.void(out, n, n, image, n)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            e = Emit(context, builder, sig.args[0])
            to, src = builder.gep(e.data(sig.args[0], args[0]), [args[1]]), e.data(sig.args[3], args[3])
            for j in range(streams):
                shift = ir.Constant(args[4].type, j // 4 * 4)
                elements = e.load(builder.gep(src, [builder.add(args[4], shift)]), 4 * width)
                stream = e.shuffle(elements, elements, [4 * i + j % 4 for i in range(width)])
                e.store(stream, builder.gep(to, [builder.mul(args[2], ir.Constant(args[2].type, j))]))
            return context.get_dummy_value()

        return sig, codegen

    return unweave


mix_input = named("mix_input", _mix(INPUT))
mix_output = named("mix_output", _mix(OUTPUT))
mix_change = named("mix_change", _mix(OUTPUT_TRANSPOSED))
turn_full = named("turn_full", _turn(True))
turn_tall = named("turn_tall", _turn(False))
weave_8, weave_4, weave_2 = (named(f"weave_{width}", _weave(width)) for width in (8, 4, 2))
unweave_8, unweave_4, unweave_2 = (named(f"unweave_{width}", _unweave(width, 6)) for width in (8, 4, 2))
part_8, part_4, part_2 = (named(f"part_{width}", _unweave(width, 4)) for width in (8, 4, 2))
