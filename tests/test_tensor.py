"""Tensors in the reference backend: values, gradients, and what each member promises (in every backend)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, floats, lists, permutations

import minitorch
from minitorch import (
    FastBackend,
    IndexingError,
    SimpleBackend,
    Tensor,
    TensorBackend,
    TensorData,
    cat,
    ones,
    rand,
    randn,
    stack,
    tensor,
    zeros,
)

from .strategies import MOST_CHECKED, checked, small_ints
from .support import checks
from .support.op_table import BACKENDS
from .tensor_strategies import shaped_tensors, tensors

one = pytest.mark.parametrize("case", checks.ONE, ids=checks.name_of)
two = pytest.mark.parametrize("case", checks.TWO, ids=checks.name_of)
reference = pytest.mark.parametrize("backend", ["simple"], indirect=True)


@pytest.fixture(autouse=True, params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Make each backend in turn the default one."""
    minitorch.set_default_backend(request.param)
    return request.param


@pytest.mark.task2_3
@reference
@one
@given(t=tensors(backend="simple"))
def test_one_argument(case: checks.Case, t: Tensor) -> None:
    checks.check_one(case, t)


@pytest.mark.task2_3
@reference
@two
@given(ts=shaped_tensors(2, backend="simple"))
def test_two_arguments(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two(case, *ts)


@pytest.mark.task2_3
@reference
@pytest.mark.parametrize("dim", [0, 1, None])
@given(data=data())
def test_sum(data: Any, dim: int | None) -> None:
    shape = (data.draw(small_ints), data.draw(small_ints), data.draw(small_ints))
    checks.check_sum(data.draw(tensors(backend="simple", shape=shape)), dim)


@pytest.mark.task2_4
@reference
@one
@checked
@given(t=tensors(backend="simple", most=MOST_CHECKED))
def test_one_gradient(case: checks.Case, t: Tensor) -> None:
    checks.check_one_gradient(case, t)


@pytest.mark.task2_4
@reference
@two
@checked
@given(ts=shaped_tensors(2, backend="simple", most=MOST_CHECKED))
def test_two_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_two_gradients(case, *ts)


@pytest.mark.task2_4
@reference
@two
@checked
@given(ts=shaped_tensors(2, backend="simple", most=MOST_CHECKED))
def test_broadcast_gradients(case: checks.Case, ts: list[Tensor]) -> None:
    checks.check_broadcast_gradients(case, *ts)


@pytest.mark.task2_4
@reference
@pytest.mark.parametrize("case", checks.REDUCTIONS, ids=checks.name_of)
@checked
@given(t=tensors(backend="simple", most=MOST_CHECKED))
def test_reduction_gradient(case: checks.Case, t: Tensor) -> None:
    checks.slopes(case[2], t)


@pytest.mark.task2_4
@reference
@checked
@given(data=data())
def test_permute_gradient(data: Any) -> None:
    t = data.draw(tensors(backend="simple", most=MOST_CHECKED))
    checks.check_permute_gradient(t, tuple(data.draw(permutations(range(t.dims)))))


def grid() -> Tensor:
    return tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


# Making tensors


@given(ls=lists(floats(allow_nan=False), min_size=1))
def test_elements_of_a_list_come_back_exactly(ls: list[float]) -> None:
    t = tensor(ls)
    assert [t[i] for i in range(len(ls))] == ls


def test_construction() -> None:
    t = tensor([[1, 2, 3], [4, 5, 6]])
    assert (t.shape, t.size, t.dims) == ((2, 3), 6, 2)
    assert t[1, 2] == 6.0
    assert tensor(((1, 2), (3, 4))).to_numpy().tolist() == [[1, 2], [3, 4]]
    assert tensor(3.0).shape == ()
    assert tensor([]).shape == (0,)
    assert tensor(range(6), shape=(2, 3)).to_numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert not t.requires_grad()
    assert tensor([1.0], requires_grad=True).is_leaf()


def test_arrays_are_copied() -> None:
    elements = np.arange(6.0).reshape(2, 3)
    t = tensor(elements.T)
    elements[0, 0] = 100.0
    assert t.to_numpy().tolist() == [[0, 3], [1, 4], [2, 5]]
    t.to_numpy()[0, 0] = 50.0
    assert t[0, 0] == 0.0


def test_constructors_of_a_shape() -> None:
    assert zeros((2, 2)).to_numpy().tolist() == [[0, 0], [0, 0]]
    assert ones((1, 2)).to_numpy().tolist() == [[1, 1]]
    for make in (rand, randn):
        assert make((2, 3), requires_grad=True).is_leaf()
        assert make((2, 3)).is_constant()
        assert make((3,), dtype="float32").dtype == np.float32
    uniform, normal = rand((500, 20)).to_numpy(), randn((500, 20)).to_numpy()
    assert 0.0 <= uniform.min() < 0.01 < 0.99 < uniform.max() < 1.0
    assert abs(uniform.mean() - 0.5) < 0.02
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1.0) < 0.05


