"""Matrix products of the Numba backend."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

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
