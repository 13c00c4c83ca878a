"""Fused chains: the numbers and derivatives of the same operations one by one, in every backend, and clear refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import fuse, grad_check, operators, tensor
from minitorch.tensor_ops.expression import Expression, Node

from ..support.op_table import BACKENDS

CHAINS: dict[str, Callable[..., Any]] = {
    "swish": lambda x: x * x.sigmoid(),
    "itself": lambda x: x,
    "numbers": lambda x: 1 - 2 / (3 + x * x) - (-x) * 0.5,
    "powers": lambda x: x**2 + x**3 + (x * x + 1) ** -0.5,
    "every function": lambda x: (x.relu() + x.exp()).log() + (x.tanh() + (x * x + 1).sqrt()) * x.sigmoid(),
    "comparisons": lambda x: x * (x > 0.25) + 0.1 * x * (x < 0.25),
    "used twice": lambda x, y: (x + y) * (x - y) / (1 + y * y),
    "three": lambda x, y, z: (x * y + z).tanh() - z / (2 + x * x),
}
SHAPES = [((3, 4), (3, 4), (3, 4)), ((3, 4), (4,), (3, 1)), ((), (2,), ()), ((0, 3), (1, 3), (3,))]


def count(chain: Callable[..., Any]) -> int:
    return chain.__code__.co_argcount


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_it_is_the_chain(name: str, dtype: str, backend: str) -> None:
    chain = CHAINS[name]
    fused = fuse(chain)
    for shapes in SHAPES:
        elements = [np.random.default_rng(k).uniform(-2, 2, s) for k, s in enumerate(shapes[: count(chain)])]
        found = []
        for fn in (fused, chain):
            leaves = [tensor(c, backend, True, dtype=dtype) for c in elements]
            out = fn(*leaves)
            if fn is chain and out is leaves[0]:
                out = out * 1
            out.backward(np.ones(out.shape))
            grads = [np.zeros(t.shape) if t.grad is None else t.grad.to_numpy() for t in leaves]
            found.append([out.to_numpy(), *grads])
        for a, b in zip(*found):
            assert np.allclose(a, b, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)


@pytest.mark.parametrize("layout", ["permuted", "strided"])
def test_operands_may_lie_anywhere(layout: str) -> None:
    x = (
        minitorch.rand((5, 7), "fast").permute(1, 0)
        if layout == "permuted"
        else minitorch.rand((7, 10), "fast")[:, ::2]
    )
    y = minitorch.rand((7, 5), "fast")
    assert np.allclose(fuse(lambda a, b: a * b + a)(x, y).to_numpy(), (x * y + x).to_numpy())


def test_derivatives_against_differences() -> None:
    grad_check(fuse(CHAINS["three"]), *(minitorch.rand((4,), "fast", True) for _ in range(3)))


def test_numbers_are_operands_too() -> None:
    x = minitorch.rand((3,), "fast")
    assert np.allclose(fuse(CHAINS["used twice"])(x, 2.0).to_numpy(), CHAINS["used twice"](x, 2.0).to_numpy())


def test_a_fused_function_is_read_once() -> None:
    calls = []

    def chain(x: Any) -> Any:
        """Square."""
        calls.append(x)
        return x * x

    fused = fuse(chain)
    x = minitorch.rand((3,), "fast")
    fused(x)
    fused(x)
    assert len(calls) == 1
    assert fused.__doc__ == "Square."


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (lambda x: x.sum(), "sum is not one"),
        (lambda x: x if x > 0 else -x, "cannot branch"),
        (lambda x: x + "a", "got one on str"),
        (lambda x: 3.0, "got float"),
        (lambda *x: x[0], "1 to 3 tensors, got 4"),
    ],
)
def test_refusals(chain: Callable[..., Any], said: str) -> None:
    x = minitorch.rand((3,), "fast")
    with pytest.raises(TypeError, match=said):
        fuse(chain)(*[x] * (4 if "4" in said else 1))


def test_steps_that_nobody_needs_are_dropped() -> None:
    expression = Expression(
        1, (Node(operators.exp, (0,)), Node(operators.neg, (0,)), Node(operators.mul, (2, 0))), 3
    )
    assert [s.fn for s in expression.needed().nodes] == [operators.neg, operators.mul]
    assert expression.function(3.0) == -9.0
    assert expression.derivative(0).function(3.0, 1.0) == -6.0
