"""Functions that kernels call: which element a thread has, and what the threads of a block do together.

They run on the device, or in the simulator, inside a kernel: `minitorch.cuda_launch` binds ``real`` to the dtype's own
type. Threads that share a sum are a power of two, and add in one fixed order: every run gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import operators
from ...runtime.placeholders import real
from .numba_cuda import SIMULATED, cuda

exp, ln, sqrt, top_of = operators.exp, operators.ln, operators.sqrt, operators.max_nan


def element_of(ordinal: int, big: Any, shape: Any, strides: Any) -> int:
    """Return where in storage the element of ``shape`` lies that stands for element number ``ordinal`` of ``big``.

    Dimensions of size 1 stretch; dimensions that ``shape`` missing on the left are ignored.
    """
    position, rest, missing = 0, ordinal, len(big) - len(shape)
    for k in range(len(big) - 1, -1, -1):
        if k >= missing and shape[k - missing] > 1:
            position += rest % big[k] * strides[k - missing]
        rest = rest // big[k]
    return position


def image_element(ordinal: int, channels: int, height: int, width: int) -> Any:
    """Return image, channel, row and column of element number ``ordinal`` of images."""
    return (
        ordinal // (width * height * channels),
        ordinal // (width * height) % channels,
        ordinal // width % height,
        ordinal % width,
    )


def reader(at: int, before: int, step: int, outputs: int) -> int:
    """Return which output reads element ``at`` where it starts ``before`` elements late, one every ``step``; or -1."""
    far = at + before
    y = far // step
    return y if far >= 0 and far % step == 0 and y < outputs else -1


def block_sum(cache: Any, value: Any) -> Any:
    """Return the sum of what the threads of a block bring, to each of them; ``cache`` has a element for each."""
    lane, half = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()  # others may still read the last result
    cache[lane] = value
    cuda.syncthreads()
    while half > 0:
        if lane < half:
            cache[lane] += cache[lane + half]
        cuda.syncthreads()
        half //= 2
    return cache[0]


def block_top(cache: Any, value: Any) -> Any:
    """Return the largest of what the threads of a block bring, nan if there is one; see `block_sum`."""
    lane, half = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()
    cache[lane] = value
    cuda.syncthreads()
    while half > 0:
        if lane < half:
            cache[lane] = top_of(cache[lane + half], cache[lane])
        cuda.syncthreads()
        half //= 2
    return cache[0]


def slices_of(parts: Any, i: int, slices: int, size: int) -> Any:
    """Return the sum of element ``i`` of all slices."""
    total = real(0)
    for k in range(slices):
        total += parts[i + k * size]
    return total


def tile_sum(
    left: Any, right: Any, a: Any, b: Any, at: int, to: int, a_steps: Any, b_steps: Any, sizes: Any
) -> Any:
    """Return one element of a matrix product, computed by a square block of threads, tile by tile.

    Args:
        left: Shared memory for a tile of ``a``.
        right: The same for ``b``.
        a: A storage; its matrix begins at ``at``, and neighbours down and across lie ``a_steps`` apart.
        b: The same for ``to`` and ``b_steps``.
        at: See ``a``.
        to: See ``b``.
        a_steps: See ``a``.
        b_steps: See ``b``.
        sizes: Rows, columns and depth of the product.
    """
    rows, cols, depth = sizes
    tile = cuda.blockDim.x
    # Threads with neighbouring x read neighbouring elements of a row: the card joins such reads into one.
    down, across = cuda.threadIdx.y, cuda.threadIdx.x
    i, j = cuda.blockIdx.x * tile + down, cuda.blockIdx.y * tile + across
    at += i * a_steps[0] + across * a_steps[1]
    to += down * b_steps[0] + j * b_steps[1]
    inside = i < rows and j < cols
    total, low = real(0), 0  # not a range: one whose step is not known takes half of the registers
    while low < depth:
        if i < rows and low + across < depth:
            left[down, across] = a[at + low * a_steps[1]]
        if j < cols and low + down < depth:
            right[down, across] = b[to + low * b_steps[0]]
        cuda.syncthreads()
        if inside:
            for k in range(min(tile, depth - low)):
                total += left[down, k] * right[k, across]
        cuda.syncthreads()
        low += tile
    return total


# The simulator has no types, and Python's own numbers are its fastest.
natural: Any = int if SIMULATED else np.uint32


def place(ordinal: int, sizes: Any, steps: Any) -> Any:
    """Return where in storage element number ``ordinal`` of dimensions of ``sizes`` lies, which lie ``steps`` apart."""
    rest, at = natural(ordinal), natural(0)
    for k in range(len(sizes) - 1, 0, -1):
        over = rest // sizes[k]
        at += (rest - over * sizes[k]) * steps[k]
        rest = over
    return at + rest * steps[0]
