"""Dtypes and devices under PyTorch's names, and the rules of promotion.

float32 and float64 are tensors of the core, with gradients. Integers and bool are arrays of NumPy, without. float16 and
bfloat16 name what files hold; tensors of them can be made and converted, and refuse arithmetic.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cuda_ops.device import numba_cuda
from ..tensor_ops.backend import TensorBackend, find_backend, get_default_backend


class dtype:
    """A kind of numbers.

    Attributes:
        name: Such as "float32".
        numpy: The dtype of the arrays that hold it.
        is_floating_point: Whether it has fractions.
        itemsize: Bytes of an element.
    """

    def __init__(self, name: str, code: str) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(code)
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = False
        self.is_signed = self.numpy.kind in "if"
        self.itemsize = 2 if name == "bfloat16" else self.numpy.itemsize

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


float64 = double = dtype("float64", "f8")
float32 = dtype("float32", "f4")
float16 = half = dtype("float16", "f2")
bfloat16 = dtype("bfloat16", "f2")
int64 = dtype("int64", "i8")
int32 = dtype("int32", "i4")
int16 = short = dtype("int16", "i2")
int8 = dtype("int8", "i1")
uint8 = dtype("uint8", "u1")
bool_ = dtype("bool", "?")
long = int64
DTYPES = (float64, float32, float16, int64, int32, int16, int8, uint8, bool_)
_BY_NUMPY = {d.numpy: d for d in DTYPES}
_BY_PYTHON: dict[Any, dtype] = {float: float32, int: int64, bool: bool_}
_default = [float32]


# What PyTorch's messages and `Tensor.type` call them.
TYPE_NAMES = {
    "float64": "Double", "float32": "Float", "float16": "Half", "bfloat16": "BFloat16", "int64": "Long", "int32": "Int",
    "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool",
}  # fmt: skip


def not_implemented(name: str, d: dtype) -> NotImplementedError:
    """Return the error for a function that has no such dtype, in PyTorch's words."""
    return NotImplementedError(f'"{name}_cpu" not implemented for {TYPE_NAMES[d.name]!r}')


def find_dtype(given: Any, default: dtype | None = None) -> dtype:
    """Return the dtype for one of ours, a NumPy dtype or a type of Python; ``default`` for None.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(given, dtype):
        return given
    if given is None and default is not None:
        return default
    if given is float:
        return get_default_dtype()
    if isinstance(given, type) and given in _BY_PYTHON:
        return _BY_PYTHON[given]
    try:
        return _BY_NUMPY[np.dtype(given)]
    except (TypeError, KeyError):
        raise TypeError(f"dtype: expected a torch.dtype such as torch.float32, got {given!r}") from None


def get_default_dtype() -> dtype:
    """Return the dtype of new tensors of fractions: float32 unless it was set."""
    return _default[0]


def set_default_dtype(d: Any) -> None:
    """Set the dtype of new tensors of fractions.

    Raises:
        TypeError: It is neither float32 nor float64.
    """
    found = find_dtype(d)
    if found not in (float32, float64):
        raise TypeError(f"set_default_dtype: expected torch.float32 or torch.float64, got {d!r}")
    _default[0] = found


class device:
    """Where tensors are: ``device("cpu")``, ``device("cuda")``, ``device("cuda:0")``.

    Attributes:
        type: "cpu" or "cuda".
        index: The number of the GPU, or None.
    """

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            index = type.index if index is None else index
            type = type.type
        if isinstance(type, int):
            type, index = "cuda", type
        name, _, number = str(type).partition(":")
        if name not in ("cpu", "cuda"):
            raise RuntimeError(f'device: expected "cpu" or "cuda", got {type!r}')
        if number and not number.isdigit():
            raise RuntimeError(f"device: expected a number after the colon, got {type!r}")
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})"
            if self.index is None
            else f"device(type={self.type!r}, index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


def cuda_available() -> bool:
    """Tell whether tensors can be on a GPU; Numba's simulator is none."""
    return not numba_cuda.SIMULATED and not numba_cuda.detect().missing()


def backend_on(where: Any) -> TensorBackend:
    """Return the backend for a device: the default one for the CPU (or "fast" if that is CUDA), "cuda" for a GPU.

    Raises:
        RuntimeError: There is no GPU.
    """
    place = device("cpu" if where is None else where)
    if place.type == "cuda":
        if not cuda_available():
            raise RuntimeError("device cuda: no CUDA GPU is available; use device 'cpu'")
        return find_backend("cuda")
    found = get_default_backend()
    return find_backend("fast") if found.ops.cuda else found


def _category(d: dtype) -> int:
    return 2 if d.is_floating_point else (0 if d is bool_ else 1)


def promote_types(a: dtype, b: dtype) -> dtype:
    """Return the dtype that holds the numbers of both, as PyTorch chooses it."""
    if a is b:
        return a
    if _category(a) != _category(b):
        return a if _category(a) > _category(b) else b
    return _BY_NUMPY[np.promote_types(a.numpy, b.numpy)]


def common_dtype(*groups: list[dtype]) -> dtype:
    """Return the dtype of a result.

    Args:
        *groups: Dtypes of the operands with dimensions, of those without, and of plain numbers. A later group counts
            only where its kind (bool, integers, fractions) is above that of the earlier ones.
    """
    result: dtype | None = None
    for group in groups:
        if not group:
            continue
        found = group[0]
        for d in group[1:]:
            found = promote_types(found, d)
        if result is None or _category(found) > _category(result):
            result = found
    return float32 if result is None else result


def named_axis(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function take ``axis``, as in NumPy, where it takes ``dim``."""

    @functools.wraps(fn)
    def function(*args: Any, axis: Any = None, **kwargs: Any) -> Any:
        if axis is not None:
            kwargs["dim"] = axis
        return fn(*args, **kwargs)

    return function


def number_dtype(x: Any) -> dtype:
    """Return the dtype of a plain number."""
    if isinstance(x, bool | np.bool_):
        return bool_
    return int64 if isinstance(x, int | np.integer) else get_default_dtype()


class finfo:
    """Limits of a dtype of fractions: ``eps``, ``max``, ``min``, ``tiny``, ``bits``."""

    def __init__(self, d: dtype | None = None) -> None:
        info = np.finfo(find_dtype(d, get_default_dtype()).numpy)
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.resolution = float(info.resolution)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.bits = info.bits
        self.dtype = find_dtype(d, get_default_dtype()).name


class iinfo:
    """Limits of a dtype of integers: ``max``, ``min``, ``bits``."""

    def __init__(self, d: dtype) -> None:
        info = np.iinfo(d.numpy)
        self.max, self.min, self.bits = int(info.max), int(info.min), info.bits
        self.dtype = d.name


class Size(tuple[int, ...]):
    """A shape: a tuple that shows as ``torch.Size([2, 3])``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        """Return the number of elements."""
        n = 1
        for size in self:
            n *= size
        return n

    def __getitem__(self, key: Any) -> Any:
        found = tuple(self)[key]
        return Size(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size((*self, *other))
