"""The only import of ``numba.cuda`` in the package: Numba's own, or numba-cuda's, which takes its place.

Importing it touches no driver, and works where ``numba.cuda`` is missing: kernels can then be defined, not launched.
With ``NUMBA_ENABLE_CUDASIM=1`` in the environment before Python starts, kernels run in Numba's simulator. This file
refuses to know kernels.
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
# Whether a kernel can say where its shared memory begins.
ALIGNS = not SIMULATED and cuda is not None and "alignment" in inspect.signature(cuda.shared.array).parameters
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_MEMORY = 2  # the driver's number of that error
# Makes functions of kernels out of instructions; the simulator has none.
intrinsic: Any = None
if cuda is not None and not SIMULATED:
    from numba.cuda.extending import intrinsic as intrinsic


@dataclass(frozen=True)
class Machine:
    """What is there to run kernels with.

    Attributes:
        numba_cuda: Whether ``numba.cuda`` can be imported.
        driver: The newest CUDA version that the driver knows; None without a driver.
        devices: How many GPUs the driver finds.
        trouble: What the driver answered instead of starting, as its number; 0 if it started.
        toolkit: The version of the CUDA libraries that Numba found; None where it found none.
        usable: Whether Numba says that kernels can be launched.
    """

    numba_cuda: bool = True
    driver: tuple[int, int] | None = None
    devices: int = 0
    trouble: int = 0
    toolkit: tuple[int, int] | None = None
    usable: bool = False

    def missing(self) -> str:
        """Return what is missing, as the end of a sentence; nothing if kernels can be launched."""
        if not self.numba_cuda:
            return "numba.cuda is not installed: pip install 'minitorch[cuda]'"
        if self.driver is None:
            return f"there is no NVIDIA driver ({DRIVER} is not found)"
        if self.devices == 0:
            told = f"; it answered with error {self.trouble}" if self.trouble else ""
            return f"the driver finds no GPU{told}"
        if self.toolkit is not None and self.driver[0] < self.toolkit[0]:
            knows, needs = (".".join(map(str, v)) for v in (self.driver, self.toolkit))
            return (
                f"the driver is too old: it knows CUDA {knows}, and the toolkit is {needs}; update the driver, "
                f"or pip install 'numba-cuda[cu{self.driver[0]}]'"
            )
        if not self.usable:
            return "there is no CUDA toolkit: pip install 'minitorch[cuda]'"
        return ""


def detect() -> Machine:
    """Ask the driver itself and Numba what there is."""
    if cuda is None:
        return Machine(numba_cuda=False)
    if SIMULATED:
        return Machine(driver=(0, 0), devices=1, usable=True)
    try:
        library = ctypes.CDLL(DRIVER)
    except OSError:
        return Machine()
    version, count = ctypes.c_int(0), ctypes.c_int(0)
    trouble = library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count))
    library.cuDriverGetVersion(ctypes.byref(version))
    knows = version.value // 1000, version.value % 1000 // 10
    try:
        major, minor = cuda.runtime.get_version()
    except (ImportError, OSError, RuntimeError):
        return Machine(True, knows, count.value, trouble, None, bool(cuda.is_available()))
    return Machine(True, knows, count.value, trouble, (major, minor), bool(cuda.is_available()))


def jit(fn: Fn) -> Any:
    """Return ``fn`` as a kernel, compiled at its first launch: ``jit(fn)[blocks, threads](...)``."""
    if cuda is None:
        return fn
    return cuda.jit(_silent(fn) if SIMULATED else fn)


def device(fn: Fn) -> Fn:
    """Return ``fn`` as kernels can call it."""
    return fn if SIMULATED or cuda is None else cuda.jit(device=True)(fn)


def faults() -> tuple[type[Exception], ...]:
    """Return what Numba raises when the driver refuses."""
    from numba.cuda.cudadrv.driver import CudaAPIError

    return (CudaAPIError,)


def is_out_of_memory(problem: Exception) -> bool:
    """Tell whether an allocation failed because there is no memory left."""
    code = vars(problem).get("code", 0) if isinstance(problem, faults()) else 0
    return isinstance(problem, MemoryError) or int(code) == NO_MEMORY


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
    # Numba's views refer to the pointer they came from, and its end lets go of the list, and so of the block.
    # Of the array, not of the block: some versions copy as many bytes as the pointer has.
    size = count * dtype.itemsize
    pointer = cuda.MemoryPointer(raw.context, raw.device_pointer, size, finalizer=[block].clear)
    made: Any = devicearray.DeviceNDArray
    return made((count,), (dtype.itemsize,), dtype, gpu_data=pointer)


def array_at(address: int, count: int, dtype: np.dtype[Any], owner: Any) -> Any:
    """Return a flat array on memory of another library; it and views of it keep ``owner``."""
    from numba.cuda.cudadrv import devicearray

    size, context = count * dtype.itemsize, cuda.current_context()
    pointer = cuda.MemoryPointer(context, ctypes.c_void_p(address), size, finalizer=[owner].clear)
    made: Any = devicearray.DeviceNDArray
    return made((count,), (dtype.itemsize,), dtype, gpu_data=pointer)


def device_number() -> int:
    """Return which GPU is in use."""
    return int(cuda.current_context().device.id)


def make_wait(stream: int) -> None:
    """Let what comes next on another library's stream wait for what was launched here."""
    done = cuda.event(timing=False)
    done.record()
    done.wait(cuda.external_stream(stream))


