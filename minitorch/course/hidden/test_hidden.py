"""Tests that a student does not see: each compares the student's functions with the reference on random input.

`checks.grade` copies this file beside the course's tests, and the reference solutions as ``reference_minitorch``.
"""

import importlib
import math
import random

import numpy as np
import pytest
import reference_minitorch as reference
from hypothesis import given
from hypothesis.strategies import data, integers, lists, sampled_from

import minitorch

from .helpers import close, same, small_floats, small_ints

ONE = ("sigmoid", "relu", "neg", "id")
TWO = ("mul", "add", "lt", "eq", "max", "is_close", "relu_back")
# Operators that are wrong, and the test of task 0.2 that must notice.
WRONG = {
    "test_sigmoid": ("sigmoid", lambda x: 0.7 if x > 0 else 0.2),
    "test_transitive": ("lt", lambda x, y: 1.0 if round(x) % 3 == (round(y) + 1) % 3 else 0.0),
    "test_symmetric": ("mul", lambda x, y: x * y + x),
    "test_distribute": ("mul", lambda x, y: x * y + 1.0),
}
STEPS = ("relu", "sigmoid", "neg", "log", "exp", "plus", "times", "square", "over")


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> None:
    """Draw other random tensors in each run of a grade."""
    seed = f"{request.config.getoption('hypothesis_seed')} {request.node.name}"
    random.seed(seed)
    np.random.seed(random.randrange(2**32))


@pytest.mark.task0_1
@given(small_floats, small_floats)
def test_operators(x: float, y: float) -> None:
    for name in ONE:
        close(getattr(minitorch.operators, name)(x), getattr(reference.operators, name)(x), f"{name}({x})")
    for name in TWO:
        close(
            getattr(minitorch.operators, name)(x, y),
            getattr(reference.operators, name)(x, y),
            f"{name}({x}, {y})",
        )
    x = abs(x) + 0.2
    for name in ("log_back", "inv_back"):
        close(
            getattr(minitorch.operators, name)(x, y),
            getattr(reference.operators, name)(x, y),
            f"{name}({x}, {y})",
        )


@pytest.mark.task0_2
@pytest.mark.parametrize("name", sorted(WRONG))
def test_properties_notice_a_wrong_operator(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = importlib.import_module("tests.test_task0_2")
    operator, wrong = WRONG[name]
    getattr(written, name)()
    monkeypatch.setattr(minitorch.operators, operator, wrong)
    try:
        getattr(written, name)()
    except Exception:  # a failed property, however it was written down
        return
    pytest.fail(f"{name} passes with a wrong operators.{operator}")


@pytest.mark.task0_3
@given(lists(small_floats, max_size=6))
def test_lists(ls: list[float]) -> None:
    for name in ("sum", "prod", "negList"):
        got, expected = (getattr(m.operators, name)(ls) for m in (minitorch, reference))
        assert got == pytest.approx(expected), f"{name}({ls}): expected {expected}, got {got}"
    fold = [m.operators.reduce(lambda x, total: 0.5 * total - x, 2.0)(ls) for m in (minitorch, reference)]
    close(fold[0], fold[1], f"reduce of {ls}")


@pytest.mark.task0_4
@given(data())
def test_random_trees(data: object) -> None:
    def tree(m: object, plan: list[int]) -> object:
        made = [m.Module()]
        for i, parent in enumerate(plan):
            child = m.Module()
            setattr(child, f"p{i}", m.Parameter(float(i)))
            setattr(made[parent % len(made)], f"m{i}", child)
            made.append(child)
        return made[0]

    plan = data.draw(lists(integers(0, 9), max_size=8))
    got, expected = (
        sorted((n, p.value) for n, p in tree(m, plan).named_parameters()) for m in (minitorch, reference)
    )
    same(got, expected, "named_parameters")


@pytest.mark.task1_1
@given(small_floats, small_floats, integers(0, 1))
def test_differences(x: float, y: float, arg: int) -> None:
    x, y = x / 10, y / 10
    got = minitorch.central_difference(lambda a, b: a * a * b, x, y, arg=arg)
    close(got, (2 * x * y, x * x)[arg], f"derivative of a * a * b at ({x}, {y}), argument {arg}")


def compute(x: object, y: object, steps: list[str]) -> object:
    """Apply steps to two Scalars or Tensors."""
    for step in steps:
        x = {
            "relu": lambda a: (a + 0.1).relu(),
            "sigmoid": lambda a: a.sigmoid(),
            "neg": lambda a: -a,
            "log": lambda a: (a * a + 1.0).log(),
            "exp": lambda a: (a.sigmoid() - 1.0).exp(),
            "plus": lambda a: a + y,
            "times": lambda a: a * y,
            "square": lambda a: a * a * 0.1,
            "over": lambda a: a / (y * y + 1.0),
        }[step](x)
    return x


def scalars(m: object, x: float, y: float, steps: list[str], backward: bool) -> list[float]:
    a, b = m.Scalar(x), m.Scalar(y)
    out = compute(a, b, steps) + b * 0.0
    if not backward:
        return [out.data]
    out.backward()
    return [a.derivative, b.derivative]


@pytest.mark.task1_2
@given(small_floats, small_floats, lists(sampled_from(STEPS), min_size=1, max_size=5))
def test_expressions(x: float, y: float, steps: list[str]) -> None:
    got, expected = (scalars(m, x / 50, y / 50, steps, False) for m in (minitorch, reference))
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-6), f"{steps} at ({x / 50}, {y / 50})"


