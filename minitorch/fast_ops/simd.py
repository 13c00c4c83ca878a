"""Vector code for kernels, written in LLVM's intermediate language: the widths of this machine, and an emitter.

Numba's compiler makes vectors of simple loops by itself, but it does not keep a tile of sums in registers. So the
innermost loops of `register_tiles`, `winograd_transforms`, `sums` and `pool` are written with `Emitter`, which adds
loads, stores, fused multiply-adds and loops to the function that Numba is building. The file depends on llvmlite and
Numba only; it knows pointers and vectors, neither images nor tensors.

Registers decide the sizes. A forward tile of C channels by V vectors holds C * V sums, V vectors of pixels and one
weight; a dot tile of R channels by T taps holds R * T sums, R vectors of gradients and one of pixels:

    machine   registers   bytes   forward tile (C x 3)   dot tile (R x T)   registers in use
    AVX-512          32      64          8 x 3                4 x 6            28   and   29
    AVX2             16      32          4 x 3                3 x 4            16   and   16
    SSE, NEON     16, 32     16          4 x 3                3 x 4            16   and   16
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


def _machine() -> tuple[int, int, tuple[int, int]]:
    """Return the bytes of a vector, the channels of a wide forward tile, and the channels and taps of a dot tile."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 8, (4, 6)
    return 32 if features.get("avx2") else 16, 4, (3, 4)


VECTOR_BYTES, WIDE_CHANNELS, (DOT_CHANNELS, DOT_TAPS) = _machine()
NARROW_CHANNELS = 4  # channels of a forward tile for results of few channels


_intrinsic: Any = intrinsic  # Numba has no annotations for it


