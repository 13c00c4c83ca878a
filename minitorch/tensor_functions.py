"""Every function of tensors, forward and backward side by side.

``forward`` and ``backward`` compute on TensorData through the door of its backend (``a.f``). This file refuses to know
Tensor and the rooms. A new pointwise function is one class of two float functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from . import operators
from .autodiff import Context, Function
from .dtypes import cells
from .tensor_data import IndexingError, TensorData, normal_dim, shape_broadcast


def unbroadcast(d: Any, like: TensorData) -> TensorData:
    """Bring a derivative to the shape, dtype and room of ``like``: the one place where broadcasting is undone.

    A dimension that was stretched from 1 passed its single cell to many; the derivative of that cell is the sum of
    theirs. Where ``d`` is the smaller one (or a number), it stands for equal cells and is spread out.

    Raises:
        IndexingError: The shapes cannot belong together.
    """
    if isinstance(d, np.ndarray):
        d = like.f.from_array(cells(d, like.dtype))
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


class Pointwise(Function):
    """A function of single cells: ``fn(x)``, and ``back(x, d)``, its derivative times ``d``."""

    fn: ClassVar[Callable[[float], float]]
    back: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any) -> Any:
        """Apply ``fn`` to each cell."""
        ctx.save_for_backward(a)
        return a.f.map(cls.fn)(a)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> Any:
        """Apply ``back`` to each cell and its derivative."""
        (a,) = ctx.saved_values
        return a.f.zip(cls.back)(a, d)


class Inv(Pointwise):
    """``1 / a``."""

    fn, back = operators.inv, operators.inv_back


class Sigmoid(Pointwise):
    """``1 / (1 + e ** -a)``."""

    fn, back = operators.sigmoid, operators.sigmoid_back


class ReLU(Pointwise):
    """``max(a, 0)``."""

    fn, back = operators.relu, operators.relu_back


class Log(Pointwise):
    """``ln(a + EPS)``, with ``operators.EPS`` = 1e-6."""

    fn, back = operators.log, operators.log_back


class Exp(Pointwise):
    """``e ** a``."""

    fn, back = operators.exp, operators.exp_back


class Tanh(Pointwise):
    """Hyperbolic tangent."""

    fn, back = operators.tanh, operators.tanh_back


class Sqrt(Pointwise):
    """Square root."""

    fn, back = operators.sqrt, operators.sqrt_back


class Abs(Pointwise):
    """``|a|``; the derivative at 0 is 0."""

    fn, back = operators.abs, operators.abs_back


class Neg(Function):
    """``-a``."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        """Return ``-a``."""
        return a.f.neg_map(a)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``-d``."""
        return d.f.neg_map(d)


class Add(Function):
    """``a + b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a + b``."""
        return a.f.add_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Pass ``d`` to both."""
        return d, d


class Sub(Function):
    """``a - b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a - b``."""
        return a.f.sub_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d`` and ``-d``."""
        return d, d.f.neg_map(d) if ctx.needs(1) else 0.0


class Mul(Function):
    """``a * b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a * b``."""
        ctx.save_for_backward(a, b)
        return a.f.mul_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d * b`` and ``d * a``."""
        a, b = ctx.saved_values
        f = d.f
        return f.mul_zip(d, b) if ctx.needs(0) else 0.0, f.mul_zip(d, a) if ctx.needs(1) else 0.0


class Div(Function):
    """``a / b``, broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a / b``."""
        ctx.save_for_backward(a, b)
        return a.f.div_zip(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d / b`` and ``-d * a / b ** 2``."""
        a, b = ctx.saved_values
        f = d.f
        da = f.div_zip(d, b) if ctx.needs(0) else 0.0
        return da, f.mul_zip(a, f.zip(operators.inv_back)(b, d)) if ctx.needs(1) else 0.0


