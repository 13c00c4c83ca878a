"""Nothing reads or writes outside of its storage: shapes, strides and sizes are checked before a kernel runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import BackendError, IndexingError, Parameter, Tensor, TensorBackend, tensor, zeros
from minitorch.runtime.types import ConvParams, PoolParams
from minitorch.tensor_functions.fused import ScaleShift

from ..support.op_table import BACKENDS


@pytest.fixture(autouse=True, params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Make each backend in turn the default one."""
    minitorch.set_default_backend(request.param)
    return request.param


# Gradients


def test_a_gradient_has_the_shape_of_its_tensor() -> None:
    t = zeros((2, 3))
    for wrong in (zeros((3, 2)), zeros((1,)), zeros((6,)), zeros((2, 4))):
        with pytest.raises(IndexingError, match=r"grad: expected a gradient of shape \(2, 3\)"):
            t.grad = wrong
    assert t.grad is None
    t.grad = zeros((3, 2)).permute(1, 0)
    assert t.grad.shape == (2, 3)
    t.grad = None


def test_a_gradient_has_the_dtype_of_its_tensor() -> None:
    t = zeros((2,), dtype="float32")
    with pytest.raises(TypeError, match="expected dtype float32 as of the tensor, got float64"):
        t.grad = zeros((2,), dtype="float64")
    with pytest.raises(TypeError, match="expected a Tensor or None, got ndarray"):
        t.grad = np.zeros(2)  # type: ignore[assignment]


def test_a_gradient_is_in_the_backend_of_its_tensor(backend: str) -> None:
    t = zeros((2,))
    with pytest.raises(BackendError, match="different backends"):
        t.grad = zeros((2,), "fast" if backend == "simple" else "simple")
    t.grad = Tensor(t._tensor)
    t.type_("fast" if backend == "simple" else "simple")
    assert t.grad is None  # it stayed behind


# Operands of layers


def test_a_bias_of_another_shape_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = zeros((2, 4)), zeros((5, 4))
    for wrong in ((1,), (4,), (6,), (5, 1), ()):
        with pytest.raises(IndexingError, match=r"linear: expected bias of shape \(5,\)"):
            minitorch.nn.functional.linear(x, w, zeros(wrong))
        with pytest.raises(IndexingError, match=r"conv2d: expected a bias \(5,\)"):
            minitorch.conv2d(zeros((1, 1, 3, 3)), zeros((5, 1, 2, 2)), zeros(wrong), padding=0)
    monkeypatch.setenv("MINITORCH_FUSE", "0")
    plain = TensorBackend(x.backend.ops)
    with pytest.raises(IndexingError, match=r"linear: expected bias of shape \(5,\)"):
        plain.linear(x._tensor, w._tensor, zeros((1,))._tensor, "none")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["running_mean", "running_var"])
def test_running_statistics_of_another_shape_are_an_error(training: bool, name: str) -> None:
    layer = minitorch.BatchNorm1d(3).train(training)
    for wrong in ((1,), (2,), (4,), (3, 1)):
        setattr(layer, name, zeros(wrong))
        with pytest.raises(IndexingError, match=rf"BatchNorm1d: expected {name} of shape \(3,\)"):
            layer(minitorch.rand((4, 3)))
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_of_norms_of_another_shape_are_an_error(name: str) -> None:
    layers = [minitorch.BatchNorm2d(4), minitorch.BatchNorm2d(4).eval(), minitorch.GroupNorm(2, 4)]
    for layer in (*layers, minitorch.LayerNorm((4, 2, 2))):
        setattr(layer, name, zeros((1,)))
        with pytest.raises(IndexingError, match=rf"expected {name} of shape .*, got \(1,\)"):
            layer(minitorch.rand((3, 4, 2, 2)))


def test_a_scale_of_another_shape_is_an_error() -> None:
    with pytest.raises(IndexingError, match="scale_shift: expected weight"):
        ScaleShift.apply(zeros((2, 3, 4)), zeros((1, 1, 1)), zeros((1, 3, 1)))