def simulated_array(array: npt.NDArray[Any]) -> Any:
    """Return a NumPy array as the simulator's array on the device, filled with nan: nobody has written to it yet."""
    from numba.cuda.simulator.cudadrv import devicearray

    array.view(np.uint8).fill(255)
    made: Any = devicearray.FakeCUDAArray
    return made(array)


def address(array: Any) -> int:
    """Return where an array of the device begins."""
    return int(array._ary.ctypes.data if SIMULATED else array.__cuda_array_interface__["data"][0])


def is_array(value: Any) -> bool:
    """Tell whether ``value`` is an array of the device."""
    return bool(cuda.cudadrv.devicearray.is_cuda_ndarray(value))


def borrowed(array: Any) -> Any:
    """Return the simulator's packed array once more, on memory that it does not keep."""
    return simulated_at(address(array), array.shape, array.dtype)


def simulated_at(where: int, shape: Any, dtype: Any) -> Any:
    """Return the simulator's packed array at an address."""
    from numba.cuda.simulator.cudadrv import devicearray

    size = math.prod(shape) * np.dtype(dtype).itemsize
    elements = np.frombuffer(memoryview((ctypes.c_uint8 * int(size)).from_address(int(where))), dtype)
    made: Any = devicearray.FakeCUDAArray
    return made(elements.reshape(shape))


def pinned(size: int) -> npt.NDArray[np.uint8]:
    """Return bytes of the host that the device can read by itself."""
    return np.asarray(cuda.pinned_array(size, np.uint8))


def event() -> Any:
    """Return an event, which tells when what was asked of a stream before is done."""
    return cuda.event() if SIMULATED else cuda.event(timing=False)


def elements_at(where: int, like: Any, size: int) -> Any:
    """Return, inside a kernel, the ``size`` elements at an address, of the dtype of the array ``like``."""
    from numba.cuda.simulator.cudadrv import devicearray

    made: Any = devicearray.FakeWithinKernelCUDAArray
    return made(simulated_at(where, (size,), like.dtype))


def _pointer() -> Any:
    """Return what stands for `elements_at` on a device: a pointer."""
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
    """Return ``fn`` without NumPy's warnings: on a GPU, 1/0 is inf and nobody is told."""
    # A thread starts with NumPy's own error state, so each one must set it; and the simulator looks for `cuda` in the
    # globals of what it runs, so these must be the globals of `fn`.
    errstate = np.errstate

    def run(*args: Any) -> None:
        with errstate(all="ignore"):
            fn(*args)

    return types.FunctionType(run.__code__, fn.__globals__, fn.__name__, None, run.__closure__)


def _mend_shared_memory() -> None:
    """Make the simulator give all threads of a block the same shared array.

    Numba's own looks for the array and makes it in two steps, so that two threads may get one each: a sum then missing
    a element, once in some thousand launches.
    """
    from numba.cuda.simulator import kernelapi

    shared: Any = vars(kernelapi).get("FakeCUDAShared")
    if shared is None or shared.array.__module__ != kernelapi.__name__:
        return  # built otherwise, or mended by somebody else
    numbas, lock = shared.array, threading.Lock()
    made: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()

    def array(self: Any, shape: Any, dtype: Any, **options: Any) -> Any:
        if shape == 0:
            return numbas(self, shape, dtype, **options)
        frame = sys._getframe(1)
        call = frame.f_code, frame.f_lasti
        with lock:
            arrays = made.setdefault(self, {})
            if call not in arrays:
                arrays[call] = numbas(shared(0), shape, dtype, **options)
            return arrays[call]

    shared.array = array


if SIMULATED:
    _mend_shared_memory()
