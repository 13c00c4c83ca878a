"""Products of matrices and vectors of any rank, `einsum`, and linear algebra as NumPy has it.

Products run the matrix product of the core and have gradients. Decompositions are computed by NumPy, as constants.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..tensor_functions.reduce import MatMul
from .dtypes import device
from .elementwise import add, common_device, mul
from .reductions import norm as _norm
from .reductions import sum as _sum
from .shapes import expand, permute, pick, reshape, unsqueeze
from .tensor import Tensor, from_array, is_float, to_array, wrap


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product; vectors count as a row or a column, further dimensions as batches that broadcast.

    Raises:
        RuntimeError: The shapes, dtypes or devices do not fit.
    """
    a, b = input, other
    if not isinstance(b, Tensor) or not isinstance(a, Tensor):
        raise TypeError(f"matmul(): argument 'other' must be Tensor, not {type(b).__name__}")
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {a.dtype.name} != {b.dtype.name}"
        )
    where = common_device("matmul", a, b)
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise RuntimeError(_product_words(a, b))
    if not is_float(a):
        return from_array(np.matmul(to_array(a), to_array(b)), where)
    x = unsqueeze(a, 0) if a.ndim == 1 else a
    y = unsqueeze(b, 1) if b.ndim == 1 else b
    out = _product(x, y)
    shape = list(out.shape)
    if b.ndim == 1:
        shape.pop()
    if a.ndim == 1:
        shape.pop(-1 if b.ndim == 1 else -2)
    result = out if list(out.shape) == shape else reshape(out, *shape)
    result._op = (
        "Dot"
        if a.ndim == b.ndim == 1
        else "Mv"
        if b.ndim == 1
        else "Mm"
        if x.ndim == 2 == y.ndim
        else "UnsafeView"
    )
    return result


def _product_words(a: Tensor, b: Tensor) -> str:
    def words(t: Tensor) -> str:
        return "x".join(map(str, t.shape))

    if a.ndim == b.ndim == 1:
        return (
            f"inconsistent tensor size, expected tensor {list(a.shape)} and src {list(b.shape)} to have the same "
            "number of elements"
        )
    if b.ndim == 1:
        return f"size mismatch, got input ({a.shape[-2]}), mat ({words(a)}), vec ({b.shape[0]})"
    if a.ndim <= 2 and b.ndim <= 2:
        left = words(a) if a.ndim == 2 else f"1x{a.shape[0]}"
        return f"mat1 and mat2 shapes cannot be multiplied ({left} and {words(b)})"
    return f"Expected size for first two dimensions of batch2 tensor to fit {list(a.shape)}, but got: {list(b.shape)}"


def _product(x: Tensor, y: Tensor) -> Tensor:
    """Return the product of batches of matrices; batch dimensions broadcast."""
    if x.ndim == 2 and y.ndim == 2:
        return wrap(MatMul.apply(x._value, y._value))
    if y.ndim == 2:  # one matrix for all: the batch is more rows
        rows = reshape(x, -1, x.shape[-1])
        return reshape(wrap(MatMul.apply(rows._value, y._value)), *x.shape[:-1], y.shape[-1])
    batch = np.broadcast_shapes(tuple(x.shape[:-2]), tuple(y.shape[:-2]))
    x, y = expand(x, *batch, *x.shape[-2:]), expand(y, *batch, *y.shape[-2:])
    count = math.prod(batch)
    a, b = (reshape(t, count, *t.shape[-2:]) for t in (x, y))
    return reshape(wrap(MatMul.apply(a._value, b._value)), *batch, x.shape[-2], y.shape[-1])


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices."""
    if input.ndim != 2 or mat2.ndim != 2:
        raise RuntimeError("self must be a matrix" if input.ndim != 2 else "mat2 must be a matrix")
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two batches of matrices."""
    if input.ndim != 3 or mat2.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor" if input.ndim != 3 else "batch2 must be a 3D tensor")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but "
            f"got: [{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    out = matmul(input, mat2)
    out._op = "Bmm"
    return out


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix and a vector."""
    return matmul(input, vec)


def dot(input: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of two vectors."""
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors")
    return matmul(input, other)


