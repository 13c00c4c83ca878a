"""Inverses, decompositions and other functions of matrices, each derivative beside its function.

A matrix is the last two dimensions, (M, N) or (N, N); dimensions before are batches. All computing is NumPy's, on the
host. Formulas: Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); for svd, eigh and qr Seeger et al., "Auto-Differentiating Linear Algebra" (2017). Functions
with several results return them in one flat row per matrix, in the order of their names.

Raises:
    numpy.linalg.LinAlgError: A matrix is singular, or not positive definite, or an iteration does not end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Context, Function

Array = npt.NDArray[Any]


def _t(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def _raw(near: Any, x: Array) -> Any:
    """Return an array as TensorData on the backend of ``near``, in its dtype."""
    return near.f.from_array(np.asarray(x, near.dtype, order="C"))


def pack(*parts: Array, batch: tuple[int, ...]) -> Array:
    """Return arrays as one flat row for each matrix of the batch."""
    return np.concatenate([p.reshape(*batch, -1) for p in parts], -1)


def unpack(row: Array, *shapes: tuple[int, ...]) -> list[Array]:
    """Return the arrays of these shapes that `pack` joined."""
    ends = np.cumsum([math.prod(s) for s in shapes])
    parts = np.split(row, ends[:-1], -1)
    return [p.reshape(*row.shape[:-1], *s) for p, s in zip(parts, shapes)]


class Inverse(Function):
    """Inverse of a square matrix."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        x = np.linalg.inv(a.host())
        ctx.save_for_backward(x)
        return _raw(a, x)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (x,) = ctx.saved_values
        return _raw(d, -_t(x) @ d.host() @ _t(x))


class Solve(Function):
    """X with ``a @ X = b``; ``b`` is (..., N, K), and batches broadcast."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        matrix = a.host()
        x = np.linalg.solve(matrix, b.host())
        ctx.save_for_backward(np.array(matrix), x)
        return _raw(a, x)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        a, x = ctx.saved_values
        db = np.linalg.solve(_t(a), d.host())
        return _raw(d, -db @ _t(x)), _raw(d, db)


class Det(Function):
    """Determinant of a square matrix. The derivative is the matrix of cofactors, found by svd: also where it is 0."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        matrix = np.array(a.host())
        ctx.save_for_backward(matrix)
        return _raw(a, np.linalg.det(matrix))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (a,) = ctx.saved_values
        u, s, vh = np.linalg.svd(a)
        n = s.shape[-1]
        others = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]).prod(-1)
        sign = np.linalg.det(u) * np.linalg.det(vh) * d.host()
        return _raw(d, sign[..., None, None] * ((u * others[..., None, :]) @ vh))


class LogAbsDet(Function):
    """Logarithm of the magnitude of the determinant."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        matrix = np.array(a.host())
        ctx.save_for_backward(matrix)
        return _raw(a, np.linalg.slogdet(matrix)[1])

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (a,) = ctx.saved_values
        return _raw(d, d.host()[..., None, None] * _t(np.linalg.inv(a)))


class PseudoInverse(Function):
    """Pseudoinverse; singular values up to ``rcond`` times the largest count as 0."""

    @staticmethod
    def forward(ctx: Context, a: Any, rcond: float, hermitian: bool = False) -> Any:
        matrix = np.array(a.host())
        p = np.linalg.pinv(matrix, rcond, hermitian)
        ctx.save_for_backward(matrix, p)
        return _raw(a, p)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, p = ctx.saved_values
        g = d.host()
        left, right = np.eye(a.shape[-2]) - a @ p, np.eye(a.shape[-1]) - p @ a
        return _raw(d, -_t(p) @ g @ _t(p) + left @ _t(g) @ p @ _t(p) + _t(p) @ p @ _t(g) @ right)


class Cholesky(Function):
    """Lower triangle L with ``a = L @ L.T``."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        lower = np.linalg.cholesky(a.host())
        ctx.save_for_backward(lower)
        return _raw(a, lower)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (lower,) = ctx.saved_values
        n = lower.shape[-1]
        middle = np.tril(_t(lower) @ d.host()) * (1.0 - 0.5 * np.eye(n))
        inverse = np.linalg.inv(lower)
        found = _t(inverse) @ middle @ inverse
        return _raw(d, 0.5 * (found + _t(found)))


