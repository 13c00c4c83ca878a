"""Chain rule and backpropagation, on Functions of our own."""

from __future__ import annotations

import math
from typing import Any

import pytest

import minitorch
from minitorch import Context, History, Scalar, ScalarFunction, ScalarHistory, tensor
from minitorch.autodiff import Function, Variable, unwrap_tuple, wrap_tuple


class PlusTen(ScalarFunction):
    """x + y + 10, and how often it stepped back."""

    steps = 0

    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        return x + y + 10.0

    @classmethod
    def backward(cls, ctx: Context, d: float) -> tuple[float, float]:
        cls.steps += 1
        return d, d


class Weighted(ScalarFunction):
    """x * y + x."""

    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        ctx.save_for_backward(x, y)
        return x * y + x

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        x, y = ctx.saved_values
        return d * (y + 1.0), d * x


class Short(ScalarFunction):
    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        return x + y

    @staticmethod
    def backward(ctx: Context, d: float) -> float:
        return d


class NotAFloat(ScalarFunction):
    @staticmethod
    def forward(ctx: Context, x: float) -> int:
        return 3


@pytest.mark.task1_3
def test_chain_rule_names_each_operand() -> None:
    x, y = Scalar(5.0), Scalar(7.0)
    z = PlusTen.apply(x, y)
    assert z.data == 22.0
    assert [(v is w, d) for (v, d), w in zip(z.chain_rule(5.0), (x, y))] == [(True, 5.0), (True, 5.0)]


@pytest.mark.task1_3
def test_chain_rule_gives_constants_too() -> None:
    y = Scalar(4.0)
    (constant, dx), (variable, dy) = Weighted.apply(3.0, y).chain_rule(2.0)
    assert constant.is_constant()
    assert constant.data == 3.0
    assert variable is y
    assert (dx, dy) == (10.0, 6.0)


@pytest.mark.task1_3
def test_chain_rule_of_the_function_leaves_constants_out() -> None:
    x, constant = Scalar(2.0), Scalar(4.0, None)
    ctx = Context(saved_values=(2.0, 4.0))
    assert Weighted.chain_rule(ctx, (x, constant), 3.0) == [(x, 15.0)]
    assert PlusTen.chain_rule(None, (constant, x), 3.0) == [(x, 3.0)]
    assert Weighted.apply(x, constant).history.backprop_step(3.0) == [(x, 15.0)]


@pytest.mark.task1_3
@pytest.mark.parametrize(("x", "y"), [(1.0, 2.0), (-3.0, 0.5), (0.0, 0.0)])
def test_chain_rule_values(x: float, y: float) -> None:
    pairs = Weighted.apply(Scalar(x), Scalar(y)).chain_rule(-2.0)
    assert [d for _, d in pairs] == [-2.0 * (y + 1.0), -2.0 * x]


@pytest.mark.task1_3
@pytest.mark.parametrize("variable", [Scalar(1.0), Scalar(1.0, None)])
def test_chain_rule_of_a_leaf_or_constant(variable: Scalar) -> None:
    with pytest.raises(RuntimeError, match="leaf or a constant"):
        list(variable.chain_rule(1.0))


@pytest.mark.task1_3
def test_wrong_number_of_derivatives() -> None:
    z = Short.apply(Scalar(1.0), Scalar(2.0))
    with pytest.raises(TypeError, match=r"Short\.backward: expected one derivative .* got 1 for 2"):
        z.backward()


@pytest.mark.task1_2
def test_forward_must_return_a_float() -> None:
    with pytest.raises(TypeError, match=r"NotAFloat\.forward: expected a float as result, got int"):
        NotAFloat.apply(Scalar(1.0))


@pytest.mark.task1_2
def test_plain_numbers_stay_plain() -> None:
    assert Weighted.apply(2.0, 3.0) == 8.0
    assert isinstance(Weighted.apply(2.0, 3.0), float)


