"""The CUDA room, as the course builds it: kernels to be read.

A thread computes a cell, or the threads of a block share a sum or a tile through shared memory. Shapes and strides
travel as tuples of integers. The float functions are narrowed to the dtype, so a float32 kernel computes nothing in
float64. A GPU, or Numba's simulator, is asked for at the first use. It refuses to know other rooms and Tensor.
"""

from __future__ import annotations

import ast
import functools
import types
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _cuda, cuda_conv, jit, operators, tensor_data
from ._cuda import cuda
from .retype import global_names, narrow, with_numpy
from .tensor_data import MAX_DIMS, BackendError, IndexingError, TensorData
from .tensor_ops import Fn, Kernel, Padding, Pair, TensorBackend, TensorOps, lead

THREADS_PER_BLOCK = 32
REDUCE_THREADS = 256  # that share one sum, at most
MOST_THREADS = 1024  # in a block, on any card
MOST_LAYERS = 65_535  # blocks in the z direction of a grid, on any card
TILE = 16
# Functions whose folds may be regrouped: all others are folded from left to right by one thread.
REGROUPED = (operators.add, operators.mul, operators.max, operators.max_nan)

to_index = _cuda.device(tensor_data.to_index)
index_to_position = _cuda.device(tensor_data.index_to_position)
broadcast_index = _cuda.device(tensor_data.broadcast_index)

# Names in the kernels below, to which `kernel` binds a float function and the dtype's own type.
fn: Fn = operators.id
real: Any = np.float64


def map_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int, a: Any, a_shape: Any, a_strides: Any
) -> None:
    """Write ``fn(a[i])`` into ``out[i]``: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        out_index = cuda.local.array(MAX_DIMS, np.int32)
        a_index = cuda.local.array(MAX_DIMS, np.int32)
        to_index(i, out_shape, out_index)
        broadcast_index(out_index, out_shape, a_shape, a_index)
        out[index_to_position(out_index, out_strides)] = fn(a[index_to_position(a_index, a_strides)])


def zip_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Write ``fn(a[i], b[i])`` into ``out[i]``: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        out_index = cuda.local.array(MAX_DIMS, np.int32)
        a_index = cuda.local.array(MAX_DIMS, np.int32)
        b_index = cuda.local.array(MAX_DIMS, np.int32)
        to_index(i, out_shape, out_index)
        broadcast_index(out_index, out_shape, a_shape, a_index)
        broadcast_index(out_index, out_shape, b_shape, b_index)
        out[index_to_position(out_index, out_strides)] = fn(
            a[index_to_position(a_index, a_strides)], b[index_to_position(b_index, b_strides)]
        )


def reduce_blocks(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Fold with a ``fn`` that may be regrouped: a block per cell, of any number of threads.

    Each thread folds every so-many-th cell; then their results are folded in pairs.
    """
    cache = cuda.shared.array(MOST_THREADS, real)
    index = cuda.local.array(MAX_DIMS, np.int32)
    cell, lane = cuda.blockIdx.x, cuda.threadIdx.x
    if cell < out_size:
        to_index(cell, out_shape, index)
        to, at = index_to_position(index, out_strides), index_to_position(index, a_strides)
        n, step = a_shape[reduce_dim], a_strides[reduce_dim]
        # The start value comes in once, at the end, so it need not be neutral.
        live = min(n, cuda.blockDim.x)
        if lane < live:
            total = real(a[at + lane * step])
            for j in range(lane + live, n, live):
                total = fn(a[at + j * step], total)
            cache[lane] = total
        cuda.syncthreads()
        while live > 1:
            half = (live + 1) // 2
            if lane + half < live:
                cache[lane] = fn(cache[lane + half], cache[lane])
            live = half
            cuda.syncthreads()
        if lane == 0:
            if n > 0:
                out[to] = fn(cache[0], real(reduce_value))
            else:
                out[to] = reduce_value


