"""Optimizer steps of the CUDA backend: one launch updates all parameters that share a rule and its settings.

``p[i], states[i] = rule(settings, p[i], gradient[i], states[i])`` for every element of every parameter. A network has
many small parameters, and a launch costs Python more than such an update costs the card. So one kernel takes a table of
addresses, with a row per parameter, and finds its row by the number of its block::

    table  first block | size | address of p | of its gradient | of state 1 | ...
           0           | 700  | ...                                                  blocks 0, 1  (512 elements each)
           2           | 3    | ...                                                  block 2
           3           | 130  | ...                                                  block 3

Thread t of a block takes ``PER_THREAD`` elements, ``blockDim`` apart, so that neighbouring threads have neighbours.
Each element costs 2 + S reads and 1 + S writes for S states; finding the row costs a binary search per thread.

Table and settings are cached constants on the device: at each step the launch is the same as long as the memory pool
hands out the same blocks. A captured step keeps its addresses, and a replay only needs new settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..runtime.placeholders import fn  # noqa: F401  the template uses it
from ..runtime.quiet import quiet
from ..runtime.step_graph import Stale
from ..runtime.templates import kernels_from
from ..runtime.types import Fn
from ..tensor_data import TensorData
from .device import graph as device_graph
from .device import memory, numba_cuda
from .device.launch import THREADS, kernel, launch
from .device.numba_cuda import cuda, elements_at  # noqa: F401  the template uses them

PER_THREAD = 4  # elements of a thread
SIZE, PARAMETER, GRADIENT = 1, 2, 3  # columns of the table behind the first block; the states follow
MAX_STATES = 3


def table_row(table: Any, rows: int, block: int) -> int:
    """Return the row of the table that a block works on: the last whose first block is not beyond it."""
    low, high = 0, rows - 1
    while low < high:
        middle = (low + high + 1) // 2
        if table[middle, 0] <= block:
            low = middle
        else:
            high = middle - 1
    return low


# UPDATES[s] is the kernel for a rule with s states; `elements_at` makes an array of an address.
UPDATES = kernels_from(
    """
def update_{n}(table, rows, settings):
    row = table_row(table, rows, cuda.blockIdx.x)
    size = table[row, SIZE]
    p = elements_at(table[row, PARAMETER], settings, size)
    d = elements_at(table[row, GRADIENT], settings, size)
    {s# = elements_at(table[row, GRADIENT + #], settings, size)}
    i = (cuda.blockIdx.x - table[row, 0]) * cuda.blockDim.x * PER_THREAD + cuda.threadIdx.x
    for _ in range(PER_THREAD):
        if i < size:
            p[i], {s#[i]} = fn(settings, p[i], d[i], {s#[i]})
        i += cuda.blockDim.x
""",
    range(MAX_STATES + 1),
    globals(),
)


def update(rule: Fn, settings: Sequence[float], rows: Sequence[tuple[TensorData, ...]]) -> None:
    """Update the rows ``(p, gradient, *states)`` in place; see `tensor_ops.base.TensorOps.update_kernel`.

    Raises:
        Stale: The settings of a captured step are being refreshed, and it has no update of these rows.
    """
    filled = [row for row in rows if row[0].size]
    if not filled:
        return
    numbers = quiet.run(np.array, settings, filled[0][0].dtype)
    # Not by the gradient: it is another tensor at each step, and has the same address at each replay.
    key = (rule, *(id(t) for p, _, *states in filled for t in (p, *states)))
    refreshed, graph = device_graph.refreshed(), device_graph.current()
    if refreshed is not None:
        if key not in refreshed.settings:
            raise Stale
        memory.upload(refreshed.settings[key][0], numbers)
        return
    on_device = memory.cached_constant(numbers)
    if graph is not None:
        graph.settings[key] = on_device, [(p, *states) for p, _, *states in filled]
    _launch(rule, on_device, filled)


def _launch(rule: Fn, settings: Any, rows: Sequence[tuple[TensorData, ...]]) -> None:
    """Write the table, and launch the kernel for as many states as the rows have."""
    table, first_block = np.empty((len(rows), PARAMETER + len(rows[0])), np.int64), 0
    held = []
    for line, row in zip(table, rows):
        storages = [_storage(t, settings.dtype) for t in row]
        line[:2] = first_block, row[0].size
        line[2:] = [numba_cuda.address(storage) for storage in storages]
        first_block += -(-row[0].size // (THREADS * PER_THREAD))
        held.append(tuple(storages))
    graph = device_graph.current()
    if graph is not None:
        graph.hold(tuple(held))  # the kernel has their addresses only
    made, grid = kernel(UPDATES[len(rows[0]) - 2], settings.dtype, fn=rule), (first_block, THREADS)
    shapes, operands = [row[0].shape for row in rows], (memory.cached_constant(table), len(rows), settings)
    launch(f"update by {rule.__name__}", shapes, made, grid, *operands)


def _storage(t: TensorData, dtype: np.dtype[Any]) -> Any:
    """Return the storage of an operand on the device, in the dtype of the parameters."""
    if t.dtype != dtype:
        t = t.f.id_map(t, t.f.ops.allocate(t.shape, dtype, t.backend))
    t._storage = memory.storage(t._storage)
    return t._storage
