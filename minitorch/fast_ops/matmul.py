"""Matrix products of the Numba backend: NumPy's BLAS, with its threads held where they would cost more than they give.

OpenBLAS beats any loop written here. But it has threads of its own beside those of Numba's kernels. After a product
they go on spinning for a while, on the cores that the next kernel of ours wants: in a training step, whose products
are small and whose kernels follow at once, that costs more than the second thread gains. So products between
SMALL_PRODUCT (up to which BLAS uses one thread anyway) and LARGE_PRODUCT multiplications run on one thread.

The file depends on NumPy, and on threadpoolctl at the first product that is held.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from ..runtime.quiet import quiet

SMALL_PRODUCT = 1 << 18  # multiplications up to which BLAS does not wake its threads
LARGE_PRODUCT = 50_000_000  # and those from which a second thread gives more than it costs


def matmul(out: Any, a: Any, b: Any) -> None:
    """Write the product of matrices, or of batches of them, into ``out``.

    Args:
        out: The result (..., M, N).
        a: The left operand (..., M, K).
        b: The right operand (..., K, N); a matrix is multiplied with each of a batch.
    """
    if a.ndim != b.ndim:
        a, b = (t[None] if t.ndim == 2 else t for t in (a, b))
    if a.shape[-1] == 1:  # NumPy's product of a column and a row takes five times as long
        quiet.run(np.multiply, a, b, out)
        return
    multiplications = out.size * a.shape[-1]
    hold = SMALL_PRODUCT < multiplications < LARGE_PRODUCT
    held = [(set_threads, get_threads()) for get_threads, set_threads in _openblas()] if hold else ()
    for set_threads, _ in held:
        set_threads(1)
    try:
        quiet.run(np.matmul, _readable(a), _readable(b), out)
    finally:
        for set_threads, threads in held:
            set_threads(threads)


@functools.cache
def _openblas() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """Return, for each OpenBLAS of this process, the functions that get and set its number of threads."""
    from threadpoolctl import ThreadpoolController

    found = []
    for blas in ThreadpoolController().select(internal_api="openblas").lib_controllers:
        for prefix, suffix in itertools.product(("", "scipy_"), ("", "64_", "_64")):
            names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
            with suppress(AttributeError):
                found.append(tuple(blas.dynlib[name] for name in names))
    return found


def _readable(t: Any) -> Any:
    """Return a matrix in a layout that BLAS reads: itself if its rows or its columns are packed, else a copy."""
    return t if t.itemsize in t.strides[-2:] else np.ascontiguousarray(t)
