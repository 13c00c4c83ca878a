"""Hands out blocks of memory and takes them back: a result of a size that was needed before costs no fresh pages.

A block goes back to its pool when nothing refers to it any more: an array, or any view of a view of it. This file
refuses to know what lies in a block and which backend asks.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

LIMIT = 2 << 30  # bytes that a pool keeps for later
LEAST = 128 << 10  # bytes from which a block is worth a pool
_HUGE = 2 << 20


def size_class(size: int) -> int:
    """Return ``size`` rounded up to a multiple of an eighth of its power of two, so that like sizes share blocks."""
    step = 1 << max(size.bit_length() - 4, 9)
    return (size + step - 1) // step * step


class Block:
    """A block on loan; it goes back when it is forgotten."""

    __slots__ = ("_pool", "raw", "size")

    def __init__(self, pool: Pool, size: int, raw: Any) -> None:
        self._pool, self.size, self.raw = pool, size, raw

    def __del__(self) -> None:
        self._pool.give(self.size, self.raw)


class Pool:
    """Free blocks by size class.

    Args:
        allocate: Makes a block of so many bytes; it is freed when nothing refers to it.
        limit: Bytes that are kept for later at most.
    """

    def __init__(self, allocate: Callable[[int], Any], limit: int = LIMIT) -> None:
        self._allocate, self.limit = allocate, limit
        self._free: dict[int, list[Any]] = {}
        self._stats = dict.fromkeys(("used", "peak", "kept", "loans", "fresh"), 0)
        self._renew_lock()

    def _renew_lock(self) -> None:
        # A block may be forgotten by a garbage collection in the middle of `take`: the lock must let its own thread in.
        self._lock = threading.RLock()

    def take(self, size: int) -> Block:
        """Return a block of at least ``size`` bytes with any content."""
        size = size_class(size)
        stats = self._stats
        with self._lock:
            free = self._free.get(size)
            raw = free.pop() if free else None
            stats["loans"] += 1
            stats["used"] += size
            stats["peak"] = max(stats["peak"], stats["used"])
            if raw is None:
                stats["fresh"] += 1
            else:
                stats["kept"] -= size
        if raw is None:
            try:
                raw = self._allocate(size)
            except BaseException:
                with self._lock:
                    stats["used"] -= size
                raise
        return Block(self, size, raw)

    def give(self, size: int, raw: Any) -> None:
        """Take a block back, and keep it unless the limit is reached."""
        with self._lock:
            self._stats["used"] -= size
            if self._stats["kept"] + size <= self.limit:
                self._stats["kept"] += size
                self._free.setdefault(size, []).append(raw)

    def clear(self) -> None:
        """Free all blocks that are not on loan."""
        with self._lock:
            self._free.clear()
            self._stats["kept"] = 0

    def stats(self) -> dict[str, int]:
        """Return bytes on loan now (``used``) and at most (``peak``), bytes ``kept``, ``loans``, ``fresh`` blocks."""
        with self._lock:
            return dict(self._stats)


class HostBlock:
    """A private mapping of the operating system, with large pages where it has them."""

    __slots__ = ("address", "mapping")

    def __init__(self, size: int) -> None:
        if sys.platform == "win32":
            self.mapping = mmap.mmap(-1, size)
        else:
            # Private: after a fork, a child's results must not show up in its parent.
            self.mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if sys.platform == "linux" and size >= _HUGE:
            self.mapping.madvise(mmap.MADV_HUGEPAGE)
        self.address = np.frombuffer(self.mapping, np.uint8).ctypes.data


class _Lender:
    """What NumPy sees of a block; every view of the array refers to it, so the block stays on loan."""

    __slots__ = ("__array_interface__", "_block")

    def __init__(self, block: Block, count: int, kind: str) -> None:
        self._block = block
        self.__array_interface__ = {
            "data": (block.raw.address, False), "shape": (count,), "typestr": kind, "version": 3,
        }  # fmt: skip


HOST = Pool(HostBlock)
POOLS = {"cpu": HOST}  # by device; a backend with memory of its own adds its pool
if sys.platform != "win32":
    # Another thread may have held the lock at the moment of the fork.
    os.register_at_fork(after_in_child=HOST._renew_lock)


def allocate_block(block: Block, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return a flat array of ``count`` elements on a block of the host, which stays on loan as long as any view of it."""
    return np.asarray(_Lender(block, count, dtype.str))


def empty(count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return a flat array of ``count`` elements with any content, on a block of the pool if it is large."""
    size = count * dtype.itemsize
    if size < LEAST:
        return np.empty(count, dtype)
    return allocate_block(HOST.take(size), count, dtype)


def memory_stats(device: str = "cpu") -> dict[str, int]:
    """Return what the pool of results on ``device`` ("cpu" or "cuda") holds: see `Pool.stats`; all sizes are in bytes.

    Raises:
        ValueError: There is no such device.
    """
    if device not in POOLS:
        raise ValueError(f"unknown device {device!r}: expected one of {', '.join(POOLS)}")
    return POOLS[device].stats()


def empty_cache() -> None:
    """Give memory that is kept for later results back, on all devices."""
    for pool in POOLS.values():
        pool.clear()