def test_a_replaced_parameter_is_stepped_with_fresh_states() -> None:
    p = Parameter(zeros((2,)))
    p.value.grad = tensor([1.0, 1.0])
    minitorch.Adam([p]).step()
    p.update(zeros((300,)))
    p.value.grad = zeros((300,)) + 1.0
    minitorch.Adam([p], lr=0.5).step()
    assert np.allclose(p.value.to_numpy(), -0.5)


# Storage, shape and strides

LAYOUTS = [
    ((2, 2), (3000, 1)),
    ((2, 2), (10**9, 1)),
    ((2, 2), (2**62, 1)),
    ((2, 2), (2, 2)),
    ((2, 2), (-2, 1)),
    ((4,), (-1,)),
    ((2, 2), (2.0, 1.0)),
    ((2, 2), (1.5, 1)),
    ((2.0, 2.0), (2, 1)),
    ((-2, -2), (2, 1)),
    ((-4, -1), None),
    ((4, 1), (1, 2**63)),
    ((4.0,), None),
    (("4",), None),
    ((4,), (None,)),
    ((1,) * 32 + (4,), None),
]


@pytest.mark.parametrize(("shape", "strides"), LAYOUTS)
def test_a_layout_outside_of_its_storage_is_an_error(shape: Any, strides: Any) -> None:
    storage = np.arange(4.0)
    with pytest.raises(IndexingError, match="TensorData: "):
        Tensor.make(storage, shape, strides)
    assert storage.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("shape", "strides"),
    [((2, 2), (1, 2)), ((2, 2), (0, 3)), ((4, 1), (1, -7)), ((np.int64(2), True, 2), (2, 9, 1)), ((), ())],
)
def test_a_layout_inside_of_its_storage_is_read_as_it_says(shape: Any, strides: Any) -> None:
    size = int(np.prod(shape))
    storage = np.arange(float(size))
    steps = [8 * s for s in strides]
    expected = np.ndarray(tuple(map(int, shape)), np.float64, storage, strides=steps)
    assert np.array_equal((Tensor.make(storage, shape, strides) + 1.0).to_numpy(), expected + 1.0)


def test_sizes_and_strides_are_plain_ints() -> None:
    t = Tensor.make(np.zeros(4), (np.int32(2), 2), (np.int64(2), 1))
    assert [type(n) for n in t.shape + t._tensor.strides] == [int] * 4


def test_empty_layouts() -> None:
    assert Tensor.make([], (0, 3), (5, 100)).sum().item() == 0.0
    with pytest.raises(IndexingError, match="expected at most"):
        Tensor.make([], (2**40, 2**40, 0))
    with pytest.raises(IndexingError, match="expected at most"):
        zeros((0,)).view(2**40, 2**40, 0)
    with pytest.raises(IndexingError, match="expected at most"):
        zeros((2**40, 2**40))


def test_a_storage_is_flat() -> None:
    with pytest.raises(IndexingError, match=r"expected a flat storage, got one of shape \(2, 2\)"):
        Tensor.make(np.zeros((2, 2)), (2,))


def strided(kind: str) -> Any:
    base = np.random.default_rng(0).normal(size=600)
    if kind == "unaligned":
        return np.frombuffer(b"x" + base[:72].tobytes(), np.float64, 72, 1)
    return {"steps": base[::2], "backwards": base[::-1], "column": base.reshape(-1, 3)[:, 1]}[kind][:72]


@pytest.mark.parametrize("kind", ["steps", "backwards", "column", "unaligned"])
def test_a_storage_with_steps_is_taken_as_it_reads(kind: str) -> None:
    a = strided(kind)
    flat, images = Tensor.make(a, (72,)), Tensor.make(a, (2, 1, 6, 6))
    assert np.array_equal(flat.to_numpy(), a)
    np.testing.assert_allclose(flat.sum().item(), a.sum())
    assert flat.max().item() == a.max()
    weight = tensor(np.ones((1, 1, 2, 2)))
    copied = tensor(np.array(a)).view(2, 1, 6, 6)
    assert np.array_equal(
        minitorch.conv2d(images, weight, padding=0).to_numpy(),
        minitorch.conv2d(copied, weight, padding=0).to_numpy(),
    )
    columns = Tensor.make(a, (9, 8), (1, 9))
    np.testing.assert_allclose(columns.sum(0).to_numpy()[0], np.array(a).reshape(8, 9).T.sum(0))


