"""Reductions of tensors and the matrix product, each with its derivative.

``forward`` and ``backward`` compute on TensorData through its backend ``a.f``. A reduction keeps the reduced dimension
with size 1. With ``dim=None`` it runs over all elements and gives the shape (1,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Context, Function
from ..tensor_data import IndexingError, normal_dim
from .elementwise import save_factors


def _reduced(a: Any, dim: int | None, reduction: Callable[[Any, int], Any]) -> Any:
    return reduction(a.contiguous().view(a.size), 0) if dim is None else reduction(a, dim)


def _reduced_size(a: Any, dim: int | None) -> int:
    return a.size if dim is None else a.shape[normal_dim(dim, a.dims, a.shape)]


class Sum(Function):
    """Sum along ``dim``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        return _reduced(a, dim, a.f.add_reduce)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return d


class Mean(Function):
    """Mean along ``dim``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        count = _reduced_size(a, dim)
        ctx.save_for_backward(count)
        return _reduced(a, dim, a.f.add_reduce) / count

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (count,) = ctx.saved_values
        return d / count


class All(Function):
    """Product along ``dim``: for 1.0 and 0.0, whether all are 1.0. ``backward`` raises RuntimeError."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        return _reduced(a, dim, a.f.mul_reduce)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        raise RuntimeError("All: cannot backpropagate through a test of truth, it has no derivative")


class Max(Function):
    """Largest element along ``dim``; nan wins, as in NumPy.

    Each of several equal maxima gets the full derivative. Raises IndexingError where there is no element.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int | None = None) -> Any:
        if _reduced_size(a, dim) == 0:
            raise IndexingError(
                f"max: expected at least one element along dimension {dim}, but it is empty ({a.shape})"
            )
        m = _reduced(a, dim, a.f.max_reduce)
        ctx.save_for_backward(a, m)
        return m

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, m = ctx.saved_values
        return a.f.mul_zip(a.f.eq_zip(a, m), d)


class MatMul(Function):
    """``a @ b`` for matrices (M, K) and (K, N), or batches (B, M, K) and (B, K, N); a batch of 1 broadcasts.

    The derivatives are ``d @ b.T`` and ``a.T @ d``.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        save_factors(ctx, a, b)
        return a.f.matrix_multiply(a, b)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        a, b = ctx.saved_values
        product = d.f.matrix_multiply
        da = 0.0 if b is None else product(d, _transposed(b))
        return da, 0.0 if a is None else product(_transposed(a), d)


def _transposed(a: Any) -> Any:
    return a.permute(1, 0) if a.dims == 2 else a.permute(0, 2, 1)
