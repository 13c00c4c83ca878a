"""The only import of ``numba.cuda`` in the package: Numba's own, or the one of numba-cuda, which takes its place.

Importing it touches no driver, and works where ``numba.cuda`` is missing: kernels can then be defined, not launched.
With ``NUMBA_ENABLE_CUDASIM=1`` in the environment before Python starts, kernels run in Numba's simulator. Whatever
differs between a GPU and the simulator, or between versions of Numba, is hidden here: arrays on memory of ours,
addresses, events, pinned memory, intrinsics. It depends on no other file of the backend and knows no kernel.
"""

from __future__ import annotations

import ctypes
import inspect
import math
import sys
import threading
import types
import weakref
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ...runtime.types import Fn

try:
    from numba import cuda as _found
except ImportError:
    _found = None  # type: ignore[assignment]

cuda: Any = _found
SIMULATED = cuda is not None and bool(vars(numba.config)["ENABLE_CUDASIM"])
# Whether Numba takes an alignment of shared memory.
ALIGNS = not SIMULATED and cuda is not None and "alignment" in inspect.signature(cuda.shared.array).parameters
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
# Makes device functions of LLVM instructions; the simulator has none.
intrinsic: Any = None
if cuda is not None and not SIMULATED:
    from numba.cuda.extending import intrinsic as intrinsic


@dataclass(frozen=True)
class Machine:
    """What this machine has to run kernels with.

    Attributes:
        numba_cuda: Whether ``numba.cuda`` can be imported.
        driver: The newest CUDA version that the driver supports; None without a driver.
        devices: How many GPUs the driver finds.
        driver_error: The number of the driver's error when it did not start; 0 if it started.
        toolkit: The version of the CUDA libraries that Numba found; None where it found none.
        usable: Whether Numba says that kernels can be launched.
    """

    numba_cuda: bool = True
    driver: tuple[int, int] | None = None
    devices: int = 0
    driver_error: int = 0
    toolkit: tuple[int, int] | None = None
    usable: bool = False

    def missing(self) -> str:
        """Return what is missing, as the end of a sentence; an empty string if kernels can be launched."""
        if not self.numba_cuda:
            return "numba.cuda is not installed: pip install 'minitorch[cuda]'"
        if self.driver is None:
            return f"there is no NVIDIA driver ({DRIVER} is not found)"
        if self.devices == 0:
            reason = f"; it answered with error {self.driver_error}" if self.driver_error else ""
            return f"the driver finds no GPU{reason}"
        if self.toolkit is not None and self.driver[0] < self.toolkit[0]:
            supported, needed = (".".join(map(str, v)) for v in (self.driver, self.toolkit))
            return (
                f"the driver is too old: it knows CUDA {supported}, and the toolkit is {needed}; update the driver, "
                f"or pip install 'numba-cuda[cu{self.driver[0]}]'"
            )
        if not self.usable:
            return "there is no CUDA toolkit: pip install 'minitorch[cuda]'"
        return ""


def detect() -> Machine:
    """Ask the driver and Numba what this machine has."""
    if cuda is None:
        return Machine(numba_cuda=False)
    if SIMULATED:
        return Machine(driver=(0, 0), devices=1, usable=True)
    try:
        library = ctypes.CDLL(DRIVER)
    except OSError:
        return Machine()
    version, count = ctypes.c_int(0), ctypes.c_int(0)
    error = library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count))
    library.cuDriverGetVersion(ctypes.byref(version))
    supported = version.value // 1000, version.value % 1000 // 10
    try:
        major, minor = cuda.runtime.get_version()
    except (ImportError, OSError, RuntimeError):
        return Machine(True, supported, count.value, error, None, bool(cuda.is_available()))
    return Machine(True, supported, count.value, error, (major, minor), bool(cuda.is_available()))


def jit(fn: Fn) -> Any:
    """Return ``fn`` as a kernel, compiled at its first launch: ``jit(fn)[blocks, threads](...)``."""
    if cuda is None:
        return fn
    return cuda.jit(_silent(fn) if SIMULATED else fn)


def device(fn: Fn) -> Fn:
    """Return ``fn`` as a device function, which kernels can call."""
    return fn if SIMULATED or cuda is None else cuda.jit(device=True)(fn)