def test_random_numbers_follow_the_seed_and_not_the_backend() -> None:
    drawn = []
    for backend in ("simple", "fast"):
        minitorch.manual_seed(3)
        drawn.append(rand((2, 3), backend=backend).to_numpy())
    assert np.array_equal(*drawn)
    assert not np.array_equal(drawn[0], rand((2, 3)).to_numpy())


# dtypes


@pytest.mark.parametrize("default", ["float32", "float64"])
def test_dtypes_of_new_tensors(default: str) -> None:
    minitorch.set_default_dtype(default)
    assert minitorch.get_default_dtype() == np.dtype(default)
    for value in (1, 1.5, [1, 2], np.array([1, 2]), np.array([True]), np.zeros(2, np.float16), np.int64(3)):
        assert tensor(value).dtype == np.dtype(default)
    for made in (zeros((1,)), ones((1,)), rand((1,)), randn((1,))):
        assert made.dtype == np.dtype(default)
    for dtype in (np.float32, np.float64):
        assert tensor(np.ones(2, dtype)).dtype == dtype
        assert tensor([1.0], dtype=dtype).dtype == dtype
        assert tensor(dtype(2.0)).dtype == dtype


def test_dtypes_of_results() -> None:
    narrow, wide = tensor([1.0, 2.0], dtype="float32"), tensor([1.0, 2.0], dtype="float64")
    assert (narrow + wide).dtype == (wide * narrow).dtype == (narrow / wide).dtype == np.float64
    for scalar in (2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), True):
        assert (narrow + scalar).dtype == (scalar * narrow).dtype == (narrow / scalar).dtype == np.float32
        assert (wide - scalar).dtype == (scalar - wide).dtype == np.float64
    assert (narrow < 1.5).dtype == narrow.sum().dtype == narrow.mean().dtype == np.float32
    assert (narrow**3).dtype == (narrow**0.5).dtype == np.float32


def test_a_gradient_has_the_dtype_of_its_tensor() -> None:
    narrow = tensor([1.0, 2.0], dtype="float32").requires_grad_()
    wide = tensor([[3.0], [4.0]], dtype="float64").requires_grad_()
    (narrow * wide).sum().backward()
    assert (narrow.grad.dtype, wide.grad.dtype) == (np.float32, np.float64)
    assert (narrow.grad.shape, wide.grad.shape) == (narrow.shape, wide.shape)
    assert narrow.grad.backend == narrow.backend


def test_astype() -> None:
    t = tensor([1.0, 2.0]).requires_grad_()
    cast = t.astype("float32")
    assert cast.dtype == np.float32
    assert t.astype(np.float64) is t
    (cast * 3.0).sum().backward()
    assert t.grad.dtype == np.float64
    assert t.grad.to_numpy().tolist() == [3.0, 3.0]


# Backends


def test_to() -> None:
    t = tensor([[1.0, 2.0]], "simple").requires_grad_()
    moved = t.to("fast")
    assert t.to("simple") is t.to(SimpleBackend) is t
    assert moved.backend is moved.f is FastBackend
    (moved * 2.0).sum().backward()
    assert t.grad.backend is SimpleBackend
    assert t.grad.to_numpy().tolist() == [[2.0, 2.0]]


def test_default_backend(backend: str) -> None:
    assert minitorch.get_default_backend() == tensor(1.0).backend == zeros((1,)).backend
    assert minitorch.get_default_backend().ops.name == backend
    own = TensorBackend(minitorch.SimpleOps)
    minitorch.set_default_backend(own)
    assert tensor(1.0).backend is own
    assert own == SimpleBackend


