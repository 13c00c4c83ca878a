"""Inverses, determinants, equations and decompositions of matrices, which are the last two dimensions.

The Functions of `minitorch.tensor_functions.linalg` compute them, with their derivatives. What has no derivative here
says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autodiff import Function
from ...tensor_functions import linalg as core
from .. import return_types
from ..dtypes import TYPE_NAMES
from ..elementwise import add, mul, where
from ..joining import tril, triu
from ..shapes import movedim, reshape, transpose, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array, tracked, wrap
from .products import matmul


class LinAlgError(RuntimeError):
    """A matrix is singular, or not positive definite, or an iteration does not end."""


def check_matrix(name: str, A: Tensor, square: bool = True) -> None:
    """Check that a tensor is a matrix, or a batch of them, of fractions.

    Raises:
        TypeError: It is no Tensor.
        RuntimeError: It has fewer dimensions, is not square, or consists of integers.
    """
    if not isinstance(A, Tensor):
        raise TypeError(f"{name}: expected a Tensor, got {type(A).__name__}")
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if not is_float(A):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {TYPE_NAMES[A.dtype.name]}"
        )


def _computed(name: str, fn: type[Function], *operands: Tensor, **settings: Any) -> Tensor:
    try:
        return wrap(fn.apply(*(x._value for x in operands), **settings), op=f"Linalg{name.capitalize()}")
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: {error}") from None


def _eye_like(A: Tensor) -> Tensor:
    return from_array(
        np.broadcast_to(np.eye(A.shape[-1], dtype=A.dtype.numpy), tuple(A.shape)).copy(), A.device
    )


def _parts(row: Tensor, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Return the results that a Function of the core joined to one row for each matrix."""
    batch = tuple(row.shape[:-1])
    ends = np.cumsum([0, *(math.prod(s) for s in shapes)]).tolist()
    return [reshape(row[..., a:b], *batch, *s) for a, b, s in zip(ends, ends[1:], shapes)]


def _constants(name: str, *tensors: Tensor) -> None:
    """Check that no derivative is wanted.

    Raises:
        NotImplementedError: It is.
    """
    if any(tracked(t) for t in tensors):
        raise NotImplementedError(
            f"linalg.{name}: minitorch has no derivative of it; use detach(), or real PyTorch"
        )


def inv(A: Tensor) -> Tensor:
    """Return the inverse of a square matrix.

    Raises:
        LinAlgError: It is singular.
    """
    check_matrix("linalg.inv", A)
    return _computed("inv", core.Inverse, A)


inverse = inv


def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """Return the inverse, and 0 for each matrix: a singular one is an error here."""
    return return_types.linalg_inv_ex(inv(A), _no_errors(A))


def _no_errors(A: Tensor) -> Tensor:
    return from_array(np.zeros(tuple(A.shape[:-2]), np.int32), A.device)


