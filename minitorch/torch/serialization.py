"""``torch.save`` and ``torch.load``: PyTorch's zip format for tensors and plain containers; no code is run on loading.

Reading is `minitorch.train.torch_format`. Writing pickles containers and names PyTorch's functions for tensors, which
PyTorch then calls; this process needs none of them.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from ..train.torch_format import CheckpointError, read_objects
from .dtypes import Size, bfloat16, dtype
from .nn.modules.module import Module
from .nn.parameter import Parameter
from .tensor import Tensor, from_array, to_array

_STORAGES = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage",
    "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
    "bool": "BoolStorage",
}  # fmt: skip
_PLAIN = (type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set, OrderedDict)


class _Name:
    """Stands for a function or class of PyTorch, which the file names."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Place:
    """Stands for the numbers of a tensor, which the file holds beside the pickle."""

    def __init__(self, storage: str, key: str, size: int) -> None:
        self.storage, self.key, self.size = storage, key, size


_Base: Any = vars(pickle)["_Pickler"]  # in Python, whose methods can be replaced; the usual one is in C


class _Pickler(_Base):  # type: ignore[misc]
    """Pickles plain containers; tensors by the name of the function that makes them."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, protocol=2)
        self.arrays: list[Any] = []
        self.kept: list[Any] = []

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _Place):
            return "storage", _Name("torch", obj.storage), obj.key, "cpu", obj.size
        return None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Name):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
            return
        if id(obj) in self.memo:
            self.write(self.get(self.memo[id(obj)][0]))
            return
        if isinstance(obj, Tensor):
            self.save_reduce(*self._parts(obj), obj=obj)
            return
        if isinstance(obj, dtype):
            self.write(f"ctorch\n{obj.name}\n".encode())
            return
        if isinstance(obj, Size):
            self.save_reduce(_Name("torch", "Size"), (tuple(obj),), obj=obj)
            return
        if isinstance(obj, np.floating | np.integer | np.bool_):
            obj = obj.item()
        if not isinstance(obj, (*_PLAIN, _Place)) and obj is not OrderedDict:
            hint = ": save its state_dict()" if isinstance(obj, Module) else ""
            raise TypeError(
                f"save: expected tensors, numbers, strings and plain containers, got a {type(obj).__name__}{hint}"
            )
        super().save(obj, save_persistent_id)

    def save_reduce(self, func: Any, args: Any, *more: Any, obj: Any = None, **named: Any) -> None:
        if not isinstance(func, _Name):
            super().save_reduce(func, args, *more, obj=obj, **named)
            return
        self.save(func)
        self.save(args)
        self.write(pickle.REDUCE)
        self.kept.append(obj)  # a memo goes by id: nothing that it knows may be gone before the end
        self.memoize(obj)

    def _parts(self, t: Tensor) -> tuple[_Name, tuple[Any, ...]]:
        if t.dtype is bfloat16:
            raise TypeError("save: bfloat16 is read only: convert with float()")
        if isinstance(t, Parameter):
            return _Name("torch._utils", "_rebuild_parameter"), (t.detach(), t.requires_grad, OrderedDict())
        array = to_array(t).copy(order="C")
        self.arrays.append(array)
        place = _Place(_STORAGES[t.dtype.name], str(len(self.arrays) - 1), array.size)
        strides = tuple(s // array.itemsize for s in array.strides)
        parts: tuple[Any, ...] = (place, 0, tuple(t.shape), strides, t.requires_grad, OrderedDict())
        return _Name("torch._utils", "_rebuild_tensor_v2"), parts


def save(obj: Any, f: Any, *args: Any, **ignored: Any) -> None:
    """Write tensors and plain containers in PyTorch's zip format.

    Args:
        obj: A tensor, a state dict, or any nesting of dicts, lists, numbers and strings.
        f: A path with any suffix, or a binary file that is open for writing.
        *args: Accepted, and not used.
        **ignored: Settings of PyTorch that change nothing here.

    Raises:
        TypeError: It holds something else, such as a Module: save its ``state_dict()``.
    """
    text = io.BytesIO()
    pickler = _Pickler(text)
    pickler.dump(obj)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        archive.writestr("archive/byteorder", "little")
        for k, array in enumerate(pickler.arrays):
            archive.writestr(f"archive/data/{k}", array.tobytes())
        archive.writestr("archive/version", "3\n")
    if isinstance(f, str | os.PathLike):
        path = Path(f)
        if not path.parent.is_dir():
            raise RuntimeError(f"Parent directory {path.parent} does not exist.")
        path.write_bytes(packed.getvalue())
    else:
        f.write(packed.getvalue())


def load(f: Any, map_location: Any = None, weights_only: bool | None = None, **ignored: Any) -> Any:
    """Read what ``torch.save`` wrote, here or in PyTorch: tensors and plain containers.

    Args:
        f: A path, or a binary file that is open for reading.
        map_location: The device of the tensors, by default the CPU; a dict or a function is taken as the CPU.
        weights_only: Accepted: no code in a file is ever run.
        **ignored: Settings of PyTorch that change nothing here.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is damaged, of another format, or holds anything but tensors and plain values.
    """
    if isinstance(f, str | os.PathLike) and not os.path.exists(f):
        raise FileNotFoundError(f"[Errno 2] No such file or directory: {os.fspath(f)!r}")
    where = (
        None
        if map_location is None or isinstance(map_location, dict) or callable(map_location)
        else map_location
    )
    return _tensors(read_objects(f), where)


def _tensors(found: Any, where: Any) -> Any:
    if isinstance(found, np.ndarray):
        return from_array(found, where)
    if isinstance(found, dict):
        kind = dict if type(found) is dict else OrderedDict
        return kind((k, _tensors(v, where)) for k, v in found.items())
    if isinstance(found, list | tuple):
        return type(found)(_tensors(v, where) for v in found)
    return found


__all__ = ["CheckpointError", "load", "save"]
