"""The Numba room: compiled loops on all cores.

Before a kernel is launched, the shapes are analysed once and remembered: dimensions of size 1 are dropped, dimensions
whose strides chain are merged, operands that broadcast get stride 0. Then either one flat loop is left, or rows with
a constant step. Small sizes run serially, without waking the threads. It refuses to know other rooms and Tensor.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numba import prange

from . import fast_conv, fast_matmul, fast_norm, fast_pool, jit, operators, tensor_data
from .tensor_data import MAX_DIMS, TensorData
from .tensor_data import broadcast_index as spread
from .tensor_data import index_to_position as place
from .tensor_data import to_index as locate
from .tensor_ops import Fn, Kernel, Padding, Pair, TensorBackend, TensorOps

to_index = jit.njit(tensor_data.to_index)
index_to_position = jit.njit(tensor_data.index_to_position)
broadcast_index = jit.njit(tensor_data.broadcast_index)
tensor_matrix_multiply = fast_matmul.tensor_matrix_multiply

CHUNK = (
    4096  # cells that one thread takes at a time; fixed, so that sums do not depend on the number of threads
)
PARALLEL = 32_768  # cells from which waking the threads pays
IDENTITIES: dict[Fn, float] = {
    operators.add: 0.0,
    operators.mul: 1.0,
    operators.max: -math.inf,
    operators.max_nan: -math.inf,
}

# Names in the loops below, to which `jit.kernel` binds a float function and the dtype's own type.
fn: Fn = operators.id
real: Any = np.float64


def map_flat(out: Any, a: Any, n: int) -> None:
    """Write ``fn(a[i])`` into ``out[i]``: both packed, of one shape."""
    for i in prange(n):
        out[i] = fn(a[i])


def zip_flat(out: Any, a: Any, b: Any, n: int) -> None:
    """Write ``fn(a[i], b[i])`` into ``out[i]``: all packed, of one shape."""
    for i in prange(n):
        out[i] = fn(a[i], b[i])


def map_rows(out: Any, a: Any, sizes: Any, to: Any, of: Any) -> None:
    """Map over four merged dimensions: ``sizes``, and the strides of both operands; the last one is a row."""
    n = sizes[3]
    pieces = (n + CHUNK - 1) // CHUNK
    for t in prange(sizes[0] * sizes[1] * sizes[2] * pieces):
        r, low = t // pieces, (t % pieces) * CHUNK
        i2, i1, i0 = r % sizes[2], r // sizes[2] % sizes[1], r // (sizes[2] * sizes[1])
        dst = out[i0 * to[0] + i1 * to[1] + i2 * to[2] + low * to[3] :]
        src = a[i0 * of[0] + i1 * of[1] + i2 * of[2] + low * of[3] :]
        m = min(CHUNK, n - low)
        if to[3] == 1 and of[3] == 1:
            for i in range(m):
                dst[i] = fn(src[i])
        else:
            for i in range(m):
                dst[i * to[3]] = fn(src[i * of[3]])


def zip_rows(out: Any, a: Any, b: Any, sizes: Any, to: Any, of_a: Any, of_b: Any) -> None:
    """Zip over four merged dimensions: ``sizes``, and the strides of all operands; the last one is a row."""
    n = sizes[3]
    pieces = (n + CHUNK - 1) // CHUNK
    for t in prange(sizes[0] * sizes[1] * sizes[2] * pieces):
        r, low = t // pieces, (t % pieces) * CHUNK
        i2, i1, i0 = r % sizes[2], r // sizes[2] % sizes[1], r // (sizes[2] * sizes[1])
        dst = out[i0 * to[0] + i1 * to[1] + i2 * to[2] + low * to[3] :]
        x = a[i0 * of_a[0] + i1 * of_a[1] + i2 * of_a[2] + low * of_a[3] :]
        y = b[i0 * of_b[0] + i1 * of_b[1] + i2 * of_b[2] + low * of_b[3] :]
        m = min(CHUNK, n - low)
        if to[3] == 1 and of_a[3] == 1 and of_b[3] == 1:
            for i in range(m):
                dst[i] = fn(x[i], y[i])
        elif to[3] == 1 and of_a[3] == 1 and of_b[3] == 0:
            v = y[0]
            for i in range(m):
                dst[i] = fn(x[i], v)
        elif to[3] == 1 and of_a[3] == 0 and of_b[3] == 1:
            u = x[0]
            for i in range(m):
                dst[i] = fn(u, y[i])
        else:
            for i in range(m):
                dst[i * to[3]] = fn(x[i * of_a[3]], y[i * of_b[3]])


def reduce_rows(out: Any, a: Any, start: float, sizes: Any, of: Any, n: int, step: int) -> None:
    """Fold each row of ``n`` cells, ``step`` apart; the rows lie over three merged dimensions."""
    for t in prange(sizes[0] * sizes[1] * sizes[2]):
        i2, i1, i0 = t % sizes[2], t // sizes[2] % sizes[1], t // (sizes[2] * sizes[1])
        row = a[i0 * of[0] + i1 * of[1] + i2 * of[2] :]
        total = real(start)
        if step == 1:
            for j in range(n):
                total = fn(row[j], total)
        else:
            for j in range(n):
                total = fn(row[j * step], total)
        out[t] = total


def reduce_columns(out: Any, a: Any, start: float, outer: int, n: int, inner: int) -> None:
    """Fold the middle of three packed dimensions, whole rows of the last at a time."""
    pieces = (inner + CHUNK - 1) // CHUNK
    for t in prange(outer * pieces):
        block, low = t // pieces, (t % pieces) * CHUNK
        m = min(CHUNK, inner - low)
        dst = out[block * inner + low :]
        for i in range(m):
            dst[i] = real(start)
        for j in range(n):
            src = a[(block * n + j) * inner + low :]
            for i in range(m):
                dst[i] = fn(src[i], dst[i])


def reduce_long(out: Any, a: Any, start: float, rows: int, n: int) -> None:
    """Fold long packed rows in chunks, then the chunks in order."""
    pieces = (n + CHUNK - 1) // CHUNK
    partial = np.empty(rows * pieces, out.dtype)
    for t in prange(rows * pieces):
        row, low = t // pieces, (t % pieces) * CHUNK
        src = a[row * n + low :]
        total = real(start)
        for j in range(min(CHUNK, n - low)):
            total = fn(src[j], total)
        partial[t] = total
    for row in range(rows):
        total = real(start)
        for k in range(pieces):
            total = fn(partial[row * pieces + k], total)
        out[row] = total


def update_1(settings: Any, p: Any, d: Any) -> None:
    """Update ``p``, in place."""
    for i in prange(len(p)):
        (p[i],) = fn(settings, p[i], d[i])


def update_2(settings: Any, p: Any, d: Any, s: Any) -> None:
    """Update ``p`` and one state, in place."""
    for i in prange(len(p)):
        p[i], s[i] = fn(settings, p[i], d[i], s[i])


def update_3(settings: Any, p: Any, d: Any, s: Any, t: Any) -> None:
    """Update ``p`` and two states, in place."""
    for i in prange(len(p)):
        p[i], s[i], t[i] = fn(settings, p[i], d[i], s[i], t[i])


def update_4(settings: Any, p: Any, d: Any, s: Any, t: Any, u: Any) -> None:
    """Update ``p`` and three states, in place."""
    for i in prange(len(p)):
        p[i], s[i], t[i], u[i] = fn(settings, p[i], d[i], s[i], t[i], u[i])


UPDATES = (update_1, update_2, update_3, update_4)


def map_any(out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any) -> None:
    """Map over any shapes: index arithmetic for each cell, unless the operands are aligned."""
    size = 1
    for n in out_shape:
        size *= n
    if len(out_shape) == len(a_shape) and (out_shape == a_shape).all() and (out_strides == a_strides).all():
        for i in prange(size):
            out[i] = fn(a[i])
    else:
        for i in prange(size):
            out_index = np.empty(MAX_DIMS, np.int32)
            a_index = np.empty(MAX_DIMS, np.int32)
            locate(i, out_shape, out_index)
            spread(out_index, out_shape, a_shape, a_index)
            out[place(out_index, out_strides)] = fn(a[place(a_index, a_strides)])


def zip_any(
    out: Any, out_shape: Any, out_strides: Any,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Zip over any shapes: index arithmetic for each cell, unless the operands are aligned."""
    size = 1
    for n in out_shape:
        size *= n
    aligned = len(out_shape) == len(a_shape) and len(out_shape) == len(b_shape)
    aligned = aligned and (out_shape == a_shape).all() and (out_shape == b_shape).all()
    if aligned and (out_strides == a_strides).all() and (out_strides == b_strides).all():
        for i in prange(size):
            out[i] = fn(a[i], b[i])
    else:
        for i in prange(size):
            out_index = np.empty(MAX_DIMS, np.int32)
            a_index = np.empty(MAX_DIMS, np.int32)
            b_index = np.empty(MAX_DIMS, np.int32)
            locate(i, out_shape, out_index)
            spread(out_index, out_shape, a_shape, a_index)
            spread(out_index, out_shape, b_shape, b_index)
            out[place(out_index, out_strides)] = fn(
                a[place(a_index, a_strides)], b[place(b_index, b_strides)]
            )


