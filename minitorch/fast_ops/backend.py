"""The Numba backend: compiled loops on all cores.

Before a kernel is launched, the shapes are analysed once and remembered: dimensions of size 1 are dropped, dimensions
whose strides chain are coalesced, operands that broadcast get stride 0. Then either one flat loop is left, or rows
with a constant step. Small sizes run serially, without waking the threads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..runtime import strides as runtime_strides
from ..runtime.capture import require_readable
from ..runtime.types import Array, ConvParams, Fn, PoolParams, Shape
from ..tensor_data import IndexingError, TensorData, float_array
from ..tensor_ops.backend import TensorBackend, register_backend
from ..tensor_ops.base import Kernel, Rows, TensorOps, check_rows
from . import elementwise, gather, jit, matmul, pool, reduce
from .convolution import conv
from .fused import FUSED
from .steps import recording
from .steps.recording import recordable


def _to_four(sizes: Shape, steps: Sequence[Shape]) -> tuple[Shape, list[Shape]] | None:
    """Put dimensions of size 1 in front, up to four; None if there are more."""
    if len(sizes) > 4:
        return None
    pad = 4 - len(sizes)
    return (1,) * pad + sizes, [(0,) * pad + s for s in steps]


@functools.lru_cache(maxsize=4096)
def _plan(shape: Shape, strides: Shape, *operands: tuple[Shape, Shape]) -> tuple[Shape, list[Shape]] | None:
    return _to_four(*runtime_strides.plan(shape, strides, *operands))


@functools.lru_cache(maxsize=4096)
def _transposed_plan(sizes: Shape, to: Shape, of: Shape) -> tuple[Shape, ...] | None:
    """Put the dimension that is packed in the source before the one that is packed in the result.

    None unless they are two, and both long enough for blocks.
    """
    near = [k for k in range(3) if of[k] == 1 and sizes[k] >= elementwise.TRANSPOSE_BLOCK]
    if not near or to[3] != 1 or of[3] == 1 or sizes[3] < elementwise.TRANSPOSE_BLOCK:
        return None
    order = [*(k for k in range(3) if k != near[0]), near[0], 3]
    return tuple(tuple(values[k] for k in order) for values in (sizes, to, of))


@functools.lru_cache(maxsize=4096)
def _reduce_plan(shape: Shape, strides: Shape, dim: int) -> tuple[Shape, Shape] | None:
    sizes, steps = runtime_strides.reduction_plan(shape, strides, dim)
    found = _to_four(sizes, [steps])
    if found is None or found[0][0] != 1:
        return None
    return found[0][1:], found[1][0][1:]


@functools.lru_cache(maxsize=1024)
def _constant(value: float, dtype: np.dtype[Any]) -> Array:
    return float_array([value], dtype)


def _always(*operands: TensorData) -> bool:
    return True


launches = functools.partial(recordable, launches=recording.packed)


def _multiplies(ops: type[TensorOps], out: TensorData, a: TensorData, b: TensorData) -> bool:
    return matmul.launch(out.numpy_view(), a.numpy_view(), b.numpy_view()) is not None


class FastOps(TensorOps):
    """The Numba backend."""

    name = "fast"
    fused = FUSED

    # Large results come from a pool; a recorded step has its own.
    empty = staticmethod(recording.empty)
    storage = staticmethod(recording.storage)
    replay_input = staticmethod(recording.replay_input)
    on_host = staticmethod(recording.on_host)
    step_graph = recording.Graph

    @classmethod
    def constant(cls, value: float, dtype: np.dtype[Any]) -> Array:
        """See `TensorOps.constant`."""
        # 0.0 and -0.0 are one key.
        return _constant(value, dtype) if value else float_array([value], dtype)

    @classmethod
    def host(cls, storage: Array) -> Array:
        """See `TensorOps.host`."""
        require_readable()
        return storage

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.map_kernel`."""

        def kernel(out: TensorData, a: TensorData) -> None:
            parallel = out.size >= jit.PARALLEL
            if out.shape == a.shape and out.is_contiguous() and a.is_contiguous():
                jit.variant(elementwise.map_flat, out.dtype, parallel, fn=fn)(
                    out._storage, out.size, a._storage
                )
                return
            plan = _plan(out.shape, out.strides, (a.shape, a.strides))
            if plan is None:
                jit.variant(elementwise.map_any, out.dtype, True, fn=fn)(*out.tuple(), *a.tuple())
                return
            geometry = (plan[0], *plan[1])
            transposed = _transposed_plan(*geometry)
            loop = elementwise.map_rows if transposed is None else elementwise.map_transposed
            jit.variant(loop, out.dtype, parallel, fn=fn)(out._storage, a._storage, *(transposed or geometry))

        return recordable(kernel, _always)

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.zip_kernel`."""

        def kernel(out: TensorData, a: TensorData, b: TensorData) -> None:
            parallel = out.size >= jit.PARALLEL
            same = out.shape == a.shape == b.shape and a.is_contiguous() and b.is_contiguous()
            if same or out.size == 1:
                loop = jit.variant(elementwise.zip_flat, out.dtype, parallel, fn=fn)
                loop(out._storage, out.size, a._storage, b._storage)
                return
            plan = _plan(out.shape, out.strides, (a.shape, a.strides), (b.shape, b.strides))
            if plan is None:
                jit.variant(elementwise.zip_any, out.dtype, True, fn=fn)(*out.tuple(), *a.tuple(), *b.tuple())
            else:
                loop = jit.variant(elementwise.zip_rows, out.dtype, parallel, fn=fn)
                loop(out._storage, a._storage, b._storage, plan[0], *plan[1])

        return recordable(kernel, _always)

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """See `TensorOps.reduce_kernel`: sums are regrouped in chunks of a fixed size."""
        chunks = reduce.IDENTITIES.get(fn) == start

        def kernel(out: TensorData, a: TensorData, dim: int) -> None:
            plan = _reduce_plan(a.shape, a.strides, dim)
            if plan is None:
                a = a.copy()
            n, parallel = a.shape[dim], a.size >= jit.PARALLEL
            if a.is_contiguous():
                inner = math.prod(a.shape[dim + 1 :])
                if inner == 1 and chunks and fn in reduce.VECTORIZED:
                    loop = jit.variant(reduce.VECTORIZED[fn], a.dtype, parallel)
                    loop(out._storage, cls._partial(out, n, elementwise.CHUNK), a._storage, out.size, n)
                    return
                if inner == 1 and chunks and n >= 2 * reduce.LANES:
                    loop = jit.variant(reduce.reduce_long, a.dtype, parallel, fn=fn)
                    loop(
                        out._storage, cls._partial(out, n, elementwise.CHUNK), a._storage, start, out.size, n
                    )
                    return
                if inner >= 8:
                    rows = reduce.REDUCE_ROWS if chunks else max(n, 1)
                    loop = jit.variant(reduce.reduce_columns, a.dtype, parallel, fn=fn)
                    loop(
                        out._storage, cls._partial(out, n, rows), a._storage, start, out.size // inner, n, inner, rows
                    )  # fmt: skip
                    return
            plan = _reduce_plan(a.shape, a.strides, dim)
            if plan is None:
                out._storage[:] = start
                jit.variant(reduce.reduce_any, a.dtype, True, fn=fn)(*out.tuple(), *a.tuple(), dim)
            else:
                loop = jit.variant(reduce.reduce_rows, a.dtype, parallel, fn=fn)
                group = reduce.REDUCE_ROWS if chunks else max(n, 1)
                loop(out._storage, a._storage, start, *plan, n, a.strides[dim], group)

        return recordable(kernel, recording.packed)

    @classmethod
    def _partial(cls, out: TensorData, n: int, chunk: int) -> Array:
        """Return memory for the reductions of chunks of ``n`` elements; that of ``out`` where there is one chunk."""
        return out._storage if n <= chunk else cls.empty(out.size * -(-n // chunk), out.dtype)

    @classmethod
    def update_kernel(cls, rule: Fn) -> Kernel:
        """See `TensorOps.update_kernel`."""

        def update(settings: Array, rows: Rows) -> None:
            # A launch costs less than the address of an array: so one for each row.
            loops: dict[tuple[int, bool], Fn] = {}
            for p, d, *states in rows:
                kind = len(states), p.size >= jit.PARALLEL
                if kind not in loops:
                    loops[kind] = jit.variant(elementwise.UPDATES[kind[0]], settings.dtype, kind[1], fn=rule)
                loops[kind](settings, p._storage, d._storage, *[s._storage for s in states])

        return recording.recordable_update(rule, update)

    @classmethod
    @functools.partial(recordable, launches=_multiplies)
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        """See `TensorOps.matmul_kernel`."""
        matmul.matmul(out.numpy_view(), a.numpy_view(), b.numpy_view())

    @classmethod
    def take(cls, a: TensorData, rows: Array) -> TensorData:
        """See `TensorOps.take`."""
        require_readable()  # a recorded step would take the same rows each time
        check_rows(rows, a.shape)
        out = cls.allocate((len(rows), a.shape[1]), a.dtype, a.backend)
        if out.size:
            run = jit.variant(gather.take_rows, a.dtype, out.size > jit.PARALLEL)
            run(out.numpy_view(), a.packed(a.dtype), np.ascontiguousarray(rows, np.int64))
        return out

    @classmethod
    def take_grad(cls, d: TensorData, rows: Array, shape: tuple[int, ...]) -> TensorData:
        """See `TensorOps.take_grad`."""
        require_readable()
        check_rows(rows, shape)
        if d.shape != (len(rows), shape[1]):
            raise IndexingError(f"take_grad: expected shape {(len(rows), shape[1])}, got {d.shape}")
        out = cls.allocate(shape, d.dtype, d.backend)
        if out.size:
            run = jit.variant(gather.add_rows, d.dtype, out.size > jit.PARALLEL)
            run(out.numpy_view(), d.packed(d.dtype), np.ascontiguousarray(rows, np.int64))
        return out

    @classmethod
    @recordable
    def conv_kernel(
        cls, out: TensorData, x: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_kernel`."""
        conv.forward(out.numpy_view(), x.packed(out.dtype), w.packed(out.dtype), params)

    @classmethod
    @recordable
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_input_kernel`."""
        conv.grad_input(out.numpy_view(), d.packed(out.dtype), w.packed(out.dtype), params)

    @classmethod
    @recordable
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_weight_kernel`."""
        conv.grad_weight(out.numpy_view(), x.packed(out.dtype), d.packed(out.dtype), params)

    @classmethod
    @launches
    def pool_kernel(
        cls, out: TensorData, x: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_kernel`."""
        pool.pool(out.numpy_view(), x.packed(out.dtype), params)

    @classmethod
    @launches
    def pool_grad_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_grad_kernel`."""
        pool.pool_grad(out.numpy_view(), x.packed(out.dtype), d.packed(out.dtype), params)


FastBackend = TensorBackend(FastOps)
register_backend("fast", lambda: FastBackend)
