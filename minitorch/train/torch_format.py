"""Reads a state dict that PyTorch saved (``.pth``, ``.pt``), without PyTorch.

Such a file is a zip archive with a pickle and raw storages. Before PyTorch 1.6 it was a row of five pickles, the
storages behind them:

    magic number, version, system, content, keys of the storages | elements of storage 0, its bytes | of storage 1 ...

A pickle may call any function on the machine. The reader allows only the names that tensors and plain containers need,
so no code in a file is run. Depends on NumPy.
"""

from __future__ import annotations

import functools
import io
import math
import os
import pickle
import pickletools
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, NamedTuple

import numpy as np

from ..runtime.pickles import MAX_DEPTH, check_pickle, unpacked_limit
from ..runtime.types import Array
from .raw_bytes import BFLOAT16, decode, item_size, read_member

_FLOATS = {"DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": BFLOAT16}
_INTEGERS = {"LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1"}
_COMPLEX = {"ComplexFloatStorage": "c8", "ComplexDoubleStorage": "c16"}
_STORAGES = {**_FLOATS, **_INTEGERS, **_COMPLEX, "ByteStorage": "u1", "BoolStorage": "?"}
_DTYPES = {"uint16": "u2", "uint32": "u4", "uint64": "u8"}
_OTHER_DTYPES = {
    *(
        "float64",
        "float32",
        "float16",
        "double",
        "float",
        "half",
        "bfloat16",
        "complex64",
        "complex128",
        "bool",
    ),
    *("int64", "int32", "int16", "int8", "uint8", "long", "int", "short"),
}
_UNTYPED = "untyped"  # a storage that leaves the dtype to its tensors
_CODES = {*_STORAGES.values(), *_DTYPES.values()}
_OLD_VERSION = 1001
_OLD_PICKLES = 1 << 26  # bytes from the start within which the pickles of such a file must lie
# The pickle of the magic number that a file from before PyTorch 1.6 begins with.
_OLD_FORMAT = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


class CheckpointError(RuntimeError):
    """A file of tensors is missing, cut, of another format, or does not fit. The message has its name and why."""


