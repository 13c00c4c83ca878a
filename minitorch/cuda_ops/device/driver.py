"""Calls of the CUDA driver that numba.cuda does not offer: streams of one's own, and graphs.

Streams, graphs and their instances are plain integers here, the driver's own.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .numba_cuda import DRIVER, cuda

WAITING, PADDING = 0, 1  # kinds of streams: one waits for the default stream and the other way round
THREAD_LOCAL, RELAXED = (
    1,
    2,
)  # while a graph is recorded: what this thread must not do, and nothing of that kind


class DriverError(RuntimeError):
    """The driver refused."""


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(DRIVER)


def _call(name: str, *operands: Any) -> None:
    cuda.current_context()  # of this thread
    code = getattr(_library(), name)(*operands)
    if code:
        raise DriverError(f"{name} answered with error {code}")


def new_stream(kind: int) -> int:
    """Return a stream of the `kind` WAITING or PADDING; it lives as long as the process."""
    made = ctypes.c_void_p()
    _call("cuStreamCreate", ctypes.byref(made), ctypes.c_uint(kind))
    return int(made.value or 0)


def begin(stream: int) -> None:
    """Record from now on what is asked of a stream, instead of doing it."""
    _call("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), ctypes.c_int(THREAD_LOCAL))


def end(stream: int) -> int:
    """Return what was recorded as an instance that can be launched.

    Raises:
        DriverError: Something was asked for in between that cannot be recorded.
    """
    graph, instance = ctypes.c_void_p(), ctypes.c_void_p()
    _call("cuStreamEndCapture", ctypes.c_void_p(stream), ctypes.byref(graph))
    try:
        _call("cuGraphInstantiateWithFlags", ctypes.byref(instance), graph, ctypes.c_ulonglong(0))
    finally:
        _call("cuGraphDestroy", graph)
    return int(instance.value or 0)


def launch(instance: int, stream: int) -> None:
    """Do on a stream what was recorded."""
    _call("cuGraphLaunch", ctypes.c_void_p(instance), ctypes.c_void_p(stream))


def destroy(instance: int) -> None:
    """Forget what was recorded."""
    _call("cuGraphExecDestroy", ctypes.c_void_p(instance))


@contextmanager
def relaxed() -> Iterator[None]:
    """Let this thread allocate memory within the block although it is recording."""
    mode = ctypes.c_int(RELAXED)
    _call("cuThreadExchangeStreamCaptureMode", ctypes.byref(mode))
    try:
        yield
    finally:
        _call("cuThreadExchangeStreamCaptureMode", ctypes.byref(mode))
