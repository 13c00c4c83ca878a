"""Functions that take ``out=``: the result is written into that tensor, which is returned.

Methods do not take it, and calls inside the package do not pay for it: `minitorch.torch` exports these.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from .. import comparison, creation, elementwise, joining, ordering, reductions
from ..linalg import products
from ..tensor import Tensor, overwrite
from . import numeric


def _write(result: Any, out: Any) -> Any:
    """Write a tensor, or several, into others, whose shapes may change.

    Raises:
        RuntimeError: A gradient would be lost, or the dtype of ``out`` does not hold the result.
    """
    if isinstance(result, tuple):
        return type(result)(*(_write(r, o) for r, o in zip(result, out)))
    if not isinstance(out, Tensor):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if result.requires_grad or out.requires_grad:
        raise RuntimeError(
            "out=... arguments don't support automatic differentiation, but one of the arguments requires grad."
        )
    if result.is_floating_point() and not out.is_floating_point():
        raise RuntimeError(
            f"result type {result.dtype.name} can't be cast to the desired output type {out.dtype.name}"
        )
    if out.shape != result.shape:
        out._value = result.to(out.dtype)._value
        return out
    return overwrite(out, result._value)


def _with_out(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def function(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        return result if out is None else _write(result, out)

    return function


def _each(*functions: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    return map(_with_out, functions)


# fmt: off
(
    abs, acos, add, addcdiv, addcmul, asin, atan, atan2, ceil, clamp, cos, cosh, div, erf, exp, expm1, floor,
    floor_divide, fmod, frac, lerp, log, log10, log1p, log2, maximum, minimum, mul, neg, pow, reciprocal,
    remainder, round, rsqrt, sigmoid, sign, sin, sinh, sqrt, square, sub, tan, tanh, trunc, where,
) = _each(
    elementwise.abs, elementwise.acos, elementwise.add, elementwise.addcdiv, elementwise.addcmul,
    elementwise.asin, elementwise.atan, elementwise.atan2, elementwise.ceil, elementwise.clamp, elementwise.cos,
    elementwise.cosh, elementwise.div, elementwise.erf, elementwise.exp, elementwise.expm1, elementwise.floor,
    elementwise.floor_divide, elementwise.fmod, elementwise.frac, elementwise.lerp, elementwise.log,
    elementwise.log10, elementwise.log1p, elementwise.log2, elementwise.maximum, elementwise.minimum,
    elementwise.mul, elementwise.neg, elementwise.pow, elementwise.reciprocal, elementwise.remainder,
    elementwise.round, elementwise.rsqrt, elementwise.sigmoid, elementwise.sign, elementwise.sin,
    elementwise.sinh, elementwise.sqrt, elementwise.square, elementwise.sub, elementwise.tan, elementwise.tanh,
    elementwise.trunc, elementwise.where,
)
(
    bitwise_and, bitwise_not, bitwise_or, bitwise_xor, eq, ge, gt, le, logical_and, logical_not, logical_or,
    logical_xor, lt, ne,
) = _each(
    comparison.bitwise_and, comparison.bitwise_not, comparison.bitwise_or, comparison.bitwise_xor,
    comparison.eq, comparison.ge, comparison.gt, comparison.le, comparison.logical_and, comparison.logical_not,
    comparison.logical_or, comparison.logical_xor, comparison.lt, comparison.ne,
)
(
    all, amax, amin, any, argmax, argmin, logsumexp, max, mean, min, prod, std, sum, var,
) = _each(
    reductions.all, reductions.amax, reductions.amin, reductions.any, reductions.argmax, reductions.argmin,
    reductions.logsumexp, reductions.max, reductions.mean, reductions.min, reductions.prod, reductions.std,
    reductions.sum, reductions.var,
)
(
    cummax, cummin, cumprod, cumsum, sort, topk,
) = _each(
    ordering.cummax, ordering.cummin, ordering.cumprod, ordering.cumsum, ordering.sort, ordering.topk,
)
(
    cat, diag, hstack, stack, tril, triu, vstack,
) = _each(
    joining.cat, joining.diag, joining.hstack, joining.stack, joining.tril, joining.triu, joining.vstack,
)
(
    addmm, addmv, addr, baddbmm, bmm, dot, matmul, mm, mv, outer,
) = _each(
    products.addmm, products.addmv, products.addr, products.baddbmm, products.bmm, products.dot,
    products.matmul, products.mm, products.mv, products.outer,
)
(
    copysign, exp2, hypot, logaddexp,
) = _each(
    numeric.copysign, numeric.exp2, numeric.hypot, numeric.logaddexp,
)
(
    arange, eye, full, linspace, ones, rand, randn, randint, randperm, zeros,
) = _each(
    creation.arange, creation.eye, creation.full, creation.linspace, creation.ones, creation.rand,
    creation.randn, creation.randint, creation.randperm, creation.zeros,
)
# fmt: on
absolute, clip, divide, true_divide = abs, clamp, div, div
multiply, negative, subtract = mul, neg, sub
concat = concatenate = cat
arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
