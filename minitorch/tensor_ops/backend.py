"""TensorBackend: the operations of one backend, ready to call; and the registry of backends by name.

It depends on `base` and `composite`. Backends register themselves when their package is imported.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import operators
from ..runtime.types import Fn
from ..tensor_data import MAX_DIMS, TensorData, require_countable
from .base import Kernel, TensorOps
from .composite import MEANINGS, fusing


class _Default:
    backend: Any = os.environ.get("MINITORCH_BACKEND") or "fast"  # a name, or a TensorBackend


_factories: dict[str, Callable[[], Any]] = {}


def register_backend(name: str, factory: Callable[[], TensorBackend]) -> None:
    """Give a backend a name, for every ``backend=`` argument; a name that is taken gets the new backend.

    Args:
        name: What users write.
        factory: Returns the backend. It is called each time the name is looked up, so it must return the same object,
            and it raises BackendError where the backend cannot work on this machine.
    """
    _factories[name] = factory


def find_backend(backend: Any = None) -> TensorBackend:
    """Return the backend that ``backend`` names: "simple", "fast", "cuda", a TensorBackend, or None for the default.

    Raises:
        ValueError: The name is unknown.
        TypeError: It is neither a name nor a TensorBackend.
        BackendError: The backend cannot work on this machine.
    """
    if backend is None:
        backend = _Default.backend
    if isinstance(backend, TensorBackend):
        return backend
    if not isinstance(backend, str):
        raise TypeError(f"a backend is a name or a TensorBackend, not {type(backend).__name__}")
    if backend not in _factories:
        raise ValueError(
            f"unknown backend {backend!r}: expected one of {', '.join(_factories)}, or a TensorBackend"
        )
    return _factories[backend]()


def set_default_backend(backend: Any) -> None:
    """Set what tensors compute with when no backend is given: a name or a TensorBackend."""
    _Default.backend = find_backend(backend)


def get_default_backend() -> TensorBackend:
    """Return what tensors compute with when no backend is given: `MINITORCH_BACKEND`, else "fast", at the start."""
    return find_backend()


def check_default_backend() -> None:
    """Check the name in `MINITORCH_BACKEND`, once all backends of the package are registered.

    Raises:
        ValueError: No backend has that name.
    """
    if isinstance(_Default.backend, str) and _Default.backend not in _factories:
        raise ValueError(
            f"MINITORCH_BACKEND is {_Default.backend!r}: expected one of {', '.join(_factories)}"
        )


class TensorBackend:
    """What tensors compute with: the operations of a subclass of TensorOps, ready to call.

    Two of them on the same subclass are equal, so their tensors mix.

    Args:
        ops: The subclass of TensorOps.
    """

    def __init__(self, ops: type[TensorOps]) -> None:
        self.ops = ops
        self._maps: dict[Fn, Fn] = {}
        self._zips: dict[Fn, Fn] = {}
        self._updates: dict[Fn, Kernel] = {}

        self.neg_map = self.map(operators.neg)
        self.sigmoid_map = self.map(operators.sigmoid)
        self.relu_map = self.map(operators.relu)
        self.log_map = self.map(operators.log)
        self.exp_map = self.map(operators.exp)
        self.id_map = self.map(operators.id)
        self.inv_map = self.map(operators.inv)

        self.add_zip = self.zip(operators.add)
        self.sub_zip = self.zip(operators.sub)
        self.mul_zip = self.zip(operators.mul)
        self.div_zip = self.zip(operators.div)
        self.lt_zip = self.zip(operators.lt)
        self.eq_zip = self.zip(operators.eq)
        self.is_close_zip = self.zip(operators.is_close)
        self.relu_back_zip = self.zip(operators.relu_back)
        self.log_back_zip = self.zip(operators.log_back)
        self.inv_back_zip = self.zip(operators.inv_back)

        self.add_reduce = ops.reduce(operators.add, 0.0)
        self.mul_reduce = ops.reduce(operators.mul, 1.0)
        self.max_reduce = ops.reduce(operators.max_nan, -math.inf)

        self.matrix_multiply = self._checked("matrix_multiply", ops.matrix_multiply)
        self.conv = ops.conv
        self.conv_grad_input = ops.conv_grad_input
        self.conv_grad_weight = ops.conv_grad_weight
        self.take, self.take_grad = ops.take, ops.take_grad
        self.pool = ops.pool
        self.pool_grad = ops.pool_grad
        self.cuda = ops.cuda
        for name, meaning in MEANINGS.items():
            setattr(self, name, getattr(ops, name) if fusing() else functools.partial(meaning, ops))

    def _checked(self, method: str, fn: Fn) -> Fn:
        """Return ``fn``, with a check of its operands where a subclass overrides ``method`` (course code does)."""
        if not any(method in vars(owner) for owner in self.ops.__mro__[: -len(TensorOps.__mro__)]):
            return fn

        def checked(a: Any, b: Any) -> Any:
            self.ops.require_same_backend(a._tensor, b._tensor)
            return fn(a, b)

        return checked

    def map(self, fn: Fn) -> Fn:
        """Return the elementwise operation of one operand."""
        if fn not in self._maps:
            self._maps[fn] = self.ops.map(fn)
        return self._maps[fn]

    def zip(self, fn: Fn) -> Fn:
        """Return the elementwise operation of two operands, which broadcast."""
        if fn not in self._zips:
            self._zips[fn] = self._checked("zip", self.ops.zip(fn))
        return self._zips[fn]

    def update(self, rule: Fn) -> Kernel:
        """Return the in-place update of parameters by ``rule``; see `TensorOps.update_kernel`."""
        if rule not in self._updates:
            self._updates[rule] = self.ops.update_kernel(rule)
        return self._updates[rule]

    def full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> TensorData:
        """Return ``value`` in every element of ``shape``."""
        return self.from_array(np.full(shape, value, dtype))

    def from_array(self, array: npt.NDArray[Any]) -> TensorData:
        """Return a packed float array, which nobody else will write to, as TensorData of this backend.

        Raises:
            IndexingError: It has more than `MAX_DIMS` dimensions.
        """
        if array.ndim > MAX_DIMS:
            require_countable("tensor", array.shape)
        return TensorData.on(self.ops.storage(array.reshape(-1)), array.shape, None, array.size, self)

    def replay_input(self, make: Callable[[], npt.NDArray[Any]], shape: tuple[int, ...]) -> TensorData:
        """Return the packed float array ``make()`` as TensorData of ``shape``; see `TensorOps.replay_input`."""
        block = self.ops.replay_input(lambda: make().reshape(-1))
        return TensorData.on(block, shape, None, math.prod(shape), self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorBackend) and other.ops is self.ops

    def __hash__(self) -> int:
        return hash(self.ops)

    def __repr__(self) -> str:
        return f"TensorBackend({self.ops.__name__})"

    def __reduce__(self) -> Any:
        # By name, so that another process compiles its own kernels and checks that it has the device.
        name = self.ops.name
        if name in _factories and _factories[name]() == self:
            return find_backend, (name,)
        return TensorBackend, (self.ops,)

    def __deepcopy__(self, memo: Any) -> TensorBackend:
        return self