@pytest.mark.task1_3
@given(small_floats, small_floats)
def test_pairs(x: float, y: float) -> None:
    found = []
    for m in (minitorch, reference):
        z = m.Scalar(x) * m.Scalar(y)
        found.append([d for _, d in z.chain_rule(2.0)])
    assert found[0] == pytest.approx(found[1]), (
        f"chain_rule of {x} * {y}: expected {found[1]}, got {found[0]}"
    )


@pytest.mark.task1_4
@given(small_floats, small_floats, lists(sampled_from(STEPS), min_size=1, max_size=6))
def test_derivatives(x: float, y: float, steps: list[str]) -> None:
    got, expected = (scalars(m, x / 50, y / 50, steps, True) for m in (minitorch, reference))
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-6), f"{steps} at ({x / 50}, {y / 50})"


@pytest.mark.task1_5
@given(small_floats, small_floats)
def test_scalar_network(x: float, y: float) -> None:
    from project.run_scalar import Network

    model = Network(3)
    out = np.array([x / 100, y / 100])
    for layer in (model.layer1, model.layer2, model.layer3):
        weights = np.array([[w.value.data for w in row] for row in layer.weights])
        out = out @ weights + np.array([b.value.data for b in layer.bias])
        out = np.maximum(out, 0.0) if layer is not model.layer3 else 1.0 / (1.0 + np.exp(-out))
    got = model.forward([minitorch.Scalar(x / 100), minitorch.Scalar(y / 100)]).data
    close(got, float(out[0]), f"Network at ({x / 100}, {y / 100})")


@pytest.mark.task2_1
@given(lists(small_ints, min_size=1, max_size=5))
def test_index_of_ordinals(shape: list[int]) -> None:
    for ordinal in range(math.prod(shape)):
        out = np.zeros(len(shape), np.int32)
        minitorch.to_index(ordinal, np.array(shape), out)
        same(
            [int(i) for i in out], [int(i) for i in np.unravel_index(ordinal, shape)], f"{ordinal} in {shape}"
        )


@pytest.mark.task2_2
@given(lists(integers(1, 3), max_size=4), lists(integers(1, 3), max_size=4))
def test_any_two_shapes(a: list[int], b: list[int]) -> None:
    try:
        expected = np.broadcast_shapes(tuple(a), tuple(b))
    except ValueError:
        with pytest.raises(minitorch.IndexingError):
            minitorch.shape_broadcast(tuple(a), tuple(b))
        return
    same(tuple(minitorch.shape_broadcast(tuple(a), tuple(b))), expected, f"shape_broadcast({a}, {b})")


def arrays(
    m: object, backend: str, x: object, y: object, steps: list[str], dim: int, backward: bool
) -> object:
    kind = getattr(m, backend)
    a, b = (m.tensor(v, backend=kind, requires_grad=True) for v in (x, y))
    out = compute(a, b, steps).permute(1, 0) + b.sum(0).view(x.shape[1], 1) * 0.5
    out = out.sum(dim) * out.mean()
    if not backward:
        return out.to_numpy()
    out.sum().backward()
    return np.concatenate([a.grad.to_numpy().ravel(), b.grad.to_numpy().ravel()])


def check_arrays(data: object, backend: str, backward: bool, most: int = 4) -> None:
    shape = data.draw(integers(1, most)), data.draw(integers(1, most))
    generator = np.random.default_rng(data.draw(integers(0, 2**32)))
    x, y = generator.normal(size=shape), generator.normal(size=shape)
    steps = data.draw(lists(sampled_from(STEPS), min_size=1, max_size=4))
    dim = data.draw(integers(0, 1))
    got = arrays(minitorch, backend, x, y, steps, dim, backward)
    expected = arrays(reference, "SimpleBackend", x, y, steps, dim, backward)
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-6), f"{steps}, shape {shape}, dimension {dim}"


@pytest.mark.task2_3
@given(data())
def test_tensors(data: object) -> None:
    check_arrays(data, "SimpleBackend", False)


@pytest.mark.task2_4
@given(data())
def test_gradients(data: object) -> None:
    check_arrays(data, "SimpleBackend", True)


