"""Image sets from files of all kinds, splits, samplers and the loader."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import minitorch
from minitorch.data import __main__, formats, image_sets, samplers
from minitorch.data import dataset as data_dataset
from minitorch.data.dataset import Dataset
from minitorch.data.download import DataError
from minitorch.data.loader import DataLoader
from minitorch.runtime import rng

ROOT = Path(__file__).resolve().parents[2]
SHARED = os.environ.get("MINITORCH_DATA")


def needs(pattern: str) -> pytest.MarkDecorator:
    """Skip, saying so, where $MINITORCH_DATA does not hold the real files."""
    here = SHARED is not None and any(Path(SHARED).glob(pattern))
    return pytest.mark.skipif(not here, reason=f"$MINITORCH_DATA={SHARED} holds no {pattern}")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, no shared data, an empty cache, no mirror."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "cache"))
    for key, image_set in image_sets.IMAGE_SETS.items():
        remotes = tuple(replace(remote, mirrors=()) for remote in image_set.remotes)
        monkeypatch.setitem(image_sets.IMAGE_SETS, key, replace(image_set, remotes=remotes))
    return tmp_path


# --- IDX ---


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes()


def images_of(name: str, shape: tuple[int, ...] = (28, 28)) -> np.ndarray:
    n = 6 if name.startswith("train") else 4
    if "labels" in name:
        return np.arange(n) % 10
    return np.random.default_rng(n).integers(0, 256, (n, *shape))


def write_idx(folder: Path, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in formats.IDX_NAMES:
        content = idx(images_of(name))
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("inside", ["", "mnist"])
def test_mnist_from_a_place_or_its_folder(alone: Path, packed: bool, inside: str) -> None:
    write_idx(alone / "root" / inside, packed)
    train, test = image_sets.mnist(alone / "root")
    assert (train.images.shape, train.images.dtype) == ((6, 1, 28, 28), np.uint8)
    assert (test.images.shape, test.labels.shape) == ((4, 1, 28, 28), (4,))
    assert np.array_equal(train.images[:, 0], images_of("train-images"))
    assert test.labels.tolist() == [0, 1, 2, 3]
    assert test.labels.dtype.kind == "i"
    assert train.classes == tuple("0123456789")


def test_fashion_lies_in_its_own_folder_only(alone: Path) -> None:
    write_idx(alone / "root")
    with pytest.raises(DataError, match="Fashion-MNIST not found"):
        image_sets.fashion_mnist(alone / "root")
    write_idx(alone / "root" / "fashion-mnist", packed=True)
    train, _ = image_sets.fashion_mnist(alone / "root")
    assert train.classes[9] == "Ankle boot"


def test_the_current_directory_and_the_shared_place(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(alone / "shared" / "mnist")
    monkeypatch.setenv("MINITORCH_DATA", str(alone / "shared"))
    assert len(image_sets.mnist()[0]) == 6
    write_idx(Path("data"))
    (alone / "shared" / "mnist" / formats.IDX_NAMES[0]).write_bytes(b"")
    assert len(image_sets.mnist()[0]) == 6


def test_nothing_found_names_the_places(alone: Path) -> None:
    with pytest.raises(DataError) as caught:
        image_sets.mnist(alone / "root", download=False)
    message = str(caught.value)
    assert str(alone / "root" / "mnist") in message
    assert "train-images-idx3-ubyte.gz" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("train-images-idx3-ubyte", idx(images_of("train-images"))[:-1], "expected 4720 bytes.*got 4719"),
        ("train-images-idx3-ubyte", idx(images_of("train-images")) + b"x", "expected 4720 bytes.*got 4721"),
        ("train-images-idx3-ubyte", b"", "not an IDX file"),
        ("train-images-idx3-ubyte", b"<html>moved</html>", "not an IDX file: expected .*got '3c68746d'"),
        (
            "train-images-idx3-ubyte",
            idx(images_of("train-images", (8, 8))),
            r"expected images of \(28, 28\), got \(8, 8\)",
        ),
        ("t10k-labels-idx1-ubyte", idx(np.arange(3)), "expected 4 labels.*got 3"),
        ("t10k-labels-idx1-ubyte", idx(np.arange(7, 11)), "whole numbers from 0 to 9"),
    ],
)
def test_a_damaged_idx_file_is_named(alone: Path, name: str, content: bytes, wrong: str) -> None:
    (write_idx(alone / "root") / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}.*{wrong}"):
        image_sets.mnist(alone / "root")


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("-idx", ".idx"),
        lambda name: name.replace("-idx", ".idx") + ".gz",
        lambda name: f"MNIST/raw/{name}",
        lambda name: f"MNIST/raw/{name}.gz",
        lambda name: f"{name}/{name}",
        lambda name: f"mnist/{name.replace('-idx', '.idx')}",
    ],
)
def test_mnist_under_its_other_names(alone: Path, rename: Callable[[str], str]) -> None:
    for name in formats.IDX_NAMES:
        path = alone / "root" / rename(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = idx(images_of(name))
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    train, _ = image_sets.mnist(alone / "root", download=False)
    assert np.array_equal(train.images[:, 0], images_of("train-images"))


def test_a_gzip_file_of_several_members(alone: Path) -> None:
    for name in formats.IDX_NAMES:
        path = write_idx(alone / "root", packed=True) / f"{name}.gz"
        content = idx(images_of(name))
        path.write_bytes(gzip.compress(content[:7]) + gzip.compress(content[7:]))
    assert len(image_sets.mnist(alone / "root", download=False)[0]) == 6


def test_each_place_is_named_once(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINITORCH_DATA", os.path.abspath("data"))
    with pytest.raises(DataError) as caught:
        image_sets.mnist("data", download=False)
    places = re.findall(r"not found in (.*) \(expected", str(caught.value))[0].split(", ")
    assert places == [str(Path("data", *more)) for more in ((), ("mnist",), ("MNIST", "raw"), ("MNIST",))]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(bytes((0, 0, 8, 3)) + bytes((0, 255, 255, 255)) * 3 + bytes(1 << 20)),  # sizes
        gzip.compress(idx(np.zeros((2, 28, 28))) + bytes(1 << 27)),  # more than the header says
    ],
)
def test_a_gzip_bomb_is_not_unpacked(alone: Path, content: bytes) -> None:
    (write_idx(alone / "root", packed=True) / "train-images-idx3-ubyte.gz").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged: expected"):
            image_sets.mnist(alone / "root")
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_cut_gzip_file_is_named(alone: Path, cut: int) -> None:
    path = write_idx(alone / "root", packed=True) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz is damaged"):
        image_sets.mnist(alone / "root")


# --- CIFAR-10 ---


def batch_of(name: str, n: int = 2) -> dict[str, Any]:
    seed = formats.CIFAR_TRAIN.index(name) if name in formats.CIFAR_TRAIN else 9
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 3072)).astype(np.uint8)
    return {"data": pixels, "labels": [seed, 0][:n], "batch_label": name}


BATCHES = formats.CIFAR_TRAIN + formats.CIFAR_TEST


def batch_files() -> dict[str, bytes]:
    return {name: pickle.dumps(batch_of(name), protocol=2) for name in BATCHES}


def write_archive(path: Path, files: dict[str, bytes], folder: str = formats.CIFAR_FOLDER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:bz2" if path.name.endswith("bz2") else "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_folder(place: Path, files: dict[str, bytes]) -> Path:
    folder = place / formats.CIFAR_FOLDER
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check_cifar(train: Dataset, test: Dataset) -> None:
    assert (train.images.shape, train.images.dtype) == ((10, 3, 32, 32), np.uint8)
    assert train.labels.tolist() == [0, 0, 1, 0, 2, 0, 3, 0, 4, 0]
    assert test.labels.tolist() == [9, 0]
    assert np.array_equal(train.images[2].ravel(), batch_of("data_batch_2")["data"][0])
    assert test.classes[test.labels[0]] == "truck"


@pytest.mark.parametrize("inside", ["", "cifar10"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar_from_a_folder(alone: Path, inside: str, protocol: int) -> None:
    files = {name: pickle.dumps(batch_of(name), protocol=protocol) for name in BATCHES}
    write_folder(alone / "root" / inside, files)
    check_cifar(*image_sets.cifar10(alone / "root"))
    assert not (alone / "cache").exists()


def test_cifar_as_python_2_and_an_older_numpy_wrote_it(alone: Path) -> None:
    older = {
        name: content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
        for name, content in batch_files().items()
    }
    write_folder(alone / "root", older)
    check_cifar(*image_sets.cifar10(alone / "root"))


@pytest.mark.parametrize(
    "name", ["cifar-10-python.tar.gz", "cifar-10-python.tgz", "cifar-10-batches-py.tar.bz2"]
)
def test_cifar_from_an_archive_is_unpacked_once(
    alone: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(alone / "root" / "cifar10" / name, batch_files())
    check_cifar(*image_sets.cifar10(alone / "root"))
    assert os.listdir(archive.parent) == [name]
    (cached,) = os.listdir(alone / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(tarfile, "open", None)
        check_cifar(*image_sets.cifar10(alone / "root"))
    (alone / "cache" / cached).write_bytes(b"damaged")
    check_cifar(*image_sets.cifar10(alone / "root"))
    os.utime(archive, ns=(0, 0))
    check_cifar(*image_sets.cifar10(alone / "root"))
    assert len(os.listdir(alone / "cache")) == 2


def test_cifar_without_a_cache(alone: Path) -> None:
    (alone / "cache").write_text("a file stands here")
    write_archive(alone / "root" / "cifar-10-python.tar.gz", batch_files())
    check_cifar(*image_sets.cifar10(alone / "root"))


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py.tar.bz2"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_cut_archive_is_named_and_nothing_is_kept(alone: Path, name: str, kept: float) -> None:
    archive = write_archive(alone / "root" / name, batch_files())
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=f"{name} is damaged"):
        image_sets.cifar10(alone / "root")
    assert not (alone / "cache").exists()
    assert __main__.main(["cifar10", "--root", str(alone / "root"), "--unpack", str(alone / "out")]) == 2
    assert not (alone / "out").exists()


def test_an_archive_that_lacks_a_batch(alone: Path) -> None:
    files = batch_files()
    del files["data_batch_3"]
    write_archive(alone / "root" / "cifar-10-python.tar.gz", files)
    with pytest.raises(DataError, match="missing data_batch_3"):
        image_sets.cifar10(alone / "root")


class Evil:
    """Runs a command when it is unpickled by a careless reader."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, ("evil",)


