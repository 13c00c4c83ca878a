"""Part of fast_tile."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types


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
        """Return the pointer to the elements of an array."""
        return self.context.make_array(kind)(self.context, self.builder, value=value).data

    def load(self, pointer: Any, width: int = 0) -> Any:
        """Load a vector (of ``width`` elements, if given) from any address."""
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
        """Pick elements of two vectors laid end to end."""
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
        """Run ``body(place)`` for vectors of ``width`` elements that cover ``count`` of them: the last may overlap."""

        def whole(k: Any, none: list[Any]) -> list[Any]:
            body(self.builder.mul(k, ir.Constant(k.type, width)))
            return none

        self.loop(self.builder.sdiv(count, ir.Constant(count.type, width)), [], whole)
        body(self.builder.sub(count, ir.Constant(count.type, width)))

    def widest(self, count: Any, body: Any, width: int = 0) -> None:
        """Run ``body(width)`` for the widest vector that ``count`` elements fill: whole, a quarter, ..., one."""
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


def named(name: str, tile: Any) -> Any:
    """Give ``tile`` the name under which a kernel's module imports it."""
    tile.__name__ = name
    return tile