def test_a_backend_of_four_methods_is_enough() -> None:
    class Own(minitorch.TensorOps):
        map = minitorch.SimpleOps.map
        zip = minitorch.SimpleOps.zip
        reduce = minitorch.SimpleOps.reduce
        matrix_multiply = minitorch.SimpleOps.matrix_multiply

    backend = TensorBackend(Own)
    x = tensor(np.arange(16.0).reshape(1, 1, 4, 4), backend, True)
    w = tensor(np.ones((1, 1, 2, 2)), backend)
    y = minitorch.avgpool2d(minitorch.conv2d(x, w, padding=0).relu(), 3)
    assert y.item() == 30.0
    y.backward()
    assert x.grad.to_numpy().sum() == 4.0


def test_doors_take_tensors_and_tensor_data(backend: str) -> None:
    ops = minitorch.get_default_backend().ops
    t = tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
    double = ops.map(minitorch.operators.neg)
    assert isinstance(double(t), Tensor)
    assert double(t).is_constant()
    assert isinstance(double(t._tensor), TensorData)
    out = zeros((2, 2))
    assert double(tensor([1.0, 2.0]), out).to_numpy().tolist() == [[-1, -2], [-1, -2]]
    assert out.to_numpy().tolist() == [[-1, -2], [-1, -2]]
    assert ops.zip(minitorch.operators.mul)(t, t).to_numpy().tolist() == [[1, 4], [9, 16]]
    assert ops.reduce(minitorch.operators.add, 10.0)(t, 1).to_numpy().tolist() == [[13], [17]]
    assert ops.matrix_multiply(t, t).to_numpy().tolist() == [[7, 10], [15, 22]]


def test_names_of_a_backend() -> None:
    backend = minitorch.get_default_backend()
    t = tensor([[1.0, 2.0]])
    for name in ("neg", "sigmoid", "relu", "log", "exp", "id", "inv"):
        assert getattr(backend, f"{name}_map")(t).shape == (1, 2)
    for name in ("add", "mul", "lt", "eq", "is_close", "relu_back", "log_back", "inv_back"):
        assert getattr(backend, f"{name}_zip")(t, t).shape == (1, 2)
    assert backend.add_reduce(t, 1).item() == 3.0
    assert backend.mul_reduce(t, 1).item() == 2.0
    assert backend.cuda is False


# Indexing


def test_a_full_index_gives_a_float() -> None:
    t = grid()
    assert t[1, 2] == t[np.int64(1), 2] == 6.0
    assert isinstance(t[1, 2], float)
    assert tensor([1.0, 2.0])[1] == 2.0


@pytest.mark.parametrize(
    "key",
    [
        1,
        slice(1, None),
        (slice(None), 1),
        (slice(None), slice(0, 3, 2)),
        (slice(1, 2), slice(None)),
        (..., 1),
        (0, ...),
        (...,),
        (slice(2, 2), slice(None)),
        (slice(None), slice(-2, None)),
    ],
)
def test_slices_are_new_differentiable_tensors(key: Any) -> None:
    t = grid().requires_grad_()
    elements = t.to_numpy()
    part = t[key]
    assert part.shape == elements[key].shape
    assert np.array_equal(part.to_numpy(), elements[key])
    (part * part).sum().backward()
    expected = np.zeros_like(elements)
    expected[key] = 2 * elements[key]
    assert np.array_equal(t.grad.to_numpy(), expected)
    if part.size:
        part[...] = 100.0
        assert np.array_equal(t.to_numpy(), elements)


def test_slices_of_permuted_tensors() -> None:
    elements = np.arange(24.0).reshape(2, 3, 4)
    t = tensor(elements).permute(2, 0, 1)
    assert np.array_equal(t[1:3, 0].to_numpy(), elements.transpose(2, 0, 1)[1:3, 0])


def test_item_assignment() -> None:
    t = grid()
    t[0, 0] = 10.0
    t[1] = 7
    t[:, 1:2] = np.array([[20.0], [50.0]])
    assert t.to_numpy().tolist() == [[10, 20, 3], [7, 50, 7]]
    t[0, 1:] = tensor([1.0, 2.0])
    assert t.to_numpy().tolist() == [[10, 1, 2], [7, 50, 7]]
    t[...] = 0.5
    assert t.to_numpy().tolist() == [[0.5] * 3] * 2
    t[0] = [1, 2, 3]
    assert t.to_numpy().tolist() == [[1, 2, 3], [0.5] * 3]


