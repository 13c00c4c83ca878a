"""The networks for photographs against torchvision's: names, scores, gradients, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.models import IMAGENET_MODELS
from minitorch.models.imagenet import alexnet, resnet, vgg
from minitorch.nn import containers
from minitorch.nn.containers import Sequential
from minitorch.tensor_functions.math import ReLU6

from ..support.required import required, torchvision

torch = required("torch")
vision = torchvision()

# The side of images that are small, but leave at least one pixel to the last layers.
SIDES = {"alexnet": 64, "inception_v3": 75, "squeezenet1_0": 40, "squeezenet1_1": 40, "resnet18": 65}
NAMES = [name for name in IMAGENET_MODELS if name != "efficientnet_lite0"]
CLASSES = 7
HIDDEN = 4096  # width of the linear layers of AlexNet and VGG, which have most of their parameters


def narrow(width: Any) -> int:
    return 32 if width == HIDDEN else width


@pytest.fixture(autouse=True)
def narrow_classifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the linear layers of AlexNet and VGG narrow, in both packages, and check that their sizes are equal."""

    class Narrow(minitorch.Linear):
        def __init__(self, ins: int, outs: int) -> None:
            super().__init__(narrow(ins), narrow(outs))

    class TheirNarrow(torch.nn.Linear):  # type: ignore[misc]
        def __init__(self, ins: int, outs: int) -> None:
            super().__init__(narrow(ins), narrow(outs))

    for module in (alexnet, vgg):
        monkeypatch.setattr(module, "Linear", Narrow)
    monkeypatch.setattr(torch.nn, "Linear", TheirNarrow)


def build(name: str, **settings: Any) -> tuple[Any, Any]:
    """Return torchvision's network and ours, with the same random values and running statistics."""
    if name == "inception_v3":
        settings["init_weights"] = False
    theirs = vars(vision.models)[name](weights=None, num_classes=CLASSES, **settings)
    ours = IMAGENET_MODELS[name].build(num_classes=CLASSES, **settings)
    vary_statistics(theirs)
    return theirs, ours


def vary_statistics(theirs: Any) -> None:
    source = torch.Generator().manual_seed(0)
    for key, values in theirs.state_dict().items():
        if key.endswith("running_mean"):
            values.normal_(0, 0.2, generator=source)
        elif key.endswith("running_var"):
            values.uniform_(0.5, 1.5, generator=source)


def images(side: int, dtype: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).normal(size=(2, 3, side, side)).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_scores(name: str) -> None:
    minitorch.set_default_dtype("float32")
    theirs, ours = build(name)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict(state)
    x = images(SIDES.get(name, 33), "float32")
    with torch.no_grad(), minitorch.no_grad():
        expected = theirs.eval()(torch.from_numpy(x)).numpy()
        scores = ours.eval()(minitorch.tensor(x)).to_numpy()
    assert scores.shape == (2, CLASSES)
    assert np.abs(scores - expected).max() <= 1e-4 * max(np.abs(expected).max(), 1e-3)


def compare_step(theirs: Any, ours: Any, side: int) -> None:
    """Compare gradients and running statistics of a training step, both networks with the same values."""
    theirs = theirs.double().train()
    ours.load_state_dict(theirs.state_dict())
    x, labels = images(side, "float64"), np.array([1, 5])
    torch.nn.functional.cross_entropy(theirs(torch.from_numpy(x)), torch.from_numpy(labels)).backward()
    minitorch.cross_entropy(ours.train()(minitorch.tensor(x)), labels).backward()
    expected = dict(theirs.named_parameters())
    for key, p in ours.named_parameters():
        gradient, reference = p.grad.to_numpy(), expected[key].grad.numpy()
        assert np.abs(gradient - reference).max() <= 1e-7 * max(np.abs(reference).max(), 1e-6), key
    buffers = dict(theirs.named_buffers())
    for key, buffer in ours.named_buffers():
        assert np.allclose(np.asarray(buffer), buffers[key].numpy(), rtol=1e-9, atol=1e-9), key


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "squeezenet1_0", "mobilenet_v2", "inception_v3"])
def test_gradients_of_a_training_step(name: str) -> None:
    minitorch.set_default_dtype("float64")
    settings: dict[str, Any] = {"dropout": 0.0}
    if name == "inception_v3":
        settings |= {"aux_logits": False, "transform_input": True}
    compare_step(*build(name, **settings), SIDES.get(name, 48))


@pytest.mark.parametrize("block", ["BasicBlock", "Bottleneck"])
def test_gradients_of_residual_blocks(block: str) -> None:
    minitorch.set_default_dtype("float64")
    layers = [2, 1, 1, 1]
    theirs = vision.models.ResNet(vars(vision.models.resnet)[block], layers, num_classes=CLASSES)
    vary_statistics(theirs)
    compare_step(theirs, resnet.ResNet(vars(resnet)[block], layers, num_classes=CLASSES), 64)


