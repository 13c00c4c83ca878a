"""Calls of the CUDA driver that numba.cuda does not offer: streams of its own kinds, and CUDA graphs.

They go through ctypes to the driver's library. Streams, graphs and instances of graphs are plain integers here, the
driver's handles. `graph` is the only user.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...runtime.step_graph import RecordingError
from .numba_cuda import DRIVER, cuda

# Kinds of streams (CU_STREAM_DEFAULT, CU_STREAM_NON_BLOCKING): the first waits for the legacy default stream and the
# other way round, the second does not.
BLOCKING, NON_BLOCKING = 0, 1
# Modes of a capture: unsafe calls are forbidden to this thread (THREAD_LOCAL), or to nobody (RELAXED).
THREAD_LOCAL, RELAXED = 1, 2


class DriverError(RecordingError):
    """A call of the driver failed; the message has its name and the number of the error."""


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(DRIVER)


def _call(name: str, *arguments: Any) -> None:
    cuda.current_context()  # makes the context current in this thread
    code = getattr(_library(), name)(*arguments)
    if code:
        raise DriverError(f"{name} answered with error {code}")


def new_stream(kind: int) -> int:
    """Return a stream of ``kind`` BLOCKING or NON_BLOCKING; it lives as long as the process."""
    made = ctypes.c_void_p()
    _call("cuStreamCreate", ctypes.byref(made), ctypes.c_uint(kind))
    return int(made.value or 0)


def begin(stream: int) -> None:
    """Begin a capture: work given to ``stream`` is recorded from now on, and not done."""
    _call("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), ctypes.c_int(THREAD_LOCAL))


def end(stream: int) -> int:
    """End a capture, and return an instance of the graph that can be launched.

    Raises:
        DriverError: Something was done in between that cannot be captured.
    """
    graph, instance = ctypes.c_void_p(), ctypes.c_void_p()
    _call("cuStreamEndCapture", ctypes.c_void_p(stream), ctypes.byref(graph))
    try:
        _call("cuGraphInstantiateWithFlags", ctypes.byref(instance), graph, ctypes.c_ulonglong(0))
    finally:
        _call("cuGraphDestroy", graph)
    return int(instance.value or 0)


def launch(instance: int, stream: int) -> None:
    """Launch a graph on a stream."""
    _call("cuGraphLaunch", ctypes.c_void_p(instance), ctypes.c_void_p(stream))


def destroy(instance: int) -> None:
    """Free an instance of a graph."""
    _call("cuGraphExecDestroy", ctypes.c_void_p(instance))


@contextmanager
def relaxed() -> Iterator[None]:
    """Let this thread allocate memory within the block, during a capture."""
    mode = ctypes.c_int(RELAXED)
    _call("cuThreadExchangeStreamCaptureMode", ctypes.byref(mode))
    try:
        yield
    finally:
        _call("cuThreadExchangeStreamCaptureMode", ctypes.byref(mode))