@pytest.mark.task3_1
@given(data())
def test_fast(data: object) -> None:
    check_arrays(data, "FastBackend", data.draw(sampled_from((False, True))))


@pytest.mark.task3_3
def test_cuda_sums() -> None:
    x = np.random.default_rng(random.randrange(2**32)).normal(size=(3, 11))
    t = minitorch.tensor(x, backend=minitorch.CudaBackend)
    assert (t * t).sum(1).to_numpy() == pytest.approx((x * x).sum(1, keepdims=True))
    assert t.permute(1, 0).sum(1).to_numpy() == pytest.approx(x.T.sum(1, keepdims=True))


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("FastBackend", marks=pytest.mark.task3_2),
        pytest.param("CudaBackend", marks=pytest.mark.task3_4),
    ],
)
def test_products(backend: str) -> None:
    kind = getattr(minitorch, backend)
    for _ in range(2):
        n, rows, inner, columns = (random.randint(1, 6) for _ in range(4))
        x, y = np.random.rand(n, inner, rows), np.random.rand(1, inner, columns)
        got = minitorch.tensor(x, backend=kind).permute(0, 2, 1) @ minitorch.tensor(y, backend=kind)
        assert got.to_numpy() == pytest.approx(x.transpose(0, 2, 1) @ y), (
            f"{(n, rows, inner)} @ {(1, inner, columns)}"
        )


def convolution(x: object, w: object) -> object:
    """The anchored convolution (N, C, H, W) * (O, C, KH, KW), by NumPy."""
    out = np.zeros((x.shape[0], w.shape[0], *x.shape[2:]))
    padded = np.pad(x, ((0, 0), (0, 0), (0, w.shape[2]), (0, w.shape[3])))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            part = padded[:, :, i : i + x.shape[2], j : j + x.shape[3]]
            out += np.einsum("nchw,oc->nohw", part, w[:, :, i, j])
    return out


def check_convolution(one: object, two: object, dims: int, backend: object) -> None:
    n, c, o = (random.randint(1, 3) for _ in range(3))
    h, w = (1 if dims == 1 else random.randint(1, 5)), random.randint(1, 5)
    kh, kw = (1 if dims == 1 else random.randint(1, 4)), random.randint(1, 4)
    x, weight = np.random.rand(n, c, h, w), np.random.rand(o, c, kh, kw)
    expected = convolution(x, weight)
    if dims == 1:
        got = one(
            minitorch.tensor(x[:, :, 0], backend=backend), minitorch.tensor(weight[:, :, 0], backend=backend)
        )
        assert got.to_numpy() == pytest.approx(expected[:, :, 0]), f"{x.shape} with {weight.shape}"
    else:
        got = two(minitorch.tensor(x, backend=backend), minitorch.tensor(weight, backend=backend))
        assert got.to_numpy() == pytest.approx(expected), f"{x.shape} with {weight.shape}"


@pytest.mark.parametrize(
    "dims", [pytest.param(1, marks=pytest.mark.task4_1), pytest.param(2, marks=pytest.mark.task4_2)]
)
def test_convolution(dims: int) -> None:
    for _ in range(5):
        check_convolution(minitorch.conv1d, minitorch.conv2d, dims, minitorch.FastBackend)


@pytest.mark.task4_4b
@pytest.mark.parametrize("dims", [1, 2])
def test_cuda_convolution(dims: int) -> None:
    from minitorch import cuda_conv

    check_convolution(cuda_conv.conv1d, cuda_conv.conv2d, dims, minitorch.CudaBackend)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("avgpool2d", marks=pytest.mark.task4_3),
        pytest.param("maxpool2d", marks=pytest.mark.task4_4),
    ],
)
def test_pooling(name: str) -> None:
    kh, kw, rows, columns = (random.randint(1, 3) for _ in range(4))
    x = np.random.rand(2, 2, rows * kh, columns * kw)
    tiles = x.reshape(2, 2, rows, kh, columns, kw)
    expected = tiles.mean((3, 5)) if name == "avgpool2d" else tiles.max((3, 5))
    got = getattr(minitorch, name)(minitorch.tensor(x, backend=minitorch.FastBackend), (kh, kw))
    assert got.to_numpy() == pytest.approx(expected), f"{name} of {x.shape} with {(kh, kw)}"


@pytest.mark.task4_4
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_softmax_of_random_numbers(shift: float) -> None:
    x = np.random.normal(size=(3, 4)) + shift
    shifted = np.exp(x - x.max(1, keepdims=True))
    expected = shifted / shifted.sum(1, keepdims=True)
    t = minitorch.tensor(x, backend=minitorch.FastBackend)
    assert minitorch.softmax(t, 1).to_numpy() == pytest.approx(expected, rel=1e-4)
    assert minitorch.logsoftmax(t, 1).to_numpy() == pytest.approx(np.log(expected), rel=1e-4)
