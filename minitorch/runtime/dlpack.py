"""DLPack: memory of the CPU or of a GPU shared with other libraries, without a copy.

A *capsule* carries a C struct that says where the numbers are and how they are laid out, and a function that the
receiver calls when it needs them no more. Capsules are made here, and read where NumPy cannot: those of a GPU.
"""

from __future__ import annotations

import ctypes
import math
import weakref
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Place = tuple[int, int]
CPU: Place = (1, 0)  # the standard's number of the kind of device, and which one
CUDA = 2  # its number of the memory of NVIDIA's GPUs
FLOAT = 2  # its number of the kind of dtype
KINDS = {0: "int", 1: "uint", FLOAT: "float", 4: "bfloat", 5: "complex", 6: "bool"}
NAME, TAKEN = b"dltensor", b"used_dltensor"


@runtime_checkable
class Shares(Protocol):
    """What can be read through DLPack."""

    def __dlpack__(self, **settings: Any) -> Any:
        """Return a capsule."""
        ...

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the kind of device, and which one."""
        ...


class _Device(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("number", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Array(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("dims", ctypes.c_int32),
        ("dtype", _Type),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    _fields_ = (("array", _Array), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


_api = ctypes.pythonapi
_api.PyCapsule_New.restype = ctypes.py_object
_api.PyCapsule_New.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
# The capsule is dying when these are called: it must not pass as an object that could be kept.
_api.PyCapsule_IsValid.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_api.PyCapsule_SetName.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_api.PyCapsule_GetPointer.restype = ctypes.c_void_p
_api.PyCapsule_GetPointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_lent: dict[
    int, tuple[Any, ...]
] = {}  # what must live as long as somebody reads it, by the address of its struct


def _give_back(address: int, lent: dict[int, tuple[Any, ...]] = _lent) -> None:
    lent.pop(address, None)


def _drop_capsule(capsule: int, api: Any = _api, lent: dict[int, tuple[Any, ...]] = _lent) -> None:
    # A receiver renames what it took. This file's names may be gone where a capsule outlives it.
    if api.PyCapsule_IsValid(capsule, b"dltensor"):
        lent.pop(api.PyCapsule_GetPointer(capsule, b"dltensor"), None)


_for_receivers = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_give_back)
_for_capsules = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(_drop_capsule)


def capsule_at(
    address: int, place: Place, shape: tuple[int, ...], steps: tuple[int, ...], itemsize: int, owner: Any
) -> Any:
    """Return a capsule on floats in memory.

    Args:
        address: Where the first one is.
        place: The device whose memory it is.
        shape: How they are laid out.
        steps: How many numbers apart neighbours are, for each dimension.
        itemsize: Bytes of a number.
        owner: What must live until the receiver lets go of the memory.
    """
    sizes = (ctypes.c_int64 * len(shape))(*shape)
    strides = (ctypes.c_int64 * len(shape))(*steps)
    dtype = _Type(FLOAT, itemsize * 8, 1)
    layout = _Array(address, _Device(*place), len(shape), dtype, sizes, strides, 0)
    managed = _Managed(layout, None, ctypes.cast(_for_receivers, ctypes.c_void_p))
    at = ctypes.addressof(managed)
    _lent[at] = (managed, sizes, strides, owner)
    return _api.PyCapsule_New(at, NAME, ctypes.cast(_for_capsules, ctypes.c_void_p))


def capsule_of(array: npt.NDArray[Any]) -> Any:
    """Return a capsule on the memory of a float array, which lives until the receiver lets go of it."""
    steps = tuple(s // array.itemsize for s in array.strides)
    return capsule_at(array.ctypes.data, CPU, array.shape, steps, array.itemsize, array)


class Taken:
    """What a capsule carried: a place in memory, given back when nothing refers to this any more.

    Attributes:
        place: The device whose memory it is.
        address: Where the first number is.
        dtype: The numbers, as NumPy names them where it knows them.
        shape: How they are laid out.
        steps: How many numbers apart neighbours are, for each dimension.
    """

    def __init__(self, capsule: Any) -> None:
        """Take over what a capsule carries, once.

        Raises:
            BufferError: It was taken already, or is no capsule of DLPack.
        """
        if not _api.PyCapsule_IsValid(id(capsule), NAME):
            raise BufferError(
                f"a capsule named 'dltensor' that nobody has taken was expected, not {capsule!r}"
            )
        at = _api.PyCapsule_GetPointer(id(capsule), NAME)
        array = _Managed.from_address(at).array
        self.place: Place = (array.device.kind, array.device.number)
        self.address: int = (array.data or 0) + array.offset
        lanes = f"x{array.dtype.lanes}" if array.dtype.lanes != 1 else ""
        kind = KINDS.get(array.dtype.kind, f"kind {array.dtype.kind} of ")
        self.dtype: str = f"{kind}{array.dtype.bits}{lanes}"
        self.shape: tuple[int, ...] = tuple(array.shape[: array.dims])
        packed = (math.prod(self.shape[k + 1 :]) for k in range(array.dims))
        # Without strides, the numbers are packed.
        self.steps: tuple[int, ...] = tuple(array.strides[: array.dims]) if array.strides else tuple(packed)
        _api.PyCapsule_SetName(id(capsule), TAKEN)
        weakref.finalize(self, _let_go, at).atexit = False


def _let_go(at: int) -> None:
    deleter = _Managed.from_address(at).deleter
    if deleter:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(deleter)(at)


def flat_view(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[int, ...]]:
    """Return the memory that an array reads as a flat array, and the array's steps in it.

    Raises:
        ValueError: It reads backwards, or between its elements.
    """
    steps = tuple(s // array.itemsize for s in array.strides)
    if min(steps, default=0) < 0 or any(s % array.itemsize for s in array.strides):
        raise ValueError(f"memory with strides of {array.strides} bytes cannot be shared: copy it first")
    length = length_of(array.shape, steps)
    return np.lib.stride_tricks.as_strided(array, (length,), (array.itemsize,)), steps


def length_of(shape: tuple[int, ...], steps: tuple[int, ...]) -> int:
    """Return how many numbers in a row memory of this layout spans."""
    return 1 + sum((n - 1) * s for n, s in zip(shape, steps)) if math.prod(shape) else 0