@pytest.mark.task1_4
@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
def test_backprop_through_a_chain(nodes: int) -> None:
    leaf = Scalar(0.0)
    z: Any = leaf
    for _ in range(nodes):
        z = PlusTen.apply(0.0, z)
    z.backward(d_output=5.0)
    assert z.data == 10.0 * nodes
    assert leaf.derivative == 5.0
    assert z.derivative is None


@pytest.mark.task1_4
def test_backprop_through_a_diamond() -> None:
    leaf = Scalar(0.0)
    a = PlusTen.apply(0.0, leaf)
    PlusTen.apply(PlusTen.apply(0.0, a), PlusTen.apply(a, 0.0)).backward(d_output=5.0)
    assert leaf.derivative == 10.0


@pytest.mark.task1_4
def test_each_node_is_visited_once() -> None:
    x = Scalar(1.0)
    z: Any = x
    for _ in range(20):  # 2 ** 20 paths
        z = PlusTen.apply(z, z)
    PlusTen.steps = 0
    z.backward()
    assert PlusTen.steps == 20
    assert x.derivative == 2.0**20


@pytest.mark.task1_4
def test_a_long_chain_needs_no_recursion() -> None:
    x = Scalar(1.0)
    z: Any = x
    for _ in range(20_000):
        z = z + 1.0
    z.backward()
    assert x.derivative == 1.0
    assert z.data == 20_001.0
    assert len(minitorch.topological_sort(z)) == 20_001


def test_a_long_chain_of_tensors() -> None:
    x = tensor([1.0], "simple", True)
    z = x
    for _ in range(10_000):
        z = -z
    z.backward()
    assert x.grad.item() == 1.0


@pytest.mark.task1_4
def test_backward_twice_adds_up() -> None:
    x = Scalar(3.0)
    z = x * x
    z.backward()
    z.backward(10.0)
    assert x.derivative == 6.0 + 60.0
    t = tensor([1.0, 2.0], "simple", True)
    total = (t * t).sum()
    total.backward()
    first = t.grad.to_numpy()
    total.backward()
    assert (t.grad.to_numpy() == 2 * first).all()


@pytest.mark.task1_4
def test_backward_at_a_leaf_and_at_a_constant() -> None:
    x = Scalar(3.0)
    x.backward(4.0)
    assert x.derivative == 4.0
    with pytest.raises(RuntimeError, match="constant"):
        Scalar(1.0, None).backward()


@pytest.mark.task1_4
def test_the_same_leaf_in_both_places() -> None:
    x = Scalar(3.0)
    (x + x).backward()
    assert x.derivative == 2.0


@pytest.mark.task1_4
def test_constants_stay_untouched() -> None:
    x, constant = Scalar(3.0), Scalar(5.0, None)
    (x * constant + constant).backward()
    assert x.derivative == 5.0
    assert constant.derivative is None
    assert constant.is_constant()


@pytest.mark.task1_4
def test_topological_sort() -> None:
    x, constant = Scalar(1.0), Scalar(2.0, None)
    y = x * constant
    z = y + x
    order = minitorch.topological_sort(z)
    assert [v is w for v, w in zip(order, (z, y, x))] == [True] * 3
    assert len(order) == 3
    assert minitorch.topological_sort(constant) == []


@pytest.mark.task1_4
def test_backpropagate_returns_nothing() -> None:
    x = Scalar(2.0)
    assert minitorch.backpropagate(x * 3.0, 2.0) is None
    assert x.derivative == 6.0


@pytest.mark.task1_4
def test_accumulate_derivative_is_for_leaves() -> None:
    x = Scalar(2.0)
    x.accumulate_derivative(1.0)
    x.accumulate_derivative(0.5)
    assert x.derivative == 1.5
    for other in (x + 1.0, Scalar(1.0, None)):
        with pytest.raises(RuntimeError, match="only leaves collect"):
            other.accumulate_derivative(1.0)


