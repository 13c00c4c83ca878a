"""Names of the 2020 and 2021 course, each as the contract's table of shims has it, and the underscored names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    Context,
    Function,
    History,
    MathTest,
    MathTestVariable,
    Module,
    Parameter,
    Scalar,
    ScalarFunction,
    SimpleBackend,
    SimpleOps,
    Tensor,
    TensorBackend,
    TensorData,
    TensorOps,
    tensor,
)


def test_make_tensor_backend() -> None:
    for make in (minitorch.make_tensor_backend, minitorch.make_tensor_functions):
        for ops in (TensorOps, SimpleOps):
            backend = make(ops)
            assert isinstance(backend, TensorBackend)
            assert backend == SimpleBackend
        t = tensor([1.0, 2.0], make(TensorOps))
        assert (t + tensor([1.0], "simple")).to_numpy().tolist() == [2.0, 3.0]
    assert minitorch.make_tensor_backend(minitorch.FastOps) == minitorch.FastBackend


def test_functions_of_a_backend() -> None:
    backend = minitorch.make_tensor_backend(TensorOps)
    t = tensor([1.0, 2.0], backend)
    assert backend.Add is minitorch.Add
    assert backend.Mul.apply(t, t).to_numpy().tolist() == [1.0, 4.0]
    for name in (
        "Neg",
        "Inv",
        "Sigmoid",
        "ReLU",
        "Log",
        "Exp",
        "LT",
        "EQ",
        "Sum",
        "View",
        "Permute",
        "Copy",
        "MatMul",
    ):
        assert issubclass(getattr(backend, name), Function)
    with pytest.raises(AttributeError, match="Nonsense"):
        backend.Nonsense  # noqa: B018
    assert minitorch.TensorFunctions is SimpleBackend


def test_a_shape_in_second_place() -> None:
    flat = [1, 2, 3, 4, 5, 6]
    for t in (tensor(flat, (2, 3)), tensor(flat, shape=(2, 3)), tensor(flat, (2, 3), requires_grad=True)):
        assert t.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]


def test_tensor_fromlist() -> None:
    t = minitorch.tensor_fromlist([[1, 2], [3, 4]], SimpleBackend, True)
    assert t.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert t.backend is SimpleBackend
    assert t.is_leaf()


def test_count_is_to_index() -> None:
    out = np.zeros(2, np.int32)
    minitorch.count(4, (2, 3), out)
    assert out.tolist() == [1, 1]
    assert minitorch.count is minitorch.to_index


def test_get_data() -> None:
    t = tensor([1.0]).requires_grad_()
    assert t.get_data().is_constant()
    assert t.get_data()._tensor._storage is t._tensor._storage
    assert Scalar(2.5).get_data() == 2.5
    assert isinstance(Scalar(2.5).get_data(), float)


def test_type_and_matmul() -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]], "simple")
    t.type_(minitorch.FastBackend)
    assert t.backend is minitorch.FastBackend
    assert minitorch.matmul(t, t).to_numpy().tolist() == (t @ t).to_numpy().tolist() == [[7, 10], [15, 22]]


def test_bare_variables() -> None:
    v = minitorch.Variable(History())
    assert v.derivative is None
    v.backward(3.0)
    v.backward(1.0)
    assert v.derivative == 4.0
    v.zero_derivative_()
    assert v.derivative is None
    assert minitorch.Variable(None, name="x").name == "x"
    assert minitorch.Variable(None).is_constant()


def test_variable_is_the_base_of_all() -> None:
    for value in (Scalar(1.0), tensor([1.0]), minitorch.Variable(None)):
        assert isinstance(value, minitorch.Variable)
    assert issubclass(Scalar, minitorch.Variable)
    assert issubclass(Tensor, minitorch.Variable)
    assert not isinstance(1.0, minitorch.Variable)
    for name in ("derivative", "zero_derivative_"):
        assert name not in dir(tensor([1.0]))


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


class Sum2(ScalarFunction):
    @staticmethod
    def forward(ctx: Context, x: float, y: float) -> float:
        return x + y

    @staticmethod
    def backward(ctx: Context, d: float) -> tuple[float, float]:
        return d, d


def test_chain_rule_of_a_function() -> None:
    assert minitorch.FunctionBase is Function
    x, y = Scalar(2.0), Scalar(5.0)
    ctx = Context()
    Weighted.forward(ctx, 2.0, 5.0)
    assert [(v is w, d) for (v, d), w in zip(Weighted.chain_rule(ctx, [x, y], 3.0), (x, y))] == [
        (True, 18.0),
        (True, 6.0),
    ]
    assert Weighted.chain_rule(ctx, [4.0, y], 3.0) == [(y, 6.0)]
    assert Sum2.chain_rule(None, [x, Scalar(1.0, None)], 7.0) == [(x, 7.0)]


def test_variable_with_deriv() -> None:
    x = Scalar(2.0)
    pair = minitorch.VariableWithDeriv(x * x, 5.0)
    assert pair.deriv == 5.0
    assert pair.variable.data == 4.0
    minitorch.backpropagate(pair)
    assert x.derivative == 20.0


def test_history_and_predicates() -> None:
    x, constant = Scalar(2.0), Scalar(3.0, None)
    z = Weighted.apply(x, constant)
    assert History().is_leaf()
    assert not z.history.is_leaf()
    assert z.history.backprop_step(1.0) == [(x, 4.0)]
    assert [minitorch.is_leaf(v) for v in (x, z, constant, 1.0)] == [True, False, False, False]
    assert [minitorch.is_constant(v) for v in (x, z, constant, 1.0)] == [False, False, True, True]
    assert minitorch.unwrap_tuple((3,)) == 3
    assert minitorch.unwrap_tuple((3, 4)) == (3, 4)


def test_float_functions_at_the_top() -> None:
    names = "mul id add neg lt eq is_close sigmoid relu relu_back log log_back exp inv inv_back"
    for name in (*names.split(), "map", "zipWith", "reduce", "negList", "addLists", "sum", "prod"):
        ours, plain = getattr(minitorch, name), vars(minitorch.operators)[name]
        if name in ("exp", "log", "relu", "sigmoid"):  # these take Scalars and tensors too
            assert ours(1.5) == plain(1.5)
            x = tensor([1.5], requires_grad=True)
            ours(x).backward()
            assert x.grad is not None
        else:
            assert ours is plain
    assert minitorch.max is not minitorch.operators.max
    assert minitorch.max(tensor([1.0, 3.0]), 0).item() == 3.0


def test_shims_are_not_exported() -> None:
    for name in ("add", "count", "matmul", "make_tensor_backend", "TensorFunctions", "is_leaf"):
        assert name not in minitorch.__all__


def test_math_tests_of_2021() -> None:
    for ours, floats in zip(MathTestVariable._comp_testing(), MathTest._tests()):
        for (name, plain, fn), (also, same) in zip(ours, floats):
            assert name == also
            assert plain is same
            assert callable(fn)


def test_parameter_and_mode() -> None:
    assert Parameter().value is None
    module = Module()
    assert module.mode == "train"
    module.eval()
    assert module.mode == "eval"
    module.train()
    assert module.mode == "train"


class Network(Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(tensor([1.0]))
        self.child = Module()


def test_underscored_names() -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]], "simple")
    assert isinstance(t._tensor, TensorData)
    assert t._ensure_tensor(t) is t
    lifted: Any = t._ensure_tensor(2.0)
    assert (lifted.item(), lifted.backend) == (2.0, t.backend)
    made = t._new(t._tensor)
    assert isinstance(made, Tensor)
    assert made._tensor is t._tensor
    t._type_(minitorch.FastBackend)
    assert t.backend is minitorch.FastBackend
    assert list(t._tensor._storage) == [1.0, 2.0, 3.0, 4.0]
    assert list(t._tensor._shape) == [2, 2]
    assert list(t._tensor._strides) == [2, 1]
    network = Network()
    assert list(network._modules) == ["child"]
    assert list(network._parameters) == ["w"]
    assert Weighted._forward(Context(), 2.0, 3.0) == 8.0
    assert Weighted._backward(Context(saved_values=(2.0, 3.0)), 1.0) == (4.0, 2.0)
    assert (
        [len(cases) for cases in MathTest._tests()]
        == [len(c) for c in MathTest._comp_testing()]
        == [14, 6, 3]
    )


@pytest.mark.parametrize(
    "name", ["Storage", "OutIndex", "Index", "Shape", "Strides", "UserIndex", "UserShape", "UserStrides"]
)
def test_the_types_of_tensor_data_are_found_at_the_top(name: str) -> None:
    assert getattr(minitorch, name) is getattr(minitorch.tensor_data, name)


def test_the_tests_of_variables_come_as_triples() -> None:
    for cases in minitorch.MathTestVariable._tests():
        for name, plain, ours in cases:
            assert getattr(minitorch.MathTest, name) is plain
            assert getattr(minitorch.MathTestVariable, name) is ours
