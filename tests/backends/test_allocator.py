"""The pool of blocks: what is handed out, when it comes back, what is kept."""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.runtime import allocator
from minitorch.runtime.allocator import Pool, size_class


def bytes_pool(limit: int = 1 << 20) -> Pool:
    return Pool(bytearray, limit)


def test_a_block_comes_back_when_it_is_forgotten() -> None:
    pool = bytes_pool()
    block = pool.take(5000)
    raw = block.raw
    assert len(raw) >= 5000
    assert pool.stats() == {"used": 5120, "peak": 5120, "kept": 0, "requests": 1, "fresh": 1}
    del block
    assert pool.stats()["kept"] == 5120
    assert pool.take(5100).raw is raw


@pytest.mark.parametrize("size", [1, 511, 512, 513, 5000, 65_536, 65_537, 10**6, 2**31 + 1])
def test_size_classes_waste_an_eighth_at_most(size: int) -> None:
    found = size_class(size)
    assert size <= found <= max(size * 9 / 8, size + 512)
    assert size_class(found) == found


def test_no_more_is_kept_than_the_limit() -> None:
    pool = bytes_pool(limit=10_000)
    blocks = [pool.take(4096) for _ in range(5)]
    del blocks
    assert pool.stats()["kept"] == 8192
    pool.clear()
    assert pool.stats()["kept"] == 0


def test_what_cannot_be_allocated_is_not_counted() -> None:
    def refuse(size: int) -> Any:
        raise MemoryError

    pool = Pool(refuse)
    with pytest.raises(MemoryError):
        pool.take(1)
    assert pool.stats()["used"] == 0


def test_a_view_of_a_view_keeps_its_block() -> None:
    elements = allocator.empty(100_000, np.dtype(np.float32))
    elements[:] = 7
    view = elements.reshape(100, 1000)[3:].T[5:]
    del elements
    others = [allocator.empty(100_000, np.dtype(np.float32)) for _ in range(3)]
    for other in others:
        other[:] = 0
    assert (view == 7).all()


def test_tensors_share_blocks_over_time() -> None:
    a = minitorch.rand((300, 300), "fast", dtype="float32")
    del_after = a + a
    del del_after
    gc.collect()
    before = minitorch.memory_stats()
    for _ in range(20):
        a + a
    after = minitorch.memory_stats()
    assert after["requests"] - before["requests"] == 20
    assert after["fresh"] == before["fresh"]
    minitorch.empty_cache()
    assert minitorch.memory_stats()["kept"] == 0


def test_threads_never_share_a_block() -> None:
    pool, seen, lock = bytes_pool(), set(), threading.Lock()
    failures = []

    def work() -> None:
        for _ in range(300):
            block = pool.take(5000)
            with lock:
                if id(block.raw) in seen:
                    failures.append(block)
                seen.add(id(block.raw))
            with lock:
                seen.discard(id(block.raw))
            del block

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert pool.stats()["used"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_keeps_its_results_to_itself() -> None:
    elements = allocator.empty(100_000, np.dtype(np.float32))
    elements[:] = 1
    with allocator.HOST._lock:  # as if another thread were in the middle of `take`
        child = os.fork()
        if child == 0:
            elements[:] = 2
            allocator.empty(100_000, np.dtype(np.float32))[:] = 3
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert (elements == 1).all()
