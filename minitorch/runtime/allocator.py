"""A caching allocator: a freed block is kept and serves the next request of its size class.

A fresh block of the operating system costs a page fault for every page it is written to, often more than the loop that
fills it. Training asks for the same sizes in every step, so after the first step nearly every request finds a kept
block.

A request is rounded up to a size class: a multiple of an eighth of its power of two, at least of 512 bytes. So at most
one eighth of a block is wasted, and there are eight classes between two powers of two::

    1 MiB   1.125   1.25   1.375   1.5   1.625   1.75   1.875   2 MiB   2.25 ...

    take(size) --> kept blocks of the class --(none)--> allocate(size of the class)
                           ^                                     |
                           |                                     v
    give(block) <-- no reference left <-- Block <-- array, or a view of it

Taking and giving back cost one lock, a dictionary and a list operation each. A block is in use as long as an array on
it, or any view of such an array, is referenced: the array refers to its `Block` as the owner of its memory, and
``Block.__del__`` gives it back. A pool keeps at most ``limit`` bytes; beyond that blocks go back to the system.

The file depends on NumPy only. The CUDA backend adds a pool of device memory to `POOLS`. CuPy and PyTorch cache memory
in the same way.
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

POOL_LIMIT = 2 << 30  # bytes that a pool keeps
MIN_POOLED = 128 << 10  # bytes from which a request goes to a pool
_HUGE_PAGE = 2 << 20


def size_class(size: int) -> int:
    """Return ``size`` in bytes, rounded up to a multiple of an eighth of its power of two, at least of 512."""
    step = 1 << max(size.bit_length() - 4, 9)
    return (size + step - 1) // step * step


class Block:
    """A block in use; it goes back to its pool when nothing refers to it any more."""

    __slots__ = ("_pool", "raw", "size")

    def __init__(self, pool: Pool, size: int, raw: Any) -> None:
        self._pool, self.size, self.raw = pool, size, raw

    def __del__(self) -> None:
        self._pool.give(self.size, self.raw)


class Pool:
    """Kept blocks by size class.

    Args:
        allocate: Makes a block of so many bytes; it is freed when nothing refers to it.
        limit: The largest number of bytes that are kept.
    """

    def __init__(self, allocate: Callable[[int], Any], limit: int = POOL_LIMIT) -> None:
        self._allocate, self.limit = allocate, limit
        self._free: dict[int, list[Any]] = {}
        self._stats = dict.fromkeys(("used", "peak", "kept", "requests", "fresh"), 0)
        self._renew_lock()

    def _renew_lock(self) -> None:
        # Garbage collection may free a block in the middle of `take`: the lock must let its own thread in again.
        self._lock = threading.RLock()

    def take(self, size: int) -> Block:
        """Return a block of at least ``size`` bytes, with any content."""
        size = size_class(size)
        stats = self._stats
        with self._lock:
            free = self._free.get(size)
            raw = free.pop() if free else None
            stats["requests"] += 1
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
        """Free all kept blocks."""
        with self._lock:
            self._free.clear()
            self._stats["kept"] = 0

    def stats(self) -> dict[str, int]:
        """Return the state of the pool.

        Returns:
            Bytes in use now (``used``) and at most (``peak``), bytes ``kept``, and counts: blocks taken
            (``requests``), and those of them that were not kept ones (``fresh``).
        """
        with self._lock:
            return dict(self._stats)


class HostBlock:
    """A private mapping of the operating system, with huge pages where it has them."""

    __slots__ = ("address", "mapping")

    def __init__(self, size: int) -> None:
        if sys.platform == "win32":
            self.mapping = mmap.mmap(-1, size)
        else:
            # Private: after a fork, a write of the child must not change the memory of its parent.
            self.mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if sys.platform == "linux" and size >= _HUGE_PAGE:
            self.mapping.madvise(mmap.MADV_HUGEPAGE)
        self.address = np.frombuffer(self.mapping, np.uint8).ctypes.data


class _ArrayOwner:
    """The owner of an array's memory: the array and its views refer to it, and it refers to the block."""

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
    """Return a flat array of ``count`` elements on a block of the host, which is in use as long as the array."""
    return np.asarray(_ArrayOwner(block, count, dtype.str))


def empty(count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return a flat array of ``count`` elements with any content; a large one lies on a block of the host's pool."""
    size = count * dtype.itemsize
    if size < MIN_POOLED:
        return np.empty(count, dtype)
    return allocate_block(HOST.take(size), count, dtype)


def memory_stats(device: str = "cpu") -> dict[str, int]:
    """Return the state of the pool of ``device``, "cpu" or "cuda": see `Pool.stats`.

    Raises:
        ValueError: There is no such device.
    """
    if device not in POOLS:
        raise ValueError(f"memory_stats: unknown device {device!r}: expected one of {', '.join(POOLS)}")
    return POOLS[device].stats()


def empty_cache() -> None:
    """Free the kept blocks of all devices."""
    for pool in POOLS.values():
        pool.clear()