def test_assignment_through_a_permuted_tensor() -> None:
    t = grid()
    t.permute(1, 0)[2] = np.array([30.0, 60.0])
    assert t.to_numpy().tolist() == [[1, 2, 30], [4, 5, 60]]


# Shapes


def test_views_share_storage() -> None:
    t = grid()
    for other in (
        t.view(3, 2),
        t.view((6,)),
        t.view(-1),
        t.view(2, -1),
        t.permute(1, 0),
        t.permute((1, 0)),
        t.detach(),
    ):
        assert other._tensor._storage is t._tensor._storage
    for other in (t.contiguous(), t.clone()):
        assert other._tensor._storage is not t._tensor._storage
    assert t.view(3, -1).shape == (3, 2)
    assert t.permute(1, 0).to_numpy().tolist() == [[1, 4], [2, 5], [3, 6]]


def test_reshape_copies_when_it_must() -> None:
    t = grid()
    assert t.reshape(6)._tensor._storage is t._tensor._storage
    assert t.permute(1, 0).reshape(-1).to_numpy().tolist() == [1, 4, 2, 5, 3, 6]
    assert t.permute(1, 0).contiguous().view(6).to_numpy().tolist() == [1, 4, 2, 5, 3, 6]


@pytest.mark.parametrize(
    ("start", "end", "shape"),
    [(0, -1, (24,)), (1, -1, (2, 12)), (0, 1, (6, 4)), (-2, 2, (2, 12)), (1, 1, (2, 3, 4))],
)
def test_flatten(start: int, end: int, shape: tuple[int, ...]) -> None:
    elements = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(tensor(elements).flatten(start, end).to_numpy(), elements.reshape(shape))
    assert tensor(3.0).flatten().shape == (1,)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cat_and_stack(dim: int) -> None:
    a, b = grid().requires_grad_(), (grid() * 10.0).requires_grad_()
    for ours, theirs in ((cat, np.concatenate), (stack, np.stack)):
        joined = ours([a, b, a], dim)
        assert np.array_equal(joined.to_numpy(), theirs([a.to_numpy(), b.to_numpy(), a.to_numpy()], dim))
        weights = np.arange(18.0).reshape(joined.shape)
        (joined * tensor(weights)).sum().backward()
        parts = np.split(weights, 3, dim)
        assert np.array_equal(a.grad.to_numpy(), (parts[0] + parts[2]).reshape(2, 3))
        assert np.array_equal(b.grad.to_numpy(), parts[1].reshape(2, 3))
        a.zero_grad_()
        b.zero_grad_()


def test_cat_of_unequal_sizes() -> None:
    joined = cat([grid(), tensor([[7.0, 8.0, 9.0]]), zeros((0, 3))])
    assert joined.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_expand() -> None:
    t = zeros((2, 1))
    assert t.expand(tensor([[1.0, 2.0], [3.0, 4.0]])).to_numpy().tolist() == [[3], [7]]
    assert grid().expand(tensor([1.0, 2.0, 3.0])).to_numpy().tolist() == [[1, 2, 3], [1, 2, 3]]
    assert grid().expand(2.0).to_numpy().tolist() == [[2] * 3] * 2


def test_reductions_keep_the_dimension() -> None:
    t = grid()
    for name in ("sum", "mean", "max", "all"):
        method: Callable[..., Tensor] = getattr(t, name)
        assert [method(d).shape for d in (0, 1, -1, None)] == [(1, 3), (2, 1), (2, 1), (1,)]
        assert getattr(tensor(3.0), name)().item() == 3.0
    assert t.mean(0).to_numpy().tolist() == [[2.5, 3.5, 4.5]]
    assert t.mean().item() == 3.5
    assert t.max(-1).to_numpy().tolist() == [[3], [6]]
    assert t.all(1).to_numpy().tolist() == [[6], [120]]
    assert tensor([]).sum().to_numpy().tolist() == [0.0]


# Values out


def test_single_elements() -> None:
    for t in (tensor(2.5), tensor([2.5]), tensor([[2.5]]), grid()[1:, 1:2] / 2.0):
        assert t.item() == float(t) == 2.5
        assert isinstance(t.item(), float)
        assert bool(t)
    assert not tensor([0.0])