def numbers(content: dict[str, Any]) -> bytes:
    return pickle.dumps(content, protocol=2)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (numbers({"data": Evil(), "labels": []}), "mkdir is refused"),
        (numbers({"data": print, "labels": []}), "print is refused"),
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.", "encoding rot13 is refused"),
        (b"", "damaged, expected a pickled dict"),
        (batch_files()["data_batch_4"][:-50], "damaged, expected a pickled dict"),
        (pickle.dumps([1, 2], protocol=2), "damaged, expected a pickled dict"),
        (numbers({"labels": [0]}), "damaged, expected a pickled dict.*data"),
        (numbers({"data": [1, 2], "labels": [0]}), r"expected data of uint8 \(1, 3072\), got list"),
        (
            numbers({"data": np.zeros((1, 3072)), "labels": [0]}),
            "dtype .f8. is refused: expected integers",
        ),
        (numbers({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}), r"data of uint8 \(1, 3072\)"),
        (numbers({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}), "whole numbers from 0 to 9"),
        (numbers({"data": np.zeros((1, 3072), np.uint8), "labels": ["a"]}), "whole numbers from 0 to 9"),
    ],
)
def test_a_damaged_or_malicious_batch_is_named(alone: Path, content: bytes, wrong: str) -> None:
    write_folder(alone / "root", batch_files() | {"data_batch_4": content})
    with pytest.raises(DataError, match=f"data_batch_4.*{wrong}"):
        image_sets.cifar10(alone / "root")
    assert not Path("evil").exists()


