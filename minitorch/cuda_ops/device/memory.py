"""Memory of the CUDA backend: results lie on blocks of a pool, so that a training step asks the driver for nothing.

The driver's own allocation waits for the device; a block of the pool costs microseconds. All kernels run on one stream,
so a block that was given back can be handed out again at once.
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

from ...runtime import allocator
from ...runtime.capture import repeat, require_readable
from ...tensor_data import BackendError
from . import graph as device_graph
from . import numba_cuda
from .numba_cuda import cuda
from .upload import PinnedUpload

MOST_CONSTANTS = 256  # that wait to be used again
MOST_ELEMENTS = 2**31 - 1  # that kernels can count


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
        self.pool, self._free, self._allocate = allocator.Pool(allocate, limit), free, allocate

    def private(self) -> allocator.Pool:
        """Return another pool on the same memory, whose blocks are never mixed with those of this one."""
        return allocator.Pool(self._allocate, 1 << 50)

    def take(self, size: int, pool: allocator.Pool | None = None) -> allocator.Block:
        """Return a block of at least ``size`` bytes with any content, from this pool or a private one.

        Where the device has no more, all blocks kept for later are freed, and it is asked once more.

        Raises:
            BackendError: It has no more even so; the message says how much was asked for, held and free.
        """
        for last in (False, True):
            try:
                return (pool or self.pool).take(size)
            except Exception as problem:
                if not numba_cuda.is_out_of_memory(problem):
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


def _fresh(size: int) -> Any:
    with device_graph.allocating():
        return allocator.HostBlock(size) if numba_cuda.SIMULATED else numba_cuda.memory(size)


DEVICE = DeviceMemory(_fresh, numba_cuda.free_memory)
UPLOADS = PinnedUpload()
allocator.POOLS["cuda"] = DEVICE.pool


_SEPARATE = DEVICE.private()
_constants: dict[Any, Any] = {}


@functools.cache
def ready() -> None:
    """Make sure, once, that kernels can be launched.

    Raises:
        BackendError: They cannot; the message says what is missing.
    """
    lacking = numba_cuda.detect().missing()
    if lacking:
        raise BackendError(
            f"the cuda backend needs an NVIDIA GPU with driver and CUDA toolkit, and {lacking}. "
            "Use backend 'fast', or set NUMBA_ENABLE_CUDASIM=1 to simulate a GPU"
        )
    # Small tensors are normal here, and Numba would warn of each.
    warnings.filterwarnings("ignore", "Grid size .* will likely result in GPU under-utilization")


def countable(shape: tuple[int, ...]) -> None:
    """Check that kernels can count the elements of ``shape``.

    Raises:
        BackendError: There are more than a number of 32 bits can say.
    """
    if math.prod(shape) > MOST_ELEMENTS:
        raise BackendError(
            f"a tensor of shape {shape} has {math.prod(shape):,} elements: the cuda backend counts with 32 bits, "
            f"up to {MOST_ELEMENTS:,}"
        )


def empty(size: int, dtype: np.dtype[Any]) -> Any:
    """Return a flat array of ``size`` elements on the device, with any content (nan in the simulator)."""
    graph = device_graph.current()
    if graph is None:
        return _on_block(size, dtype, None)
    out = _on_block(size, dtype, graph.pool)
    if size:
        graph.own(out)
    return out


def _on_block(size: int, dtype: np.dtype[Any], pool: allocator.Pool | None) -> Any:
    ready()
    countable((size,))
    if size == 0:
        return cuda.device_array(0, dtype)
    block = DEVICE.take(size * dtype.itemsize, pool)
    if numba_cuda.SIMULATED:
        return numba_cuda.simulated_array(allocator.allocate_block(block, size, dtype))
    return numba_cuda.array_on(block, size, dtype)


def storage(array: Any) -> Any:
    """Copy a flat NumPy array to the device; anything else is there already.

    In a step that is being recorded the numbers are those of now: they go up once, and at each replay a copy of them is
    made in its place, since what comes later in the step may overwrite it.
    """
    if not isinstance(array, np.ndarray):
        return array
    graph = device_graph.current()
    out = empty(array.size, array.dtype)
    if graph is None:
        upload(out, array)
    elif array.size:
        graph.add_copy(out, _kept(graph, array))
    return out


def upload(to: Any, array: npt.NDArray[Any]) -> None:
    """Copy an array of the host into one of the device, without waiting for it."""
    UPLOADS.upload(to, array, device_graph.stream())


def _kept(graph: device_graph.Graph, array: npt.NDArray[Any]) -> Any:
    """Return an array of the device that is there as long as the recorded step, with these numbers at first."""
    out = _on_block(array.size, array.dtype, None)
    graph.uploads.append((out, array.copy()))
    return out


def constant(array: npt.NDArray[Any]) -> Any:
    """Return a small array on the device that nobody writes to; equal ones are uploaded once."""
    graph = device_graph.current()
    if graph is not None:
        return _kept(graph, array).reshape(array.shape)
    key = (array.dtype.str, array.shape, array.tobytes())
    found = _constants.pop(key, None)
    if found is None:
        # On blocks apart: else results of the next step lie elsewhere, and what holds addresses changes once more.
        found = _on_block(array.size, array.dtype, _SEPARATE)
        upload(found, array)
        found = found.reshape(array.shape)
    _constants[key] = found  # the last one is the latest used
    while len(_constants) > MOST_CONSTANTS:
        del _constants[next(iter(_constants))]
    return found


def live(make: Callable[[], npt.NDArray[Any]]) -> Any:
    """Return a flat array on the device filled by ``make()``, which nobody writes to.

    In a step that is being recorded ``make`` is called again before each replay, and its result uploaded: so kernels
    take what changes from step to step (a key of random numbers, a mask drawn on the host).
    """
    if device_graph.current() is None:
        return storage(make())
    kept: list[Any] = []

    def fill() -> None:
        graph, array = device_graph.current(), make()
        if graph is None:
            upload(kept[0], array)
        else:
            kept.append(_kept(graph, array))

    repeat(fill)
    return kept[0]


def host(block: Any) -> npt.NDArray[Any]:
    """Return an array of the device as a NumPy array.

    Raises:
        RuntimeError: A step is being recorded, in which nothing is computed.
    """
    if isinstance(block, np.ndarray):
        return block
    require_readable()
    return block.copy_to_host()
