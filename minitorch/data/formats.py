"""Reads the file formats of image sets: IDX (MNIST, Fashion-MNIST) and the Python batches of CIFAR-10.

Depends on `minitorch.runtime.files` for a cache and files written atomically. Every reader checks the structure of what
it reads, runs no code from it, and names a damaged file.

    IDX     bytes 0 0 8 D, then D sizes of 4 bytes, big-endian, then the elements, bytes in row-major order
    CIFAR   a pickled dict: "data", uint8 (N, 3072), which is (N, 3, 32, 32) in row-major order, and "labels", N ints
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from ..runtime.files import cache_folder, replacing
from ..runtime.pickles import check_pickle
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


# The largest file of these sets has 47 MB, the archive of CIFAR-10 unpacks to 186 MB.
_LARGEST_FILE = 1 << 28  # bytes, unpacked
_LARGEST_ARCHIVE = 1 << 30


def find_idx(folder: Path) -> Path | None:
    """Return ``folder`` if it holds the four IDX files, unpacked or ``.gz``; else None.

    Other archives call ``train-images-idx3-ubyte`` also ``train-images.idx3-ubyte``, or put it into a folder of its own
    name.
    """
    return folder if all(_idx_path(folder, name).is_file() for name in IDX_NAMES) else None


def read_idx(path: Path, dims: int) -> Images:
    """Read one IDX file of unsigned bytes, unpacked or ``.gz``, as an array of ``dims`` dimensions.

    Raises:
        DataError: The file is cut, too long or of another kind.
    """
    magic = bytes((0, 0, 8, dims))
    with _opened(path) as file:
        head = file.read(4 + 4 * dims)
        if head[:4] != magic:
            raise DataError(
                f"{path} is not an IDX file: expected {magic.hex()!r} as its first bytes, got {head[:4].hex()!r}"
            )
        shape = [int.from_bytes(head[4 * i : 4 * i + 4], "big") for i in range(1, dims + 1)]
        expected = math.prod(shape)
        if expected > _LARGEST_FILE:
            raise DataError(f"{path} is damaged: expected at most {_LARGEST_FILE} bytes, got shape {shape}")
        content = file.read(expected + 1)
    if len(head) < 4 + 4 * dims or len(content) != expected:
        got = f"{len(head) + len(content)}" + (" or more" if len(content) > expected else "")
        raise DataError(f"{path} is damaged: expected {len(head) + expected} bytes by its header, got {got}")
    return np.frombuffer(content, np.uint8).reshape(shape).copy()


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
                temporary.write_bytes(_bytes(path))


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
        return _cifar_splits(dict(_folder_files(source)), source)
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


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked if its name ends in .gz; what goes wrong while it is read names the file."""
    packed = path.suffix == ".gz"
    try:
        if packed and not path.stat().st_size:
            raise EOFError("it is empty")
        with gzip.open(path) if packed else open(path, "rb") as file:
            yield cast(IO[bytes], file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged, expected a whole gzip file: {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz."""
    with _opened(path) as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise DataError(f"{path} is too large: expected at most {_LARGEST_FILE} bytes")
    return content


def _idx_path(folder: Path, name: str) -> Path:
    """Return the unpacked file if there is one, else the packed one; without either, a path that does not exist."""
    names = (name, name.replace("-idx", ".idx"))
    found = (
        [folder / n for n in names] + [folder / n / n for n in names] + [folder / f"{n}.gz" for n in names]
    )
    return next((path for path in found if path.is_file()), found[0])


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
    try:
        checked = np.asarray(labels)
    except ValueError:
        checked = np.empty(1)
    whole = checked.ndim == 1 and (not checked.size or checked.dtype.kind in "iu")
    if not whole or (checked.size and not 0 <= checked.min() <= checked.max() < _CLASSES):
        raise DataError(
            f"{source} is damaged: expected labels that are whole numbers from 0 to {_CLASSES - 1}"
        )
    return checked.astype(np.int64)


def _folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((name, _bytes(folder / name)) for name in _CIFAR_FILES if (folder / name).is_file())


class _Limited(io.RawIOBase):
    """A stream for tarfile that ends in an error once more than ``limit`` bytes were read."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        content = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.ReadError("it unpacks to too many bytes")
        return content


def _archive_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with open(archive, "rb") as raw:
            # By its first bytes, as tarfile does it: the name says nothing about the content.
            head = raw.read(6)
            raw.seek(0)
            opened: Any = raw
            if head.startswith(b"\x1f\x8b"):
                opened = gzip.GzipFile(fileobj=raw)
            elif head.startswith(b"BZh"):
                opened = bz2.BZ2File(raw)
            elif head.startswith(b"\xfd7zXZ"):
                opened = lzma.LZMAFile(raw)  # noqa: SIM115 - closes nothing of its own
            stream = _Limited(opened, _LARGEST_ARCHIVE)
            with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 20) as tar:
                for member in tar:
                    path = PurePosixPath(member.name)
                    if member.isreg() and path.parent.name == CIFAR_FOLDER and path.name in _CIFAR_FILES:
                        if member.size > _LARGEST_FILE:
                            raise tarfile.ReadError(f"{path.name} has {member.size} bytes")
                        yield path.name, cast(IO[bytes], tar.extractfile(member)).read()
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
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
        check_pickle(content)
        batch = _PlainUnpickler(io.BytesIO(content), encoding="latin1").load()
        data, labels = _array(batch["data"]), _array(batch["labels"])
        if not isinstance(labels, list | np.ndarray):
            raise TypeError(f"labels are a {type(labels).__name__}")
    except Exception as error:  # damaged pickles raise anything
        raise DataError(f"{source} is damaged, expected a pickled dict of data and labels: {error}") from None
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (len(labels), 3072):
        found = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"{source} is damaged: expected data of uint8 ({len(labels)}, 3072), got {found}")
    return data.reshape(-1, 3, 32, 32), _checked_labels(labels, source)