inner_product = dot


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the outer product of two vectors."""
    return mul(unsqueeze(input, 1), unsqueeze(vec2, 0))


ger = outer


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * mat1 @ mat2``."""
    return add(mul(input, beta), mul(mm(mat1, mat2), alpha))


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * batch1 @ batch2``."""
    return add(mul(input, beta), mul(bmm(batch1, batch2), alpha))


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum products of elements by Einstein's rule: ``einsum("bij,bjk->bik", a, b)``.

    Raises:
        RuntimeError: The equation does not fit the operands.
    """
    given = (
        list(operands[0]) if len(operands) == 1 and isinstance(operands[0], list | tuple) else list(operands)
    )
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(given):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    if "..." in left:
        names = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation]
        most = max(t.ndim - len(term) + 3 for term, t in zip(terms, given) if "..." in term)
        counts = [t.ndim - len(term) + 3 for term, t in zip(terms, given)]
        terms = [term.replace("...", "".join(names[most - n : most])) for term, n in zip(terms, counts)]
        right = right.replace("...", "".join(names[:most]))
        if not arrow:
            right = "".join(names[:most])
    if not arrow:
        joined = "".join(terms)
        right += "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in right))
    for term, t in zip(terms, given):
        if len(term) != t.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the number of "
                f"dimensions ({t.ndim}) for an operand"
            )
    names_left, result = _without_repeats(terms[0], given[0])
    for k in range(1, len(given)):
        term, t = _without_repeats(terms[k], given[k])
        later = set(right).union(*terms[k + 1 :])
        names_left, result = _contract(names_left, result, term, t, later)
    gone = [k for k, c in enumerate(names_left) if c not in right]
    if gone:
        result = _sum(result, tuple(gone))
        names_left = "".join(c for c in names_left if c in right)
    return permute(result, *(names_left.index(c) for c in right)) if names_left != right else result


def _without_repeats(term: str, t: Tensor) -> tuple[str, Tensor]:
    """Take the diagonal where a subscript is repeated."""
    if len(set(term)) == len(term):
        return term, t
    names = "".join(dict.fromkeys(term))
    numbers = np.arange(t.numel()).reshape(tuple(t.shape))
    return names, pick(t, np.einsum(f"{term}->{names}", numbers), "Diagonal")


def _contract(left: str, a: Tensor, right: str, b: Tensor, later: set[str]) -> tuple[str, Tensor]:
    """Multiply two operands, and sum over what no later operand and not the result has: by batches of matrices."""
    alone = [k for k, c in enumerate(left) if c not in right and c not in later]
    if alone:
        a, left = _sum(a, tuple(alone)), "".join(c for c in left if c in right or c in later)
    alone = [k for k, c in enumerate(right) if c not in left and c not in later]
    if alone:
        b, right = _sum(b, tuple(alone)), "".join(c for c in right if c in left or c in later)
    batch = [c for c in left if c in right and c in later]
    inner = [c for c in left if c in right and c not in later]
    rows, cols = [c for c in left if c not in right], [c for c in right if c not in left]
    size = {**dict(zip(right, b.shape)), **dict(zip(left, a.shape))}
    for c, n in zip(right, b.shape):
        if c in left and size[c] != n:
            raise RuntimeError(
                f"einsum(): operands do not broadcast: subscript {c} has sizes {size[c]} and {n}"
            )

    def arranged(t: Tensor, names: str, order: list[list[str]]) -> Tensor:
        moved = permute(t, *(names.index(c) for part in order for c in part)) if t.ndim else t
        return reshape(moved, *(math.prod(size[c] for c in part) for part in order))

    x, y = arranged(a, left, [batch, rows, inner]), arranged(b, right, [batch, inner, cols])
    out = matmul(x, y)
    names = [*batch, *rows, *cols]
    return "".join(names), reshape(out, *(size[c] for c in names))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum products over the last ``dims`` dimensions of ``a`` and the first of ``b``, or over two lists of them."""
    if isinstance(dims, int):
        over = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        over = [a._dim(d) for d in dims[0]], [b._dim(d) for d in dims[1]]
    letters = "abcdefghijklmnopqrstuvwxyz"
    left = list(letters[: a.ndim])
    right = list(letters[a.ndim : a.ndim + b.ndim])
    for p, q in zip(*over):
        right[q] = left[p]
    kept = [c for c in left if c not in right] + [c for c in right if c not in left]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Return the Kronecker product of two matrices."""
    (m, n), (p, q) = input.shape, other.shape
    return reshape(mul(reshape(input, m, 1, n, 1), reshape(other, 1, p, 1, q)), m * p, n * q)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """Return the distances of each row of ``x1`` to each row of ``x2``."""
    return _norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)


