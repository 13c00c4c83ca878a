"""Every layer against PyTorch's of the same name: random shapes, settings, layouts, backends and dtypes, drawn by seed.

A line of `ROWS` says how a layer's settings and input shape are drawn; the rest is common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor

from ..support.differential import (
    Array,
    Case,
    Config,
    Row,
    Sampler,
    Settings,
    Shape,
    cases,
    reference_leaf,
    torch,
)


def elements_of(case: Case) -> Array:
    """Return an input: numbers of rows for an Embedding, else as the dtype wants it, with ties now and then."""
    rng, shape = case.config.rng(), case.shape
    if case.row.name == "Embedding":
        return rng.integers(0, case.settings["num_embeddings"], shape)
    elements = rng.normal(0, 1.5, shape)
    tied = case.row.ties and case.config.seed % 3 == 0
    return np.asarray(np.round(elements) if tied else elements).astype(case.config.dtype)


def linear(d: Sampler, n: int) -> tuple[Settings, Shape]:
    ins, outs = d.size(n), d.size(n)
    return {"in_features": ins, "out_features": outs, **d.some(bias=False)}, (*d.sizes(0, 3, n), ins)


def at(value: Any, axis: int) -> int:
    return value if isinstance(value, int) else value[axis]


def conv(dims: int) -> Callable[[Sampler, int], tuple[Settings, Shape]]:
    def draw(d: Sampler, n: int) -> tuple[Settings, Shape]:
        two = d.pair if dims == 2 else d.randint
        groups = d.size(3)
        ins, outs = (groups * d.size(max(2, n // 2)) for _ in range(2))
        kernel, stride, dilation = two(1, 3), two(1, 3), two(1, 2)
        padding: Any = d.choice([two(0, 2), two(0, 2), "valid", "same"])
        options = d.some(stride=stride, padding=padding, dilation=dilation, groups=groups, bias=False)
        if options.get("padding") == "same":
            options.pop("stride", None)
        if "groups" not in options:
            ins, outs = d.size(n), d.size(n)
        backend = [0 if isinstance(padding, str) else 2 * at(padding, k) for k in range(dims)]
        if "padding" not in options:
            backend = [0] * dims
        least = [at(dilation, k) * (at(kernel, k) - 1) + 1 - backend[k] for k in range(dims)]
        sizes = tuple(max(1, low) + d.randint(0, n) for low in least)
        return {"in_channels": ins, "out_channels": outs, "kernel_size": kernel, **options}, (
            d.size(n),
            ins,
            *sizes,
        )

    return draw


def large_linear(d: Sampler, n: int) -> tuple[Settings, Shape]:
    """Draw sizes around those of vectors and blocks, except for the reference backend."""
    rows, ins, outs = (d.randint(1, n) if n < 4 else d.choice([7, 8, 17, 33, 64, 130]) for _ in range(3))
    return {"in_features": ins, "out_features": outs}, (rows, ins)


def large_conv(d: Sampler, n: int) -> tuple[Settings, Shape]:
    """Draw images and channels as networks have them, mostly with kernels of 3x3, except for the reference backend."""
    ins, outs = (d.randint(1, n) if n < 4 else d.choice([3, 8, 17, 32]) for _ in range(2))
    kernel, stride = d.choice([3, 3, 3, 1, 5]), d.choice([1, 1, 1, 2])
    sizes = (d.randint(3, 5 if n < 4 else 30) for _ in range(2))
    options = {"stride": stride, "padding": d.randint(1, 2), **d.some(bias=False)}
    return {"in_channels": ins, "out_channels": outs, "kernel_size": kernel, **options}, (
        d.size(3),
        ins,
        *sizes,
    )


def pool(d: Sampler, n: int, **more: Any) -> tuple[Settings, Shape]:
    kernel = d.pair(1, 3)
    half: Any = tuple(d.randint(0, at(kernel, k) // 2) for k in range(2))
    options = d.some(stride=d.pair(1, 3), padding=half, ceil_mode=True, **more)
    dilation = options.get("dilation", 1)
    sizes = (at(dilation, k) * (at(kernel, k) - 1) + 1 + d.randint(0, n) for k in range(2))
    return {"kernel_size": kernel, **options}, (d.size(n), d.size(n), *sizes)


def batch_norm(least: int, most: int) -> Callable[[Sampler, int], tuple[Settings, Shape]]:
    def draw(d: Sampler, n: int) -> tuple[Settings, Shape]:
        options = d.some(eps=10 ** d.uniform(-5, -1), momentum=d.random(), affine=False)
        options |= {"track_running_stats": False} if d.flag(0.2) else {}
        features = d.size(n)
        sizes = d.sizes(least - 2, most - 2, n)
        return {"num_features": features, **options}, (d.randint(2, max(3, n)), features, *sizes)

    return draw


def layer_norm(d: Sampler, n: int) -> tuple[Settings, Shape]:
    last = d.sizes(1, 2, n)
    shape: Any = last[0] if len(last) == 1 and d.flag() else last
    options = d.some(eps=10 ** d.uniform(-5, -1), elementwise_affine=False)
    return {"normalized_shape": shape, **options}, (*d.sizes(1, 2, n), *last)


def group_norm(d: Sampler, n: int) -> tuple[Settings, Shape]:
    groups, each = d.size(3), d.size(max(2, n // 2))
    options = d.some(eps=10 ** d.uniform(-5, -1), affine=False)
    shape = (d.size(n), groups * each, *d.sizes(0, 2, n))
    if math.prod(shape[1:]) == groups:  # one value per group: PyTorch refuses it
        shape = (*shape, 2)
    return {"num_groups": groups, "num_channels": groups * each, **options}, shape


def embedding(d: Sampler, n: int) -> tuple[Settings, Shape]:
    return {"num_embeddings": d.size(n), "embedding_dim": d.size(n)}, d.sizes(0, 3, n)


def flat(d: Sampler, n: int) -> tuple[Settings, Shape]:
    shape = d.sizes(2, 5, min(n, 5))
    start = d.randrange(len(shape))
    end = d.randrange(start, len(shape))
    back = d.choice([0, len(shape)])
    return {"start_dim": start - back, "end_dim": end - back} if d.flag() else {}, shape


def along(d: Sampler, n: int) -> tuple[Settings, Shape]:
    shape = d.sizes(1, 4, n)
    return {"dim": d.randrange(-len(shape), len(shape))}, shape


def drop(dims: Sequence[int]) -> Callable[[Sampler, int], tuple[Settings, Shape]]:
    def draw(d: Sampler, n: int) -> tuple[Settings, Shape]:
        count = d.choice(dims)
        return d.some(p=d.choice([0.0, 0.2, 0.7, 1.0])), d.sizes(count, count, n)

    return draw


def any_shape(**ranges: Callable[[Sampler], Any]) -> Callable[[Sampler, int], tuple[Settings, Shape]]:
    return lambda d, n: (d.some(**{k: fn(d) for k, fn in ranges.items()}), d.sizes(0, 4, n))


def network(d: Sampler, n: int) -> tuple[Settings, Shape]:
    """Draw a stack of layers that fit each other, as pairs of a name and settings."""
    batch, ins, outs, hidden = d.randint(2, 3), d.size(3), 2 * d.size(2), d.randint(3, 4)
    activation = lambda: (d.choice(["ReLU", "Tanh", "Sigmoid", "LeakyReLU", "GELU"]), {})  # noqa: E731
    norm = [("BatchNorm2d", {"num_features": outs}), ("GroupNorm", {"num_groups": 2, "num_channels": outs})]
    pools = [("MaxPool2d", {"kernel_size": 2}), ("AvgPool2d", {"kernel_size": 2}), ("Identity", {})]
    rows = [("LayerNorm", {"normalized_shape": hidden}), ("Dropout", {"p": 0.0}), ("Identity", {})]
    last = [("Softmax", {"dim": 1}), ("LogSoftmax", {"dim": -1}), ("Identity", {})]
    stack = [
        ("Conv2d", {"in_channels": ins, "out_channels": outs, "kernel_size": 3, "padding": 1}),
        *d.sample([d.choice(norm), activation(), d.choice(pools)], 3),
        ("AdaptiveAvgPool2d", {"output_size": 2}),
        ("Flatten", {}),
        ("Linear", {"in_features": 4 * outs, "out_features": hidden}),
        *d.sample([d.choice(rows), activation()], 2),
        d.choice(last),
    ]
    return {"stack": stack}, (batch, ins, d.randint(4, 4 + n), d.randint(4, 4 + n))


def followed(d: Sampler, n: int) -> tuple[Settings, Shape]:
    """Draw a layer and an activation, which a backend may compute in one go."""
    name, draw = d.choice(
        [("Linear", linear), ("Conv1d", conv(1)), ("Conv2d", conv(2)), ("BatchNorm1d", batch_norm(2, 3)),
         ("BatchNorm2d", batch_norm(4, 4)), ("LayerNorm", layer_norm), ("GroupNorm", group_norm)]
    )  # fmt: skip
    settings, shape = draw(d, n)
    activation = d.choice(
        [("ReLU", {}), ("Sigmoid", {}), ("Tanh", {}), ("LeakyReLU", d.some(negative_slope=0.3)), ("GELU", {})]
    )
    return {"stack": [(name, settings), activation]}, shape


def stacked(nn: Any, name: str, settings: Settings) -> Any:
    return getattr(nn, name)(*(getattr(nn, part)(**options) for part, options in settings["stack"]))


TWICE = (("train",), ("eval",), ("train", "eval"), ("train", "train", "eval"), ("eval", "train"))
ROWS = [
    Row("Linear", linear),
    Row("Linear", large_linear, note="large"),
    Row("Conv1d", conv(1)),
    Row("Conv2d", conv(2)),
    Row("Conv2d", large_conv, note="large"),
    Row("MaxPool2d", lambda d, n: pool(d, n, dilation=d.pair(1, 2)), ties=True),
    Row("AvgPool2d", lambda d, n: pool(d, n, count_include_pad=False)),
    Row("AdaptiveAvgPool2d", lambda d, n: ({"output_size": d.pair(1, 4)}, d.sizes(4, 4, n))),
    Row("BatchNorm1d", batch_norm(2, 3), modes=TWICE),
    Row("BatchNorm2d", batch_norm(4, 4), modes=TWICE),
    Row("LayerNorm", layer_norm),
    Row("GroupNorm", group_norm),
    Row("Embedding", embedding),
    Row("Flatten", flat, ties=True),
    Row("Softmax", along, ties=True),
    Row("LogSoftmax", along, ties=True),
    Row("Dropout", drop([0, 1, 2, 3, 4]), modes=(("eval",),)),
    Row("Dropout2d", drop([4]), modes=(("eval",),)),
    Row("Identity", any_shape()),
    Row("ReLU", any_shape(), ties=True),
    Row("Sigmoid", any_shape()),
    Row("Tanh", any_shape()),
    Row("LeakyReLU", any_shape(negative_slope=lambda d: d.random()), ties=True),
    Row("GELU", any_shape(approximate=lambda d: "tanh")),
    Row("Sequential", network, stacked, modes=TWICE),
    Row("Sequential", followed, stacked, modes=TWICE, note="of a pair"),
    Row("Sequential", followed, stacked, modes=TWICE, note="of another pair"),
]
DROPS = [
    Row("Dropout", lambda d, n: ({"p": d.choice([0.0, 0.2, 0.5, 0.9, 1.0])}, d.sizes(0, 4, n))),
    Row("Dropout2d", lambda d, n: ({"p": d.choice([0.0, 0.2, 0.5, 0.9, 1.0])}, d.sizes(4, 4, n))),
]


def random_state(layer: Any, rng: np.random.Generator) -> dict[str, Array]:
    """Return numbers for all that a layer keeps, of the size that training begins with; vectors are positive."""
    state = {}
    for name, array in layer.state_dict().items():
        elements = rng.normal(0, 1 / math.sqrt(math.prod(array.shape[1:])), array.shape)
        elements = np.abs(elements) + 0.3 if name.endswith("var") or array.ndim == 1 else elements
        state[name] = array if array.dtype.kind == "i" else elements.astype(array.dtype)
    return state


def expected(case: Case) -> None:
    """Pass an input through both layers and back, and compare outputs, gradients and what the layers keep."""
    config, rng = case.config, case.config.rng()
    config.settle()
    ours, theirs = (case.row.build(nn, case.row.name, case.settings) for nn in (minitorch, torch.nn))
    module = isinstance(ours, minitorch.Module)
    if module:
        state = random_state(ours, rng)
        ours.load_state_dict(state)
        theirs.double().load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    elements = elements_of(case)
    whole = elements.dtype.kind == "i"
    for way in case.ways:
        theirs.train(way == "train")
        if module:
            ours.train(way == "train")
        x, t = (
            (elements, torch.tensor(elements)) if whole else (config.leaf(elements), reference_leaf(elements))
        )
        out, expected = ours(x), theirs(t)
        assert (out.dtype, out.backend) == (config.dtype, minitorch.get_default_backend())
        config.agree(f"output in {way}", out, expected)
        weights = rng.normal(size=out.shape).astype(config.dtype)
        out.backward(config.leaf(weights).detach())
        expected.backward(torch.from_numpy(weights).double())
        if not whole:
            config.agree(f"input gradient in {way}", x.grad, t.grad)
        if module:
            references = dict(theirs.named_parameters())
            assert [name for name, _ in ours.named_parameters()] == list(references)
            for name, p in ours.named_parameters():
                config.agree(f"{name} gradient in {way}", p.grad, references[name].grad)
            assert list(ours.state_dict()) == list(theirs.state_dict())
            for name, kept in ours.state_dict().items():
                config.agree(f"{name} after {way}", kept, theirs.state_dict()[name])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("case", cases(ROWS, 36))
def test_layer(case: Case) -> None:
    expected(case)


@pytest.mark.parametrize("case", cases(DROPS, 36))
def test_dropout_in_training(case: Case) -> None:
    """PyTorch's mask cannot be ours: its arithmetic is, with the mask that our output shows."""
    config, p = case.config, case.settings["p"]
    config.settle()
    layer = getattr(minitorch, case.row.name)(p)
    elements = np.abs(elements_of(case)) + np.float32(0.5)
    minitorch.manual_seed(config.seed)
    x = config.leaf(elements)
    out = layer(x)
    kept = np.asarray(out) != 0
    if case.row.name == "Dropout2d":
        assert (kept == kept[:, :, :1, :1]).all()
    if p in (0, 1):
        assert (kept == (p == 0)).all()
    t = reference_leaf(elements)
    expected = t * torch.tensor(kept) / (1 - p if p < 1 else 1)
    config.agree("output", out, expected)
    out.sum().backward()
    expected.sum().backward()
    config.agree("input gradient", x.grad, t.grad)
    minitorch.manual_seed(config.seed)
    assert ((np.asarray(layer(config.leaf(elements))) != 0) == kept).all()