def reduce_any(
    out: Any, out_shape: Any, out_strides: Any, a: Any, a_shape: Any, a_strides: Any, reduce_dim: int
) -> None:
    """Fold along any dimension; ``out`` holds the start values."""
    size = 1
    for n in out_shape:
        size *= n
    for i in prange(size):
        out_index = np.empty(MAX_DIMS, np.int32)
        locate(i, out_shape, out_index)
        to = place(out_index, out_strides)
        at = place(out_index, a_strides)
        total = out[to]
        for j in range(a_shape[reduce_dim]):
            total = fn(a[at + j * a_strides[reduce_dim]], total)
        out[to] = total


def tensor_map(fn: Fn) -> Kernel:
    """Return the parallel map on (storage, shape, strides) triples, out first; ``fn`` may be compiled already.

    These three are compiled anew in each process, so that ``parallel_diagnostics`` has something to tell.
    """
    return jit.kernel(map_any, parallel=True, cache=False, fn=fn)


def tensor_zip(fn: Fn) -> Kernel:
    """Return the parallel zip on (storage, shape, strides) triples, out first; see `tensor_map`."""
    return jit.kernel(zip_any, parallel=True, cache=False, fn=fn)


def tensor_reduce(fn: Fn) -> Kernel:
    """Return the parallel reduction on (storage, shape, strides) triples, out first, then ``reduce_dim``."""
    return jit.kernel(reduce_any, parallel=True, cache=False, fn=fn)


