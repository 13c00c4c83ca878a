"""Makes Numba's CUDA simulator strict: an error on a GPU is an error here.

The simulator runs each thread of a block as a thread of the system, in any order. Here the threads of a block are
greenlets in one system thread: each runs until a barrier or its end, then the next one does. So runs repeat exactly and
take a fraction of the time, and `MINITORCH_SIM_ORDER` chooses the order: forward, reverse, shuffle or shuffle:SEED.

- Errors: a barrier that some threads do not reach; blocks, grids and shared memory beyond a card's limits; negative
  indices.
- Shared, local and device memory holds NaN until it is written.
- Tensor cores have a stand-in: the lanes of a warp bring their numbers together, and NumPy multiplies them.

It depends on Numba's simulator (and checks the names that it replaces), not on the kernels of minitorch. Numba is
imported by `install` only.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import math
import os
import random
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_THREADS = 1024
MAX_BLOCK = (1024, 1024, 64)
MAX_GRID = (2**31 - 1, 65_535, 65_535)
MAX_SHARED = 48 * 1024
WARP = 32
# What is replaced, and the arguments it is expected to have.
PATCHED = {
    "kernel.BlockManager": "f grid_dim block_dim debug",
    "kernel.BlockManager.run": "self grid_point args",
    "kernel._get_kernel_context": "",
    "kernelapi.Dim3": "x y z",
    "kernelapi.FakeCUDAShared": "dynshared_size",
    "kernelapi.FakeCUDAShared.array": "self shape dtype",
    "kernelapi.FakeCUDALocal.array": "self shape dtype",
    "kernelapi.numpy_support.as_dtype": "nbtype",
    "cudadrv.devicearray.FakeWithinKernelCUDAArray.__getitem__": "self idx",
    "cudadrv.devicearray.FakeWithinKernelCUDAArray.__setitem__": "self idx val",
}


class Divergence(RuntimeError):
    """Some threads of a block wait at a barrier that others do not reach."""


class Lane:
    """One CUDA thread; it takes the place of the system thread that the simulator asks for indices and barriers."""

    running: Any = None

    def __init__(self, block: Block, fiber: Any, blockIdx: Any, threadIdx: Any) -> None:
        self.block, self.blockIdx, self.threadIdx = block, blockIdx, threadIdx
        wide, high, _ = block.size
        self.thread_id = threadIdx.x + wide * (threadIdx.y + high * threadIdx.z)
        self.fiber = fiber
        self.waits_at: Any = None
        self.vote: Any = True
        self.warp: list[Lane] = []
        # For `together`: this lane's value, the function of all lanes' values, and this lane's part of its result.
        self.brings: Any = None
        self.work: Callable[[list[Any]], list[Any]] | None = None
        self.gets: Any = None

    def advance(self) -> None:
        """Run until the next barrier, or the end."""
        Lane.running, self.waits_at = self, None
        try:
            self.fiber.switch()
        except Exception as problem:
            where = f"thread {tuple(self.threadIdx)} of block {tuple(self.blockIdx)}"
            raise type(problem)(f"{where}: {problem}") from problem

    def _wait(self, vote: Any = True) -> list[bool]:
        # Of the kernel, or of a function it calls: the simulator's module is in between.
        self.vote = vote
        self._stop(sys._getframe(3))
        return self.block.votes

    def _stop(self, frame: Any) -> None:
        line, calls = frame.f_lineno, []
        while frame.f_code is not Block.start.__code__:
            calls.append((frame.f_code, frame.f_lasti))
            frame = frame.f_back
        self.waits_at = (line, *calls)
        self.fiber.parent.switch()

    def together(self, value: Any, work: Callable[[list[Any]], list[Any]]) -> Any:
        """Wait until all lanes of the warp bring a value, and return what ``work`` makes of them for this one."""
        if len(self.warp) != WARP:
            raise ValueError(f"an instruction of a warp, in one of {len(self.warp)} threads")
        self.brings, self.work = value, work
        self._stop(sys._getframe(2))
        return self.gets

    def syncthreads(self) -> None:
        self._wait()

    def syncthreads_count(self, vote: Any) -> int:
        return sum(self._wait(vote))

    def syncthreads_and(self, vote: Any) -> int:
        return int(all(self._wait(vote)))

    def syncthreads_or(self, vote: Any) -> int:
        return int(any(self._wait(vote)))


class Block:
    """Runs the threads of one block; it takes the place of the simulator's BlockManager."""

    def __init__(self, f: Any, grid_dim: Any, block_dim: Any, debug: bool) -> None:
        self.f, self.size, self.args = f, tuple(block_dim), ()
        self.votes: list[bool] = []
        grid = tuple(grid_dim)
        if math.prod(self.size) > MAX_THREADS or not _within(self.size, MAX_BLOCK):
            raise ValueError(
                f"blocks of {self.size} threads: a card takes 1 to {MAX_THREADS}, {MAX_BLOCK} across"
            )
        if not _within(grid, MAX_GRID):
            raise ValueError(f"a grid of {grid} blocks: a card takes 1 to {MAX_GRID}")

    def start(self) -> None:
        self.f(*self.args)

    def run(self, grid_point: tuple[int, ...], *args: Any) -> None:
        """Run the block at ``grid_point``."""
        from numba.cuda.simulator import kernel, kernelapi

        self.args = args
        memory = kernel._get_kernel_context().shared
        memory._allocations.clear()
        memory._dynshared.fill(-1)  # nan, read as floats
        draw = random.Random(order())
        place = kernelapi.Dim3(*grid_point)
        fiber = importlib.import_module("greenlet").greenlet
        lanes = [Lane(self, fiber(self.start), place, kernelapi.Dim3(*at)) for at in np.ndindex(*self.size)]
        numbered = sorted(lanes, key=lambda lane: lane.thread_id)
        for lane in lanes:
            first = lane.thread_id // WARP * WARP
            lane.warp = numbered[first : first + WARP]
        while lanes:
            for lane in _arranged(lanes, draw):
                lane.advance()
                # A warp that is complete goes on alone, as far as it comes: others may be far behind.
                while lane.work and all(mate.work for mate in lane.warp) and _agree(lane.warp):
                    given = lane.warp[0].work([mate.brings for mate in lane.warp])  # type: ignore[misc]
                    for mate, gets in zip(lane.warp, given):
                        mate.gets, mate.work = gets, None
                    for mate in _arranged(lane.warp, draw):
                        mate.advance()
            self.votes = [bool(lane.vote) for lane in lanes]
            stops = {lane.waits_at: lane for lane in lanes}
            if len(stops) > 1:
                where = "; ".join(
                    f"thread {tuple(lane.threadIdx)} {f'waits in line {at[0]}' if at else 'has ended'}"
                    for at, lane in stops.items()
                )
                raise Divergence(f"divergent barrier in {self.f.__name__}, block {grid_point}: {where}")
            lanes = [lane for lane in lanes if lane.waits_at]
        self.args, Lane.running = (), None  # arrays must not live on