def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix."""
    return einsum("ii->", input)


# By NumPy, as constants.


def _by_numpy(name: str, fn: Any, *tensors: Tensor) -> Any:
    if any(t.requires_grad for t in tensors):
        raise NotImplementedError(
            f"linalg.{name}: minitorch has no derivative of it; use detach(), or real PyTorch"
        )
    try:
        found = fn(*(to_array(t) for t in tensors))
    except np.linalg.LinAlgError as error:
        raise RuntimeError(f"linalg.{name}: {error}") from None
    place: device = tensors[0].device
    if isinstance(found, tuple):
        return tuple(from_array(np.asarray(x), place, tensors[0].dtype) for x in found)
    return from_array(np.asarray(found), place, tensors[0].dtype)


def inv(A: Tensor) -> Tensor:
    """Return the inverse of a square matrix, as a constant."""
    return _by_numpy("inv", np.linalg.inv, A)


inverse = inv


def pinv(A: Tensor) -> Tensor:
    """Return the pseudoinverse, as a constant."""
    return _by_numpy("pinv", np.linalg.pinv, A)


def det(A: Tensor) -> Tensor:
    """Return the determinant, as a constant."""
    return _by_numpy("det", np.linalg.det, A)


def solve(A: Tensor, B: Tensor) -> Tensor:
    """Return X with ``A @ X = B``, as a constant."""
    return _by_numpy("solve", np.linalg.solve, A, B)


def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """Return U, S and V transposed, as constants."""
    return _by_numpy("svd", lambda a: tuple(np.linalg.svd(a, full_matrices)), A)


def eigh(A: Tensor) -> Any:
    """Return eigenvalues and eigenvectors of a symmetric matrix, as constants."""
    return _by_numpy("eigh", lambda a: tuple(np.linalg.eigh(a)), A)


def qr(A: Tensor) -> Any:
    """Return Q and R, as constants."""
    return _by_numpy("qr", lambda a: tuple(np.linalg.qr(a)), A)


def cholesky(A: Tensor) -> Tensor:
    """Return the lower Cholesky factor, as a constant."""
    return _by_numpy("cholesky", np.linalg.cholesky, A)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """Return the condition number."""
    return _by_numpy("cond", lambda a: np.linalg.cond(a, p), A)


def lstsq(A: Tensor, B: Tensor) -> Any:
    """Return the solution of least squares; read it as ``.solution``."""
    found = _by_numpy("lstsq", lambda a: np.linalg.lstsq(a, to_array(B), rcond=None)[0], A)
    return SimpleNamespace(solution=found)


def matrix_rank(A: Tensor) -> Tensor:
    """Return the rank of a matrix."""
    return from_array(np.asarray(np.linalg.matrix_rank(to_array(A))))


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Return the norm of vectors: of all elements, or over dimensions."""
    return _norm(A, 2 if ord is None else ord, dim, keepdim)


vector_norm = norm


def matrix_power(A: Tensor, n: int) -> Tensor:
    """Return the matrix multiplied ``n`` times."""
    out = from_array(np.eye(A.shape[-1], dtype=A.dtype.numpy), A.device)
    for _ in range(n):
        out = matmul(out, A)
    return out


def multi_dot(tensors: Any) -> Tensor:
    """Return the product of matrices, from left to right."""
    out = tensors[0]
    for t in tensors[1:]:
        out = matmul(out, t)
    return out


def svdvals(A: Tensor) -> Tensor:
    """Return the singular values, as a constant."""
    return _by_numpy("svdvals", lambda a: np.linalg.svd(a, compute_uv=False), A)


def eigvalsh(A: Tensor) -> Tensor:
    """Return the eigenvalues of a symmetric matrix, as a constant."""
    return _by_numpy("eigvalsh", np.linalg.eigvalsh, A)


def slogdet(A: Tensor) -> Any:
    """Return the sign of the determinant and the logarithm of its magnitude, as constants."""
    return _by_numpy("slogdet", lambda a: tuple(np.linalg.slogdet(a)), A)