def read_pth(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read the tensors of a ``.pth`` or ``.pt`` file, by name, as fresh arrays.

    Dicts and lists within the dict become dotted names (``model.conv1.weight``); values that are not tensors (an
    epoch, a string) are left out. bfloat16 becomes float32, which holds each of its values.

    Raises:
        CheckpointError: The file is missing, damaged, holds anything but tensors and plain values, or unpacks to far
            more bytes than it has (see `minitorch.runtime.pickles`).
    """
    # Each opcode makes one object at most; a list that holds a list twice, and so on, has far more paths.
    return _read(path, lambda content, opcodes: _flatten(content, 1000 + 10 * opcodes))


def read_objects(path: str | os.PathLike[str] | IO[bytes]) -> Any:
    """Read what ``torch.save`` wrote: tensors as arrays, within plain containers, numbers and strings.

    Args:
        path: A ``.pth`` or ``.pt`` file, or a binary file that is open for reading.

    Raises:
        CheckpointError: As for `read_pth`.
    """
    return _read(path, lambda content, opcodes: content)


def _read(path: Any, convert: Callable[[Any, int], Any]) -> Any:
    try:
        if not isinstance(path, str | os.PathLike):
            return _read_file(path, convert)
        with open(path, "rb") as file:
            return _read_file(file, convert)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except zipfile.BadZipFile as error:
        raise CheckpointError(f"{path}: not a PyTorch archive, or cut short: {error}") from error
    except Exception as error:  # a damaged pickle may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path}: not a PyTorch state dict: {reason[:300]}") from error


def _read_file(file: IO[bytes], convert: Callable[[Any, int], Any]) -> Any:
    limit = unpacked_limit(file.seek(0, os.SEEK_END))
    file.seek(0)
    if file.read(len(_OLD_FORMAT)) == _OLD_FORMAT:
        old = _OldReader(file, limit)
        return convert(old.load(), old.opcodes)
    with zipfile.ZipFile(file) as archive:
        reader = _ZipReader(archive, limit)
        return convert(reader.load(), reader.opcodes)


class _Storage(NamedTuple):
    """The bytes of a tensor. A pickle cannot name this class, so every instance comes from the archive."""

    code: str
    byteorder: str
    raw: bytes | Array
    spend: Callable[[int], None]  # counts bytes, up to the limit of the file
    take: Callable[[], bool]  # whether a tensor may have the memory of the bytes: the first one that asks


class _Dict(dict[Any, Any]):
    """Takes the place of OrderedDict; drops the attributes that PyTorch adds to it (``_metadata``)."""

    def __setstate__(self, state: object) -> None:
        pass


class _Reader(pickle.Unpickler):
    """Unpickles tensors, containers, numbers and strings; raises for every other name in a file.

    Args:
        content: The pickle.
        limit: How many bytes may be unpacked.
    """

    _byteorder = "<"

    def __init__(self, content: bytes, limit: int) -> None:
        self._limit, self._left = limit, limit
        self._taken: set[Any] = set()
        self.opcodes = check_pickle(content)
        super().__init__(io.BytesIO(content), encoding="utf-8")

    def load(self) -> Any:
        try:
            return super().load()
        finally:
            self.memo.clear()  # its storages refer to the reader: the arrays would live until a garbage collection

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {self._limit} bytes")

    def _bytes_of(self, key: Any) -> bytes | Array:
        raise NotImplementedError

    def _take(self, key: Any) -> bool:
        """Tell whether the memory of a storage has not been given to a tensor, and count it as given from now on."""
        free = key not in self._taken
        self._taken.add(key)
        return free

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Dict
        if (module, name) == ("torch.storage", "UntypedStorage"):
            return _UNTYPED
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "torch" and name in _OTHER_DTYPES:
            return f"torch.{name}"
        functions = _FUNCTIONS if module == "torch._utils" else _CONTAINERS.get(module, {})
        if name in functions:
            function = functions[name]
            # A fresh function each time: a pickle may set attributes of whatever it is given.
            return lambda *values: function(*values)
        raise ValueError(f"it asks for {module}.{name}, which is not part of one")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, code, key, _location, size, *view = pid
        if kind != "storage":
            raise ValueError(f"it refers to a {kind!r}, where only a storage can be")
        if code != _UNTYPED and code not in _CODES:
            raise ValueError(f"a storage has the unknown dtype {code!r}")
        item = 1 if code == _UNTYPED else item_size(code)
        raw = self._bytes_of(key)
        if len(raw) != size * item:
            raise ValueError(f"storage {key} has {len(raw)} bytes, expected {size * item}")
        if view and view[0] is not None:  # a part of the storage, in old files
            _, first, count = view[0]
            if not (type(first) is type(count) is int and 0 <= first <= first + count <= size):
                raise ValueError(f"a part of storage {key} lies outside of it")
            raw = raw[first * item : (first + count) * item]
        return _Storage(code, self._byteorder, raw, self._spend, functools.partial(self._take, key))


class _ZipReader(_Reader):
    """Reads an archive: a pickle ``data.pkl``, and a file for each storage."""

    def __init__(self, archive: zipfile.ZipFile, limit: int) -> None:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError(f"one data.pkl is expected, {len(pickles)} found")
        self._archive = archive
        self._raw: dict[Any, Array] = {}
        size = archive.getinfo(pickles[0]).file_size
        if size > limit:
            raise ValueError(f"it unpacks to more than {limit} bytes")
        super().__init__(archive.read(pickles[0]), limit)
        self._spend(size)
        self._root = pickles[0].removesuffix("data.pkl")
        order = f"{self._root}byteorder"
        self._byteorder = ">" if order in names and self._record(order).tobytes().strip() == b"big" else "<"

    def _record(self, name: str) -> Array:
        self._spend(self._archive.getinfo(name).file_size)
        return read_member(self._archive, name)

    def _bytes_of(self, key: Any) -> Array:
        if key not in self._raw:
            self._raw[key] = self._record(f"{self._root}data/{key}")
        return self._raw[key]


class _Sizes(_Reader):
    """Finds the bytes of an element of each storage, without making tensors: the pickle stands before the storages."""

    def __init__(self, content: bytes, limit: int) -> None:
        super().__init__(content, limit)
        self.found: dict[Any, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return (lambda *values: None) if module == "torch._utils" else found

    def persistent_load(self, pid: Any) -> Any:
        code, key = pid[1], pid[2]
        if code not in _CODES:
            raise ValueError(f"a storage has the unknown dtype {code!r}")
        self.found[key] = item_size(code)


class _OldReader(_Reader):
    """Reads a file of the format before PyTorch 1.6."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        file.seek(0)
        data = file.read(_OLD_PICKLES)
        pickles, stream = [], io.BytesIO(data)
        for _ in range(5):
            start = stream.tell()
            for _opcode in pickletools.genops(stream):
                pass
            pickles.append(data[start : stream.tell()])
        _, version, system, content, keys = pickles
        if _plain(version, limit) != _OLD_VERSION:
            raise ValueError(
                f"expected version {_OLD_VERSION} of the old format, got {_plain(version, limit)!r}"
            )
        super().__init__(content, limit)
        sizes = _Sizes(content, limit)
        sizes.load()
        little = _plain(system, limit)["little_endian"]
        self._byteorder = "<" if little else ">"
        self._raw: dict[Any, bytes] = {}
        file.seek(stream.tell())
        for key in _plain(keys, limit):
            if key not in sizes.found:
                raise ValueError(f"storage {key!r} belongs to no tensor")
            size = int.from_bytes(file.read(8), "little" if little else "big") * sizes.found[key]
            self._spend(size)
            self._raw[key] = file.read(size)
            if len(self._raw[key]) != size:
                raise ValueError(f"storage {key} is cut: it has {len(self._raw[key])} bytes of {size}")

    def _bytes_of(self, key: Any) -> bytes:
        return self._raw[key]


def _plain(content: bytes, limit: int) -> Any:
    """Load a pickle of numbers and strings in plain containers."""
    return _Reader(content, limit).load()


def _tensor(
    storage: object,
    offset: int,
    size: Sequence[int],
    stride: Sequence[int],
    _requires_grad: bool,
    _hooks: object,
    metadata: object = None,
    code: str | None = None,
) -> Array:
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor lies on something that is not a storage")
    if metadata:  # marks a conjugate or negated view, whose storage holds other numbers
        raise ValueError(f"a tensor is marked {metadata}")
    code = storage.code if code is None else code
    if (
        code not in _CODES
    ):  # the code comes from the file: with an object dtype its bytes would become pointers
        raise ValueError(f"a tensor has the unknown dtype {code!r}")
    if not all(type(n) is int and n >= 0 for n in size):
        raise ValueError(f"a tensor has the shape {size}")
    # A stride of 0 reads one element many times: a small file may describe a tensor of any size.
    storage.spend(math.prod(size) * (4 if code == BFLOAT16 else item_size(code)))
    return decode(code, storage.raw, size, stride, offset, storage.byteorder, storage.take)


def _tensor_of_dtype(
    storage: object,
    offset: int,
    size: Sequence[int],
    stride: Sequence[int],
    requires_grad: bool,
    hooks: object,
    code: str,
    metadata: object = None,
) -> Array:
    return _tensor(storage, offset, size, stride, requires_grad, hooks, metadata, code)


def _parameter(data: Array, _requires_grad: bool, _hooks: object) -> Array:
    return data


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _tensor_of_dtype,
    "_rebuild_parameter": _parameter,
}