class Off(minitorch.Linear):
    """A layer whose output is wrong, or whose gradient is, by little."""

    def __init__(self, *sizes: int, forward: float, backward: float) -> None:
        super().__init__(*sizes)
        self.factors = (forward, backward)

    def forward(self, x: Tensor) -> Tensor:
        out, (one, other) = super().forward(x), self.factors
        return out.detach() * (one - other) + out * other


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("factors", "what"),
    [((1.0, 1.0), None), ((1.001, 1.0), "output in train"), ((1.0, 1.001), "input gradient in train")],
)
def test_a_layer_that_is_wrong_by_little_fails(
    factors: tuple[float, float], what: str | None, dtype: str
) -> None:
    def build(nn: Any, name: str, settings: Settings) -> Any:
        one, other = factors
        return Off(3, 2, forward=one, backward=other) if nn is minitorch else nn.Linear(3, 2)

    config = Config(1, "fast", dtype, "packed", 4)
    case = Case(Row("Linear", linear, build), config, {}, (4, 3), ("train",))
    if what is None:
        expected(case)
        return
    with pytest.raises(AssertionError, match=what):
        expected(case)


def test_every_public_layer_is_drawn() -> None:
    public = {name: getattr(minitorch, name) for name in minitorch.__all__}
    classes = {name: kind for name, kind in public.items() if isinstance(kind, type)}
    modules = {name for name, kind in classes.items() if issubclass(kind, minitorch.Module)} - {"Module"}
    activations = {
        name
        for name, kind in classes.items()
        if issubclass(kind, minitorch.Function) and hasattr(torch.nn, name)
    }
    assert {"ReLU", "Sigmoid", "Tanh"} <= activations
    assert modules | activations == {row.name for row in ROWS}
    assert {row.name for row in DROPS} == {name for name in modules if "Dropout" in name}
