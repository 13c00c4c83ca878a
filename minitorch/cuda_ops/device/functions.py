"""Device functions: what kernels call to find their element, and to reduce over the threads of a block.

They run inside a kernel, on a GPU or in the simulator. `device.launch` binds ``real`` to the kernel's dtype. Reductions
over a block need a power of two of threads and combine in one fixed order, so every run gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import operators
from ...runtime.placeholders import real
from .numba_cuda import SIMULATED, cuda

exp, ln, sqrt, max_nan = operators.exp, operators.ln, operators.sqrt, operators.max_nan

# An index of 32 bits without a sign: a card divides those several times faster than Python's 64 bits, and Numba does
# not check them for counting from the end. The simulator has no types, and Python's own numbers are its fastest.
index32: Any = int if SIMULATED else np.uint32


# Which element a thread has


def broadcast_offset(ordinal: int, big_shape: Any, shape: Any, strides: Any) -> int:
    """Return the storage offset of the element of ``shape`` that element number ``ordinal`` of ``big_shape`` reads.

    Dimensions of size 1 are broadcast; dimensions of ``big_shape`` that ``shape`` lacks on the left are ignored.
    """
    offset, rest, missing = 0, ordinal, len(big_shape) - len(shape)
    for k in range(len(big_shape) - 1, -1, -1):
        if k >= missing and shape[k - missing] > 1:
            offset += rest % big_shape[k] * strides[k - missing]
        rest = rest // big_shape[k]
    return offset


def strided_offset(ordinal: int, sizes: Any, strides: Any) -> Any:
    """Return the storage offset of element number ``ordinal`` of coalesced dimensions; at least one dimension."""
    rest, offset = index32(ordinal), index32(0)
    for k in range(len(sizes) - 1, 0, -1):
        quotient = rest // sizes[k]
        offset += (rest - quotient * sizes[k]) * strides[k]
        rest = quotient
    return offset + rest * strides[0]


def unravel_image(ordinal: int, channels: int, height: int, width: int) -> Any:
    """Return (n, c, h, w) of element number ``ordinal`` of packed images (N, C, H, W)."""
    return (
        ordinal // (width * height * channels),
        ordinal // (width * height) % channels,
        ordinal // width % height,
        ordinal % width,
    )


def output_reading(position: int, padding: int, stride: int, outputs: int) -> int:
    """Return the output whose window's first element lies on input ``position``, or -1 if there is none.

    Output ``y`` of ``outputs`` begins at ``y * stride - padding``. For the window's element ``i`` of a dilated window,
    ``padding`` is ``padding - i * dilation``.
    """
    shifted = position + padding
    y = shifted // stride
    return y if shifted >= 0 and shifted % stride == 0 and y < outputs else -1


# What the threads of a block do together


def block_sum(cache: Any, value: Any) -> Any:
    """Return the sum of the threads' values, to each thread of a block.

    In each round the lower half of the threads adds the values of the upper half::

        cache  v0  v1  v2  v3  v4  v5  v6  v7
        half=4 v0+v4 ...   v3+v7
        half=2 v0+v4+v2+v6 ...
        half=1 the sum in cache[0]

    Args:
        cache: Shared memory with an element per thread.
        value: What this thread adds.
    """
    thread, half = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()  # other threads may still read the result of the call before
    cache[thread] = value
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            cache[thread] += cache[thread + half]
        cuda.syncthreads()
        half //= 2
    return cache[0]


def block_max(cache: Any, value: Any) -> Any:
    """Return the largest of the threads' values, NaN if one is NaN, to each thread of a block; see `block_sum`."""
    thread, half = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()
    cache[thread] = value
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            cache[thread] = max_nan(cache[thread + half], cache[thread])
        cuda.syncthreads()
        half //= 2
    return cache[0]


def sum_over_slices(partial_sums: Any, element: int, slices: int, size: int) -> Any:
    """Return the sum of one element over split-K slices of ``size`` elements each, first to last."""
    total = real(0)
    for k in range(slices):
        total += partial_sums[element + k * size]
    return total


def tiled_dot(
    left: Any, right: Any, a: Any, b: Any, a_offset: int, b_offset: int, a_strides: Any, b_strides: Any,
    sizes: Any, i: int, j: int,
) -> Any:  # fmt: skip
    """Return one element of ``a @ b``, computed by a square block of threads through shared memory.

    Thread (x, y) of a block of T x T threads computes row y and column x of the block's tile of the result. In each
    step of T products the block loads one tile of both operands, a number per thread and operand, and each number is
    used T times::

                  b   +---+            step k: left  = a[rows of the block, k T : (k + 1) T]
              (K, M)  | k |                    right = b[k T : (k + 1) T, columns of the block]
             +-----+  +---+                    T products for each thread
        a    |  k  |  | T |
        (N,K)+-----+  +---+

    Args:
        left: Shared memory for a tile of ``a``.
        right: Shared memory for a tile of ``b``.
        a: A storage.
        b: A storage.
        a_offset: Where the matrix begins in ``a``.
        b_offset: Where the matrix begins in ``b``.
        a_strides: From row to row and from column to column of ``a``.
        b_strides: From row to row and from column to column of ``b``.
        sizes: Rows, columns and depth of the product.
        i: The row of the element; it may lie beyond the last.
        j: The column of the element; it may lie beyond the last.
    """
    rows, cols, depth = sizes
    tile = cuda.blockDim.x
    # Threads with neighbouring x read neighbouring elements of a row: the card joins such reads into one.
    down, across = cuda.threadIdx.y, cuda.threadIdx.x
    a_offset += i * a_strides[0] + across * a_strides[1]
    b_offset += down * b_strides[0] + j * b_strides[1]
    inside = i < rows and j < cols
    total, low = real(0), 0  # not a range: a step that is unknown at compile time takes half of the registers
    while low < depth:
        if i < rows and low + across < depth:
            left[down, across] = a[a_offset + low * a_strides[1]]
        if j < cols and low + down < depth:
            right[down, across] = b[b_offset + low * b_strides[0]]
        cuda.syncthreads()
        if inside:
            for k in range(min(tile, depth - low)):
                total += left[down, k] * right[k, across]
        cuda.syncthreads()
        low += tile
    return total