Shape = tuple[int, ...]


def _merged(shape: Shape, *operands: Shape) -> tuple[Shape, list[Shape]] | None:
    """Drop dimensions of size 1 and merge those whose strides chain in all operands; None if over 4 are left."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in operands]
    for k, n in enumerate(shape):
        if n == 1:
            continue
        here = [s[k] for s in operands]
        if sizes and all(before[-1] == now * n for before, now in zip(steps, here)):
            sizes[-1] *= n
            for before, now in zip(steps, here):
                before[-1] = now
        else:
            sizes.append(n)
            for before, now in zip(steps, here):
                before.append(now)
    if len(sizes) > 4:
        return None
    pad = 4 - len(sizes)
    return (1,) * pad + tuple(sizes), [(0,) * pad + tuple(s) for s in steps]


def _stretched(shape: Shape, own: Shape, strides: Shape) -> Shape:
    """Return the strides with which an operand of shape ``own`` is read as ``shape``."""
    return (0,) * (len(shape) - len(own)) + tuple(0 if n == 1 else s for n, s in zip(own, strides))


@functools.lru_cache(maxsize=4096)
def _plan(shape: Shape, strides: Shape, *operands: tuple[Shape, Shape]) -> tuple[Shape, list[Shape]] | None:
    return _merged(shape, strides, *(_stretched(shape, *o) for o in operands))


@functools.lru_cache(maxsize=4096)
def _reduce_plan(shape: Shape, strides: Shape, dim: int) -> tuple[Shape, Shape] | None:
    rest = [k for k in range(len(shape)) if k != dim]
    found = _merged(tuple(shape[k] for k in rest), tuple(strides[k] for k in rest))
    if found is None or found[0][0] != 1:
        return None
    return found[0][1:], found[1][0][1:]


class _Variants:
    """The compiled forms of loops over one float function, made when first asked for."""

    def __init__(self, fn: Fn, flags: tuple[str, ...] = jit.CONTRACT) -> None:
        self.fn, self.flags = fn, flags
        self.made: dict[tuple[Fn, int, bool], Fn] = {}

    def get(self, loop: Fn, dtype: np.dtype[Any], parallel: bool) -> Fn:
        key = (loop, dtype.itemsize, parallel)
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = jit.kernel(loop, dtype, parallel=parallel, flags=self.flags, fn=self.fn)
        return found


class FastOps(TensorOps):
    """The Numba room."""

    name = "fast"

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.map_kernel`."""
        variants = _Variants(fn)

        def kernel(out: TensorData, a: TensorData) -> None:
            parallel = out.size >= PARALLEL
            if out.shape == a.shape and out.is_contiguous() and a.is_contiguous():
                variants.get(map_flat, out.dtype, parallel)(out._storage, a._storage, out.size)
                return
            plan = _plan(out.shape, out.strides, (a.shape, a.strides))
            if plan is None:
                variants.get(map_any, out.dtype, True)(*out.tuple(), *a.tuple())
            else:
                variants.get(map_rows, out.dtype, parallel)(out._storage, a._storage, plan[0], *plan[1])

        return kernel

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        """See `TensorOps.zip_kernel`."""
        variants = _Variants(fn)

        def kernel(out: TensorData, a: TensorData, b: TensorData) -> None:
            parallel = out.size >= PARALLEL
            if out.shape == a.shape == b.shape and a.is_contiguous() and b.is_contiguous():
                variants.get(zip_flat, out.dtype, parallel)(out._storage, a._storage, b._storage, out.size)
                return
            plan = _plan(out.shape, out.strides, (a.shape, a.strides), (b.shape, b.strides))
            if plan is None:
                variants.get(zip_any, out.dtype, True)(*out.tuple(), *a.tuple(), *b.tuple())
            else:
                loop = variants.get(zip_rows, out.dtype, parallel)
                loop(out._storage, a._storage, b._storage, plan[0], *plan[1])

        return kernel

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """See `TensorOps.reduce_kernel`: sums are regrouped in chunks of a fixed size."""
        variants = _Variants(fn, jit.REASSOCIATE)
        chunks = IDENTITIES.get(fn) == start

        def kernel(out: TensorData, a: TensorData, dim: int) -> None:
            plan = _reduce_plan(a.shape, a.strides, dim)
            if plan is None:
                a = a.copy()
            n, parallel = a.shape[dim], a.size >= PARALLEL
            if a.is_contiguous():
                inner = math.prod(a.shape[dim + 1 :])
                if inner == 1 and chunks and n >= 2 * CHUNK:
                    variants.get(reduce_long, a.dtype, parallel)(out._storage, a._storage, start, out.size, n)
                    return
                if inner >= 8:
                    outer = out.size // inner
                    loop = variants.get(reduce_columns, a.dtype, parallel)
                    loop(out._storage, a._storage, start, outer, n, inner)
                    return
            plan = _reduce_plan(a.shape, a.strides, dim)
            if plan is None:
                out._storage[:] = start
                variants.get(reduce_any, a.dtype, True)(*out.tuple(), *a.tuple(), dim)
            else:
                loop = variants.get(reduce_rows, a.dtype, parallel)
                loop(out._storage, a._storage, start, *plan, n, a.strides[dim])

        return kernel

    @classmethod
    def update_kernel(cls, rule: Fn) -> Kernel:
        """See `TensorOps.update_kernel`."""
        variants = _Variants(rule)

        def kernel(settings: tuple[float, ...], p: TensorData, d: TensorData, *states: TensorData) -> None:
            loop = variants.get(UPDATES[len(states)], p.dtype, p.size >= PARALLEL)
            loop(np.array(settings, p.dtype), p._storage, d._storage, *(s._storage for s in states))

        return kernel

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        """See `TensorOps.matmul_kernel`."""
        fast_matmul.matmul(_array(out), _array(a), _array(b))

    @classmethod
    def conv_kernel(
        cls, out: TensorData, x: TensorData, w: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_kernel`."""
        fast_conv.forward(_array(out), _packed(x, out), _packed(w, out), stride, padding, dilation, groups)

    @classmethod
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_input_kernel`."""
        fast_conv.grad_input(_array(out), _packed(d, out), _packed(w, out), stride, padding, dilation, groups)

    @classmethod
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        """See `TensorOps.conv_grad_weight_kernel`."""
        fast_conv.grad_weight(
            _array(out), _packed(x, out), _packed(d, out), stride, padding, dilation, groups
        )

    @classmethod
    def pool_kernel(
        cls, out: TensorData, x: TensorData,
        kind: str, window: Pair, stride: Pair, padding: Padding, dilation: Pair, count_pad: bool,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_kernel`."""
        fast_pool.pool(_array(out), _packed(x, out), kind, window, stride, padding, dilation, count_pad)

    @classmethod
    def pool_grad_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        kind: str, window: Pair, stride: Pair, padding: Padding, dilation: Pair, count_pad: bool,
    ) -> None:  # fmt: skip
        """See `TensorOps.pool_grad_kernel`."""
        fast_pool.pool_grad(
            _array(out), _packed(x, out), _packed(d, out), kind, window, stride, padding, dilation, count_pad
        )

    @classmethod
    def norm(
        cls, x: TensorData, w: TensorData, b: TensorData, eps: float
    ) -> tuple[TensorData, TensorData, TensorData]:
        """See `OptionalOps.norm`."""
        y = cls.allocate(x.shape, x.dtype, x.backend)
        mean, var = (cls.allocate((1, x.shape[1], 1), x.dtype, x.backend) for _ in range(2))
        run = jit.variant(fast_norm.norm, x.dtype, x.size > PARALLEL, jit.REASSOCIATE)
        run(_array(y), mean._storage, var._storage, _packed(x, y), _flat(w, y), _flat(b, y), eps)
        return y, mean, var

    @classmethod
    def norm_grad(
        cls, x: TensorData, w: TensorData, d: TensorData, mean: TensorData, var: TensorData, eps: float
    ) -> tuple[TensorData, TensorData, TensorData]:
        """See `OptionalOps.norm_grad`."""
        dx = cls.allocate(x.shape, x.dtype, x.backend)
        dw, db = (cls.allocate(mean.shape, x.dtype, x.backend) for _ in range(2))
        run = jit.variant(fast_norm.norm_grad, x.dtype, x.size > PARALLEL, jit.REASSOCIATE)
        sums = (dw._storage, db._storage)
        run(_array(dx), *sums, _packed(x, dx), _flat(w, dx), _packed(d, dx), mean._storage, var._storage, eps)
        return dx, dw, db

    @classmethod
    def scale_shift(cls, x: TensorData, w: TensorData, b: TensorData) -> TensorData:
        """See `OptionalOps.scale_shift`."""
        y = cls.allocate(x.shape, x.dtype, x.backend)
        run = jit.variant(fast_norm.scale_shift, x.dtype, x.size > PARALLEL)
        run(_array(y), _packed(x, y), _flat(w, y), _flat(b, y))
        return y

    @classmethod
    def cross_entropy(cls, x: TensorData, target: TensorData) -> tuple[TensorData, TensorData]:
        """See `OptionalOps.cross_entropy`."""
        grad = cls.allocate(x.shape, x.dtype, x.backend)
        losses = cls.allocate((x.shape[0], 1), x.dtype, x.backend)
        run = jit.variant(fast_norm.cross_entropy, x.dtype, x.size > PARALLEL)
        run(losses._storage, _array(grad), _packed(x, grad), _packed(target, grad))
        return losses, grad


def _flat(t: TensorData, out: TensorData) -> Any:
    """Return the cells of ``t`` in a row, of the dtype of ``out``."""
    return _packed(t, out).reshape(-1)


def _packed(t: TensorData, out: TensorData) -> Any:
    """Return ``t`` as a packed array of the dtype of ``out``."""
    return np.ascontiguousarray(_array(t), out.dtype)


def _array(t: TensorData) -> Any:
    return t.laid_out(t._storage)


FastBackend = TensorBackend(FastOps)