class Calls:
    """Makes a pickle that calls ``function`` of the allowed names with arguments of its own, then sets a state."""

    def __init__(self, function: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self.parts = function, arguments, state

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


ARRAY = np.zeros((1, 3072), np.uint8)
RECONSTRUCT, _, STATE = ARRAY.__reduce__()
POINTERS = b"\x41" * 8 * 3072


def _data(function: Any, *arguments: Any, state: Any = None) -> bytes:
    return numbers({"data": Calls(function, arguments, state), "labels": [0]})


def _array(state: Any) -> bytes:
    return _data(RECONSTRUCT, np.ndarray, (0,), b"b", state=state)


def _nested(depth: int) -> bytes:
    return b"\x80\x02}(U\x04dataK\x00U\x06labels)" + b"\x85" * depth + b"u."


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (_data(np.ndarray, (1, 3072), np.dtype("O"), POINTERS), ""),
        (_data(np.ndarray, (1, 3072), "u1", POINTERS), ""),
        (_data(RECONSTRUCT, np.ndarray, (1 << 50,), b"b"), "got uint8"),
        (_data(RECONSTRUCT, dict, (0,), b"b"), "refused"),
        (_array((1, (1, 3072), np.dtype("O"), False, [None])), "dtype 'O8' is refused"),
        (_array((*STATE[:4], b"short")), "it has 5 bytes"),
        (_array((1, (-1, -3072), *STATE[2:])), "damaged shape"),
        (b"\x80\x02]r\xff\xff\xff\x7f.", "memo index"),
        (_nested(1_000_000), "nested more than 100 levels"),
        (b"\x80\x02}(" + b")" + b"\x85" * 1_000_000 + b"K\x01u.", "nested more than 100 levels"),
    ],
)
def test_a_batch_gets_only_what_arrays_need(alone: Path, content: bytes, wrong: str) -> None:
    write_folder(alone / "root", batch_files() | {"data_batch_4": content})
    with pytest.raises(DataError, match=f"data_batch_4 is damaged.*{wrong}"):
        image_sets.cifar10(alone / "root")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("labels", [lambda n: list(range(n)), lambda n: np.arange(n, dtype=">i4")])
