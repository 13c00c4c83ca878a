"""Every row of the contract's table of errors, with the words that help."""

from __future__ import annotations

import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    BackendError,
    CheckpointError,
    Context,
    Function,
    IndexingError,
    Module,
    Parameter,
    Scalar,
    Tensor,
    TensorBackend,
    TensorData,
    TensorOps,
    cat,
    ones,
    stack,
    tensor,
    zeros,
)
from minitorch.data.download import DataError

from ..support.op_table import BACKENDS


@pytest.fixture(autouse=True, params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Make each backend in turn the default one."""
    minitorch.set_default_backend(request.param)
    return request.param


def grid() -> Tensor:
    return tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def test_errors_are_runtime_errors() -> None:
    for error in (IndexingError, BackendError, CheckpointError, DataError):
        assert issubclass(error, RuntimeError)


PAIRS: list[Callable[[Tensor, Tensor], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.lt,
    operator.gt,
    operator.eq,
    Tensor.is_close,
]


@pytest.mark.parametrize("fn", PAIRS)
@pytest.mark.parametrize("shape", [(2,), (3, 3), (2, 2, 2), (0,)])
def test_shapes_that_do_not_broadcast(fn: Callable[[Tensor, Tensor], Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(IndexingError, match="broadcast") as caught:
        fn(grid(), ones(shape))
    assert "(2, 3)" in str(caught.value)
    assert str(shape) in str(caught.value)


SHAPES: list[tuple[Callable[[Tensor], Any], str]] = [
    (lambda t: t @ t, r"\(2, 3\)"),
    (lambda t: t @ ones((3,)), r"\(3,\)"),
    (lambda t: t @ ones((2, 2, 3, 1)), r"\(2, 2, 3, 1\)"),
    (lambda t: ones((2, 1, 3)) @ ones((3, 3, 1)), r"\(3, 3, 1\)"),
    (lambda t: t.view(4), r"6 elements as shape \(4,\)"),
    (lambda t: t.view(-1, -1), r"\(-1, -1\)"),
    (lambda t: t.view(4, -1), r"\(4, -1\)"),
    (lambda t: t.view(-2, 3), r"\(-2, 3\)"),
    (lambda t: t.reshape(5), r"\(5,\)"),
    (lambda t: t.permute(1, 0).view(6), "contiguous"),
    (lambda t: t.permute(0), r"order \(0,\)"),
    (lambda t: t.permute(0, 2), r"order \(0, 2\)"),
    (lambda t: t.flatten(1, 0), "flatten"),
    (lambda t: t.flatten(0, 2), "flatten"),
    (lambda t: t.item(), "one element"),
    (lambda t: float(t), "one element"),
    (lambda t: tensor([]).item(), "one element"),
    (lambda t: cat([t, ones((2, 2, 3))]), r"\(2, 2, 3\)"),
    (lambda t: cat([t, ones((2, 2))], 0), r"\(2, 2\)"),
    (lambda t: cat([t], 2), "dimension 2"),
    (lambda t: stack([t, ones((3, 2))]), r"\(3, 2\)"),
    (lambda t: stack([t], 3), "dimension 3"),
    (lambda t: t.copy_(np.ones(6)), r"\(6,\)"),
    (lambda t: t.backward(ones((3,))), r"\(3,\)"),
    (lambda t: t.expand(ones((4,))), "broadcast"),
    (lambda t: tensor([1, 2, 3], shape=(2, 2)), r"\(2, 2\)"),
    (lambda t: tensor([[1, 2], [3]]), "equal lengths"),
    (lambda t: tensor([1, [2, 3]]), "equal lengths"),
    (lambda t: zeros((2, -1)), r"\(2, -1\)"),
    (lambda t: TensorData([1.0], (2,)), r"\(2,\)"),
    (lambda t: tensor([]).max(), "empty"),
    (lambda t: ones((0, 3)).max(0), "empty"),
    (lambda t: t.f.id_map(t, zeros((2, 2))), r"\(2, 2\)"),
]


@pytest.mark.parametrize(("fn", "words"), SHAPES)
def test_shapes_that_do_not_fit(fn: Callable[[Tensor], Any], words: str) -> None:
    with pytest.raises(IndexingError, match=words):
        fn(grid().requires_grad_())


@pytest.mark.parametrize("name", ["sum", "mean", "max", "all"])
@pytest.mark.parametrize("dim", [2, -3])
def test_a_dimension_out_of_range(name: str, dim: int) -> None:
    with pytest.raises(IndexingError, match=rf"dimension {dim} is out of range for shape \(2, 3\)"):
        getattr(grid(), name)(dim)


@pytest.mark.parametrize(
    "key", [(2, 0), (0, 3), (-1, 0), (0, -1), 2, -1, (slice(None), 3), (0, 0, 0), (..., 0, 0, 0)]
)
def test_an_index_that_does_not_fit(key: Any) -> None:
    with pytest.raises(IndexingError, match=r"\(2, 3\)"):
        grid()[key]
    with pytest.raises(IndexingError, match=r"\(2, 3\)"):
        grid()[key] = 1.0


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ((0, ...), np.ones(2), IndexingError),
        (slice(None), np.ones((3, 2, 3)), IndexingError),
        ((..., ...), 0.0, IndexingError),
        (slice(None, None, -1), 0.0, IndexingError),
        ("a", 0.0, TypeError),
        ([0, 1], 0.0, TypeError),
        (None, 0.0, TypeError),
    ],
)
def test_assignments_that_do_not_fit(key: Any, value: Any, error: type[Exception]) -> None:
    t = grid()
    with pytest.raises(error):
        t[key] = value
    assert t.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]


BACKEND_PAIRS: list[Callable[[Tensor, Tensor], Any]] = [
    *PAIRS,
    operator.matmul,
    lambda a, b: cat([a, b]),
    lambda a, b: stack([a, b]),
    lambda a, b: a.f.id_map(a, b),
    lambda a, b: minitorch.conv2d(a.view(1, 1, 2, 2), b.view(1, 1, 2, 2)),
    lambda a, b: minitorch.conv2d(a.view(1, 1, 2, 2), b.view(1, 1, 2, 2), padding=0),
    lambda a, b: a.requires_grad_().sum(1).backward(b.sum(1)),
    lambda a, b: a.__setitem__(0, b[0]),
]


@pytest.mark.parametrize("fn", BACKEND_PAIRS)
def test_backends_do_not_mix(fn: Callable[[Tensor, Tensor], Any], backend: str) -> None:
    other = "simple" if backend == "fast" else "fast"
    with pytest.raises(BackendError) as caught:
        fn(ones((2, 2)), ones((2, 2), other))
    assert "simple" in str(caught.value)
    assert "fast" in str(caught.value)


def test_a_backend_that_cannot() -> None:
    class Empty(TensorOps):
        name = "empty"

    with pytest.raises(BackendError, match="empty"):
        TensorBackend(Empty)


@pytest.mark.parametrize("wrong", ["gpu", "", 3, minitorch.FastOps])
def test_an_unknown_backend(wrong: Any) -> None:
    for call in (
        lambda: tensor(1.0, wrong),
        lambda: minitorch.set_default_backend(wrong),
        lambda: grid().to(wrong),
    ):
        with pytest.raises(ValueError if isinstance(wrong, str) else TypeError, match="backend"):
            call()


@pytest.mark.parametrize("wrong", ["int64", "float16", "banana", np.int32, complex, 3])
def test_an_unknown_dtype(wrong: Any) -> None:
    for call in (
        lambda: minitorch.set_default_dtype(wrong),
        lambda: tensor([1.0], dtype=wrong),
        lambda: zeros((1,), dtype=wrong),
        lambda: grid().astype(wrong),
    ):
        with pytest.raises(ValueError, match="expected float64 or float32"):
            call()


class Wrong(Function):
    """Gives one derivative for two operands."""

    @staticmethod
    def forward(ctx: Context, a: TensorData, b: TensorData) -> TensorData:
        return a + b

    @staticmethod
    def backward(ctx: Context, d: TensorData) -> TensorData:
        return d


BACKWARD: list[tuple[Callable[[Tensor], Any], type[Exception], str]] = [
    (lambda t: t.detach().sum().backward(), RuntimeError, "constant"),
    (lambda t: (t * 2.0).backward(), RuntimeError, "grad_output"),
    (lambda t: t.all().backward(), RuntimeError, "All"),
    (lambda t: t.is_close(t).sum().backward(), RuntimeError, "IsClose"),
    (lambda t: Wrong.apply(t, t).sum().backward(), TypeError, "Wrong.backward"),
    (lambda t: bool(t), RuntimeError, "ambiguous"),
    (lambda t: (t + 1.0).accumulate_derivative(t), RuntimeError, "leaves"),
    (lambda t: t.update_(lambda s, x, d: (x,), ()), RuntimeError, "no gradient"),
]


@pytest.mark.parametrize(("fn", "error", "words"), BACKWARD)
def test_backward_where_there_is_none(
    fn: Callable[[Tensor], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        fn(grid().requires_grad_())


KINDS: list[Callable[[Tensor], Any]] = [
    lambda t: t + np.ones((2, 3)),
    lambda t: np.ones((2, 3)) * t,
    lambda t: t - [1.0],
    lambda t: t * "a",
    lambda t: t < None,
    lambda t: t**t,
    lambda t: t @ np.ones((3, 2)),
    lambda t: tensor("abc"),
    lambda t: tensor(None),
    lambda t: tensor({1: 2}),
    lambda t: tensor([1.0, None]),
    lambda t: tensor(1j),
    lambda t: Scalar("a"),
]


@pytest.mark.parametrize("fn", KINDS)
def test_the_wrong_kind_of_operand(fn: Callable[[Tensor], Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        fn(grid())


def test_an_array_operand_is_a_type_error_that_helps() -> None:
    with pytest.raises(TypeError, match=r"minitorch\.tensor"):
        grid() + np.ones(3)


@pytest.mark.parametrize("join", [cat, stack])
def test_nothing_to_join(join: Callable[[list[Tensor]], Tensor]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        join([])


class Child(Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(tensor([1.0]))


def test_modules() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        Child().nonsense  # noqa: B018
    with pytest.raises(NotImplementedError):
        Child()(1.0)
    with pytest.raises(RuntimeError, match="w"):
        Child().load_state_dict({})
    with pytest.raises(RuntimeError, match=r"\(2,\)"):
        Child().load_state_dict({"w": np.ones(2)})


def test_checkpoints(tmp_path: Any) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(b"\x10")
    for name in (path, tmp_path / "missing.safetensors"):
        with pytest.raises(CheckpointError, match=name.name):
            minitorch.load(name)


class Flat(Function):
    """A negation without a derivative."""

    @staticmethod
    def forward(ctx: Context, a: TensorData) -> TensorData:
        return -a

    @staticmethod
    def backward(ctx: Context, d: TensorData) -> float:
        return 0.0


def test_a_failed_gradient_check_is_an_assertion() -> None:
    with pytest.raises(
        AssertionError, match=r"Flat, argument 0, element \(0, 0\): backward gives 0.0, differences give -"
    ):
        minitorch.grad_check(Flat.apply, grid())


def test_nan_propagates_through_max() -> None:
    t = tensor([[1.0, math.nan, 3.0], [math.nan, 2.0, 0.0], [1.0, 2.0, 3.0]])
    for dim in (0, 1):
        assert np.array_equal(t.max(dim).to_numpy(), t.to_numpy().max(dim, keepdims=True), equal_nan=True)
    assert math.isnan(t.max().item())
    assert math.isnan(minitorch.maxpool2d(t.view(1, 1, 3, 3), 3).item())


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(IndexingError("shape")))
    assert isinstance(error, IndexingError)
    assert str(error) == "shape"
