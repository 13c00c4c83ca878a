"""Matrix products of the Numba backend: functions of NumPy's BLAS, called by kernels on shares, or NumPy itself.

OpenBLAS beats any loop written here. But it has threads of its own beside those of our kernels. After a product they go
on spinning for a while, on the cores that the next kernel wants: in a training step, whose products are small and whose
kernels follow at once, that costs more than they give. So `multiply` holds OpenBLAS to one thread and calls it from the
threads of `shares`: each part of a product is some of its rows, or of its columns, whichever are more,

    rows of the product     part 0  [ a rows 0..m/2 ]  @  b            columns     a  @  [ b columns 0..n/2 | ... ]
                            part 1  [ a rows m/2..  ]  @  b

How many parts there are depends on the sizes alone, so the bits do not depend on the threads. A product of a matrix and
a vector is one call. Where both operands' rows or columns are packed nothing is copied: BLAS reads a transposed matrix.

NumPy multiplies where OpenBLAS or its functions are not found, where an operand has other strides, and from
LARGE_PRODUCT multiplications on, where the spinning does not count. It also multiplies a matrix by its own transpose:
the result is symmetric to the last bit, and half of the work (syrk). A product of a column and a row is a product of
elements, for which NumPy's own product has no call of BLAS.

Cost: 2 * M * N * K floating-point operations; each part reads all of the operand that is not divided. The functions'
arguments are those of the standard (Dongarra et al., "A Set of Level 3 Basic Linear Algebra Subprograms", 1990). The
file depends on `jit` and `shares`, and on threadpoolctl at the first product.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from ..runtime.quiet import quiet
from ..runtime.types import Array, Shape
from . import jit
from .shares import call

SMALL_PRODUCT = 1 << 18  # multiplications up to which BLAS does not wake its threads
LARGE_PRODUCT = 50_000_000  # and those from which its threads give more than they cost
PART_PRODUCT = 500_000  # multiplications of a part, at least
PART_LINES = 64  # rows or columns of a part, at least
MOST_PARTS = 16

_intrinsic: Any = intrinsic  # Numba has no annotations for it
_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED = 101, 111, 112  # constants of C's interface to BLAS
_word, _int = ir.IntType(64), ir.IntType(32)


def _blas_call(matrices: bool) -> Any:
    @_intrinsic
    def blas(  # type: ignore[no-untyped-def]
        typingctx, function, flips, m, n, k, a, a_first, a_line, b, b_first, b_line, out, out_first, out_line
    ):
        """Call gemm: ``out = a @ b`` for (m, k) and (k, n); or gemv: ``out = a @ b`` for (m, n) and (n,).

        Arrays are flat; a matrix begins at ``first``, and its rows are ``line`` elements apart. ``flips`` says which
        are stored transposed: bit 0 the matrix a, bit 1 the matrix b.
        """
        real = types.float64 if a.dtype == types.float64 else types.float32
        number = types.int64
        matrix = (a, number, number)
        sig = types.void(number, number, number, number, number, *matrix, *matrix, *matrix)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            function, flips, m, n, k = args[:5]
            kind = ir.DoubleType() if real == types.float64 else ir.FloatType()

            def start(p: int) -> Any:
                data = context.make_array(sig.args[p])(context, builder, value=args[p]).data
                return builder.gep(data, [args[p + 1]])

            def constant(value: int) -> Any:
                return ir.Constant(_int, value)

            def flip(bit: int) -> Any:
                flipped = builder.trunc(builder.lshr(flips, ir.Constant(_word, bit)), ir.IntType(1))
                return builder.select(flipped, constant(_TRANSPOSED), constant(_AS_IT_IS))

            one, zero = ir.Constant(kind, 1.0), ir.Constant(kind, 0.0)
            (a, b, out), (a_line, b_line, out_line) = map(start, (5, 8, 11)), (args[7], args[10], args[13])
            if matrices:
                given = [constant(_ROW_MAJOR), flip(0), flip(1), m, n, k, one, a, a_line, b, b_line]
            else:
                given = [constant(_ROW_MAJOR), flip(0), m, n, one, a, a_line, b, b_line]
            given += [zero, out, out_line]
            signature = ir.FunctionType(ir.VoidType(), [value.type for value in given])
            builder.call(builder.inttoptr(function, signature.as_pointer()), given)
            return context.get_dummy_value()

        return sig, codegen

    return blas


@_intrinsic
def call_for_int(typingctx, function):  # type: ignore[no-untyped-def]
    """Call a function of C that takes nothing and returns an int."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.inttoptr(args[0], ir.FunctionType(_int, []).as_pointer())
        return builder.sext(builder.call(pointer, []), _word)

    return types.int64(types.int64), codegen


