"""CudaOps: picks the kernel for an operation's sizes and layout, and launches it.

It depends on the kernel files of this folder and on `device`; `fused` has the table of fused kernels. Results are on
blocks of a memory pool (`device.memory`). A GPU, or Numba's simulator, is looked for at the first use.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import operators
from ..runtime import dlpack as runtime_dlpack
from ..runtime.step_graph import RecordingError
from ..runtime.types import ConvParams, Fn, PoolParams
from ..tensor_data import BackendError, TensorData, float_array
from ..tensor_ops.backend import TensorBackend, register_backend
from ..tensor_ops.base import Kernel, TensorOps, check_rows, lead
from . import conv, gather, matmul, optimizer_step, pool, reduce
from .device import dlpack, functions, memory
from .device.graph import Graph, capture_error
from .device.launch import blocks, grid_stride, kernel, launch
from .fused import FUSED
from .matmul import tiles
from .operands import block, packed, read, run_elementwise, triple

MOST_LAYERS = 65_535  # blocks in the z direction of a grid, on any card
# Functions whose folds may be regrouped: all others are folded from left to right by one thread.
REGROUPED = (operators.add, operators.mul, operators.max, operators.max_nan)


@functools.cache
def cuda_backend() -> TensorBackend:
    """Return the backend of `CudaOps`, the same at each call.

    Raises:
        BackendError: Kernels cannot be launched; the message says what is missing.
    """
    memory.ready()
    return TensorBackend(CudaOps)


def _matrices(t: TensorData) -> tuple[Any, Any, Any]:
    read(t)
    storage, shape, strides = triple(t)
    return (storage, shape, strides) if len(shape) == 3 else (storage, (1, *shape), (0, *strides))


def _steps(t: TensorData) -> tuple[int, ...]:
    """Return how far matrices, rows and columns lie apart: 0 where one matrix stretches."""
    return (t.strides[0] if lead(t) > 1 else 0, *t.strides[-2:])


def _naturals(steps: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(map(functions.index32, steps))


class CudaOps(TensorOps):
    """The CUDA backend."""

    name = "cuda"
    cuda = True
    fused = FUSED

    @classmethod
    def storage(cls, array: npt.NDArray[Any]) -> Any:
        """See `TensorOps.storage`."""
        memory.ready()
        return memory.storage(array)

    @classmethod
    def constant(cls, value: float, dtype: np.dtype[Any]) -> Any:
        """See `TensorOps.constant`: equal ones are uploaded once."""
        memory.ready()
        return memory.cached_constant(float_array([value], dtype))

    @classmethod
    def replay_input(cls, make: Callable[[], npt.NDArray[Any]]) -> Any:
        """See `TensorOps.replay_input`."""
        memory.ready()
        return memory.replay_input(make)

    @classmethod
    def empty(cls, size: int, dtype: np.dtype[Any]) -> Any:
        """See `TensorOps.empty`: blocks come from a pool on the device."""
        return memory.empty(size, dtype)

    @classmethod
    def host(cls, storage: Any) -> npt.NDArray[Any]:
        """See `TensorOps.host`."""
        return memory.host(storage)

    @classmethod
    def write(cls, storage: Any, array: npt.NDArray[Any]) -> None:
        """See `TensorOps.write`."""
        memory.upload(storage, array)

    @classmethod
    def on_host(cls, fn: Fn, *operands: Any) -> bool:
        """See `TensorOps.on_host`."""
        return False

    @classmethod
    def step_graph(cls) -> Graph:
        """See `TensorOps.step_graph`.

        Raises:
            RecordingError: The installed driver cannot record steps.
        """
        fault = capture_error()
        if fault:
            raise RecordingError(fault)
        return Graph(memory.DEVICE.private(), memory.upload)

    @classmethod
    def place(cls, t: TensorData) -> runtime_dlpack.Place:
        """See `TensorOps.place`."""
        return dlpack.place(read(t))

    @classmethod
    def capsule(cls, t: TensorData, stream: Any) -> Any:
        """See `TensorOps.capsule`."""
        return dlpack.capsule(read(t), t.shape, t.strides, t.dtype, stream)

    @classmethod
    def adopt(cls, x: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
        """See `TensorOps.adopt`."""
        if x.__dlpack_device__()[0] != runtime_dlpack.CUDA:
            raise BackendError("from_dlpack shares memory where it is: use from_dlpack(x).to('cuda')")
        return dlpack.adopt(x)

    @classmethod
    def allocate(cls, shape: tuple[int, ...], dtype: np.dtype[Any], backend: Any) -> TensorData:
        """See `TensorOps.allocate`.

        Raises:
            BackendError: There are more elements than kernels can count.
        """
        memory.countable(shape)
        return super().allocate(shape, dtype, backend)

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.map_kernel`."""

        def run(out: TensorData, a: TensorData) -> None:
            run_elementwise(f"map of {fn.__name__}", fn, out, a)

        return run

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.zip_kernel`."""

        def run(out: TensorData, a: TensorData, b: TensorData) -> None:
            run_elementwise(f"zip of {fn.__name__}", fn, out, a, b)

        return run

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """See `TensorOps.reduce_kernel`: sums, products and maxima are regrouped, the same way at each run."""

        def run(out: TensorData, a: TensorData, dim: int) -> None:
            if fn in REGROUPED:
                reduce.reduce_all(out._storage, read(a), (a.shape, a.strides), dim, fn, start)
                return
            read(a)
            made = kernel(reduce.reduce_elements, out.dtype, fn=fn)
            operands = (*triple(out), out.size, *triple(a), dim, out.dtype.type(start))
            launch(f"reduce by {fn.__name__}", [a.shape], made, blocks(out.size), *operands)

        return run

    @classmethod
    def update_kernel(cls, rule: Fn) -> Kernel:
        """See `TensorOps.update_kernel`: one launch for all rows."""
        return functools.partial(optimizer_step.update, rule)

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        """See `TensorOps.matmul_kernel`."""
        shapes, sizes = [a.shape, b.shape], (lead(out), *out.shape[-2:], a.shape[-1])
        x, y, into = ((read(t), _steps(t)) for t in (a, b, out))
        if matmul.multiply(shapes, out.dtype, *into, *x, *y, sizes):
            return
        grid = tiles(out.shape[-2], out.shape[-1], a.shape[-1], min(lead(out), MOST_LAYERS))
        made = kernel(matmul.matmul_tiles, out.dtype)
        operands = (*_matrices(out), out.size, *_matrices(a), *_matrices(b))
        launch("matrix product", shapes, made, grid, *operands)

    @classmethod
    def take(cls, a: TensorData, rows: npt.NDArray[np.int64]) -> TensorData:
        """See `TensorOps.take`: the numbers of the rows move to the device, the matrix stays there."""
        check_rows(rows, a.shape)
        out = cls.allocate((len(rows), a.shape[1]), a.dtype, a.backend)
        if out.size:
            made, numbers = (
                kernel(gather.take_elements, a.dtype),
                memory.storage(rows.astype(np.uint32)),
            )
            operands = (out._storage, out.size, a.shape[1], read(a), _naturals(a.strides), numbers)
            launch("take", [a.shape, rows.shape], made, grid_stride(out.size), *operands)
        return out

    @classmethod
    def take_grad(cls, d: TensorData, rows: npt.NDArray[np.int64], shape: tuple[int, ...]) -> TensorData:
        """See `TensorOps.take_grad`: elements gather in the order of ``rows``, so every run gives the same bits."""
        out = cls.allocate(shape, d.dtype, d.backend)
        if out.size:
            ends = np.cumsum(np.bincount(rows, minlength=shape[0]))
            order, starts = np.argsort(rows, kind="stable"), np.concatenate(([0], ends))
            tables = (memory.storage(table.astype(np.uint32)) for table in (order, starts))
            operands = (out._storage, out.size, shape[1], read(d), _naturals(d.strides), *tables)
            made = kernel(gather.take_grad_elements, d.dtype)
            launch("the derivative of take", [d.shape, shape], made, grid_stride(out.size), *operands)
        return out

    @classmethod
    def conv_kernel(
        cls, out: TensorData, x: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_kernel`."""
        conv.forward(block(out), block(x), block(w), params)

    @classmethod
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_input_kernel`."""
        conv.grad_input(block(out), block(d), block(w), params)

    @classmethod
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_weight_kernel`."""
        conv.grad_weight(block(out), block(x), block(d), params)

    @classmethod
    def pool_kernel(
        cls, out: TensorData, x: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_kernel`."""
        pool.pool(packed(out), packed(x), params)

    @classmethod
    def pool_grad_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_grad_kernel`."""
        pool.pool_grad(packed(out), packed(x), packed(d), params)


register_backend("cuda", cuda_backend)
