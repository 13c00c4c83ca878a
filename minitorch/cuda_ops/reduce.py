"""Reductions of the CUDA backend: sums, products and maxima along one dimension.

``out[i] = fn(a[i, 0], a[i, 1], ..., a[i, n - 1])`` with a ``fn`` that may be regrouped (`reduce_tiles`), or any ``fn``
from left to right (`reduce_elements`). A block is a rectangle of threads. Across, each thread has an element of the
result; down, the threads share one: each reduces every ``down``-th number, then their results are combined in pairs::

    reduced dimension packed (sum of rows)      kept dimension packed (sum of columns)
       one element per block, or few                a block has 32 neighbouring elements
       T T T T T T T T -> out[i]                    T T T T      neighbouring threads read
       neighbouring threads read                    T T T T      neighbouring columns
       neighbours along the row                     | | | |
                                                    out[i .. i + 3]

So reads are coalesced in both cases. Where few elements have many numbers (a full sum), several blocks share an
element: the dimension is cut into chunks, the results of the chunks are written, and a second pass reduces those. The
order depends on sizes and strides alone, so every run gives the same bits. Each number is read once; a pass writes an
element per chunk.

Error of a sum: |error| <= m * eps * sum |a|, with chains of m = n / (threads that share the element) + log2(threads)
additions in a pass; `ReducePlan` says how many threads there are.

Source of the pairwise combination: M. Harris, "Optimizing Parallel Reduction in CUDA", 2007.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from ..runtime import strides as runtime_strides
from ..runtime.placeholders import fn, real
from ..runtime.types import Fn, Shape
from .device import memory
from .device.functions import broadcast_offset, index32, strided_offset
from .device.launch import REDUCE_THREADS, kernel, launch
from .device.numba_cuda import SIMULATED, cuda

THREADS = 32 if SIMULATED else REDUCE_THREADS  # of a block
MIN_PER_THREAD = 8  # numbers that a thread reduces at least, where there are enough
FULL_BLOCKS = 1024  # blocks that fill a card


def reduce_tiles(
    out: Any, count: int, sizes: Any, strides: Any, a: Any,
    n: int, stride: int, chunk: int, start: Any, last: bool,
) -> None:  # fmt: skip
    """Reduce ``count`` times ``n`` numbers with a ``fn`` that may be regrouped; see the head of this file.

    Block (bx, by) has the elements from ``bx * blockDim.x`` on, and chunk ``by`` of their numbers.

    Args:
        out: ``count`` elements for each chunk.
        count: Elements of the result.
        sizes: The coalesced dimensions that are kept.
        strides: Their strides in ``a``.
        a: A storage.
        n: Numbers that are reduced to one.
        stride: Their stride in ``a``.
        chunk: How many of them a block has.
        start: The start value. It comes in once, in the last pass, so it need not be neutral.
        last: Whether this is the last pass.
    """
    cache = cuda.shared.array(REDUCE_THREADS, real)
    element, thread, across = cuda.grid(2)[0], cuda.threadIdx.y, cuda.blockDim.x
    slot, low = thread * across + cuda.threadIdx.x, cuda.blockIdx.y * chunk
    m = min(chunk, n - low)
    active = min(m, cuda.blockDim.y)
    if element < count and thread < active:
        offset = strided_offset(element, sizes, strides) + index32(low + thread) * index32(stride)
        total, j = a[offset], thread + active
        while j < m:
            offset += index32(active) * index32(stride)
            total = fn(a[offset], total)
            j += active
        cache[slot] = total
    cuda.syncthreads()
    # Combine in pairs: rounded up, so that any number of threads can be active.
    while active > 1:
        half = (active + 1) // 2
        if element < count and thread + half < active:
            cache[slot] = fn(cache[slot + half * across], cache[slot])
        active = half
        cuda.syncthreads()
    if element < count and thread == 0:
        out_offset = cuda.blockIdx.y * count + element
        if m < 1:
            out[out_offset] = start
        elif last:
            out[out_offset] = fn(cache[slot], start)
        else:
            out[out_offset] = cache[slot]


class ReducePlan(NamedTuple):
    """How a dimension is reduced.

    Attributes:
        elements: Elements of the result.
        sizes: The coalesced dimensions that are kept.
        strides: Their strides.
        n: Numbers that are reduced to one.
        stride: Their stride.
        across: Threads of a block that have an element of the result each.
        down: Threads that share one.
        chunks: Blocks that share one; several need another pass.
    """

    elements: int
    sizes: tuple[Any, ...]
    strides: tuple[Any, ...]
    n: int
    stride: int
    across: int
    down: int
    chunks: int

    @property
    def chunk(self) -> int:
        """Numbers that a block reduces to one."""
        return -(-self.n // self.chunks)


def _power_of_two(n: int) -> int:
    """Return the smallest power of two that is at least ``n``."""
    return 1 << max(n - 1, 0).bit_length()


@functools.lru_cache(maxsize=4096)
def plan(shape: Shape, strides: Shape, dim: int) -> ReducePlan:
    """Return how dimension ``dim`` of a layout is reduced."""
    sizes, kept_strides = runtime_strides.reduction_plan(shape, strides, dim)
    n, stride, count = shape[dim], strides[dim], math.prod(sizes)
    wanted = _power_of_two(-(-n // MIN_PER_THREAD))
    if kept_strides and kept_strides[-1] < stride:
        across = min(THREADS // MIN_PER_THREAD, _power_of_two(count))
        down = min(THREADS // across, wanted)
    else:
        down = min(THREADS, wanted)
        across = min(THREADS // down, _power_of_two(count))
    chunks = max(1, min(n // (down * MIN_PER_THREAD), FULL_BLOCKS // -(-count // across)))
    chunks = -(-n // -(-n // chunks)) if n else 1  # no chunk is empty
    sizes32, strides32 = (tuple(map(index32, part)) for part in (sizes or (1,), kept_strides or (0,)))
    return ReducePlan(count, sizes32, strides32, n, stride, across, down, chunks)


def reduce_all(out: Any, a: Any, layout: tuple[Shape, Shape], dim: int, function: Fn, start: float) -> None:
    """Reduce dimension ``dim`` of ``a`` with a function that may be regrouped, in as many passes as it takes.

    Args:
        out: A packed array for the result.
        a: A storage.
        layout: Shape and strides in it.
        dim: The dimension.
        function: A float function of two numbers, associative and commutative.
        start: The start value.
    """
    made, start_value = kernel(reduce_tiles, out.dtype, fn=function), out.dtype.type(start)
    current, last = plan(*layout, dim), False
    while not last:
        count, sizes, strides, n, stride, across, down, chunks = current
        last = chunks == 1
        target = out if last else memory.empty(chunks * count, out.dtype)
        grid = (-(-count // across), chunks), (across, down)
        operands = (target, count, sizes, strides, a, n, stride, current.chunk, start_value, last)
        launch(f"reduce by {function.__name__}", [layout[0]], made, grid, *operands)
        a, current = target, plan((chunks, count), (count, 1), 0)


def reduce_elements(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Reduce with any ``fn`` from left to right: a thread per element."""
    i = cuda.grid(1)
    if i < out_size:
        offset, stride = broadcast_offset(i, out_shape, out_shape, a_strides), a_strides[reduce_dim]
        total = real(reduce_value)
        for j in range(a_shape[reduce_dim]):
            total = fn(a[offset + j * stride], total)
        out[broadcast_offset(i, out_shape, out_shape, out_strides)] = total
