"""Changes in place: the derivative of item assignment, and errors where a saved value was changed.

The numbers are PyTorch's in float64; where PyTorch raises an error, so does minitorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, no_grad, tensor

torch = pytest.importorskip("torch")

BACKENDS = pytest.mark.parametrize("backend", ["simple", "fast"])
X, W, R = (np.random.default_rng(0).normal(size=(3, 4)) + k for k in (0.0, 2.0, 4.0))

# Programs that run on tensors of both: x, w and r are leaves (3, 4); the result is summed with weights. A part of a
# tensor is a copy here and a view in PyTorch, so what is multiplied is cloned there before the tensor changes.
Program = Callable[[Any, Any, Any], Any]


def block(x: Any, w: Any, r: Any) -> Any:
    y = x * 2.0
    y[1:, 0:2] = (w * w)[1:, 0:2]
    return y * r


def into_a_constant(x: Any, w: Any, r: Any) -> Any:
    y = (x * 0.0).detach()
    y[0:2] = x[0:2] * 3.0
    return y * w


def chain(x: Any, w: Any, r: Any) -> Any:
    y = x * w
    y[0] = y[1].clone() * y[2].clone()
    y[1] = y[0] + r[0]
    y[2, 1:3] = y[0, 0:2]
    return y * y


def a_row_for_all(x: Any, w: Any, r: Any) -> Any:
    y = x * 1.0
    y[0:3] = w[1]  # broadcast along the rows
    return y * r


def one_element_for_many(x: Any, w: Any, r: Any) -> Any:
    y = x * 1.0
    y[:, 1:3] = w[0:1, 0:1]
    return y * r


def a_number(x: Any, w: Any, r: Any) -> Any:
    y = x * w
    y[1] = 5.0
    y[2, 3] = -1.0
    return y * r


def one_element(x: Any, w: Any, r: Any) -> Any:
    y = x * w
    y[0, 0] = x[2, 2] * w[1, 1]
    y[0, 1] = y[0, 0].clone() * r[0, 0]
    return y * r


def over_what_was_assigned(x: Any, w: Any, r: Any) -> Any:
    y = x * 1.0
    y[0] = w[0]
    y[0] = r[0] * x[1]  # what w gave is gone
    return y * y


def used_before_and_after(x: Any, w: Any, r: Any) -> Any:
    y = x * 2.0
    before = y.sum() * w.sum()  # Sum does not need its operand
    y[0] = r[0]
    return y * w + before


def itself(x: Any, w: Any, r: Any) -> Any:
    y = x * w
    y[0:2] = y[1:3] * 1.0
    return y * r


def permuted(x: Any, w: Any, r: Any) -> Any:
    y = x * 1.0
    y[0:3, 1] = (w.permute(1, 0) * 1.0)[2]
    return y.permute(1, 0) * r.permute(1, 0)


def every_element(x: Any, w: Any, r: Any) -> Any:
    y = x * 7.0
    y[...] = w
    return y * r


def in_a_loop(x: Any, w: Any, r: Any) -> Any:
    y = (x * 0.0).detach()
    for i in range(3):
        y[i] = x[i] * w[i] if i == 0 else y[i - 1].clone() * x[i]
    return y * r


PROGRAMS: list[Program] = [
    block, into_a_constant, chain, a_row_for_all, one_element_for_many, a_number, one_element, over_what_was_assigned,
    used_before_and_after, itself, permuted, every_element, in_a_loop,
]  # fmt: skip


def leaves(backend: str) -> list[Tensor]:
    return [tensor(values, backend, requires_grad=True, dtype="float64") for values in (X, W, R)]


@BACKENDS
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_derivatives_of_assignments(program: Program, backend: str) -> None:
    ours, theirs = leaves(backend), [torch.tensor(v, requires_grad=True) for v in (X, W, R)]
    found, expected = program(*ours), program(*theirs)
    np.testing.assert_allclose(found.to_numpy(), expected.detach().numpy(), rtol=0, atol=1e-12)
    weights = np.random.default_rng(1).normal(size=found.shape)
    (found * tensor(weights, backend, dtype="float64")).sum().backward()
    (expected * torch.tensor(weights)).sum().backward()
    for mine, other in zip(ours, theirs):
        zero = np.zeros((3, 4))
        got = zero if mine.grad is None else mine.grad.to_numpy()
        want = zero if other.grad is None else other.grad.numpy()
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-11)


@BACKENDS
def test_a_long_chain_of_assignments(backend: str) -> None:
    x = tensor([1.0, 2.0], backend, requires_grad=True)
    y = x * 1.0
    for _ in range(2000):
        y[0:1] = y[0:1] * 1.0
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.to_numpy().tolist() == [1.0, 1.0]


# Errors where PyTorch raises one


@BACKENDS
def test_a_leaf_is_not_assigned_to(backend: str) -> None:
    x = leaves(backend)[0]
    for value in (5.0, x[1] * 2.0, X[0]):
        with pytest.raises(RuntimeError, match=r"item assignment: the tensor is a leaf .* use no_grad\(\)"):
            x[0] = value
    np.testing.assert_array_equal(x.to_numpy(), X)
    with no_grad():
        x[0] = 5.0
    assert x.is_leaf()
    assert x.to_numpy()[0].tolist() == [5.0] * 4


def changed_by_assignment(x: Tensor, y: Tensor) -> None:
    y[0] = 100.0


def changed_by_an_element(x: Tensor, y: Tensor) -> None:
    y[0, 1] = 100.0


def changed_by_copy(x: Tensor, y: Tensor) -> None:
    with no_grad():
        y.copy_(np.ones((3, 4)))


def changed_by_a_constant_of_the_same_memory(x: Tensor, y: Tensor) -> None:
    y.detach()[0] = 100.0


def leaf_changed_by_copy(x: Tensor, y: Tensor) -> None:
    x.copy_(np.ones((3, 4)))


def leaf_changed_without_history(x: Tensor, y: Tensor) -> None:
    with no_grad():
        x[0, 0] = 3.0


def leaf_changed_by_a_step(x: Tensor, y: Tensor) -> None:
    parameter = minitorch.Parameter(x)
    x.grad = minitorch.ones((3, 4), x.backend, dtype="float64")
    minitorch.SGD([parameter], lr=0.5).step()


CHANGES = [
    changed_by_assignment, changed_by_an_element, changed_by_copy, changed_by_a_constant_of_the_same_memory,
    leaf_changed_by_copy, leaf_changed_without_history, leaf_changed_by_a_step,
]  # fmt: skip


@BACKENDS
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_saved_value_that_is_changed(change: Callable[[Tensor, Tensor], None], backend: str) -> None:
    x = leaves(backend)[0]
    y = x * x
    z = (y * y).sum()
    change(x, y)
    with pytest.raises(
        RuntimeError, match=r"backward: Mul needs a tensor of shape \(3, 4\) that was changed in place"
    ):
        z.backward()
    if change is not leaf_changed_by_a_step:
        assert x.grad is None


@BACKENDS
def test_a_change_of_what_is_not_saved(backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 2.0  # saves x and the number, not y
    z = (y + 1.0).sum()
    with no_grad():
        y.copy_(np.zeros((3, 4)))
    z.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), np.full((3, 4), 2.0))


@BACKENDS
@pytest.mark.parametrize(
    "use",
    [lambda y: y * 3.0, lambda y: y / 3.0, lambda y: y @ minitorch.ones((4, 2), y.backend), lambda y: y[1:]],
)
def test_an_operand_whose_numbers_the_derivative_does_not_need(
    use: Callable[[Tensor], Tensor], backend: str
) -> None:
    x = leaves(backend)[0]
    y = x * 1.0
    z = use(y).sum()
    y[0] = 100.0
    z.backward()
    again = leaves(backend)[0]
    use(again * 1.0).sum().backward()
    assert x.grad is not None
    assert again.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), again.grad.to_numpy())


@BACKENDS
def test_a_forward_pass_before_the_step(backend: str) -> None:
    minitorch.set_default_backend(backend)
    minitorch.manual_seed(0)
    layer = minitorch.Linear(2, 1, bias=False)
    optimizer = minitorch.SGD(layer.parameters(), lr=1.0)
    v = tensor([[1.0, 2.0]], requires_grad=True)
    first, second = layer(v).sum(), layer(v).sum()
    first.backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match="was changed in place since"):
        second.backward()
    v.zero_grad_()
    layer(v).sum().backward()
    assert v.grad is not None
    np.testing.assert_array_equal(v.grad.to_numpy(), layer.weight.value.to_numpy())


# Memory that several tensors share


@BACKENDS
def test_a_view_of_what_was_assigned_to(backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 2.0
    flat = y.view(12)
    y[0] = x[1] * 3.0
    with pytest.raises(RuntimeError, match="shares its memory with another one that was assigned to since"):
        (flat * 2.0).sum()
    (y.view(12) * 2.0).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), [[0.0] * 4, [10.0] * 4, [4.0] * 4])


@BACKENDS
def test_assignment_through_a_view(backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 2.0
    flat = y.view(12)
    flat[0] = x[2, 3] * 5.0
    with pytest.raises(RuntimeError, match="shares its memory"):
        (y * 1.0).sum()
    flat.sum().backward()
    assert x.grad is not None
    expected = np.full((3, 4), 2.0)
    expected[0, 0], expected[2, 3] = 0.0, 7.0
    np.testing.assert_array_equal(x.grad.to_numpy(), expected)


@BACKENDS
def test_a_detached_tensor_has_no_derivative(backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 2.0
    y[0] = x[1] * 3.0
    still = y.detach()
    assert still.is_constant()
    (still * x).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.to_numpy(), still.to_numpy())


@BACKENDS
@pytest.mark.parametrize("constant_first", [True, False])
def test_a_change_through_a_detached_tensor_is_found(constant_first: bool, backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 1.0
    y[0] = x[1] * 3.0
    still = y.detach()
    if constant_first:
        z = (still * x).sum()
        y[1] = 5.0  # changes what the product has saved
    else:
        z = (y * y).sum()
        still[0] = 100.0
    with pytest.raises(RuntimeError, match="was changed in place since"):
        z.backward()
    assert x.grad is None


@BACKENDS
def test_no_grad_records_nothing(backend: str) -> None:
    x = leaves(backend)[0]
    row = minitorch.zeros((3, 4), backend, dtype="float64")
    with no_grad():
        row[0] = x[0] * 3.0
    assert row.is_constant()
    row[1] = 2.0  # a constant stays a constant
    assert row.is_constant()
    np.testing.assert_array_equal(row.to_numpy()[0], X[0] * 3.0)


@BACKENDS
def test_an_assignment_that_fails_changes_nothing(backend: str) -> None:
    x = leaves(backend)[0]
    y = x * 2.0
    history = y.history
    for key, value in (
        (slice(0, 2), x[0:3] * 1.0),
        (7, x[0] * 1.0),
        (slice(None), "text"),
        (0, np.ones(4) * 1j),
    ):
        with pytest.raises((RuntimeError, TypeError)):
            y[key] = value
    assert y.history is history
    np.testing.assert_array_equal(y.to_numpy(), X * 2.0)


# Elements, and what is no real number


@BACKENDS
def test_an_element_of_a_tensor_that_requires_a_gradient(backend: str) -> None:
    x = leaves(backend)[0]
    one = x[1, 2]
    assert isinstance(one, Tensor)
    assert one.shape == ()
    (one * one * 3.0).backward()
    assert x.grad is not None
    expected = np.zeros((3, 4))
    expected[1, 2] = 6.0 * X[1, 2]
    np.testing.assert_allclose(x.grad.to_numpy(), expected, rtol=0, atol=1e-12)
    assert isinstance(x.detach()[1, 2], float)
    with no_grad():
        assert isinstance(x[1, 2], float)


@pytest.mark.parametrize("name", ["exp", "log", "relu", "sigmoid", "sqrt", "tanh"])
@BACKENDS
def test_functions_of_floats_take_an_element(name: str, backend: str) -> None:
    x = tensor([0.5, 2.0], backend, requires_grad=True, dtype="float64")
    fn = getattr(minitorch, name)
    fn(x[1]).backward()
    assert x.grad is not None
    slope = minitorch.central_difference(fn, 2.0)
    np.testing.assert_allclose(x.grad.to_numpy(), [0.0, slope], rtol=1e-6, atol=1e-9)
    assert isinstance(fn(2.0), float)
    np.testing.assert_allclose(fn(x.detach()).to_numpy(), [fn(0.5), fn(2.0)], rtol=1e-12)


@BACKENDS
@pytest.mark.parametrize(
    "values",
    [np.ones(4) * 1j, np.ma.masked_array([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 0]), None, [None, 1.0, 2.0, 3.0]],
    ids=["complex", "masked", "None", "a None"],
)
def test_what_is_no_real_number_is_not_written(values: Any, backend: str) -> None:
    x = minitorch.zeros((4,), backend)
    for write in (
        lambda: x.__setitem__(slice(None), values),
        lambda: x.copy_(values),
        lambda: tensor(values, backend),
    ):
        with pytest.raises(TypeError):
            write()
    assert not x.to_numpy().any()


@BACKENDS
def test_layers_take_the_dtype_of_their_parameters(backend: str) -> None:
    minitorch.set_default_backend(backend)
    minitorch.set_default_dtype("float32")
    layers = [
        (minitorch.Linear(3, 2), (2, 3)),
        (minitorch.Conv1d(3, 2, 1), (1, 3, 4)),
        (minitorch.Conv2d(3, 2, 1), (1, 3, 4, 4)),
        (minitorch.BatchNorm1d(3), (2, 3)),
        (minitorch.BatchNorm2d(3), (1, 3, 4, 4)),
        (minitorch.LayerNorm(3), (2, 3)),
        (minitorch.GroupNorm(1, 3), (2, 3)),
    ]
    for layer, shape in layers:
        x = minitorch.rand(shape, dtype="float64")
        x.requires_grad_(True)
        out = layer(x)
        assert out.dtype == np.float32
        out.sum().backward()
        assert x.grad is not None
        assert x.grad.dtype == np.float64
        assert layer(x.astype("float32")).dtype == np.float32
        assert layer.to(dtype="float64")(x).dtype == np.float64


@BACKENDS
@pytest.mark.parametrize("op", [lambda a, x: a * x, lambda a, x: a @ x])
def test_a_constant_that_becomes_a_leaf_after_the_call(op: Any, backend: str) -> None:
    a, x = minitorch.ones((2, 2), backend), minitorch.rand((2, 2), backend, requires_grad=True)
    y = op(a, x)
    a.requires_grad_(True)
    y.sum().backward()
    assert x.grad is not None
    assert a.grad is not None
    assert not a.grad.to_numpy().any()
