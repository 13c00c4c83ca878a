"""Functions of tensors that keep the elements and change their layout, dtype or backend, each with its derivative.

``forward`` and ``backward`` compute on TensorData through its backend ``a.f``. `unbroadcast` is here too: the one place
where broadcasting is undone.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from ..autodiff import Context, Function
from ..runtime.versions import clock
from ..tensor_data import IndexingError, TensorData, normal_dim, number_array, shape_broadcast


def unbroadcast(d: Any, like: TensorData) -> TensorData:
    """Bring a derivative to the shape, dtype and backend of its operand ``like``.

    A dimension of size 1 that was broadcast gave its element to many results; the derivative of that element is the sum
    of theirs. A derivative that is smaller than the operand, or a number, stands for equal elements and is broadcast.

    Raises:
        IndexingError: The shapes do not broadcast.
    """
    if isinstance(d, TensorData) and d.shape == like.shape and d.dtype == like.dtype:
        return d
    if isinstance(d, np.ndarray):
        d = like.f.from_array(number_array("backward", d, like.dtype))
    if not isinstance(d, TensorData):
        if not isinstance(d, Real | np.bool_):
            raise TypeError(
                f"backward: expected a derivative that is a number, an array or TensorData, got {type(d).__name__}"
            )
        return like.filled(float(d))
    both = shape_broadcast(d.shape, like.shape)
    missing = len(both) - like.dims  # leading dimensions that the operand does not have
    for k in range(d.dims):
        axis = k + len(both) - d.dims
        if d.shape[k] != 1 and (axis < missing or like.shape[axis - missing] == 1):
            d = d.f.add_reduce(d, k)
    if d.dims > like.dims:
        d = d.contiguous().view(*d.shape[d.dims - like.dims :])
    if d.shape != like.shape or d.dtype != like.dtype:
        d = d.f.id_map(d, d.f.ops.allocate(like.shape, like.dtype, d.backend))
    return d


class Copy(Function):
    """A contiguous copy."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        return a.f.id_map(a)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return d


class Permute(Function):
    """The dimensions in another ``order``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, order: tuple[int, ...]) -> Any:
        ctx.save_for_backward(order)
        return a.permute(*order)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (order,) = ctx.saved_values
        return d.permute(*(order.index(k) for k in range(len(order))))


class View(Function):
    """The same contiguous elements under another ``shape``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, shape: tuple[int, ...]) -> Any:
        ctx.save_for_backward(a.shape)
        return a.view(*shape)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (shape,) = ctx.saved_values
        return d.contiguous().view(*shape)


class Slice(Function):
    """The elements that ``key`` (ints, slices, ``...``) selects, as a contiguous copy."""

    @staticmethod
    def forward(ctx: Context, a: Any, key: Any) -> Any:
        ctx.save_for_backward(a.f, a.shape, a.dtype, key)  # not the elements, which may change
        return a.window(key).copy()

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        f, shape, dtype, key = ctx.saved_values
        da = f.full(shape, 0.0, dtype)
        da.f.id_map(d, da.window(key))
        return da


class Assign(Function):
    """The first operand with the second, which broadcasts, written where ``key`` (ints, slices, ``...``) selects.

    It changes its first operand in place: item assignment gives the tensor this history, and its earlier one to the
    operand. What was overwritten gets no derivative; the second operand gets the derivative of its place.
    """

    in_place = True

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any, key: Any) -> Any:
        a[key] = b
        ctx.time = clock.now
        ctx.save_for_backward(key)
        return a

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        (key,) = ctx.saved_values
        da: Any = 0.0
        if ctx.needs(0):
            da = d.copy()
            da[key] = 0.0
        return da, d.window(key).copy()


class Cat(Function):
    """The operands joined along ``dim``; all their other sizes are equal."""

    @staticmethod
    def forward(ctx: Context, *parts: Any, dim: int = 0) -> Any:
        first = parts[0]
        dim = normal_dim(dim, first.dims, first.shape)
        for p in parts:
            if p.dims != first.dims or _without(p.shape, dim) != _without(first.shape, dim):
                raise IndexingError(
                    f"cat: expected shapes that are equal except in dimension {dim}, got {first.shape} and {p.shape}"
                )
            first.f.ops.require_same_backend(first, p)
        sizes = [p.shape[dim] for p in parts]
        ctx.save_for_backward(dim, sizes)
        shape = (*first.shape[:dim], sum(sizes), *first.shape[dim + 1 :])
        dtype = np.result_type(*(p.dtype for p in parts))
        out = first.f.ops.allocate(shape, dtype, first.backend)
        for p, key in zip(parts, _parts(dim, sizes)):
            first.f.id_map(p, out.window(key))
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, ...]:
        return tuple(d.window(key).copy() for key in _parts(*ctx.saved_values))


def _without(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


def _parts(dim: int, sizes: list[int]) -> list[tuple[slice, ...]]:
    """Return the keys of consecutive parts of these sizes along ``dim``."""
    ends = np.cumsum(sizes).tolist()
    return [(*(slice(None),) * dim, slice(end - n, end)) for end, n in zip(ends, sizes)]


class To(Function):
    """The same elements in another ``backend``."""

    @staticmethod
    def forward(ctx: Context, a: Any, backend: Any) -> Any:
        ctx.save_for_backward(a.backend)
        return backend.from_array(a.to_numpy())

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (home,) = ctx.saved_values
        return home.from_array(d.to_numpy())


class Cast(Function):
    """The same elements in another ``dtype``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dtype: Any) -> Any:
        return a.f.id_map(a, a.f.ops.allocate(a.shape, dtype, a.backend))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return d  # `unbroadcast` casts it to the dtype of the operand
