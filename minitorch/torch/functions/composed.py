"""Functions composed of others, which scripts use less often."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype
from ..elementwise import add, cast, clamp, div, mul, pow, sqrt, sub
from ..joining import cat, narrow
from ..linalg.norms import cross as _cross
from ..linalg.products import matmul
from ..ordering import cumsum, diff, sort
from ..reductions import mean, norm
from ..reductions import sum as _sum
from ..shapes import reshape, unsqueeze
from ..tensor import Tensor, from_array, to_array


def dist(input: Tensor, other: Tensor, p: float = 2.0) -> Tensor:
    """Return the p-norm of the difference."""
    return norm(sub(input, other), p)


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the cross products of vectors of 3 elements along ``dim``, by default the first dimension of that size."""
    if dim is None:
        found = [k for k, n in enumerate(input.shape) if n == 3]
        if not found:
            raise RuntimeError("no dimension of size 3 in input")
        dim = found[0]
    return _cross(input, other, dim=dim)


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """Return the covariance of variables, which are the rows; columns may have frequencies and weights."""
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    rows = atleast_2d(cast(input, get_default_dtype()) if not input.is_floating_point() else input)
    n = rows.shape[-1]
    weights = None if fweights is None else fweights if aweights is None else mul(fweights, aweights)
    weights = aweights if weights is None else weights
    if weights is None:
        x = sub(rows, mean(rows, -1, True))
        out = div(matmul(x, x.t()), builtins.max(n - correction, 0))
    else:
        w = cast(weights, rows.dtype)
        total = _sum(w)
        share = w if aweights is None else mul(w, aweights)
        left = (
            sub(total, div(mul(_sum(share), correction), total))
            if aweights is not None
            else sub(total, correction)
        )
        x = sub(rows, div(_sum(mul(rows, w), -1, True), total))
        out = div(matmul(mul(x, w), x.t()), left)
    return out if input.ndim > 1 else reshape(out, ())


def corrcoef(input: Tensor) -> Tensor:
    """Return the correlation of variables, which are the rows."""
    c = cov(input)
    if not c.ndim:
        return div(c, c)
    deviation = sqrt(c.diagonal())
    return clamp(div(div(c, unsqueeze(deviation, 0)), unsqueeze(deviation, 1)), -1, 1)


def _trapezoids(y: Tensor, x: Any, dx: Any, dim: int) -> Tensor:
    n = y.size(dim)
    middle = mul(add(narrow(y, dim, 1, n - 1), narrow(y, dim, 0, n - 1)), 0.5)
    if x is None:
        return middle if dx == 1 else mul(middle, dx)
    if x.ndim == 1 and y.ndim > 1:
        steps = diff(x)
        return mul(middle, reshape(steps, *(-1 if k == y._dim(dim) else 1 for k in range(y.ndim))))
    return mul(middle, diff(x, dim=dim))


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1.0, dim: int = -1) -> Tensor:
    """Integrate along ``dim`` by trapezoids: between places ``x``, or at distances ``dx``."""
    return _sum(_trapezoids(y, x, dx, dim), dim)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = 1.0, dim: int = -1) -> Tensor:
    """Integrate along ``dim`` by trapezoids."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1.0, dim: int = -1) -> Tensor:
    """Return the running integrals along ``dim`` by trapezoids."""
    return cumsum(_trapezoids(y, x, dx, dim), dim)


def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """Return the differences of neighbours on both sides, over their distance, along each of the dimensions.

    Args:
        input: The tensor.
        spacing: The distance of neighbours: a number, one for each dimension, or a vector of places for each.
        dim: The dimensions; None means all.
        edge_order: 1 takes the nearest difference at the ends, 2 the slope of a parabola.
    """
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    each = list(spacing) if isinstance(spacing, list | tuple) else [spacing] * len(dims)
    return tuple(_slope(input, input._dim(d), s, edge_order) for d, s in zip(dims, each))


def _slope(x: Tensor, d: int, spacing: Any, edge_order: int) -> Tensor:
    n = x.shape[d]
    if n < edge_order + 1:
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    if not isinstance(spacing, Tensor):
        spacing = from_array(np.arange(n) * float(spacing), x.device, x.dtype)
    places = reshape(spacing, *(-1 if k == d else 1 for k in range(x.ndim)))
    steps = diff(places, dim=d)
    slopes = div(diff(x, dim=d), steps)
    first, last = narrow(slopes, d, 0, 1), narrow(slopes, d, n - 2, 1)
    if n == 2:
        return cat([first, last], d)
    before, after = narrow(steps, d, 0, n - 2), narrow(steps, d, 1, n - 2)
    left, right = narrow(slopes, d, 0, n - 2), narrow(slopes, d, 1, n - 2)
    inner = div(add(mul(left, after), mul(right, before)), add(before, after))
    if edge_order == 2:
        first = sub(mul(first, 2), narrow(inner, d, 0, 1))
        last = sub(mul(last, 2), narrow(inner, d, n - 3, 1))
    return cat([first, inner, last], d)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers of a vector as columns."""
    n = len(x) if N is None else N
    powers = from_array(np.arange(n) if increasing else np.arange(n)[::-1].copy(), x.device)
    return pow(unsqueeze(x, 1), powers)


