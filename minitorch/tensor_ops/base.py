"""TensorOps: the interface that every backend implements, and the dispatch that all backends share.

It depends on `tensor_data` and `runtime`; the backends in `fast_ops` and `cuda_ops` subclass it.

A backend provides memory (``storage``, ``empty``, ``host``) and a short list of kernels, which write into a given
``out``. The dispatch is the same for all: it checks that operands share a backend, promotes dtypes, broadcasts shapes,
allocates the result and calls the kernel. Composite operations, convolution and pooling come from `composite` and
`conv`, with defaults for a backend that has no kernels of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ..runtime import dlpack, shape_errors
from ..runtime.specialize import with_numpy
from ..runtime.step_graph import StepGraph
from ..runtime.types import Fn
from ..tensor_data import (
    FLOATS,
    MAX_SIZE,
    BackendError,
    IndexingError,
    TensorData,
    float_array,
    normal_dim,
    require_countable,
    shape_broadcast,
)
from .composite import CompositeOps
from .conv import ConvOps, through_variables

Kernel: TypeAlias = Callable[..., None]
Rows = Sequence[tuple[TensorData, ...]]


class MapProto(Protocol):
    """The type of what ``TensorOps.map`` returns."""

    def __call__(self, a: Any, out: Any = None) -> Any:
        """Apply to each element of ``a``, into ``out`` if it is given."""
        ...


class TensorOps(CompositeOps, ConvOps):
    """The backend interface. A backend overrides the kernels that it does better.

    A subclass that defines just the four methods ``map``, ``zip``, ``reduce`` and ``matrix_multiply`` (as in the
    course) is a backend too: convolution and pooling then run plain loops.

    Kernels trust their operands: they check no index. What stands before each of them:

    - everything: layouts stay inside of their storage and are countable (`TensorData.__init__`, `require_countable`);
      results are allocated by `allocate`, of at least one element; operands are in one backend
      (`require_same_backend`)
    - ``map_kernel``, ``zip_kernel``: operands broadcast into the result (`shape_broadcast`)
    - ``reduce_kernel``: the dimension exists (`normal_dim`) and has at least one element
    - ``matmul_kernel``: dimensions, inner sizes and batches fit, and the inner size is at least 1
    - ``update_kernel``: gradients and states have the shape of their tensor (`Tensor.update_all_`, `Tensor.grad`,
      `Optimizer.step`); the rule itself must stay inside of its settings
    - ``conv_kernel`` and its gradients: `conv.conv_shape`: nothing is empty but the batch, settings are in range, the
      kernel fits the padded input, the padded input is countable; gradients have the shape of the output
    - ``pool_kernel``, ``pool_grad_kernel``: `conv.require_windows`: settings are in range, windows start inside of the
      images; gradients have the shape of an output
    - ``fused``: the shape function of each composite operation in `composite`, also where ``MINITORCH_FUSE=0``
    - ``take``, ``take_grad``: `check_rows`
    - the course's kernels on (storage, shape, strides), in `fast_ops.course`, `fast_conv`, `cuda_conv`: nothing, as in
      the course; the caller passes what `TensorData.tuple` returns
    """

    name: ClassVar[str] = "custom"
    cuda: ClassVar[bool] = False

    # Memory

    @classmethod
    def storage(cls, array: npt.NDArray[Any]) -> Any:
        """Bring a flat NumPy array into the backend."""
        return array

    @classmethod
    def constant(cls, value: float, dtype: np.dtype[Any]) -> Any:
        """Return a number, which nobody writes to, as memory of the backend, which may remember it."""
        return cls.storage(float_array([value], dtype))

    @classmethod
    def replay_input(cls, make: Callable[[], npt.NDArray[Any]]) -> Any:
        """Bring the flat array ``make()``, which nobody writes to, into the backend.

        A backend that records a step, to replay it without Python, calls ``make`` again before each replay.
        """
        return cls.storage(make())

    @classmethod
    def empty(cls, size: int, dtype: np.dtype[Any]) -> Any:
        """Return a fresh block of ``size`` elements with any content."""
        return np.empty(size, dtype)

    @classmethod
    def host(cls, storage: Any) -> npt.NDArray[Any]:
        """Return the block as a NumPy array: the only blocking read."""
        return storage

    @classmethod
    def write(cls, storage: Any, array: npt.NDArray[Any]) -> None:
        """Copy the numbers of a flat NumPy array into a storage."""
        storage[:] = array

    @classmethod
    def on_host(cls, fn: Fn, *operands: Any) -> bool:
        """Call a function that reads values on the host, now or at each replay of a recorded step.

        Returns:
            Whether the backend can: the GPU cannot wait for the host.
        """
        fn(*operands)
        return True

    @classmethod
    def step_graph(cls) -> StepGraph:
        """Return a graph that records a step of this backend.

        Raises:
            BackendError: The backend cannot.
        """
        raise BackendError(f"GraphedStep: expected tensors in backend 'fast' or 'cuda', got {cls.name!r}")

    @classmethod
    def place(cls, t: TensorData) -> dlpack.Place:
        """Return the device of a storage, as DLPack numbers it.

        Raises:
            BufferError: It cannot be shared.
        """
        if not isinstance(t._storage, np.ndarray):
            raise BufferError(
                f"the memory of backend {cls.name!r} cannot be shared: move the tensor with t.to('fast')"
            )
        return dlpack.CPU

    @classmethod
    def capsule(cls, t: TensorData, stream: Any) -> Any:
        """Return a capsule of DLPack on a storage, for a receiver that reads it on ``stream``.

        Raises:
            BufferError: It cannot be shared.
            ValueError: There is no such stream.
        """
        cls.place(t)
        return dlpack.capsule_of(t.numpy_view())

    @classmethod
    def adopt(cls, x: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
        """Return the memory of an array with ``__dlpack__`` as a storage, and shape and strides in it.

        Raises:
            TypeError: Its numbers are neither float64 nor float32.
            ValueError: Its elements lie backwards in memory.
            BackendError: The backend cannot use that memory.
        """
        if x.__dlpack_device__()[0] == dlpack.CUDA:
            raise BackendError(f"memory of a GPU is for backend 'cuda', not {cls.name!r}")
        array = np.from_dlpack(x)
        if array.dtype not in FLOATS:
            raise TypeError(f"a tensor holds float64 or float32, not {array.dtype}: convert it first")
        flat, steps = dlpack.flat_view(array)
        return flat, array.shape, steps

    # Kernels

    @classmethod
    def map_kernel(cls, fn: Fn) -> Kernel:
        """Return a kernel ``(out, a)``: ``out[i] = fn(a[i])``, ``a`` broadcast into ``out``."""
        raise BackendError(f"backend {cls.name!r} provides no map")

    @classmethod
    def zip_kernel(cls, fn: Fn) -> Kernel:
        """Return a kernel ``(out, a, b)``: ``out[i] = fn(a[i], b[i])``, both broadcast into ``out``."""
        raise BackendError(f"backend {cls.name!r} provides no zip")

    @classmethod
    def reduce_kernel(cls, fn: Fn, start: float) -> Kernel:
        """Return a kernel ``(out, a, dim)``: the reduction with ``fn`` along ``dim``, which has size 1 in ``out``."""
        raise BackendError(f"backend {cls.name!r} provides no reduce")

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        """Multiply batches of matrices; leading dimensions broadcast."""
        raise BackendError(f"backend {cls.name!r} provides no matrix product")

    @classmethod
    def update_kernel(cls, rule: Fn) -> Kernel:
        """Return a kernel ``(settings, rows)`` that updates rows ``(p, d, *states)`` in place, element by element.

        ``rule(settings, p, d, *states)`` gives the new ``(p, *states)``; all operands are contiguous, all ``p`` of one
        dtype.
        """
        plain = with_numpy(rule)

        def update(settings: tuple[float, ...], rows: Rows) -> None:
            for p, d, *states in rows:
                one(settings, p, d, *states)

        def one(settings: tuple[float, ...], p: TensorData, d: TensorData, *states: TensorData) -> None:
            blocks = [cls.host(t._storage) for t in (p, d, *states)]
            with np.errstate(all="ignore"):
                for i in range(p.size):
                    for block, value in zip(
                        [blocks[0], *blocks[2:]], plain(settings, *(b[i] for b in blocks))
                    ):
                        block[i] = value
            for t, block in zip((p, *states), [blocks[0], *blocks[2:]]):
                t._storage = cls.storage(block)

        return update

    # Dispatch, the same for all backends

    @classmethod
    def allocate(cls, shape: tuple[int, ...], dtype: np.dtype[Any], backend: Any) -> TensorData:
        """Return a packed TensorData of ``shape`` with any content.

        Raises:
            IndexingError: It has more elements than 63 bits count in bytes.
        """
        size = math.prod(shape)
        if size > MAX_SIZE:
            require_countable(f"result on backend {cls.name!r}", shape)
        return TensorData.on(cls.empty(size, dtype), shape, None, size, backend)

    @classmethod
    def require_same_backend(cls, *operands: TensorData) -> None:
        """Check that all operands are in this backend.

        Raises:
            BackendError: One of them is not; both backends are named.
        """
        for t in operands:
            if t.backend is None or t.backend.ops is not cls:
                other = "no backend" if t.backend is None else f"backend {t.backend.ops.name!r}"
                raise BackendError(
                    f"operands of shapes {', '.join(str(o.shape) for o in operands)} are in different backends: "
                    f"backend {cls.name!r} and {other}; move one with t.to(...)"
                )

    @classmethod
    def map(cls, fn: Fn) -> MapProto:
        """Return ``f(a, out=None)``, which applies ``fn`` to each element; ``a`` may broadcast into ``out``."""
        kernel = cls.map_kernel(fn)

        def mapped(a: Any, out: Any = None) -> Any:
            if not isinstance(a, TensorData):
                result = through_variables(mapped, a, out)
                return result if out is None else out
            if out is None:
                out = cls.allocate(a.shape, a.dtype, a.backend)
            else:
                out = out._tensor
                cls.require_same_backend(a, out)
            if out.shape != a.shape and shape_broadcast(a.shape, out.shape) != out.shape:
                raise IndexingError(shape_errors.not_broadcast_into("map: ", a.shape, out.shape))
            if out.size:
                kernel(out, a)
            return out

        return mapped

    @classmethod
    def zip(cls, fn: Fn) -> Callable[[Any, Any], Any]:
        """Return ``f(a, b)``, which applies ``fn`` to pairs of elements after broadcasting."""
        kernel = cls.zip_kernel(fn)

        def zipped(a: Any, b: Any) -> Any:
            if not isinstance(a, TensorData) or not isinstance(b, TensorData):
                return through_variables(zipped, a, b)
            if a.backend is not b.backend:
                cls.require_same_backend(a, b)
            shape = a.shape if a.shape == b.shape else shape_broadcast(a.shape, b.shape)
            if a.dtype != b.dtype:
                # Else a function would compute in the smaller dtype what it does with one operand alone.
                dtype = np.promote_types(a.dtype, b.dtype)
                a, b = (
                    t if t.dtype == dtype else t.f.id_map(t, cls.allocate(t.shape, dtype, t.backend))
                    for t in (a, b)
                )
            out = cls.allocate(shape, a.dtype, a.backend)
            if out.size:
                kernel(out, a, b)
            return out

        return zipped

    @classmethod
    def reduce(cls, fn: Fn, start: float = 0.0) -> Callable[[Any, int], Any]:
        """Return ``f(a, dim)``, which reduces with ``fn`` along ``dim``; the dimension stays with size 1.

        Of no elements the result is ``start``; the kernel is not asked.
        """
        kernel = cls.reduce_kernel(fn, start)

        def reduced(a: Any, dim: int) -> Any:
            if not isinstance(a, TensorData):
                return through_variables(lambda t: reduced(t, dim), a)
            dim = normal_dim(dim, a.dims, a.shape)
            shape = (*a.shape[:dim], 1, *a.shape[dim + 1 :])
            if not a.shape[dim]:
                return a.f.full(shape, start, a.dtype)
            out = cls.allocate(shape, a.dtype, a.backend)
            if out.size:
                kernel(out, a, dim)
            return out

        return reduced

    @classmethod
    def matrix_multiply(cls, a: Any, b: Any) -> Any:
        """Multiply two matrices, or two batches of them whose leading dimension broadcasts.

        2-D only if both are.

        Raises:
            IndexingError: The shapes do not fit.
        """
        if not isinstance(a, TensorData) or not isinstance(b, TensorData):
            return through_variables(cls.matrix_multiply, a, b)
        if a.backend is not b.backend:
            cls.require_same_backend(a, b)
        fits = 2 <= a.dims <= 3 and 2 <= b.dims <= 3 and a.shape[-1] == b.shape[-2]
        batch = (lead(a), lead(b)) if fits else (0, 0)
        if not fits or (batch[0] != batch[1] and 1 not in batch):
            raise IndexingError(shape_errors.not_multiplied(a.shape, b.shape))
        both_flat = a.dims == b.dims == 2
        shape = (a.shape[-2], b.shape[-1])
        if not both_flat:
            shape = (batch[1] if batch[0] == 1 else batch[0], *shape)  # type: ignore[assignment]
        if not a.shape[-1]:
            return a.f.full(shape, 0.0, np.promote_types(a.dtype, b.dtype))
        out = cls.allocate(shape, np.promote_types(a.dtype, b.dtype), a.backend)
        if out.size:
            cls.matmul_kernel(out, a, b)
        return out

    @classmethod
    def take(cls, a: TensorData, rows: npt.NDArray[np.int64]) -> TensorData:
        """Return the chosen rows of a matrix.

        Raises:
            IndexingError: A number is not that of a row.
        """
        check_rows(rows, a.shape)
        return a.f.from_array(np.ascontiguousarray(a.host()[rows]))

    @classmethod
    def take_grad(cls, d: TensorData, rows: npt.NDArray[np.int64], shape: tuple[int, ...]) -> TensorData:
        """Derivative of `take` with respect to a matrix of ``shape``: what a row was taken for adds up."""
        out = np.zeros(shape, d.dtype)
        np.add.at(out, rows, d.host())
        return d.f.from_array(out)


def lead(t: TensorData) -> int:
    """Return the number of matrices in a 2-D or 3-D operand."""
    return t.shape[0] if t.dims == 3 else 1


def check_rows(rows: npt.NDArray[np.int64], shape: tuple[int, ...]) -> None:
    """Check that a matrix of ``shape`` has these rows.

    Raises:
        IndexingError: A row number is out of range.
    """
    wrong = rows[(rows < 0) | (rows >= shape[0])]
    if wrong.size:
        raise IndexingError(f"row {wrong[0]} is not in 0..{shape[0] - 1} of a matrix of shape {shape}")
