"""Part of cuda_index."""

from __future__ import annotations

from typing import Any

from ..runtime.placeholders import real
from .device.functions import natural
from .device.numba_cuda import cuda


def take_elements(out: Any, size: int, columns: int, a: Any, steps: Any, rows: Any) -> None:
    """Write the rows of ``a`` that ``rows`` names into a packed matrix ``out``; ``steps`` are the strides of ``a``."""
    i = cuda.grid(1)
    while i < size:
        row = natural(i) // natural(columns)
        column = natural(i) - row * natural(columns)
        out[i] = a[natural(rows[row]) * steps[0] + column * steps[1]]
        i += cuda.gridsize(1)


def take_grad_elements(
    out: Any, size: int, columns: int, d: Any, steps: Any, order: Any, starts: Any
) -> None:
    """Sum up in ``out`` the rows of ``d`` that each of its rows was taken for.

    They are ``order[starts[row]]`` to ``order[starts[row + 1] - 1]``, added in this order.
    """
    i = cuda.grid(1)
    while i < size:
        row = natural(i) // natural(columns)
        column = natural(i) - row * natural(columns)
        total, k, end = real(0), natural(starts[row]), natural(starts[row + natural(1)])
        while k < end:
            total += d[natural(order[k]) * steps[0] + column * steps[1]]
            k += natural(1)
        out[i] = total
        i += cuda.gridsize(1)
