"""Bytes of a file as arrays: members of a zip archive, and elements of a dtype. Depends on NumPy.

`zipfile` reads a member as immutable bytes, which an array of one's own has to be copied from. Here a member is read
piece by piece into the memory of an array: a copy of a piece is in the core's cache.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence

import numpy as np

from ..runtime.types import Array

BFLOAT16 = "bfloat16"  # NumPy has no such dtype, hence no code for it
_PIECE = 1 << 18  # bytes that are read at a time, which fit a core's cache


def read_member(archive: zipfile.ZipFile, name: str) -> Array:
    """Return the bytes of a member of an archive as a fresh array.

    Raises:
        BadZipFile: It is cut, or its checksum (CRC-32) differs.
        KeyError: There is no member of this name.
    """
    info = archive.getinfo(name)
    raw = np.empty(info.file_size, np.uint8)
    with archive.open(info) as member:
        for start in range(0, len(raw), _PIECE):
            part = raw[start : start + _PIECE]
            piece = member.read(len(part))
            if len(piece) != len(part):
                raise zipfile.BadZipFile(f"{name!r} is cut")
            part[:] = np.frombuffer(piece, np.uint8)
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
