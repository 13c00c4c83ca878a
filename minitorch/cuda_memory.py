"""Memory of the CUDA room: results lie on blocks of a pool, so that a training step asks the driver for nothing.

The driver's own allocation waits for the device; a block of the pool costs microseconds. All kernels run on one stream,
so a block that was given back can be handed out again at once. This file refuses to know kernels and tensors.
"""

from __future__ import annotations

import functools
import gc
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _cuda, memory
from ._cuda import cuda
from .tensor_data import BackendError

MOST_CELLS = 2**31 - 1  # that kernels can count


class DeviceMemory:
    """A pool of blocks on the device.

    Args:
        allocate: Makes a block of so many bytes, freed when nothing refers to it.
        free: Tells how many bytes the device has free.
        limit: Bytes that are kept for later at most; by default all.
    """

    def __init__(
        self, allocate: Callable[[int], Any], free: Callable[[], float], limit: int = 1 << 50
    ) -> None:
        self.pool, self._free = memory.Pool(allocate, limit), free

    def take(self, size: int) -> memory.Block:
        """Return a block of at least ``size`` bytes with any content.

        Where the device has no more, all blocks kept for later are freed, and it is asked once more.

        Raises:
            BackendError: It has no more even so; the message says how much was asked for, held and free.
        """
        for last in (False, True):
            try:
                return self.pool.take(size)
            except Exception as problem:
                if not _cuda.is_out_of_memory(problem):
                    raise
                if last:
                    raise BackendError(
                        f"out of device memory: asked for {_shown(size)}, minitorch holds "
                        f"{_shown(self.pool.stats()['used'])}, {_shown(self._free())} are free"
                    ) from problem
            # Results in a cycle of references hold blocks too.
            gc.collect()
            self.pool.clear()
        raise AssertionError("the second attempt returns or raises")


def _shown(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"


DEVICE = DeviceMemory(memory.HostBlock if _cuda.SIMULATED else _cuda.memory, _cuda.free_memory)
memory.POOLS["cuda"] = DEVICE.pool


@functools.cache
def ready() -> None:
    """Make sure, once, that kernels can be launched.

    Raises:
        BackendError: They cannot; the message says what is missing.
    """
    lacking = _cuda.look().lacks()
    if lacking:
        raise BackendError(
            f"the cuda backend needs an NVIDIA GPU with driver and CUDA toolkit, and {lacking}. "
            "Use backend 'fast', or set NUMBA_ENABLE_CUDASIM=1 to simulate a GPU"
        )
    # Small tensors are normal here, and Numba would warn of each.
    warnings.filterwarnings("ignore", "Grid size .* will likely result in GPU under-utilization")


def countable(shape: tuple[int, ...]) -> None:
    """Check that kernels can count the cells of ``shape``.

    Raises:
        BackendError: There are more than a number of 32 bits can say.
    """
    if math.prod(shape) > MOST_CELLS:
        raise BackendError(
            f"a tensor of shape {shape} has {math.prod(shape):,} cells: the cuda backend counts with 32 bits, "
            f"up to {MOST_CELLS:,}"
        )


def empty(size: int, dtype: np.dtype[Any]) -> Any:
    """Return a flat array of ``size`` cells on the device, with any content (nan in the simulator)."""
    ready()
    countable((size,))
    if size == 0:
        return cuda.device_array(0, dtype)
    block = DEVICE.take(size * dtype.itemsize)
    if _cuda.SIMULATED:
        return _cuda.simulated_array(memory.lend(block, size, dtype))
    return _cuda.array_on(block, size, dtype)


def storage(array: Any) -> Any:
    """Copy a flat NumPy array to the device; anything else is there already."""
    if not isinstance(array, np.ndarray):
        return array
    out = empty(array.size, array.dtype)
    if array.size:
        out.copy_to_device(np.ascontiguousarray(array))
    return out


def host(block: Any) -> npt.NDArray[Any]:
    """Return an array of the device as a NumPy array."""
    return block if isinstance(block, np.ndarray) else block.copy_to_host()