def test_hook_hears_the_final_derivative_once() -> None:
    near, far = Scalar(2.0), Scalar(3.0)
    heard: list[tuple[str, float | None]] = []
    far.register_post_accumulate_grad_hook(lambda v: heard.append(("far", v.derivative)))
    remove = near.register_post_accumulate_grad_hook(lambda v: heard.append(("near", v.derivative)))
    z = (far * far).exp() * near
    z.backward()
    e9 = math.exp(9.0)
    # The weight used last hears first.
    assert heard == [("near", e9), ("far", 2.0 * e9 * 6.0)]
    remove()
    z.backward()
    assert [name for name, _ in heard] == ["near", "far", "far"]


def test_no_grad() -> None:
    x = Scalar(2.0)
    with minitorch.no_grad():
        assert not minitorch.grad_enabled()
        with minitorch.no_grad():
            y = x * x
        assert not minitorch.grad_enabled()
    assert minitorch.grad_enabled()
    assert y.is_constant()
    assert not (x * x).is_constant()


def test_no_grad_as_a_decorator_and_after_an_error() -> None:
    @minitorch.no_grad()
    def square(x: Scalar) -> Scalar:
        return x * x

    assert square(Scalar(2.0)).is_constant()
    with pytest.raises(ZeroDivisionError), minitorch.no_grad():
        _ = 1 / 0
    assert minitorch.grad_enabled()


def test_context() -> None:
    ctx = Context()
    assert ctx.saved_values == ctx.saved_tensors == ()
    ctx.save_for_backward(1.0)
    assert ctx.saved_values == ctx.saved_tensors == (1.0,)
    nothing = Context(no_grad=True)
    nothing.save_for_backward(1.0)
    assert nothing.saved_values == ()
    assert Context(saved_values=(1, 2)).saved_values == (1, 2)


def test_history() -> None:
    assert ScalarHistory is History
    empty = History()
    assert empty.last_fn is None
    assert empty.ctx is None
    assert tuple(empty.inputs) == ()
    assert empty.is_leaf()
    with pytest.raises(RuntimeError, match="leaf"):
        empty.backprop_step(1.0)


def test_variable_members() -> None:
    x, y = Scalar(1.0, name="x"), tensor([1.0], "simple")
    assert isinstance(x, Variable)
    assert isinstance(y, Variable)
    z = x + 2.0
    assert x.is_leaf()
    assert not x.is_constant()
    assert not z.is_leaf()
    assert not z.is_constant()
    assert y.is_constant()
    assert not y.is_leaf()
    assert z.parents[0] is x
    assert tuple(x.parents) == tuple(y.parents) == ()
    assert z.history.last_fn.__name__ == "Add"
    assert x.name == "x"
    z.name = "sum"
    assert z.name == "sum"
    assert len({x.unique_id, y.unique_id, z.unique_id}) == 3
    assert x.unique_id == x.unique_id


def test_function_instances_are_callables() -> None:
    x = Scalar(2.0)
    assert PlusTen()(x, 1.0).data == 13.0
    assert repr(minitorch.Sum(dim=1)) == "Sum(dim=1)"
    assert minitorch.Sum(dim=0)(tensor([[1.0, 2.0]], "simple")).shape == (1, 2)
    assert issubclass(ScalarFunction, Function)


def test_tuples() -> None:
    assert wrap_tuple(3) == (3,)
    assert wrap_tuple((3, 4)) == (3, 4)
    assert unwrap_tuple((3,)) == 3
    assert unwrap_tuple((3, 4)) == (3, 4)


def test_a_hook_registered_twice_and_removed_once_is_called_once() -> None:
    leaf, heard = Scalar(2.0), []

    def hook(v: Scalar) -> None:
        heard.append(v.derivative)

    first, second = (leaf.register_post_accumulate_grad_hook(hook) for _ in range(2))
    first()
    first()
    (leaf * 3.0).backward()
    assert heard == [3.0]
    second()
    (leaf * 3.0).backward()
    assert heard == [3.0]
