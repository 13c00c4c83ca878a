"""Storage, shape and strides; indexing; broadcasting of shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import data, permutations

import minitorch
from minitorch import (
    IndexingError,
    SimpleBackend,
    TensorData,
    broadcast_index,
    index_to_position,
    shape_broadcast,
    strides_from_shape,
    tensor_data,
    to_index,
)

from .tensor_strategies import broadcastable_shapes, indices, shapes
from .tensor_strategies import tensor_data as drawn


@pytest.mark.task2_1
def test_layout() -> None:
    td = TensorData([0.0] * 15, (3, 5))
    assert (td.shape, td.strides, td.dims, td.size) == ((3, 5), (5, 1), 2, 15)
    assert td.is_contiguous()
    assert [td.index((1, 0)), td.index((1, 2)), td.index([2, 4])] == [5, 7, 14]
    other = TensorData([0.0] * 15, (5, 3), (1, 5))
    assert not other.is_contiguous()
    assert other.index((4, 1)) == 9


@pytest.mark.task2_1
@given(shape=shapes())
def test_default_strides_are_row_major(shape: tuple[int, ...]) -> None:
    elements = np.zeros(shape)
    assert strides_from_shape(shape) == tuple(s // 8 for s in elements.strides)
    assert TensorData(elements.reshape(-1), shape).is_contiguous()


@pytest.mark.task2_1
@pytest.mark.parametrize(
    ("shape", "strides", "packed"),
    [
        ((2, 3), (3, 1), True),
        ((2, 3), (1, 2), False),
        ((3, 1), (1, 7), True),
        ((1, 3), (9, 1), True),
        ((2, 2), (0, 1), False),
        ((), (), True),
        ((0, 3), (1, 1), True),
    ],
)
def test_contiguous_means_packed(shape: tuple[int, ...], strides: tuple[int, ...], packed: bool) -> None:
    assert TensorData(np.zeros(int(np.prod(shape))), shape, strides).is_contiguous() is packed


@pytest.mark.task2_1
@given(td=drawn())
def test_every_index_once(td: TensorData) -> None:
    places = [td.index(ind) for ind in td.indices()]
    assert sorted(places) == list(range(td.size))
    assert len(set(td.indices())) == td.size


@pytest.mark.task2_1
@given(data=data())
def test_get_and_set(data: Any) -> None:
    td = data.draw(drawn())
    ind = data.draw(indices(td))
    td.set(ind, 123.0)
    assert td.get(ind) == td._storage[td.index(ind)] == 123.0
    assert isinstance(td.get(ind), float)


@pytest.mark.task2_1
@pytest.mark.parametrize("index", [(0,), (1, 5), (3, 0), (-1, 0), (0, -1), (0, 0, 0), ()])
def test_index_errors(index: tuple[int, ...]) -> None:
    td = TensorData([0.0] * 15, (3, 5))
    with pytest.raises(IndexingError, match=r"\(3, 5\)"):
        td.index(index)


@pytest.mark.task2_1
@given(data=data())
def test_permute(data: Any) -> None:
    td = data.draw(drawn())
    order = data.draw(permutations(range(td.dims)))
    ind = data.draw(indices(td))
    moved = td.permute(*order)
    assert moved._storage is td._storage
    assert moved.index(tuple(ind[i] for i in order)) == td.index(ind)
    back = moved.permute(*(order.index(i) for i in range(td.dims)))
    assert (back.shape, back.strides) == (td.shape, td.strides)


@pytest.mark.task2_1
@pytest.mark.parametrize("order", [(0,), (0, 0), (0, 2), (1, 0, 2), (-1, 0)])
def test_permute_errors(order: tuple[int, ...]) -> None:
    with pytest.raises(IndexingError, match="order"):
        TensorData([0.0] * 6, (2, 3)).permute(*order)


@pytest.mark.task2_1
@given(data=data())
def test_to_index_is_a_bijection(data: Any) -> None:
    shape = data.draw(shapes())
    found, out = [], np.zeros(len(shape), np.int32)
    for ordinal in range(int(np.prod(shape))):
        to_index(ordinal, np.array(shape), out)
        found.append(tuple(int(i) for i in out))
        assert index_to_position(out, np.array(strides_from_shape(shape))) == ordinal
    assert found == list(np.ndindex(*shape))


@pytest.mark.task2_1
def test_construction_errors() -> None:
    for storage, shape, strides in [
        ([0.0] * 5, (2, 3), None),
        ([0.0] * 6, (2, 3), (1,)),
        ([0.0] * 6, [2, 3], None),
        ([0.0] * 6, (2, 3), [3, 1]),
        ([0.0], (1,) * 33, None),
    ]:
        with pytest.raises(IndexingError):
            TensorData(storage, shape, strides)  # type: ignore[arg-type]


@pytest.mark.task2_1
def test_storage_is_kept_uncopied() -> None:
    for dtype in (np.float32, np.float64):
        elements = np.arange(6, dtype=dtype)
        td = TensorData(elements, (2, 3))
        assert td._storage is elements
        assert td.dtype == dtype
        storage, shape, strides = td.tuple()
        assert storage is elements
        assert (tuple(shape), tuple(strides)) == ((2, 3), (3, 1))


@pytest.mark.task2_1
def test_sample_and_to_string() -> None:
    td = TensorData([1.0, 2.0, 3.0, 4.125], (2, 2))
    assert {td.sample() for _ in range(200)} == set(td.indices())
    assert td.to_string() == "[[1.00, 2.00],\n [3.00, 4.12]]"
    assert TensorData([1.5], ()).to_string() == "1.50"


@pytest.mark.task2_1
def test_limits() -> None:
    assert minitorch.MAX_DIMS == 32
    for alias in (
        "Storage",
        "OutIndex",
        "Index",
        "Shape",
        "Strides",
        "UserIndex",
        "UserShape",
        "UserStrides",
    ):
        assert alias in vars(tensor_data)


@pytest.mark.task2_2
@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ((1,), (5, 5), (5, 5)),
        ((5, 5), (1,), (5, 5)),
        ((1, 5, 5), (5, 5), (1, 5, 5)),
        ((5, 1, 5, 1), (1, 5, 1, 5), (5, 5, 5, 5)),
        ((2, 5), (5,), (2, 5)),
        ((), (3, 4), (3, 4)),
        ((), (), ()),
        ((0,), (1,), (0,)),
        ((3, 0), (3, 1), (3, 0)),
    ],
)
def test_shape_broadcast(a: tuple[int, ...], b: tuple[int, ...], both: tuple[int, ...]) -> None:
    assert shape_broadcast(a, b) == TensorData.shape_broadcast(a, b) == both


@pytest.mark.task2_2
@pytest.mark.parametrize(("a", "b"), [((5, 7, 5, 1), (1, 5, 1, 5)), ((5, 2), (5,)), ((0,), (2,))])
def test_shape_broadcast_errors(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(IndexingError, match="cannot broadcast shapes") as caught:
        shape_broadcast(a, b)
    assert str(a) in str(caught.value)
    assert str(b) in str(caught.value)


@pytest.mark.task2_2
@given(case=broadcastable_shapes())
def test_broadcast_index(case: tuple[tuple[int, ...], ...]) -> None:
    for small in case[:2]:
        both = case[2]
        assert shape_broadcast(small, both) == both
        elements = np.broadcast_to(np.arange(np.prod(small)).reshape(small), both)
        out = np.zeros(len(small), np.int32)
        for big in np.ndindex(*both):
            broadcast_index(np.array(big), np.array(both), np.array(small), out)
            assert index_to_position(out, strides_from_shape(small)) == elements[big]


def matrix() -> TensorData:
    return TensorData([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (2, 3), backend=SimpleBackend)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda t: t + 1, [[2, 3, 4], [5, 6, 7]]),
        (lambda t: 1 + t, [[2, 3, 4], [5, 6, 7]]),
        (lambda t: t - t, [[0, 0, 0], [0, 0, 0]]),
        (lambda t: 1 - t, [[0, -1, -2], [-3, -4, -5]]),
        (lambda t: t * 2, [[2, 4, 6], [8, 10, 12]]),
        (lambda t: 2 * t, [[2, 4, 6], [8, 10, 12]]),
        (lambda t: t / 2, [[0.5, 1, 1.5], [2, 2.5, 3]]),
        (lambda t: 60 / t, [[60, 30, 20], [15, 12, 10]]),
        (lambda t: -t, [[-1, -2, -3], [-4, -5, -6]]),
        (lambda t: t.sum(0), [[5, 7, 9]]),
        (lambda t: t.view(3, 2), [[1, 2], [3, 4], [5, 6]]),
        (lambda t: t.permute(1, 0).contiguous(), [[1, 4], [2, 5], [3, 6]]),
        (lambda t: t.zeros(), [[0, 0, 0], [0, 0, 0]]),
        (lambda t: t.zeros((1, 2)), [[0, 0]]),
        (lambda t: t[:, 1:], [[2, 3], [5, 6]]),
        (lambda t: t[1], [4, 5, 6]),
    ],
)
def test_plain_arithmetic_inside_functions(found: Any, expected: list[Any]) -> None:
    t = matrix()
    result = found(t)
    assert isinstance(result, TensorData)
    assert result.to_numpy().tolist() == expected
    assert t.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]


def test_single_elements_inside_functions() -> None:
    t = matrix()
    assert t.f is t.backend is SimpleBackend
    assert t[1, 2] == 6.0
    assert t[:1, :1].item() == 1.0
    t[0, 0] = 9.0
    assert t.get((0, 0)) == 9.0
