"""Names of the 2020 and 2021 course, for its scripts and tests; new code needs none of them.

``minitorch.__getattr__`` finds them in `NAMES`. The file depends on the core only, and only the package imports it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from . import autodiff, operators, tensor_data, tensor_functions
from .autodiff import Function, History, backpropagate, unwrap_tuple
from .tensor import Tensor, tensor
from .tensor_data import to_index
from .tensor_ops.backend import TensorBackend
from .tensor_ops.base import TensorOps
from .tensor_ops.reference import SimpleBackend, SimpleOps

FunctionBase = Function
TensorFunctions = SimpleBackend
tensor_fromlist = tensor
count = to_index


class _AnyVariable(type):
    """Makes every variable an instance of the course's Variable."""

    def __instancecheck__(cls, obj: object) -> bool:
        return isinstance(obj, autodiff.Variable)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, autodiff.Variable)


class Variable(autodiff.Variable, metaclass=_AnyVariable):
    """The common base of Scalar and Tensor; an object of this class has no value and collects its derivative.

    Args:
        history: The history; None for a constant.
        name: Shown in graphs and messages.
    """

    __slots__ = ("derivative",)

    def __init__(self, history: History | None, name: str | None = None) -> None:
        super().__init__(history, name)
        self.derivative: Any = None

    def _fit(self, d: Any) -> Any:
        return d

    def _store_derivative(self, d: Any, owned: set[int]) -> None:
        self.derivative = d if self.derivative is None else self.derivative + d

    def backward(self, d_output: Any = 1.0) -> None:
        """Add the derivatives of this variable, times ``d_output``, to the leaves it was computed from."""
        backpropagate(self, d_output)

    def zero_derivative_(self) -> None:
        """Set the derivative to None."""
        self.derivative = None


class VariableWithDeriv(NamedTuple):
    """A variable and the derivative that flows into it."""

    variable: Any
    deriv: Any


class CourseBackend(TensorBackend):
    """A backend that also finds the Functions of tensors by name, as ``backend.Add``."""

    def __getattr__(self, name: str) -> Any:
        found = vars(tensor_functions).get(name)
        if isinstance(found, type) and issubclass(found, Function):
            return found
        raise AttributeError(f"TensorBackend has no attribute {name!r}")


def make_tensor_backend(ops: type[TensorOps], is_cuda: bool = False) -> TensorBackend:
    """Return a TensorBackend of ``ops``; the abstract TensorOps stands for the reference backend.

    Raises:
        ValueError: ``is_cuda`` is True, and ``ops`` does not compute on a GPU.
    """
    if is_cuda and not ops.cuda:
        raise ValueError(
            f"make_tensor_backend: is_cuda is True, but {ops.__name__} does not compute on a GPU"
        )
    return CourseBackend(SimpleOps if ops is TensorOps else ops)


make_tensor_functions = make_tensor_backend


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a @ b``."""
    return a @ b


def _also_of_variables(fn: Callable[[float], float]) -> Callable[[Any], Any]:
    """Return ``fn``, which of a Scalar or Tensor calls the method of its name, so that the derivative is not lost."""

    @functools.wraps(fn)
    def function(x: Any) -> Any:
        return getattr(x, fn.__name__)() if isinstance(x, autodiff.Variable) else fn(x)

    function.py_func = fn  # type: ignore[attr-defined]  # what kernels compile
    return function


def is_leaf(v: Any) -> bool:
    """Tell whether ``v`` is a leaf: a variable that the user made and whose derivative is wanted."""
    return isinstance(v, autodiff.Variable) and v.is_leaf()


def is_constant(v: Any) -> bool:
    """Tell whether ``v`` is a plain value or a variable without history."""
    return not isinstance(v, autodiff.Variable) or v.is_constant()


# The types of the official `tensor_data`: NumPy's and typing's own, so not in `__all__`.
_ALIASES = ("Storage", "OutIndex", "Index", "Shape", "Strides", "UserIndex", "UserShape", "UserStrides")

NAMES: dict[str, Any] = {
    **{k: v for k, v in vars(tensor_data).items() if k in _ALIASES},
    **{k: v for k, v in vars(operators).items() if inspect.isfunction(v) and k != "max"},
    **{
        k: _also_of_variables(getattr(operators, k))
        for k in ("exp", "log", "relu", "sigmoid", "sqrt", "tanh")
    },
    "FunctionBase": FunctionBase,
    "TensorFunctions": TensorFunctions,
    "VariableWithDeriv": VariableWithDeriv,
    "count": count,
    "is_constant": is_constant,
    "is_leaf": is_leaf,
    "make_tensor_backend": make_tensor_backend,
    "make_tensor_functions": make_tensor_functions,
    "matmul": matmul,
    "tensor_fromlist": tensor_fromlist,
    "unwrap_tuple": unwrap_tuple,
}