gemm, gemv = _blas_call(matrices=True), _blas_call(matrices=False)
gemm.__name__, gemv.__name__ = "gemm", "gemv"


def multiply(out: Any, a: Any, b: Any, functions: Any, layout: Any) -> None:
    """Write products of flat packed matrices: ``batch`` times (m, k) @ (k, n).

    Args:
        out: The results (batch, m, n).
        a: The left operands: (m, k), or (k, m) if flipped; one for all if its step is 0.
        b: The right operands: (k, n), or (n, k) if flipped.
        functions: Addresses of gemm, gemv, and what returns and sets the number of BLAS's threads.
        layout: Batch, m, n, k, parts; whether a and b are flipped; elements from one to the next, of a and b.
    """
    batch, m, n, k, parts, a_flip, b_flip, a_step, b_step = layout
    threads = call_for_int(functions[2])
    call(functions[3], 1, 0, 0)
    for t in prange(batch * parts):
        i, part = t // parts, t % parts
        a_first, b_first, out_first = i * a_step, i * b_step, i * m * n
        if m == 1:
            lines, width = (n, k) if b_flip else (k, n)
            gemv(
                functions[1], 1 - b_flip, lines, width, 0, b, b_first, width, a, a_first, 1, out, out_first, 1
            )  # fmt: skip
        elif n == 1:
            lines, width = (k, m) if a_flip else (m, k)
            gemv(functions[1], a_flip, lines, width, 0, a, a_first, width, b, b_first, 1, out, out_first, 1)
        else:
            rows, cols = m, n
            if m >= n:
                low = part * m // parts
                rows = (part + 1) * m // parts - low
                a_first, out_first = a_first + low * (1 if a_flip else k), out_first + low * n
            else:
                low = part * n // parts
                cols = (part + 1) * n // parts - low
                b_first, out_first = b_first + low * (k if b_flip else 1), out_first + low
            gemm(
                functions[0], a_flip + 2 * b_flip, rows, cols, k, a, a_first, m if a_flip else k,
                b, b_first, k if b_flip else n, out, out_first, n,
            )  # fmt: skip
    call(functions[3], threads, 0, 0)


@functools.cache
def _openblas() -> list[Any]:
    """Return each OpenBLAS of this process."""
    from threadpoolctl import ThreadpoolController

    return [blas.dynlib for blas in ThreadpoolController().select(internal_api="openblas").lib_controllers]


@functools.cache
def _threads() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """Return, for each OpenBLAS of this process, the functions that get and set its number of threads."""
    found = []
    for library in _openblas():
        for prefix, suffix in itertools.product(("", "scipy_"), ("", "64_", "_64")):
            names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
            with suppress(AttributeError):
                found.append(tuple(library[name] for name in names))
    return found


@functools.cache
def _functions(dtype: np.dtype[Any]) -> Array | None:
    """Return the addresses that `multiply` needs for a dtype, of an OpenBLAS that counts in 64 bits, or None."""
    letter = {"f": "s", "d": "d"}.get(dtype.char)
    if letter is None or jit.disabled():
        return None
    for library, prefix in itertools.product(_openblas(), ("scipy_", "")):
        names = [f"{prefix}cblas_{letter}{kind}64_" for kind in ("gemm", "gemv")]
        names += [f"{prefix}openblas_{verb}_num_threads64_" for verb in ("get", "set")]
        with suppress(AttributeError):
            return np.array([ctypes.cast(library[name], ctypes.c_void_p).value for name in names], np.int64)
    return None


