"""Checks of derivatives against central differences: derivative_check for Scalars, grad_check for Tensors.

Depends on `minitorch.scalar` and `minitorch.tensor`.
"""

from __future__ import annotations

import random
from types import FunctionType
from typing import Any

import numpy as np

from ..autodiff import central_difference
from ..runtime import rng
from ..runtime.types import Fn
from ..scalar import Scalar
from ..tensor import Tensor, tensor

CHECKED_ONE_BY_ONE = 64  # larger arguments are checked in SAMPLED elements and along one random direction
SAMPLED = 16


def derivative_check(f: Fn, *scalars: Scalar) -> None:
    """Check the derivatives of ``f`` at ``scalars`` against central differences, within 1e-2.

    Args:
        f: A function of Scalars.
        *scalars: The point; the check works on fresh Scalars of the same values.

    Raises:
        AssertionError: A derivative differs; names the function, the point, the argument and both values.
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
            point = ", ".join(str(s.data) for s in leaves)
            raise AssertionError(
                f"derivative of {name} at ({point}), argument {i}: backward gives {found}, "
                f"differences give {expected}"
            )


def _total(f: Fn, values: list[Tensor]) -> float:
    return float(f(*values).sum().item())


def _moved(values: list[Tensor], arg: int, change: Any) -> list[Tensor]:
    """Return constants of ``values``, with ``change`` added to that of number ``arg``."""
    fresh = [v.detach() for v in values]
    moved = values[arg].to_numpy() + change
    fresh[arg] = tensor(moved, values[arg].backend)
    return fresh


def grad_central_difference(
    f: Fn, *vals: Tensor, arg: int = 0, epsilon: float = 1e-6, ind: tuple[int, ...]
) -> float:
    """Approximate the derivative of ``f(*vals).sum()`` with respect to one element by a central difference.

    Args:
        f: A function of tensors.
        *vals: The point.
        arg: Number of the argument, by default 0.
        epsilon: Half the distance of the two points, by default 1e-6.
        ind: Index of the element in the argument.
    """
    change = np.zeros(vals[arg].shape)
    change[ind] = epsilon
    above, below = (_total(f, _moved(list(vals), arg, s * change)) for s in (1, -1))
    return (above - below) / (2 * epsilon)


def grad_check(f: Fn, *vals: Tensor, rtol: float = 1e-2, atol: float = 1e-2, epsilon: float = 1e-6) -> None:
    """Check the gradients of ``f(*vals).sum()`` against central differences.

    All elements of arguments of up to 64 are checked, of larger ones 16 random elements and one random direction.
    ``random`` keeps its state, so a function that draws from it gives the same result at each call.

    Args:
        f: A function of tensors.
        *vals: The point; the check works on fresh leaves of the same values.
        rtol: Tolerance relative to the difference quotient, by default 1e-2.
        atol: Absolute tolerance, by default 1e-2.
        epsilon: Half the distance of the two points, by default 1e-6.

    Raises:
        AssertionError: A gradient is wrong; names the last Function, the argument, the element and both values.
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
            elements = list(np.ndindex(*leaf.shape))
            if leaf.size > CHECKED_ONE_BY_ONE:
                elements = [elements[k] for k in sorted(draw.choice(leaf.size, SAMPLED, replace=False))]
            for ind in elements:
                slope = grad_central_difference(steady, *leaves, arg=arg, epsilon=epsilon, ind=ind)
                _compare(last, arg, f"element {ind}", float(grad[ind]), slope, rtol, atol)
            if leaf.size > CHECKED_ONE_BY_ONE:
                direction = draw.standard_normal(leaf.shape)
                direction /= np.linalg.norm(direction)
                above, below = (_total(steady, _moved(leaves, arg, s * epsilon * direction)) for s in (1, -1))
                found = float((grad * direction).sum())
                _compare(last, arg, "a random direction", found, (above - below) / (2 * epsilon), rtol, atol)
    finally:
        random.setstate(state)


def _compare(last: str, arg: int, place: str, found: float, slope: float, rtol: float, atol: float) -> None:
    if not np.isclose(found, slope, rtol=rtol, atol=atol):
        raise AssertionError(
            f"gradient through {last}, argument {arg}, {place}: backward gives {found}, differences give {slope}"
        )