def pinv(A: Tensor, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """Return the pseudoinverse; singular values up to ``rtol`` times the largest count as 0."""
    check_matrix("linalg.pinv", A, False)
    limit = rcond if rtol is None else rtol
    if limit is None:
        limit = max(A.shape[-2:]) * float(np.finfo(A.dtype.numpy).eps)
    return _computed("pinv", core.PseudoInverse, A, rcond=float(limit), hermitian=hermitian)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return the pseudoinverse."""
    return pinv(input, rcond)


def det(A: Tensor) -> Tensor:
    """Return the determinant."""
    check_matrix("linalg.det", A)
    return _computed("det", core.Det, A)


def _sign_of_det(A: Tensor) -> Tensor:
    return from_array(np.asarray(np.linalg.slogdet(to_array(A))[0]), A.device, A.dtype)


def slogdet(A: Tensor) -> Any:
    """Return the sign of the determinant and the logarithm of its magnitude."""
    check_matrix("linalg.slogdet", A)
    return return_types.linalg_slogdet(_sign_of_det(A), _computed("slogdet", core.LogAbsDet, A))


def logdet(input: Tensor) -> Tensor:
    """Return the logarithm of the determinant: nan where that is negative."""
    check_matrix("logdet", input)
    sign, size = slogdet(input)
    return where(sign < 0, math.nan, size)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Return X with ``A @ X = B``, or ``X @ A = B`` if not ``left``; ``B`` may be a vector for each matrix.

    Raises:
        LinAlgError: A is singular.
        RuntimeError: The shapes do not fit.
    """
    check_matrix("linalg.solve", A)
    if not isinstance(B, Tensor):
        raise TypeError(f"linalg.solve: expected a Tensor, got {type(B).__name__}")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {A.dtype} and B of type "
            f"{B.dtype}"
        )
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1])):
        return solve(A, unsqueeze(B, -1))[..., 0]
    if not left:
        return transpose(solve(transpose(A, -2, -1), transpose(B, -2, -1)), -2, -1)
    if A.shape[-1] != B.shape[-2]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation AX = B ({A.shape[-2]}x{A.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"
        )
    return _computed("solve", core.Solve, A, B)


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """Return X with ``A @ X = B``, where only one triangle of A is read; its diagonal is 1 if ``unitriangular``."""
    check_matrix("linalg.solve_triangular", A)
    shift = int(unitriangular)
    part = triu(A, shift) if upper else tril(A, -shift)
    return solve(add(part, _eye_like(A)) if unitriangular else part, B, left=left)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """Return the solution of a triangular system, and the matrix."""
    matrix, above = (A.transpose(-2, -1), not upper) if transpose else (A, upper)
    found = solve_triangular(matrix, b, upper=above, unitriangular=unitriangular)
    return return_types.triangular_solve(found, A.clone())


def cholesky(A: Tensor, upper: bool = False) -> Tensor:
    """Return the lower triangle L with ``A = L @ L.T``, or the upper one.

    Raises:
        LinAlgError: A is not positive definite.
    """
    check_matrix("linalg.cholesky", A)
    lower = _computed("cholesky", core.Cholesky, A)
    return transpose(lower, -2, -1) if upper else lower


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """Return the Cholesky factor, and 0 for each matrix: one that is not positive definite is an error here."""
    return return_types.linalg_cholesky_ex(cholesky(A, upper), _no_errors(A))


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """Return X with ``A @ X = B``, for the Cholesky factor ``L`` of A."""
    lower = transpose(L, -2, -1) if upper else L
    inner = solve_triangular(lower, B, upper=False)
    return solve_triangular(transpose(lower, -2, -1), inner, upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """Return the inverse of A, for its Cholesky factor ``L``."""
    return cholesky_solve(_eye_like(L), L, upper)


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Return the eigenvalues, rising, and eigenvectors (columns) of a symmetric matrix; one triangle is read."""
    check_matrix("linalg.eigh", A)
    n = A.shape[-1]
    return return_types.linalg_eigh(
        *_parts(_computed("eigh", core.Eigh, A, upper=UPLO.upper() == "U"), (n,), (n, n))
    )


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues, rising, of a symmetric matrix."""
    return eigh(A, UPLO)[0]


def eig(A: Tensor) -> Any:
    """Refuse: eigenvalues of a general matrix are complex.

    Raises:
        NotImplementedError: Always.
    """
    raise NotImplementedError(
        "linalg.eig: eigenvalues are complex in general, and minitorch has no complex numbers; use linalg.eigh for a "
        "symmetric matrix, or numpy.linalg.eig on A.numpy()"
    )


eigvals = eig


def svd(A: Tensor, full_matrices: bool = True, *, driver: Any = None) -> Any:
    """Return U, the singular values, and V transposed: ``A = U @ diag(S) @ Vh``.

    Raises:
        NotImplementedError: A gradient is wanted of the full matrices of a matrix that is not square.
    """
    check_matrix("linalg.svd", A, False)
    m, n = A.shape[-2:]
    k = min(m, n)
    if full_matrices and m != n:
        if tracked(A):
            raise NotImplementedError(
                "linalg.svd: there is no derivative of full matrices: use full_matrices=False, or svdvals"
            )
        found = np.linalg.svd(to_array(A))
        return return_types.linalg_svd(*(from_array(x, A.device) for x in found))
    return return_types.linalg_svd(*_parts(_computed("svd", core.Svd, A), (m, k), (k,), (k, n)))


def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """Return U, the singular values, and V, as ``torch.svd``: ``input = U @ diag(S) @ V.T``."""
    u, s, vh = svd(input, not some)
    return return_types.svd(u, s, transpose(vh, -2, -1))


old_svd.__name__ = old_svd.__qualname__ = "svd"


def svdvals(A: Tensor, *, driver: Any = None) -> Tensor:
    """Return the singular values, falling."""
    return svd(A, False)[1]


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Return Q, with orthogonal columns, and R, an upper triangle: ``A = Q @ R``; mode is "reduced", "complete", "r".

    Raises:
        NotImplementedError: A gradient is wanted in mode "complete" of a tall matrix, or in mode "r".
    """
    check_matrix("linalg.qr", A, False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced', 'r', or 'complete'"
        )
    m, n = A.shape[-2:]
    k = min(m, n)
    if mode == "reduced" or (mode == "complete" and m <= n):
        return return_types.linalg_qr(*_parts(_computed("qr", core.Qr, A), (m, k), (k, n)))
    _constants(f"qr(mode={mode!r})", A)
    found: Any = np.linalg.qr(to_array(A), "r" if mode == "r" else "complete")
    if mode == "r":
        return return_types.linalg_qr(A.new_empty(0), from_array(found, A.device))
    return return_types.linalg_qr(*(from_array(x, A.device) for x in found))


def old_qr(input: Tensor, some: bool = True) -> Any:
    """Return Q and R, as ``torch.qr``."""
    return return_types.qr(*qr(input, "reduced" if some else "complete"))


old_qr.__name__ = old_qr.__qualname__ = "qr"


def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: Any = None) -> Any:
    """Return what minimizes ``|A @ X - B|``: solution, residuals, rank and singular values.

    As in PyTorch, residuals are empty with the drivers None and "gelsy", and singular values always.
    """
    check_matrix("linalg.lstsq", A, False)
    m, n = A.shape[-2:]
    if B.ndim == A.ndim - 1:
        raise RuntimeError(
            "linalg.lstsq: input.dim() must be greater or equal to other.dim(): make B a matrix"
        )
    found = matmul(pinv(A, rcond), B)
    rank = np.asarray(np.linalg.matrix_rank(to_array(A)), np.int64)
    left = A.new_empty(0)
    if driver not in (None, "gelsy") and m > n and (rank == n).all():
        miss = matmul(A, found) - B
        left = (miss * miss).sum(-2)
    return return_types.linalg_lstsq(found, left, from_array(rank, A.device), A.new_empty(0))


def matrix_exp(input: Tensor) -> Tensor:
    """Return the exponential of a square matrix."""
    check_matrix("linalg.matrix_exp", input)
    return _computed("matrix_exp", core.MatrixExp, input)


def matrix_power(A: Tensor, n: int) -> Tensor:
    """Return the matrix multiplied ``n`` times; for a negative ``n``, its inverse."""
    check_matrix("linalg.matrix_power", A)
    base = A if n >= 0 else inv(A)
    out: Tensor | None = None
    for digit in f"{abs(n):b}":
        out = None if out is None else matmul(out, out)
        if digit == "1":
            out = base if out is None else matmul(out, base)
    return mul(A, 0.0) + _eye_like(A) if out is None else out.clone() if out is A else out


def _eliminated(A: Tensor) -> tuple[Any, Any]:
    """Return the factors L and U in one matrix, and the rows that were exchanged, from 1 on, by Gauss's elimination."""
    lu = np.array(to_array(A))
    m, n = lu.shape[-2:]
    flat = lu.reshape(-1, m, n)
    pivots = np.zeros((len(flat), min(m, n)), np.int32)
    for a, swaps in zip(flat, pivots):
        for k in range(min(m, n)):
            row = k + int(np.abs(a[k:, k]).argmax())
            swaps[k] = row + 1
            a[[k, row]] = a[[row, k]]
            if a[k, k] != 0:
                a[k + 1 :, k] /= a[k, k]
                a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return lu, pivots.reshape(*lu.shape[:-2], -1)


def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """Return L and U in one matrix, and the exchanged rows, counted from 1, as constants."""
    check_matrix("linalg.lu_factor", A, False)
    _constants("lu_factor", A)
    found = _eliminated(A)
    return return_types.linalg_lu_factor(*(from_array(x, A.device) for x in found))


def _order(pivots: Any, rows: int) -> Any:
    """Return the order of the rows that exchanges lead to, for each matrix."""
    flat = pivots.reshape(-1, pivots.shape[-1])
    orders = np.tile(np.arange(rows), (len(flat), 1))
    for order, swaps in zip(orders, flat):
        for k, row in enumerate(swaps - 1):
            order[[k, row]] = order[[row, k]]
    return orders.reshape(*pivots.shape[:-1], rows)


def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """Return P, L and U with ``A = P @ L @ U``, as constants."""
    check_matrix("linalg.lu", A, False)
    _constants("lu", A)
    both, pivots = _eliminated(A)
    m, n = both.shape[-2:]
    k = min(m, n)
    turned = np.eye(m, dtype=both.dtype)[_order(pivots, m)]
    lower = np.tril(both[..., :k], -1) + np.eye(m, k, dtype=both.dtype)
    found = (np.swapaxes(turned, -1, -2), lower, np.triu(both[..., :k, :]))
    return return_types.linalg_lu(*(from_array(np.ascontiguousarray(x), A.device) for x in found))


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor) -> Tensor:
    """Return X with ``A @ X = B``, for what `lu_factor` returned for A."""
    order = from_array(_order(to_array(pivots), LU.shape[-1]))
    moved = B.take_along_dim(unsqueeze(order, -1).expand(*B.shape), -2)
    inner = solve_triangular(LU, moved, upper=False, unitriangular=True)
    return solve_triangular(LU, inner, upper=True)


def old_lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """Return `lu_solve` with the arguments of ``torch.lu_solve``."""
    return lu_solve(LU_data, LU_pivots, b)


old_lu_solve.__name__ = old_lu_solve.__qualname__ = "lu_solve"


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Return the inverse for `tensordot`: the first ``ind`` dimensions count as rows."""
    rows, cols = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    return reshape(inv(reshape(A, math.prod(rows), -1)), *cols, *rows)


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """Return X with ``tensordot(A, X, X.ndim) = B``; ``dims`` of A are moved to its end first."""
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = tuple(A.shape[B.ndim :])
    return reshape(solve(reshape(A, -1, math.prod(shape)), reshape(B, -1)), *shape)