def test_a_packed_storage_is_not_copied() -> None:
    storage = np.zeros(4)
    Tensor.make(storage, (2, 2))[0, 1] = 3.0
    assert storage.tolist() == [0, 3, 0, 0]


def test_more_dimensions_than_an_index_holds_are_an_error() -> None:
    for make in (
        lambda: zeros((1,) * 33),
        lambda: zeros((2,)).view(*(1,) * 32, 2),
        lambda: tensor(np.zeros((1,) * 33)),
    ):
        with pytest.raises(IndexingError, match="expected at most 32 dimensions, got 33"):
            make()


# Reductions of nothing


def poisoned(shape: tuple[int, ...]) -> Tensor:
    """Make a tensor after the blocks of its size were full of other numbers."""
    for _ in range(3):
        junk = tensor(np.full((8, 8), 7.0)) * 3.0
        del junk
    return zeros(shape)


@pytest.mark.parametrize("shape", [(0, 8), (0, 64), (0, 1), (0, 3, 5), (2, 0, 9), (2, 3, 0), (0,)])
def test_a_reduction_of_nothing_is_its_start(shape: tuple[int, ...]) -> None:
    dim = shape.index(0)
    kept = (*shape[:dim], 1, *shape[dim + 1 :])
    for t in (poisoned(shape), poisoned(shape[::-1]).permute(*reversed(range(len(shape))))):
        assert np.array_equal(t.sum(dim).to_numpy(), np.zeros(kept))
        assert np.array_equal(t.all(dim).to_numpy(), np.ones(kept))
        assert np.array_equal(t.f.max_reduce(t._tensor, dim).to_numpy(), np.full(kept, -np.inf))
        with pytest.raises(IndexingError, match="max: expected at least one element"):
            t.max(dim)
        assert t.sum().item() == 0.0
        assert t.all().item() == 1.0


def test_a_product_over_nothing_is_zero() -> None:
    assert np.array_equal((poisoned((4, 0)) @ zeros((0, 5))).to_numpy(), np.zeros((4, 5)))
    assert np.array_equal((poisoned((2, 4, 0)) @ zeros((2, 0, 5))).to_numpy(), np.zeros((2, 4, 5)))


def test_an_empty_batch_gives_zero_gradients() -> None:
    layers: list[tuple[Any, tuple[int, ...]]] = [
        (minitorch.Linear(5, 8), (0, 5)),
        (minitorch.Sequential(minitorch.Linear(5, 8), minitorch.ReLU()), (0, 5)),
        (minitorch.Conv2d(2, 8, 3), (0, 2, 4, 4)),
        (minitorch.Conv2d(2, 8, 2, bias=False, stride=2, padding=1), (0, 2, 4, 4)),
        (minitorch.Conv2d(2, 8, (1, 1), groups=2), (0, 2, 4, 4)),
        (minitorch.BatchNorm2d(8).eval(), (0, 8, 2, 2)),
        (minitorch.LayerNorm((2, 8)), (0, 2, 8)),
        (minitorch.GroupNorm(2, 8), (0, 8, 2)),
        (minitorch.MaxPool2d(2), (0, 2, 4, 4)),
    ]
    for layer, shape in layers:
        x = poisoned(shape).requires_grad_()
        layer(x).sum().backward()
        assert x.grad is not None
        assert x.grad.shape == shape
        for p in layer.parameters():
            assert np.array_equal(p.grad.to_numpy(), np.zeros(p.shape)), layer
    bias = zeros((8,)).requires_grad_()
    (poisoned((0, 8)) + bias).sum().backward()
    assert np.array_equal(bias.grad.to_numpy(), np.zeros(8))  # type: ignore[union-attr]