def test_batches_of_every_protocol(alone: Path, protocol: int, labels: Callable[[int], Any]) -> None:
    pixels = np.asfortranarray(np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8))
    batch = pickle.dumps({"data": pixels, "labels": labels(2)}, protocol)
    write_folder(alone / "root", batch_files() | {"test_batch": batch})
    _, test = image_sets.cifar10(alone / "root")
    assert np.array_equal(test.images, pixels.reshape(2, 3, 32, 32))
    assert test.labels.tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_tar_bomb_is_not_unpacked(alone: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_LARGEST_ARCHIVE", 1 << 22)
    path = alone / "root" / "cifar-10-python.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, f"w:{kind}", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        member = tarfile.TarInfo("big")
        member.size = 1 << 23
        tar.addfile(member, io.BytesIO(bytes(1 << 23)))
    with pytest.raises(DataError, match="it unpacks to too many bytes"):
        image_sets.cifar10(alone / "root")


def test_members_outside_the_folder_are_not_unpacked(alone: Path) -> None:
    files = batch_files() | {"batches.meta": b"meta", "../stray": b"stray", "unknown": b"?"}
    write_archive(alone / "root" / "cifar-10-python.tar.gz", files)
    assert __main__.main(["cifar10", "--root", str(alone / "root"), "--unpack", str(alone / "out")]) == 0
    assert os.listdir(alone / "out") == [formats.CIFAR_FOLDER]
    assert sorted(os.listdir(alone / "out" / formats.CIFAR_FOLDER)) == sorted([*BATCHES, "batches.meta"])
    check_cifar(*image_sets.cifar10(alone / "out"))


# --- digits ---


def test_digits() -> None:
    train, test = image_sets.digits()
    assert (train.images.shape, test.images.shape) == ((1500, 1, 8, 8), (297, 1, 8, 8))
    assert (train.images.dtype, train.images.min(), train.images.max()) == (np.uint8, 0, 16)
    assert train.labels[:10].tolist() == list(range(10))
    assert np.bincount(np.concatenate([train.labels, test.labels])).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip


def test_the_bundled_digits_can_be_rebuilt() -> None:
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    script = runpy.run_path(str(ROOT / "scripts" / "make_digits.py"))
    assert script["build"]() == script["TARGET"].read_bytes()
    raw = sklearn.load_digits()
    assert np.array_equal(image_sets.digits()[1].images[:, 0], raw.images[1500:])


# --- Dataset, splits, one-hot ---


def numbered(n: int = 10) -> Dataset:
    """Image i is one pixel of i, its label is i % 3."""
    return Dataset(np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1), np.arange(n) % 3, ("a", "b", "c"), "n")


def ids(images: np.ndarray) -> list[int]:
    return images.ravel().tolist()


def test_dataset_is_a_sequence_of_pairs() -> None:
    dataset = numbered(4)
    assert len(dataset) == 4
    image, label = dataset[-1]
    assert (image.shape, image.item(), label) == ((1, 1, 1), 3, 0)
    assert [label for _, label in dataset] == [0, 1, 2, 0]
    with pytest.raises(IndexError, match="expected an image number below 4, got 4"):
        dataset[4]


