"""Uploads that nobody waits for: arrays of the host go to the device through buffers that it reads by itself.

The copy happens later, while Python goes on: so the numbers are first copied into a buffer, which is used again only
when the event behind its copy says that it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import numba_cuda

SMALL = 64 << 10  # bytes up to which there are many buffers
MANY, FEW = 16, 2  # buffers of one size
MOST = 64 << 20  # bytes of the largest buffer


class PinnedUpload:
    """Buffers of the host, by size, each used again in turn.

    Args:
        pinned: Makes a buffer of so many bytes.
        event: Makes an event.
    """

    def __init__(
        self,
        pinned: Callable[[int], npt.NDArray[np.uint8]] = numba_cuda.pinned,
        event: Callable[[], Any] = numba_cuda.event,
    ) -> None:
        self._pinned, self._event = pinned, event
        self._slots: dict[int, list[tuple[npt.NDArray[np.uint8], Any]]] = {}
        self._turns: dict[int, int] = {}
        self._lock = threading.Lock()

    def upload(self, to: Any, array: npt.NDArray[Any], stream: Any) -> None:
        """Copy an array of the host into one of the device, of as many elements, after all that the stream has to do."""
        if not array.nbytes:
            return
        flat = np.ascontiguousarray(array).reshape(-1)
        if array.nbytes > MOST:
            to.copy_to_device(flat)  # waits
            return
        with self._lock:
            buffer, event = self._buffer(array.nbytes)
            elements = buffer[: array.nbytes].view(array.dtype)
            elements[...] = flat
            to.copy_to_device(elements, stream=stream)
            event.record(stream)

    def _buffer(self, size: int) -> tuple[npt.NDArray[np.uint8], Any]:
        """Return a buffer that no copy reads any more, and the event to record behind the next one."""
        size = 1 << max(size - 1, 511).bit_length()
        slots, turn = self._slots.setdefault(size, []), self._turns.get(size, 0)
        if len(slots) < (MANY if size <= SMALL else FEW):
            slots.append((self._pinned(size), self._event()))
            return slots[-1]
        self._turns[size] = (turn + 1) % len(slots)
        slots[turn][1].synchronize()
        return slots[turn]
