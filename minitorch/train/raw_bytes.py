"""Bytes of a file as arrays: members of a zip archive, and elements of a dtype. Depends on NumPy.

`zipfile` reads a member as immutable bytes, which an array of one's own has to be copied from. Members that are not
compressed, as all of PyTorch's are, are read into the memory of an array here, and summed piece by piece while a piece
is in the core's cache.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import IO

import numpy as np

from ..runtime.types import Array

BFLOAT16 = "bfloat16"  # NumPy has no such dtype, hence no code for it
_PIECE = 1 << 18  # bytes that are read and summed at a time
# Before a member: a mark, flags, the length of its name, and that of what else follows.
_HEADER = struct.Struct("<4s2xH18xHH")
_MARK = b"PK\x03\x04"
_UTF8, _ENCRYPTED_OR_PATCHED = 0x800, 0x1 | 0x20 | 0x40  # flags


def read_member(archive: zipfile.ZipFile, file: IO[bytes], name: str) -> Array:
    """Return the bytes of a member of an archive that was opened from ``file``, as a fresh array.

    Raises:
        BadZipFile: It is cut, or its checksum (CRC-32) differs.
        KeyError: There is no member of this name.
    """
    info = archive.getinfo(name)
    stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
    if not stored or not isinstance(file, io.BufferedReader | io.BytesIO):
        return np.frombuffer(bytearray(archive.read(info)), np.uint8)
    file.seek(info.header_offset)
    header = file.read(_HEADER.size)
    mark, flags, name_length, rest = _HEADER.unpack(header) if len(header) == _HEADER.size else (b"", 0, 0, 0)
    found = file.read(name_length).decode("utf-8" if flags & _UTF8 else "cp437")
    if mark != _MARK or (flags | info.flag_bits) & _ENCRYPTED_OR_PATCHED or found != info.orig_filename:
        raise zipfile.BadZipFile(f"bad header of {name!r}")
    file.seek(rest, io.SEEK_CUR)
    raw = np.empty(info.file_size, np.uint8)
    checksum = 0
    for start in range(0, len(raw), _PIECE):
        piece = raw[start : start + _PIECE].data
        if file.readinto(piece) != len(piece):
            raise zipfile.BadZipFile(f"{name!r} is cut")
        checksum = zlib.crc32(piece, checksum)
    if checksum != info.CRC:
        raise zipfile.BadZipFile(f"bad CRC-32 of {name!r}")
    return raw


def decode(
    code: str,
    raw: bytes | Array,
    shape: Sequence[int],
    strides: Sequence[int] | None = None,
    offset: int = 0,
    byteorder: str = "<",
    take: Callable[[], bool] | None = None,
) -> Array:
    """Copy elements out of raw bytes; bfloat16 becomes float32.

    Args:
        code: NumPy's code of the dtype, or ``BFLOAT16``.
        raw: The bytes; NumPy checks that all elements are within them.
        shape: Shape of the result.
        strides: In elements, one per dimension; None means row-major.
        offset: Of the first element, in elements.
        byteorder: ``"<"`` or ``">"``.
        take: Asked where the result needs no conversion and has all of ``raw``, an array: whether it may be the memory
            of ``raw`` itself. None (default) means no.
    """
    dtype = np.dtype(
        byteorder + {BFLOAT16: "u2", "?": "u1"}.get(code, code)
    )  # a byte of 2 is not a valid bool
    steps = None if strides is None else [stride * dtype.itemsize for stride in strides]
    stored: Array = np.ndarray(shape, dtype, raw, offset * dtype.itemsize, steps)
    whole = stored.nbytes == len(raw) and stored.flags.c_contiguous
    as_it_is = dtype.isnative and code not in (BFLOAT16, "?") and isinstance(raw, np.ndarray)
    if whole and as_it_is and take is not None and take():
        return np.ndarray(shape, dtype, raw)
    elements = stored.astype(dtype.newbyteorder("="), order="C")
    if code == BFLOAT16:
        return np.asarray(elements.astype(np.uint32) << 16).view(np.float32)
    return elements.astype(np.bool_) if code == "?" else elements


def item_size(code: str) -> int:
    """Return the bytes of an element in the file."""
    return 2 if code == BFLOAT16 else np.dtype(code).itemsize
