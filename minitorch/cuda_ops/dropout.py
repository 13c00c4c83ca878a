"""Kernel of the CUDA backend that drops random elements: one pass draws, compares and multiplies.

`minitorch.cuda_launch` binds ``real`` to the dtype's own type.
"""

from __future__ import annotations

from typing import Any

from ..runtime.philox import at_least, four_words
from ..runtime.placeholders import real
from .device.numba_cuda import cuda


def keep(y: Any, mask: Any, x: Any, i: int, size: int, kept: bool, factor: Any) -> None:
    """Write element ``i``, if there is one."""
    if i < size:
        part = factor if kept else real(0)
        mask[i] = part
        y[i] = x[i] * part


def drop_elements(y: Any, mask: Any, x: Any, size: int, key: Any, bound: Any, factor: Any) -> None:
    """Write ``factor`` into the elements of ``mask`` whose word is at least ``bound``, else 0; and ``x * mask``.

    A thread makes four words at once. ``key`` are two words: a tuple, or an array on the device.
    """
    t = cuda.grid(1)
    while 4 * t < size:
        a, b, c, d = four_words(t, key)
        keep(y, mask, x, 4 * t, size, at_least(a, bound), factor)
        keep(y, mask, x, 4 * t + 1, size, at_least(b, bound), factor)
        keep(y, mask, x, 4 * t + 2, size, at_least(c, bound), factor)
        keep(y, mask, x, 4 * t + 3, size, at_least(d, bound), factor)
        t += cuda.gridsize(1)