class Eigh(Function):
    """Eigenvalues, rising, and eigenvectors (columns) of a symmetric matrix: a row of N + N * N numbers."""

    @staticmethod
    def forward(ctx: Context, a: Any, upper: bool = False) -> Any:
        values, vectors = np.linalg.eigh(a.host(), "U" if upper else "L")
        ctx.save_for_backward(values, vectors)
        return _raw(a, pack(values, vectors, batch=a.shape[:-2]))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        values, v = ctx.saved_values
        n = values.shape[-1]
        d_values, d_vectors = unpack(d.host(), (n,), (n, n))
        eye = np.eye(n, dtype=v.dtype)
        inner = eye * d_values[..., None, :]
        if d_vectors.any():
            gaps = values[..., None, :] - values[..., :, None]
            inner = inner + (1.0 - eye) * (_t(v) @ d_vectors) / (gaps + eye)
        found = v @ inner @ _t(v)
        return _raw(d, 0.5 * (found + _t(found)))


class Svd(Function):
    """U (M, K), singular values (K), V transposed (K, N), K = min(M, N): a row of M * K + K + K * N numbers."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        u, s, vh = np.linalg.svd(a.host(), full_matrices=False)
        ctx.save_for_backward(u, s, vh)
        return _raw(a, pack(u, s, vh, batch=a.shape[:-2]))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        u, s, vh = ctx.saved_values
        m, n, k = u.shape[-2], vh.shape[-1], s.shape[-1]
        du, ds, dvh = unpack(d.host(), (m, k), (k,), (k, n))
        eye = np.eye(k, dtype=u.dtype)
        inner = eye * ds[..., None, :]
        if not (du.any() or dvh.any()):
            return _raw(d, u @ inner @ vh)
        gaps = s[..., None, :] ** 2 - s[..., :, None] ** 2 + eye
        left, right = _t(u) @ du, vh @ _t(dvh)
        inner = inner + ((left - _t(left)) / gaps) * s[..., None, :]
        inner = inner + s[..., :, None] * ((right - _t(right)) / gaps)
        found = u @ inner @ vh
        if m > k:
            found = found + ((du - u @ left) / s[..., None, :]) @ vh
        if n > k:
            found = found + (u / s[..., None, :]) @ (dvh - _t(right) @ vh)
        return _raw(d, found)


class Qr(Function):
    """Q (M, K) and R (K, N), K = min(M, N): a row of M * K + K * N numbers."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        matrix = np.array(a.host())
        q, r = np.linalg.qr(matrix)
        ctx.save_for_backward(matrix, q, r)
        return _raw(a, pack(q, r, batch=a.shape[:-2]))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, q, r = ctx.saved_values
        m, n, k = q.shape[-2], r.shape[-1], r.shape[-2]
        dq, dr = unpack(d.host(), (m, k), (k, n))
        rest = dr[..., k:]  # a wide matrix: the columns after the leading square
        dq = dq + a[..., k:] @ _t(rest)
        square, d_square = r[..., :k], dr[..., :k]
        upper = np.triu(d_square @ _t(square) - _t(q) @ dq)
        both = (upper + _t(upper)) * (1.0 - 0.5 * np.eye(k))
        found = _t(np.linalg.solve(square, _t(dq + q @ both)))
        return _raw(d, np.concatenate([found, q @ rest], -1))


class MatrixExp(Function):
    """Sum of ``a ** k / k!``.

    The derivative is a block of the exponential of a matrix twice as large (Van Loan, 1978).
    """

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        matrix = np.array(a.host())
        ctx.save_for_backward(matrix)
        return _raw(a, exponential(matrix))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (a,) = ctx.saved_values
        n = a.shape[-1]
        above = np.concatenate([_t(a), d.host()], -1)
        below = np.concatenate([np.zeros_like(a), _t(a)], -1)
        return _raw(d, exponential(np.concatenate([above, below], -2))[..., :n, n:])


def exponential(a: Array) -> Array:
    """Return the exponential of matrices: of a part so small that 18 terms are enough, squared again and again."""
    x = a.astype(np.float64)
    size = np.abs(x).sum(-1).max(initial=0.0)
    squarings = max(0, math.ceil(math.log2(size)) + 1) if 0 < size < math.inf else 0
    x = x / 2.0**squarings
    term = np.broadcast_to(np.eye(a.shape[-1]), x.shape)
    total = term
    for k in range(1, 19):
        term = term @ x / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total