# Settings of convolution and pooling

HUGE = 2**62


@pytest.mark.parametrize(
    ("x", "w"),
    [
        ((2, 3, 4, 4), (2, 3, 0, 2)),
        ((2, 3, 4, 4), (2, 3, 2, 0)),
        ((2, 0, 4, 4), (2, 0, 2, 2)),
        ((2, 3, 4, 4), (0, 3, 2, 2)),
        ((2, 3, 0, 4), (2, 3, 2, 2)),
        ((2, 3, 4, 0), (2, 3, 2, 2)),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"padding": 0}, {"padding": 2}, {"padding": 1, "stride": 2}])
def test_an_empty_kernel_or_channel_is_an_error(x: Any, w: Any, settings: dict[str, Any]) -> None:
    for bias in (None, zeros(w[:1])):
        with pytest.raises(IndexingError, match="conv2d: "):
            minitorch.conv2d(zeros(x), zeros(w), bias, **settings)


@pytest.mark.parametrize("value", [HUGE, 2**31, 2**63, 2**200, (1, HUGE)])
@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
def test_huge_settings_are_an_error(name: str, value: Any) -> None:
    x = zeros((1, 1, 4, 4))
    with pytest.raises(ValueError, match=rf"{name}: expected at most 2147483647"):
        minitorch.conv2d(x, zeros((1, 1, 2, 2)), **{name: value})
    with pytest.raises(ValueError, match=rf"{name}: expected at most 2147483647"):
        minitorch.maxpool2d(x, 2, **{name: value})
    with pytest.raises(ValueError, match="kernel: expected at most 2147483647"):
        minitorch.avgpool2d(x, value, 1)


def test_products_of_settings_stay_countable() -> None:
    x, w = zeros((1, 1, 4, 4)), zeros((1, 1, 2, 2))
    with pytest.raises(IndexingError, match="expected a padded input of at most 2147483647 pixels"):
        minitorch.conv2d(x, w, padding=2**30, stride=2**30)
    with pytest.raises(IndexingError, match="more than the padded input"):
        minitorch.conv2d(x, w, dilation=2**31 - 1, padding=0)
    with pytest.raises(IndexingError, match="expected padded images of at most"):
        minitorch.maxpool2d(x, 2**31 - 2, 1, 2**30 - 1)


