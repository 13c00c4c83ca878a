"""Runs CUDA kernels of minitorch with few threads, and records what each thread reads and writes.

A kernel is a plain function here: it runs with a ``cuda`` of this file in place of Numba's. The threads of a block are
greenlets. Each stops before every access, and the order of warps says which go on: in step, or one warp as far as it
comes. Memory beyond an array gives nan, as memory does that is not written yet.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import greenlet

WARP = 4  # threads of a warp, as in the playground
Access = list[Any]  # "read" or "write", array, index, value


@dataclass
class Dim3:
    """An index or a size along x, y and z."""

    x: int
    y: int = 1
    z: int = 1


@dataclass
class Thread:
    """A thread of a block; ``epoch`` counts the barriers that it has passed."""

    index: Dim3
    number: int
    fiber: Any = None
    at_barrier: bool = False
    shared: int = 0  # arrays of shared memory that it has asked for
    epoch: int = 0
    accesses: list[Access] = field(default_factory=list)


class Memory:
    """An array that records; of two dimensions if it has a ``pitch``."""

    def __init__(self, machine: Machine, name: str, values: Sequence[float], pitch: int = 0) -> None:
        self.machine, self.name, self.values, self.pitch = machine, name, list(values), pitch

    def __len__(self) -> int:
        return len(self.values)

    def _flat(self, index: Any) -> int:
        return index[0] * self.pitch + index[1] if isinstance(index, tuple) else index

    def __getitem__(self, index: Any) -> float:
        self.machine.wait()
        k = self._flat(index)
        value = self.values[k] if 0 <= k < len(self.values) else math.nan
        self.machine.note("read", self.name, k, value)
        return value

    def __setitem__(self, index: Any, value: float) -> None:
        self.machine.wait()
        k = self._flat(index)
        if 0 <= k < len(self.values):
            self.values[k] = value
        self.machine.note("write", self.name, k, value)


class Machine:
    """Runs kernels; it is also what they call ``cuda``.

    Args:
        order: "together", "first" or "last": all warps in step, or the first or the last one ahead.
        barriers: Whether ``syncthreads`` waits.
        pitch: Elements from row to row of arrays in shared memory.
        names: Names of the arrays in shared memory, in the order in which kernels ask for them.
        transposed: Whether x and y of threads change places.
    """

    def __init__(
        self, order: str, barriers: bool, names: Sequence[str] = (), pitch: int = 0, transposed: bool = False
    ) -> None:
        self.order, self.barriers, self.names = order, barriers, names
        self.pitch, self.transposed = pitch, transposed
        self.shared = types.SimpleNamespace(array=self._shared_array)
        self.pool: list[Memory] = []
        self.thread = Thread(Dim3(0), 0)
        self.blockIdx = self.blockDim = self.gridDim = Dim3(0)
        self.records: list[list[Access]] = []  # of each thread of each block
        self.uses: dict[tuple[str, int, int], list[tuple[int, str]]] = {}
        self.raced = 0  # elements with a race, counted for each block and each part between barriers

    @property
    def threadIdx(self) -> Dim3:
        """The index of the running thread."""
        x, y = self.thread.index.x, self.thread.index.y
        return Dim3(y, x) if self.transposed else Dim3(x, y)

    def grid(self, dims: int) -> int:
        """Return the thread's number in the grid."""
        assert dims == 1
        return self.blockIdx.x * self.blockDim.x + self.thread.index.x

    def wait(self) -> None:
        """Stop before an access."""
        self.thread.fiber.parent.switch()

    def syncthreads(self) -> None:
        """Stop at a barrier."""
        if self.barriers:
            self.thread.at_barrier = True
            self.thread.fiber.parent.switch()

    def note(self, kind: str, name: str, index: int, value: float) -> None:
        """Record an access of the running thread."""
        self.thread.accesses.append([kind, name, index, None if math.isnan(value) else value])
        self.uses.setdefault((name, index, self.thread.epoch), []).append((self.thread.number, kind))

    def _shared_array(self, shape: Any, dtype: Any) -> Memory:
        rows = shape[0] if isinstance(shape, tuple) else 1
        pitch = self.pitch if isinstance(shape, tuple) else 0
        if self.thread.shared == len(self.pool):
            size = rows * (pitch or shape)
            self.pool.append(Memory(self, self.names[len(self.pool)], [math.nan] * size, pitch))
        self.thread.shared += 1
        return self.pool[self.thread.shared - 1]

    def run(self, kernel: Callable[..., None], grid: Dim3, block: Dim3, args: Sequence[Any]) -> None:
        """Run all blocks of a kernel, one after the other, along x first."""
        self.gridDim, self.blockDim = grid, block
        for k in range(grid.x * grid.y):
            self.blockIdx = Dim3(k % grid.x, k // grid.x, 0)
            self._run_block(kernel, args)

    def _run_block(self, kernel: Callable[..., None], args: Sequence[Any]) -> None:
        self.pool, self.uses = [], {}  # the uses of an element by epoch: thread and kind
        threads = [
            Thread(Dim3(k % self.blockDim.x, k // self.blockDim.x, 0), k)
            for k in range(self.blockDim.x * self.blockDim.y)
        ]
        for thread in threads:
            thread.fiber = greenlet.greenlet(lambda: kernel(*args))
            self._advance(thread)  # to its first access
        warps = [threads[k : k + WARP] for k in range(0, len(threads), WARP)]
        if self.order == "last":
            warps.reverse()
        while alive := [t for t in threads if not t.fiber.dead]:
            going = [
                live for warp in warps if (live := [t for t in warp if not t.fiber.dead and not t.at_barrier])
            ]
            if not going:
                for thread in alive:
                    thread.at_barrier = False
                    thread.epoch += 1
                    self._advance(thread)
                continue
            for warp in going if self.order == "together" else going[:1]:
                for thread in warp:
                    self._advance(thread)
        self.records += [thread.accesses for thread in threads]
        for uses in self.uses.values():
            writers = {number for number, kind in uses if kind == "write"}
            self.raced += bool(writers) and len({number for number, _ in uses}) > 1

    def _advance(self, thread: Thread) -> None:
        self.thread = thread
        thread.fiber.switch()


def bind(function: Any, **names: Any) -> Any:
    """Return a function of Python with other values for some of the global names that it uses."""
    return types.FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