class Power(Function):
    """``a ** exponent`` for a plain number."""

    @staticmethod
    def forward(ctx: Context, a: Any, exponent: float) -> Any:
        """Return ``a ** exponent``."""
        ctx.save_for_backward(a, exponent)
        return a.f.zip(operators.power)(a, a.filled(exponent, (1,) * a.dims))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d * exponent * a ** (exponent - 1)``."""
        a, exponent = ctx.saved_values
        if exponent == 0:
            return 0.0
        slope = a.f.zip(operators.power)(a, a.filled(exponent - 1, (1,) * a.dims))
        return d.f.mul_zip(d, slope) * exponent


class _Comparison(Function):
    fn: ClassVar[Callable[[float, float], float]]

    @classmethod
    def forward(cls, ctx: Context, a: Any, b: Any) -> Any:
        """Compare cell by cell: 1.0 or 0.0."""
        return a.f.zip(cls.fn)(a, b)

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        """Comparisons are flat: their derivatives are 0."""
        return 0.0, 0.0


class LT(_Comparison):
    """1.0 where ``a < b``, else 0.0."""

    fn = operators.lt


class EQ(_Comparison):
    """1.0 where ``a == b``, else 0.0."""

    fn = operators.eq


class IsClose(_Comparison):
    """1.0 where ``|a - b| < 1e-2``, else 0.0; not differentiable."""

    fn = operators.is_close

    @classmethod
    def backward(cls, ctx: Context, d: Any) -> tuple[Any, Any]:
        """Raise RuntimeError."""
        raise RuntimeError("backward through IsClose: a test of closeness has no derivative")


def _folded(a: Any, dim: int | None, fold: Callable[[Any, int], Any]) -> Any:
    return fold(a.contiguous().view(a.size), 0) if dim is None else fold(a, dim)


class Sum(Function):
    """Sum along ``dim``, which stays with size 1; over all cells if None, of shape (1,)."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the sum."""
        return _folded(a, dim, a.f.add_reduce)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Pass ``d`` to each cell that was summed."""
        return d


class All(Function):
    """Product along ``dim`` (of 1.0 and 0.0: whether all are 1.0); not differentiable."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the product."""
        return _folded(a, dim, a.f.mul_reduce)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Raise RuntimeError."""
        raise RuntimeError("backward through All: a test of truth has no derivative")


class Max(Function):
    """Largest cell along ``dim``, which stays with size 1; over all cells if None. nan wins, as in NumPy.

    All of several equal maxima get the full derivative.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the maximum."""
        if (a.size if dim is None else a.shape[normal_dim(dim, a.dims, a.shape)]) == 0:
            raise IndexingError(f"no maximum along dimension {dim} of shape {a.shape}: it is empty")
        m = _folded(a, dim, a.f.max_reduce)
        ctx.save_for_backward(a, m)
        return m

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Pass ``d`` to the cells that equal the maximum."""
        a, m = ctx.saved_values
        return a.f.mul_zip(a.f.eq_zip(a, m), d)


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


class MatMul(Function):
    """Matrix product of 2-D or 3-D operands; a leading dimension of 1 stretches."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        """Return ``a @ b``."""
        ctx.save_for_backward(a, b)
        return a.f.matrix_multiply(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return ``d @ b.T`` and ``a.T @ d``."""
        a, b = ctx.saved_values
        product = d.f.matrix_multiply
        da = product(d, _transposed(b)) if ctx.needs(0) else 0.0
        return da, product(_transposed(a), d) if ctx.needs(1) else 0.0


def _transposed(a: Any) -> Any:
    return a.permute(1, 0) if a.dims == 2 else a.permute(0, 2, 1)


class Permute(Function):
    """Dimensions in another ``order``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, order: tuple[int, ...]) -> Any:
        """Return the same cells under the new order of dimensions."""
        ctx.save_for_backward(order)
        return a.permute(*order)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Permute back."""
        (order,) = ctx.saved_values
        return d.permute(*(order.index(k) for k in range(len(order))))


class View(Function):
    """The same packed cells under another ``shape``; shares storage."""

    @staticmethod
    def forward(ctx: Context, a: Any, shape: tuple[int, ...]) -> Any:
        """Return the same cells under the new shape."""
        ctx.save_for_backward(a.shape)
        return a.view(*shape)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """View under the old shape."""
        (shape,) = ctx.saved_values
        return d.contiguous().view(*shape)


class Slice(Function):
    """The cells that ``key`` (ints, slices, ``...``) selects, as a packed copy."""

    @staticmethod
    def forward(ctx: Context, a: Any, key: Any) -> Any:
        """Return the copy."""
        ctx.save_for_backward(a, key)
        return a.window(key).copy()

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Put ``d`` back where the cells came from."""
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
            first.f.ops.same_room(first, p)
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
    """The same numbers in another room."""

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
