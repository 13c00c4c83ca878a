"""Functions that keep the elements and change the shape, and that join and split tensors.

Constants share their memory with what `view`, `transpose`, `expand` and indexing by ints and slices return.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor as Core
from ..tensor_data import resolve_shape
from ..tensor_functions import arrange
from ..tensor_functions.shape import Copy, Permute, View
from ..tensor_functions.shape import To as _To
from .dtypes import backend_on, device, dtype, find_dtype
from .elementwise import cast
from .tensor import Tensor, from_array, is_float, to_array, wrap


def sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes that were given one by one or as one sequence."""
    inner = given[0] if len(given) == 1 and isinstance(given[0], Sequence) else given
    return tuple(int(n) for n in inner)


def _root(t: Tensor) -> Tensor:
    return t if t._base is None else t._base


def _viewed(t: Tensor, value: Any, op: str) -> Tensor:
    return wrap(value, t._place, _root(t), op)


def view(input: Tensor, *shape: Any) -> Tensor:
    """Return the same memory under another shape; one size may be -1.

    Raises:
        RuntimeError: The sizes do not fit, or the elements do not lie one after the other.
    """
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return from_array(to_array(input).view(shape[0].numpy), input.device)
    wanted = _fitting(input, sizes(shape))
    if not input.is_contiguous():
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans "
            "across two contiguous subspaces). Use .reshape(...) instead."
        )
    return _as_shape(input, wanted)


def _as_shape(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    v = input._value
    return _viewed(
        input, v.reshape(shape) if isinstance(v, np.ndarray) else View.apply(v, shape=shape), "View"
    )


def _fitting(input: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    n = input.numel()
    if math.prod(shape) == n and min(shape, default=1) > 0:
        return shape
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = math.prod(n for n in shape if n != -1)
    guessed = shape.count(-1) == 1 and known > 0 and n % known == 0
    if not guessed and (known != n or -1 in shape):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {n}")
    return resolve_shape(shape, n, input.shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same memory under the shape of ``other``."""
    return view(input, *other.shape)


def reshape(input: Tensor, *given: Any, shape: Any = ()) -> Tensor:
    """Return the elements under another shape: the same memory where it is possible."""
    wanted = _fitting(input, sizes(given or (shape,)))
    return _as_shape(input if input.is_contiguous() else contiguous(input), wanted)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the elements under the shape of ``other``."""
    return reshape(input, *other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the dimensions from ``start_dim`` to ``end_dim``."""
    if not input.ndim:
        return reshape(input, 1)
    first, last = input._dim(start_dim), input._dim(end_dim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    shape = tuple(input.shape)
    return reshape(input, *shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension."""
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Split dimension ``dim`` into several of these sizes; one may be -1."""
    d, shape = input._dim(dim), tuple(input.shape)
    parts = tuple(sizes)
    known = math.prod(n for n in parts if n != -1)
    if (known != shape[d]) if -1 not in parts else (not known or shape[d] % known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {d} ({shape[d]}) in the "
            "input tensor"
        )
    return reshape(input, *shape[:d], *resolve_shape(tuple(sizes), shape[d], (shape[d],)), *shape[d + 1 :])


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Drop dimensions of size 1: all, or those named."""
    named = (
        range(input.ndim)
        if dim is None
        else [input._dim(k) for k in (dim if isinstance(dim, tuple | list) else [dim])]
    )
    shape = [n for k, n in enumerate(input.shape) if not (n == 1 and k in named)]
    return reshape(input, *shape)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1."""
    n = input.ndim + 1
    if not -n <= dim < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    shape = list(input.shape)
    shape.insert(dim % n, 1)
    return reshape(input, *shape)


def permute(input: Tensor, *given: Any, dims: Any = ()) -> Tensor:
    """Return the same memory with its dimensions in another order."""
    order = tuple(input._dim(d) for d in sizes(given or (dims,)))
    if sorted(order) != list(range(input.ndim)):
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    v = input._value
    moved = v.transpose(order) if isinstance(v, np.ndarray) else Permute.apply(v, order=order)
    return _viewed(input, moved, "Permute")


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions."""
    a, b = input._dim(dim0), input._dim(dim1)
    order = list(range(input.ndim))
    if order:
        order[a], order[b] = order[b], order[a]
    out = permute(input, *order) if order else input
    out._op = "Transpose"
    return out


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """Transpose a matrix; a vector stays."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input if input.ndim < 2 else transpose(input, 0, 1)


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move dimensions to other places."""
    many = isinstance(source, tuple | list)
    src = [input._dim(d) for d in (source if many else [source])]
    dst = [input._dim(d) for d in (destination if many else [destination])]
    order = [k for k in range(input.ndim) if k not in src]
    for d, s in sorted(zip(dst, src)):
        order.insert(d, s)
    return permute(input, *order)


moveaxis = movedim


def expand(input: Tensor, *shape: Any) -> Tensor:
    """Return the tensor broadcast to a shape, without copying; -1 keeps a size."""
    given = sizes(shape)
    missing = len(given) - input.ndim
    if missing < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(given)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({input.ndim})"
        )
    wanted = tuple(input.shape[k - missing] if n == -1 else n for k, n in enumerate(given))
    for k, n in enumerate(input.shape):
        if n not in (1, wanted[k + missing]):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[k + missing]}) must match the existing size ({n}) at "
                f"non-singleton dimension {k + missing}.  Target sizes: {list(wanted)}.  Tensor sizes: "
                f"{list(input.shape)}"
            )
    v = input._value
    if isinstance(v, np.ndarray):
        return _viewed(input, np.broadcast_to(v, wanted), "Expand")
    return _viewed(input, arrange.Expand.apply(v, shape=wanted), "Expand")


