"""Reads a state dict that PyTorch saved (``.pth``, ``.pt``), without PyTorch.

Such a file is a zip archive with a pickle and raw storages, and a pickle may call any function on the machine. This
reader allows only the names that tensors and plain containers need, so no code in a file is run. Depends on NumPy.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..runtime.types import Array

BFLOAT16 = "bfloat16"  # NumPy has no such dtype, hence no code for it
_FLOATS = {"DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": BFLOAT16}
_INTEGERS = {"LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1"}
_COMPLEX = {"ComplexFloatStorage": "c8", "ComplexDoubleStorage": "c16"}
_STORAGES = {**_FLOATS, **_INTEGERS, **_COMPLEX, "ByteStorage": "u1", "BoolStorage": "?"}
_DTYPES = {"uint16": "u2", "uint32": "u4", "uint64": "u8"}
_UNTYPED = "untyped"  # a storage that leaves the dtype to its tensors
_CODES = {*_STORAGES.values(), *_DTYPES.values()}
_OLD_FORMAT = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


class CheckpointError(RuntimeError):
    """A file of tensors is missing, cut, of another format, or does not fit. The message has its name and why."""


def read_pth(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read the tensors of a zip ``.pth`` or ``.pt`` file, by name, as fresh arrays.

    Dicts and lists within the dict become dotted names (``model.conv1.weight``); values that are not tensors (an
    epoch, a string) are left out. bfloat16 becomes float32, which holds each of its values.

    Raises:
        CheckpointError: The file is missing, damaged, of PyTorch's old format, or holds anything but tensors
            and plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = _Reader(archive).load()
        return _flatten(content)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except zipfile.BadZipFile as error:
        raise CheckpointError(f"{path}: {_not_a_zip(path, error)}") from error
    except Exception as error:  # a damaged pickle may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path}: not a PyTorch state dict: {reason}") from error


def decode(
    code: str,
    raw: bytes,
    shape: Sequence[int],
    strides: Sequence[int] | None = None,
    offset: int = 0,
    byteorder: str = "<",
) -> Array:
    """Copy elements out of raw bytes; bfloat16 becomes float32.

    Args:
        code: NumPy's code of the dtype, or ``BFLOAT16``.
        raw: The bytes; NumPy checks that all elements are within them.
        shape: Shape of the result.
        strides: In elements, one per dimension; None means row-major.
        offset: Of the first element, in elements.
        byteorder: ``"<"`` or ``">"``.
    """
    dtype = np.dtype(byteorder + ("u2" if code == BFLOAT16 else code))
    steps = None if strides is None else [stride * dtype.itemsize for stride in strides]
    stored: Array = np.ndarray(shape, dtype, raw, offset * dtype.itemsize, steps)
    elements = stored.astype(dtype.newbyteorder("="), order="C")
    if code == BFLOAT16:
        return np.asarray(elements.astype(np.uint32) << 16).view(np.float32)
    return elements


class _Storage(NamedTuple):
    """The bytes of a tensor. A pickle cannot name this class, so every instance comes from the archive."""

    code: str
    byteorder: str
    raw: bytes


class _Dict(dict[Any, Any]):
    """Takes the place of OrderedDict; drops the attributes that PyTorch adds to it (``_metadata``)."""

    def __setstate__(self, state: object) -> None:
        pass


class _Reader(pickle.Unpickler):
    """Unpickles tensors, containers, numbers and strings; raises for every other name in a file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError(f"one data.pkl is expected, {len(pickles)} found")
        super().__init__(io.BytesIO(archive.read(pickles[0])), encoding="utf-8")
        self._archive = archive
        self._root = pickles[0].removesuffix("data.pkl")
        order = f"{self._root}byteorder"
        self._byteorder = ">" if order in names and archive.read(order).strip() == b"big" else "<"
        self._raw: dict[str, bytes] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Dict
        if (module, name) == ("torch.storage", "UntypedStorage"):
            return _UNTYPED
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "torch._utils" and name in _FUNCTIONS:
            function = _FUNCTIONS[name]
            # A fresh function each time: a pickle may set attributes of whatever it is given.
            return lambda *values: function(*values)
        raise ValueError(f"it asks for {module}.{name}, which is not part of one")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, code, key, _location, _size = pid
        if kind != "storage":
            raise ValueError(f"it refers to a {kind!r}, where only a storage can be")
        if key not in self._raw:
            self._raw[key] = self._archive.read(f"{self._root}data/{key}")
        return _Storage(code, self._byteorder, self._raw[key])


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
    return decode(code, storage.raw, size, stride, offset, storage.byteorder)


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


def _flatten(content: object) -> dict[str, Array]:
    if not isinstance(content, dict):
        kind = "tensor" if isinstance(content, np.ndarray) else type(content).__name__
        raise ValueError(f"it holds a {kind}, not a dict of tensors")
    found: dict[str, Array] = {}
    for name, array in _tensors(content, ""):
        if name in found:
            raise ValueError(f"two of its tensors are called {name!r}")
        found[name] = array
    if content and not found:
        raise ValueError("it holds no tensors")
    return found


def _tensors(value: object, prefix: str) -> Iterator[tuple[str, Array]]:
    if isinstance(value, np.ndarray):
        yield prefix.removesuffix("."), value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tensors(item, f"{prefix}{key}.")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _tensors(item, f"{prefix}{position}.")


def _not_a_zip(path: str | os.PathLike[str], error: zipfile.BadZipFile) -> str:
    with open(path, "rb") as file:
        head = file.read(len(_OLD_FORMAT))
    if head == _OLD_FORMAT:
        return "PyTorch's old format (before 1.6), not a zip archive: open it with PyTorch and save it again"
    return f"not a PyTorch zip archive, or cut short: {error}"
