"""DLPack: memory of the CPU or of a GPU shared with other libraries, without a copy.

A *capsule* is a Python object that carries a pointer to a C struct, ``DLManagedTensor``: address, device, dtype, shape
and strides of an array, and a deleter. The consumer renames the capsule from ``dltensor`` to ``used_dltensor``, and
calls the deleter when it no longer needs the memory. Capsules are made here, and read where NumPy cannot: those of a
GPU. The file depends on NumPy only. Source: the DLPack 0.x ABI, https://dmlc.github.io/dlpack/latest/c_api.html.
"""

from __future__ import annotations

import ctypes
import math
import weakref
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Place = tuple[int, int]  # a device: DLPack's device type, and the number of the device
CPU: Place = (1, 0)
CUDA = 2  # the device type of the memory of NVIDIA's GPUs
FLOAT = 2  # the type code of floating-point numbers
KINDS = {0: "int", 1: "uint", FLOAT: "float", 4: "bfloat", 5: "complex", 6: "bool"}
NAME, USED_NAME = b"dltensor", b"used_dltensor"


@runtime_checkable
class SupportsDLPack(Protocol):
    """An object whose memory can be shared through DLPack."""

    def __dlpack__(self, **settings: Any) -> Any:
        """Return a capsule."""
        ...

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the device type, and the number of the device."""
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
# These are called while a capsule is being destroyed, so they take its address, not the object.
_api.PyCapsule_IsValid.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_api.PyCapsule_SetName.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_api.PyCapsule_GetPointer.restype = ctypes.c_void_p
_api.PyCapsule_GetPointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
Exported = dict[int, tuple[Any, ...]]
_exported: Exported = {}  # what must live as long as a consumer reads it, by the address of its struct


# The defaults of the arguments bind names that are gone where a capsule outlives this module.
def _delete(address: int, exported: Exported = _exported) -> None:
    exported.pop(address, None)


def _destroy_capsule(capsule: int, api: Any = _api, exported: Exported = _exported) -> None:
    # A consumer renames the capsule; under its first name it was never consumed.
    if api.PyCapsule_IsValid(capsule, b"dltensor"):
        exported.pop(api.PyCapsule_GetPointer(capsule, b"dltensor"), None)


_deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_delete)
_destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(_destroy_capsule)


def capsule_at(
    address: int, place: Place, shape: tuple[int, ...], steps: tuple[int, ...], itemsize: int, owner: Any
) -> Any:
    """Return a capsule on floats in memory.

    Args:
        address: The address of the first element.
        place: The device whose memory it is.
        shape: The sizes.
        steps: The strides, in elements.
        itemsize: Bytes of an element.
        owner: What must live until the consumer releases the memory.
    """
    sizes = (ctypes.c_int64 * len(shape))(*shape)
    strides = (ctypes.c_int64 * len(shape))(*steps)
    dtype = _Type(FLOAT, itemsize * 8, 1)
    layout = _Array(address, _Device(*place), len(shape), dtype, sizes, strides, 0)
    managed = _Managed(layout, None, ctypes.cast(_deleter, ctypes.c_void_p))
    pointer = ctypes.addressof(managed)
    _exported[pointer] = (managed, sizes, strides, owner)
    return _api.PyCapsule_New(pointer, NAME, ctypes.cast(_destructor, ctypes.c_void_p))


def capsule_of(array: npt.NDArray[Any]) -> Any:
    """Return a capsule on the memory of a float array, which lives until the consumer releases it."""
    steps = tuple(s // array.itemsize for s in array.strides)
    return capsule_at(array.ctypes.data, CPU, array.shape, steps, array.itemsize, array)


class Imported:
    """The memory of a consumed capsule; its producer's deleter is called when nothing refers to this object any more.

    Args:
        capsule: A capsule that was not consumed yet.

    Attributes:
        place: The device whose memory it is.
        address: The address of the first element.
        dtype: The name of the dtype, NumPy's where it has one.
        shape: The sizes.
        steps: The strides, in elements.

    Raises:
        BufferError: The capsule was consumed already, or is not one of DLPack.
    """

    def __init__(self, capsule: Any) -> None:
        if not _api.PyCapsule_IsValid(id(capsule), NAME):
            raise BufferError(
                f"expected a capsule named 'dltensor' that was not consumed yet, got {capsule!r}"
            )
        pointer = _api.PyCapsule_GetPointer(id(capsule), NAME)
        array = _Managed.from_address(pointer).array
        self.place: Place = (array.device.kind, array.device.number)
        self.address: int = (array.data or 0) + array.offset
        lanes = f"x{array.dtype.lanes}" if array.dtype.lanes != 1 else ""
        kind = KINDS.get(array.dtype.kind, f"kind {array.dtype.kind} of ")
        self.dtype: str = f"{kind}{array.dtype.bits}{lanes}"
        self.shape: tuple[int, ...] = tuple(array.shape[: array.dims])
        row_major = (math.prod(self.shape[k + 1 :]) for k in range(array.dims))
        # A null pointer as strides stands for row-major ones.
        self.steps: tuple[int, ...] = (
            tuple(array.strides[: array.dims]) if array.strides else tuple(row_major)
        )
        _api.PyCapsule_SetName(id(capsule), USED_NAME)
        weakref.finalize(self, _release, pointer).atexit = False


def _release(pointer: int) -> None:
    deleter = _Managed.from_address(pointer).deleter
    if deleter:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(deleter)(pointer)


def flat_view(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[int, ...]]:
    """Return the memory that an array spans as a flat array, and the array's strides in it, in elements.

    Raises:
        ValueError: A stride is negative, or is not a whole number of elements.
    """
    steps = tuple(s // array.itemsize for s in array.strides)
    if min(steps, default=0) < 0 or any(s % array.itemsize for s in array.strides):
        raise ValueError(f"cannot share memory with strides of {array.strides} bytes: copy it first")
    length = span(array.shape, steps)
    return np.lib.stride_tricks.as_strided(array, (length,), (array.itemsize,)), steps


def span(shape: tuple[int, ...], steps: tuple[int, ...]) -> int:
    """Return how many consecutive elements of memory this layout spans."""
    return 1 + sum((n - 1) * s for n, s in zip(shape, steps)) if math.prod(shape) else 0
