"""The course's checks of tensors, for any backend: values against functions of floats, gradients by differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import assume

import minitorch
from minitorch import MathTestVariable, Tensor, grad_check
from minitorch.fast_ops import jit

from ..strategies import assert_close

Case = tuple[str, Callable[..., Any], Callable[..., Any]]
ONE, TWO, REDUCTIONS = MathTestVariable._comp_testing()
needs_jit = pytest.mark.skipif(jit.disabled(), reason="NUMBA_DISABLE_JIT is set: nothing is compiled")
# Where a function has a kink, a jump or a pole: its arguments make one of these zero.
EDGES: dict[str, Callable[..., Any]] = {
    "inv": lambda a: a + 3.5,
    "relu": lambda a: a + 5.5,
    "complex": lambda a: a + 0.7,
    "div2": lambda a, b: b + 5.5,
    "gt2": lambda a, b: a + 1.2 - b,
    "lt2": lambda a, b: a + 1.2 - b,
    "eq2": lambda a, b: a - b - 5.5,
}


def name_of(case: Case) -> str:
    """Name a test after its function."""
    return case[0]


def far_from_edges(name: str, *at: Any) -> bool:
    """Tell whether differences at a point stay on one side of every edge."""
    return name not in EDGES or bool(np.all(np.abs(EDGES[name](*at)) > 0.01))


def slopes(f: Callable[..., Tensor], *at: Tensor) -> None:
    """Check gradients with a step at which rounding does not show."""
    grad_check(f, *at, epsilon=1e-4)


def check_one(case: Case, t: Tensor) -> None:
    """Compare a function of one tensor with its float function, element by element."""
    name, plain, ours = case
    assume(far_from_edges(name, t.to_numpy()) or name != "inv")
    found = ours(t)
    for ind in t._tensor.indices():
        assert_close(found[ind], plain(t._tensor.get(ind)))  # an element of a leaf would be a tensor


def check_two(case: Case, a: Tensor, b: Tensor) -> None:
    """Compare a function of two tensors of one shape with its float function, element by element."""
    name, plain, ours = case
    assume(far_from_edges(name, a.to_numpy(), b.to_numpy()) or name != "div2")
    found = ours(a, b)
    for ind in a._tensor.indices():
        assert_close(found[ind], plain(a._tensor.get(ind), b._tensor.get(ind)))


def check_sum(t: Tensor, dim: int | None) -> None:
    """Compare a sum along one dimension, which stays with size 1, or over all elements."""
    elements, found = t.to_numpy(), t.sum(dim)
    expected = elements.sum(keepdims=True).reshape(1) if dim is None else elements.sum(dim, keepdims=True)
    assert found.shape == expected.shape
    for ind in found._tensor.indices():
        assert_close(found[ind], float(expected[ind]))


def check_one_gradient(case: Case, t: Tensor) -> None:
    """Check the gradient of a function of one tensor."""
    name, _, ours = case
    assume(far_from_edges(name, t.to_numpy()))
    slopes(ours, t)


def check_two_gradients(case: Case, a: Tensor, b: Tensor) -> None:
    """Check the gradients of a function of two tensors."""
    name, _, ours = case
    assume(far_from_edges(name, a.to_numpy(), b.to_numpy()))
    slopes(ours, a, b)


def check_broadcast_gradients(case: Case, a: Tensor, b: Tensor) -> None:
    """Check the gradients of a function of two tensors, one of which is first summed along dimension 0."""
    name, _, ours = case
    x, y = a.to_numpy(), b.to_numpy()
    assume(
        far_from_edges(name, x.sum(0, keepdims=True), y) and far_from_edges(name, x, y.sum(0, keepdims=True))
    )
    slopes(lambda p, q: ours(p.sum(0), q), a, b)
    slopes(lambda p, q: ours(p, q.sum(0)), a, b)


def check_permute_gradient(t: Tensor, order: tuple[int, ...]) -> None:
    """Check the gradient through a permutation, with a weight for each element."""
    weights = Tensor(t._tensor.f.from_array(np.arange(t.size, dtype=float).reshape(t.permute(*order).shape)))
    slopes(lambda x: x.permute(*order) * weights, t)


@contextmanager
def in_dtype(dtype: str) -> Iterator[None]:
    """Make ``dtype`` the default in a block; for fixtures that live longer than a test, whose state is not sealed."""
    before = minitorch.get_default_dtype()
    minitorch.set_default_dtype(dtype)
    yield
    minitorch.set_default_dtype(before)
