"""Reads the file formats of image sets: IDX (MNIST, Fashion-MNIST) and the Python batches of CIFAR-10.

Depends on `minitorch.runtime.files` for a cache and files written atomically. Every reader checks the structure of what
it reads, runs no code from it, and names a damaged file.

    IDX     bytes 0 0 8 D, then D sizes of 4 bytes, big-endian, then the elements, bytes in row-major order
    CIFAR   a pickled dict: "data", uint8 (N, 3072), which is (N, 3, 32, 32) in row-major order, and "labels", N ints
"""

from __future__ import annotations

import io
import math
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from ..runtime.files import cache_folder, replacing
from .download import DataError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Split = tuple[Images, Labels]

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CIFAR_FOLDER = "cifar-10-batches-py"
CIFAR_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
CIFAR_TEST = ("test_batch",)
CIFAR_ARCHIVES = tuple(
    stem + suffix for stem in ("cifar-10-python", CIFAR_FOLDER) for suffix in (".tar.gz", ".tgz", ".tar.bz2")
)
_CIFAR_FILES = (*CIFAR_TRAIN, *CIFAR_TEST, "batches.meta", "readme.html", "not_exact.json")
_CLASSES = 10  # classes of every set read here


def find_idx(folder: Path) -> Path | None:
    """Return ``folder`` if it holds the four IDX files, unpacked or ``.gz``; else None."""
    return folder if all(_idx_path(folder, name).is_file() for name in IDX_NAMES) else None