class Emitter:
    """Adds vector instructions for arrays of one float type to a function that Numba is building.

    Args:
        context: Numba's target context.
        builder: The LLVM builder of the function.
        array: Numba's type of the arrays: float64, or else float32.

    Attributes:
        lanes: Elements of a vector register.
        real: LLVM's type of an element.
        vector: LLVM's type of a whole vector register.
    """

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        double = array.dtype == types.float64
        self.item_bytes = 8 if double else 4
        self.real = ir.DoubleType() if double else ir.FloatType()
        self.lanes = VECTOR_BYTES // self.item_bytes
        self.vector = ir.VectorType(self.real, self.lanes)
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fma = self._declared(f"llvm.fma.v{self.lanes}f{8 * self.item_bytes}", signature)

    def _declared(self, name: str, signature: Any) -> Any:
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, signature, name)

    def data(self, array_type: Any, array: Any) -> Any:
        """Return the pointer to the first element of an array."""
        return self.context.make_array(array_type)(self.context, self.builder, value=array).data

    def load(self, pointer: Any, width: int = 0) -> Any:
        """Load a vector (of ``width`` elements, if given) from any address."""
        vector = ir.VectorType(self.real, width) if width else self.vector
        return self.builder.load(self.builder.bitcast(pointer, vector.as_pointer()), align=self.item_bytes)

    def store(self, vector: Any, pointer: Any) -> None:
        """Store a vector at any address."""
        target = self.builder.bitcast(pointer, vector.type.as_pointer())
        self.builder.store(vector, target, align=self.item_bytes)

    def broadcast_element(self, pointer: Any) -> Any:
        """Load one element into all lanes."""
        return self.broadcast(self.builder.load(pointer), self.lanes)

    def broadcast(self, scalar: Any, width: int) -> Any:
        """Return a vector of ``width`` copies of a scalar."""
        undefined = ir.Constant(ir.VectorType(self.real, width), ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        return self.shuffle(first, undefined, [0] * width)

    def shuffle(self, a: Any, b: Any, indices: list[int]) -> Any:
        """Return the elements at ``indices`` of two vectors laid end to end."""
        return self.builder.shuffle_vector(
            a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)
        )

    def constant(self, number: float, width: int = 0) -> Any:
        """Return a vector of equal constants (``width`` of them, if given)."""
        vector = ir.VectorType(self.real, width) if width else self.vector
        return ir.Constant(vector, [float(number)] * vector.count)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a * b + c``, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def horizontal_sum(self, vector: Any) -> Any:
        """Return the sum of the lanes: the upper half is added to the lower one, until one lane is left."""
        half = vector.type.count // 2
        while half:
            low, high = (self.shuffle(vector, vector, list(range(k, k + half))) for k in (0, half))
            vector, half = self.builder.fadd(low, high), half // 2
        return self.builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    def zeros(self, count: int) -> list[Any]:
        """Return ``count`` vectors of zeros."""
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        return [zero] * count

    def loop(self, count: Any, initial: list[Any], body: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
        """Emit ``values = body(i, values)`` for i = 0 .. count - 1, at least once; return the last values.

        The values are vectors that stay in registers from one round to the next.
        """
        b, before = self.builder, self.builder.block
        inside, after = b.append_basic_block("tile"), b.append_basic_block("done")
        b.branch(inside)
        b.position_at_end(inside)
        i = b.phi(count.type)
        held = [b.phi(self.vector) for _ in initial]
        values = body(i, held)
        following = b.add(i, ir.Constant(count.type, 1))
        end = b.block  # the body may have added blocks of its own
        b.cbranch(b.icmp_signed("<", following, count), inside, after)
        i.add_incoming(ir.Constant(count.type, 0), before)
        i.add_incoming(following, end)
        for phi, first, value in zip(held, initial, values):
            phi.add_incoming(first, before)
            phi.add_incoming(value, end)
        b.position_at_end(after)
        return values

    def cover(self, count: Any, width: int, body: Callable[[Any], None]) -> None:
        """Emit ``body(offset)`` for vectors of ``width`` elements that cover ``count`` >= ``width`` elements.

        The last vector ends at the last element: it may overlap the one before.
        """

        def whole_vector(k: Any, no_values: list[Any]) -> list[Any]:
            body(self.builder.mul(k, ir.Constant(k.type, width)))
            return no_values

        self.loop(self.builder.sdiv(count, ir.Constant(count.type, width)), [], whole_vector)
        body(self.builder.sub(count, ir.Constant(count.type, width)))

    def with_widest(self, count: Any, body: Callable[[int], None], width: int = 0) -> None:
        """Emit ``body(width)`` for several widths, and the choice of the widest one that ``count`` elements fill.

        Widths are a whole register, a quarter of it, ..., one: each width is code that has to be compiled.
        """
        width = width or self.lanes
        if width == 1:
            body(1)
            return
        enough = self.builder.icmp_signed(">=", count, ir.Constant(count.type, width))
        with self.builder.if_else(enough) as (then, otherwise):
            with then:
                body(width)
            with otherwise:
                self.with_widest(count, body, max(width // 4, 1))


def named(name: str, intrinsic: Any) -> Any:
    """Give an intrinsic the name under which the modules of kernels import it."""
    intrinsic.__name__ = name
    return intrinsic


def take_even(out: Any, row: Any, count: int) -> None:
    """out[k] = row[2 * k] for k < ``count``, of packed arrays.

    Numba makes gathers of such a loop, which are several times slower than two loads and a shuffle.
    """
    out[:count] = row[: 2 * count : 2]


@_intrinsic
def _take_even(typingctx, out, row, count):  # type: ignore[no-untyped-def]
    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sig.args[0])
        target, source = (e.data(sig.args[k], args[k]) for k in (0, 1))

        def take(offset: Any, width: int) -> None:
            # The second vector begins in the middle of the first, so that nothing beyond the last element is read.
            first = builder.mul(offset, ir.Constant(offset.type, 2))
            second = builder.add(first, ir.Constant(offset.type, width - 1))
            low, high = (e.load(builder.gep(source, [k]), width) for k in (first, second))
            even = [k if k < width else k + 1 for k in range(0, 2 * width, 2)]
            e.store(e.shuffle(low, high, even), builder.gep(target, [offset]))

        with builder.if_then(builder.icmp_signed(">", args[2], ir.Constant(args[2].type, 0))):
            e.with_widest(args[2], lambda width: e.cover(args[2], width, lambda offset: take(offset, width)))
        return context.get_dummy_value()

    return types.void(out, row, types.intp), codegen


@overload(take_even)
def _compiled_take_even(out, row, count):  # type: ignore[no-untyped-def]
    return lambda out, row, count: _take_even(out, row, count)
