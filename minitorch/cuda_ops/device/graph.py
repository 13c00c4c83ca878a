"""The stream of the CUDA backend, and steps recorded on it, to be replayed without Python.

On a GPU a recorded step is a CUDA graph: one call of the driver launches all its kernels. In the simulator it is a list
of launches. What lies at the addresses that were recorded must stay there: a step has a pool of its own for its results
(blocks are handed out again inside the step, and to nobody else), and keeps all other arrays alive.

The backend's stream waits for the default stream and the other way round, so that kernels of users and of other libraries
need no synchronisation; only recording happens on a stream apart.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from ...runtime import capture
from ...runtime.allocator import Pool
from . import driver, numba_cuda
from .driver import DriverError
from .numba_cuda import cuda


class Stale(Exception):
    """What was recorded is not what the step would do now."""


class _State(threading.local):
    recorded: Graph | None = None
    refreshed: Graph | None = None


_state = _State()


@functools.cache
def _handle(kind: int) -> int:
    return driver.new_stream(kind)


@functools.cache
def _wrapped(kind: int) -> Any:
    return cuda.stream() if numba_cuda.SIMULATED else cuda.external_stream(_handle(kind))


def stream() -> Any:
    """Return the stream that launches and copies go to, made at the first use."""
    return _wrapped(driver.WAITING if _state.recorded is None else driver.PADDING)


def current() -> Graph | None:
    """Return the step that is being recorded by this thread."""
    return _state.recorded


def refreshed() -> Graph | None:
    """Return the step whose settings are being refreshed by this thread, while nothing is to be computed."""
    return _state.refreshed


def submit(made: Any, grid: tuple[Any, Any], operands: tuple[Any, ...]) -> None:
    """Launch a kernel, or record it."""
    graph = _state.recorded
    if graph is None:
        made[(*grid, stream())](*operands)
    else:
        graph.add(made, grid, operands)


def allocating() -> Any:
    """Return a block in which memory may be allocated, also while a step is recorded."""
    return nullcontext() if numba_cuda.SIMULATED or _state.recorded is None else driver.relaxed()


class Graph:
    """A recorded step.

    Args:
        pool: What its results lie on; nobody else takes from it.

    Attributes:
        actions: What Python does before each replay.
        stepped: The optimizers that take a step in it.
        uploads: Arrays of the device, and the numbers that go there before the first replay.
        settings: For each update the array of its settings, and the rows it is for.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.actions: list[capture.Action] = []
        self.stepped: list[Any] = []
        self.uploads: list[tuple[Any, Any]] = []
        self.settings: dict[Any, tuple[Any, Any]] = {}
        self._owned: dict[int, int] = {}
        self._kept: list[Any] = []
        self._launches: list[Callable[[], Any]] = []
        self._instance = 0

    @contextmanager
    def record(self) -> Iterator[None]:
        """Record what is launched within the block, and compute nothing.

        Raises:
            DriverError: The driver cannot.
        """
        with capture.record(self.actions, self.stepped), cuda.defer_cleanup():
            if not numba_cuda.SIMULATED:
                driver.begin(_handle(driver.PADDING))
            _state.recorded = self
            try:
                yield
            except BaseException:
                _state.recorded = None
                if not numba_cuda.SIMULATED:
                    # The fault that is being raised comes first.
                    with suppress(DriverError):
                        self._end()
                raise
            _state.recorded = None
            if not numba_cuda.SIMULATED:
                self._end()

    def _end(self) -> None:
        self._instance = driver.end(_handle(driver.PADDING))
        # At the end of the process the driver does it.
        weakref.finalize(self, driver.destroy, self._instance).atexit = False

    @contextmanager
    def refresh(self) -> Iterator[None]:
        """Let updates within the block change their settings here, and nothing else."""
        _state.refreshed = self
        try:
            yield
        finally:
            _state.refreshed = None

    def own(self, array: Any) -> None:
        """Take note of an array on the pool of this step: it is there at each replay, and need not be kept."""
        at = numba_cuda.address(array)
        self._owned[at] = max(array.nbytes, self._owned.get(at, 0))

    def hold(self, operand: Any) -> Any:
        """Return an operand as it can be recorded: what is not on the pool of this step is kept."""
        if isinstance(operand, tuple):
            return tuple(map(self.hold, operand))
        if not numba_cuda.is_array(operand):
            return operand
        at = numba_cuda.address(operand)
        if any(start <= at < start + size for start, size in self._owned.items()):
            # Here a reference would keep the block from being handed out again, as it is on a GPU.
            return numba_cuda.borrowed(operand) if numba_cuda.SIMULATED else operand
        self._kept.append(operand)
        return operand

    def add(self, made: Any, grid: tuple[Any, Any], operands: tuple[Any, ...]) -> None:
        """Record a launch."""
        held = self.hold(operands)
        if numba_cuda.SIMULATED:
            self._launches.append(lambda: made[grid](*held))
        else:
            made[(*grid, stream())](*held)

    def add_copy(self, to: Any, source: Any) -> None:
        """Record a copy from one array of the device to another."""
        to, source = self.hold((to, source))
        if numba_cuda.SIMULATED:
            self._launches.append(lambda: to.copy_to_device(source))
        else:
            to.copy_to_device(source, stream=stream())

    def replay(self) -> None:
        """Do what was recorded, on the stream of the backend."""
        if numba_cuda.SIMULATED:
            for launch in self._launches:
                launch()
        else:
            driver.launch(self._instance, _handle(driver.WAITING))


@functools.cache
def fault() -> str:
    """Return why steps cannot be recorded with the driver that is installed; nothing if they can."""
    if numba_cuda.SIMULATED:
        return ""
    try:
        with Graph(Pool(numba_cuda.memory)).record():
            pass
    except (DriverError, AttributeError, OSError) as problem:  # an old driver missing the call
        return str(problem)
    return ""
