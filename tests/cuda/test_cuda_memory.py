"""Memory of the CUDA backend, and what it says where memory, elements, driver or toolkit do not suffice."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import BackendError, CudaOps, tensor
from minitorch.cuda_ops.device import memory as device_memory
from minitorch.cuda_ops.device.memory import DeviceMemory
from minitorch.cuda_ops.device.numba_cuda import SIMULATED, Machine, is_out_of_memory
from minitorch.runtime import allocator

MODE = os.environ["MINITORCH_CUDA_TESTS"]
needs_cuda = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
MIB = 1 << 20


class Card:
    """A device with so many bytes, whose allocator refuses as the driver does."""

    def __init__(self, size: int) -> None:
        self.free, self.asked = size, 0

    def allocate(self, size: int) -> Any:
        self.asked += 1
        if size > self.free:
            raise MemoryError("CUDA_ERROR_OUT_OF_MEMORY")
        self.free -= size
        card = self

        class Raw:
            def __del__(self) -> None:
                card.free += size

        return Raw()


def test_a_block_comes_back_and_is_handed_out_again() -> None:
    card = Card(10 * MIB)
    device = DeviceMemory(card.allocate, lambda: card.free)
    block = device.take(MIB)
    raw = id(block.raw)
    del block
    assert id(device.take(MIB).raw) == raw
    assert card.asked == 1
    assert card.free == 9 * MIB


def test_out_of_memory_the_pool_is_emptied_and_one_retry_made() -> None:
    card = Card(10 * MIB)
    device = DeviceMemory(card.allocate, lambda: card.free)
    device.take(4 * MIB)
    assert card.free == 6 * MIB
    block = device.take(8 * MIB)
    assert card.asked == 3
    assert device.pool.stats()["kept"] == 0
    assert card.free == 2 * MIB
    del block


def test_out_of_memory_says_how_much_was_asked_held_and_free() -> None:
    card = Card(10 * MIB)
    device = DeviceMemory(card.allocate, lambda: card.free)
    held = [device.take(4 * MIB), device.take(4 * MIB)]
    with pytest.raises(
        BackendError, match=r"asked for 3\.0 MiB, minitorch holds 8\.0 MiB, 2\.0 MiB are free"
    ) as e:
        device.take(3 * MIB)
    assert isinstance(e.value.__cause__, MemoryError)
    assert card.asked == 4
    assert device.pool.stats()["used"] == 8 * MIB
    assert len(held) == 2
    del e


def test_results_in_a_cycle_of_references_are_freed_before_the_retry() -> None:
    card = Card(10 * MIB)
    device = DeviceMemory(card.allocate, lambda: card.free)
    cycle: list[Any] = [device.take(8 * MIB)]
    cycle.append(cycle)
    del cycle
    assert device.take(8 * MIB).size == 8 * MIB


def test_other_faults_of_the_allocator_are_not_hidden() -> None:
    def fail(size: int) -> Any:
        raise RuntimeError("CUDA_ERROR_ILLEGAL_ADDRESS")

    with pytest.raises(RuntimeError, match="ILLEGAL_ADDRESS"):
        DeviceMemory(fail, lambda: 0.0).take(1)


@needs_cuda
def test_the_drivers_own_number_of_that_fault() -> None:
    from numba.cuda.cudadrv.driver import CudaAPIError

    for code, expected in ((2, True), (700, False)):
        problem = CudaAPIError(code, "told by the driver")
        problem.code = code
        assert is_out_of_memory(problem) is expected


def test_blocks_never_overlap() -> None:
    addresses: dict[int, int] = {}
    device = DeviceMemory(lambda size: bytearray(size), lambda: 0.0, limit=1 << 20)
    draw, held = random.Random(5), []
    for _ in range(2000):
        if held and draw.random() < 0.5:
            block = held.pop(draw.randrange(len(held)))
            del addresses[id(block.raw)]
            del block
        else:
            block = device.take(draw.randrange(1, 5000))
            assert id(block.raw) not in addresses
            addresses[id(block.raw)] = block.size
            held.append(block)
    assert device.pool.stats()["used"] == sum(addresses.values())


@needs_cuda
def test_results_of_the_backend_come_from_the_pool() -> None:
    t = tensor(np.arange(1000.0), "cuda")
    part, view = t[10:20], t._tensor._storage[5:]
    gc.collect()
    before = minitorch.memory_stats("cuda")["used"]
    del t
    assert minitorch.memory_stats("cuda")["used"] == before, "a view keeps its block"
    del view
    gc.collect()
    after = minitorch.memory_stats("cuda")
    assert after["used"] <= before - 8000
    assert part.to_numpy().tolist() == list(np.arange(10.0, 20))
    fresh = after["fresh"]
    for _ in range(5):
        tensor(np.arange(1000.0), "cuda")
    assert minitorch.memory_stats("cuda")["fresh"] == fresh
    minitorch.empty_cache()
    assert minitorch.memory_stats("cuda")["kept"] == 0


@needs_cuda
def test_a_training_step_makes_no_fresh_blocks_once_warm() -> None:
    w = minitorch.Parameter(tensor(np.ones((4, 3)), "cuda"))
    optimizer = minitorch.SGD([w], lr=0.1)

    def step() -> None:
        ((tensor(np.ones((2, 4)), "cuda") @ w.value).relu()).sum().backward()
        optimizer.step()

    for _ in range(3):
        step()
    gc.collect()
    fresh = minitorch.memory_stats("cuda")["fresh"]
    for _ in range(5):
        step()
    assert minitorch.memory_stats("cuda")["fresh"] == fresh


@pytest.mark.skipif(not SIMULATED, reason="the simulator fills results with nan")
def test_in_the_simulator_a_reused_block_holds_nothing_to_be_read_by_mistake() -> None:
    dtype = np.dtype(np.float32)
    first = device_memory.empty(100, dtype)
    first.copy_to_device(np.ones(100, dtype))
    del first
    assert np.isnan(device_memory.empty(100, dtype).copy_to_host()).all()


def test_an_unknown_device_has_no_statistics() -> None:
    assert set(allocator.POOLS) == {"cpu", "cuda"}
    with pytest.raises(ValueError, match=r"'tpu'.*cpu, cuda"):
        minitorch.memory_stats("tpu")


@needs_cuda
def test_more_elements_than_32_bits_can_count() -> None:
    with pytest.raises(BackendError, match=r"\(65536, 32768\) has 2,147,483,648 elements.*2,147,483,647"):
        minitorch.zeros((65_536, 1), "cuda") + minitorch.zeros((1, 32_768), "cuda")
    with pytest.raises(BackendError, match="32 bits"):
        CudaOps.storage(np.broadcast_to(np.float32(0), (2**31,)))
    with pytest.raises(BackendError, match="32 bits"):
        CudaOps.allocate((2**16, 2**16), np.dtype(np.float32), minitorch.CudaBackend)


READY = Machine(driver=(13, 0), devices=1, toolkit=(13, 1), usable=True)
LACKING: list[tuple[Machine, str]] = [
    (Machine(numba_cuda=False), r"numba.cuda is not installed: pip install 'minitorch\[cuda\]'"),
    (Machine(), r"no NVIDIA driver \(\S+ is not found\)"),
    (Machine(driver=(13, 0), driver_error=100), "finds no GPU; it answered with error 100"),
    (Machine(driver=(13, 0)), r"finds no GPU\. Use"),
    (
        Machine(driver=(12, 4), devices=1, toolkit=(13, 0), usable=True),
        r"too old: it knows CUDA 12\.4, and the toolkit is 13\.0; update the driver, .*numba-cuda\[cu12\]",
    ),
    (Machine(driver=(13, 0), devices=1), r"no CUDA toolkit: pip install 'minitorch\[cuda\]'"),
]


@pytest.mark.parametrize(("machine", "told"), LACKING)
def test_what_is_missing_is_said_in_one_line(
    machine: Machine, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_memory.numba_cuda, "detect", lambda: machine)
    device_memory.ready.cache_clear()
    try:
        with pytest.raises(BackendError, match=told) as caught:
            CudaOps.empty(1, np.dtype(np.float64))
        assert "\n" not in str(caught.value)
        assert "'fast'" in str(caught.value)
    finally:
        device_memory.ready.cache_clear()


def test_a_driver_of_the_same_generation_or_a_newer_one_will_do() -> None:
    assert READY.missing() == ""
    assert Machine(driver=(14, 0), devices=2, toolkit=(13, 0), usable=True).missing() == ""


def test_the_benchmark_without_a_gpu_says_so_in_one_line() -> None:
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.py"
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "benchmarks/gpu.py: not run, the simulator is on\n"


def test_no_script_hides_the_package_that_numba_cuda_needs() -> None:
    # What lies beside a script that is run is found first, and numba-cuda imports a package of this name.
    root = Path(__file__).resolve().parents[2]
    assert [
        str(root / folder / name)
        for folder in ("benchmarks", "project", "scripts", "tests/support")
        for name in ("cuda", "cuda.py")
        if (root / folder / name).exists()
    ] == []


MIXTURES: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: b * a,
    lambda a, b: a @ b,
    lambda a, b: minitorch.conv2d(a.view(1, 1, 2, 2), b.view(1, 1, 2, 2)),
]


@needs_cuda
@pytest.mark.parametrize("mix", MIXTURES)
@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_tensors_of_two_backends_do_not_mix(mix: Callable[[Any, Any], Any], backend: str) -> None:
    a, b = tensor([[1.0, 2.0], [3.0, 4.0]], "cuda"), tensor([[1.0, 2.0], [3.0, 4.0]], backend)
    with pytest.raises(BackendError) as caught:
        mix(a, b)
    line = str(caught.value)
    assert "'cuda'" in line
    assert repr(backend) in line
    assert "t.to(" in line
    assert np.array_equal(mix(a, b.to("cuda")).to_numpy(), mix(a.to(backend), b).to_numpy())
