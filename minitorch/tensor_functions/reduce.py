"""Part of tensor_functions, tensor_functions_more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Context, Function
from ..tensor_data import IndexingError, normal_dim


def _folded(a: Any, dim: int | None, reduce_all: Callable[[Any, int], Any]) -> Any:
    return reduce_all(a.contiguous().view(a.size), 0) if dim is None else reduce_all(a, dim)


class Sum(Function):
    """Sum along ``dim``, which stays with size 1; over all elements if None, of shape (1,)."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the sum."""
        return _folded(a, dim, a.f.add_reduce)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Pass ``d`` to each element that was summed."""
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
    """Largest element along ``dim``, which stays with size 1; over all elements if None. nan wins, as in NumPy.

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
        """Pass ``d`` to the elements that equal the maximum."""
        a, m = ctx.saved_values
        return a.f.mul_zip(a.f.eq_zip(a, m), d)


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


class Mean(Function):
    """Mean along ``dim``, which stays with size 1; over all elements if None, of shape (1,)."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        """Return the mean."""
        count = a.size if dim is None else a.shape[normal_dim(dim, a.dims, a.shape)]
        ctx.save_for_backward(count)
        return Sum.forward(ctx, a, dim) / count

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Pass ``d / count`` to each element that was averaged."""
        (count,) = ctx.saved_values
        return d / count
