"""Functions that change a tensor: those whose names end in ``_``, and the operators ``+=``, ``-=``, ...

A constant, and anything under `no_grad`, is written into its memory, so that views see it. Where a gradient is recorded
the tensor gets the new history. A leaf that requires a gradient is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import comparison, elementwise, indexing, joining, ordering, shapes
from .creation import drawing
from .functions import numeric, scattering
from .linalg import norms, products
from .tensor import Tensor, from_array, replace, to_array, tracked


def in_place(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the form of a function that changes its first operand."""

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


def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Write random numbers from an exponential distribution of rate ``lambd``."""
    return _written(input, drawing(generator).exponential(1 / lambd, tuple(input.shape)))


def geometric_(input: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Write the numbers of trials up to the first success, each of probability ``p``."""
    return _written(input, drawing(generator).geometric(p, tuple(input.shape)))


def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
    """Write random numbers whose logarithms are normal with this mean and deviation."""
    return _written(input, drawing(generator).lognormal(mean, std, tuple(input.shape)))


def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
    """Write random numbers from a Cauchy distribution."""
    return _written(input, median + sigma * drawing(generator).standard_cauchy(tuple(input.shape)))


def apply_(input: Tensor, callable: Any) -> Tensor:
    """Write ``callable(element)`` for each element of a constant; slow."""
    return _written(
        input, np.array([callable(v) for v in to_array(input).reshape(-1).tolist()]).reshape(input.shape)
    )


def map_(input: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Write ``callable(a, b)`` for each element ``a`` and that of ``tensor`` at its place; slow."""
    pairs = zip(*(to_array(t).reshape(-1).tolist() for t in (input, shapes.expand_as(tensor, input))))
    return _written(input, np.array([callable(a, b) for a, b in pairs]).reshape(input.shape))


def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number into the diagonal of a matrix."""
    values = np.array(to_array(input))
    np.fill_diagonal(values, fill_value, wrap)
    return _written(input, values)


def resize_(input: Tensor, *sizes: Any) -> Tensor:
    """Give a constant another shape; new elements are 0.

    Raises:
        RuntimeError: It requires a gradient.
    """
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    wanted = shapes.sizes(sizes)
    flat = to_array(input).reshape(-1)
    values = np.zeros(int(np.prod(wanted)), flat.dtype)
    values[: len(flat)] = flat[: len(values)]
    return _reshaped(input, from_array(values.reshape(wanted), input.device))


def resize_as_(input: Tensor, the_template: Tensor) -> Tensor:
    """Give a constant the shape of another tensor; new elements are 0."""
    return resize_(input, *the_template.shape)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions."""
    return _reshaped(input, shapes.transpose(input, dim0, dim1))


swapaxes_ = swapdims_ = transpose_


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


def _each(*functions: Callable[..., Tensor]) -> Iterator[Callable[..., Tensor]]:
    return map(in_place, functions)


# fmt: off
(
    add_, sub_, mul_, div_, pow_, neg_, abs_, clamp_, clamp_min_, clamp_max_, exp_, log_, sqrt_, rsqrt_,
    reciprocal_, square_, tanh_, sigmoid_, relu_, floor_, ceil_, round_, trunc_, frac_, sin_, cos_, tan_, asin_,
    acos_, atan_, sinh_, cosh_, erf_, log2_, log10_, log1p_, expm1_, sign_, atan2_, lerp_, addcmul_, addcdiv_,
    floor_divide_, remainder_, fmod_, masked_fill_,
) = _each(
    elementwise.add, elementwise.sub, elementwise.mul, elementwise.div, elementwise.pow, elementwise.neg,
    elementwise.abs, elementwise.clamp, elementwise.clamp_min, elementwise.clamp_max, elementwise.exp,
    elementwise.log, elementwise.sqrt, elementwise.rsqrt, elementwise.reciprocal, elementwise.square,
    elementwise.tanh, elementwise.sigmoid, elementwise.relu, elementwise.floor, elementwise.ceil,
    elementwise.round, elementwise.trunc, elementwise.frac, elementwise.sin, elementwise.cos, elementwise.tan,
    elementwise.asin, elementwise.acos, elementwise.atan, elementwise.sinh, elementwise.cosh, elementwise.erf,
    elementwise.log2, elementwise.log10, elementwise.log1p, elementwise.expm1, elementwise.sign,
    elementwise.atan2, elementwise.lerp, elementwise.addcmul, elementwise.addcdiv, elementwise.floor_divide,
    elementwise.remainder, elementwise.fmod, elementwise.masked_fill,
)
(
    asinh_, acosh_, atanh_, erfc_, erfinv_, lgamma_, digamma_, exp2_, deg2rad_, rad2deg_, hypot_, logit_,
    xlogy_, sinc_, heaviside_, copysign_, ldexp_, float_power_, nan_to_num_, sgn_, gcd_, lcm_, nextafter_, i0_,
    mvlgamma_,
) = _each(
    numeric.asinh, numeric.acosh, numeric.atanh, numeric.erfc, numeric.erfinv, numeric.lgamma, numeric.digamma,
    numeric.exp2, numeric.deg2rad, numeric.rad2deg, numeric.hypot, numeric.logit, numeric.xlogy, numeric.sinc,
    numeric.heaviside, numeric.copysign, numeric.ldexp, numeric.float_power, numeric.nan_to_num, numeric.sgn,
    numeric.gcd, numeric.lcm, numeric.nextafter, numeric.i0, numeric.mvlgamma,
)
(
    eq_, ne_, lt_, le_, gt_, ge_, logical_and_, logical_or_, logical_xor_, logical_not_, bitwise_and_,
    bitwise_or_, bitwise_xor_, bitwise_not_, bitwise_left_shift_, bitwise_right_shift_,
) = _each(
    comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge,
    comparison.logical_and, comparison.logical_or, comparison.logical_xor, comparison.logical_not,
    comparison.bitwise_and, comparison.bitwise_or, comparison.bitwise_xor, comparison.bitwise_not,
    comparison.bitwise_left_shift, comparison.bitwise_right_shift,
)
(
    scatter_, scatter_add_, index_add_, index_fill_, index_copy_, masked_scatter_,
) = _each(
    indexing.scatter, indexing.scatter_add, indexing.index_add, indexing.index_fill, indexing.index_copy,
    indexing.masked_scatter,
)
(
    scatter_reduce_, index_reduce_,
) = _each(
    scattering.scatter_reduce, scattering.index_reduce,
)
(
    tril_, triu_,
) = _each(
    joining.tril, joining.triu,
)
(
    cumsum_, cumprod_,
) = _each(
    ordering.cumsum, ordering.cumprod,
)
(
    addmm_, addmv_, addr_, addbmm_, baddbmm_,
) = _each(
    products.addmm, products.addmv, products.addr, products.addbmm, products.baddbmm,
)
(
    renorm_,
) = _each(
    norms.renorm,
)
# fmt: on
absolute_, negative_, clip_, fix_ = abs_, neg_, clamp_, trunc_
subtract_, multiply_, divide_, true_divide_ = sub_, mul_, div_, div_
arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_
