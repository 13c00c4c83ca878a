"""DLPack: arrays of the CPU's memory shared with other libraries, without a copy.

A *capsule* carries a C struct that says where the numbers are and how they are laid out, and a function that the
receiver calls when it needs them no more. NumPy can read capsules; here they are made. It refuses to know tensors.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Place = tuple[int, int]
CPU: Place = (1, 0)  # the standard's number of the kind of device, and which one
FLOAT = 2  # its number of the kind of dtype
NAME = b"dltensor"


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
_api.PyCapsule_GetPointer.restype = ctypes.c_void_p
_api.PyCapsule_GetPointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_lent: dict[
    int, tuple[Any, ...]
] = {}  # what must live as long as somebody reads it, by the address of its struct


def _give_back(address: int, lent: dict[int, tuple[Any, ...]] = _lent) -> None:
    lent.pop(address, None)


def _drop_capsule(capsule: int) -> None:
    # A receiver renames what it took.
    if _api.PyCapsule_IsValid(capsule, NAME):
        _lent.pop(_api.PyCapsule_GetPointer(capsule, NAME), None)


_for_receivers = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_give_back)
_for_capsules = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(_drop_capsule)


def capsule_of(array: npt.NDArray[Any]) -> Any:
    """Return a capsule on the memory of a float array, which lives until the receiver lets go of it."""
    sizes = (ctypes.c_int64 * array.ndim)(*array.shape)
    steps = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
    dtype = _Type(FLOAT, array.itemsize * 8, 1)
    layout = _Array(array.ctypes.data, _Device(*CPU), array.ndim, dtype, sizes, steps, 0)
    managed = _Managed(layout, None, ctypes.cast(_for_receivers, ctypes.c_void_p))
    address = ctypes.addressof(managed)
    _lent[address] = (managed, sizes, steps, array)
    return _api.PyCapsule_New(address, NAME, ctypes.cast(_for_capsules, ctypes.c_void_p))


def flat_view(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[int, ...]]:
    """Return the memory that an array reads as a flat array, and the array's steps in it.

    Raises:
        ValueError: It reads backwards, or between its cells.
    """
    steps = tuple(s // array.itemsize for s in array.strides)
    if min(steps, default=0) < 0 or any(s % array.itemsize for s in array.strides):
        raise ValueError(f"memory with strides of {array.strides} bytes cannot be shared: copy it first")
    length = 1 + sum((n - 1) * s for n, s in zip(array.shape, steps)) if array.size else 0
    return np.lib.stride_tricks.as_strided(array, (length,), (array.itemsize,)), steps