def _counter(items: object = ()) -> _Dict:
    if items != () and not isinstance(items, dict):
        raise ValueError(f"a Counter is made of a {type(items).__name__}")
    return _Dict(items)


def _set(items: object = ()) -> set[Any]:
    if not isinstance(items, list | tuple):
        raise ValueError(f"a set is made of a {type(items).__name__}")
    return set(items)


def _size(sizes: object = ()) -> tuple[Any, ...]:
    if not isinstance(sizes, list | tuple):
        raise ValueError(f"a size is made of a {type(sizes).__name__}")
    return tuple(sizes)


def _device(kind: object, number: object = None) -> str:
    return str(kind)[:100] if number is None else f"{str(kind)[:100]}:{str(number)[:100]}"


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError(f"it encodes a {type(text).__name__} as {encoding!r}")
    return text.encode("latin1")


def _bytearray(content: object = b"") -> bytes:
    if not isinstance(content, bytes):
        raise ValueError(f"a bytearray is made of a {type(content).__name__}")
    return content


_BUILTINS: dict[str, Callable[..., Any]] = {"set": _set, "frozenset": _set, "bytearray": _bytearray}
# Plain containers and what else torch.load(weights_only=True) reads; none of it is a tensor.
_CONTAINERS: dict[str, dict[str, Callable[..., Any]]] = {
    "collections": {"Counter": _counter},
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS,
    "torch": {"Size": _size, "device": _device},
    "_codecs": {"encode": _encode},
}


def _flatten(content: object, visits: int) -> dict[str, Array]:
    if not isinstance(content, dict):
        kind = "tensor" if isinstance(content, np.ndarray) else type(content).__name__
        raise ValueError(f"it holds a {kind}, not a dict of tensors")
    found: dict[str, Array] = {}
    for name, array in _tensors(content, "", 0, [visits]):
        if name in found:
            raise ValueError(f"two of its tensors are called {name!r}")
        found[name] = array
    if content and not found:
        raise ValueError("it holds no tensors")
    return found


def _tensors(value: object, prefix: str, depth: int, visits: list[int]) -> Iterator[tuple[str, Array]]:
    visits[0] -= 1
    if visits[0] < 0:
        raise ValueError("its containers hold each other too often")
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if len(prefix) > 1000:
        raise ValueError("a name is longer than 1000 characters")
    if isinstance(value, np.ndarray):
        yield prefix.removesuffix("."), value
    elif isinstance(value, dict):
        for key, item in value.items():
            plain = isinstance(key, str | int | float) or key is None
            name = key if plain else type(key).__name__
            yield from _tensors(item, f"{prefix}{name}.", depth + 1, visits)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _tensors(item, f"{prefix}{position}.", depth + 1, visits)
