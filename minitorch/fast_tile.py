"""Register tiles: the innermost loops of convolution, written in LLVM's vector types.

A tile keeps its sums in vector registers while it runs over all taps (or all pixels), so that each number loaded is
used many times. The types are as wide as the machine's registers. It refuses to know images: it sees flat arrays,
starts and offsets. Intrinsics need the compiler; `minitorch.fast_loops` holds their plain twins.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _machine() -> tuple[int, int, tuple[int, int]]:
    """Return the bytes of a vector, the channels of a wide tile, and the rows and columns of a dot tile."""
    has = llvm.get_host_cpu_features()
    if has.get("avx512f"):
        return 64, 8, (4, 6)  # 32 registers
    return 32 if has.get("avx2") else 16, 4, (3, 4)  # 16 registers


BYTES, WIDE, (DOT_ROWS, DOT_COLUMNS) = _machine()
NARROW = 4


class Emit:
    """Writes vector code for arrays of one float type."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        double = array.dtype == types.float64
        self.size = 8 if double else 4
        self.real = ir.DoubleType() if double else ir.FloatType()
        self.lanes, self.tall = BYTES // self.size, WIDE
        self.vector = ir.VectorType(self.real, self.lanes)
        suffix = f"v{self.lanes}f{8 * self.size}"
        fma = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fma = self._declare(f"llvm.fma.{suffix}", fma)

    def _declare(self, name: str, kind: Any) -> Any:
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, kind, name)

    def data(self, kind: Any, value: Any) -> Any:
        """Return the pointer to the cells of an array."""
        return self.context.make_array(kind)(self.context, self.builder, value=value).data

    def load(self, pointer: Any, width: int = 0) -> Any:
        """Load a vector (of ``width`` cells, if given) from any address."""
        vector = ir.VectorType(self.real, width) if width else self.vector
        return self.builder.load(self.builder.bitcast(pointer, vector.as_pointer()), align=self.size)

    def store(self, value: Any, pointer: Any) -> None:
        """Store a vector at any address."""
        place = self.builder.bitcast(pointer, value.type.as_pointer())
        self.builder.store(value, place, align=self.size)

    def spread(self, pointer: Any) -> Any:
        """Load one number into all lanes."""
        return self.spread_value(self.builder.load(pointer), self.lanes)

    def spread_value(self, number: Any, width: int) -> Any:
        """Return a vector of ``width`` equal numbers."""
        none = ir.Constant(ir.VectorType(self.real, width), ir.Undefined)
        first = self.builder.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
        return self.shuffle(first, none, [0] * width)

    def shuffle(self, a: Any, b: Any, places: list[int]) -> Any:
        """Pick cells of two vectors laid end to end."""
        return self.builder.shuffle_vector(
            a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
        )

    def constant(self, number: float, width: int = 0) -> Any:
        """Return a vector of equal numbers (``width`` of them, if given)."""
        vector = ir.VectorType(self.real, width) if width else self.vector
        return ir.Constant(vector, [float(number)] * vector.count)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a * b + c``."""
        return self.builder.call(self._fma, [a, b, c])

    def total(self, value: Any) -> Any:
        """Return the sum of the lanes: of one half and the other, and so on."""
        half = value.type.count // 2
        while half:
            low, high = (self.shuffle(value, value, list(range(k, k + half))) for k in (0, half))
            value, half = self.builder.fadd(low, high), half // 2
        return self.builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    def zeros(self, count: int) -> list[Any]:
        """Return vectors of zeros."""
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        return [zero] * count

    def loop(self, count: Any, sums: list[Any], body: Any) -> list[Any]:
        """Run ``sums = body(i, sums)`` for i below ``count`` (at least once), the sums staying in registers."""
        b, before = self.builder, self.builder.block
        inside, after = b.append_basic_block("tile"), b.append_basic_block("done")
        b.branch(inside)
        b.position_at_end(inside)
        i = b.phi(count.type)
        held = [b.phi(self.vector) for _ in sums]
        new = body(i, held)
        step = b.add(i, ir.Constant(count.type, 1))
        end = b.block
        b.cbranch(b.icmp_signed("<", step, count), inside, after)
        i.add_incoming(ir.Constant(count.type, 0), before)
        i.add_incoming(step, end)
        for phi, start, value in zip(held, sums, new):
            phi.add_incoming(start, before)
            phi.add_incoming(value, end)
        b.position_at_end(after)
        return new

    def across(self, count: Any, width: int, body: Any) -> None:
        """Run ``body(place)`` for vectors of ``width`` cells that cover ``count`` of them: the last may overlap."""

        def whole(k: Any, none: list[Any]) -> list[Any]:
            body(self.builder.mul(k, ir.Constant(k.type, width)))
            return none

        self.loop(self.builder.sdiv(count, ir.Constant(count.type, width)), [], whole)
        body(self.builder.sub(count, ir.Constant(count.type, width)))

    def widest(self, count: Any, body: Any, width: int = 0) -> None:
        """Run ``body(width)`` for the widest vector that ``count`` cells fill: whole, a quarter, ..., one."""
        width = width or self.lanes
        if width == 1:
            body(1)
            return
        enough = self.builder.icmp_signed(">=", count, ir.Constant(count.type, width))
        with self.builder.if_else(enough) as (then, otherwise):
            with then:
                body(width)
            with otherwise:
                # In quarters: each width is code that has to be compiled.
                self.widest(count, body, max(width // 4, 1))


def _move(shifted: bool = False, positive: bool = False, gated: bool = False) -> Any:
    @intrinsic
    def move(typingctx, out, at, step, image, start, near, rows, cols, more):  # type: ignore[no-untyped-def]
        """out[at + r * step + k] = image[start + r * near + k] for rows and columns.

        ``more`` is a number to add before the sum is made positive, or an array like ``image``: cells count where its
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
                    cell = builder.gep(to, [builder.add(line, ir.Constant(line.type, k))])
                    builder.store(builder.fadd(builder.load(cell), e.total(sums[m * columns + k])), cell)
            return context.get_dummy_value()

        return sig, codegen

    return tile


def named(name: str, tile: Any) -> Any:
    """Give ``tile`` the name under which a kernel's module imports it."""
    tile.__name__ = name
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
