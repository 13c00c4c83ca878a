"""Matrix products of the Numba room. It refuses to know everything but arrays."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numba import prange

from . import jit

TINY = 1 << 18  # multiplications up to which BLAS does not wake its threads
SERIAL = 50_000_000  # and those up to which a second thread of it costs more than it gives


def matmul(out: Any, a: Any, b: Any) -> None:
    """Write the product of matrices, or of batches of them, into ``out``: BLAS, which no loop of ours beats."""
    if a.ndim != b.ndim:
        a, b = (t[None] if t.ndim == 2 else t for t in (a, b))
    work = out.size * a.shape[-1]
    # Else its other threads would go on spinning, on the cores that our next kernel wants.
    held = [(hold, count()) for count, hold in _openblas()] if TINY < work < SERIAL else ()
    for hold, _ in held:
        hold(1)
    try:
        with np.errstate(all="ignore"):
            np.matmul(_ready(a), _ready(b), out=out)
    finally:
        for hold, threads in held:
            hold(threads)


@functools.cache
def _openblas() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """Return, for each OpenBLAS of this process, what tells and what sets its number of threads."""
    from threadpoolctl import ThreadpoolController

    found = []
    for blas in ThreadpoolController().select(internal_api="openblas").lib_controllers:
        for prefix, suffix in itertools.product(("", "scipy_"), ("", "64_", "_64")):
            names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
            with suppress(AttributeError):
                found.append(tuple(blas.dynlib[name] for name in names))
    return found


def _ready(t: Any) -> Any:
    """Copy a matrix that BLAS could not read as it lies: neither its rows nor its columns are packed."""
    return t if t.itemsize in t.strides[-2:] else np.ascontiguousarray(t)


def matrix_multiply(
    out: Any, out_shape: Any, out_strides: Any,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """The product as the course writes it, 2-D or 3-D: every thread owns rows of ``out``, one write per cell."""
    y, x = len(out_shape) - 2, len(out_shape) - 1
    ay, ax, by, bx = len(a_shape) - 2, len(a_shape) - 1, len(b_shape) - 2, len(b_shape) - 1
    rows, batch = out_shape[y] * (out_shape[0] if y else 1), out_strides[0] if y else 0
    batch_a = a_strides[0] if ay and a_shape[0] > 1 else 0
    batch_b = b_strides[0] if by and b_shape[0] > 1 else 0
    for t in prange(rows):
        n, i = t // out_shape[y], t % out_shape[y]
        for j in range(out_shape[x]):
            at, bt = n * batch_a + i * a_strides[ay], n * batch_b + j * b_strides[bx]
            total = 0.0
            for k in range(a_shape[ax]):
                total += a[at + k * a_strides[ax]] * b[bt + k * b_strides[by]]
            out[n * batch + i * out_strides[y] + j * out_strides[x]] = total


tensor_matrix_multiply = jit.njit(matrix_multiply, parallel=True)
