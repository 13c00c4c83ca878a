"""Sums of the Numba backend, in an order that is written in the source.

A compiler that may regroup a sum chooses the order each time it sees the code, and Numba compiles a kernel that it
keeps on disk once more: the first run would differ in its last bits from all later ones. So here the lanes are written
by hand, with `simd.Emitter`, for n elements and L lanes of a vector register:

    1. n // (4 L) rounds: four vectors, each added to a register of its own (r0 += v0, r1 += v1, r2 += v2, r3 += v3),
       so that an addition need not wait for the one before; then r0 += r1, r0 += r2, r0 += r3
    2. the whole vectors that are left, added to r0
    3. the last n % L elements: the last L elements are loaded, and lanes added already count as the start value
    4. the lanes of r0: upper half to lower half, until one is left

With n < L a quarter of the register is used instead, and so on, down to single elements. The longest chain of
additions has about n / (4 L) + 3 + log2(L) links, so the error is at most that times eps times the sum of magnitudes.

Functions take a packed array of any shape, the offset of the first element and the number of elements. In Python (with
the JIT off) NumPy computes them. The file depends on `simd`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from .simd import Emitter

REGISTERS = 4  # vectors that are summed side by side
CACHE_LINE_GAP = (
    16  # elements between the sums of two shares, so that no cache line is written by both (false sharing)
)

Sums = Any  # a pair of numbers
# Numba has no annotations for these.
_intrinsic: Any = intrinsic
_pair: Any = types.UniTuple
_variable: Any = cgutils.alloca_once_value
Term = Callable[[int, Any], list[Any]]
Join = Callable[[Any, Any], Any]


def total(a: Any, start: int, count: int) -> Any:
    """Return the sum of ``count`` elements of a packed array, from element ``start`` on."""
    return a.reshape(-1)[start : start + count].sum()


def largest(a: Any, start: int, count: int) -> Any:
    """Return the largest of ``count`` elements, -inf if there are none; nan wins. See `total`."""
    return a.reshape(-1)[start : start + count].max(initial=-np.inf)


def moments(a: Any, start: int, count: int, center: Any) -> Sums:
    """Return the sums of ``a - center`` and of its square; see `total`."""
    v = a.reshape(-1)[start : start + count] - center
    return v.sum(), (v * v).sum()


def weighted(d: Any, x: Any, start: int, count: int, center: Any) -> Sums:
    """Return the sums of ``d`` and of ``d * (x - center)``; see `total`."""
    v = d.reshape(-1)[start : start + count]
    return v.sum(), (v * (x.reshape(-1)[start : start + count] - center)).sum()


class _Reduction:
    """Emits the reduction of ``count`` elements, for one or more results at once.

    Args:
        e: The emitter.
        count: The number of elements.
        start: The value that ``join`` leaves any other as it is with: 0 for sums.
        outputs: How many results there are.
        term: ``term(width, offset)`` returns, for each result, what the elements from ``offset`` on contribute: vectors
            of ``width`` elements, or scalars.
        join: ``join(reduced, value)`` combines two vectors or scalars.
    """

    def __init__(self, e: Emitter, count: Any, start: float, outputs: int, term: Term, join: Join) -> None:
        self.e, self.b, self.count, self.kind = e, e.builder, count, count.type
        self.start, self.outputs, self.term, self.join = start, outputs, term, join
        self.results = self._registers(1)

    def _registers(self, width: int) -> list[Any]:
        first = ir.Constant(self.e.real, self.start) if width == 1 else self.e.constant(self.start, width)
        return [_variable(self.b, first) for _ in range(self.outputs)]

    def _whole(self, width: int) -> Any:
        """Return the largest multiple of ``width`` up to the count."""
        return self.b.sub(self.count, self.b.srem(self.count, ir.Constant(self.kind, width)))

    def _add(self, registers: list[Any], values: list[Any]) -> None:
        for register, value in zip(registers, values):
            self.b.store(self.join(self.b.load(register), value), register)

    def _run(self, first: Any, end: Any, width: int, rows: list[list[Any]]) -> None:
        """Add the elements first..end-1, vector by vector, to ``rows`` of registers in turn."""
        step = ir.Constant(self.kind, width * len(rows))
        with cgutils.for_range_slice(self.b, first, end, step, self.kind) as (i, _):
            for k, row in enumerate(rows):
                self._add(row, self.term(width, self.b.add(i, ir.Constant(self.kind, k * width))))

    def _reduce_vectors(self, width: int) -> None:
        e, b = self.e, self.b
        rows = [self._registers(width) for _ in range(REGISTERS if width == e.lanes else 1)]
        zero, rounds_end = ir.Constant(self.kind, 0), self._whole(width * len(rows))
        with b.if_then(b.icmp_signed(">", rounds_end, zero)):
            self._run(zero, rounds_end, width, rows)
            for row in rows[1:]:
                self._add(rows[0], [b.load(register) for register in row])
        self._run(rounds_end, self._whole(width), width, rows[:1])
        # The last vector overlaps what was added already: those lanes count as the start value.
        rest = b.trunc(b.srem(self.count, ir.Constant(self.kind, width)), ir.IntType(32))
        from_end = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width, 0, -1)))
        first_lane = b.insert_element(
            ir.Constant(from_end.type, ir.Undefined), rest, ir.Constant(rest.type, 0)
        )
        counts = b.icmp_signed("<=", from_end, e.shuffle(first_lane, first_lane, [0] * width))
        last = self.term(width, b.sub(self.count, ir.Constant(self.kind, width)))
        self._add(rows[0], [b.select(counts, value, e.constant(self.start, width)) for value in last])
        self._add(self.results, [self._reduced_lanes(b.load(register), width) for register in rows[0]])

    def _reduced_lanes(self, vector: Any, width: int) -> Any:
        while width > 1:
            width //= 2
            low, high = (self.e.shuffle(vector, vector, list(range(k, k + width))) for k in (0, width))
            vector = self.join(low, high)
        return self.b.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    def run(self, width: int = 0) -> list[Any]:
        """Reduce by the widest vectors that the elements fill, and return the results."""
        width = width or self.e.lanes
        if width == 1:
            self._run(ir.Constant(self.kind, 0), self.count, 1, [self.results])
        else:
            enough = self.b.icmp_signed(">=", self.count, ir.Constant(self.kind, width))
            with self.b.if_else(enough) as (then, otherwise):
                with then:
                    self._reduce_vectors(width)
                with otherwise:
                    self.run(max(width // 4, 1))
        return [self.b.load(register) for register in self.results]


def _minus(e: Emitter, width: int, value: Any, scalar: Any) -> Any:
    return e.builder.fsub(value, scalar if width == 1 else e.broadcast(scalar, width))


def _elements(e: Emitter, pointer: Any, width: int, offset: Any) -> Any:
    address = e.builder.gep(pointer, [offset])
    return e.builder.load(address) if width == 1 else e.load(address, width)


@_intrinsic
def _total(typingctx, a, start, count):  # type: ignore[no-untyped-def]
    sig = a.dtype(a, types.intp, types.intp)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])
        return _Reduction(
            e, args[2], 0.0, 1, lambda width, i: [_elements(e, elements, width, i)], builder.fadd
        ).run()[0]

    return sig, codegen


@_intrinsic
def _largest(typingctx, a, start, count):  # type: ignore[no-untyped-def]
    sig = a.dtype(a, types.intp, types.intp)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])

        def join(top: Any, v: Any) -> Any:
            wins = builder.or_(builder.fcmp_ordered(">", v, top), builder.fcmp_unordered("uno", v, v))
            return builder.select(wins, v, top)

        term: Term = lambda width, i: [_elements(e, elements, width, i)]  # noqa: E731
        return _Reduction(e, args[2], -math.inf, 1, term, join).run()[0]

    return sig, codegen


@_intrinsic
def _moments(typingctx, a, start, count, center):  # type: ignore[no-untyped-def]
    sig = _pair(a.dtype, 2)(a, types.intp, types.intp, a.dtype)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])

        def term(width: int, i: Any) -> list[Any]:
            v = _minus(e, width, _elements(e, elements, width, i), args[3])
            return [v, builder.fmul(v, v)]

        return context.make_tuple(
            builder, sig.return_type, _Reduction(e, args[2], 0.0, 2, term, builder.fadd).run()
        )

    return sig, codegen


@_intrinsic
def _weighted(typingctx, d, x, start, count, center):  # type: ignore[no-untyped-def]
    sig = _pair(d.dtype, 2)(d, x, types.intp, types.intp, d.dtype)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        changes, elements = (builder.gep(e.data(sig.args[k], args[k]), [args[2]]) for k in (0, 1))

        def term(width: int, i: Any) -> list[Any]:
            v = _elements(e, changes, width, i)
            return [v, builder.fmul(v, _minus(e, width, _elements(e, elements, width, i), args[4]))]

        return context.make_tuple(
            builder, sig.return_type, _Reduction(e, args[3], 0.0, 2, term, builder.fadd).run()
        )

    return sig, codegen


@overload(total)
def _compiled_total(a, start, count):  # type: ignore[no-untyped-def]
    return lambda a, start, count: _total(a, start, count)


@overload(largest)
def _compiled_largest(a, start, count):  # type: ignore[no-untyped-def]
    return lambda a, start, count: _largest(a, start, count)


@overload(moments)
def _compiled_moments(a, start, count, center):  # type: ignore[no-untyped-def]
    return lambda a, start, count, center: _moments(a, start, count, center)


@overload(weighted)
def _compiled_weighted(d, x, start, count, center):  # type: ignore[no-untyped-def]
    return lambda d, x, start, count, center: _weighted(d, x, start, count, center)