def fold_cells(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    reduce_dim: int, reduce_value: float,
) -> None:  # fmt: skip
    """Fold with any ``fn`` from left to right: a thread per cell."""
    i = cuda.grid(1)
    if i < out_size:
        index = cuda.local.array(MAX_DIMS, np.int32)
        to_index(i, out_shape, index)
        at, step = index_to_position(index, a_strides), a_strides[reduce_dim]
        total = real(reduce_value)
        for j in range(a_shape[reduce_dim]):
            total = fn(a[at + j * step], total)
        out[index_to_position(index, out_strides)] = total


def matmul_tiles(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    a: Any, a_shape: Any, a_strides: Any,
    b: Any, b_shape: Any, b_strides: Any,
) -> None:  # fmt: skip
    """Multiply batches of matrices: a square block of up to 32x32 threads per tile of ``out``.

    The grid counts tiles down, tiles across, and matrices. Operands pass through shared memory tile by tile, each cell
    read once per tile; each cell of ``out`` is written once.
    """
    left = cuda.shared.array((THREADS_PER_BLOCK, THREADS_PER_BLOCK), real)
    right = cuda.shared.array((THREADS_PER_BLOCK, THREADS_PER_BLOCK), real)
    tile = cuda.blockDim.x
    # Threads with neighbouring x read neighbouring cells of a row: the card joins such reads into one.
    down, across = cuda.threadIdx.y, cuda.threadIdx.x
    i, j = cuda.blockIdx.x * tile + down, cuda.blockIdx.y * tile + across
    rows, cols, depth = out_shape[1], out_shape[2], a_shape[2]
    step_a = a_strides[0] if a_shape[0] > 1 else 0
    step_b = b_strides[0] if b_shape[0] > 1 else 0
    for n in range(cuda.blockIdx.z, out_shape[0], cuda.gridDim.z):
        total = real(0)
        for low in range(0, depth, tile):
            if i < rows and low + across < depth:
                left[down, across] = a[n * step_a + i * a_strides[1] + (low + across) * a_strides[2]]
            if j < cols and low + down < depth:
                right[down, across] = b[n * step_b + (low + down) * b_strides[1] + j * b_strides[2]]
            cuda.syncthreads()
            if i < rows and j < cols:
                for k in range(min(tile, depth - low)):
                    total += left[down, k] * right[k, across]
            cuda.syncthreads()
        if i < rows and j < cols:
            out[n * out_strides[0] + i * out_strides[1] + j * out_strides[2]] = total


def update_1(size: int, settings: Any, p: Any, d: Any) -> None:
    """Update a parameter that has no states."""
    i = cuda.grid(1)
    if i < size:
        (p[i],) = fn(settings, p[i], d[i])


def update_2(size: int, settings: Any, p: Any, d: Any, s: Any) -> None:
    """Update a parameter and one state."""
    i = cuda.grid(1)
    if i < size:
        p[i], s[i] = fn(settings, p[i], d[i], s[i])


def update_3(size: int, settings: Any, p: Any, d: Any, s: Any, t: Any) -> None:
    """Update a parameter and two states."""
    i = cuda.grid(1)
    if i < size:
        p[i], s[i], t[i] = fn(settings, p[i], d[i], s[i], t[i])


def update_4(size: int, settings: Any, p: Any, d: Any, s: Any, t: Any, u: Any) -> None:
    """Update a parameter and three states."""
    i = cuda.grid(1)
    if i < size:
        p[i], s[i], t[i], u[i] = fn(settings, p[i], d[i], s[i], t[i], u[i])


UPDATES = (update_1, update_2, update_3, update_4)


def sum_blocks(out: Any, a: Any, size: int) -> None:
    """Write the sum of the k-th block of `THREADS_PER_BLOCK` cells into ``out[k]``."""
    cache = cuda.shared.array(THREADS_PER_BLOCK, real)
    i, lane = cuda.grid(1), cuda.threadIdx.x
    cache[lane] = a[i] if i < size else real(0)
    cuda.syncthreads()
    half = THREADS_PER_BLOCK // 2
    while half > 0:
        if lane < half:
            cache[lane] += cache[lane + half]
        cuda.syncthreads()
        half //= 2
    if lane == 0 and cuda.blockIdx.x < len(out):
        out[cuda.blockIdx.x] = cache[0]


