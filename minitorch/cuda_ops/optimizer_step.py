"""Updates of the CUDA backend: one launch changes all parameters that share a rule and its settings.

Addresses and sizes of the parameters, derivatives and states lie in a table on the device, settings in an array: so the
launch is the same at each step, and a recorded step only needs new settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..runtime.placeholders import fn
from ..runtime.types import Fn
from ..tensor_data import TensorData
from .device import graph as device_graph
from .device import memory, numba_cuda
from .device.launch import THREADS, kernel, launch
from .device.numba_cuda import cuda, elements_at

EACH = 4  # elements of a thread
SIZE, P, D, S, T, U = range(1, 7)  # columns of the table; the first one counts blocks


def row_of(table: Any, rows: int, block: int) -> int:
    """Return the row of the table that a block works on: the last whose first block is not behind it."""
    low, high = 0, rows - 1
    while low < high:
        middle = (low + high + 1) // 2
        if table[middle, 0] <= block:
            low = middle
        else:
            high = middle - 1
    return low


def update_1(table: Any, rows: int, settings: Any) -> None:
    """Update parameters that have no states: a block for `EACH` elements per thread of one row of the table."""
    row = row_of(table, rows, cuda.blockIdx.x)
    size = table[row, SIZE]
    p, d = elements_at(table[row, P], settings, size), elements_at(table[row, D], settings, size)
    i = (cuda.blockIdx.x - table[row, 0]) * cuda.blockDim.x * EACH + cuda.threadIdx.x
    for _ in range(EACH):
        if i < size:
            (p[i],) = fn(settings, p[i], d[i])
        i += cuda.blockDim.x


def update_2(table: Any, rows: int, settings: Any) -> None:
    """Update parameters and one state; see `update_1`."""
    row = row_of(table, rows, cuda.blockIdx.x)
    size = table[row, SIZE]
    p, d = elements_at(table[row, P], settings, size), elements_at(table[row, D], settings, size)
    s = elements_at(table[row, S], settings, size)
    i = (cuda.blockIdx.x - table[row, 0]) * cuda.blockDim.x * EACH + cuda.threadIdx.x
    for _ in range(EACH):
        if i < size:
            p[i], s[i] = fn(settings, p[i], d[i], s[i])
        i += cuda.blockDim.x


def update_3(table: Any, rows: int, settings: Any) -> None:
    """Update parameters and two states; see `update_1`."""
    row = row_of(table, rows, cuda.blockIdx.x)
    size = table[row, SIZE]
    p, d = elements_at(table[row, P], settings, size), elements_at(table[row, D], settings, size)
    s, t = elements_at(table[row, S], settings, size), elements_at(table[row, T], settings, size)
    i = (cuda.blockIdx.x - table[row, 0]) * cuda.blockDim.x * EACH + cuda.threadIdx.x
    for _ in range(EACH):
        if i < size:
            p[i], s[i], t[i] = fn(settings, p[i], d[i], s[i], t[i])
        i += cuda.blockDim.x


def update_4(table: Any, rows: int, settings: Any) -> None:
    """Update parameters and three states; see `update_1`."""
    row = row_of(table, rows, cuda.blockIdx.x)
    size = table[row, SIZE]
    p, d = elements_at(table[row, P], settings, size), elements_at(table[row, D], settings, size)
    s, t = elements_at(table[row, S], settings, size), elements_at(table[row, T], settings, size)
    u = elements_at(table[row, U], settings, size)
    i = (cuda.blockIdx.x - table[row, 0]) * cuda.blockDim.x * EACH + cuda.threadIdx.x
    for _ in range(EACH):
        if i < size:
            p[i], s[i], t[i], u[i] = fn(settings, p[i], d[i], s[i], t[i], u[i])
        i += cuda.blockDim.x


UPDATES = (update_1, update_2, update_3, update_4)


def update(rule: Fn, settings: Sequence[float], rows: Sequence[tuple[TensorData, ...]]) -> None:
    """Update the rows ``(p, d, *states)`` in place: see `minitorch.tensor_ops.TensorOps.update_kernel`.

    Raises:
        Stale: Settings are being refreshed, and the recorded step has no update of these rows.
    """
    filled = [row for row in rows if row[0].size]
    if not filled:
        return
    numbers = np.array(settings, filled[0][0].dtype)
    # The derivative is another one at each step; in a recorded one it lies where it was.
    key = (rule, *(id(t) for p, _, *states in filled for t in (p, *states)))
    refreshed, graph = device_graph.refreshed(), device_graph.current()
    if refreshed is not None:
        if key not in refreshed.settings:
            raise device_graph.Stale
        memory.upload(refreshed.settings[key][0], numbers)
        return
    on_device = memory.constant(numbers)
    if graph is not None:
        graph.settings[key] = on_device, [(p, *states) for p, _, *states in filled]
    _launch(rule, on_device, filled)


def _launch(rule: Fn, settings: Any, rows: Sequence[tuple[TensorData, ...]]) -> None:
    table, first = np.empty((len(rows), P + len(rows[0])), np.int64), 0
    held = []
    for line, row in zip(table, rows):
        elements = [_elements(t, settings.dtype) for t in row]
        line[:2] = first, row[0].size
        line[2:] = [numba_cuda.address(c) for c in elements]
        first += -(-row[0].size // (THREADS * EACH))
        held.append(tuple(elements))
    graph = device_graph.current()
    if graph is not None:
        graph.hold(tuple(held))
    made = kernel(UPDATES[len(rows[0]) - 2], settings.dtype, fn=rule)
    operands = (memory.constant(table), len(rows), settings)
    launch(f"update by {rule.__name__}", [row[0].shape for row in rows], made, (first, THREADS), *operands)


def _elements(t: TensorData, dtype: np.dtype[Any]) -> Any:
    """Return the elements of an operand on the device, in the dtype of the parameters."""
    if t.dtype != dtype:
        t = t.f.id_map(t, t.f.ops.allocate(t.shape, dtype, t.backend))
    t._storage = memory.storage(t._storage)
    return t._storage