@pytest.mark.parametrize(
    ("images", "labels", "error"),
    [
        (np.zeros((3, 8, 8)), [0, 1, 2], ValueError),
        (np.zeros((3, 1, 8, 8)), [0, 1], ValueError),
        (np.zeros((3, 1, 8, 8)), [[0], [1], [2]], ValueError),
        (np.zeros((3, 1, 8, 8)), [0.0, 1.0, 2.0], TypeError),
    ],
)
def test_dataset_refuses(images: np.ndarray, labels: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Dataset(images, labels)


def test_subset() -> None:
    dataset = numbered()
    part = dataset.subset([7, 2, 2])
    assert ids(part.images) == [7, 2, 2]
    assert part.labels.tolist() == [1, 2, 2]
    assert (part.classes, part.name) == (dataset.classes, dataset.name)
    assert ids(dataset.subset(range(3)).images) == [0, 1, 2]
    assert ids(dataset.subset(dataset.labels == 2).images) == [2, 5, 8]
    assert len(dataset.subset([])) == 0
    with pytest.raises(IndexError, match="expected image numbers below 10, got 10"):
        dataset.subset([0, 10])
    with pytest.raises(TypeError, match="expected integers"):
        dataset.subset([0.5])
    with pytest.raises(ValueError, match="expected a row of numbers or 10 bools"):
        dataset.subset([[0, 1]])


def test_sample() -> None:
    dataset = numbered()
    random.seed(3)
    images, labels = dataset.sample(50)
    assert (images.shape, labels.shape, images.dtype) == ((50, 1, 1, 1), (50,), np.uint8)
    assert np.array_equal(images.ravel() % 3, labels)
    assert set(ids(images)) <= set(range(10))
    random.seed(3)
    assert np.array_equal(dataset.sample(50)[0], images)
    assert sorted(ids(dataset.sample(10, replace=False)[0])) == list(range(10))
    with pytest.raises(ValueError, match="cannot draw 11 images from 10"):
        dataset.sample(11, replace=False)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_mean_std(dtype: type) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1203, 3, 4, 5)).astype(dtype)
    mean, std = Dataset(images, np.zeros(1203, int)).mean_std()
    scale = 255 if dtype is np.uint8 else 1
    assert np.allclose(mean, images.mean((0, 2, 3), dtype=float) / scale, rtol=1e-12)
    assert np.allclose(std, images.std((0, 2, 3), dtype=float) / scale, rtol=1e-12)
    with pytest.raises(ValueError, match="no pixels"):
        numbered(0).mean_std()


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([6, 3, 1], [6, 3, 1]),
        ([0.65, 0.35], [7, 3]),
        ([1 / 3] * 3, [4, 3, 3]),
        ([1.0], [10]),
        ([0, 10], [0, 10]),
    ],
)
def test_random_split(lengths: list[float], sizes: list[int]) -> None:
    parts = data_dataset.random_split(numbered(), lengths)
    assert [len(part) for part in parts] == sizes
    assert sorted(i for part in parts for i in ids(part.images)) == list(range(10))
    again = data_dataset.random_split(numbered(), lengths)
    assert [ids(part.images) for part in again] == [ids(part.images) for part in parts]


def test_random_split_depends_on_its_seed_alone() -> None:
    first, other = (
        ids(data_dataset.random_split(numbered(), [9, 1], seed=seed)[0].images) for seed in (0, 1)
    )
    assert first != other


@pytest.mark.parametrize("lengths", [[6, 3], [0.5, 0.4], [11, -1], [1.5, -0.5], [], [2.5, 7.5]])
def test_random_split_refuses(lengths: list[float]) -> None:
    with pytest.raises(ValueError, match="10 images or fractions of 1"):
        data_dataset.random_split(numbered(), lengths)


def test_one_hot() -> None:
    coded = data_dataset.one_hot([2, 0], 3)
    assert coded.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert data_dataset.one_hot(np.zeros((2, 5), np.uint8), 3).shape == (2, 5, 3)
    assert data_dataset.one_hot([], 3).shape == (0, 3)
    with pytest.raises(IndexError, match=r"expected labels 0\.\.2, got label 3 at \(1,\)"):
        data_dataset.one_hot([0, 3], 3)
    with pytest.raises(TypeError):
        data_dataset.one_hot([0.5], 3)


# --- DataLoader ---


def seen(loader: DataLoader) -> list[int]:
    return [i for images, _ in loader for i in ids(images)]


@pytest.mark.parametrize(
    ("n", "size", "drop", "sizes"),
    [
        (10, 4, False, [4, 4, 2]),
        (10, 4, True, [4, 4]),
        (10, 5, True, [5, 5]),
        (3, 4, True, []),
        (0, 4, False, []),
    ],
)
def test_batches(n: int, size: int, drop: bool, sizes: list[int]) -> None:
    loader = DataLoader(numbered(n), size, drop_last=drop)
    batches = list(loader)
    assert len(loader) == len(batches) == len(sizes)
    assert [images.shape for images, _ in batches] == [(each, 1, 1, 1) for each in sizes]
    assert [labels.shape for _, labels in batches] == [(each,) for each in sizes]


