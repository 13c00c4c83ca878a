"""The dropout kernel of the CUDA backend: one pass draws random words, compares and multiplies.

``mask[i] = factor if word(i) >= bound else 0`` and ``y[i] = x[i] * mask[i]``. The words are those of Philox4x64-10 with
counter i (`runtime.philox`; Salmon et al., 2011), the same on every backend, so no state is shared by threads. One
evaluation gives four words, hence thread t makes elements 4t to 4t + 3. An element costs one read, two writes and a
quarter of an evaluation, about 100 integer operations.
"""

from __future__ import annotations

from typing import Any

from ..runtime.philox import at_least, four_words
from ..runtime.placeholders import real
from .device.numba_cuda import cuda


def drop_element(y: Any, mask: Any, x: Any, i: int, size: int, kept: bool, factor: Any) -> None:
    """Write element ``i``, if there is one."""
    if i < size:
        scale = factor if kept else real(0)
        mask[i] = scale
        y[i] = x[i] * scale


def drop_elements(y: Any, mask: Any, x: Any, size: int, key: Any, bound: Any, factor: Any) -> None:
    """Drop random elements of packed arrays; see the head of this file.

    Args:
        y: The result.
        mask: What the elements are multiplied with.
        x: The elements.
        size: How many there are.
        key: The two words of Philox's key: a tuple, or an array on the device, which a graph refreshes.
        bound: Words below it drop their element.
        factor: What kept elements are multiplied with.
    """
    t = cuda.grid(1)
    while 4 * t < size:
        a, b, c, d = four_words(t, key)
        drop_element(y, mask, x, 4 * t, size, at_least(a, bound), factor)
        drop_element(y, mask, x, 4 * t + 1, size, at_least(b, bound), factor)
        drop_element(y, mask, x, 4 * t + 2, size, at_least(c, bound), factor)
        drop_element(y, mask, x, 4 * t + 3, size, at_least(d, bound), factor)
        t += cuda.gridsize(1)
