"""Products of matrices and vectors of any rank, and `einsum`: they run the matrix product of the core."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...tensor_functions.reduce import MatMul
from ..elementwise import add, common_device, mul
from ..reductions import sum as _sum
from ..shapes import expand, permute, pick, reshape, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array, wrap


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
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return the inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    return matmul(input, tensor)


vdot = dot


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the inner products of the vectors in the last dimensions."""
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the outer product of two vectors."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument, but got {input.ndim}-D and {vec2.ndim}-D")
    return mul(unsqueeze(input, 1), unsqueeze(vec2, 0))


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the outer product of two vectors."""
    return outer(input, vec2)


def _plus(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """Return ``beta * input + alpha * product``; with ``beta`` 0, what is in ``input`` does not count."""
    scaled = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return expand(scaled, *np.broadcast_shapes(tuple(input.shape), tuple(scaled.shape)))
    return add(input if beta == 1 else mul(input, beta), scaled)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * mat1 @ mat2``."""
    return _plus(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * mat @ vec``."""
    return _plus(input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * outer(vec1, vec2)``."""
    return _plus(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * batch1 @ batch2``."""
    return _plus(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * the sum of batch1 @ batch2``."""
    return _plus(input, _sum(bmm(batch1, batch2), 0), beta, alpha)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """Return the product of matrices, from left to right."""
    out = matrices[0]
    for m in matrices[1:]:
        out = matmul(out, m)
    return out


def multi_dot(tensors: Any) -> Tensor:
    """Return the product of matrices, from left to right; the first and the last may be vectors.

    Raises:
        RuntimeError: There are fewer than two.
    """
    given = list(tensors)
    if len(given) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(given)}")
    return chain_matmul(*given)


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
    """Return the Kronecker product; a tensor of fewer dimensions gets leading ones of size 1."""
    n = max(input.ndim, other.ndim)
    p, q = ((1,) * (n - t.ndim) + tuple(t.shape) for t in (input, other))
    left = reshape(input, *(k for size in p for k in (size, 1)))
    right = reshape(other, *(k for size in q for k in (1, size)))
    return reshape(mul(left, right), *(a * b for a, b in zip(p, q)))


def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError("trace: expected a matrix")
    return einsum("ii->", input)
