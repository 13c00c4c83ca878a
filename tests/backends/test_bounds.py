"""Nothing reads or writes outside of its storage: shapes, strides and sizes are checked before a kernel runs."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import BackendError, IndexingError, Parameter, Tensor, TensorBackend, tensor, zeros
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