def test_numpy_interplay() -> None:
    t = grid().permute(1, 0)
    assert np.asarray(t).tolist() == t.to_numpy().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert t.to_numpy() is not t.to_numpy()
    assert (np.float64(10.0) - t).to_numpy().tolist() == [[9, 6], [8, 5], [7, 4]]
    assert isinstance(np.float64(2.0) * t, Tensor)
    assert isinstance(np.float32(2.0) / t, Tensor)


def test_repr_and_tuple() -> None:
    assert repr(grid()) == grid()._tensor.to_string() == "[[1.00, 2.00, 3.00],\n [4.00, 5.00, 6.00]]"
    storage, shape, strides = grid().tuple()
    assert (list(storage), list(shape), list(strides)) == ([1, 2, 3, 4, 5, 6], [2, 3], [3, 1])
    made = Tensor.make([1, 2, 3, 4], (2, 2), (1, 2))
    assert made.to_numpy().tolist() == [[1, 3], [2, 4]]
    assert grid().zeros().to_numpy().tolist() == [[0] * 3] * 2
    assert grid().zeros((1,)).shape == (1,)


def test_len() -> None:
    assert len(grid()) == 2
    with pytest.raises(TypeError, match="no length"):
        len(tensor(1.0))


# Arithmetic


def test_operators_with_numbers_on_either_side() -> None:
    t = tensor([1.0, 4.0])
    for found, expected in [
        (t + 1, [2, 5]),
        (1 + t, [2, 5]),
        (t - 1, [0, 3]),
        (1 - t, [0, -3]),
        (t * 2, [2, 8]),
        (2 * t, [2, 8]),
        (t / 2, [0.5, 2]),
        (2 / t, [2, 0.5]),
        (t**2, [1, 16]),
        (t**0.5, [1, 2]),
        (t**-1, [1, 0.25]),
        (t**0, [1, 1]),
        (-t, [-1, -4]),
        (t < 2, [1, 0]),
        (operator.lt(2, t), [0, 1]),
        (t > 2, [0, 1]),
        (t == 4, [0, 1]),
        (t.is_close(tensor([1.005, 4.02])), [1, 0]),
    ]:
        assert found.to_numpy().tolist() == expected


def test_equality_is_elementwise_and_hash_is_identity() -> None:
    a, b = grid(), grid()
    assert (a == b).all().item() == 1.0
    assert len({a, b}) == 2
    assert a.is_close(b + 0.005).all().item() == 1.0


def test_nothing_changes_its_operands() -> None:
    a, b = grid(), tensor([1.0, 2.0, 3.0])
    for f in (Tensor.__add__, Tensor.__sub__, Tensor.__mul__, Tensor.__truediv__, Tensor.__lt__):
        f(a, b)
    a.sum(0), a.max(1), a.relu(), a.sigmoid(), a.astype("float32")
    assert a.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    assert b.to_numpy().tolist() == [1, 2, 3]


# Gradients


def test_requires_grad() -> None:
    t = grid()
    assert not t.requires_grad()
    assert t.requires_grad_() is t
    assert t.requires_grad()
    double = t * 2.0
    assert not double.is_leaf()
    assert double.requires_grad_(True).is_leaf()
    double.sum().backward()
    assert t.grad is None
    assert double.requires_grad_(False).is_constant()
    assert not tensor([1.0], requires_grad=False).requires_grad()


def test_zero_grad_and_detach() -> None:
    t = grid().requires_grad_()
    t.sum().backward()
    assert t.grad.to_numpy().tolist() == [[1] * 3] * 2
    t.zero_grad_()
    assert t.grad is None
    assert t.detach().is_constant()
    assert (t.detach() * t).sum().history is not None


def test_backward_with_a_gradient_of_the_output() -> None:
    t = grid().requires_grad_()
    (t * 2.0).backward(tensor([[1.0, 0.0, 2.0], [0.0, 0.0, -1.0]]))
    assert t.grad.to_numpy().tolist() == [[2, 0, 4], [0, 0, -2]]
    (t * 2.0).backward(np.ones((2, 3)))
    assert t.grad.to_numpy().tolist() == [[4, 2, 6], [2, 2, 0]]


def test_comparisons_have_zero_gradients() -> None:
    for compare in (lambda t: t < 2.0, lambda t: t > 2.0, lambda t: t == 2.0, lambda t: operator.gt(2.0, t)):
        t = grid().requires_grad_()
        compare(t).sum().backward()
        assert t.grad.to_numpy().tolist() == [[0] * 3] * 2