def read_idx(path: Path, dims: int) -> Images:
    """Read one IDX file of unsigned bytes, unpacked or ``.gz``, as an array of ``dims`` dimensions.

    Raises:
        DataError: The file is cut, too long or of another kind.
    """
    content = _unpacked(path)
    magic = bytes((0, 0, 8, dims))
    if content[:4] != magic:
        raise DataError(
            f"{path} is not an IDX file: expected {magic.hex()!r} as its first bytes, got {content[:4].hex()!r}"
        )
    shape = [int.from_bytes(content[4 * i : 4 * i + 4], "big") for i in range(1, dims + 1)]
    start = 4 + 4 * dims
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise DataError(f"{path} is damaged: expected {expected} bytes by its header, got {len(content)}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def read_idx_set(folder: Path) -> tuple[Split, Split]:
    """Read the IDX files of ``folder``: images (N, 1, 28, 28) and labels (N,), for training and for test.

    Raises:
        DataError: A file is damaged, or its shape does not fit the others.
    """
    train_images, train_labels, test_images, test_labels = (_idx_path(folder, name) for name in IDX_NAMES)
    return _idx_split(train_images, train_labels), _idx_split(test_images, test_labels)


def unpack_idx(source: Path, folder: Path) -> None:
    """Check the IDX files of ``source`` and write them, unpacked, into ``folder``."""
    read_idx_set(source)
    for name in IDX_NAMES:
        path = _idx_path(source, name)
        if path != folder / name:
            with replacing(folder / name) as temporary:
                temporary.write_bytes(_unpacked(path))


def find_cifar(folder: Path) -> Path | None:
    """Return the folder of CIFAR-10 batches in ``folder``, or else an archive of them; None if neither."""
    batches = folder / CIFAR_FOLDER
    if all((batches / name).is_file() for name in CIFAR_TRAIN + CIFAR_TEST):
        return batches
    return next((folder / name for name in CIFAR_ARCHIVES if (folder / name).is_file()), None)


def read_cifar(source: Path) -> tuple[Split, Split]:
    """Read CIFAR-10 from what ``find_cifar`` found: images (N, 3, 32, 32) and labels (N,).

    Unpacking an archive takes about ten seconds, so its arrays are kept in the cache folder, if that can be
    written, under a name that changes with the archive.

    Raises:
        DataError: The archive or a batch is cut, malformed or missing.
    """
    if source.is_dir():
        return _cifar_splits(
            {path.name: path.read_bytes() for path in source.iterdir() if path.is_file()}, source
        )
    stat = source.stat()
    cached = cache_folder() / f"{source.name}-{stat.st_size}-{stat.st_mtime_ns}.npz"
    kept = _read_cache(cached)
    if kept is not None:
        return kept
    train, test = _cifar_splits(dict(_archive_files(source)), source)
    # Without the cache the next call takes longer, and nothing else changes.
    with suppress(OSError), replacing(cached) as temporary, open(temporary, "wb") as file:
        np.savez(file, train_images=train[0], train_labels=train[1], test_images=test[0], test_labels=test[1])
    return train, test


def unpack_cifar(source: Path, folder: Path) -> None:
    """Check what ``find_cifar`` found and write its files into ``folder/cifar-10-batches-py``."""
    target = folder / CIFAR_FOLDER
    files = dict(_folder_files(source) if source.is_dir() else _archive_files(source))
    _cifar_splits(files, source)
    for name, content in files.items() if source != target else ():
        with replacing(target / name) as temporary:
            temporary.write_bytes(content)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def _unpacked(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz."""
    content = _bytes(path)
    try:
        return zlib.decompress(content, wbits=31) if path.suffix == ".gz" else content
    except zlib.error as error:
        raise DataError(f"{path} is damaged, expected a whole gzip file: {error}") from None


def _idx_path(folder: Path, name: str) -> Path:
    """Return the unpacked file if there is one, else the packed one (which may not exist)."""
    return folder / name if (folder / name).is_file() else folder / f"{name}.gz"


def _idx_split(images_path: Path, labels_path: Path) -> Split:
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (28, 28):
        raise DataError(f"{images_path} is damaged: expected images of (28, 28), got {images.shape[1:]}")
    if len(images) != len(labels):
        raise DataError(
            f"{labels_path} is damaged: expected {len(images)} labels, one for each image of {images_path}, "
            f"got {len(labels)}"
        )
    return images[:, None], _checked_labels(labels, labels_path)


def _checked_labels(labels: npt.ArrayLike, source: Path | str) -> Labels:
    checked = np.asarray(labels)
    if checked.size and (checked.dtype.kind not in "iu" or checked.min() < 0 or checked.max() >= _CLASSES):
        raise DataError(
            f"{source} is damaged: expected labels that are whole numbers from 0 to {_CLASSES - 1}"
        )
    return checked.astype(np.int64)


def _folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((name, _bytes(folder / name)) for name in _CIFAR_FILES if (folder / name).is_file())


def _archive_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if member.isfile() and path.parent.name == CIFAR_FOLDER and path.name in _CIFAR_FILES:
                    yield path.name, cast(IO[bytes], tar.extractfile(member)).read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DataError(f"{archive} is damaged, expected a whole tar archive: {error}") from None


def _cifar_splits(batches: dict[str, bytes], source: Path) -> tuple[Split, Split]:
    missing = [name for name in CIFAR_TRAIN + CIFAR_TEST if name not in batches]
    if missing:
        raise DataError(f"{source}: expected six batches in {CIFAR_FOLDER}, missing {', '.join(missing)}")
    train, test = (
        [_batch(batches[name], f"{source}/{name}") for name in names] for names in (CIFAR_TRAIN, CIFAR_TEST)
    )
    return _joined(train), _joined(test)


def _joined(parts: list[Split]) -> Split:
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def _batch(content: bytes, source: str) -> Split:
    try:
        batch = _PlainUnpickler(io.BytesIO(content), encoding="latin1").load()
        data, labels = batch["data"], batch["labels"]
    except Exception as error:  # damaged pickles raise anything
        raise DataError(f"{source} is damaged, expected a pickled dict of data and labels: {error}") from None
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (len(labels), 3072):
        found = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"{source} is damaged: expected data of uint8 ({len(labels)}, 3072), got {found}")
    return data.reshape(-1, 3, 32, 32), _checked_labels(labels, source)


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding} is refused")
    return text.encode("latin1")


# Taken from an array, because NumPy has moved this function between modules and may do so again.
_reconstruct = cast(Callable[..., Any], np.empty(0).__reduce__()[0])


class _PlainUnpickler(pickle.Unpickler):
    """Builds arrays and plain containers; any other name in a pickle is an error, so that no code of a file runs."""

    _allowed: ClassVar[dict[tuple[str, str], Callable[..., Any]]] = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin1,
    }

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(
                f"{module}.{name} is refused: expected arrays and plain containers only"
            )
        return self._allowed[module, name]


def _read_cache(path: Path) -> tuple[Split, Split] | None:
    """Return the arrays kept under ``path``; None if there are none, or they are damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            train = kept["train_images"], kept["train_labels"]
            return train, (kept["test_images"], kept["test_labels"])
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