def _latin1(text: Any, encoding: Any) -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise pickle.UnpicklingError(f"encoding {encoding} is refused")
    return text.encode("latin1")


class _DType:
    """Stands in for ``numpy.dtype`` while a pickle is read: an integer type and its byte order, nothing else."""

    __slots__ = ("code",)

    def __init__(self, code: Any) -> None:
        if not isinstance(code, str) or code not in _INTEGERS:
            raise pickle.UnpicklingError(f"dtype {code!r} is refused: expected integers")
        self.code = code

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {order!r} is refused")
        self.code = f"{order}{self.code}"


class _PickledArray:
    """Stands in for an array while a pickle is read. It is filled from bytes of the right number, once."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: npt.NDArray[Any] = np.empty(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        self.fill(raw, dtype, shape, "F" if fortran else "C")

    def fill(self, raw: Any, dtype: Any, shape: Any, order: Any) -> _PickledArray:
        """Read ``raw`` as an array; every part comes from the file."""
        if isinstance(raw, str):  # bytes of Python 2, decoded as latin1
            raw = raw.encode("latin1")
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes | bytearray) or order not in ("C", "F"):
            raise pickle.UnpicklingError("an array of something else than integers is refused")
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise pickle.UnpicklingError("an array of a damaged shape is refused")
        kind = np.dtype(dtype.code)
        if math.prod(shape) * kind.itemsize != len(raw):
            raise pickle.UnpicklingError(f"an array of shape {shape} is refused: it has {len(raw)} bytes")
        self.array = np.frombuffer(bytes(raw), kind).reshape(shape, order="F" if order == "F" else "C")
        return self


_INTEGERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)}
_NDARRAY = object()  # the class, as an argument only: it cannot be called


def _reconstruct(kind: Any, _shape: Any, _typecode: Any) -> _PickledArray:
    if kind is not _NDARRAY:
        raise pickle.UnpicklingError("an array of a class of its own is refused")
    return _PickledArray()


def _from_bytes(raw: Any, dtype: Any, shape: Any, order: Any) -> _PickledArray:
    return _PickledArray().fill(raw, dtype, shape, order)


def _dtype(code: Any, _align: Any = False, _copy: Any = True) -> _DType:
    return _DType(code)


class _PlainUnpickler(pickle.Unpickler):
    """Builds integer arrays and plain containers; any other name in a pickle is an error: no code of a file runs.

    NumPy's own functions are not called: with arguments of the file's choice they make arrays of pointers.
    """

    _allowed: ClassVar[dict[tuple[str, str], Callable[..., Any]]] = {
        **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
        **{(f"numpy.{core}.numeric", "_frombuffer"): _from_bytes for core in ("core", "_core")},
        ("numpy", "dtype"): _dtype,
        ("_codecs", "encode"): _latin1,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return _NDARRAY
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(
                f"{module}.{name} is refused: expected arrays and plain containers only"
            )
        function = self._allowed[module, name]
        # A fresh function each time: a pickle may set attributes of whatever it is given.
        return lambda *values: function(*values)


def _array(value: Any) -> Any:
    return value.array if isinstance(value, _PickledArray) else value


def _read_cache(path: Path) -> tuple[Split, Split] | None:
    """Return the arrays kept under ``path``; None if there are none, or they are damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST_ARCHIVE:
                return None
        splits = []
        with np.load(path, allow_pickle=False) as kept:
            for part in ("train", "test"):
                images, labels = kept[f"{part}_images"], _checked_labels(kept[f"{part}_labels"], path)
                if images.dtype != np.uint8 or images.shape != (len(labels), 3, 32, 32):
                    return None
                splits.append((images, labels))
    except (OSError, EOFError, KeyError, ValueError, MemoryError, zlib.error, zipfile.BadZipFile, DataError):
        return None
    return splits[0], splits[1]
