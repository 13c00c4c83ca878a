"""Memory of the GPU shared with other libraries through DLPack, without a copy and without a wait of the host.

Kernels run on the legacy default stream. A receiver names the stream that it will read on: where that is another one,
it is made to wait for the kernels launched so far. A giver is told to make the legacy default stream wait for its own.
Nothing orders what happens later, and the memory of a block that was let go of is used again by the next kernel: who
reads on another stream synchronises before letting go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...runtime import dlpack
from ...runtime.types import Shape
from ...tensor_data import FLOATS, BackendError
from . import memory, numba_cuda

LEGACY, PER_THREAD = 1, 2  # what the standard calls the default streams; larger numbers are handles of others
NO_WAIT = -1


def place(storage: Any) -> dlpack.Place:
    """Return the device of an array, as the standard numbers it.

    Raises:
        BufferError: It is in the simulator.
    """
    _address(storage)
    return dlpack.CUDA, numba_cuda.device_number()


def _address(storage: Any) -> int:
    try:
        interface = storage.__cuda_array_interface__
    except AttributeError:
        raise BufferError(
            "the simulator has no memory of a GPU to share: move the tensor with t.to('fast')"
        ) from None
    return int(interface["data"][0])


def capsule(storage: Any, shape: Shape, steps: Shape, dtype: np.dtype[Any], stream: Any) -> Any:
    """Return a capsule on an array, which lives until the receiver lets go of it.

    Args:
        storage: A flat array on the device.
        shape: How it is read.
        steps: Its strides, in numbers.
        dtype: Its numbers.
        stream: What the receiver reads on: a default stream or a handle. None is the legacy default stream, and -1
            asks for no waiting.

    Raises:
        ValueError: There is no such stream.
        BufferError: The array is in the simulator.
    """
    if stream is not None and (not isinstance(stream, int) or (stream < LEGACY and stream != NO_WAIT)):
        raise ValueError(
            f"stream is None, -1, {LEGACY}, {PER_THREAD} or the handle of a CUDA stream, not {stream!r}"
        )
    made = dlpack.capsule_at(_address(storage), place(storage), shape, steps, dtype.itemsize, storage)
    if stream not in (None, NO_WAIT, LEGACY):
        numba_cuda.make_wait(stream)
    return made


def adopt(x: Any) -> tuple[Any, Shape, Shape]:
    """Return the memory of ``x``, an array of another library on the GPU, as a flat array, and its shape and strides.

    Raises:
        TypeError: Its numbers are neither float64 nor float32.
        ValueError: Its elements lie backwards in memory.
        BackendError: It is on another GPU than the one in use; or it is too large; or this is the simulator.
    """
    if numba_cuda.SIMULATED:
        raise BackendError("the simulator cannot read the memory of a GPU")
    memory.ready()
    taken, here = dlpack.Imported(x.__dlpack__(stream=LEGACY)), (dlpack.CUDA, numba_cuda.device_number())
    if taken.place != here:
        raise BackendError(f"the array is on device {taken.place}, and the cuda backend computes on {here}")
    found = [dtype for dtype in FLOATS if dtype.name == taken.dtype]
    if not found:
        raise TypeError(f"a tensor holds float64 or float32, not {taken.dtype}: convert it first")
    if min(taken.steps, default=0) < 0:
        raise ValueError(f"memory with strides of {taken.steps} numbers cannot be shared: copy it first")
    length = dlpack.span(taken.shape, taken.steps)
    memory.countable((length,))
    return numba_cuda.array_at(taken.address, length, found[0], taken), taken.shape, taken.steps