def test_images_come_as_they_are_stored_labels_follow() -> None:
    (images, labels), *_ = DataLoader(Dataset(np.array([[[[0, 51, 255]]]], np.uint8), [3]))
    assert images.dtype == np.uint8
    assert images.ravel().tolist() == [0, 51, 255]
    assert (labels.tolist(), labels.dtype.kind) == ([3], "i")
    floats = np.full((2, 1, 1, 1), 7.5)
    (images, _), *_ = DataLoader(Dataset(floats, [0, 0]), 2)
    assert images.dtype == np.float64
    assert np.array_equal(images, floats)


def test_order_depends_on_seed_and_pass_alone() -> None:
    def loader(seed: int = 5) -> DataLoader:
        return DataLoader(numbered(50), 8, shuffle=True, seed=seed)

    first = loader()
    passes = [seen(first) for _ in range(3)]
    assert all(sorted(each) == list(range(50)) for each in passes)
    assert len(set(map(tuple, passes))) == 3
    assert first.epoch == 3
    later = loader()
    later.epoch = 2
    random.seed(0)
    assert seen(later) == passes[2]
    assert seen(loader(6)) != passes[0]


def test_a_pass_broken_off_is_a_pass() -> None:
    broken, whole = (DataLoader(numbered(), 2, shuffle=True, seed=1) for _ in range(2))
    next(iter(broken))
    seen(whole)
    assert seen(broken) == seen(whole)


def test_the_seed_is_drawn_from_random() -> None:
    random.seed(11)
    loaders = [DataLoader(numbered(50), shuffle=True) for _ in range(2)]
    random.seed(11)
    again = DataLoader(numbered(50), shuffle=True)
    assert seen(again) == seen(loaders[0]) != seen(loaders[1])


def test_without_shuffle_two_passes_are_equal() -> None:
    loader = DataLoader(numbered(), 3)
    assert seen(loader) == seen(loader) == list(range(10))


def noisy(images: np.ndarray) -> np.ndarray:
    """A random transform; it draws a second time to see that draws within a batch differ."""
    return images + rng.uniform(images.shape) + 100 * rng.uniform(images.shape)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int) -> None:
    def passes(workers: int) -> list[tuple[np.ndarray, np.ndarray]]:
        loader = DataLoader(numbered(40), 3, shuffle=True, seed=2, transform=noisy, workers=workers)
        return [batch for _ in range(2) for batch in loader]

    expected, got = passes(0), passes(workers)
    assert len(expected) == len(got) == 28
    for (images, labels), (other_images, other_labels) in zip(expected, got):
        assert np.array_equal(images, other_images)
        assert np.array_equal(labels, other_labels)
    assert not np.array_equal(expected[0][0] % 1, expected[1][0] % 1)
    assert not np.array_equal(expected[0][0] % 1, expected[14][0] % 1)


def test_a_random_transform_leaves_the_state_of_random() -> None:
    loader = DataLoader(numbered(), 3, transform=noisy, seed=0)
    before = random.getstate()
    list(loader)
    assert random.getstate() == before


def test_the_transform_gets_stored_images_and_has_the_last_word() -> None:
    dtypes = []

    def double(images: np.ndarray) -> np.ndarray:
        dtypes.append(images.dtype)
        return images * 2

    (images, _), *_ = DataLoader(numbered(3), 3, transform=double)
    assert dtypes == [np.uint8]
    assert (ids(images), images.dtype) == ([0, 2, 4], np.uint8)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_the_transform_reaches_the_caller(workers: int) -> None:
    def broken(images: np.ndarray) -> np.ndarray:
        raise RuntimeError("broken transform")

    with pytest.raises(RuntimeError, match="broken transform"):
        list(DataLoader(numbered(), 2, transform=broken, workers=workers))


def test_a_dataset_stays_as_it_was() -> None:
    dataset = numbered()
    for images, labels in DataLoader(dataset, 5, transform=lambda images: images):
        images[:] = 0
        labels[:] = 0
    assert ids(dataset.images) == list(range(10))
    assert dataset.labels.any()


@pytest.mark.parametrize(
    "sampler", [[3, 1, 1], np.array([3, 1, 1]), iter([3, 1, 1]), lambda epoch: [3, 1, 1]]
)
def test_a_sampler_names_the_images(sampler: Any) -> None:
    loader = DataLoader(numbered(), 2, sampler=sampler)
    assert len(loader) == 2
    assert seen(loader) == seen(loader) == [3, 1, 1]


def test_a_sampler_can_depend_on_the_pass() -> None:
    loader = DataLoader(numbered(), 2, sampler=lambda epoch: [epoch, epoch + 1])
    assert [seen(loader), seen(loader)] == [[0, 1], [1, 2]]


