"""From functions to kernels, and from kernels to launches.

A kernel is a plain function whose free names are bound here: ``real`` to the dtype's own type, float functions narrowed
to the dtype (so a float32 kernel computes nothing in float64), helpers to functions on the device. It is compiled at
its first launch.
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
from ...runtime.types import Fn, Shape
from ...tensor_data import BackendError
from . import graph, numba_cuda

# Of a block whose threads have a element each; in the simulator a thread that has none costs as much as one that has.
THREADS = 32 if numba_cuda.SIMULATED else 128
SHARING = 256  # threads that share one sum, at most
MOST_BLOCKS = 1 << 16  # that a loop over all elements is given: more would only have to be started


def device_function(fn: Fn, dtype: Any) -> Fn:
    """Return a float function, plain or compiled, as kernels can call it: with numbers of ``dtype`` only."""
    plain = fn if isinstance(fn, types.FunctionType) else fn.py_func  # type: ignore[attr-defined]
    return with_numpy(plain) if numba_cuda.SIMULATED else _narrowed(plain, np.dtype(dtype).name)


def _narrowed(fn: types.FunctionType, dtype: str) -> Fn:
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
    """Return ``loop`` with all that it refers to bound for ``dtype``, not compiled.

    ``fns`` gives float functions, and constants, to names in it.
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
    """Return ``loop`` as a kernel for ``dtype``; ``fns`` gives float functions, and constants, to names in it.

    It is compiled at its first launch: ``kernel(...)[blocks, threads](...)``.
    """
    return numba_cuda.jit(bind(loop, dtype, **fns))


def launch(op: str, shapes: Sequence[Shape], made: Any, grid: tuple[Any, Any], *operands: Any) -> None:
    """Launch a kernel on the stream of the backend.

    Args:
        op: What it does, for the message of an error.
        shapes: Those of the tensors, for the same.
        made: The kernel.
        grid: Blocks, and threads of each.
        *operands: What the kernel takes.

    Raises:
        BackendError: The driver refuses.
    """
    try:
        graph.submit(made, grid, operands)
    except numba_cuda.faults() as problem:
        told = ", ".join(map(str, shapes))
        raise BackendError(
            f"{op} of shapes {told} failed on the device, with {grid[0]} blocks of {grid[1]} threads: {problem}"
        ) from problem


def blocks(size: int, threads: int = THREADS) -> tuple[int, int]:
    """Return the grid that has a thread per element."""
    return (size + threads - 1) // threads, threads


def grid_stride(size: int) -> tuple[int, int]:
    """Return the grid of a kernel whose threads go on by the size of the grid: one for each element up to some number."""
    needed, threads = blocks(size)
    return min(needed, MOST_BLOCKS), threads


def sharing(rows: int, work: int) -> tuple[int, int]:
    """Return the grid that has a block per row, and in it a power of two of threads for ``work`` elements."""
    return rows, min(SHARING, 1 << max(work - 1, 0).bit_length())
