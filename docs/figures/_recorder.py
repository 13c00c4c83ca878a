"""Runs the course's solved kernels as Python and notes each element that they read or write.

A figure can so show what a kernel does and not what somebody believes that it does. The kernels of the CPU run one
iteration after the other; a block of CUDA threads runs one thread after the other, from barrier to barrier.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

SOLVED = "minitorch.course.solved.minitorch"


@dataclass(frozen=True)
class Access:
    """One read or write.

    Attributes:
        worker: The iteration of the parallel loop, or the number of block and thread: (block, thread).
        phase: How many barriers the thread had passed.
        kind: "read" or "write".
        array: The name of the array.
        place: The index of the element.
        value: The number that was read or written.
    """

    worker: Any
    phase: int
    kind: str
    array: str
    place: Any
    value: float


class Recorder:
    """Keeps the accesses of a run in order; ``worker`` and ``phase`` are those of the code that runs now."""

    def __init__(self) -> None:
        self.accesses: list[Access] = []
        self.worker: Any = None
        self.phase = 0

    def array(self, name: str, values: Any) -> Recorded:
        """Return an array whose reads and writes are noted."""
        return Recorded(self, name, np.array(values, dtype=float))

    def prange(self, *limits: int) -> Iterator[int]:
        """Stand in for Numba's parallel range: each iteration is a worker."""
        for i in range(*limits):
            self.worker = i
            yield i

    def of(self, kind: str, array: str) -> list[Access]:
        """Return the reads or the writes of an array, in order."""
        return [a for a in self.accesses if (a.kind, a.array) == (kind, array)]

    def note(self, kind: str, array: str, place: Any, value: float) -> None:
        """Note an access of the worker that runs now."""
        plain = tuple(map(int, place)) if isinstance(place, tuple) else int(place)
        self.accesses.append(Access(self.worker, self.phase, kind, array, plain, value))


class Recorded:
    """An array that tells a recorder which elements are read and written."""

    def __init__(self, recorder: Recorder, name: str, values: Any) -> None:
        self.recorder, self.name, self.values = recorder, name, values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: Any) -> float:
        value = float(self.values[place])
        self.recorder.note("read", self.name, place, value)
        return value

    def __setitem__(self, place: Any, value: float) -> None:
        self.recorder.note("write", self.name, place, float(value))
        self.values[place] = value


def solved(name: str, recorder: Recorder, **names: Any) -> ModuleType:
    """Return a fresh copy of ``fast_ops`` or ``cuda_ops`` of the course, whose kernels run as Python.

    Args:
        name: The file.
        recorder: Counts the iterations of its parallel loops.
        **names: Constants of the file to be replaced, such as ``TILE=2``.
    """
    package = importlib.import_module(SOLVED)
    spec = importlib.util.spec_from_file_location(
        f"{SOLVED}.{name}_run_by_figures", f"{package.__path__[0]}/{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = importlib.import_module(f"{SOLVED}.tensor_data")
    plain = {n: vars(data)[n] for n in ("to_index", "index_to_position", "broadcast_index")}
    if name == "fast_ops":
        plain |= {
            "njit": lambda f, **_: f,
            "prange": recorder.prange,
            "equal_arrays": module.equal_arrays.py_func,
            "tensor_matrix_multiply": module._tensor_matrix_multiply,
        }
    vars(module).update(plain, **names)
    return module


def launch(
    module: ModuleType, make: Callable[[ModuleType], Any], grid: int | tuple[int, int], block: int | tuple[int, int],
    recorder: Recorder, *arguments: Any, barriers: bool = True,
) -> None:  # fmt: skip
    """Launch a CUDA kernel of a solved module: all threads of each block, one block after the other.

    Args:
        module: `solved("cuda_ops", ...)`.
        make: Returns the kernel from the module; in it, ``cuda.jit`` returns the function that it is given.
        grid: Blocks along x, or along x and y.
        block: Threads of a block, likewise.
        recorder: Notes accesses; a worker is ((block x, block y), (thread x, thread y)).
        *arguments: What the kernel takes.
        barriers: Whether threads wait at barriers; else each runs to its end, in order.
    """
    grid_x, grid_y = grid if isinstance(grid, tuple) else (grid, 1)
    block_x, block_y = block if isinstance(block, tuple) else (block, 1)
    for by, bx in np.ndindex(grid_y, grid_x):
        cuda = _Block(recorder, (bx, by), (block_x, block_y), barriers)
        vars(module)["cuda"] = cuda
        kernel = make(module)
        cuda.run(lambda kernel=kernel: kernel(*arguments))  # type: ignore[misc]


class _Block:
    """Stands in for ``numba.cuda`` in the threads of one block, which take turns at barriers."""

    def __init__(
        self, recorder: Recorder, number: tuple[int, int], size: tuple[int, int], barriers: bool
    ) -> None:
        self.recorder, self.number, self.barriers = recorder, number, barriers
        self.blockIdx = SimpleNamespace(x=number[0], y=number[1], z=0)
        self.blockDim = SimpleNamespace(x=size[0], y=size[1], z=1)
        self.threads = [(x, y) for y in range(size[1]) for x in range(size[0])]
        self.turns = [threading.Semaphore(0) for _ in self.threads]
        self.back = threading.Semaphore(0)
        self.now = 0
        self.running = [True] * len(self.threads)
        self.passed = [0] * len(self.threads)
        self.made = [0] * len(self.threads)
        self.arrays: list[Recorded] = []
        self.shared = SimpleNamespace(array=self._shared_array)
        self.local = SimpleNamespace(array=lambda length, _: np.zeros(length, np.int32))
        self.jit = lambda f=None, **_: f if f is not None else (lambda g: g)

    @property
    def threadIdx(self) -> SimpleNamespace:
        """The thread that runs now."""
        x, y = self.threads[self.now]
        return SimpleNamespace(x=x, y=y, z=0)

    def _shared_array(self, shape: Any, _: Any) -> Recorded:
        """Return the shared array that all threads of the block make at this place of the kernel."""
        number = self.made[self.now]
        self.made[self.now] += 1
        if number == len(self.arrays):
            self.arrays.append(self.recorder.array(f"shared {number}", np.full(shape, np.nan)))
        return self.arrays[number]

    def syncthreads(self) -> None:
        """Wait for the other threads of the block."""
        me = self.now
        self.passed[me] += 1
        if not self.barriers:
            return
        self.back.release()
        self.turns[me].acquire()

    def run(self, body: Callable[[], None]) -> None:
        """Run ``body`` in each thread, one thread at a time."""

        def thread(k: int) -> None:
            self.turns[k].acquire()
            try:
                body()
            finally:
                self.running[k] = False
                self.back.release()

        started = [threading.Thread(target=thread, args=(k,), daemon=True) for k in range(len(self.threads))]
        for one in started:
            one.start()
        while any(self.running):
            for k in range(len(self.threads)):
                if self.running[k]:
                    self.now = k
                    self.recorder.worker, self.recorder.phase = (self.number, self.threads[k]), self.passed[k]
                    self.turns[k].release()
                    self.back.acquire()
        for one in started:
            one.join()
