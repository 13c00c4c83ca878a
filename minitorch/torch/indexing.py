"""Indexing, picking by index tensors, and assignment to what an index selects.

Ints and slices of a constant give a part of its memory. With a gradient, and for lists and tensors of indices, the
elements are picked: NumPy indexes the numbers of the elements, and `Pick` of the core takes these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import Tensor as Core
from ..tensor_data import TensorData
from ..tensor_functions import arrange
from ..tensor_functions.nn import Take
from ..tensor_functions.shape import Slice
from .dtypes import TYPE_NAMES
from .elementwise import cast, where
from .shapes import _root, expand, ordinals, pick, reshape
from .tensor import (
    Tensor,
    as_core,
    from_array,
    is_float,
    overwrite,
    replace,
    to_array,
    touched,
    tracked,
    wrap,
)


def _as_numpy(key: Any) -> tuple[Any, ...]:
    """Return an index as a tuple of what NumPy takes.

    Raises:
        IndexError: An index is neither a whole number, nor a slice, nor a list or tensor of whole numbers or bools.
    """
    keys = key if isinstance(key, tuple) else (key,)
    found: list[Any] = []
    for k in keys:
        if isinstance(k, Tensor | list | np.ndarray | range):
            array = to_array(list(k) if isinstance(k, range) else k)
            if array.size == 0 and not isinstance(k, Tensor):
                array = array.astype(np.int64)
            if isinstance(k, Tensor) and not array.ndim and array.dtype.kind in "iu":
                found.append(int(array))
                continue
            if array.dtype.kind not in "biu":
                raise IndexError(
                    "tensors used as indices must be long, int, byte or bool tensors, got " + str(array.dtype)
                )
            found.append(array.astype(bool) if array.dtype == np.uint8 else array)
        elif isinstance(k, slice):
            parts = [None if x is None else int(x) for x in (k.start, k.stop, k.step)]
            if parts[2] is not None and parts[2] <= 0:
                raise ValueError("step must be greater than zero")
            found.append(slice(*parts))
        elif k is None or k is Ellipsis or isinstance(k, bool | np.bool_):
            found.append(k)
        elif isinstance(k, int | np.integer):
            found.append(int(k))
        elif isinstance(k, str):
            raise TypeError(f"new(): invalid data type {type(k).__name__!r}")
        else:
            raise IndexError(
                f"only integers, slices, ellipsis, None and tensors are indices, got {type(k).__name__}"
            )
    return tuple(found)


def _is_basic(keys: tuple[Any, ...]) -> bool:
    return not any(isinstance(k, np.ndarray | bool | np.bool_) for k in keys)


def _full(keys: tuple[Any, ...], shape: tuple[int, ...]) -> list[Any]:
    """Return ints and slices for every dimension, with None where one is inserted."""
    named = sum(k is not None and k is not Ellipsis for k in keys)
    if named > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    rest = [slice(None)] * (len(shape) - named)
    full: list[Any] = []
    for k in keys:
        if k is Ellipsis:
            full.extend(rest)
            rest = []
        else:
            full.append(k)
    full.extend(rest)
    dim = 0
    for i, k in enumerate(full):
        if k is None:
            continue
        n = shape[dim]
        if isinstance(k, int):
            if not -n <= k < n:
                raise IndexError(f"index {k} is out of bounds for dimension {dim} with size {n}")
            full[i] = k % n
        dim += 1
    return full


def _window(data: TensorData, full: list[Any]) -> TensorData:
    """Return the elements that ints, slices and None select, on the same storage."""
    start, shape, strides, dim = 0, [], [], 0
    for k in full:
        if k is None:
            shape.append(1)
            strides.append(0)
            continue
        n, step = data.shape[dim], data.strides[dim]
        dim += 1
        if isinstance(k, int):
            start += k * step
        else:
            r = range(*k.indices(n))
            start += r.start * step if r else 0
            shape.append(len(r))
            strides.append(r.step * step)
    size = math.prod(shape)
    storage = data._storage[start:] if size else data._storage[:0]
    return TensorData.on(storage, tuple(shape), tuple(strides), size, data.backend)


def getitem(input: Tensor, key: Any) -> Tensor:
    """Return what ``key`` selects: ints, slices, ``...``, None, lists and tensors of ints or bools."""
    keys = _as_numpy(key)
    v = input._value
    shape = tuple(input.shape)
    if not _is_basic(keys):
        if not is_float(input):
            return from_array(_checked(to_array(input), keys), input.device)
        if not tracked(input):
            return wrap(Core(v.f.from_array(np.ascontiguousarray(_checked(to_array(input), keys)))))
        if len(keys) == 1 and keys[0].dtype != np.bool_ and input.ndim > 1:
            numbers = np.where(keys[0] < 0, keys[0] + shape[0], keys[0])
            rows = Take.apply(reshape(input, shape[0], -1)._value, rows=numbers.reshape(-1).astype(np.int64))
            return reshape(wrap(rows, op="Index"), *keys[0].shape, *shape[1:])
        return pick(input, _checked(ordinals(input), keys), "Index")
    full = _full(keys, shape)
    if isinstance(v, np.ndarray):
        return wrap(np.asarray(v[tuple(full)]), input._place, _root(input))
    if not tracked(input):
        return wrap(Core(_window(v._tensor, full)), base=_root(input))
    out = wrap(Slice.apply(v, key=tuple(k for k in full if k is not None)), op="Slice")
    if None in full:
        kept = [k for k in full if not isinstance(k, int)]
        inner = iter(out.shape)
        out = reshape(out, *(1 if k is None else next(inner) for k in kept))
    elif any(isinstance(k, int) for k in full):
        out._op = "Select"
    return out


def _in_two_steps(keys: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return an index for the whole numbers in ``keys``, and one for the rest, which follows it.

    A number drops its dimension first, as in PyTorch; NumPy takes it for an array of indices.
    """
    arrays = [k for k in keys if isinstance(k, np.ndarray)]
    if not arrays or not any(type(k) is int for k in keys):
        return (), keys
    first: list[Any] = []
    for k in keys:
        if isinstance(k, np.ndarray):
            first.extend([slice(None)] * (k.ndim if k.dtype == np.bool_ else 1))
        else:
            first.append(k)
    rest = tuple(slice(None) if isinstance(k, slice) or k is None else k for k in keys if type(k) is not int)
    return tuple(first), rest


