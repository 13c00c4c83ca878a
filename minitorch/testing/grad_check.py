"""Functions to test with, and the checks of derivatives against differences."""

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

Case = tuple[str, Fn]
ELEMENT_BY_ELEMENT = 64


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
    """Approximate the derivative of ``f(*vals).sum()`` with respect to the element ``ind`` of argument ``arg``."""
    change = np.zeros(vals[arg].shape)
    change[ind] = epsilon
    above, below = (_total(f, _nudged(list(vals), arg, s * change)) for s in (1, -1))
    return (above - below) / (2 * epsilon)


def grad_check(f: Fn, *vals: Tensor, rtol: float = 1e-2, atol: float = 1e-2, epsilon: float = 1e-6) -> None:
    """Check the gradients of ``f(*vals).sum()`` against central differences.

    Arguments of up to 64 elements are checked element by element, larger ones in 16 random elements and along one random
    direction. ``random`` keeps its state, so a function that draws from it gives the same result at each call.

    Args:
        f: A function of tensors.
        *vals: The point; fresh leaves are made of them, so they stay as they are.
        rtol: Tolerance relative to the larger of the two derivatives.
        atol: Absolute tolerance.
        epsilon: Half the width of the step.

    Raises:
        AssertionError: A gradient is wrong; names the Function, the argument, the element and both values.
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
            if leaf.size > ELEMENT_BY_ELEMENT:
                elements = [elements[k] for k in sorted(draw.choice(leaf.size, 16, replace=False))]
            for ind in elements:
                slope = grad_central_difference(steady, *leaves, arg=arg, epsilon=epsilon, ind=ind)
                _compare(last, arg, f"element {ind}", float(grad[ind]), slope, rtol, atol)
            if leaf.size > ELEMENT_BY_ELEMENT:
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
