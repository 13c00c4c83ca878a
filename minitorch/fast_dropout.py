"""Loop of the Numba room that drops random cells, over flat arrays: one pass draws, compares and multiplies.

It refuses to know everything but arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from .philox import at_least, four_words

real: Any = np.float64


def keep(y: Any, mask: Any, x: Any, i: int, kept: bool, factor: Any) -> None:
    """Write cell ``i``, if there is one."""
    if i < len(x):
        mask[i] = factor if kept else real(0)
        y[i] = x[i] * mask[i]


def drop_cells(y: Any, mask: Any, x: Any, key: Any, bound: Any, factor: Any) -> None:
    """Write ``factor`` into the cells of ``mask`` whose word is at least ``bound``, else 0; and ``x * mask``."""
    for t in prange((len(x) + 3) // 4):
        a, b, c, d = four_words(t, key)
        keep(y, mask, x, 4 * t, at_least(a, bound), factor)
        keep(y, mask, x, 4 * t + 1, at_least(b, bound), factor)
        keep(y, mask, x, 4 * t + 2, at_least(c, bound), factor)
        keep(y, mask, x, 4 * t + 3, at_least(d, bound), factor)
