"""Settings of layers and functions: a wrong kind is one clear TypeError, a number out of range one ValueError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import IndexingError, zeros
from minitorch.nn import functional
from minitorch.nn.settings import flag, layer_size, number

from ..support.op_table import BACKENDS

ROWS, IMAGES = zeros((2, 3)), zeros((1, 2, 4, 4))
WRONG_KINDS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda v: minitorch.Linear(v, 2), "Linear: expected an int as in_features, got "),
    (lambda v: minitorch.Linear(2, v), "Linear: expected an int as out_features, got "),
    (lambda v: minitorch.Embedding(v, 2), "Embedding: expected an int as num_embeddings, got "),
    (lambda v: minitorch.Conv2d(v, 2, 1), "Conv2d: expected an int as in_channels, got "),
    (lambda v: minitorch.Conv1d(2, 2, 1, groups=v), "Conv1d: expected an int as groups, got "),
    (lambda v: minitorch.BatchNorm1d(v), "BatchNorm1d: expected an int as num_features, got "),
    (lambda v: minitorch.LayerNorm((2, v)), "LayerNorm: expected an int as normalized_shape, got "),
    (lambda v: minitorch.GroupNorm(v, 2), "GroupNorm: expected an int as num_groups, got "),
    (lambda v: minitorch.BatchNorm2d(2, eps=str(v)), "BatchNorm2d: expected a number as eps, got "),
    (lambda v: minitorch.BatchNorm2d(2, momentum=[v]), "BatchNorm2d: expected a number as momentum, got "),
    (lambda v: minitorch.LeakyReLU([v]), "LeakyReLU: expected a number as negative_slope, got "),
    (lambda v: minitorch.Dropout((v,)), "Dropout: expected a number as p, got "),
    (lambda v: minitorch.dropout(ROWS, (v,)), "dropout: expected a number as rate, got "),
    (lambda v: minitorch.dropout(ROWS, 0.5, scale={v: v}), "dropout: expected True or False as scale, got "),
    (lambda v: minitorch.cross_entropy(ROWS, [0, 0], label_smoothing={v: v}),
     "cross_entropy: expected a number as label_smoothing, got "),
    (lambda v: minitorch.maxpool2d(IMAGES, 2, ceil_mode=v), "pooling: expected True or False as ceil_mode, got "),
    (lambda v: minitorch.avgpool2d(IMAGES, 2, count_include_pad={}),
     "pooling: expected True or False as count_include_pad, got "),
    (lambda v: minitorch.conv2d(IMAGES, zeros((1, 2, 1, 1)), stride={v: 1}), "stride: expected an int or two, got "),
    (lambda v: minitorch.conv2d(IMAGES, zeros((1, 2, 1, 1)), stride=2, groups={v: 1}),
     "conv2d: expected an int as groups, got "),
    (lambda v: minitorch.conv2d(IMAGES, zeros((1, 2, 1, 1)), stride=slice(v)), "stride: expected an int or two, got "),
    (lambda v: minitorch.Embedding(3, 2)(slice(v)), "Embedding: unsupported dtype object"),
    (lambda v: minitorch.SGD(minitorch.Linear(2, 2).parameters(), lr=(v,)), "SGD: expected lr to be a number, got "),
    (lambda v: minitorch.SGD(minitorch.Linear(2, 2).parameters(), momentum=0.5, nesterov={"a": v}),
     "SGD: expected nesterov to be True or False, got "),
    (lambda v: minitorch.SGD(minitorch.Linear(2, 2).parameters(), momentum=[v], nesterov=True),
     "SGD: expected momentum to be a number, got "),
    (lambda v: minitorch.nll_loss(ROWS, [0, 0], ignore_index=(v,)), "nll_loss: expected an int as ignore_index, got "),
    (lambda v: minitorch.cross_entropy(ROWS, [0, 0], ignore_index=(v,)),
     "cross_entropy: expected an int as ignore_index, got "),
    (lambda v: minitorch.multi_margin_loss(ROWS, [0, 0], margin=[v]),
     "multi_margin_loss: expected a number as margin, got "),
    (lambda v: minitorch.init.constant_(zeros((2,)), (0, v)), "constant_: expected a number as val, got "),
    (lambda v: minitorch.init.uniform_(zeros((2,)), "0"), "uniform_: expected a number as a, got "),
    (lambda v: minitorch.init.normal_(zeros((2,)), 0.0, [v]), "normal_: expected a number as std, got "),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG_KINDS, ids=[message for _, message in WRONG_KINDS])
def test_a_setting_of_a_wrong_kind_is_a_type_error(make: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        make(1.5)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["tanh", {}, ["relu"], None, 1])
def test_an_activation_is_one_of_the_known_words(word: Any) -> None:
    with pytest.raises(ValueError, match='linear: expected act "none" or "relu" or "relu6", got '):
        functional.linear(ROWS, zeros((1, 3)), act=word)


def test_numbers_out_of_range() -> None:
    for make in (
        lambda: minitorch.Linear(-1, 2),
        lambda: minitorch.BatchNorm1d(-1),
        lambda: minitorch.GroupNorm(0, 2),
        lambda: minitorch.Dropout(1.5),
        lambda: minitorch.dropout(ROWS, float("nan")),
        lambda: minitorch.LayerNorm(()),
        lambda: minitorch.LayerNorm(3, eps=-1),
        lambda: minitorch.BatchNorm1d(3, eps=float("nan")),
    ):
        with pytest.raises(ValueError, match="expected"):
            make()


def test_numbers_of_numpy_are_numbers() -> None:
    assert layer_size("x", "n", np.int32(3)) == 3
    assert number("x", "n", np.float32(0.5), 0, 1) == 0.5
    assert flag("x", "n", np.True_) is True
    assert minitorch.Linear(np.int64(3), np.int8(2))(ROWS).shape == (2, 2)
    assert minitorch.LayerNorm(np.int64(3))(ROWS).shape == (2, 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_linear_layer_without_input_features_gives_its_bias(backend: str) -> None:
    minitorch.set_default_backend(backend)
    layer = minitorch.Linear(0, 2)
    out = layer(zeros((3, 4, 0)))
    assert out.shape == (3, 4, 2)
    assert np.array_equal(out.to_numpy(), np.broadcast_to(layer.bias.value.to_numpy(), (3, 4, 2)))  # type: ignore[union-attr]
    assert layer(zeros((3, 0, 0))).shape == (3, 0, 2)


@pytest.mark.parametrize("shape", [(2, 3, 0, 4), (2, 3, 4, 0)])
def test_adaptive_pooling_of_images_without_pixels_is_an_error(shape: tuple[int, ...]) -> None:
    for size in (1, (4, 5)):
        with pytest.raises(IndexingError, match="adaptive_avgpool2d: expected images of at least one row"):
            minitorch.AdaptiveAvgPool2d(size)(zeros(shape))


RAGGED = [[1, 2], [0]]


@pytest.mark.parametrize(
    "read",
    [
        lambda: minitorch.Embedding(3, 2)(RAGGED),
        lambda: minitorch.cross_entropy(ROWS, RAGGED),
        lambda: minitorch.nll_loss(ROWS, RAGGED),
        lambda: minitorch.multi_margin_loss(ROWS, RAGGED),
        lambda: minitorch.mse_loss(ROWS, RAGGED),
    ],
)
def test_nested_lists_of_unequal_lengths_are_an_error(read: Callable[[], Any]) -> None:
    with pytest.raises(IndexingError, match="expected nested lists of equal lengths"):
        read()


@pytest.mark.parametrize("number", [1.5, float("nan"), 1e30])
def test_numbers_that_are_not_whole_name_no_vector(number: float) -> None:
    with pytest.raises(TypeError, match="Embedding: expected whole numbers, got "):
        minitorch.Embedding(3, 2)([0, number])


def test_nesterov_needs_momentum_in_each_group() -> None:
    p, q = minitorch.Linear(1, 1).parameters()
    for groups in (
        [{"params": [p], "momentum": 0.5}, {"params": [q]}],
        [{"params": [p, q], "momentum": 0.0}],
    ):
        with pytest.raises(ValueError, match="SGD: expected momentum > 0 and dampening 0 for nesterov"):
            minitorch.SGD(groups, nesterov=True)
    assert (
        minitorch.SGD([{"params": [p, q], "momentum": 0.5}], nesterov=True).param_groups[0]["momentum"] == 0.5
    )
