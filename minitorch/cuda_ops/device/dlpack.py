"""Memory on the GPU shared with other libraries through DLPack: no copy, and the host does not wait.

Kernels run in the order of the legacy default stream. A consumer names the stream that it will read on: where that is
another one, it is made to wait for the kernels launched so far. A producer is told to make the legacy default stream
wait for its own. Nothing orders what happens later: memory that is let go of is reused by the next kernel, so whoever
reads on another stream synchronises before letting go. The capsules are those of `runtime.dlpack`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...runtime import dlpack
from ...runtime.types import Shape
from ...tensor_data import FLOATS, BackendError
from . import memory, numba_cuda

LEGACY, PER_THREAD = (
    1,
    2,
)  # the standard's numbers of the default streams; larger ones are handles of other streams
NO_WAIT = -1


def place(storage: Any) -> dlpack.Place:
    """Return the device of an array, in the numbers of the standard.

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


def capsule(storage: Any, shape: Shape, strides: Shape, dtype: np.dtype[Any], stream: Any) -> Any:
    """Return a capsule on an array, which lives until the consumer lets go of it.

    Args:
        storage: A flat array on the device.
        shape: The shape of the tensor on it.
        strides: Its strides, in elements.
        dtype: Its dtype.
        stream: What the consumer reads on: a default stream or a handle. None is the legacy default stream, and -1
            asks for no waiting.

    Raises:
        ValueError: There is no such stream.
        BufferError: The array is in the simulator.
    """
    if stream is not None and (not isinstance(stream, int) or (stream < LEGACY and stream != NO_WAIT)):
        raise ValueError(
            f"stream is None, -1, {LEGACY}, {PER_THREAD} or the handle of a CUDA stream, not {stream!r}"
        )
    made = dlpack.capsule_at(_address(storage), place(storage), shape, strides, dtype.itemsize, storage)
    if stream not in (None, NO_WAIT, LEGACY):
        numba_cuda.make_wait(stream)
    return made


def adopt(x: Any) -> tuple[Any, Shape, Shape]:
    """Return an array of another library on the GPU as a flat array on its memory, and its shape and strides.

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
