"""The checkers must fail: on a wrong value, a gradient off by 0.1 %, a swapped axis, a stride overlooked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from minitorch import (
    Context,
    Function,
    Scalar,
    ScalarFunction,
    Tensor,
    TensorData,
    derivative_check,
    grad_check,
)
from minitorch import tensor as make

from ..support import checks
from ..support.op_table import TABLE, UNARY, Line, check_agreement, check_gradients, check_values
from ..tensor_strategies import shaped_tensors, tensors

LINES = {line.name: line for line in TABLE}
SQUARE = Line("square", lambda x: x * x, np.square, UNARY)


class Times(Function):
    """a * b, whose derivatives are off by a factor; ``only`` spoils one element alone."""

    @staticmethod
    def forward(
        ctx: Context, a: TensorData, b: TensorData, off: tuple[float, float], only: bool = False
    ) -> TensorData:
        ctx.save_for_backward(a, b, off, only)
        return a * b

    @staticmethod
    def backward(ctx: Context, d: TensorData) -> tuple[Any, Any]:
        a, b, (first, second), only = ctx.saved_values
        da, db = d * b, d * a
        if only:
            da[0, 0, 0] = da[0, 0, 0] * first
            return da, db
        return da * first, db * second


class Transposed(Function):
    """A transposition whose derivative is not transposed back."""

    @staticmethod
    def forward(ctx: Context, a: TensorData) -> TensorData:
        return a.permute(1, 0)

    @staticmethod
    def backward(ctx: Context, d: TensorData) -> TensorData:
        return d


class IgnoringStrides(Function):
    """A negation that overlooks strides."""

    @staticmethod
    def forward(ctx: Context, a: TensorData) -> TensorData:
        return TensorData(-a._storage, a.shape, backend=a.backend)

    @staticmethod
    def backward(ctx: Context, d: TensorData) -> TensorData:
        return -d


def times(*off: float, only: bool = False) -> Line:
    """Return the line of a product whose derivatives are off."""
    cube = (((2, 3, 2), (2, 3, 2)),)
    return Line("times", lambda x, y: Times.apply(x, y, off=off, only=only), np.multiply, cube)


def test_correct_lines_pass() -> None:
    check_values(SQUARE, "simple", "permuted")
    check_gradients(SQUARE, "simple", "strided")
    check_gradients(times(1.0, 1.0), "simple", "packed")
    check_agreement(SQUARE, "fast", "float32")


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * x * 1.000001,
        lambda x: x * x + 1e-7,
        lambda x: (x * x).reshape(1, *x.shape),
        lambda x: (x * x).astype("float32"),
    ],
)
def test_a_wrong_value(fn: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(AssertionError, match="square of"):
        check_values(replace(SQUARE, fn=fn), "simple", "packed")


@pytest.mark.parametrize("layout", ["permuted", "strided"])
def test_a_stride_overlooked(layout: str) -> None:
    overlooking = Line("neg", IgnoringStrides.apply, np.negative, (((2, 3),),))
    check_values(overlooking, "simple", "packed")
    with pytest.raises((AssertionError, RuntimeError)):
        check_values(overlooking, "simple", layout)


@pytest.mark.parametrize("reduce_all", ["sum", "max", "mean"])
def test_a_swapped_axis(reduce_all: str) -> None:
    swapped = replace(LINES[f"{reduce_all} 0"], ref=LINES[f"{reduce_all} 1"].ref, shapes=(((3, 3),),))
    with pytest.raises(AssertionError):
        check_values(swapped, "simple", "packed")


def test_a_swapped_axis_on_the_way_back() -> None:
    transposed = Line("transposed", Transposed.apply, np.transpose, (((3, 3),),))
    check_values(transposed, "simple", "packed")
    with pytest.raises(AssertionError, match="transposed of"):
        check_gradients(transposed, "simple", "packed")


@pytest.mark.parametrize(
    ("off", "only"),
    [
        ((1.001, 1.0), False),
        ((1.0, 0.999), False),
        ((0.0, 1.0), False),
        ((1.0, -1.0), False),
        ((1.001, 1.0), True),
        ((0.0, 1.0), True),
    ],
)
def test_a_wrong_gradient(off: tuple[float, float], only: bool) -> None:
    with pytest.raises(AssertionError, match="backward gives"):
        check_gradients(times(*off, only=only), "simple", "packed")


def test_a_gradient_that_differs_from_the_reference_backend() -> None:
    def fn(x: Tensor, y: Tensor) -> Tensor:
        return Times.apply(x, y, off=(1.001 if x.backend.ops.name == "fast" else 1.0, 1.0))

    line = replace(times(1.0, 1.0), fn=fn)
    with pytest.raises(AssertionError, match="gradient of times"):
        check_agreement(line, "fast", "float32")


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("arg", [0, 1])
def test_grad_check_finds_a_wrong_gradient(size: int, arg: int) -> None:
    a, b = make(np.linspace(1.0, 2.0, size)), make(np.linspace(2.0, 3.0, size))
    off = (1.05, 1.0) if arg == 0 else (1.0, 1.05)
    grad_check(lambda x, y: Times.apply(x, y, off=(1.0, 1.0)), a, b)
    with pytest.raises(
        AssertionError, match=rf"Times, argument {arg}, element \(\d+,\): backward gives .*give"
    ):
        grad_check(lambda x, y: Times.apply(x, y, off=off), a, b)


def test_grad_check_looks_along_a_direction_of_large_inputs() -> None:
    class OneElement(Function):
        """An identity whose derivative is wrong in a single element."""

        @staticmethod
        def forward(ctx: Context, a: TensorData) -> TensorData:
            return a * 1.0

        @staticmethod
        def backward(ctx: Context, d: TensorData) -> TensorData:
            wrong = d * 1.0
            wrong[400] = 100.0
            return wrong

    with pytest.raises(AssertionError, match="OneElement"):
        grad_check(OneElement.apply, make(np.linspace(0.0, 1.0, 1000)))


def test_grad_check_takes_tighter_tolerances() -> None:
    a = make([1.0, 2.0])
    grad_check(lambda x, y: Times.apply(x, y, off=(1.005, 1.0)), a, a)
    with pytest.raises(AssertionError):
        grad_check(lambda x, y: Times.apply(x, y, off=(1.005, 1.0)), a, a, rtol=1e-4, atol=1e-6)


def test_derivative_check_finds_a_wrong_derivative() -> None:
    class Wrong(ScalarFunction):
        @staticmethod
        def forward(ctx: Context, x: float) -> float:
            return x * x

        @staticmethod
        def backward(ctx: Context, d: float) -> float:
            return 3.0 * d

    with pytest.raises(AssertionError):
        derivative_check(Wrong.apply, Scalar(2.0))


@pytest.mark.parametrize("check", [checks.check_one, checks.check_one_gradient])
@given(t=tensors(floats(1, 2), "simple"))
def test_the_course_checks_find_mistakes(check: Callable[..., None], t: Tensor) -> None:
    def wrong(x: Tensor) -> Tensor:
        return Times.apply(x, x, off=(1.1, 1.1)) + 0.02

    with pytest.raises(AssertionError):
        check(("square", lambda x: x * x, wrong), t)


@pytest.mark.parametrize(
    "check", [checks.check_two, checks.check_two_gradients, checks.check_broadcast_gradients]
)
@given(ts=shaped_tensors(2, floats(1, 2), "simple"))
def test_the_course_checks_of_two_find_mistakes(check: Callable[..., None], ts: list[Tensor]) -> None:
    case = ("sum", lambda x, y: x + y, lambda x, y: Times.apply(x, y + 2.0, off=(1.1, 1.0)))
    with pytest.raises(AssertionError):
        check(case, *ts)


@pytest.mark.parametrize("dim", [0, None])
def test_the_course_check_of_sums_finds_a_mistake(dim: int | None) -> None:
    class BadSum(Tensor):
        def sum(self, dim: int | None = None) -> Tensor:
            return super().sum(dim) + 0.02

    with pytest.raises(AssertionError):
        checks.check_sum(BadSum(make([[1.0, 2.0]])._tensor), dim)
