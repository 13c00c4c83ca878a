"""Task 1.3: the chain rule."""

import pytest

from minitorch import Context, Scalar, ScalarFunction

from .helpers import same

pytestmark = pytest.mark.task1_3


class Plus10(ScalarFunction):
    """x + y + 10."""

    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        return x + y + 10.0

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        return d_output, d_output


class ProductPlus(ScalarFunction):
    """x * y + x."""

    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        ctx.save_for_backward(x, y)
        return x * y + x

    @staticmethod
    def backward(ctx: Context, d_output: float) -> tuple[float, float]:
        x, y = ctx.saved_values
        return d_output * (y + 1.0), d_output * x


class Double(ScalarFunction):
    """2 * x."""

    @staticmethod
    def forward(ctx: Context, x: float) -> float:
        return 2.0 * x

    @staticmethod
    def backward(ctx: Context, d_output: float) -> float:
        return 2.0 * d_output


def test_a_pair_for_each_operand() -> None:
    x, y = Scalar(0.0), Scalar(0.0)
    pairs = list(Plus10.apply(x, y).chain_rule(5.0))
    same(len(pairs), 2, "number of pairs for two operands")
    assert [v is w for (v, _), w in zip(pairs, (x, y))] == [True, True], (
        "the pairs name the operands, in order"
    )
    same([d for _, d in pairs], [5.0, 5.0], "derivatives of x + y + 10, d_output 5")


def test_constants_are_among_the_pairs() -> None:
    pairs = list(ProductPlus.apply(Scalar(10.0, None), Scalar(5.0)).chain_rule(5.0))
    same(len(pairs), 2, "number of pairs, one of them of a constant")
    same(pairs[1][1], 50.0, "derivative of x * y + x for y, x = 10, d_output 5")


def test_the_saved_values_are_used() -> None:
    pairs = list(ProductPlus.apply(Scalar(10.0), Scalar(4.0)).chain_rule(5.0))
    same([d for _, d in pairs], [25.0, 50.0], "derivatives of x * y + x at (10, 4), d_output 5")


def test_one_operand() -> None:
    x = Scalar(3.0)
    ((variable, d),) = Double.apply(x).chain_rule(7.0)
    assert variable is x, "the pair names the operand"
    same(d, 14.0, "derivative of 2 * x, d_output 7")
