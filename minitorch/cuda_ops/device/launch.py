"""From functions to kernels, and from kernels to launches.

A kernel is a plain function whose global names are bound here for a dtype: ``real`` to the scalar type, float functions
to device functions narrowed to the dtype (so that a float32 kernel computes nothing in float64), helpers to device
functions, constants to numbers that are known at compile time. Numba compiles it at its first launch::

    map_flat_1(out, size, a1)  --bind fn = sigmoid, real = float32-->  function  --jit-->  kernel  --launch-->  stream

It depends on `numba_cuda` and `graph` (which launches, or records the launch), and on `runtime.specialize`.
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import operators
from ...runtime.specialize import global_names, narrow, with_numpy
from ...runtime.types import Fn, OfPython, Shape
from ...tensor_data import BackendError
from . import graph, numba_cuda

# Threads of a block that have an element each. In the simulator a thread without one costs as much as any other.
THREADS = 8 if numba_cuda.SIMULATED else 128
REDUCE_THREADS = 256  # threads that share one reduction, at most
MAX_BLOCKS = 1 << 16  # blocks of a grid-stride loop: more would only have to be started


def device_function(fn: Fn, dtype: Any) -> Fn:
    """Return a float function, plain or compiled, as kernels can call it: with numbers of ``dtype`` only."""
    plain: Any = fn.py_func if isinstance(fn, OfPython) else fn
    return with_numpy(plain) if numba_cuda.SIMULATED else _narrowed(plain, np.dtype(dtype).name)


def _narrowed(fn: types.FunctionType, dtype: str) -> Fn:
    """Return a device function whose numbers, and those of the functions it calls, are of ``dtype``."""
    names = {**fn.__globals__, dtype: np.dtype(dtype).type}
    for name in global_names(fn.__code__):
        called = fn.__globals__.get(name)
        if isinstance(called, types.FunctionType) and called is not fn:
            names[name] = _narrowed(called, dtype)
    tree = None if fn.__closure__ else narrow(fn, dtype)
    if tree is None:
        return numba_cuda.device(
            types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__)
        )
    exec(compile(ast.Module([tree], []), f"<{fn.__name__} in {dtype}>", "exec"), names)
    return numba_cuda.device(names[tree.name])


def bind(loop: Fn, dtype: Any, **fns: Any) -> Fn:
    """Return the kernel ``loop`` with all global names that it and its helpers refer to bound, not compiled.

    Args:
        loop: A function of the kernel files.
        dtype: What it computes in.
        **fns: Float functions, and constants, by the names that they are bound to.
    """
    names: dict[str, Any] = {"__name__": loop.__module__, "real": np.dtype(dtype).type}
    stack = [loop]
    while stack:
        fn = stack.pop()
        for name in global_names(fn.__code__):
            if name in names or name not in fn.__globals__:
                continue
            value = fns.get(name, fn.__globals__[name])
            if (name in fns and callable(value)) or (
                isinstance(value, types.FunctionType) and value.__module__ == operators.__name__
            ):
                value = device_function(value, dtype)
            elif isinstance(value, types.FunctionType):
                stack.append(value)
                # All share one set of names: the simulator exchanges `cuda` in that of the kernel.
                value = numba_cuda.device(types.FunctionType(value.__code__, names, value.__name__))
            names[name] = value
    return types.FunctionType(loop.__code__, names, loop.__name__)


@functools.cache
def kernel(loop: Fn, dtype: Any = np.float64, **fns: Any) -> Any:
    """Return ``loop`` as a kernel, compiled at its first launch: ``kernel(...)[blocks, threads](...)``. See `bind`."""
    return numba_cuda.jit(bind(loop, dtype, **fns))


def launch(op: str, shapes: Sequence[Shape], made: Any, grid: tuple[Any, Any], *operands: Any) -> None:
    """Launch a kernel on the stream of the backend.

    Args:
        op: What it does, for the message of an error.
        shapes: The shapes of the tensors, for the message.
        made: The kernel.
        grid: Blocks, and threads of each.
        *operands: The kernel's arguments.

    Raises:
        BackendError: The driver rejects the launch.
    """
    try:
        graph.submit(made, grid, operands)
    except numba_cuda.driver_errors() as problem:
        listed = ", ".join(map(str, shapes))
        raise BackendError(
            f"{op} of shapes {listed} failed on the device, with {grid[0]} blocks of {grid[1]} threads: {problem}"
        ) from problem


def blocks(size: int, threads: int = THREADS) -> tuple[int, int]:
    """Return the grid with a thread per element."""
    return (size + threads - 1) // threads, threads


def grid_stride(size: int) -> tuple[int, int]:
    """Return the grid of a grid-stride loop: a thread per element, up to `MAX_BLOCKS` blocks."""
    needed, threads = blocks(size)
    return min(needed, MAX_BLOCKS), threads


def block_per_row(rows: int, elements: int) -> tuple[int, int]:
    """Return the grid with a block per row, and in it a power of two of threads for the ``elements`` of a row."""
    return rows, min(REDUCE_THREADS, 1 << max(elements - 1, 0).bit_length())