def _flat(t: Any) -> tuple[Array, int] | None:
    """Return matrices as a flat array, and 1 if each is stored transposed; None if they have gaps."""
    if t.flags.c_contiguous:
        return t.reshape(-1), 0
    transposed = t.swapaxes(-1, -2)
    return (transposed.reshape(-1), 1) if transposed.flags.c_contiguous else None


@functools.lru_cache(maxsize=512)
def _layout(out: Shape, a: Shape, b: Shape, a_flip: int, b_flip: int) -> tuple[int, ...] | None:
    """Return the layout of `multiply` for these shapes, None if they do not fit."""
    (m, n), k = out[-2:], a[-1]
    batch = math.prod(out[:-2])
    counts = [math.prod(shape[:-2]) for shape in (a, b)]  # of operands: one, or one for each product
    if a[-2:] != (m, k) or b[-2:] != (k, n) or any(count not in (1, batch) for count in counts):
        return None
    parts = min(m * n * k // PART_PRODUCT, max(m, n) // PART_LINES, MOST_PARTS // batch)
    parts = 1 if min(m, n) == 1 else 1 << (max(parts, 1).bit_length() - 1)
    steps = (size if count > 1 else 0 for size, count in zip((m * k, k * n), counts))
    return batch, m, n, k, parts, a_flip, b_flip, *steps


def _address(t: Any) -> int:
    found: int = t.__array_interface__["data"][0]
    return found


def launch(out: Any, a: Any, b: Any) -> tuple[Any, ...] | None:
    """Return the operands with which `multiply` writes a product; None where NumPy has to. See `matmul`."""
    k = a.shape[-1]
    if k < 2 or out.size * k >= LARGE_PRODUCT or not a.dtype == b.dtype == out.dtype:
        return None
    functions, left, right = _functions(out.dtype), _flat(a), _flat(b)
    if functions is None or left is None or right is None or not out.flags.c_contiguous:
        return None
    if out.ndim == 2 and out.shape[0] == out.shape[1] and left[1] != right[1] and _address(a) == _address(b):
        return None
    layout = _layout(out.shape, a.shape, b.shape, left[1], right[1])
    return layout and (out.reshape(-1), left[0], right[0], functions, layout)


def matmul(out: Any, a: Any, b: Any) -> None:
    """Write the product of matrices, or of batches of them, into ``out``.

    Args:
        out: The result (..., M, N).
        a: The left operand (..., M, K).
        b: The right operand (..., K, N); a matrix is multiplied with each of a batch.
    """
    multiplications = out.size * a.shape[-1]
    operands = launch(out, a, b)
    if operands is not None:
        several = operands[-1][0] * operands[-1][4] > 1  # products and parts
        jit.variant(multiply, out.dtype, several and multiplications > jit.SERIAL)(*operands)
        return
    if a.ndim != b.ndim:
        a, b = (t[None] if t.ndim == 2 else t for t in (a, b))
    hold = SMALL_PRODUCT < multiplications < LARGE_PRODUCT
    held = [(set_threads, get_threads()) for get_threads, set_threads in _threads()] if hold else ()
    for set_threads, _ in held:
        set_threads(1)
    try:
        quiet.run(np.multiply if a.shape[-1] == 1 else np.matmul, _readable(a), _readable(b), out)
    finally:
        for set_threads, threads in held:
            set_threads(threads)


def _readable(t: Any) -> Any:
    """Return a matrix in a layout that BLAS reads: itself if its rows or its columns are packed, else a copy."""
    return t if t.itemsize in t.strides[-2:] else np.ascontiguousarray(t)
