"""Storage, shape, strides and dtype of a tensor, and the rules of indexing and broadcasting.

A ``TensorData`` is what the Functions of tensors compute on: a flat storage of numbers, the shape and the strides that
say how it is read, and the backend that computes on it. Element ``(i, j, ...)`` is
``storage[i * strides[0] + j * strides[1] + ...]``. Its arithmetic records no history. The file depends on NumPy and on
`minitorch.operators`; `minitorch.tensor_ops` and everything above build on it.
"""

from __future__ import annotations

import functools
import math
import operator
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .runtime import shape_errors
from .runtime.capture import recording, require_readable
from .runtime.versions import Stored, mark_changed


class _Default:
    dtype = np.dtype(np.float64)


FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def resolve_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype that ``dtype`` names; None names the default dtype.

    Raises:
        ValueError: It is neither float64 nor float32.
    """
    if dtype is None:
        return _Default.dtype
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in FLOATS:
        raise ValueError(f"unknown dtype {dtype!r}: expected float64 or float32")
    return found


def float_array(values: Any, dtype: np.dtype[Any], fresh: bool = True) -> npt.NDArray[Any]:
    """Return ``values`` as a contiguous array of ``dtype``; what is too large for it becomes infinite.

    It is a new one, or with ``fresh=False``, for who only reads it at once, ``values`` itself if it is such an array.
    """
    with np.errstate(over="ignore"):
        if not fresh:
            return np.require(values, dtype, ["C", "A", "W", "E"])
        return np.array(values, dtype, order="C")


def number_array(op: str, values: Any, dtype: np.dtype[Any], fresh: bool = True) -> npt.NDArray[Any]:
    """Return ``values``, of any kind that NumPy reads, as a contiguous array of ``dtype``; see `float_array`.

    Raises:
        IndexingError: Nested lists of unequal lengths.
        TypeError: They are not real numbers, or some are masked: nothing is dropped.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(
            f"{op}: expected no masked array: choose numbers for the masked ones with its filled()"
        )
    try:
        numbers = np.asarray(values)
    except ValueError as problem:
        raise IndexingError(f"{op}: expected nested lists of equal lengths ({problem})") from None
    whole = numbers.dtype.kind == "O" and all(isinstance(n, int) for n in numbers.flat)
    if numbers.dtype.kind not in "biuf" and not whole:
        raise TypeError(
            f"{op}: unsupported dtype {numbers.dtype}: expected real numbers ({type(values).__name__})"
        )
    return float_array(numbers, dtype, fresh)


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of tensors made from Python numbers and lists: "float32", "float64" or the NumPy dtype.

    Raises:
        ValueError: It is another dtype.
    """
    _Default.dtype = resolve_dtype(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype of tensors made from Python numbers and lists; float64 at import."""
    return _Default.dtype


MAX_DIMS = 32
MAX_SIZE = 2**60 - 1  # elements of a tensor: so many float64 are countable in bytes

Storage: TypeAlias = npt.NDArray[Any]
OutIndex: TypeAlias = npt.NDArray[np.int32]
Index: TypeAlias = npt.NDArray[np.int32]
Shape: TypeAlias = npt.NDArray[np.int32]
Strides: TypeAlias = npt.NDArray[np.int32]
UserIndex: TypeAlias = Sequence[int]
UserShape: TypeAlias = Sequence[int]
UserStrides: TypeAlias = Sequence[int]
Sizes: TypeAlias = tuple[int, ...]  # inside TensorData, `tuple` is a method

Triple: TypeAlias = tuple[Any, Any, Any]


class IndexingError(RuntimeError):
    """An index, a shape or a dimension does not fit; the message names it."""


class BackendError(RuntimeError):
    """A backend is missing, cannot do what was asked, or was mixed with another."""


def index_to_position(index: Any, strides: Any) -> int:
    """Return the position in storage of a multidimensional ``index``: the sum of ``index[k] * strides[k]``."""
    position = 0
    for i, s in zip(index, strides):
        position += i * s
    return position


def to_index(ordinal: int, shape: Any, out_index: Any) -> None:
    """Write the multidimensional index of element number ``ordinal``, counted row by row, into ``out_index``."""
    rest = ordinal + 0
    for i in range(len(shape) - 1, -1, -1):
        size = shape[i]
        out_index[i] = rest % size
        rest = rest // size


