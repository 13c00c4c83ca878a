"""Functions composed of others, which scripts use less often."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .comparison import eq, gt
from .elementwise import abs as _abs
from .elementwise import (
    add,
    cast,
    div,
    exp,
    log,
    log1p,
    maximum,
    mul,
    neg,
    pow,
    sin,
    sqrt,
    square,
    sub,
    where,
)
from .indexing import setitem
from .joining import cat, narrow, stack
from .linalg import matmul, mv
from .ordering import sort
from .reductions import mean, norm
from .reductions import sum as _sum
from .shapes import reshape, unsqueeze
from .tensor import Tensor, from_array, replace, to_array


class mode_result(NamedTuple):
    """What ``mode`` returns."""

    values: Tensor
    indices: Tensor


def exp2(input: Tensor) -> Tensor:
    """Return ``2 ** input``."""
    return pow(2.0, input)


def deg2rad(input: Tensor) -> Tensor:
    """Convert degrees to radians."""
    return mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Convert radians to degrees."""
    return mul(input, 180 / math.pi)


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """Return ``sqrt(input ** 2 + other ** 2)``."""
    return sqrt(add(square(input), square(other)))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """Return ``log(x / (1 - x))``; ``eps`` keeps ``x`` in [eps, 1 - eps]."""
    x = input if eps is None else input.clamp(eps, 1 - eps)
    return log(div(x, sub(1.0, x)))


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """Return ``log(exp(input) + exp(other))``."""
    return add(maximum(input, other), log1p(exp(neg(_abs(sub(input, other))))))


def xlogy(input: Any, other: Any) -> Tensor:
    """Return ``input * log(other)``, and 0 where ``input`` is 0."""
    nothing = eq(input, 0)
    return where(nothing, 0.0, mul(input, log(where(nothing, 1.0, other))))


def sinc(input: Tensor) -> Tensor:
    """Return ``sin(pi x) / (pi x)``, and 1 at 0."""
    x = mul(input, math.pi)
    zero = eq(input, 0)
    return where(zero, 1.0, div(sin(x), where(zero, 1.0, x)))


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """Return 0 below 0, 1 above, and ``values`` at 0."""
    return where(eq(input, 0), values, cast(gt(input, 0), input.dtype))


