"""Matrix products of the Numba room. It refuses to know everything but arrays."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import numpy as np
from numba import prange

from . import jit

SERIAL = 50_000_000  # multiplications up to which a second thread of BLAS costs more than it gives


def matmul(out: Any, a: Any, b: Any) -> None:
    """Write the product of matrices, or of batches of them, into ``out``: BLAS, which no loop of ours beats."""
    if a.ndim != b.ndim:
        a, b = (t[None] if t.ndim == 2 else t for t in (a, b))
    small = out.size * a.shape[-1] < SERIAL
    with np.errstate(all="ignore"), _one_thread() if small else nullcontext():
        np.matmul(_ready(a), _ready(b), out=out)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold BLAS at one thread: its others would go on spinning, on the cores that our next kernel wants."""
    before = [count() for count, _ in _openblas()]
    for _, hold in _openblas():
        hold(1)
    try:
        yield
    finally:
        for (_, hold), threads in zip(_openblas(), before):
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
    """The product as the course writes it: every thread owns rows of ``out``, one write per cell."""
    batch_a = a_strides[0] if a_shape[0] > 1 else 0
    batch_b = b_strides[0] if b_shape[0] > 1 else 0
    for t in prange(out_shape[0] * out_shape[1]):
        n, i = t // out_shape[1], t % out_shape[1]
        for j in range(out_shape[2]):
            at, bt = n * batch_a + i * a_strides[1], n * batch_b + j * b_strides[2]
            total = 0.0
            for k in range(a_shape[2]):
                total += a[at + k * a_strides[2]] * b[bt + k * b_strides[1]]
            out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total


tensor_matrix_multiply = jit.njit(matrix_multiply, parallel=True)