def test_subset_random_sampler() -> None:
    sampler = samplers.SubsetRandomSampler(range(5, 10), seed=4)
    loader = DataLoader(numbered(), 2, sampler=sampler)
    first, second = seen(loader), seen(loader)
    assert len(sampler) == 5
    assert sorted(first) == sorted(second) == [5, 6, 7, 8, 9]
    assert first != second
    loader.epoch = 0
    assert seen(loader) == first


def test_weighted_random_sampler() -> None:
    sampler = samplers.WeightedRandomSampler([0, 1, 3], 4000, seed=0)
    counts = np.bincount(sampler(0), minlength=3)
    assert len(sampler) == counts.sum() == 4000
    assert counts[0] == 0
    assert abs(counts[2] / 4000 - 0.75) < 0.03
    assert np.array_equal(sampler(0), sampler(0))
    assert not np.array_equal(sampler(0), sampler(1))
    without = samplers.WeightedRandomSampler([1, 2, 3], 3, replacement=False)
    assert sorted(without(0)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("weights", "draws", "replacement"),
    [
        ([-1, 2], 1, True),
        ([0, 0], 1, True),
        ([[1]], 1, True),
        ([1, np.inf], 1, True),
        ([1, 0], 2, False),
        ([1], -1, True),
    ],
)
def test_weighted_random_sampler_refuses(weights: list[float], draws: int, replacement: bool) -> None:
    with pytest.raises(ValueError, match="weights"):
        samplers.WeightedRandomSampler(weights, draws, replacement)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size of at least 1 .* got 0"),
        ({"workers": -1}, ValueError, "workers of at least 0, got 1 and -1"),
        ({"batch_size": 2.5}, TypeError, "float"),
        ({"sampler": [0], "shuffle": True}, ValueError, "got both"),
        ({"sampler": [10]}, IndexError, "expected image numbers below 10, got 10"),
        ({"sampler": [0.5]}, TypeError, "expected integers"),
    ],
)
def test_loader_refuses(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DataLoader(numbered(), **settings)


def test_loader_wants_a_dataset() -> None:
    for wrong in ([1, 2], 3, "ab", {"a": 1}, np.zeros((2, 3)), None):
        with pytest.raises(TypeError, match=f"expected a Dataset, got a {type(wrong).__name__}"):
            DataLoader(wrong)  # type: ignore[arg-type]


class Table:
    """Rows of three numbers with a target: a dataset of a user's own."""

    def __init__(self, count: int = 24) -> None:
        self.rows = np.random.default_rng(1).normal(size=(count, 3)).astype("float32")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], int]:
        return self.rows[i], self.rows[i] @ np.array([[1.0], [-2.0], [0.5]], "float32"), i


@pytest.mark.parametrize("workers", [0, 3])
def test_loader_of_a_dataset_of_ones_own(workers: int) -> None:
    table = Table()
    loader = DataLoader(table, 10, shuffle=True, seed=4, workers=workers)
    assert len(loader) == 3
    batches = list(loader)
    assert [x.shape for x, _, _ in batches] == [(10, 3), (10, 3), (4, 3)]
    numbers = np.concatenate([n for _, _, n in batches])
    assert sorted(numbers) == list(range(24)) != list(numbers)
    for x, y, n in batches:
        assert (x.dtype, y.dtype, n.dtype) == (np.float32, np.float32, np.int64)
        np.testing.assert_array_equal(x, table.rows[n])
        assert y.shape == (len(n), 1)
    x, y = next(iter(DataLoader([((1, 2), 0.5), ((3, 4), 1.5)], 2, transform=lambda rows: rows * 10)))
    assert (x.tolist(), y.tolist()) == ([[10, 20], [30, 40]], [0.5, 1.5])


def test_loader_names_items_that_do_not_fit() -> None:
    class Odd(Table):
        item: Any = 1.0

        def __getitem__(self, i: int) -> Any:
            return self.item(i) if callable(self.item) else self.item

    odd = Odd()
    with pytest.raises(TypeError, match=r"items that are tuples, such as \(inputs, target\), got a float"):
        next(iter(DataLoader(odd, 2)))
    odd.item = lambda i: (np.zeros(i), 1)
    with pytest.raises(ValueError, match="items of equal shapes in a batch"):
        next(iter(DataLoader(odd, 2)))