def dist(input: Tensor, other: Tensor, p: float = 2.0) -> Tensor:
    """Return the p-norm of the difference."""
    return norm(sub(input, other), p)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return ``beta * input + alpha * mat @ vec``."""
    return add(mul(input, beta), mul(mv(mat, vec), alpha))


def chain_matmul(*matrices: Tensor) -> Tensor:
    """Return the product of matrices, from left to right."""
    out = matrices[0]
    for m in matrices[1:]:
        out = matmul(out, m)
    return out


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the cross product of vectors of 3 elements along ``dim``."""
    d = next(k for k, n in enumerate(input.shape) if n == 3) if dim is None else input._dim(dim)
    a, b = ([t.select(d, k) for k in range(3)] for t in (input, other))
    parts = [sub(mul(a[i], b[j]), mul(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
    return stack(parts, d)


def cov(input: Tensor, *, correction: int = 1) -> Tensor:
    """Return the covariance of variables, which are the rows."""
    x = sub(input, mean(input, -1, True))
    x = unsqueeze(x, 0) if x.ndim == 1 else x
    return div(matmul(x, x.t()), x.shape[-1] - correction)


def corrcoef(input: Tensor) -> Tensor:
    """Return the correlation of variables, which are the rows."""
    c = cov(input)
    deviation = sqrt(c.diagonal())
    return div(div(c, unsqueeze(deviation, 0)), unsqueeze(deviation, 1))


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """Integrate along ``dim`` by trapezoids."""
    n = y.size(dim)
    middle = mul(add(narrow(y, dim, 1, n - 1), narrow(y, dim, 0, n - 1)), 0.5)
    step = dx if x is None else sub(narrow(x, dim, 1, n - 1), narrow(x, dim, 0, n - 1))
    return _sum(mul(middle, step), dim)


trapz = trapezoid


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers of a vector as columns."""
    n = len(x) if N is None else N
    return stack([pow(x, float(k)) for k in (range(n) if increasing else reversed(range(n)))], 1)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent element along ``dim`` (the smallest of equally frequent ones), and where it is last."""
    x = np.moveaxis(to_array(input), dim, -1)
    rows = x.reshape(-1, x.shape[-1])
    counted = [np.unique(r, return_counts=True) for r in rows]
    best = [values[counts.argmax()] for values, counts in counted]
    places = [int(np.flatnonzero(r == v)[-1]) for r, v in zip(rows, best)]
    shape = x.shape[:-1]
    found = [np.array(v).reshape(shape) for v in (best, places)]
    if keepdim:
        found = [np.expand_dims(v, dim) for v in found]
    return mode_result(from_array(found[0].astype(x.dtype), input.device), from_array(found[1], input.device))


def msort(input: Tensor) -> Tensor:
    """Return the elements sorted along the first dimension."""
    return sort(input, 0)[0]


def isin(elements: Tensor, test_elements: Any) -> Tensor:
    """Tell which elements are among others."""
    return from_array(np.isin(to_array(elements), to_array(test_elements)), elements.device)


def is_nonzero(input: Tensor) -> bool:
    """Tell whether the single element is not 0."""
    return bool(input)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all combinations of ``r`` elements of a vector, a row for each."""
    chosen: Any = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    pairs = chosen(range(len(input)), r)
    return input[from_array(np.array(list(pairs), np.int64).reshape(-1, r))]


def block_diag(*tensors: Tensor) -> Tensor:
    """Return a matrix with these matrices along its diagonal, zeros elsewhere."""
    cols = sum(t.shape[1] for t in tensors)
    rows, left = [], 0
    for t in tensors:
        before, after = t.new_zeros(t.shape[0], left), t.new_zeros(t.shape[0], cols - left - t.shape[1])
        rows.append(cat([before, t, after], 1))
        left += t.shape[1]
    return cat(rows)


def atleast_1d(input: Tensor) -> Tensor:
    """Return a tensor of at least one dimension."""
    return input if input.ndim else reshape(input, 1)


def atleast_2d(input: Tensor) -> Tensor:
    """Return a tensor of at least two dimensions; a vector is a row."""
    return input if input.ndim > 1 else reshape(input, 1, -1)


def atleast_3d(input: Tensor) -> Tensor:
    """Return a tensor of at least three dimensions."""
    return input if input.ndim > 2 else unsqueeze(input, -1) if input.ndim == 2 else reshape(input, 1, -1, 1)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the second dimension; a vector is a column."""
    return cat([unsqueeze(t, 1) if t.ndim == 1 else t for t in tensors], 1)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the third dimension."""
    return cat([atleast_3d(t) for t in tensors], 2)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split into so many parts, the first ones larger by one; or before these indices."""
    n = input.size(dim)
    if isinstance(indices_or_sections, int):
        k, more = divmod(n, indices_or_sections)
        ends = np.cumsum([k + (j < more) for j in range(indices_or_sections)]).tolist()
    else:
        ends = [*(min(int(j), n) for j in indices_or_sections), n]
    return tuple(narrow(input, dim, a, max(0, b - a)) for a, b in zip([0, *ends[:-1]], ends))


def real(input: Tensor) -> Tensor:
    """Return the tensor: numbers are real here."""
    return input


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Return ``input`` with ``values`` written, or added, where tuples of indices point."""
    out = input.clone()
    key = tuple(indices)
    if accumulate:
        numbers = np.arange(input.numel()).reshape(tuple(input.shape))[tuple(to_array(k) for k in key)]
        flat = reshape(out, -1).index_add(
            0, from_array(numbers.reshape(-1)), values.expand(numbers.shape).reshape(-1)
        )
        return reshape(flat, *input.shape)
    setitem(out, key, values)
    return out


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Do `index_put` in place."""
    return replace(input, index_put(input, indices, values, accumulate))


def put_(input: Tensor, index: Tensor, source: Tensor) -> Tensor:
    """Write elements of ``source`` at their numbers in row-major order."""
    flat = reshape(input.clone(), -1)
    setitem(flat, index, source)
    return replace(input, reshape(flat, *input.shape))


def storage_offset(input: Tensor) -> int:
    """Return how many elements of the shared memory lie before the first."""
    if input._base is None:
        return 0
    return (input.data_ptr() - input._base.data_ptr()) // input.element_size()


def is_shared(input: Tensor) -> bool:
    """Return False: memory is not shared between processes."""
    return False