def multiply_block(out: Any, a: Any, b: Any, size: int) -> None:
    """Multiply two packed square matrices that fit into one block."""
    left = cuda.shared.array((THREADS_PER_BLOCK, THREADS_PER_BLOCK), real)
    right = cuda.shared.array((THREADS_PER_BLOCK, THREADS_PER_BLOCK), real)
    i, j = cuda.threadIdx.y, cuda.threadIdx.x
    if i < size and j < size:
        left[i, j] = a[i * size + j]
        right[i, j] = b[i * size + j]
    cuda.syncthreads()
    if i < size and j < size:
        total = real(0)
        for k in range(size):
            total += left[i, k] * right[k, j]
        out[i * size + j] = total


# From functions to kernels


def device_function(fn: Fn, dtype: Any) -> Fn:
    """Return a float function, plain or compiled, as kernels can call it: with numbers of ``dtype`` only."""
    plain = fn if isinstance(fn, types.FunctionType) else fn.py_func  # type: ignore[attr-defined]
    return with_numpy(plain) if _cuda.SIMULATED else _narrowed(plain, np.dtype(dtype).name)


def _narrowed(fn: types.FunctionType, dtype: str) -> Fn:
    names = {**fn.__globals__, dtype: np.dtype(dtype).type}
    for name in global_names(fn.__code__):
        called = fn.__globals__.get(name)
        if isinstance(called, types.FunctionType) and called is not fn:
            names[name] = _narrowed(called, dtype)
    tree = None if fn.__closure__ else narrow(fn, dtype)
    if tree is None:
        return _cuda.device(
            types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__)
        )
    exec(compile(ast.Module([tree], []), f"<{fn.__name__} in {dtype}>", "exec"), names)
    return _cuda.device(names[tree.name])


@functools.cache
def _bound(loop: Fn, dtype: Any) -> Any:
    return _cuda.jit()(jit.bind(loop, dtype))


def kernel(loop: Fn, dtype: Any, fn: Fn | None = None) -> Any:
    """Return ``loop`` as a kernel, with ``real`` bound to the type of ``dtype`` and ``fn`` to a float function.

    It is compiled at its first launch: ``kernel(...)[blocks, threads](...)``.
    """
    if fn is None:
        return _bound(loop, np.dtype(dtype))
    return _cuda.jit()(jit.bind(loop, dtype, fn=device_function(fn, dtype)))