def test_a_regression_on_a_table_is_trained() -> None:
    minitorch.manual_seed(0)
    model = minitorch.Linear(3, 1)
    optimizer = minitorch.SGD(model.parameters(), lr=0.2)
    records = list(
        minitorch.fit(
            model, DataLoader([(x, y) for x, y, _ in map(Table().__getitem__, range(24))], 8, shuffle=True, seed=0),
            optimizer, epochs=30, loss=minitorch.mse_loss,
        )
    )  # fmt: skip
    assert records[-1].loss < 1e-3 < records[0].loss


# --- commands ---


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if name != "MINITORCH_DATA"}
    settings |= {"PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=settings, capture_output=True, text=True, timeout=60
    )


def test_the_command_says_what_it_found(alone: Path) -> None:
    write_idx(alone / "root" / "mnist", packed=True)
    done = run(sys.executable, "-m", "minitorch.data", "mnist", "--root", alone / "root", cwd=alone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"MNIST: 6 training and 4 test images in {alone / 'root' / 'mnist'}\n"


def test_the_command_fails_with_one_line(alone: Path) -> None:
    (write_idx(alone / "root") / "t10k-labels-idx1-ubyte").write_bytes(b"cut")
    done = run(sys.executable, "-m", "minitorch.data", "mnist", "--root", alone / "root", cwd=alone)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "t10k-labels-idx1-ubyte" in done.stderr


def test_nothing_to_be_had_is_status_2(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["fashion", "--root", str(alone / "root")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit) as caught:
        __main__.main(["imagenet"])
    assert caught.value.code == 2


needs_shell = pytest.mark.skipif(shutil.which("sh") is None, reason="no shell to run the script with")


@needs_shell
def test_mnist_get_data_leaves_what_python_mnist_reads(alone: Path) -> None:
    mnist = pytest.importorskip("mnist", reason="python-mnist is not installed")
    write_idx(alone / "shared" / "mnist", packed=True)
    script = ROOT / "mnist_get_data.sh"
    done = run(script, cwd=alone, MINITORCH_DATA=str(alone / "shared"))
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(alone / "data")) == sorted(formats.IDX_NAMES)
    before = {path.name: path.stat().st_mtime_ns for path in (alone / "data").iterdir()}
    assert run(script, "data", cwd=alone).returncode == 0
    assert {path.name: path.stat().st_mtime_ns for path in (alone / "data").iterdir()} == before

    train, _ = image_sets.mnist(alone / "data")
    images, labels = mnist.MNIST(str(alone / "data")).load_training()
    assert np.array_equal(np.array(images).reshape(train.images.shape), train.images)
    assert labels.tolist() == train.labels.tolist()


@needs_shell
def test_cifar10_get_data_leaves_the_batches(alone: Path) -> None:
    write_archive(alone / "shared" / "cifar-10-python.tar.gz", batch_files())
    done = run(ROOT / "cifar10_get_data.sh", "my data", cwd=alone, MINITORCH_DATA=str(alone / "shared"))
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(alone / "my data" / formats.CIFAR_FOLDER)) == sorted(BATCHES)


# --- the real files ---


@needs("mnist/train-images-idx3-ubyte*")
def test_real_mnist_equals_what_python_mnist_reads() -> None:
    mnist = pytest.importorskip("mnist", reason="python-mnist is not installed")
    train, test = image_sets.mnist(SHARED, download=False)
    assert (len(train), len(test)) == (60_000, 10_000)
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    reader = mnist.MNIST(str(Path(str(SHARED)) / "mnist"), gz=True, return_type="numpy")
    images, labels = reader.load_testing()
    assert np.array_equal(np.asarray(images).reshape(test.images.shape), test.images)
    assert np.array_equal(labels, test.labels)
    mean, std = train.mean_std()
    assert (round(mean[0], 4), round(std[0], 4)) == (0.1307, 0.3081)


@needs("fashion-mnist/train-images-idx3-ubyte*")
def test_real_fashion_mnist() -> None:
    train, test = image_sets.fashion_mnist(SHARED, download=False)
    assert np.bincount(train.labels).tolist() == [6000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert round(train.mean_std()[0][0], 4) == 0.2860


@needs("cifar10/cifar-10*")
def test_real_cifar10_and_its_splits() -> None:
    train, test = image_sets.cifar10(SHARED, download=False)
    assert train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert np.bincount(np.concatenate([train.labels, test.labels])).tolist() == [6000] * 10
    assert train.mean_std()[0].round(4).tolist() == [0.4914, 0.4822, 0.4465]
    valid, held = data_dataset.random_split(test, [6_500, 3_500])
    assert (len(valid), len(held)) == (6_500, 3_500)
