"""Functions to test with, and the checks of derivatives against differences.

It refuses to know layers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

import numpy as np

from . import operators, rng
from .autodiff import central_difference
from .scalar import Scalar
from .tensor import Tensor, tensor
from .testing_layers import check_layer as check_layer

Fn = Callable[..., Any]
Case = tuple[str, Fn]
CELL_BY_CELL = 64


class MathTest:
    """One-argument functions, two-argument functions (ending in ``2``) and reductions (ending in ``red``) of floats."""

    @staticmethod
    def neg(a: Any) -> Any:
        """Negate."""
        return -a

    @staticmethod
    def addConstant(a: Any) -> Any:
        """Add a constant."""
        return 5 + a

    @staticmethod
    def square(a: Any) -> Any:
        """Square."""
        return a * a

    @staticmethod
    def cube(a: Any) -> Any:
        """Cube."""
        return a * a * a

    @staticmethod
    def subConstant(a: Any) -> Any:
        """Subtract a constant."""
        return a - 5

    @staticmethod
    def multConstant(a: Any) -> Any:
        """Multiply by a constant."""
        return 5 * a

    @staticmethod
    def div(a: Any) -> Any:
        """Divide by a constant."""
        return a / 5

    @staticmethod
    def inv(a: Any) -> Any:
        """Invert, after a shift."""
        return operators.inv(a + 3.5)

    @staticmethod
    def sig(a: Any) -> Any:
        """Sigmoid."""
        return operators.sigmoid(a)

    @staticmethod
    def log(a: Any) -> Any:
        """Logarithm, after a large shift."""
        return operators.log(a + 100000)

    @staticmethod
    def relu(a: Any) -> Any:
        """ReLU, after a shift."""
        return operators.relu(a + 5.5)

    @staticmethod
    def exp(a: Any) -> Any:
        """Exponential, after a shift."""
        return operators.exp(a - 200)

    @staticmethod
    def explog(a: Any) -> Any:
        """Logarithm plus exponential, after shifts."""
        return operators.log(a + 100000) + operators.exp(a - 200)

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, nested."""
        inner = operators.relu(operators.relu(a * 10 + 7) * 6 + 5) * 10
        return operators.log(operators.sigmoid(inner)) / 50

    @staticmethod
    def add2(a: Any, b: Any) -> Any:
        """Add."""
        return a + b

    @staticmethod
    def mul2(a: Any, b: Any) -> Any:
        """Multiply."""
        return a * b

    @staticmethod
    def div2(a: Any, b: Any) -> Any:
        """Divide, after a shift."""
        return a / (b + 5.5)

    @staticmethod
    def gt2(a: Any, b: Any) -> Any:
        """Compare by greater-than, after a shift."""
        return operators.lt(b, a + 1.2)

    @staticmethod
    def lt2(a: Any, b: Any) -> Any:
        """Compare by less-than, after a shift."""
        return operators.lt(a + 1.2, b)

    @staticmethod
    def eq2(a: Any, b: Any) -> Any:
        """Compare for equality, after a shift."""
        return operators.eq(a, b + 5.5)

    @staticmethod
    def sum_red(a: Iterable[float]) -> float:
        """Sum a list."""
        return operators.sum(a)

    @staticmethod
    def mean_red(a: Any) -> float:
        """Average a list."""
        return operators.sum(a) / float(len(a))

    @staticmethod
    def mean_full_red(a: Any) -> float:
        """Average a list."""
        return operators.sum(a) / float(len(a))

    @classmethod
    def _cases(cls) -> tuple[list[Case], list[Case], list[Case]]:
        """Return the one-argument functions, two-argument functions and reductions, as sorted (name, function)."""
        names = sorted(k for k in dir(MathTest) if not k.startswith("_"))
        cases = [(k, getattr(cls, k)) for k in names]
        two = [c for c in cases if c[0].endswith("2")]
        red = [c for c in cases if c[0].endswith("red")]
        return [c for c in cases if c not in two and c not in red], two, red

    @classmethod
    def _tests(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the lists of `_cases`."""
        return cls._cases()

    @classmethod
    def _comp_testing(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the same lists as (name, function of floats, function of variables)."""
        plain, ours = MathTest._cases(), cls._cases()
        one, two, red = ([(n, f, g) for (n, f), (_, g) in zip(p, o)] for p, o in zip(plain, ours))
        return one, two, red


class MathTestVariable(MathTest):
    """The same functions, written with the methods of Scalars and Tensors."""

    @classmethod
    def _tests(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the triples of `_comp_testing`, as the tests of 2021 expect."""
        return cls._comp_testing()

    @staticmethod
    def inv(a: Any) -> Any:
        """Invert, after a shift."""
        return 1.0 / (a + 3.5)

    @staticmethod
    def sig(a: Any) -> Any:
        """Sigmoid."""
        return a.sigmoid()

    @staticmethod
    def log(a: Any) -> Any:
        """Logarithm, after a large shift."""
        return (a + 100000).log()

    @staticmethod
    def relu(a: Any) -> Any:
        """ReLU, after a shift."""
        return (a + 5.5).relu()

    @staticmethod
    def exp(a: Any) -> Any:
        """Exponential, after a shift."""
        return (a - 200).exp()

    @staticmethod
    def explog(a: Any) -> Any:
        """Logarithm plus exponential, after shifts."""
        return (a + 100000).log() + (a - 200).exp()

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, nested."""
        return (((a * 10 + 7).relu() * 6 + 5).relu() * 10).sigmoid().log() / 50

    @staticmethod
    def gt2(a: Any, b: Any) -> Any:
        """Compare by greater-than, after a shift."""
        return a + 1.2 > b

    @staticmethod
    def lt2(a: Any, b: Any) -> Any:
        """Compare by less-than, after a shift."""
        return a + 1.2 < b

    @staticmethod
    def eq2(a: Any, b: Any) -> Any:
        """Compare for equality, after a shift."""
        return a == (b + 5.5)

    @staticmethod
    def sum_red(a: Any) -> Any:
        """Sum along the first dimension."""
        return a.sum(0)

    @staticmethod
    def mean_red(a: Any) -> Any:
        """Average along the first dimension."""
        return a.mean(0)

    @staticmethod
    def mean_full_red(a: Any) -> Any:
        """Average over all cells."""
        return a.mean()


def derivative_check(f: Fn, *scalars: Scalar) -> None:
    """Check the derivatives of ``f`` at ``scalars`` against central differences (within 1e-2).

    Raises:
        AssertionError: One of them differs; the message names argument and values.
    """
    leaves = [Scalar(x.data) for x in scalars]
    f(*leaves).backward()
    for i, x in enumerate(leaves):
        expected = float(
            central_difference(lambda *v: float(f(*map(Scalar, v))), *[s.data for s in leaves], arg=i)
        )
        found = 0.0 if x.derivative is None else x.derivative
        if not np.isclose(found, expected, rtol=1e-2, atol=1e-2):
            name = f.__name__ if isinstance(f, FunctionType) else type(f).__name__
            at = ", ".join(str(s.data) for s in leaves)
            raise AssertionError(
                f"the derivative of {name} at ({at}) for argument {i} is {found}, "
                f"and differences give {expected}"
            )


def _total(f: Fn, values: list[Tensor]) -> float:
    return float(f(*values).sum().item())


def _nudged(values: list[Tensor], arg: int, change: Any) -> list[Tensor]:
    fresh = [v.detach() for v in values]
    moved = values[arg].to_numpy() + change
    fresh[arg] = tensor(moved, values[arg].backend)
    return fresh


def grad_central_difference(
    f: Fn, *vals: Tensor, arg: int = 0, epsilon: float = 1e-6, ind: tuple[int, ...]
) -> float:
    """Approximate the derivative of ``f(*vals).sum()`` with respect to the cell ``ind`` of argument ``arg``."""
    change = np.zeros(vals[arg].shape)
    change[ind] = epsilon
    above, below = (_total(f, _nudged(list(vals), arg, s * change)) for s in (1, -1))
    return (above - below) / (2 * epsilon)


def grad_check(f: Fn, *vals: Tensor, rtol: float = 1e-2, atol: float = 1e-2, epsilon: float = 1e-6) -> None:
    """Check the gradients of ``f(*vals).sum()`` against central differences.

    Arguments of up to 64 cells are checked cell by cell, larger ones in 16 random cells and along one random
    direction. ``random`` keeps its state, so a function that draws from it gives the same result at each call.

    Args:
        f: A function of tensors.
        *vals: The point; fresh leaves are made of them, so they stay as they are.
        rtol: Tolerance relative to the larger of the two derivatives.
        atol: Absolute tolerance.
        epsilon: Half the width of the step.

    Raises:
        AssertionError: A gradient is wrong; names the Function, the argument, the cell and both values.
    """
    state = random.getstate()

    def steady(*values: Tensor) -> Any:
        random.setstate(state)
        return f(*values)

    try:
        leaves = [v.detach().clone().requires_grad_(True) for v in vals]
        out = steady(*leaves)
        out.sum().backward()
        last = out.history.last_fn.__name__ if out.history and out.history.last_fn else "the result"
        for arg, leaf in enumerate(leaves):
            grad = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.to_numpy()
            draw = rng.generator(arg, leaf.size)
            cells = list(np.ndindex(*leaf.shape))
            if leaf.size > CELL_BY_CELL:
                cells = [cells[k] for k in sorted(draw.choice(leaf.size, 16, replace=False))]
            for ind in cells:
                slope = grad_central_difference(steady, *leaves, arg=arg, epsilon=epsilon, ind=ind)
                _compare(last, arg, f"cell {ind}", float(grad[ind]), slope, rtol, atol)
            if leaf.size > CELL_BY_CELL:
                way = draw.standard_normal(leaf.shape)
                way /= np.linalg.norm(way)
                above, below = (_total(steady, _nudged(leaves, arg, s * epsilon * way)) for s in (1, -1))
                along = float((grad * way).sum())
                _compare(last, arg, "a random direction", along, (above - below) / (2 * epsilon), rtol, atol)
    finally:
        random.setstate(state)


def _compare(last: str, arg: int, where: str, found: float, slope: float, rtol: float, atol: float) -> None:
    if not np.isclose(found, slope, rtol=rtol, atol=atol):
        raise AssertionError(
            f"gradient through {last}, argument {arg}, {where}: backward gives {found}, differences give {slope}"
        )
