"""What is no Tensor, no int or no number is one TypeError that names the layer, loss, setting or Function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Context, Function, Scalar, ScalarFunction, Tensor, tensor
from minitorch.nn import functional

LAYERS: dict[str, Callable[[], Any]] = {
    "Linear": lambda: minitorch.Linear(3, 2),
    "Conv1d": lambda: minitorch.Conv1d(1, 1, 2),
    "Conv2d": lambda: minitorch.Conv2d(1, 1, 2),
    "BatchNorm1d": lambda: minitorch.BatchNorm1d(3),
    "BatchNorm2d": lambda: minitorch.BatchNorm2d(3),
    "LayerNorm": lambda: minitorch.LayerNorm(3),
    "GroupNorm": lambda: minitorch.GroupNorm(1, 3),
    "dropout": lambda: minitorch.Dropout(0.5),
    "Dropout2d": lambda: minitorch.Dropout2d(0.5),
    "pooling": lambda: minitorch.MaxPool2d(2),
    "Flatten": lambda: minitorch.Flatten(),
    "softmax": lambda: minitorch.Softmax(1),
    "logsoftmax": lambda: minitorch.LogSoftmax(1),
    "ReLU": lambda: minitorch.ReLU(),
    "Sigmoid": lambda: minitorch.Sigmoid(),
    "GELUFun": lambda: minitorch.GELU(),
}
LOSSES = [
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multi_margin_loss",
]
NO_TENSORS = [np.ones((2, 3)), None, [[1.0, 2.0, 3.0]], "text"]
kinds = pytest.mark.parametrize("wrong", NO_TENSORS, ids=lambda wrong: type(wrong).__name__)


@kinds
@pytest.mark.parametrize("name", LAYERS)
def test_the_input_of_a_layer(name: str, wrong: Any) -> None:
    layer = LAYERS[name]()
    layers = [layer.train(), layer.eval()] if isinstance(layer, minitorch.Module) else [layer]
    for each in layers:
        with pytest.raises(TypeError, match=rf"^{name}: expected .*Tensor.*got {type(wrong).__name__}"):
            each(wrong)


@kinds
@pytest.mark.parametrize("name", LOSSES)
def test_the_scores_of_a_loss(name: str, wrong: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: expected an input that is a Tensor, got "):
        getattr(minitorch, name)(wrong, [0, 1])


@pytest.mark.parametrize("wrong", [None, "text", [None, 1.0], np.ones((2, 3)) * 1j])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "binary_cross_entropy", "cross_entropy"])
def test_the_target_of_a_loss(name: str, wrong: Any) -> None:
    with pytest.raises((TypeError, minitorch.IndexingError), match=f"^{name}: "):
        getattr(minitorch, name)(minitorch.rand((2, 3)), wrong)


def test_a_parameter_is_not_its_value() -> None:
    layer = minitorch.Linear(3, 2)
    with pytest.raises(
        TypeError, match=r"expected a weight that is a Tensor, got Parameter; .* value of a Parameter"
    ):
        functional.linear(minitorch.rand((2, 3)), layer.weight)


def test_numbers_of_an_embedding() -> None:
    table = minitorch.Embedding(4, 2)
    for wrong in (None, "x", [None]):
        with pytest.raises(TypeError, match=r"Embedding: unsupported dtype .*: expected real numbers"):
            table(wrong)


@pytest.mark.parametrize("wrong", [[1.0, 2.0], np.ones(2), None, 3.0, tensor([1.0])], ids=repr)
def test_the_class_is_not_the_function(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"Tensor: expected TensorData, got \w+; use minitorch\.tensor"):
        Tensor(wrong)


@pytest.mark.parametrize("dim", [(0, 1), "x", 1.0, [0], np.array([0])], ids=repr)
@pytest.mark.parametrize(
    "name", ["sum", "mean", "max", "all", "softmax", "logsoftmax", "argmax", "cat", "flatten"]
)
def test_a_dimension_is_one_int(name: str, dim: Any) -> None:
    x = minitorch.rand((2, 3))
    calls: dict[str, Callable[[], Any]] = {
        "cat": lambda: minitorch.cat([x, x], dim),
        "flatten": lambda: x.flatten(dim),
        **{k: lambda k=k: getattr(minitorch, k)(x, dim) for k in ("softmax", "logsoftmax", "argmax")},
    }
    with pytest.raises(TypeError, match=r"expected an int as (dim|start_dim), got"):
        calls.get(name, lambda: getattr(x, name)(dim=dim))()


def test_integers_of_numpy_are_ints() -> None:
    n, x = np.int64, minitorch.rand((1, 2, 4, 4))
    for layer in (
        minitorch.Conv2d(n(2), n(2), n(3), n(1), n(1), n(1), n(2)),
        minitorch.MaxPool2d(n(3), n(1), n(1)),
        minitorch.AvgPool2d((n(3), n(3)), n(1), (n(1), n(1))),
        minitorch.AdaptiveAvgPool2d(n(4)),
        minitorch.LayerNorm(n(4)),
        minitorch.LayerNorm((n(4), n(4))),
        minitorch.GroupNorm(n(2), n(2)),
        minitorch.BatchNorm2d(n(2)),
        minitorch.Linear(n(4), n(4)),
    ):
        assert layer(x).shape == x.shape
    assert minitorch.zeros(n(4)).shape == (4,)
    assert x.view(n(2), n(16)).sum(n(1)).shape == (2, 1)
    assert x.flatten(n(1)).shape == (1, 32)


@pytest.mark.parametrize("wrong", [1.0, 2.5, "x", None, [1]])
def test_groups_are_an_int(wrong: Any) -> None:
    images, weight = minitorch.rand((1, 2, 3, 3)), minitorch.rand((2, 2, 1, 1))
    for call in (
        lambda: minitorch.Conv2d(2, 2, 1, groups=wrong),
        lambda: minitorch.Conv1d(2, 2, 1, groups=wrong),
        lambda: functional.conv2d(images, weight, groups=wrong),
        lambda: minitorch.GroupNorm(wrong, 2),
    ):
        with pytest.raises(TypeError, match=r"expected an int as (num_)?groups, got"):
            call()


# Functions that a user writes


def made(
    forward: Callable[[Any], Any], backward: Callable[[Any], Any], base: type = Function
) -> type[Function]:
    def run(ctx: Context, a: Any) -> Any:
        return forward(a)

    def derive(ctx: Context, d: Any) -> Any:
        return backward(d)

    return type("Own", (base,), {"forward": staticmethod(run), "backward": staticmethod(derive)})


@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize(
    "result", [lambda a: a.to_numpy(), lambda a: None, lambda a: 3.0, lambda a: [a], lambda a: (a, a)]
)
def test_forward_returns_no_tensor(result: Callable[[Any], Any], tracked: bool) -> None:
    x = minitorch.rand((2, 3), requires_grad=tracked)
    with pytest.raises(
        TypeError, match=r"^Own\.forward: expected a result of the kind of its operands \(TensorData\)"
    ):
        made(result, lambda d: d).apply(x)


@pytest.mark.parametrize("wrong", [None, (None,)])
def test_backward_returns_none(wrong: Any) -> None:
    own = made(lambda a: a, lambda d: wrong)
    with pytest.raises(TypeError, match=r"^Own\.backward: expected a derivative for operand 0, got None"):
        own.apply(minitorch.rand((2,), requires_grad=True)).sum().backward()
    with pytest.raises(TypeError, match=r"^Own\.backward: expected a derivative for operand 0, got None"):
        made(lambda a: a, lambda d: wrong, ScalarFunction).apply(Scalar(1.0)).backward()


@pytest.mark.parametrize("wrong", [[1.0, 1.0], "x", 1j, np.array([None, None])], ids=repr)
def test_backward_returns_no_numbers(wrong: Any) -> None:
    own = made(lambda a: a, lambda d: wrong)
    with pytest.raises(TypeError, match=r"^backward: "):
        own.apply(minitorch.rand((2,), requires_grad=True)).sum().backward()


def test_a_layer_of_a_sequential() -> None:
    net = minitorch.Sequential(minitorch.Linear(3, 2), minitorch.ReLU(), minitorch.Linear(2, 1))
    assert [type(layer) for layer in net[:2]] == [minitorch.Linear, minitorch.ReLU]
    assert net[np.int64(-1)] is net[2]
    for wrong in (3, -4):
        with pytest.raises(IndexError, match=f"Sequential: expected a layer number below 3, got {wrong}"):
            net[wrong]
    with pytest.raises(TypeError, match="Sequential: expected an int as index, got 'a'"):
        net["a"]