def tensor_map(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the map kernel ``(*out, out_size, *a)`` on (storage, shape, strides) triples; a thread per cell.

    Args:
        fn: A float function, plain or compiled.
        dtype: What it computes in.
    """
    return kernel(map_cells, dtype, fn)


def tensor_zip(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the zip kernel ``(*out, out_size, *a, *b)``; see `tensor_map`."""
    return kernel(zip_cells, dtype, fn)


def tensor_reduce(fn: Fn, dtype: Any = np.float64) -> Any:
    """Return the reduction ``(*out, out_size, *a, reduce_dim, reduce_value)``; a block of up to 1024 threads per cell.

    The order of cells is not kept: ``fn`` must be associative and commutative.
    """
    return kernel(reduce_blocks, dtype, fn)


tensor_matrix_multiply = kernel(matmul_tiles, np.float64)
jit_sum_practice = kernel(sum_blocks, np.float64)
jit_mm_practice = kernel(multiply_block, np.float64)


# The room


@functools.cache
def ready() -> None:
    """Make sure, once, that kernels can be launched.

    Raises:
        BackendError: There is no GPU and no simulator.
    """
    if cuda is None:
        raise BackendError(
            "the cuda backend needs numba.cuda, which is not installed: pip install 'minitorch[cuda]', "
            "or use backend 'fast'"
        )
    if not _cuda.available():
        raise BackendError(
            "the cuda backend needs an NVIDIA GPU with driver and CUDA toolkit (pip install 'minitorch[cuda]'), "
            "and Numba finds none: use backend 'fast', or set NUMBA_ENABLE_CUDASIM=1 to simulate a GPU"
        )
    # Small tensors are normal here, and Numba would warn of each.
    warnings.filterwarnings("ignore", "Grid size .* will likely result in GPU under-utilization")


@functools.cache
def cuda_backend() -> TensorBackend:
    """Return the backend on the CUDA room, the same at each call.

    Raises:
        BackendError: There is no GPU and no simulator.
    """
    ready()
    return TensorBackend(CudaOps)


def _blocks(size: int) -> int:
    return (size + THREADS_PER_BLOCK - 1) // THREADS_PER_BLOCK


def _triple(t: TensorData) -> tuple[Any, Any, Any]:
    # An empty tuple has no type of cells that a kernel could be compiled for: one cell is a row of one.
    return t._storage, t.shape or (1,), t.strides or (1,)


def _read(t: TensorData) -> tuple[Any, Any, Any]:
    """Return the triple of an operand, which moves to the device now if it was made on a NumPy array."""
    t._storage = CudaOps.storage(t._storage)
    return _triple(t)


def _matrices(triple: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    storage, shape, strides = triple
    return triple if len(shape) == 3 else (storage, (1, *shape), (0, *strides))


def _packed(t: TensorData) -> Any:
    storage, shape, _ = _read(t.contiguous())
    return storage.reshape(shape)


class CudaOps(TensorOps):
    """The CUDA room."""

    name = "cuda"
    cuda = True

    @classmethod
    def storage(cls, array: npt.NDArray[Any]) -> Any:
        ready()
        return cuda.to_device(np.ascontiguousarray(array)) if isinstance(array, np.ndarray) else array

    @classmethod
    def empty(cls, size: int, dtype: np.dtype[Any]) -> Any:
        ready()
        return cuda.device_array(size, dtype)

    @classmethod
    def host(cls, storage: Any) -> npt.NDArray[Any]:
        return storage if isinstance(storage, np.ndarray) else storage.copy_to_host()

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        compiled = functools.cache(lambda dtype: tensor_map(fn, dtype))

        def launch(out: TensorData, a: TensorData) -> None:
            compiled(out.dtype)[_blocks(out.size), THREADS_PER_BLOCK](*_triple(out), out.size, *_read(a))

        return launch

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        compiled = functools.cache(lambda dtype: tensor_zip(fn, dtype))

        def launch(out: TensorData, a: TensorData, b: TensorData) -> None:
            compiled(out.dtype)[_blocks(out.size), THREADS_PER_BLOCK](
                *_triple(out), out.size, *_read(a), *_read(b)
            )

        return launch

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """See `TensorOps.reduce_kernel`: sums, products and maxima are regrouped, the same way at each run."""
        compiled = functools.cache(lambda loop, dtype: kernel(loop, dtype, fn))

        def launch(out: TensorData, a: TensorData, dim: int) -> None:
            loop, grid = fold_cells, (_blocks(out.size), THREADS_PER_BLOCK)
            if fn in REGROUPED:
                loop, grid = reduce_blocks, (out.size, max(1, min(a.shape[dim], REDUCE_THREADS)))
            compiled(loop, out.dtype)[grid](*_triple(out), out.size, *_read(a), dim, out.dtype.type(start))

        return launch

    @classmethod
    def update_kernel(cls, rule: Fn) -> Kernel:
        compiled = functools.cache(lambda loop, dtype: kernel(loop, dtype, rule))

        def launch(settings: tuple[float, ...], p: TensorData, d: TensorData, *states: TensorData) -> None:
            blocks = [_read(t)[0] for t in (p, d, *states)]
            narrow_settings = tuple(p.dtype.type(s) for s in settings)
            compiled(UPDATES[len(states)], p.dtype)[_blocks(p.size), THREADS_PER_BLOCK](
                p.size, narrow_settings, *blocks
            )

        return launch

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        rows, cols = out.shape[-2:]
        # Small matrices need no larger a block.
        tile = max(1, min(TILE, max(rows, cols, a.shape[-1])))
        grid = -(-rows // tile), -(-cols // tile), min(lead(out), MOST_LAYERS)
        operands = [_matrices(t) for t in (_triple(out), _read(a), _read(b))]
        kernel(matmul_tiles, out.dtype)[grid, (tile, tile, 1)](
            *operands[0], out.size, *operands[1], *operands[2]
        )

    @classmethod
    def conv_kernel(
        cls, out: TensorData, x: TensorData, w: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        cuda_conv.forward(_packed(out), _packed(x), _packed(w), stride, padding, dilation, groups)

    @classmethod
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        cuda_conv.grad_input(_packed(out), _packed(d), _packed(w), stride, padding, dilation, groups)

    @classmethod
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        stride: Pair, padding: Padding, dilation: Pair, groups: int,
    ) -> None:  # fmt: skip
        cuda_conv.grad_weight(_packed(out), _packed(x), _packed(d), stride, padding, dilation, groups)

    @classmethod
    def pool_kernel(
        cls, out: TensorData, x: TensorData,
        kind: str, window: Pair, stride: Pair, padding: Padding, dilation: Pair, count_pad: bool,
    ) -> None:  # fmt: skip
        cuda_conv.pool(_packed(out), _packed(x), kind, window, stride, padding, dilation, count_pad)

    @classmethod
    def pool_grad_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        kind: str, window: Pair, stride: Pair, padding: Padding, dilation: Pair, count_pad: bool,
    ) -> None:  # fmt: skip
        cuda_conv.pool_grad(
            _packed(out), _packed(x), _packed(d), kind, window, stride, padding, dilation, count_pad
        )


# The exercises of the course


def _practice(a: Any) -> TensorData:
    t: TensorData = a if isinstance(a, TensorData) else a._unwrap()
    CudaOps.same_room(t)
    return t.contiguous()


def sum_practice(a: Any) -> TensorData:
    """Sum blocks of `THREADS_PER_BLOCK` cells of a 1-D tensor, each through the shared memory of one block of threads.

    Returns:
        A cell per block, and at least two.

    Raises:
        IndexingError: ``a`` is not 1-D.
        BackendError: It is not in the CUDA room.
    """
    t = _practice(a)
    if t.dims != 1:
        raise IndexingError(f"sum_practice takes a tensor of one dimension, not of shape {t.shape}")
    blocks = max(2, _blocks(t.size))
    out = CudaOps.allocate((blocks,), t.dtype, t.backend)
    kernel(sum_blocks, t.dtype)[blocks, THREADS_PER_BLOCK](out._storage, _read(t)[0], t.size)
    return out


def mm_practice(a: Any, b: Any) -> TensorData:
    """Multiply two square matrices of up to 32x32 cells in the shared memory of one block of threads.

    Raises:
        IndexingError: They are not square, differ in size, or are too large.
        BackendError: They are not in the CUDA room.
    """
    x, y = _practice(a), _practice(b)
    size = x.shape[0] if x.dims else 0
    if x.shape != (size, size) or y.shape != x.shape or not 1 <= size <= THREADS_PER_BLOCK:
        raise IndexingError(
            f"mm_practice takes two square matrices of one size up to {THREADS_PER_BLOCK}, "
            f"not shapes {x.shape} and {y.shape}"
        )
    dtype = np.promote_types(x.dtype, y.dtype)
    out = CudaOps.allocate(x.shape, dtype, x.backend)
    launch = kernel(multiply_block, dtype)[1, (THREADS_PER_BLOCK, THREADS_PER_BLOCK)]
    launch(out._storage, _read(x)[0], _read(y)[0], size)
    return out