def test_gradients_are_not_shared_with_later_ones() -> None:
    a, b = grid().requires_grad_(), grid().requires_grad_()
    (a + b).sum().backward()
    a.sum().backward()
    assert a.grad.to_numpy().tolist() == [[2] * 3] * 2
    assert b.grad.to_numpy().tolist() == [[1] * 3] * 2


def test_no_grad() -> None:
    t = grid().requires_grad_()
    with minitorch.no_grad():
        assert (t @ t.permute(1, 0)).is_constant()
        assert t[0].is_constant()


def test_an_own_function_in_the_official_style() -> None:
    class Scaled(minitorch.Function):
        @staticmethod
        def forward(ctx: minitorch.Context, a: TensorData, b: TensorData, factor: float = 1.0) -> TensorData:
            ctx.save_for_backward(a, b, factor)
            return a.f.mul_zip(a, b) * factor

        @staticmethod
        def backward(ctx: minitorch.Context, d: TensorData) -> tuple[TensorData, TensorData]:
            a, b, factor = ctx.saved_values
            return d * b * factor, d * a * factor

    a, b = grid().requires_grad_(), tensor([[1.0], [2.0]]).requires_grad_()
    out = Scaled.apply(a, b, factor=3.0)
    assert out.to_numpy().tolist() == [[3, 6, 9], [24, 30, 36]]
    out.sum().backward()
    assert a.grad.to_numpy().tolist() == [[3] * 3, [6] * 3]
    assert b.grad.to_numpy().tolist() == [[18], [45]]
    minitorch.grad_check(lambda x, y: Scaled(factor=3.0)(x, y), a, b)


def test_derivatives_may_be_numbers_or_smaller() -> None:
    class Odd(minitorch.Function):
        @staticmethod
        def forward(ctx: minitorch.Context, a: TensorData, b: TensorData) -> TensorData:
            return a + b

        @staticmethod
        def backward(ctx: minitorch.Context, d: TensorData) -> tuple[float, TensorData]:
            return 2.0, d.sum(0)

    a, b = grid().requires_grad_(), grid().requires_grad_()
    Odd.apply(a, b).sum().backward()
    assert a.grad.to_numpy().tolist() == [[2] * 3] * 2
    assert b.grad.to_numpy().tolist() == [[2] * 3] * 2


def test_grad_central_difference() -> None:
    t = grid()
    slope = minitorch.grad_central_difference(lambda x: x * x, t, ind=(1, 2))
    assert isinstance(slope, float)
    checks.assert_close(slope, 12.0)
    slope = minitorch.grad_central_difference(lambda x, y: x * y * y, t, t, arg=1, epsilon=1e-3, ind=(0, 1))
    checks.assert_close(slope, 8.0)


# Sizes, dimensions and keys of a wrong kind


@pytest.mark.parametrize("value", [1.5, "1", None, 1j, {}, "", slice(None)])
def test_sizes_and_dimensions_are_ints(value: Any) -> None:
    t = zeros((2, 3))
    for change in (
        lambda: t.view(value, 6),
        lambda: t.reshape(6, value),
        lambda: t.permute(value, 0),
        lambda: t.flatten(value),
        lambda: minitorch.stack([t, t], value),
        lambda: minitorch.cat([t, t], value),
        lambda: t.f.max_reduce(t._tensor, value),
        lambda: minitorch.softmax(t, value),
        lambda: t[value if isinstance(value, str) else slice(0, value or 0.5)],
    ):
        with pytest.raises(TypeError, match=r"expected (an int|ints)"):
            change()
    if value is not None:
        with pytest.raises(TypeError, match="expected an int as dim"):
            t.sum(value)
    with pytest.raises(IndexingError, match="expected sizes of at least 0"):
        zeros(value)


def test_ints_of_numpy_are_sizes_and_dimensions() -> None:
    t = zeros((2, 3))
    one = np.int64(1)
    assert t.view(np.int32(6), one).shape == (6, 1)
    assert t.sum(one).shape == (2, 1)
    assert t.permute(np.array([1, 0])).shape == (3, 2)
    assert minitorch.stack([t, t], one).shape == (2, 2, 3)
    assert zeros(np.int64(2)).shape == (2,)
    made = minitorch.rand((True, np.int32(2)))
    assert [type(n) for n in made.shape] == [int, int]


