"""Promises that are easily broken: odd operands, backends of one's own, memory that is shared."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    BackendError,
    Conv2d,
    Function,
    Linear,
    ReLU,
    Scalar,
    Sequential,
    SimpleOps,
    TensorBackend,
    TensorOps,
    no_grad,
    operators,
    tensor,
    zeros,
)
from minitorch.autodiff import Context, grad_enabled
from minitorch.tensor_data import TensorData

backends = pytest.mark.parametrize("backend", ["simple", "fast"])


# Numbers


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16", "uint8"])
def test_other_numbers_than_floats_take_the_default_dtype(dtype: str) -> None:
    elements = np.array([1, 0, 1, 1], dtype)
    for t in (minitorch.Tensor.make(elements, (2, 2)), minitorch.Tensor(TensorData(elements, (2, 2)))):
        assert t.dtype == np.float64
        assert (t + 0.5).to_numpy().tolist() == [[1.5, 0.5], [1.5, 1.5]]


@backends
def test_what_is_too_large_is_infinite_without_a_word(backend: str) -> None:
    t = tensor([1.0, 2.0], backend, dtype="float32")
    assert (t + 1e300).to_numpy().tolist() == [np.inf, np.inf]
    assert (t < 1e300).to_numpy().tolist() == [1.0, 1.0]
    assert t.is_close(-1e300).to_numpy().tolist() == [0.0, 0.0]
    t[0] = 1e300
    t[1:] = -1e300
    assert t.to_numpy().tolist() == [np.inf, -np.inf]
    assert tensor([1e300], backend, dtype="float32").item() == np.inf
    minitorch.set_default_dtype("float32")
    assert minitorch.Tensor.make([1e300], (1,), backend=backend).item() == np.inf


def test_whole_numbers_of_any_size() -> None:
    assert tensor([10**30, -1]).to_numpy().tolist() == [1e30, -1.0]
    assert tensor(10**30).item() == 1e30
    with pytest.raises(TypeError, match=r"unsupported dtype .*: expected real numbers"):
        tensor([10**30, "1"])


def test_text_is_nested_brackets() -> None:
    elements = np.arange(24.0).reshape(2, 3, 2, 2)
    assert json.loads(repr(tensor(elements))) == elements.tolist()
    assert repr(tensor([[[1.0], [2.0]]])) == "[[[1.00],\n  [2.00]]]"


# Histories


def test_no_grad_within_itself() -> None:
    block = no_grad()
    with block:
        with block:
            assert not grad_enabled()
        assert not grad_enabled()
    assert grad_enabled()

    @no_grad()
    def down(n: int) -> bool:
        return down(n - 1) if n else grad_enabled()

    assert not down(3)
    assert grad_enabled()


def test_saved_values_are_a_tuple() -> None:
    assert Context(saved_values=[1]).saved_values == (1,)  # type: ignore[arg-type]


def test_a_scalar_without_history_is_a_constant() -> None:
    assert Scalar(1.0, history=None).is_constant()
    assert Scalar(1.0).is_leaf()
    assert Scalar(1.0, None).is_constant()


def test_functions_of_plain_numbers_give_a_float() -> None:
    assert minitorch.scalar_functions.Mul.apply(2, 3) == 6.0
    assert isinstance(minitorch.scalar_functions.Mul.apply(2, 3), float)


def test_a_tensor_and_a_scalar_do_not_mix() -> None:
    for call in (lambda: tensor([1.0]) + Scalar(2.0), lambda: Scalar(2.0) * tensor([1.0])):
        with pytest.raises(TypeError, match=r"cannot mix a (Tensor|Scalar) with a (Tensor|Scalar)"):
            call()
    with pytest.raises(TypeError, match="cat: expected Tensors, got float"):
        minitorch.cat([1.0, 2.0])  # type: ignore[list-item]


class Tripled(Function):
    """``3 * a``, its derivative an array."""

    @staticmethod
    def forward(ctx: Context, a: Any) -> Any:
        return a * 3.0

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return 3.0 * d.to_numpy()[:1]


@backends
def test_a_derivative_may_be_an_array(backend: str) -> None:
    x = tensor([1.0, 2.0], backend, requires_grad=True)
    Tripled.apply(x).sum().backward()
    assert x.grad.to_numpy().tolist() == [3.0, 3.0]


# Backends


class Four(TensorOps):
    """A backend as a student of the course writes it."""

    @staticmethod
    def map(fn: Any) -> Any:
        def ret(a: Any, out: Any = None) -> Any:
            out = a.zeros(a.shape) if out is None else out
            minitorch.tensor_map(fn)(*out.tuple(), *a.tuple())
            return out

        return ret

    @staticmethod
    def zip(fn: Any) -> Any:
        def ret(a: Any, b: Any) -> Any:
            out = a.zeros(minitorch.shape_broadcast(a.shape, b.shape))
            minitorch.tensor_zip(fn)(*out.tuple(), *a.tuple(), *b.tuple())
            return out

        return ret

    @staticmethod
    def reduce(fn: Any, start: float = 0.0) -> Any:
        def ret(a: Any, dim: int) -> Any:
            shape = list(a.shape)
            shape[dim] = 1
            out = a.zeros(tuple(shape))
            out._tensor._storage[:] = start
            minitorch.tensor_reduce(fn)(*out.tuple(), *a.tuple(), dim)
            return out

        return ret

    @staticmethod
    def matrix_multiply(a: Any, b: Any) -> Any:
        return SimpleOps.matrix_multiply(a, b)


def test_a_backend_of_four_methods() -> None:
    own = TensorBackend(Four)
    x = tensor([[1.0, 2.0], [3.0, 5.0]], own, requires_grad=True)
    (minitorch.softmax(x, 1) * x).sum(0).sum().backward()
    other = tensor([[1.0, 2.0], [3.0, 5.0]], "simple", requires_grad=True)
    (minitorch.softmax(other, 1) * other).sum().backward()
    assert np.allclose(x.grad.to_numpy(), other.grad.to_numpy())


@pytest.mark.parametrize("other", ["simple", "fast"])
def test_a_backend_of_ones_own_does_not_mix(other: str) -> None:
    own = TensorBackend(Four)
    a, b = tensor([[1.0, 2.0], [3.0, 4.0]], own), tensor([[1.0, 2.0], [3.0, 4.0]], other)
    for call in (lambda: a + b, lambda: b + a, lambda: a @ b, lambda: b @ a, lambda: a.expand(b)):
        with pytest.raises(BackendError):
            call()


def test_conv1d_names_the_shapes_that_were_given() -> None:
    with pytest.raises(BackendError, match=r"\(1, 1, 4\), \(1, 1, 2\)"):
        minitorch.conv1d(zeros((1, 1, 4), "simple"), zeros((1, 1, 2), "fast"))


# Kernels called by hand


@backends
def test_maps_take_names_and_give_what_they_wrote_to(backend: str) -> None:
    ops = tensor([0.0], backend).f.ops
    x, out = tensor([[1.0, 2.0]], backend), zeros((2, 2), backend)
    assert ops.map(operators.neg)(x, out=out) is out
    assert out.to_numpy().tolist() == [[-1.0, -2.0]] * 2
    assert ops.map(operators.id)(x._tensor, out) is out._tensor
    assert ops.reduce(operators.add)(x, dim=1).to_numpy().tolist() == [[3.0]]
    assert ops.zip(operators.mul)(a=x, b=x).to_numpy().tolist() == [[1.0, 4.0]]


def test_products_of_plain_matrices_on_triples() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    x, y, out = tensor(a), tensor(b.T.copy()).permute(1, 0), zeros((2, 4))
    minitorch.tensor_matrix_multiply(*out.tuple(), *x.tuple(), *y.tuple())
    assert np.array_equal(out.to_numpy(), a @ b)
    batch, several = tensor(np.arange(30.0).reshape(5, 2, 3)), zeros((5, 2, 4))
    minitorch.tensor_matrix_multiply(*several.tuple(), *batch.tuple(), *y.tuple())
    assert np.array_equal(several.to_numpy(), batch.to_numpy() @ b)


@pytest.mark.parametrize("kernel", [minitorch.tensor_conv1d, minitorch.tensor_conv2d])
def test_names_of_the_convolutions(kernel: Any) -> None:
    names = list(inspect.signature(kernel.py_func).parameters)
    operands = [f"{t}{part}" for t in ("input", "weight") for part in ("", "_shape", "_strides")]
    assert names == ["out", "out_shape", "out_strides", "out_size", *operands, "reverse"]


@backends
def test_settings_of_one_may_be_pairs(backend: str) -> None:
    x, w = minitorch.rand((2, 3, 8, 7), backend), minitorch.rand((4, 3, 3, 2), backend)
    expected = minitorch.conv2d(x, w)
    for one in ((1, 1), [1, 1]):
        assert minitorch.conv2d(x, w, stride=one, dilation=one).shape == expected.shape == (2, 4, 8, 7)


# Memory


@backends
def test_gradients_of_two_leaves_are_not_one(backend: str) -> None:
    a, b = (tensor([1.0, 2.0], backend, requires_grad=True) for _ in range(2))
    g = tensor([5.0, 6.0], backend)
    (a + b.view(2)).backward(g)
    a.grad[0] = 77.0
    assert b.grad.to_numpy().tolist() == g.to_numpy().tolist() == [5.0, 6.0]
    c = tensor([1.0, 2.0], backend, requires_grad=True)
    c.backward(g)
    c.grad[0] = 77.0
    assert g.to_numpy().tolist() == [5.0, 6.0]


@backends
def test_assignment_of_what_lies_in_the_same_elements(backend: str) -> None:
    y = tensor([[1.0, 2.0], [3.0, 4.0]], backend)
    y[...] = y.permute(1, 0)
    assert y.to_numpy().tolist() == [[1.0, 3.0], [2.0, 4.0]]
    z = tensor([1.0, 2.0, 3.0], backend)
    z[1:] = z.detach()._tensor.window(slice(0, 2))
    assert z.to_numpy().tolist() == [1.0, 1.0, 2.0]


# Layers


def test_a_weight_may_be_assigned_whole() -> None:
    layer = Conv2d(1, 2, 3)
    layer.weight = zeros((2, 1, 3, 3))
    layer.weight[1] = np.ones((1, 3, 3))
    assert layer.weight.value.requires_grad()
    assert [p.shape for p in layer.parameters()] == [(2, 1, 3, 3), (2,)]
    assert layer(minitorch.ones((1, 1, 3, 3))).shape == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Conv2d(3, 4, 3, stride=2, padding="same"), "same"),
        (lambda: Conv2d(3, 4, 3, padding="foo"), "foo"),
        (lambda: Conv2d(3, 4, 3, stride=0), "stride"),
        (lambda: Conv2d(0, 4, 3), "channel"),
        (lambda: Sequential({"names": Linear(2, 2)}), "names"),
        (lambda: Sequential({"forward": ReLU()}), "forward"),
        (lambda: minitorch.init.uniform_(zeros((2,)), float("nan"), 1.0), "nan"),
        (lambda: minitorch.init.normal_(zeros((2,)), 0.0, float("nan")), "nan"),
        (lambda: minitorch.Adam(Linear(1, 1).parameters(), betas=(0.9,)), "betas"),  # type: ignore[arg-type]
        (
            lambda: minitorch.Adagrad(Linear(1, 1).parameters(), initial_accumulator_value=-1.0),
            "initial_accumulator_value",
        ),
    ],
)
def test_settings_are_checked_when_they_are_given(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_an_empty_dict_is_no_layers() -> None:
    x = tensor([1.0])
    assert Sequential({})(x) is x


def test_a_wrong_word_to_the_data_command_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "minitorch.data", "bogus"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
