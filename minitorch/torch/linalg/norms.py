"""Norms of vectors and matrices, distances, condition numbers, ranks, and products of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import TYPE_NAMES, find_dtype
from ..elementwise import abs as _abs
from ..elementwise import cast, div, mul, pow, sub, where
from ..joining import stack
from ..reductions import amax, amin
from ..reductions import norm as _norm
from ..reductions import sum as _sum
from ..shapes import movedim, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array
from .decompositions import check_matrix, inv, svdvals


def _require_fractions(name: str, x: Tensor) -> None:
    if not is_float(x):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {TYPE_NAMES[x.dtype.name]}"
        )


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Return the ``ord``-norm of all elements, or over dimensions."""
    if dtype is not None:
        x = cast(x, find_dtype(dtype))
    _require_fractions("linalg.vector_norm", x)
    return _norm(x, float(ord), dim, keepdim)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Return a norm of matrices: "fro", "nuc", infinity, -infinity, 1, -1, 2 or -2.

    Raises:
        RuntimeError: There is no such norm.
    """
    if dtype is not None:
        A = cast(A, find_dtype(dtype))
    check_matrix("linalg.matrix_norm", A, False)
    rows, cols = (A._dim(d) for d in dim)
    if ord == "fro":
        return _norm(A, 2.0, (rows, cols), keepdim)
    if ord == "nuc" or ord in (2, -2):
        s = svdvals(movedim(A, (rows, cols), (-2, -1)))
        found = _sum(s, -1) if ord == "nuc" else amax(s, -1) if ord == 2 else amin(s, -1)
    elif ord in (math.inf, -math.inf, 1, -1):
        over, left = (cols, rows) if math.isinf(ord) else (rows, cols)
        sums = _sum(_abs(A), over, True)
        found = (amax if ord > 0 else amin)(sums, left, True)
        found = found.squeeze((rows, cols))
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if keepdim:
        for d in sorted((rows, cols)):
            found = unsqueeze(found, d)
    return found


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the norm of vectors or, for two dimensions and an order, of matrices."""
    _require_fractions("linalg.norm", A)
    pair = len(dim) == 2 if isinstance(dim, tuple | list) else dim is None and A.ndim == 2
    if ord is not None and (pair or isinstance(ord, str)):
        return matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """Return the condition number in a norm of matrices, by default 2."""
    check_matrix("linalg.cond", A, p not in (None, 2, -2))
    if p in (None, 2, -2):
        s = svdvals(A)
        return div(s[..., 0], s[..., -1]) if p != -2 else div(s[..., -1], s[..., 0])
    return mul(matrix_norm(A, p), matrix_norm(inv(A), p))


def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """Return the number of singular values above ``atol`` and above ``rtol`` times the largest."""
    check_matrix("linalg.matrix_rank", A, False)
    s = np.linalg.svd(to_array(A), compute_uv=False)
    fixed = to_array(tol if atol is None else atol) if not (tol is None and atol is None) else None
    share = to_array(rtol) if rtol is not None else 0.0 if fixed is not None else None
    if share is None:
        share = max(A.shape[-2:]) * np.finfo(A.dtype.numpy).eps
    limit = np.maximum(0.0 if fixed is None else fixed, share * s.max(-1, initial=0.0))
    return from_array((s > limit[..., None]).sum(-1), A.device)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: Any = None) -> Tensor:
    """Return the distances of each row of ``x1`` to each row of ``x2``, in the p-norm."""
    if x1.ndim < 2 or x2.ndim < 2:
        raise RuntimeError("cdist only supports at least 2D tensors")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    return _norm(sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, -1)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Return the inner products of vectors along a dimension."""
    return _sum(mul(x, y), dim)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the cross products of vectors of 3 elements along a dimension.

    Raises:
        RuntimeError: There are not 3.
    """
    a, b = input.broadcast_to(np.broadcast_shapes(input.shape, other.shape)), other
    d = a._dim(dim)
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if a.shape[d] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[d]} and {other.shape[d]}"
        )
    x, y = ([t.select(d, k) for k in range(3)] for t in (a, b))
    return stack([sub(mul(x[i], y[j]), mul(x[j], y[i])) for i, j in ((1, 2), (2, 0), (0, 1))], d)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Return the powers 0, 1, ... of vectors, in a new last dimension."""
    return pow(unsqueeze(x, -1), from_array(np.arange(x.shape[-1] if N is None else N), x.device))


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Return the parts along ``dim`` shrunk to a p-norm of at most ``maxnorm``."""
    rest = tuple(k for k in range(input.ndim) if k != input._dim(dim))
    sizes = _norm(input, p, rest, True)
    return mul(input, where(sizes > maxnorm, div(maxnorm, sizes + 1e-7), 1.0))
