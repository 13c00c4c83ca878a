"""Sums of the Numba backend, in an order that stands in the source.

A compiler that may regroup a sum chooses the order anew each time it looks at the code, and Numba looks once more
at a kernel that it keeps on disk: the first run would differ in its last bits from all later ones. So here the lanes
are added by hand: four vectors side by side, then whole vectors, then what is left, one by one. It refuses to know
everything but packed arrays, where a sum starts, and how many elements it has.
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

from .simd import Emit

ABREAST = 4  # vectors that are summed side by side: a sum need not wait for the one before
PADDING = 16  # numbers between the sums of two threads, so that no line of the cache is written by both

Sums = Any
# Numba has no types for these.
_by_hand: Any = intrinsic
_pair: Any = types.UniTuple
_kept_in: Any = cgutils.alloca_once_value
Term = Callable[[int, Any], list[Any]]
Join = Callable[[Any, Any], Any]


def total(a: Any, at: int, n: int) -> Any:
    """Return the sum of ``n`` elements of a packed array, from element ``at`` on."""
    return a.reshape(-1)[at : at + n].sum()


def largest(a: Any, at: int, n: int) -> Any:
    """Return the largest of ``n`` elements, -inf if there are none; nan wins. See `total`."""
    return a.reshape(-1)[at : at + n].max(initial=-np.inf)


def moments(a: Any, at: int, n: int, near: Any) -> Sums:
    """Return the sums of ``a - near`` and of its square; see `total`."""
    v = a.reshape(-1)[at : at + n] - near
    return v.sum(), (v * v).sum()


def weighted(d: Any, x: Any, at: int, n: int, middle: Any) -> Sums:
    """Return the sums of ``d`` and of ``d * (x - middle)``; see `total`."""
    v = d.reshape(-1)[at : at + n]
    return v.sum(), (v * (x.reshape(-1)[at : at + n] - middle)).sum()


class _Fold:
    """Folds what ``term(width, place)`` gives for the elements from ``place`` on: vectors of that width, or numbers.

    ``join(sum, value)`` puts two together, and ``start`` leaves any other as it is.
    """

    def __init__(self, e: Emit, count: Any, start: float, outputs: int, term: Term, join: Join) -> None:
        self.e, self.b, self.count, self.kind = e, e.builder, count, count.type
        self.start, self.outputs, self.term, self.join = start, outputs, term, join
        self.sums = self._registers(1)

    def _registers(self, width: int) -> list[Any]:
        first = ir.Constant(self.e.real, self.start) if width == 1 else self.e.constant(self.start, width)
        return [_kept_in(self.b, first) for _ in range(self.outputs)]

    def _whole(self, width: int) -> Any:
        return self.b.sub(self.count, self.b.srem(self.count, ir.Constant(self.kind, width)))

    def _add(self, places: list[Any], values: list[Any]) -> None:
        for place, value in zip(places, values):
            self.b.store(self.join(self.b.load(place), value), place)

    def _run(self, first: Any, end: Any, width: int, rows: list[list[Any]]) -> None:
        step = ir.Constant(self.kind, width * len(rows))
        with cgutils.for_range_slice(self.b, first, end, step, self.kind) as (i, _):
            for k, row in enumerate(rows):
                self._add(row, self.term(width, self.b.add(i, ir.Constant(self.kind, k * width))))

    def _lanes(self, width: int) -> None:
        e, b = self.e, self.b
        rows = [self._registers(width) for _ in range(ABREAST if width == e.lanes else 1)]
        none, many = ir.Constant(self.kind, 0), self._whole(width * len(rows))
        with b.if_then(b.icmp_signed(">", many, none)):
            self._run(none, many, width, rows)
            for row in rows[1:]:
                self._add(rows[0], [b.load(place) for place in row])
        self._run(many, self._whole(width), width, rows[:1])
        # The last vector overlaps what was added already: those lanes do not count.
        rest = b.trunc(b.srem(self.count, ir.Constant(self.kind, width)), ir.IntType(32))
        numbers = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width, 0, -1)))
        spread = b.insert_element(ir.Constant(numbers.type, ir.Undefined), rest, ir.Constant(rest.type, 0))
        counts = b.icmp_signed("<=", numbers, e.shuffle(spread, spread, [0] * width))
        last = self.term(width, b.sub(self.count, ir.Constant(self.kind, width)))
        self._add(rows[0], [b.select(counts, value, e.constant(self.start, width)) for value in last])
        self._add(self.sums, [self._folded(b.load(place), width) for place in rows[0]])

    def _folded(self, value: Any, width: int) -> Any:
        while width > 1:
            width //= 2
            low, high = (self.e.shuffle(value, value, list(range(k, k + width))) for k in (0, width))
            value = self.join(low, high)
        return self.b.extract_element(value, ir.Constant(ir.IntType(32), 0))

    def results(self, width: int = 0) -> list[Any]:
        """Fold by the widest vectors that the elements fill, and return what comes out."""
        width = width or self.e.lanes
        if width == 1:
            self._run(ir.Constant(self.kind, 0), self.count, 1, [self.sums])
        else:
            enough = self.b.icmp_signed(">=", self.count, ir.Constant(self.kind, width))
            with self.b.if_else(enough) as (then, otherwise):
                with then:
                    self._lanes(width)
                with otherwise:
                    self.results(max(width // 4, 1))
        return [self.b.load(place) for place in self.sums]


def _less(e: Emit, width: int, value: Any, number: Any) -> Any:
    return e.builder.fsub(value, number if width == 1 else e.spread_value(number, width))


def _elements(e: Emit, pointer: Any, width: int, place: Any) -> Any:
    at = e.builder.gep(pointer, [place])
    return e.builder.load(at) if width == 1 else e.load(at, width)


@_by_hand
def _total(typingctx, a, at, n):  # type: ignore[no-untyped-def]
    sig = a.dtype(a, types.intp, types.intp)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emit(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])
        return _Fold(
            e, args[2], 0.0, 1, lambda width, i: [_elements(e, elements, width, i)], builder.fadd
        ).results()[0]

    return sig, codegen


@_by_hand
def _largest(typingctx, a, at, n):  # type: ignore[no-untyped-def]
    sig = a.dtype(a, types.intp, types.intp)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emit(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])

        def join(top: Any, v: Any) -> Any:
            wins = builder.or_(builder.fcmp_ordered(">", v, top), builder.fcmp_unordered("uno", v, v))
            return builder.select(wins, v, top)

        term: Term = lambda width, i: [_elements(e, elements, width, i)]  # noqa: E731
        return _Fold(e, args[2], -math.inf, 1, term, join).results()[0]

    return sig, codegen


@_by_hand
def _moments(typingctx, a, at, n, near):  # type: ignore[no-untyped-def]
    sig = _pair(a.dtype, 2)(a, types.intp, types.intp, a.dtype)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emit(context, builder, sig.args[0])
        elements = builder.gep(e.data(sig.args[0], args[0]), [args[1]])

        def term(width: int, i: Any) -> list[Any]:
            v = _less(e, width, _elements(e, elements, width, i), args[3])
            return [v, builder.fmul(v, v)]

        return context.make_tuple(
            builder, sig.return_type, _Fold(e, args[2], 0.0, 2, term, builder.fadd).results()
        )

    return sig, codegen


@_by_hand
def _weighted(typingctx, d, x, at, n, middle):  # type: ignore[no-untyped-def]
    sig = _pair(d.dtype, 2)(d, x, types.intp, types.intp, d.dtype)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emit(context, builder, sig.args[0])
        changes, elements = (builder.gep(e.data(sig.args[k], args[k]), [args[2]]) for k in (0, 1))

        def term(width: int, i: Any) -> list[Any]:
            v = _elements(e, changes, width, i)
            return [v, builder.fmul(v, _less(e, width, _elements(e, elements, width, i), args[4]))]

        return context.make_tuple(
            builder, sig.return_type, _Fold(e, args[3], 0.0, 2, term, builder.fadd).results()
        )

    return sig, codegen


@overload(total)
def _compiled_total(a, at, n):  # type: ignore[no-untyped-def]
    return lambda a, at, n: _total(a, at, n)


@overload(largest)
def _compiled_largest(a, at, n):  # type: ignore[no-untyped-def]
    return lambda a, at, n: _largest(a, at, n)


@overload(moments)
def _compiled_moments(a, at, n, near):  # type: ignore[no-untyped-def]
    return lambda a, at, n, near: _moments(a, at, n, near)


@overload(weighted)
def _compiled_weighted(d, x, at, n, middle):  # type: ignore[no-untyped-def]
    return lambda d, x, at, n, middle: _weighted(d, x, at, n, middle)
