"""Uploads without a wait: arrays of the host go to the device through pinned buffers.

Pinned memory can be read by the device itself, so the copy happens later, in the order of the stream, while Python goes
on. The numbers are first copied into a buffer, and an event is recorded behind the device's copy. A buffer is used
again only when its event says that the copy is done::

    array  --memcpy-->  buffer k  --stream: copy, then event k-->  device
    the next upload takes buffer k + 1, after waiting for the event of its last copy

It depends on `numba_cuda`; `memory` has the only instance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import numba_cuda

SMALL = 64 << 10  # bytes of a small upload
SMALL_BUFFERS, LARGE_BUFFERS = 16, 2  # buffers of one size
MAX_BUFFER = 64 << 20  # bytes; larger arrays are copied at once, and waited for


class PinnedUpload:
    """Pinned buffers of the host by size, used in turn.

    Args:
        pinned: Returns a pinned buffer of so many bytes.
        event: Returns an event.
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

    def upload(self, target: Any, array: npt.NDArray[Any], stream: Any) -> None:
        """Copy a host array into ``target`` on the device, of as many elements, behind all work of the stream."""
        if not array.nbytes:
            return
        flat = np.ascontiguousarray(array).reshape(-1)
        if array.nbytes > MAX_BUFFER:
            target.copy_to_device(flat)  # waits
            return
        with self._lock:
            buffer, event = self._buffer(array.nbytes)
            elements = buffer[: array.nbytes].view(array.dtype)
            elements[...] = flat
            target.copy_to_device(elements, stream=stream)
            event.record(stream)

    def _buffer(self, size: int) -> tuple[npt.NDArray[np.uint8], Any]:
        """Return a buffer that no copy reads any more, and the event to record behind the next copy."""
        size = 1 << max(size - 1, 511).bit_length()
        slots, turn = self._slots.setdefault(size, []), self._turns.get(size, 0)
        if len(slots) < (SMALL_BUFFERS if size <= SMALL else LARGE_BUFFERS):
            slots.append((self._pinned(size), self._event()))
            return slots[-1]
        self._turns[size] = (turn + 1) % len(slots)
        slots[turn][1].synchronize()
        return slots[turn]
