"""Part of tensor_functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import Context, Function
from ..tensor_data import IndexingError, TensorData, elements, normal_dim, shape_broadcast


def unbroadcast(d: Any, like: TensorData) -> TensorData:
    """Bring a derivative to the shape, dtype and backend of ``like``: the one place where broadcasting is undone.

    A dimension that was stretched from 1 passed its single element to many; the derivative of that element is the sum of
    theirs. Where ``d`` is the smaller one (or a number), it stands for equal elements and is spread out.

    Raises:
        IndexingError: The shapes cannot belong together.
    """
    if isinstance(d, np.ndarray):
        d = like.f.from_array(elements(d, like.dtype))
    if not isinstance(d, TensorData):
        return like.filled(float(d))
    if d.shape == like.shape and d.dtype == like.dtype:
        return d
    both = shape_broadcast(d.shape, like.shape)
    missing = len(both) - like.dims
    for k in range(d.dims):
        at = k + len(both) - d.dims
        if d.shape[k] != 1 and (at < missing or like.shape[at - missing] == 1):
            d = d.f.add_reduce(d, k)
    if d.dims > like.dims:
        d = d.contiguous().view(*d.shape[d.dims - like.dims :])
    if d.shape != like.shape or d.dtype != like.dtype:
        d = d.f.id_map(d, d.f.ops.allocate(like.shape, like.dtype, d.backend))
    return d


class Copy(Function):
    """A packed copy."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        """Return the copy."""
        return a.f.id_map(a)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d``."""
        return d


class Permute(Function):
    """Dimensions in another ``order``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, order: tuple[int, ...]) -> Any:
        """Return the same elements under the new order of dimensions."""
        ctx.save_for_backward(order)
        return a.permute(*order)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Permute back."""
        (order,) = ctx.saved_values
        return d.permute(*(order.index(k) for k in range(len(order))))


class View(Function):
    """The same packed elements under another ``shape``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, shape: tuple[int, ...]) -> Any:
        """Return the same elements under the new shape."""
        ctx.save_for_backward(a.shape)
        return a.view(*shape)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """View under the old shape."""
        (shape,) = ctx.saved_values
        return d.contiguous().view(*shape)


class Slice(Function):
    """The elements that ``key`` (ints, slices, ``...``) selects, as a packed copy."""

    @staticmethod
    def forward(ctx: Context, a: Any, key: Any) -> Any:
        """Return the copy."""
        ctx.save_for_backward(a, key)
        return a.window(key).copy()

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Put ``d`` back where the elements came from."""
        a, key = ctx.saved_values
        back = a.zeros()
        back.f.id_map(d, back.window(key))
        return back


class Cat(Function):
    """Operands one after the other along ``dim``; their other sizes are equal."""

    @staticmethod
    def forward(ctx: Context, *parts: Any, dim: int = 0) -> Any:
        """Return the joined copy."""
        first = parts[0]
        dim = normal_dim(dim, first.dims, first.shape)
        for p in parts:
            if p.dims != first.dims or _without(p.shape, dim) != _without(first.shape, dim):
                raise IndexingError(f"cannot join shapes {first.shape} and {p.shape} along dimension {dim}")
            first.f.ops.require_same_backend(first, p)
        ctx.save_for_backward(dim, [p.shape[dim] for p in parts])
        shape = (*first.shape[:dim], sum(p.shape[dim] for p in parts), *first.shape[dim + 1 :])
        dtype = np.result_type(*(p.dtype for p in parts))
        out = first.f.ops.allocate(shape, dtype, first.backend)
        at = 0
        for p in parts:
            first.f.id_map(p, out.window(_along(dim, at, p.shape[dim])))
            at += p.shape[dim]
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, ...]:
        """Cut ``d`` into the parts."""
        dim, sizes = ctx.saved_values
        starts = np.cumsum([0, *sizes[:-1]]).tolist()
        return tuple(d.window(_along(dim, at, n)).copy() for at, n in zip(starts, sizes))


def _without(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


def _along(dim: int, start: int, size: int) -> tuple[slice, ...]:
    return (*(slice(None) for _ in range(dim)), slice(start, start + size))


class To(Function):
    """The same numbers in another backend."""

    @staticmethod
    def forward(ctx: Context, a: Any, backend: Any) -> Any:
        """Move to ``backend``."""
        ctx.save_for_backward(a.backend)
        return backend.from_array(a.to_numpy())

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Move back."""
        (home,) = ctx.saved_values
        return home.from_array(d.to_numpy())


class Cast(Function):
    """The same numbers in another ``dtype``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dtype: Any) -> Any:
        """Convert."""
        return a.f.id_map(a, a.f.ops.allocate(a.shape, dtype, a.backend))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d``; it is fitted to the dtype of the operand."""
        return d
