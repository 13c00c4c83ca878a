"""Sums, products and maxima along a dimension in the CUDA backend: by rows, by columns, in two passes where few are long.

A block has a rectangle of threads: across, a element of the result each; down, those that share it. Where elements of the
result are neighbours in memory, neighbouring threads read them; else neighbours share a row. Results are put together
in pairs, in one order: every run gives the same bits.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from ..runtime import strides as runtime_strides
from ..runtime.placeholders import fn, real
from ..runtime.types import Fn, Shape
from .device import memory
from .device.functions import element_of, natural, place
from .device.launch import SHARING, kernel, launch
from .device.numba_cuda import SIMULATED, cuda

THREADS = 32 if SIMULATED else SHARING  # of a block
EACH = 8  # elements that a thread folds at least, where there are enough
ENOUGH = 1024  # blocks that fill a card


def reduce_tiles(
    out: Any,
    count: int,
    sizes: Any,
    steps: Any,
    a: Any,
    n: int,
    step: int,
    chunk: int,
    start: Any,
    last: bool,
) -> None:
    """Fold ``count`` times ``n`` elements, ``step`` apart, with a ``fn`` that may be regrouped; ``sizes`` say where from.

    The grid counts elements of the result, and chunks of what is folded: each has its own row in ``out``. The start value
    comes in once, in the last pass, so it need not be neutral.
    """
    cache = cuda.shared.array(SHARING, real)
    element, lane, wide = cuda.grid(2)[0], cuda.threadIdx.y, cuda.blockDim.x
    slot, low = lane * wide + cuda.threadIdx.x, cuda.blockIdx.y * chunk
    m = min(chunk, n - low)
    live = min(m, cuda.blockDim.y)
    if element < count and lane < live:
        at = place(element, sizes, steps) + natural(low + lane) * natural(step)
        total, j = a[at], lane + live
        while j < m:
            at += natural(live) * natural(step)
            total = fn(a[at], total)
            j += live
        cache[slot] = total
    cuda.syncthreads()
    while live > 1:
        half = (live + 1) // 2
        if element < count and lane + half < live:
            cache[slot] = fn(cache[slot + half * wide], cache[slot])
        live = half
        cuda.syncthreads()
    if element < count and lane == 0:
        to = cuda.blockIdx.y * count + element
        if m < 1:
            out[to] = start
        elif last:
            out[to] = fn(cache[slot], start)
        else:
            out[to] = cache[slot]


class Plan(NamedTuple):
    """How a dimension is folded.

    Attributes:
        elements: Of the result.
        sizes: Where they are read from: coalesced dimensions.
        steps: Their strides.
        n: Cells that are folded into one.
        step: Their stride.
        across: Threads of a block with a element of the result each.
        down: Threads that share one.
        parts: Blocks that share one; several take one more pass.
    """

    elements: int
    sizes: tuple[Any, ...]
    steps: tuple[Any, ...]
    n: int
    step: int
    across: int
    down: int
    parts: int

    @property
    def chunk(self) -> int:
        """Cells that a block folds into one."""
        return -(-self.n // self.parts)


def _power(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()


@functools.lru_cache(maxsize=4096)
def plan(shape: Shape, strides: Shape, dim: int) -> Plan:
    """Return how ``dim`` of a layout is folded."""
    sizes, steps = runtime_strides.reduction_plan(shape, strides, dim)
    n, step, count = shape[dim], strides[dim], math.prod(sizes)
    wanted = _power(-(-n // EACH))
    if steps and steps[-1] < step:
        across = min(THREADS // EACH, _power(count))
        down = min(THREADS // across, wanted)
    else:
        down = min(THREADS, wanted)
        across = min(THREADS // down, _power(count))
    parts = max(1, min(n // (down * EACH), ENOUGH // -(-count // across)))
    parts = -(-n // -(-n // parts)) if n else 1  # a chunk is not left without elements
    own, walked = (tuple(map(natural, part)) for part in (sizes or (1,), steps or (0,)))
    return Plan(count, own, walked, n, step, across, down, parts)


def reduce_all(out: Any, a: Any, layout: tuple[Shape, Shape], dim: int, by: Fn, start: float) -> None:
    """Fold ``dim`` of ``a`` with a function that may be regrouped.

    Args:
        out: A packed array for the result.
        a: A storage.
        layout: Shape and strides in it.
        dim: The dimension.
        by: The function.
        start: What it starts from.
    """
    made, real_start = kernel(reduce_tiles, out.dtype, fn=by), out.dtype.type(start)
    found, last = plan(*layout, dim), False
    while not last:
        count, sizes, steps, n, step, across, down, parts = found
        last = parts == 1
        into = out if last else memory.empty(parts * count, out.dtype)
        grid = (-(-count // across), parts), (across, down)
        operands = (into, count, sizes, steps, a, n, step, found.chunk, real_start, last)
        launch(f"reduce by {by.__name__}", [layout[0]], made, grid, *operands)
        a, found = into, plan((parts, count), (count, 1), 0)


def reduce_elements(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Fold with any ``fn`` from left to right: a thread per element."""
    i = cuda.grid(1)
    if i < out_size:
        at, step = element_of(i, out_shape, out_shape, a_strides), a_strides[reduce_dim]
        total = real(reduce_value)
        for j in range(a_shape[reduce_dim]):
            total = fn(a[at + j * step], total)
        out[element_of(i, out_shape, out_shape, out_strides)] = total