def broadcast_index(big_index: Any, big_shape: Any, shape: Any, out_index: Any) -> None:
    """Write into ``out_index`` the element of ``shape`` that is read for element ``big_index`` of ``big_shape``.

    Dimensions of size 1 are read at 0; leading dimensions that ``shape`` does not have are ignored.
    """
    missing = len(big_shape) - len(shape)
    for i in range(len(shape)):
        out_index[i] = big_index[i + missing] if shape[i] > 1 else 0


def shape_broadcast(shape1: UserShape, shape2: UserShape) -> tuple[int, ...]:
    """Return the shape that both shapes broadcast to, by NumPy's rule: ``(3, 1)`` and ``(4,)`` give ``(3, 4)``.

    Raises:
        IndexingError: They do not broadcast.
    """
    a, b = tuple(shape1), tuple(shape2)
    if a == b:
        return a
    n = max(len(a), len(b))
    a1, b1 = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    for m, k in zip(a1, b1):
        if m != k and m != 1 and k != 1:
            raise IndexingError(shape_errors.not_broadcast(a, b))
    return tuple(k if m == 1 else m for m, k in zip(a1, b1))


def strides_from_shape(shape: UserShape) -> tuple[int, ...]:
    """Return row-major strides: the distance in storage between neighbours, for each dimension."""
    strides = []
    step = 1
    for size in reversed(tuple(shape)):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


_packed_strides = functools.lru_cache(maxsize=4096)(strides_from_shape)


def whole_number(op: str, name: str, value: Any) -> int:
    """Return an int of Python or NumPy as a plain int.

    Raises:
        TypeError: It is none; the message names the operation ``op`` and its setting ``name``.
    """
    if type(value) is int:
        return value
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{op}: expected an int as {name}, got {value!r}") from None


def whole_numbers(op: str, name: str, values: Iterable[Any]) -> Sizes:
    """Return ints of Python or NumPy as plain ints; see `whole_number`."""
    given = tuple(values)
    return given if {int}.issuperset(map(type, given)) else tuple(whole_number(op, name, n) for n in given)


def normal_dim(dim: int, dims: int, shape: UserShape) -> int:
    """Return ``dim`` counted from the front.

    Raises:
        IndexingError: It is out of range.
        TypeError: It is not an int.
    """
    dim = whole_number("dimension", "dim", dim)
    if not -dims <= dim < dims:
        raise IndexingError(f"dimension {dim} is out of range for shape {tuple(shape)} of {dims} dimensions")
    return dim % dims