broadcast_to = expand


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the tensor broadcast to the shape of ``other``."""
    return expand(input, *other.shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors broadcast to one shape."""
    shape = np.broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple(expand(x, *shape) for x in tensors)


def pick(input: Tensor, places: Any, op: str) -> Tensor:
    """Return elements by their places in row-major order; ``places`` gives the shape."""
    numbers = np.asarray(places, np.int64)
    if is_float(input):
        return wrap(arrange.Pick.apply(input._value, places=numbers), op=op)
    return from_array(to_array(input).reshape(-1)[numbers], input.device)


def ordinals(input: Tensor) -> Any:
    """Return the number of each element in row-major order, in the shape of the tensor."""
    return np.arange(input.numel()).reshape(tuple(input.shape))


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Repeat the tensor so often along each dimension."""
    counts = sizes(repeats)
    if len(counts) < input.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    return pick(input, np.tile(ordinals(input), counts), "Repeat")


def tile(input: Tensor, *given: Any, dims: Any = ()) -> Tensor:
    """Repeat the tensor along each dimension; missing dimensions are repeated once."""
    counts = sizes(given or (dims,))
    return repeat(input, *(1,) * (input.ndim - len(counts)), *counts)


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Repeat each element so often, along ``dim`` or of the flat tensor; alone, ``input`` says how often."""
    if repeats is None:
        return from_array(np.repeat(np.arange(input.numel()), to_array(input)), input.device)
    return pick(input, np.repeat(ordinals(input), to_array(repeats), dim), "RepeatInterleave")


def flip(input: Tensor, *given: Any, dims: Any = ()) -> Tensor:
    """Reverse the order along dimensions."""
    return pick(
        input, np.flip(ordinals(input), tuple(input._dim(d) for d in sizes(given or (dims,)))), "Flip"
    )


def fliplr(input: Tensor) -> Tensor:
    """Reverse the second dimension."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Reverse the first dimension."""
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Rotate by 90 degrees, ``k`` times, in the plane of two dimensions."""
    return pick(input, np.rot90(ordinals(input), k, tuple(dims)), "Rot90")


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shift elements along dimensions; those that leave come in at the other end."""
    if dims is not None:
        dims = tuple(input._dim(d) for d in (dims if isinstance(dims, tuple | list) else (dims,)))
        given = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
        if len(given) != len(dims):
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(given)}, dims:{len(dims)}")
    return pick(input, np.roll(ordinals(input), shifts, dims), "Roll")


# Copies


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor with its elements one after the other: itself if they are."""
    if input.is_contiguous():
        return input
    v = input._value
    if isinstance(v, np.ndarray):
        return wrap(np.ascontiguousarray(v), input._place)
    return wrap(Copy.apply(v), op="Clone")


def clone(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return a copy; its gradient goes to the original."""
    v = input._value
    if isinstance(v, np.ndarray):
        return wrap(v.copy(), input._place)
    return wrap(Copy.apply(v), op="Clone")


def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return the tensor on another device or in another dtype: ``to("cuda")``, ``to(torch.int64)``, ``to(other)``.

    Args:
        input: The tensor.
        *args: A device, a dtype, both, or a Tensor that has them.
        **kwargs: ``device``, ``dtype``, ``copy``; ``non_blocking`` and ``memory_format`` change nothing.
    """
    where, d = kwargs.pop("device", None), kwargs.pop("dtype", None)
    copied = kwargs.pop("copy", False)
    unknown = set(kwargs) - {"non_blocking", "memory_format"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    for x in args:
        if isinstance(x, Tensor):
            where, d = x.device, x.dtype
        elif isinstance(x, dtype):
            d = x
        elif isinstance(x, str | device | int) and not isinstance(x, bool):
            where = x
    out = input if d is None else cast(input, find_dtype(d))
    if where is not None:
        out = _moved(out, device(where))
    return clone(out) if copied and out is input else out


def _moved(input: Tensor, where: device) -> Tensor:
    if input.device.type == where.type:
        return input
    target = backend_on(where)
    if isinstance(input._value, Core):
        return wrap(_To.apply(input._value, backend=target), op="ToCopy")
    return wrap(input._value, device("cuda", 0) if where.type == "cuda" else device("cpu"))
