"""The stream of the CUDA backend, and training steps that are captured on it and replayed without Python.

On a GPU a captured step is a CUDA graph: one call of the driver launches all its kernels. In the simulator it is a list
of launches. Addresses are constants of a graph, so their memory must stay: a step has a private pool for its results
(their blocks are reused inside the step, and by nobody else), and keeps all other arrays that it reads alive.

    eager, replay   BLOCKING stream       in order with the legacy default stream: other libraries need not synchronise
    capture         NON_BLOCKING stream   on the other one, work on the default stream would invalidate the capture

It depends on `driver`, `numba_cuda` and `runtime.step_graph` (what a recorded step keeps).
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from ...runtime import capture
from ...runtime.allocator import Pool
from ...runtime.step_graph import Recording, StepGraph
from . import driver, numba_cuda
from .driver import DriverError
from .numba_cuda import cuda

_state = Recording()


@functools.cache
def _handle(kind: int) -> int:
    return driver.new_stream(kind)


@functools.cache
def _wrapped(kind: int) -> Any:
    return cuda.stream() if numba_cuda.SIMULATED else cuda.external_stream(_handle(kind))


def stream() -> Any:
    """Return the stream of launches and copies, made at the first use."""
    return _wrapped(driver.BLOCKING if _state.captured is None else driver.NON_BLOCKING)


def current() -> Graph | None:
    """Return the step that this thread is capturing."""
    return _state.captured


def refreshed() -> Graph | None:
    """Return the step whose settings this thread is refreshing; nothing is computed meanwhile."""
    return _state.refreshed


def submit(made: Any, grid: tuple[Any, Any], operands: tuple[Any, ...]) -> None:
    """Launch a kernel, or record the launch in the step that is being captured."""
    graph = _state.captured
    if graph is None:
        made[(*grid, stream())](*operands)
    else:
        graph.add(made, grid, operands)


def allocating() -> Any:
    """Return a context in which memory may be allocated, also during a capture."""
    return nullcontext() if numba_cuda.SIMULATED or _state.captured is None else driver.relaxed()


class Graph(StepGraph):
    """A captured step; see `StepGraph`.

    Args:
        pool: The pool of its results, used by nobody else.
        upload: Copies a host array into one on the device.

    Attributes:
        uploads: Arrays on the device, and the numbers that are uploaded into them before the first replay.
    """

    def __init__(self, pool: Pool, upload: Callable[[Any, Any], None]) -> None:
        super().__init__(pool, _state)
        self.uploads: list[tuple[Any, Any]] = []
        self._upload = upload
        self._launches: list[Callable[[], Any]] = []
        self._instance = 0

    @contextmanager
    def record(self) -> Iterator[None]:
        """Capture the launches within the block; nothing is computed.

        Raises:
            DriverError: The driver cannot capture them.
        """
        with capture.record(self.actions, self.stepped), cuda.defer_cleanup():
            if not numba_cuda.SIMULATED:
                driver.begin(_handle(driver.NON_BLOCKING))
            _state.captured = self
            try:
                yield
            except BaseException:
                _state.captured = None
                if not numba_cuda.SIMULATED:
                    # The error that is being raised is the one to report.
                    with suppress(DriverError):
                        self._end()
                raise
            _state.captured = None
            if not numba_cuda.SIMULATED:
                self._end()
        for to, array in self.uploads:
            self._upload(to, array)
        self.uploads.clear()

    def _end(self) -> None:
        self._instance = driver.end(_handle(driver.NON_BLOCKING))
        # At the end of the process the driver frees it.
        weakref.finalize(self, driver.destroy, self._instance).atexit = False

    @staticmethod
    def is_array(operand: Any) -> bool:
        """See `StepGraph.is_array`."""
        return numba_cuda.is_array(operand)

    @staticmethod
    def address(array: Any) -> int:
        """See `StepGraph.address`."""
        return numba_cuda.address(array)

    @staticmethod
    def borrowed(array: Any) -> Any:
        """See `StepGraph.borrowed`; on a GPU the capture keeps addresses only."""
        return numba_cuda.borrowed(array) if numba_cuda.SIMULATED else array

    def add(self, made: Any, grid: tuple[Any, Any], operands: tuple[Any, ...]) -> None:
        """Record a launch."""
        held = self.hold(operands)
        if numba_cuda.SIMULATED:
            self._launches.append(lambda: made[grid](*held))
        else:
            made[(*grid, stream())](*held)

    def add_copy(self, target: Any, source: Any) -> None:
        """Record a copy from one array on the device to another."""
        target, source = self.hold((target, source))
        if numba_cuda.SIMULATED:
            self._launches.append(lambda: target.copy_to_device(source))
        else:
            target.copy_to_device(source, stream=stream())

    def replay(self) -> None:
        """Launch the captured step on the stream of the backend."""
        if numba_cuda.SIMULATED:
            for launch in self._launches:
                launch()
        else:
            driver.launch(self._instance, _handle(driver.BLOCKING))


@functools.cache
def capture_error() -> str:
    """Return why steps cannot be captured with the installed driver; an empty string if they can."""
    if numba_cuda.SIMULATED:
        return ""
    try:
        with Graph(Pool(numba_cuda.memory), lambda to, array: None).record():
            pass
    except (DriverError, AttributeError, OSError) as problem:  # an old driver lacks a function
        return str(problem)
    return ""
