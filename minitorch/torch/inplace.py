"""Functions that change a tensor: those whose names end in ``_``, and the operators ``+=``, ``-=``, ...

A constant, and anything under `no_grad`, is written into its memory, so that views see it. Where a gradient is recorded
the tensor gets the new history. A leaf that requires a gradient is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import comparison, elementwise, indexing, joining, shapes
from .creation import drawing
from .tensor import Tensor, from_array, replace, to_array, tracked


def _in_place(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def function(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return replace(input, fn(input, *args, **kwargs))

    function.__name__ = function.__qualname__ = f"{fn.__name__}_"
    function.__doc__ = f"Do `{fn.__name__}` in place, and return the tensor."
    return function


def _written(input: Tensor, values: Any) -> Tensor:
    """Write an array into a tensor, also into a leaf under no_grad; return the tensor."""
    return replace(
        input, from_array(np.broadcast_to(values, tuple(input.shape)).astype(input.dtype.numpy), input.device)
    )


def fill_(input: Tensor, value: Any) -> Tensor:
    """Write a number into all elements."""
    return _written(input, to_array(value))


def zero_(input: Tensor) -> Tensor:
    """Write 0 into all elements."""
    return _written(input, 0)


def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write the elements of ``src``, which broadcast, dtype and device of this tensor stay."""
    if tracked(src) and not (tracked(input) and input.is_leaf):
        return replace(input, shapes.expand_as(elementwise.cast(src, input.dtype), input))
    return _written(input, to_array(src))


def set_(input: Tensor, source: Tensor) -> Tensor:
    """Show the memory of ``source`` from now on."""
    input.data = source
    return input


def uniform_(input: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Write random numbers, uniform in [a, b)."""
    return _written(input, drawing(generator).uniform(a, b, tuple(input.shape)))


def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Write random numbers from a normal distribution."""
    return _written(input, drawing(generator).normal(mean, std, tuple(input.shape)))


def random_(input: Tensor, low: int = 0, high: int | None = None, *, generator: Any = None) -> Tensor:
    """Write random whole numbers from ``low`` to below ``high``."""
    low, high = (0, low) if high is None and low else (low, 2**24 if high is None else high)
    return _written(input, drawing(generator).integers(low, high, tuple(input.shape)))


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Write 1 with probability ``p``, else 0."""
    return _written(input, drawing(generator).random(tuple(input.shape)) < to_array(p))


def fill_diagonal_(input: Tensor, fill_value: Any) -> Tensor:
    """Write a number into the diagonal of a matrix."""
    values = np.array(to_array(input))
    np.fill_diagonal(values, fill_value)
    return _written(input, values)


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1."""
    return _reshaped(input, shapes.unsqueeze(input, dim))


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """Drop dimensions of size 1."""
    return _reshaped(input, shapes.squeeze(input, dim))


def t_(input: Tensor) -> Tensor:
    """Transpose a matrix."""
    return _reshaped(input, shapes.t(input))


def _reshaped(input: Tensor, new: Tensor) -> Tensor:
    input._value = new._value
    return input


add_, sub_, mul_, div_ = (
    _in_place(elementwise.add),
    _in_place(elementwise.sub),
    _in_place(elementwise.mul),
    _in_place(elementwise.div),
)
pow_, neg_, abs_, clamp_ = (
    _in_place(elementwise.pow),
    _in_place(elementwise.neg),
    _in_place(elementwise.abs),
    _in_place(elementwise.clamp),
)
clamp_min_, clamp_max_ = _in_place(elementwise.clamp_min), _in_place(elementwise.clamp_max)
exp_, log_, sqrt_ = (_in_place(elementwise.exp), _in_place(elementwise.log), _in_place(elementwise.sqrt))
rsqrt_, reciprocal_, square_ = (
    _in_place(elementwise.rsqrt),
    _in_place(elementwise.reciprocal),
    _in_place(elementwise.square),
)
tanh_, sigmoid_, relu_ = (
    _in_place(elementwise.tanh),
    _in_place(elementwise.sigmoid),
    _in_place(elementwise.relu),
)
floor_, ceil_, round_, trunc_ = (
    _in_place(elementwise.floor),
    _in_place(elementwise.ceil),
    _in_place(elementwise.round),
    _in_place(elementwise.trunc),
)
sin_, cos_, erf_ = (_in_place(elementwise.sin), _in_place(elementwise.cos), _in_place(elementwise.erf))
lerp_, addcmul_, addcdiv_ = (
    _in_place(elementwise.lerp),
    _in_place(elementwise.addcmul),
    _in_place(elementwise.addcdiv),
)
floor_divide_, remainder_, fmod_ = (
    _in_place(elementwise.floor_divide),
    _in_place(elementwise.remainder),
    _in_place(elementwise.fmod),
)
masked_fill_, nan_to_num_ = _in_place(elementwise.masked_fill), _in_place(comparison.nan_to_num)
scatter_, scatter_add_ = _in_place(indexing.scatter), _in_place(indexing.scatter_add)
index_add_, index_fill_, index_copy_ = (
    _in_place(indexing.index_add),
    _in_place(indexing.index_fill),
    _in_place(indexing.index_copy),
)
masked_scatter_ = _in_place(indexing.masked_scatter)
tril_, triu_ = _in_place(joining.tril), _in_place(joining.triu)
