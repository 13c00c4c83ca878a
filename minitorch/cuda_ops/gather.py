"""Kernels of the CUDA backend that gather rows of a matrix (an embedding), and add up their gradients.

Both walk a packed result of ``size`` elements in a grid-stride loop, an element per thread and round, so that
neighbouring threads read and write neighbouring columns of a row. The host checks the row numbers before.
"""

from __future__ import annotations

from typing import Any

from ..runtime.placeholders import real
from .device.functions import index32
from .device.numba_cuda import cuda


def take_elements(out: Any, size: int, columns: int, a: Any, a_strides: Any, rows: Any) -> None:
    """Write ``out[r, c] = a[rows[r], c]`` into a packed ``out`` (R, C): two reads and a write per element."""
    i = cuda.grid(1)
    while i < size:
        row = index32(i) // index32(columns)
        column = index32(i) - row * index32(columns)
        out[i] = a[index32(rows[row]) * a_strides[0] + column * a_strides[1]]
        i += cuda.gridsize(1)


def take_grad_elements(
    out: Any, size: int, columns: int, grad: Any, grad_strides: Any, order: Any, starts: Any
) -> None:
    """Write into ``out[row, c]`` the sum of the rows of ``grad`` that ``row`` was taken for.

    A scatter with atomic adds would add in another order at each run. Here each element gathers its own sum. The host
    has sorted the row numbers: ``order[starts[row]]`` to ``order[starts[row + 1] - 1]`` are the rows of ``grad`` for
    ``row``, and they are added in this order. For row numbers (2, 0, 2)::

        order   1 | 0 2        starts  0 1 1 3        row 0: grad[1]    row 1: 0    row 2: grad[0] + grad[2]
    """
    i = cuda.grid(1)
    while i < size:
        row = index32(i) // index32(columns)
        column = index32(i) - row * index32(columns)
        total, k, end = real(0), index32(starts[row]), index32(starts[row + index32(1)])
        while k < end:
            total += grad[index32(order[k]) * grad_strides[0] + column * grad_strides[1]]
            k += index32(1)
        out[i] = total
        i += cuda.gridsize(1)