@pytest.mark.parametrize("stride", [3, 1000, 2**31 - 1, (2**31 - 1, 1), (1, 2**20)])
def test_a_stride_beyond_the_image_takes_one_step(stride: Any) -> None:
    x = minitorch.rand((2, 3, 4, 4)).requires_grad_()
    w = minitorch.rand((4, 3, 2, 2)).requires_grad_()
    out = minitorch.conv2d(x, w, stride=stride, padding=0)
    rows, cols = (-(-3 // s) for s in ((stride, stride) if isinstance(stride, int) else stride))
    expected = minitorch.conv2d(x.detach(), w.detach(), padding=0).to_numpy()[:, :, :rows, :cols]
    np.testing.assert_allclose(out.to_numpy(), expected)
    out.sum().backward()
    change = np.zeros((2, 4, 3, 3))
    change[:, :, :rows, :cols] = 1.0
    x2, w2 = x.detach().clone().requires_grad_(), w.detach().clone().requires_grad_()
    minitorch.conv2d(x2, w2, padding=0).backward(tensor(change))
    for got, wanted in ((x.grad, x2.grad), (w.grad, w2.grad)):
        assert got is not None
        assert wanted is not None
        np.testing.assert_allclose(got.to_numpy(), wanted.to_numpy())
    assert minitorch.maxpool2d(x, 2, stride).shape == (2, 3, rows, cols)


def test_numpy_integers_are_ints() -> None:
    one, two = np.int64(1), np.int32(2)
    x, w, b = minitorch.rand((2, 2, 6, 6)), minitorch.rand((4, 1, 2, 2)), minitorch.rand((4,))
    assert np.array_equal(
        minitorch.conv2d(x, w, b, stride=two, padding=(one, one), dilation=two, groups=two).to_numpy(),
        minitorch.conv2d(x, w, b, stride=2, padding=1, dilation=2, groups=2).to_numpy(),
    )
    assert np.array_equal(
        minitorch.maxpool2d(x, two, two, one).to_numpy(), minitorch.maxpool2d(x, 2, 2, 1).to_numpy()
    )
    assert minitorch.nn.functional.adaptive_avgpool2d(x, two).shape == (2, 2, 2, 2)
    layer = minitorch.Conv2d(np.int64(2), np.int64(4), two, stride=two)
    assert layer(x).shape == (2, 4, 3, 3)
    for wrong in (1.0, "1", None, (1, 1.0), (1, 1, 1)):
        with pytest.raises(TypeError, match="stride: expected an int or two"):
            minitorch.conv2d(x, w, b, stride=wrong, groups=2)
    with pytest.raises(TypeError, match=r"expected an int as groups, got 2\.0"):
        minitorch.conv2d(x, w, b, groups=2.0)  # type: ignore[arg-type]


def test_windows_of_pooling_start_inside_of_the_images() -> None:
    x = zeros((2, 3, 4, 4))._tensor
    params = PoolParams("max", (2, 2), (2, 2), (0, 0, 0, 0))
    assert x.f.pool(x, (2, 2), params).shape == (2, 3, 2, 2)
    for size in ((3, 2), (2, 3), (0, 2), (2, 2**40)):
        with pytest.raises(IndexingError, match="do not start inside of images"):
            x.f.pool(x, size, params)
    for d in (zeros((1, 3, 2, 2)), zeros((2, 3, 3, 2)), zeros((2, 3, 2))):
        with pytest.raises(IndexingError, match="pooling"):
            x.f.pool_grad(x, d._tensor, params)
    for wrong in (
        params._replace(stride=(0, 1)),
        params._replace(dilation=(1, -1)),
        params._replace(kind="min"),
    ):
        with pytest.raises(ValueError, match="pooling: expected"):
            x.f.pool(x, (2, 2), wrong)
    with pytest.raises(IndexingError, match="at least one row and column"):
        minitorch.maxpool2d(zeros((1, 1, 0, 4)), 2, 2, 1)


def test_raw_settings_of_a_convolution_are_checked() -> None:
    x, w = zeros((1, 2, 4, 4))._tensor, zeros((2, 2, 2, 2))._tensor
    wrong: list[dict[str, Any]] = [
        {"stride": (0, 1)}, {"dilation": (1, 0)}, {"padding": (0, 0, 0, -1)}, {"groups": 0}, {"stride": (1, HUGE)},
    ]  # fmt: skip
    for settings in wrong:
        with pytest.raises(ValueError, match="conv2d: expected"):
            x.f.conv(x, w, ConvParams(**settings))


def test_kernels_check_bounds_on_demand(backend: str, tmp_path: Path) -> None:
    if backend != "fast":
        return
    program = (
        "import numpy as np\n"
        "from minitorch import operators\n"
        "from minitorch.fast_ops import elementwise, jit\n"
        "loop = jit.variant(elementwise.map_flat, np.dtype('float64'), True, fn=operators.neg)\n"
        "loop(np.zeros(5), 5, np.zeros(5))\n"
        "loop(np.zeros(5), 5, np.zeros(4))\n"
    )
    settings = {**os.environ, "MINITORCH_DEBUG": "1", "MINITORCH_CACHE_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=settings, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "IndexError: index is out of bounds" in run.stderr


def test_a_dimension_of_size_1_may_have_any_stride() -> None:
    t = Tensor.make(np.arange(3.0), (1, 3, 1), (2**40, 1, -(2**31)))
    for result in (t + 1.0, t + t - t + 1.0, (-t - 1.0) * -1.0):
        assert result.to_numpy().tolist() == [[[1.0], [2.0], [3.0]]]
    assert t.sum(1).item() == t.max(1).item() + 1.0 == 3.0