def _checked(array: Any, keys: tuple[Any, ...]) -> Any:
    first, rest = _in_two_steps(keys)
    try:
        return array[first][rest]
    except IndexError as error:
        for k in keys:
            if isinstance(k, np.ndarray) and k.dtype == np.bool_ and k.shape != array.shape[: k.ndim]:
                raise IndexError(
                    f"The shape of the mask {list(k.shape)} at index 0 does not match the shape of the indexed tensor "
                    f"{list(array.shape)} at index 0"
                ) from None
        raise IndexError(str(error)) from None


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """Write ``value``, which broadcasts, where ``key`` selects; recorded where a gradient is involved.

    Raises:
        RuntimeError: The tensor is a leaf that requires a gradient, or the shapes do not fit.
    """
    keys = _as_numpy(key)
    if not isinstance(value, Tensor):
        if isinstance(value, str):
            raise TypeError(f"can't assign a str to a torch.{TYPE_NAMES[input.dtype.name]}Tensor")
        value = from_array(np.asarray(to_array(value)))
    if tracked(input) and input.is_leaf:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation."
        )
    if is_float(input) and (tracked(input) or tracked(value)):
        places = _checked(ordinals(input), keys)
        _assign_at(input, places, value)
        return
    if isinstance(input._value, np.ndarray) or not input.is_cuda:
        target = input._value if isinstance(input._value, np.ndarray) else input._value._tensor.numpy_view()
        first, rest = _in_two_steps(keys)
        try:
            target[first][rest] = to_array(value)
        except ValueError:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of "
                f"shape {list(np.shape(target[keys]))}"
            ) from None
        touched(input)
        return
    host = np.array(to_array(input))
    host[keys] = to_array(value)
    overwrite(input, host)


def _assign_at(input: Tensor, places: Any, value: Tensor) -> None:
    """Record an assignment: elements at ``places`` come from ``value``, the others stay."""
    source = np.zeros(tuple(input.shape), np.int64)
    chosen = np.zeros(tuple(input.shape), bool)
    numbers = np.broadcast_to(ordinals(value), places.shape) if value.numel() else np.zeros(places.shape, int)
    source.reshape(-1)[places] = numbers
    chosen.reshape(-1)[places] = True
    new = pick(cast(value, input.dtype), source, "CopySlices")
    mask = from_array(chosen, input.device)
    replace(input, where(mask, new, input))


