"""Layers and optimizers of `minitorch.torch` on the backends, against PyTorch in float64; what lines do not show."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.torch as torch
from minitorch.torch import nn, optim

real = pytest.importorskip("torch", reason="the reference is PyTorch")
F, G = nn.functional, real.nn.functional
backends = pytest.mark.parametrize("backend", ["simple", "fast"])
SHAPES = [(2, 4, 5, 4, 6), (1, 2, 3, 5, 3), (2, 2, 4, 4, 4)]


def pair(values: Any, permuted: bool = False) -> tuple[Any, Any]:
    """Return a leaf here and there; ``permuted`` stores the dimensions in the opposite order."""
    found = []
    for t in (torch, real):
        if permuted:
            found.append(t.tensor(values.T.copy(), requires_grad=True).permute(*reversed(range(values.ndim))))
        else:
            found.append(t.tensor(values, requires_grad=True))
    return found[0], found[1]


def agree(ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: Any, permuted: bool = False) -> None:
    """Compare values and gradients of two functions of the same numbers."""
    pairs = [pair(a, permuted) for a in arrays]
    out, expected = ours(*(p[0] for p in pairs)), theirs(*(p[1] for p in pairs))
    assert tuple(out.shape) == tuple(expected.shape)
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=0, atol=1e-10)
    weights = np.cos(np.arange(expected.numel())).reshape(tuple(expected.shape))
    leaves = [[p[k] for p in pairs] for k in (0, 1)]
    found = torch.autograd.grad((out * torch.tensor(weights)).sum(), leaves[0])
    right = real.autograd.grad((expected * real.tensor(weights)).sum(), leaves[1])
    for a, b in zip(found, right):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-9)


VOLUMES: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "max": lambda f: lambda x: f.max_pool3d(x, 2, (1, 2, 1), 1),
    "avg": lambda f: lambda x: f.avg_pool3d(x, (2, 3, 2), 2, 1, True, False),
    "adaptive avg": lambda f: lambda x: f.adaptive_avg_pool3d(x, (2, 3, 1)),
    "adaptive max": lambda f: lambda x: f.adaptive_max_pool3d(x, 2),
    "trilinear": lambda f: lambda x: f.interpolate(x, size=(3, 4, 7), mode="trilinear"),
    "pad": lambda f: lambda x: f.pad(x, (1, 0, 2, 1, 0, 1), mode="replicate"),
}


@backends
@pytest.mark.parametrize("name", VOLUMES)
def test_pooling_of_volumes(backend: str, name: str) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(3)
    for k, shape in enumerate(SHAPES):
        agree(VOLUMES[name](F), VOLUMES[name](G), draw.standard_normal(shape), permuted=k == 1)


@backends
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # of PyTorch
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [(1, 0, 1, 1), (2, 1, 1, 2), ((1, 2, 1), (1, 0, 2), (2, 1, 1), 1), (1, "same", (1, 2, 1), 2)],
)
def test_convolution_of_volumes(backend: str, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(4)
    for k, shape in enumerate(SHAPES):
        arrays = (
            draw.standard_normal(shape),
            draw.standard_normal((4, shape[1] // groups, 2, 2, 3)),
            draw.standard_normal(4),
        )
        ours, theirs = (
            lambda x, w, b, f=f: f.conv3d(x, w, b, stride, padding, dilation, groups) for f in (F, G)
        )
        agree(ours, theirs, *arrays, permuted=k == 1)


@backends
def test_transposed_convolution_of_volumes(backend: str) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(5)
    for k, shape in enumerate(SHAPES):
        arrays = (
            draw.standard_normal(shape),
            draw.standard_normal((shape[1], 3, 2, 3, 2)),
            draw.standard_normal(6),
        )
        ours, theirs = (
            lambda x, w, b, f=f: f.conv_transpose3d(x, w, b, (2, 1, 2), (1, 0, 1), (1, 0, 0), 2)
            for f in (F, G)
        )
        agree(ours, theirs, *arrays, permuted=k == 1)


@backends
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
def test_images_read_at_any_places(backend: str, mode: str, padding_mode: str) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(6)
    for corners in (True, False):
        ours, theirs = (
            lambda x, g, f=f, c=corners: f.grid_sample(x, g, mode, padding_mode, c) for f in (F, G)
        )
        agree(ours, theirs, draw.standard_normal((2, 3, 4, 5)), draw.uniform(-1.6, 1.6, (2, 3, 2, 2)))


@backends
@pytest.mark.parametrize("seed", range(4))
def test_ctc_of_random_lengths(backend: str, seed: int) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(seed)
    sizes = draw.integers(0, 4, 5)
    steps = np.minimum(2 * sizes + 1 + draw.integers(0, 3, 5), 9)
    targets = draw.integers(1, 4, (5, 3))

    def loss(t: Any, f: Any) -> Callable[..., Any]:
        settings = [t.tensor(a) for a in (targets, steps, sizes)]
        return lambda x: f.ctc_loss(f.log_softmax(x, 2), *settings, reduction="none")

    agree(loss(torch, F), loss(real, G), draw.standard_normal((9, 5, 4)))


@backends
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_packed_sequences_of_random_lengths(backend: str, kind: str) -> None:
    minitorch.set_default_backend(backend)
    draw = np.random.default_rng(7)
    for trial in range(3):
        lengths = draw.integers(1, 6, 4)
        x = draw.standard_normal((int(lengths.max()), 4, 3))
        theirs = getattr(real.nn, kind)(3, 5, 2, bidirectional=trial > 0).double()
        ours = getattr(nn, kind)(3, 5, 2, bidirectional=trial > 0).double()
        ours.load_state_dict({k: torch.tensor(v.numpy()) for k, v in theirs.state_dict().items()})

        def run(t: Any, m: Any) -> Callable[..., Any]:
            pack = t.nn.utils.rnn

            def call(x: Any) -> Any:
                packed = pack.pack_padded_sequence(x, t.tensor(lengths), enforce_sorted=False)  # noqa: B023
                out, state = m(packed)
                padded, found = pack.pad_packed_sequence(out)
                assert found.tolist() == lengths.tolist()  # noqa: B023
                ends = state if isinstance(state, tuple) else (state,)
                return t.cat([padded.reshape(-1), *(s.reshape(-1) for s in ends)])

            return call

        agree(run(torch, ours), run(real, theirs), x)


@backends
@pytest.mark.parametrize(
    ("name", "settings"),
    [("Rprop", {"lr": 0.05}), ("ASGD", {"lr": 0.1, "t0": 2, "lambd": 0.05}), ("Adafactor", {"lr": 0.1})],
)
def test_optimizers_step_as_pytorch_does(backend: str, name: str, settings: dict[str, Any]) -> None:
    minitorch.set_default_backend(backend)
    start = np.random.default_rng(8).standard_normal((3, 4))
    found = []
    for t in (torch, real):
        p = t.nn.Parameter(t.tensor(start))
        optimizer = getattr(t.optim, name)([p], **settings)
        for _ in range(6):
            optimizer.zero_grad()
            ((p**2).sum() + (p[0] * p[1]).sin().sum()).backward()
            optimizer.step()
        found.append(p.detach().numpy())
    np.testing.assert_allclose(*found, rtol=0, atol=1e-6)  # PyTorch keeps some settings in float32


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    before = copy.deepcopy(model.state_dict())
    state = {name: torch.ones_like(t) for name, t in before.items()}
    state["1.bias"] = torch.ones(3)
    with pytest.raises(RuntimeError, match=r"size mismatch for 1\.bias"):
        model.load_state_dict(state)
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


def test_files_carry_the_versions_of_modules(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    torch.save(model.state_dict(), tmp_path / "state.pt")
    state = real.load(tmp_path / "state.pt", weights_only=True)
    assert state._metadata["1"] == {"version": 2}
    theirs = real.nn.Sequential(real.nn.Linear(2, 2), real.nn.BatchNorm1d(2))
    assert str(theirs.load_state_dict(state)) == "<All keys matched successfully>"
    buffer = io.BytesIO()
    real.save(theirs.state_dict(), buffer)
    buffer.seek(0)
    assert str(model.load_state_dict(torch.load(buffer))) == "<All keys matched successfully>"


def test_a_copy_of_a_parametrized_module_is_independent() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.parametrizations.weight.original0.mul_(2)
    assert torch.allclose(other.weight, layer.weight * 2)
    nn.utils.parametrize.remove_parametrizations(other, "weight")
    assert type(other) is nn.Linear
    assert nn.utils.parametrize.is_parametrized(layer)


def test_cached_parametrizations_are_computed_once() -> None:
    calls = []

    class Counted(nn.Module):
        def forward(self, x: Any) -> Any:
            calls.append(1)
            return x * 2

    layer = nn.Linear(2, 2)
    nn.utils.parametrize.register_parametrization(layer, "weight", Counted())
    calls.clear()
    with nn.utils.parametrize.cached():
        assert layer.weight is layer.weight
    assert len(calls) == 1
    assert layer.weight is not layer.weight


def test_backward_hooks_see_each_pass() -> None:
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, before, after: seen.append(float(after[0].sum())))
    x = torch.ones(3, 2, requires_grad=True)
    out = layer(x)
    out.sum().backward(retain_graph=True)
    (out * 2).sum().backward()
    assert seen == [3.0, 6.0]


def test_averaged_models_and_their_statistics() -> None:
    model = nn.BatchNorm1d(2)
    averaged = optim.swa_utils.AveragedModel(model)
    data = [torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[0.0, 0.0], [2.0, 2.0]])]
    optim.swa_utils.update_bn(data, averaged)
    assert averaged.module.running_mean.tolist() == [1.5, 2.5]
    assert averaged.module.momentum == 0.1


def test_functional_call_leaves_the_module_as_it_was() -> None:
    layer = nn.Linear(2, 1)
    weight = layer.weight
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        nn.utils.stateless.functional_call(layer, {"weight": torch.ones(1, 5)}, torch.ones(1, 2))
    assert layer.weight is weight
