"""The only import of ``numba.cuda`` in the package: Numba's own, or numba-cuda's, which takes its place.

Importing it touches no driver, and works where ``numba.cuda`` is missing: kernels can then be defined, not launched.
With ``NUMBA_ENABLE_CUDASIM=1`` in the environment before Python starts, kernels run in Numba's simulator. This file
refuses to know kernels.
"""

from __future__ import annotations

import sys
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

Fn = Callable[..., Any]

try:
    from numba import cuda as _found
except ImportError:
    _found = None  # type: ignore[assignment]

cuda: Any = _found
SIMULATED = cuda is not None and bool(vars(numba.config)["ENABLE_CUDASIM"])


def available() -> bool:
    """Tell whether kernels can be launched: there is a GPU that Numba can use, or the simulator is on."""
    return cuda is not None and bool(cuda.is_available())


def jit(**options: Any) -> Callable[[Fn], Any]:
    """Return what makes a kernel of a function, compiled at its first launch: ``jit()(fn)[blocks, threads](...)``."""

    def compiled(fn: Fn) -> Any:
        if cuda is None:
            return fn
        if SIMULATED:
            for name in ("max_registers", "launch_bounds", "lineinfo", "forceinline", "lto"):
                options.pop(name, None)  # the simulator refuses to hear of them
            return cuda.jit(**options)(_silent(fn))
        return cuda.jit(**options)(fn)

    return compiled


def device(fn: Fn) -> Fn:
    """Return ``fn`` as kernels can call it."""
    return fn if SIMULATED or cuda is None else cuda.jit(device=True)(fn)


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

    Numba's own looks for the array and makes it in two steps, so that two threads may get one each: a sum then lacks
    a cell, once in some thousand launches.
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