def resolve_shape(shape: Sequence[int], size: int, old: UserShape) -> tuple[int, ...]:
    """Return ``shape`` with its -1, if any, replaced by the size that makes it hold ``size`` elements.

    ``old`` is the shape of these elements, for the message.

    Raises:
        IndexingError: No such size exists.
        TypeError: A size is not an int.
    """
    wanted = whole_numbers("view", "size", shape)
    if len(wanted) > MAX_DIMS or not size:
        require_countable("view", wanted)
    if math.prod(wanted) == size and min(wanted, default=0) >= 0:
        return wanted
    known = math.prod(n for n in wanted if n != -1)
    fits = wanted.count(-1) <= 1 and all(n >= -1 for n in wanted)
    if fits and -1 in wanted:
        fits = known > 0 and size % known == 0
        wanted = tuple(size // known if n == -1 and fits else n for n in wanted)
    if not fits or math.prod(wanted) != size:
        raise IndexingError(shape_errors.not_viewed(old, tuple(shape)))
    return wanted


def require_countable(op: str, shape: Sizes) -> None:
    """Check that kernels can count dimensions and elements of a shape.

    As in NumPy, dimensions of size 0 are left out: the strides of an empty array must be countable too.

    Raises:
        IndexingError: There are more than `MAX_DIMS` dimensions, or more bytes than 63 bits count.
    """
    if len(shape) > MAX_DIMS:
        raise IndexingError(f"{op}: expected at most {MAX_DIMS} dimensions, got {len(shape)} (shape {shape})")
    if math.prod([n for n in shape if n]) > MAX_SIZE:
        raise IndexingError(f"{op}: expected at most {MAX_SIZE} elements, got shape {shape}")


def require_writable(op: str, storage: Any) -> None:
    """Check that a storage may be changed in place: memory that is shared with another library may be read-only.

    Raises:
        ValueError: It is read-only.
    """
    if isinstance(storage, np.ndarray) and not storage.flags.writeable:
        raise ValueError(
            f"{op}: expected memory that may be written, got read-only memory; change a clone() instead"
        )


def _whole_numbers(what: str, values: Sizes) -> Sizes:
    try:
        return tuple(map(operator.index, values))
    except TypeError:
        raise IndexingError(f"TensorData: expected whole numbers as {what}, got {values}") from None


def _require_reach(shape: Sizes, strides: Sizes, size: int) -> None:
    """Check that every element lies in a storage of ``size`` elements, and that kernels can count the strides."""
    if not size:
        low = high = 0
    else:
        reaches = [(n - 1) * s for n, s in zip(shape, strides)]
        low, high = sum(r for r in reaches if r < 0), sum(r for r in reaches if r > 0)
    if low < 0 or high >= max(size, 1) or any(abs(s) > MAX_SIZE for s in strides):
        raise IndexingError(
            f"TensorData: strides {strides} reach from element {low} to {high} of a storage of {size} elements "
            f"(shape {shape}); expected to stay inside"
        )


class TensorData(Stored):
    """A flat storage of numbers, read as an array of a shape.

    Args:
        storage: A one-dimensional float array (not copied if it is packed), or a list of numbers, which take the
            default dtype.
        shape: Sizes, outermost first; their product is the length of ``storage``.
        strides: Distance in storage between neighbours, for each dimension; row-major by default. Every element must
            lie in the storage.
        backend: The `TensorBackend` that computes on it.

    Attributes:
        f: The backend, under the name that the course uses in formulas.

    Raises:
        IndexingError: Storage, shape and strides do not fit.
    """

    f: Any
    __slots__ = ("_contiguous", "_storage", "backend", "dims", "dtype", "shape", "size", "strides")

    def __init__(
        self,
        storage: Any,
        shape: UserShape,
        strides: UserStrides | None = None,
        backend: Any = None,
    ) -> None:
        if not isinstance(shape, tuple) or not isinstance(strides, tuple | None):
            raise IndexingError(f"TensorData: expected tuples, got shape {shape!r} and strides {strides!r}")
        if isinstance(storage, Sequence) or (isinstance(storage, np.ndarray) and storage.dtype not in FLOATS):
            storage = float_array(storage, get_default_dtype())
        if isinstance(storage, np.ndarray):
            if storage.ndim != 1:
                raise IndexingError(f"TensorData: expected a flat storage, got one of shape {storage.shape}")
            # Kernels take a storage for packed: one with steps, or that does not begin at a whole element, is copied.
            storage = np.require(storage, requirements=("C", "A"))
        if strides is not None and len(strides) != len(shape):
            raise IndexingError(f"TensorData: expected {len(shape)} strides, got {strides} (shape {shape})")
        shape = _whole_numbers("sizes", shape)
        size = math.prod(shape)
        if min(shape, default=0) < 0:
            raise IndexingError(f"TensorData: expected sizes of at least 0, got shape {shape}")
        if len(storage) != size:
            raise IndexingError(f"TensorData: expected {size} elements, got {len(storage)} (shape {shape})")
        require_countable("TensorData", shape)
        self._contiguous: bool | None = None
        if strides is None:
            self._contiguous, strides = True, strides_from_shape(shape)
        else:
            strides = _whole_numbers("strides", strides)
            _require_reach(shape, strides, size)
        self._storage = storage
        self.dtype: np.dtype[Any] = storage.dtype
        self.shape: Sizes = shape
        self.strides: Sizes = strides
        self.dims = len(shape)
        self.size = size
        self.backend = backend

    @classmethod
    def on(cls, storage: Any, shape: Sizes, strides: Sizes | None, size: int, backend: Any) -> TensorData:
        """Make a TensorData on ``storage`` without checks.

        It may read a part of the storage, or one element several times (a stride of 0).
        """
        td = object.__new__(cls)
        td._storage = storage
        td.dtype = storage.dtype
        td.shape = shape
        td.strides = _packed_strides(shape) if strides is None else strides
        td.dims = len(shape)
        td.size = size
        td.backend = backend
        td._contiguous = True if strides is None else None
        return td

    # Layout

    @property
    def _shape(self) -> npt.NDArray[np.int64]:
        return np.array(self.shape, dtype=np.int64)

    @property
    def _strides(self) -> npt.NDArray[np.int64]:
        return np.array(self.strides, dtype=np.int64)

    @property
    def _tensor(self) -> TensorData:
        """This object: an operation that a student wrote for tensors reads ``_tensor`` of its operands."""
        return self

    def is_contiguous(self) -> bool:
        """Tell whether the strides are row-major (dimensions of size 1 may have any stride)."""
        if self._contiguous is None:
            step, row_major = 1, True
            for n, s in zip(reversed(self.shape), reversed(self.strides)):
                if n != 1:
                    row_major = row_major and s == step
                    step *= n
            self._contiguous = row_major or self.size == 0
        return self._contiguous

    @staticmethod
    def shape_broadcast(shape_a: UserShape, shape_b: UserShape) -> Sizes:
        """See `minitorch.shape_broadcast`."""
        return shape_broadcast(shape_a, shape_b)

    def index(self, index: int | UserIndex) -> int:
        """Return the position in storage of a full index.

        Raises:
            IndexingError: It is too short or too long, negative or out of range.
        """
        idx = (index,) if isinstance(index, int | np.integer) else tuple(index)
        if len(idx) != self.dims:
            raise IndexingError(f"index {idx}: expected {self.dims} numbers (shape {self.shape})")
        for i, n in zip(idx, self.shape):
            if not 0 <= i < n:
                why = "negative indices are not supported" if i < 0 else "out of range"
                raise IndexingError(f"index {idx} does not fit shape {self.shape}: {why}")
        return int(index_to_position(idx, self.strides))

    def indices(self) -> Iterator[Sizes]:
        """Iterate over all full indices, row by row."""
        return iter(np.ndindex(*self.shape))

    def sample(self) -> Sizes:
        """Return a random full index."""
        return tuple(random.randint(0, n - 1) for n in self.shape)

    def get(self, key: int | UserIndex) -> float:
        """Return the number at a full index."""
        return self._element(self.index(key))

    def set(self, key: int | UserIndex, val: float) -> None:
        """Write a number at a full index."""
        require_readable()
        require_writable("item assignment", self._storage)
        position, number = self.index(key), number_array("item assignment", val, self.dtype)
        if number.size != 1:
            raise IndexingError(shape_errors.not_broadcast_into(f"index {key!r}: ", number.shape, ()))
        mark_changed(self._storage)
        self._storage[position] = number.item()

    def tuple(self) -> Triple:
        """Return ``(storage, shape, strides)``, as the kernels of the course take them."""
        return self._storage, self._shape, self._strides

    def to_string(self) -> str:
        """Return the numbers with two decimals, in nested brackets."""

        def show(block: npt.NDArray[Any], depth: int) -> str:
            if block.ndim == 0:
                return f"{block:.2f}"
            if block.ndim == 1:
                return "[" + ", ".join(f"{x:.2f}" for x in block) + "]"
            gap = "," + "\n" * min(block.ndim - 1, 2) + " " * (depth + 1)
            return "[" + gap.join(show(b, depth + 1) for b in block) + "]"

        return show(self.to_numpy(), 0)

    def __repr__(self) -> str:
        return f"TensorData(shape={self.shape}, strides={self.strides}, dtype={self.dtype})"

    # Views: the same storage, read in another way

    def permute(self, *order: int) -> TensorData:
        """Return the same storage with its dimensions reordered.

        Raises:
            IndexingError: ``order`` does not name each dimension once.
        """
        if sorted(order) != list(range(self.dims)):
            raise IndexingError(shape_errors.not_permuted(self.shape, order))
        shape, strides = tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order)
        return TensorData.on(self._storage, shape, strides, self.size, self.backend)

    def view(self, *shape: Any) -> TensorData:
        """Return the same storage under another shape of as many elements; one size may be -1.

        Raises:
            IndexingError: The sizes differ, or the data is not contiguous.
        """
        wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Iterable) else shape
        new = resolve_shape(wanted, self.size, self.shape)
        if not self.is_contiguous():
            raise IndexingError(
                f"view: expected contiguous data, got strides {self.strides} (shape {self.shape}, view {new}); "
                "call contiguous() first"
            )
        return TensorData.on(self._storage, new, None, self.size, self.backend)

    def window(self, key: Any) -> TensorData:
        """Return the elements that ``key`` selects, on the same storage.

        Args:
            key: An int, which drops its dimension; a slice with a positive step; ``...``; or a tuple of them.

        Raises:
            IndexingError: An index is negative or out of range, or there are too many.
            TypeError: The key holds anything else.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        for k in keys:
            if k is not Ellipsis and (not isinstance(k, int | np.integer | slice) or isinstance(k, bool)):
                raise TypeError(f"index {key!r}: expected ints, slices and ..., got {type(k).__name__}")
            if isinstance(k, slice):
                for end in (k.start, k.stop, k.step):
                    if end is not None:
                        whole_number(f"index {key!r}", "end or step of a slice", end)
                if k.step is not None and k.step <= 0:
                    raise IndexingError(f"index {key!r}: expected slices with a positive step, got {k.step}")
        named = [k for k in keys if k is not Ellipsis]
        if len(named) > self.dims or len(keys) - len(named) > 1:
            raise IndexingError(f"index {key!r} has too many parts for shape {self.shape}")
        rest = keys.index(Ellipsis) if len(named) < len(keys) else len(keys)
        keys[rest : rest + 1] = [slice(None)] * (self.dims - len(named))
        start, shape, strides = 0, [], []
        for k, n, s in zip(keys, self.shape, self.strides):
            if isinstance(k, slice):
                r = range(*k.indices(n))
                start += r.start * s if r else 0
                shape.append(len(r))
                strides.append(r.step * s)
            elif 0 <= k < n:
                start += int(k) * s
            else:
                raise IndexingError(f"index {key!r}: {k} is not in 0..{n - 1} (shape {self.shape})")
        size = math.prod(shape)
        storage = self._storage[start:] if size else self._storage[:0]
        return TensorData.on(storage, tuple(shape), tuple(strides), size, self.backend)

    # Arithmetic, for Functions

    def _other(self, b: Any) -> TensorData:
        if isinstance(b, TensorData):
            return b
        return TensorData.on(self.f.ops.constant(b, self.dtype), (), None, 1, self.backend)

    def __add__(self, b: Any) -> TensorData:
        return self.f.add_zip(self, self._other(b))

    def __radd__(self, b: Any) -> TensorData:
        return self.f.add_zip(self._other(b), self)

    def __mul__(self, b: Any) -> TensorData:
        return self.f.mul_zip(self, self._other(b))

    def __rmul__(self, b: Any) -> TensorData:
        return self.f.mul_zip(self._other(b), self)

    def __sub__(self, b: Any) -> TensorData:
        return self.f.sub_zip(self, self._other(b))

    def __rsub__(self, b: Any) -> TensorData:
        return self.f.sub_zip(self._other(b), self)

    def __truediv__(self, b: Any) -> TensorData:
        return self.f.div_zip(self, self._other(b))

    def __rtruediv__(self, b: Any) -> TensorData:
        return self.f.div_zip(self._other(b), self)

    def __neg__(self) -> TensorData:
        return self.f.neg_map(self)

    def is_full_index(self, key: Any) -> bool:
        """Tell whether ``key`` is one int for each dimension."""
        keys = key if isinstance(key, tuple) else (key,)
        return len(keys) == self.dims and all(
            isinstance(k, int | np.integer) and not isinstance(k, bool) for k in keys
        )

    def __getitem__(self, key: Any) -> Any:
        return self.get(key) if self.is_full_index(key) else self.window(key).contiguous()

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.is_full_index(key):
            self.set(key, value.item() if isinstance(value, TensorData) else value)
            return
        require_writable("item assignment", self._storage)
        target = self.window(key)
        if target.size and any(s == 0 and n > 1 for n, s in zip(target.shape, target.strides)):
            raise IndexingError(
                f"item assignment: strides {self.strides} show one element several times (shape {self.shape}): "
                "assign to a clone()"
            )
        made = not isinstance(value, TensorData)
        if made:  # read below at once; a step that is recorded takes a copy of what comes from the host
            value = self.f.from_array(number_array("item assignment", value, self.dtype, fresh=False))
        host = isinstance(value._storage, np.ndarray)
        if np.may_share_memory(value._storage, target._storage) if host else not made:
            value = value.copy()
        if shape_broadcast(value.shape, target.shape) != target.shape:
            raise IndexingError(
                shape_errors.not_broadcast_into(f"index {key!r}: ", value.shape, target.shape)
            )
        mark_changed(self._storage)
        self.f.id_map(value, target)

    def zeros(self, shape: Sizes | None = None) -> TensorData:
        """Return zeros of ``shape`` (by default this shape), in this backend and dtype."""
        return self.filled(0.0, shape)

    def filled(self, value: float, shape: Sizes | None = None) -> TensorData:
        """Return ``value`` in every element of ``shape`` (by default this shape), in this backend and dtype."""
        return self.f.full(self.shape if shape is None else shape, value, self.dtype)

    def contiguous(self) -> TensorData:
        """Return self if it is contiguous and its storage holds nothing else, else a contiguous copy."""
        if (self._contiguous or self.is_contiguous()) and len(self._storage) == self.size:
            return self
        return self.copy()

    def copy(self) -> TensorData:
        """Return a contiguous copy."""
        return self.f.id_map(self)

    def with_own_storage(self) -> TensorData:
        """Return the same elements on a copy of the storage."""
        if isinstance(self._storage, np.ndarray) and not recording():
            return TensorData.on(self._storage.copy(), self.shape, self.strides, self.size, self.backend)
        return self.copy()

    def sum(self, dim: int) -> TensorData:
        """Return the sum along ``dim``, which stays with size 1."""
        return self.f.add_reduce(self, dim)

    def item(self) -> float:
        """Return the number of a single element.

        Raises:
            IndexingError: There is not exactly one.
        """
        if self.size != 1:
            raise IndexingError(f"item: expected exactly one element, got {self.size} (shape {self.shape})")
        return self._element(0)

    def _element(self, position: int) -> float:
        require_readable()
        return float(self._storage[position])

    # As NumPy arrays

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return a copy on the host."""
        return self.host().copy()

    def host(self) -> npt.NDArray[Any]:
        """Return an array on the host for reading only: it may share the storage."""
        return self.numpy_view(
            self._storage if self.backend is None else self.backend.ops.host(self._storage)
        )

    def numpy_view(self, storage: Any = None) -> npt.NDArray[Any]:
        """Return the elements as an array on the storage, which is in the memory of the host.

        Args:
            storage: A flat array that is read in place of the storage, such as a copy of it on the host.
        """
        flat = self._storage if storage is None else storage
        if self._contiguous or self.is_contiguous():
            return (flat if len(flat) == self.size else flat[: self.size]).reshape(self.shape)
        return np.ndarray(self.shape, flat.dtype, flat, strides=[s * flat.itemsize for s in self.strides])

    def packed(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return the elements as a contiguous array of ``dtype``: on the storage where it fits, else a copy."""
        if self.dtype == dtype and (self._contiguous or self.is_contiguous()):
            flat: npt.NDArray[Any] = self._storage
            return (flat if len(flat) == self.size else flat[: self.size]).reshape(self.shape)
        return np.asarray(self.numpy_view(), dtype, order="C")

    def to_cuda_(self) -> None:
        """Move the storage into the memory of its backend; the course's CUDA scripts call it."""
        self._storage = self.f.ops.storage(self._storage)

    def __reduce__(self) -> Any:
        # A storage of the host goes as it is, so that tensors that share one still share it in a copy.
        if isinstance(self._storage, np.ndarray):
            strides = None if self._contiguous else self.strides
            return TensorData.on, (self._storage, self.shape, strides, self.size, self.backend)
        return _on_device, (self.backend, self.to_numpy())


# The slot under its second name: reading it calls no function.
TensorData.f = vars(TensorData)["backend"]


def _on_device(backend: Any, array: npt.NDArray[Any]) -> TensorData:
    moved: TensorData = backend.from_array(array)
    return moved