def _agree(lanes: list[Lane]) -> bool:
    return len({lane.waits_at for lane in lanes}) == 1


def _within(sizes: tuple[int, ...], limits: tuple[int, ...]) -> bool:
    return all(1 <= n <= most for n, most in zip(sizes, limits))


def order() -> str:
    """Return the order in which the threads of a block run."""
    return os.environ.get("MINITORCH_SIM_ORDER") or "forward"


def _arranged(lanes: list[Lane], draw: random.Random) -> list[Lane]:
    kind = order().partition(":")[0]
    if kind == "shuffle":
        return draw.sample(lanes, len(lanes))
    if kind not in ("forward", "reverse"):
        raise ValueError(
            f"MINITORCH_SIM_ORDER is {kind!r}: expected forward, reverse, shuffle or shuffle:SEED"
        )
    return lanes if kind == "forward" else lanes[::-1]


def poison(array: Any) -> Any:
    """Fill an array with what no kernel should read: nan, or the largest integer."""
    if array.dtype.kind in "fc":
        array.fill(np.nan)
    elif array.dtype.kind in "iu":
        array.fill(np.iinfo(array.dtype).max)
    return array


def _dtype(dtype: Any) -> np.dtype[Any]:
    from numba.cuda.simulator import kernelapi

    named = isinstance(dtype, kernelapi.types.Type)
    return np.dtype(kernelapi.numpy_support.as_dtype(dtype) if named else dtype)