def msort(input: Tensor) -> Tensor:
    """Return the elements sorted along the first dimension."""
    return sort(input, 0)[0]


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Tell which elements are among others, or which are not if ``invert``."""
    found = np.isin(to_array(elements), to_array(test_elements), invert=invert)
    return from_array(found, elements.device if isinstance(elements, Tensor) else None)


def is_nonzero(input: Tensor) -> bool:
    """Tell whether the single element is not 0."""
    return bool(input)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all combinations of ``r`` elements of a vector, a row for each."""
    chosen: Any = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    pairs = chosen(range(len(input)), r)
    return input[from_array(np.array(list(pairs), np.int64).reshape(-1, r))]


def block_diag(*tensors: Tensor) -> Tensor:
    """Return a matrix with these matrices along its diagonal, zeros elsewhere; a vector counts as a row."""
    parts = [atleast_2d(t) for t in tensors]
    cols = sum(t.shape[1] for t in parts)
    rows, left = [], 0
    for t in parts:
        before, after = t.new_zeros(t.shape[0], left), t.new_zeros(t.shape[0], cols - left - t.shape[1])
        rows.append(cat([before, t, after], 1))
        left += t.shape[1]
    return cat(rows)


def _each(given: tuple[Any, ...], fn: Callable[[Tensor], Tensor]) -> Any:
    """Apply ``fn`` to one tensor; or to several, or a sequence of them, which gives a tuple."""
    if len(given) == 1 and isinstance(given[0], Tensor):
        return fn(given[0])
    return tuple(fn(t) for t in (given[0] if len(given) == 1 else given))


def atleast_1d(*tensors: Any) -> Any:
    """Return a tensor of at least one dimension; of several tensors, a tuple."""
    return _each(tensors, lambda t: t if t.ndim else reshape(t, 1))


def atleast_2d(*tensors: Any) -> Any:
    """Return a tensor of at least two dimensions, in which a vector is a row; of several tensors, a tuple."""
    return _each(tensors, lambda t: t if t.ndim > 1 else reshape(t, 1, -1))


def atleast_3d(*tensors: Any) -> Any:
    """Return a tensor of at least three dimensions; of several tensors, a tuple."""
    return _each(
        tensors,
        lambda t: t if t.ndim > 2 else unsqueeze(t, -1) if t.ndim == 2 else reshape(t, 1, -1, 1),
    )


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the second dimension; a vector is a column."""
    return cat([reshape(t, -1, 1) if t.ndim < 2 else t for t in tensors], 1)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the third dimension."""
    return cat([atleast_3d(t) for t in tensors], 2)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split into so many parts, the first ones larger by one; or before these indices."""
    n = input.size(dim)
    given = indices_or_sections
    if isinstance(given, Tensor):
        given = given.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        k, more = divmod(n, given)
        ends = np.cumsum([k + (j < more) for j in range(given)]).tolist()
    else:
        ends = [*(min(int(j) + n if j < 0 else int(j), n) for j in given), n]
    starts = [builtins.max(0, builtins.min(a, n)) for a in [0, *ends[:-1]]]
    return tuple(narrow(input, dim, a, builtins.max(0, b - a)) for a, b in zip(starts, ends))


def real(input: Tensor) -> Tensor:
    """Return the tensor: numbers are real here."""
    return input
