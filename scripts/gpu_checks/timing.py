"""Times on the device, and what the card can do at most."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .internals import SIMULATED, cuda

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "benchmarks"))

import gpu

# Lanes for float32 in a multiprocessor, by compute capability: two FLOPs each per cycle (CUDA programming guide).
LANES = {
    (7, 0): 64,
    (7, 5): 64,
    (8, 0): 64,
    (8, 6): 128,
    (8, 9): 128,
    (9, 0): 128,
    (10, 0): 128,
    (12, 0): 128,
}


def device_ms(fn: Callable[[], Any], repeat: int = 20, warm: int = 3) -> float:
    """Return the median time of ``fn`` between two events; in the simulator, of one call by the host's clock."""
    if SIMULATED:
        start = time.perf_counter()
        fn()
        return 1e3 * (time.perf_counter() - start)
    return gpu.device_ms(fn, repeat, warm)


def host_us(fn: Callable[[], Any], count: int) -> float:
    """Return what one call costs the host, in microseconds, while the device keeps up."""
    fn()
    cuda.synchronize()
    start = time.perf_counter()
    for _ in range(count):
        fn()
    spent = time.perf_counter() - start
    cuda.synchronize()
    return 1e6 * spent / count


def peak_flops() -> float:
    """Return the float32 operations per second of the card at its highest clock; nan if it is not known."""
    if SIMULATED:
        return float("nan")
    device = cuda.get_current_device()
    lanes = LANES.get(tuple(device.compute_capability))
    return float("nan") if lanes is None else 2e3 * lanes * device.MULTIPROCESSOR_COUNT * device.CLOCK_RATE