def driver_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that Numba raises when a call of the driver fails.

    numba-cuda launches through cuda.core, which has an exception of its own.
    """
    from numba.cuda.cudadrv.driver import CudaAPIError

    core = sys.modules.get("cuda.core._utils.cuda_utils")
    return (CudaAPIError,) if core is None else (CudaAPIError, core.CUDAError)


def is_out_of_memory(problem: Exception) -> bool:
    """Tell whether an allocation failed because there is no memory left."""
    code = vars(problem).get("code", 0) if isinstance(problem, driver_errors()) else 0
    return isinstance(problem, MemoryError) or int(code) == OUT_OF_MEMORY


def memory(size: int) -> Any:
    """Return ``size`` bytes on the device, freed when nothing refers to them."""
    return cuda.current_context().memalloc(size)


def free_memory() -> float:
    """Return how many bytes the device has free."""
    free, _ = cuda.current_context().get_memory_info()
    return float(free)


def array_on(block: Any, count: int, dtype: np.dtype[Any]) -> Any:
    """Return a flat array on ``block.raw``, which `memory` gave; views of it keep the block as well."""
    from numba.cuda.cudadrv import devicearray

    raw = block.raw
    # Numba's views keep the pointer they came from. Its finalizer clears the list, which lets go of the block.
    # The size is the array's, not the block's: some versions copy as many bytes as the pointer has.
    size = count * dtype.itemsize
    pointer = cuda.MemoryPointer(raw.context, raw.device_pointer, size, finalizer=[block].clear)
    made: Any = devicearray.DeviceNDArray
    return made((count,), (dtype.itemsize,), dtype, gpu_data=pointer)


def array_at(address: int, count: int, dtype: np.dtype[Any], owner: Any) -> Any:
    """Return a flat array on memory of another library; the array and its views keep ``owner`` alive."""
    from numba.cuda.cudadrv import devicearray

    size, context = count * dtype.itemsize, cuda.current_context()
    pointer = cuda.MemoryPointer(context, ctypes.c_void_p(address), size, finalizer=[owner].clear)
    made: Any = devicearray.DeviceNDArray
    return made((count,), (dtype.itemsize,), dtype, gpu_data=pointer)


def device_number() -> int:
    """Return the number of the GPU that is in use."""
    return int(cuda.current_context().device.id)


def make_wait(stream: int) -> None:
    """Make another library's stream wait for the kernels that were launched here."""
    done = cuda.event(timing=False)
    done.record()
    done.wait(cuda.external_stream(stream))


def simulated_array(array: npt.NDArray[Any]) -> Any:
    """Return a NumPy array as a device array of the simulator, filled with NaN: no kernel has written to it yet."""
    from numba.cuda.simulator.cudadrv import devicearray

    array.view(np.uint8).fill(255)
    made: Any = devicearray.FakeCUDAArray
    return made(array)


def address(array: Any) -> int:
    """Return the address at which a device array begins."""
    return int(array._ary.ctypes.data if SIMULATED else array.__cuda_array_interface__["data"][0])


def is_array(value: Any) -> bool:
    """Tell whether ``value`` is a device array."""
    return bool(cuda.cudadrv.devicearray.is_cuda_ndarray(value))


def borrowed(array: Any) -> Any:
    """Return another array of the simulator on the same memory, which it does not keep alive."""
    return simulated_at(address(array), array.shape, array.dtype)


def simulated_at(where: int, shape: Any, dtype: Any) -> Any:
    """Return a packed array of the simulator at an address."""
    from numba.cuda.simulator.cudadrv import devicearray

    size = math.prod(shape) * np.dtype(dtype).itemsize
    elements = np.frombuffer(memoryview((ctypes.c_uint8 * int(size)).from_address(int(where))), dtype)
    made: Any = devicearray.FakeCUDAArray
    return made(elements.reshape(shape))


def pinned(size: int) -> npt.NDArray[np.uint8]:
    """Return pinned memory: bytes of the host that the device can read by itself."""
    return np.asarray(cuda.pinned_array(size, np.uint8))


def event() -> Any:
    """Return an event: recorded on a stream, it tells when the work before it is done."""
    return cuda.event() if SIMULATED else cuda.event(timing=False)


def elements_at(where: int, like: Any, size: int) -> Any:
    """Return, inside a kernel, an array of ``size`` elements at an address, of the dtype of the array ``like``."""
    from numba.cuda.simulator.cudadrv import devicearray

    made: Any = devicearray.FakeWithinKernelCUDAArray
    return made(simulated_at(where, (size,), like.dtype))


def _pointer() -> Any:
    """Return `elements_at` for a GPU, where it is a typed pointer."""
    from numba import types
    from numba.cuda.extending import intrinsic

    pointer: Any = types.CPointer

    def elements_at(typingctx: Any, where: Any, like: Any, size: Any) -> Any:
        def cast(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

        return pointer(like.dtype)(where, like, size), cast

    return intrinsic(elements_at)


if cuda is not None and not SIMULATED:
    elements_at = _pointer()


def _silent(fn: Fn) -> Fn:
    """Return ``fn`` without NumPy's warnings: a GPU computes 1/0 = inf silently."""
    # A thread starts with NumPy's own error state, so each one must set it; and the simulator looks for `cuda` in the
    # globals of what it runs, so these must be the globals of `fn`.
    errstate = np.errstate

    def run(*args: Any) -> None:
        with errstate(all="ignore"):
            fn(*args)

    return types.FunctionType(run.__code__, fn.__globals__, fn.__name__, None, run.__closure__)


def _fix_shared_memory() -> None:
    """Make the simulator give all threads of a block the same shared array.

    Numba's own looks for the array and makes it in two steps, so two threads may get one each. A sum then misses an
    element, once in some thousand launches.
    """
    from numba.cuda.simulator import kernelapi

    shared: Any = vars(kernelapi).get("FakeCUDAShared")
    if shared is None or shared.array.__module__ != kernelapi.__name__:
        return  # another version, or fixed by somebody else
    original, lock = shared.array, threading.Lock()
    made: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()

    def array(self: Any, shape: Any, dtype: Any, **options: Any) -> Any:
        if shape == 0:
            return original(self, shape, dtype, **options)
        frame = sys._getframe(1)
        call = frame.f_code, frame.f_lasti
        with lock:
            arrays = made.setdefault(self, {})
            if call not in arrays:
                arrays[call] = original(shared(0), shape, dtype, **options)
            return arrays[call]

    shared.array = array


if SIMULATED:
    _fix_shared_memory()