def test_several_numbers_do_not_fit_one_element() -> None:
    t = zeros((2,))
    with pytest.raises(IndexingError, match=r"cannot broadcast shape \(2, 1\) into \(\)"):
        t[1] = [[1.0], [2.0]]
    with pytest.raises(IndexingError, match=r"cannot broadcast shape \(0,\) into \(\)"):
        t[1] = []
    assert t.to_numpy().tolist() == [0, 0]
    t[1] = [3.0]
    assert t.to_numpy().tolist() == [0, 3]


def test_operands_of_two_dtypes_are_promoted_before_the_function() -> None:
    x, t = np.array([1e8, 0.25]), np.array([0.1, 0.7], np.float32)
    expected = (1 - t.astype(float)) * x + np.log1p(np.exp(-x))
    got = minitorch.binary_cross_entropy_with_logits(tensor(x), tensor(t), reduction="none")
    np.testing.assert_allclose(got.to_numpy(), expected, rtol=1e-14)


def test_a_view_of_a_leaf_is_not_assigned_to() -> None:
    leaf = zeros((2, 3)).requires_grad_()
    for t in (leaf, leaf.view(3, 2), leaf.permute(1, 0), leaf.view(6).view(3, 2).permute(1, 0)):
        with pytest.raises(RuntimeError, match=r"the tensor is a (view of a )?leaf that requires a gradient"):
            t[0] = 1.0
    assert not leaf.to_numpy().any()
    copy = leaf.clone().view(3, 2)
    copy[0] = 1.0
    copy.sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.to_numpy().tolist() == [[0, 0, 1], [1, 1, 1]]
    with minitorch.no_grad():
        leaf.view(6)[1] = 5.0
    assert leaf.to_numpy()[0, 1] == 5.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copy_reads_values_of_any_kind_and_keeps_none(dtype: str, backend: str) -> None:
    elements = np.arange(6.0).reshape(2, 3)
    fixed = elements.astype(dtype)
    fixed.flags.writeable = False
    unaligned = np.frombuffer(b"x" + elements.astype(dtype).tobytes(), dtype, offset=1).reshape(2, 3)
    swapped = elements.astype(np.dtype(dtype).newbyteorder())
    kinds = (elements, fixed, unaligned, swapped, elements.T.copy().T, np.broadcast_to(elements[:1], (2, 3)))
    for values in (*kinds, elements.astype(np.int64), elements.tolist(), elements.astype(np.float16)):
        for target in (
            minitorch.ones((2, 3), backend, dtype=dtype),
            minitorch.ones((3, 2), backend, dtype=dtype),
        ):
            t = target if target.shape == (2, 3) else target.permute(1, 0)
            assert t.copy_(values) is t
            assert np.array_equal(t.to_numpy(), np.asarray(values))
    own = elements.astype(dtype)
    t = minitorch.zeros((2, 3), backend, dtype=dtype).copy_(own)
    own[:] = 9.0
    assert np.array_equal(t.to_numpy(), elements)
    square = np.arange(9.0)
    shared = Tensor.make(square, (3, 3), (1, 3))
    shared.copy_(square.reshape(3, 3))  # what is read lies where it is written, in another order
    assert shared.to_numpy().tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    large = minitorch.zeros((1,), backend, dtype=dtype).copy_([1e300]).to_numpy()
    assert np.isinf(large) == (dtype == "float32")


def test_an_element_is_not_written_several_times() -> None:
    t = Tensor.make(np.zeros(6), (2, 3), (0, 1))
    for change in (lambda: t.copy_(np.ones((2, 3))), lambda: operator.setitem(t, slice(None), 1.0)):
        with pytest.raises(IndexingError, match=r"strides \(0, 1\) show one element several times"):
            change()
    assert not t.to_numpy().any()
    t[0] = 1.0  # a row has each element once
    t[1, 2] = 2.0
    assert t.to_numpy().tolist() == [[1, 1, 2], [1, 1, 2]]


def test_true_and_false_are_no_indices() -> None:
    t = zeros((2, 3))
    for key in (True, (0, True), (..., False)):
        with pytest.raises(TypeError, match=r"expected ints, slices and \.\.\., got bool"):
            t[key]
        with pytest.raises(TypeError, match=r"expected ints, slices and \.\.\., got bool"):
            t[key] = 1.0