def test_inception_with_its_auxiliary_head() -> None:
    minitorch.set_default_dtype("float32")
    theirs, ours = build("inception_v3", dropout=0.0, transform_input=True)
    ours.load_state_dict(theirs.state_dict())
    x = images(299, "float32")
    with torch.no_grad(), minitorch.no_grad():
        expected = theirs.train()(torch.from_numpy(x))
        found = ours.train()(minitorch.tensor(x))
    for scores, reference in ((found.logits, expected.logits), (found.aux_logits, expected.aux_logits)):
        difference = np.abs(scores.to_numpy() - reference.numpy()).max()
        assert difference <= 2e-3 * np.abs(reference.numpy()).max()


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_blocks_that_begin_as_the_identity(name: str) -> None:
    theirs, ours = build(name, zero_init_residual=True)
    for key, value in ours.state_dict().items():
        if ".bn" in key and key.endswith("weight"):
            assert value.tolist() == theirs.state_dict()[key].tolist(), key


def test_mobilenet_of_other_widths() -> None:
    for width in (0.35, 0.75, 1.4):
        theirs, ours = build("mobilenet_v2", width_mult=width)
        shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
        assert {key: value.shape for key, value in ours.state_dict().items()} == shapes


@pytest.mark.parametrize("name", ["vgg11", "squeezenet1_1", "mobilenet_v2", "resnet18", "inception_v3"])
def test_initial_values_have_the_spread_of_torchvisions(name: str) -> None:
    settings = {"init_weights": True} if name == "inception_v3" else {}
    theirs = vars(vision.models)[name](weights=None, num_classes=CLASSES, **settings).state_dict()
    for key, value in IMAGENET_MODELS[name].build(num_classes=CLASSES, **settings).state_dict().items():
        expected = theirs[key].double().numpy()
        if value.size > 1000:
            assert value.std() == pytest.approx(expected.std(), rel=0.15), key
            assert abs(value.mean() - expected.mean()) <= 0.15 * expected.std(), key
        elif np.ptp(expected) == 0:
            assert np.array_equal(value, expected), key


def test_batch_norm_and_relu_are_folded_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    for function in (minitorch.nn.normalization.ScaleShift, minitorch.ReLU, ReLU6):
        forward = function.forward
        monkeypatch.setattr(
            function,
            "forward",
            lambda *a, f=forward, n=function.__name__, **k: called.append(n) or f(*a, **k),
        )
    minitorch.set_default_dtype("float32")
    networks = (
        ("inception_v3", 0),
        ("vgg11_bn", 0),
        ("resnet18", 8),
        ("mobilenet_v2", 0),
        ("efficientnet_lite0", 0),
    )
    for name, additions in networks:
        model = IMAGENET_MODELS[name].build(num_classes=CLASSES, init_weights=False).eval()
        called.clear()
        model(minitorch.tensor(images(SIDES.get(name, 33), "float32")))
        # A residual block has a ReLU after its addition, which no layer before it can take over.
        assert called == ["ReLU"] * additions, name


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0", "resnet18"])
def test_fused_and_folded_layers_change_no_score(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    minitorch.set_default_dtype("float64")
    model = IMAGENET_MODELS[name].build(num_classes=CLASSES).eval()
    draw = np.random.default_rng(0)
    state = model.state_dict()
    for key in state:
        if key.endswith("running_mean"):
            state[key] = draw.normal(0, 0.2, state[key].shape)
        elif key.endswith("running_var"):
            state[key] = draw.uniform(0.1, 1.0, state[key].shape)
    model.load_state_dict(state)
    x = minitorch.tensor(images(SIDES.get(name, 33), "float64"))
    with minitorch.no_grad():
        fused = model(x).to_numpy()
        monkeypatch.setattr(containers, "_accepts_activation", lambda layer: False)
        layer_by_layer = model(x).to_numpy()
    assert np.abs(layer_by_layer).max() > 1e-3
    np.testing.assert_allclose(fused, layer_by_layer, rtol=1e-9, atol=1e-12)


def test_a_network_of_the_torch_module_computes_the_same() -> None:
    from minitorch import torch as port
    from minitorch.torchvision import models

    minitorch.set_default_dtype("float32")
    for name in ("resnet18", "squeezenet1_1", "mobilenet_v2", "inception_v3"):
        settings = {"init_weights": False, "transform_input": True} if name == "inception_v3" else {}
        model = vars(models)[name](num_classes=CLASSES, **settings).eval()
        core = IMAGENET_MODELS[name].build(num_classes=CLASSES, **settings).eval()
        assert list(core.state_dict()) == list(model.state_dict())
        core.load_state_dict({key: value.numpy() for key, value in model.state_dict().items()})
        x = images(SIDES.get(name, 33), "float32")
        expected = core(minitorch.tensor(x)).to_numpy()
        scores = model(port.tensor(x)).detach().numpy()
        assert np.abs(scores - expected).max() <= 1e-5 * max(np.abs(expected).max(), 1e-3)


def test_a_layer_of_the_torch_module_can_be_exchanged() -> None:
    from minitorch import torch as port
    from minitorch.torchvision import models

    model = models.resnet18(num_classes=CLASSES)
    for p in model.parameters():
        p.requires_grad_(False)
    model.fc = port.nn.Linear(512, 3)
    seen: list[Any] = []
    model.layer4[1].conv2.register_forward_hook(lambda module, args, out: seen.append(tuple(out.shape)))
    model(port.zeros(2, 3, 64, 64)).sum().backward()
    assert seen == [(2, 512, 2, 2)]
    assert model.fc.weight.grad is not None
    assert model.conv1.weight.grad is None
    assert isinstance(model.layer1, port.nn.Sequential)
    assert not isinstance(model.layer1, Sequential)