def _shared_array(self: Any, shape: Any, dtype: Any, alignment: Any = None) -> Any:
    """Stand for ``cuda.shared.array``: one array per call in the source, also if two share a line."""
    dtype = _dtype(dtype)
    if shape == 0:
        return np.frombuffer(self._dynshared.data, dtype, self._dynshared_size // dtype.itemsize)
    frame = sys._getframe(1)
    call = frame.f_code, frame.f_lasti
    if call not in self._allocations:
        self._allocations[call] = poison(np.empty(shape, dtype))
        used = self._dynshared_size + sum(a.nbytes for a in self._allocations.values())
        if used > MAX_SHARED:
            raise ValueError(f"{used} bytes of shared memory: a block has {MAX_SHARED}")
    return self._allocations[call]


def _local_array(self: Any, shape: Any, dtype: Any, alignment: Any = None) -> Any:
    return poison(np.empty(shape, _dtype(dtype)))


def _checked(index: Any) -> Any:
    for i in index if isinstance(index, tuple) else (index,):
        if not isinstance(i, slice) and i < 0:
            raise IndexError(f"index {index} is negative: on a card it would reach outside the array")
    return index


def _products(fragments: list[Any]) -> list[Any]:
    """Multiply what 32 lanes hold of 16 x 8 and 8 x 8 elements, and add it to what they hold of 16 x 8."""
    held = np.array(fragments, np.float32)
    if (held[:, :6].view(np.uint32) & 0x1FFF).any():
        raise ValueError("operands of a tensor core that are not rounded to TF32")
    group, place = np.divmod(np.arange(WARP), 4)
    a, b, c = (np.empty(shape, np.float32) for shape in ((16, 8), (8, 8), (16, 8)))
    for i in range(4):
        a[group + i % 2 * 8, place + i // 2 * 4] = held[:, i]
        c[group + i // 2 * 8, 2 * place + i % 2] = held[:, 6 + i]
    for i in range(2):
        b[place + 4 * i, group] = held[:, 4 + i]
    with np.errstate(all="ignore"):
        c += (a.astype(np.float64) @ b).astype(np.float32)
    return [tuple(c[g + i // 2 * 8, 2 * t + i % 2] for i in range(4)) for g, t in zip(group, place)]


def _mma_tf32(*fragments: Any) -> Any:
    return Lane.running.together(fragments, _products)


def round_tf32(x: Any) -> Any:
    """Round float32 numbers to 10 bits of mantissa, halves away from zero, as ``cvt.rna.tf32.f32`` does."""
    x = np.asarray(x, np.float32)
    bits = (x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return np.where(np.isnan(x), np.float32(np.nan), bits.view(np.float32))[()]


def _differs(simulator: Any) -> str:
    """Say what of `PATCHED` this Numba has not, or has with other arguments."""
    for path, arguments in PATCHED.items():
        found = simulator
        for name in path.split("."):
            if name not in dir(found):
                return f"this Numba's simulator has no {path}"
            found = getattr(found, name)
        wanted = arguments.split()
        if list(inspect.signature(found).parameters)[: len(wanted)] != wanted:
            return f"this Numba's {path} has other arguments"
    return ""


def install() -> str:
    """Patch the simulator, and say in one line what runs now.

    Without greenlet, or with a Numba whose simulator is built otherwise, the stock simulator runs, with its threads
    switched often.
    """
    from numba import cuda
    from numba.cuda import simulator
    from numba.cuda.simulator import kernel, kernelapi
    from numba.cuda.simulator.cudadrv import devicearray

    reason = _differs(simulator) if importlib.util.find_spec("greenlet") else "greenlet is not installed"
    if reason:
        sys.setswitchinterval(1e-4)
        return f"Numba's own simulator ({reason})"

    argument = devicearray.FakeWithinKernelCUDAArray
    take, write, device_array = argument.__getitem__, argument.__setitem__, cuda.device_array

    def poisoned_array(*args: Any, **kwargs: Any) -> Any:
        made = device_array(*args, **kwargs)
        poison(made._ary)
        return made

    kernel.BlockManager = Block
    kernelapi.threading = types.SimpleNamespace(**{**vars(threading), "current_thread": lambda: Lane.running})
    kernelapi.FakeCUDAShared.array, kernelapi.FakeCUDALocal.array = _shared_array, _local_array
    argument.__getitem__ = lambda self, index: take(self, _checked(index))
    argument.__setitem__ = lambda self, index, value: write(self, _checked(index), value)
    cuda.device_array = poisoned_array
    # No plain functions: kernels would run those with names of their own.
    cuda.mma_tf32, cuda.round_tf32 = functools.partial(_mma_tf32), functools.partial(round_tf32)
    return f"the strict simulator, threads in {order()} order"