def flat_places(input: Tensor, dim: int, index: Tensor) -> Any:
    """Return the numbers of the elements ``input[..., index, ...]``, where the other indices are those of ``index``."""
    d = input._dim(dim)
    numbers = to_array(index)
    n = input.shape[d] if input.ndim else 1
    if numbers.size and (numbers.min() < 0 or numbers.max() >= n):
        wrong = numbers[(numbers < 0) | (numbers >= n)].reshape(-1)[0]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {d} with size {n}")
    grid: list[Any] = list(np.indices(numbers.shape, sparse=True)) if numbers.ndim else []
    if not grid:
        return numbers.reshape(())
    grid[d] = numbers
    return ordinals(input)[tuple(grid)]


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the elements at ``index`` along ``dim``, in the shape of ``index``."""
    if index.ndim != input.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    return pick(input, flat_places(input, dim, index), "Gather")


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Return the elements at ``indices`` along ``dim``, other dimensions broadcast; of the flat tensor by default."""
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    d = input._dim(dim)
    if indices.ndim != input.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    shapes = [[1 if k == d else n for k, n in enumerate(t.shape)] for t in (input, indices)]
    common = list(np.broadcast_shapes(*(tuple(s) for s in shapes)))
    a, b = (expand(t, *(t.shape[d] if k == d else n for k, n in enumerate(common))) for t in (input, indices))
    return gather(a, d, b)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Return elements by their numbers in row-major order."""
    return pick(input, to_array(index), "Take")


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the parts with these numbers along ``dim``."""
    key = (slice(None),) * input._dim(dim)
    numbers, n = to_array(index), input.size(dim) if input.ndim else 1
    if numbers.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if ((numbers < 0) | (numbers >= n)).any():
        words = f"INDICES element is out of DATA bounds, id={numbers.max()} axis_dim={n}"
        raise RuntimeError(words) if input._dim(dim) else IndexError("index out of range in self")
    out = getitem(input, (*key, from_array(to_array(index).reshape(-1))))
    out._op = "IndexSelect"
    return out


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where ``mask`` holds, in one dimension."""
    if to_array(mask).dtype != np.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    numbers = ordinals(input)
    return pick(input, numbers[np.broadcast_to(to_array(mask), numbers.shape)], "MaskedSelect")


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """Return ``input`` with elements of ``src`` (or a number) written at ``index`` along ``dim``.

    ``reduce="add"`` adds them and ``reduce="multiply"`` multiplies, both without a derivative.
    """
    given = value if src is None else src
    out = input.clone()
    places = flat_places(input, dim, index)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        if tracked(input) or tracked(given):
            raise NotImplementedError("scatter: reduce has no derivative here: use scatter_reduce")
        part = (
            to_array(given)[tuple(slice(0, n) for n in index.shape)] if isinstance(given, Tensor) else given
        )
        values = np.array(to_array(input))
        (np.add if reduce == "add" else np.multiply).at(values.reshape(-1), places, part)
        return from_array(values, input.device)
    if isinstance(given, Tensor):
        given = given[tuple(slice(0, n) for n in index.shape)]
    else:
        given = from_array(np.full(index.shape, given, input.dtype.numpy), input.device)
    if tracked(out) or tracked(given):
        _assign_at(out, places, given)
        return out
    host = np.array(to_array(out))
    host.reshape(-1)[places] = to_array(given)
    return from_array(host, input.device)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return ``input`` with elements of ``src`` added at ``index`` along ``dim``."""
    places = flat_places(input, dim, index)
    part = src[tuple(slice(0, n) for n in index.shape)]
    if is_float(input):
        values = as_core(part, input.dtype, input._value.backend)
        return wrap(arrange.AddAt.apply(input._value, values, places=places), op="ScatterAdd")
    host = np.array(to_array(input))
    np.add.at(host.reshape(-1), places.reshape(-1), to_array(part).reshape(-1))
    return from_array(host, input.device)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """Return ``input`` with the parts of ``source`` added at these numbers along ``dim``."""
    d = input._dim(dim)
    shape = tuple(len(to_array(index)) if k == d else 1 for k in range(input.ndim))
    spread = np.broadcast_to(to_array(index).reshape(shape), tuple(source.shape))
    return scatter_add(input, d, from_array(spread), source if alpha == 1 else source * alpha)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Return ``input`` with a number in the parts with these numbers along ``dim``."""
    out = input.clone()
    setitem(out, (slice(None),) * input._dim(dim) + (index,), value)
    return out


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return ``input`` with the parts of ``source`` in place of those with these numbers along ``dim``."""
    out = input.clone()
    setitem(out, (slice(None),) * input._dim(dim) + (index,), source)
    return out


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return ``input`` with the first elements of ``source`` where ``mask`` holds."""
    out = input.clone()
    chosen = np.broadcast_to(to_array(mask), tuple(input.shape))
    setitem(out, from_array(chosen.copy()), reshape(source, -1)[: int(chosen.sum())])
    return out


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the indices of elements that are not 0: rows of a matrix, or a tuple of a tensor for each dimension."""
    found = (
        np.nonzero(to_array(input)) if input.ndim else (np.zeros(int(bool(input)), np.int64),)[: input.ndim]
    )
    if as_tuple:
        return tuple(from_array(k, input.device) for k in found)
    return from_array(
        np.stack(found, 1) if found else np.zeros((int(bool(input)), 0), np.int64), input.device
    )


argwhere = nonzero
