"""Tensors: a TensorData with a history, and the functions that make tensors.

Each method calls a Function of `minitorch.tensor_functions`, which computes in the backend of its operands. The file
depends on `minitorch.autodiff` and on `minitorch.tensor_ops.backend`, where backends are found by name; `minitorch.nn`
and everything above build on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .autodiff import History, Variable, backpropagate, grad_enabled
from .runtime import dlpack, rng
from .runtime.types import ArrayOperand
from .runtime.versions import Stored, assigned, mark_assigned, mark_changed, mark_same
from .tensor_data import (
    FLOATS,
    IndexingError,
    Sizes,
    TensorData,
    Triple,
    number_array,
    require_countable,
    require_writable,
    resolve_dtype,
    resolve_shape,
    whole_number,
    whole_numbers,
)
from .tensor_functions.elementwise import (
    EQ,
    LT,
    Abs,
    Add,
    Div,
    Exp,
    IsClose,
    Log,
    Mul,
    Neg,
    Power,
    ReLU,
    Sigmoid,
    Sqrt,
    Sub,
    Tanh,
)  # fmt: skip
from .tensor_functions.reduce import All, MatMul, Max, Mean, Sum
from .tensor_functions.shape import Assign, Cast, Cat, Copy, Permute, Slice, To, View, unbroadcast
from .tensor_ops.backend import TensorBackend, find_backend

Number = (int, float, np.floating, np.integer, np.bool_)


class Tensor(Variable, Stored):
    """A multidimensional array that remembers how it was computed.

    Users make tensors with `tensor`, `zeros`, `ones`, `rand`, `randn`. Operators take tensors and numbers; operands
    broadcast by NumPy's rule.

    Args:
        v: The elements.
        back: The history; None for a constant.
        name: Shown in graphs and messages.
        backend: Where to move ``v``; by default its own backend.

    Attributes:
        grad: The gradient: None, or the sum of what backward passes have found, of the same shape, dtype and backend.
    """

    __slots__ = ("_grad", "_tensor")
    # Makes NumPy leave an operation between a NumPy scalar and a tensor to the tensor.
    __array_ufunc__ = None

    def __init__(
        self, v: TensorData, back: History | None = None, name: str | None = None, backend: Any = None
    ) -> None:
        self.history = back
        self.name = name
        self._id = 0
        self._hooks = ()
        if not isinstance(v, TensorData):
            raise TypeError(
                f"Tensor: expected TensorData, got {type(v).__name__}; use minitorch.tensor(data)"
            )
        self._tensor = v
        self._grad: Tensor | None = None
        if backend is not None:
            self._type_(backend)
        elif v.backend is None:
            v.backend = find_backend()

    # The four methods that `Function.apply` calls, and the storing of gradients

    def _lift(self, x: Any) -> Tensor:
        if not isinstance(x, Number):
            raise TypeError(
                f"expected a Tensor or a number as operand, got {type(x).__name__}: wrap arrays with minitorch.tensor"
            )
        t = self._tensor
        return Tensor(TensorData.on(t.f.ops.constant(x, t.dtype), (), (), 1, t.backend))

    def _unwrap(self) -> TensorData:
        return self._tensor

    def _wrap(self, raw: Any, history: History | None) -> Any:
        if isinstance(raw, TensorData):
            return Tensor(raw, history)
        return Tensor(raw._tensor, history) if isinstance(raw, Tensor) else NotImplemented

    def _fit(self, d: Any) -> TensorData:
        return unbroadcast(d._tensor if isinstance(d, Tensor) else d, self._tensor)

    def _store_derivative(self, d: TensorData, owned: set[int]) -> None:
        if self._grad is not None:
            self._grad = Tensor(self._grad._tensor + d)
            return
        if id(d._storage) in owned:
            d = d.with_own_storage()
        owned.add(id(d._storage))
        self._grad = Tensor(d)

    def _require_own_history(self, op: str) -> None:
        last = assigned.get(id(self._tensor._storage))
        if last is None or last.owner() is self:
            return
        h = self.history
        if h is None or h.ctx is None or h.ctx.time < last.time:
            raise RuntimeError(
                f"{op}: a tensor of shape {self.shape} shares its memory with another one that was assigned to since, "
                "so its derivative is lost: use the other one, or make this one by clone()"
            )

    def _ensure_tensor(self, b: Any) -> Tensor:
        return b if isinstance(b, Tensor) else tensor(b, self.backend, dtype=self.dtype, shape=())

    def _new(self, tensor_data: TensorData) -> Tensor:
        return Tensor(tensor_data)

    def _type_(self, backend: Any) -> None:
        found = find_backend(backend)
        if self._tensor.backend is None:
            self._tensor.backend = found
        elif found != self._tensor.backend:
            self._tensor, self._grad = found.from_array(self._tensor.to_numpy()), None

    # Properties

    def requires_grad_(self, flag: bool = True) -> Tensor:
        """Make this a new leaf, which cuts its history, or a constant; return self."""
        self.history = History() if flag else None
        self._tensor = _without_assignment(self._tensor)
        return self

    def requires_grad(self) -> bool:
        """Tell whether operations on this tensor are recorded for backpropagation."""
        return self.history is not None

    @property
    def grad(self) -> Tensor | None:
        """The gradient, or None.

        Writing raises IndexingError for another shape, TypeError for another dtype or what is no Tensor, and
        BackendError for another backend.
        """
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
            _require_like("grad", "a gradient", value._tensor, self._tensor)
            if value.dtype != self.dtype:
                raise TypeError(
                    f"grad: expected dtype {self.dtype} as of the tensor, got {value.dtype}; "
                    f'use astype("{self.dtype}")'
                )
        self._grad = value

    @property
    def shape(self) -> Sizes:
        """Sizes, outermost first."""
        return self._tensor.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._tensor.size

    @property
    def dims(self) -> int:
        """Number of dimensions."""
        return self._tensor.dims

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        return self._tensor.dtype

    @property
    def backend(self) -> TensorBackend:
        """The backend that computes on this tensor."""
        return self._tensor.backend

    @property
    def f(self) -> TensorBackend:
        """The same as ``backend``."""
        return self._tensor.backend

    def __repr__(self) -> str:
        return self._tensor.to_string()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a tensor of shape () has no length")
        return self.shape[0]

    __hash__ = object.__hash__

    # Values, without history

    def item(self) -> float:
        """Return the number of a single element; raises IndexingError if there is not exactly one."""
        return self._tensor.item()

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __round__(self, ndigits: int | None = None) -> float:
        return round(self.item(), ndigits)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise RuntimeError(f"bool: ambiguous for {self.size} elements (shape {self.shape}); use all()")
        return bool(self.item())

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return a copy as a NumPy array."""
        return self._tensor.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.to_numpy()
        return array if dtype is None else array.astype(dtype)

    def tuple(self) -> Triple:
        """Return ``(storage, shape, strides)``, as the kernels of the course take them."""
        return self._tensor.tuple()

    @staticmethod
    def make(
        storage: Any, shape: Sequence[int], strides: Sequence[int] | None = None, backend: Any = None
    ) -> Tensor:
        """Return a constant on a flat storage; see `TensorData`."""
        return Tensor(TensorData(storage, shape, strides, find_backend(backend)))

    def detach(self) -> Tensor:
        """Return a constant that shares the storage."""
        return Tensor(_without_assignment(self._tensor))

    def get_data(self) -> Tensor:
        """The 2020 name of `detach`."""
        return self.detach()

    def type_(self, backend: Any) -> None:
        """The 2020 name of ``_type_``: move to ``backend``, in place; a gradient is dropped."""
        self._type_(backend)

    def zeros(self, shape: Sizes | None = None) -> Tensor:
        """Return zeros of ``shape`` (by default this shape), in the same backend and dtype."""
        return Tensor(self._tensor.zeros(shape))

    # Shared with other libraries

    def __dlpack_device__(self) -> dlpack.Place:
        return self.backend.ops.place(self._tensor)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        if self.requires_grad():
            raise BufferError("__dlpack__: cannot share a tensor that requires a gradient; use t.detach()")
        ops, place = self.backend.ops, self.__dlpack_device__()
        if dl_device is not None and tuple(dl_device) != place:
            raise BufferError(f"__dlpack__: the tensor is on device {place}, not on {tuple(dl_device)}")
        return ops.capsule(self._tensor.copy() if copy else self._tensor, stream)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Address and layout on the GPU, for CuPy, Numba and PyTorch; AttributeError for other memory."""
        storage = self._tensor._storage
        if isinstance(storage, np.ndarray):
            raise AttributeError("__cuda_array_interface__: the tensor is in the memory of the CPU")
        strides = tuple(s * self.dtype.itemsize for s in self._tensor.strides)
        return {**storage.__cuda_array_interface__, "shape": self.shape, "strides": strides}

    # Changes in place

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write ``value`` where ``key`` selects; where a gradient is involved, the assignment is recorded.

        Raises:
            RuntimeError: This is a leaf, whose elements are the user's, or a view of one; or its memory is shared with
                a tensor that was assigned to, whose derivative this one does not know.
            IndexingError: The value does not broadcast, or one element would be written several times.
        """
        data = self._tensor
        known = isinstance(value, Tensor) and value.history is not None
        if not grad_enabled() or not (known or self.history is not None or id(data._storage) in assigned):
            data[key] = value._tensor if isinstance(value, Tensor) else value
            return
        base, h = self, self.history
        while h is not None and (h.last_fn is View or h.last_fn is Permute):
            base, h = h.inputs[0], h.inputs[0].history
        if base.is_leaf():
            what = "a leaf" if base is self else "a view of a leaf"
            raise RuntimeError(
                f"item assignment: the tensor is {what} that requires a gradient; use no_grad() to change its numbers, "
                "or assign to a clone()"
            )
        self._require_own_history("item assignment")
        if not isinstance(value, Tensor):
            value = tensor(value, self.backend, dtype=self.dtype)
        self.history = Assign.apply(Tensor(data, self.history), value, key=key).history
        mark_assigned(data._storage, self)

    def copy_(self, values: Any) -> Tensor:
        """Write ``values``, of this shape and of any kind that NumPy reads, into the elements; return self.

        Raises:
            IndexingError: The shapes differ.
        """
        array = number_array("copy_", values, self.dtype, fresh=False)
        if array.shape != self.shape:
            raise IndexingError(f"copy_: expected values of shape {self.shape}, got {array.shape}")
        if self.size:
            self._tensor[...] = array
        return self

    def update_(
        self, rule: Callable[..., Any], settings: Sequence[float], states: Sequence[Tensor] = ()
    ) -> None:
        """Update elements and states by ``rule(settings, x, grad, *states)``, which returns new ``(x, *states)``."""
        if self.grad is None:
            raise RuntimeError("update_: no gradient; call backward first")
        self.update_all_(rule, settings, [(self, self.grad, *states)])

    @staticmethod
    def update_all_(
        rule: Callable[..., Any], settings: Sequence[float], rows: Iterable[Sequence[Tensor]]
    ) -> None:
        """Do `update_` for rows ``(tensor, gradient, *states)``: in one call for all of one backend and dtype.

        Raises:
            IndexingError: A gradient or a state has another shape than its tensor; nothing was updated.
            ValueError: A tensor is in read-only memory; nothing was updated.
            BackendError: A gradient is in another backend.
        """
        groups: dict[tuple[int, str], list[list[TensorData]]] = {}
        for t, d, *states in rows:
            p, grad = t._tensor.contiguous(), d._tensor
            row, shape = [p], p.shape
            if grad.shape != shape or grad.backend is not p.backend:
                _require_like("update", "a gradient", grad, p)
            row.append(grad.contiguous())
            for s in states:
                if s._tensor.shape != shape:
                    _require_like("update", "a state", s._tensor, p)
                s._tensor = state = s._tensor.contiguous()
                row.append(state)
            require_writable("update", p._storage)
            t._tensor = p
            groups.setdefault((id(p.backend), p.dtype.char), []).append(row)
        for group in groups.values():
            mark_changed(*[row[0]._storage for row in group])
            group[0][0].backend.update(rule)(settings, group)

    def zero_grad_(self) -> None:
        """Set the gradient to None."""
        self._grad = None

    def backward(self, grad_output: Any = None) -> None:
        """Add the derivatives of this tensor, times ``grad_output``, to the leaves it was computed from.

        Args:
            grad_output: The derivative of this tensor, of its shape; by default 1.0, for a single element.

        Raises:
            RuntimeError: This is a constant, or has several elements and no ``grad_output`` is given.
            IndexingError: ``grad_output`` has another shape.
        """
        if self.history is None:
            raise RuntimeError("backward: the tensor is a constant; call requires_grad_ on an operand")
        if grad_output is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward: shape {self.shape} is not one element; pass grad_output, or sum first"
                )
            d = self._tensor.filled(1.0)
        else:
            given = grad_output if isinstance(grad_output, Tensor) else tensor(grad_output, self.backend)
            if given.shape != self.shape:
                raise IndexingError(f"backward: expected grad_output {self.shape}, got {given.shape}")
            d = given._tensor
            if d.backend is not self._tensor.backend:
                self.f.ops.require_same_backend(self._tensor, d)
        backpropagate(self, d, () if grad_output is None else (id(d._storage),))

    # Operations that are recorded

    def __add__(self, b: Any) -> Tensor:
        return Add.apply(self, b)

    def __radd__(self, b: Any) -> Tensor:
        return Add.apply(b, self)

    def __sub__(self, b: Any) -> Tensor:
        return Sub.apply(self, b)

    def __rsub__(self, b: Any) -> Tensor:
        return Sub.apply(b, self)

    def __mul__(self, b: Any) -> Tensor:
        return Mul.apply(self, b)

    def __rmul__(self, b: Any) -> Tensor:
        return Mul.apply(b, self)

    def __truediv__(self, b: Any) -> Tensor:
        return Div.apply(self, b)

    def __rtruediv__(self, b: Any) -> Tensor:
        return Div.apply(b, self)

    def __pow__(self, exponent: float) -> Tensor:
        if not isinstance(exponent, Number):
            raise TypeError(f"**: expected a number as exponent, got {type(exponent).__name__}")
        return Mul.apply(self, self) if exponent == 2 else Power.apply(self, exponent=float(exponent))

    def __matmul__(self, b: Any) -> Tensor:
        return MatMul.apply(self, b)

    def __neg__(self) -> Tensor:
        return Neg.apply(self)

    def __abs__(self) -> Tensor:
        return Abs.apply(self)

    def __lt__(self, b: Any) -> Tensor:
        return LT.apply(self, b)

    def __gt__(self, b: Any) -> Tensor:
        return LT.apply(b, self)

    def __le__(self, b: Any) -> Tensor:
        return LT.apply(self, b) + EQ.apply(self, b)

    def __ge__(self, b: Any) -> Tensor:
        return LT.apply(b, self) + EQ.apply(self, b)

    def __eq__(self, b: object) -> Tensor:  # type: ignore[override]
        return NotImplemented if _compares_itself(b) else EQ.apply(self, b)

    def __ne__(self, b: object) -> Tensor:  # type: ignore[override]
        return NotImplemented if _compares_itself(b) else 1.0 - EQ.apply(self, b)

    def is_close(self, y: Any) -> Tensor:
        """Return 1.0 where the elements differ by less than 1e-2, else 0.0."""
        return IsClose.apply(self, y)

    def sigmoid(self) -> Tensor:
        """Return ``1 / (1 + e ** -self)``."""
        return Sigmoid.apply(self)

    def relu(self) -> Tensor:
        """Return ``max(self, 0)``."""
        return ReLU.apply(self)

    def log(self) -> Tensor:
        """Return ``ln(self + EPS)``, with ``operators.EPS`` = 1e-6."""
        return Log.apply(self)

    def exp(self) -> Tensor:
        """Return ``e ** self``."""
        return Exp.apply(self)

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        return Tanh.apply(self)

    def sqrt(self) -> Tensor:
        """Return the square root."""
        return Sqrt.apply(self)

    def sum(self, dim: int | None = None) -> Tensor:
        """Return the sum along ``dim`` (which stays with size 1), or over all elements, of shape (1,)."""
        return Sum.apply(self, dim=dim)

    def mean(self, dim: int | None = None) -> Tensor:
        """Return the mean along ``dim`` (which stays with size 1), or over all elements, of shape (1,)."""
        return Mean.apply(self, dim=dim)

    def max(self, dim: int | None = None) -> Tensor:
        """Return the largest element along ``dim`` (which stays with size 1), or of all, of shape (1,).

        nan wins. Each of several equal maxima gets the full derivative.
        """
        return Max.apply(self, dim=dim)

    def all(self, dim: int | None = None) -> Tensor:
        """Return whether all elements along ``dim``, or all of them, are 1.0 (their product)."""
        return All.apply(self, dim=dim)

    def view(self, *shape: Any) -> Tensor:
        """Return the same elements under another shape; one size may be -1. Shares storage.

        Raises:
            IndexingError: The sizes differ, or the tensor is not contiguous.
        """
        return View.apply(self, shape=_sizes("view", shape))

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements under another shape; copies where `view` is not possible."""
        wanted = resolve_shape(_sizes("reshape", shape), self.size, self.shape)
        return View.apply(self if self._tensor.is_contiguous() else self.contiguous(), shape=wanted)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Merge the dimensions from ``start_dim`` to ``end_dim`` into one."""
        if not self.shape:
            return self.reshape(1)
        given = (
            whole_number("flatten", name, d) for name, d in (("start_dim", start_dim), ("end_dim", end_dim))
        )
        first, last = (d + self.dims if d < 0 else d for d in given)
        if not 0 <= first <= last < self.dims:
            raise IndexingError(f"flatten: no dimensions {start_dim} to {end_dim} in shape {self.shape}")
        merged = math.prod(self.shape[first : last + 1])
        return self.reshape(*self.shape[:first], merged, *self.shape[last + 1 :])

    def permute(self, *order: Any) -> Tensor:
        """Return the tensor with its dimensions in another order. Shares storage."""
        return Permute.apply(self, order=_sizes("permute", order))

    def contiguous(self) -> Tensor:
        """Return a contiguous copy."""
        return Copy.apply(self)

    def clone(self) -> Tensor:
        """Return a contiguous copy."""
        return Copy.apply(self)

    def expand(self, other: Any) -> Tensor:
        """Return ``other`` broadcast or summed to this shape, as a constant."""
        if isinstance(other, Tensor):
            self.f.ops.require_same_backend(self._tensor, other._tensor)
        return Tensor(self._fit(other))

    def to(self, backend: Any) -> Tensor:
        """Return the same elements in another backend; self if they are there already."""
        found = find_backend(backend)
        return self if found == self.backend else To.apply(self, backend=found)

    def astype(self, dtype: Any) -> Tensor:
        """Return the same elements as float64 or float32; self if they are that already."""
        wanted = resolve_dtype(dtype)
        return self if wanted == self.dtype else Cast.apply(self, dtype=wanted)

    def __getitem__(self, key: Any) -> Any:
        """Return the elements that ``key`` (ints, slices, ``...``) selects, as a copy.

        One int for each dimension gives a number, as the course reads it; from a tensor that requires a gradient, it
        gives a tensor of shape (), so that the derivative is not lost.
        """
        tracked = self.history is not None and grad_enabled()
        if not tracked and self._tensor.is_full_index(key):
            return self._tensor.get(key)
        return Slice.apply(self, key=key)

    # Python's own protocols

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the first dimension: over what ``t[0]``, ``t[1]``, ... give."""
        if not self.shape:
            raise TypeError("iteration: a tensor of shape () has no rows; use item()")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, value: Any) -> bool:
        """Tell whether an element equals ``value``, a number or a tensor that broadcasts with this one."""
        if not isinstance(value, Number) and not isinstance(value, Tensor):
            raise TypeError(f"in: expected a number or a Tensor, got {type(value).__name__}")
        other = value.to_numpy() if isinstance(value, Tensor) else value
        return bool((self.to_numpy() == other).any())

    def __getstate__(self) -> Any:
        if self.history is not None and not self.history.is_leaf():
            raise RuntimeError(
                f"copy or pickle: a tensor of shape {self.shape} was computed by {self.history.last_fn.__name__}, "  # type: ignore[union-attr]
                "and its history cannot be copied: use detach()"
            )
        more = None if type(self) is Tensor else vars(self)  # of a subclass
        return self._tensor, self.history is not None, self.name, self.grad, self._hooks, more

    def __setstate__(self, state: Any) -> None:
        data, leaf, name, grad, hooks, more = state
        Tensor.__init__(self, data, History() if leaf else None, name)
        self.grad, self._hooks = grad, hooks
        if more:
            self.__dict__.update(more)


def _require_like(op: str, what: str, got: TensorData, expected: TensorData) -> None:
    """Check that an operand which a kernel reads beside ``expected`` has its shape and backend."""
    if got.shape != expected.shape:
        raise IndexingError(
            f"{op}: expected {what} of shape {expected.shape} as of the tensor, got {got.shape}"
        )
    if got.backend is not expected.backend:
        expected.f.ops.require_same_backend(expected, got)


def _compares_itself(b: Any) -> bool:
    """Tell whether ``b``, which is no tensor, compares by its own method: it says so by NumPy's protocol."""
    return isinstance(b, ArrayOperand) and b.__array_ufunc__ is None and not isinstance(b, Tensor)


def _without_assignment(data: TensorData) -> TensorData:
    """Return ``data`` for a constant or a leaf: what was assigned to it has no derivative there, on purpose."""
    if id(data._storage) not in assigned:
        return data
    storage = data._storage[:]
    mark_same(storage, data._storage)
    return TensorData.on(storage, data.shape, data.strides, data.size, data.backend)


def _is_list(x: Any) -> bool:
    return isinstance(x, Sequence | np.ndarray) and not isinstance(x, str | bytes)


def _sizes(op: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    inner = given[0] if len(given) == 1 and _is_list(given[0]) else given
    return whole_numbers(op, "size" if op != "permute" else "dimension", inner)


def _leaf(array: npt.NDArray[Any], backend: Any, requires_grad: bool) -> Tensor:
    return Tensor(find_backend(backend).from_array(array), History() if requires_grad else None)


def tensor(
    data: Any,
    backend: Any = None,
    requires_grad: bool = False,
    *,
    dtype: Any = None,
    shape: tuple[int, ...] | None = None,
) -> Tensor:
    """Make a tensor of a number, of nested lists or tuples, or of a NumPy array (copied).

    Args:
        data: The numbers. float32 and float64 arrays keep their dtype; all else takes the default dtype.
        backend: A name, a TensorBackend, or None for the default. (A tuple is taken as ``shape``: the 2020 course.)
        requires_grad: Whether to make a leaf, which collects a gradient, or a constant.
        dtype: float64 or float32.
        shape: The shape under which the numbers are read, row by row.

    Raises:
        IndexingError: Nested lists of unequal lengths, or numbers that do not fill ``shape``.
        TypeError: The data does not consist of numbers.
        ValueError: Unknown backend or dtype.
    """
    if isinstance(backend, tuple):
        backend, shape = None, backend
    if isinstance(data, Tensor):
        data = data.to_numpy()
    given = data.dtype if isinstance(data, np.ndarray | np.floating) else None
    wanted = given if dtype is None and given is not None and given in FLOATS else resolve_dtype(dtype)
    array = number_array("tensor", data, wanted)
    if shape is not None:
        array = array.reshape(resolve_shape(shape, array.size, array.shape))
    return _leaf(array, backend, requires_grad)


def from_dlpack(x: Any, backend: Any = None) -> Tensor:
    """Make a tensor that shares the memory of ``x``, an array of another library: a change of one changes both.

    Args:
        x: An object with ``__dlpack__``: an array of NumPy, a tensor of PyTorch that requires no gradient, ...
        backend: A backend that computes where ``x`` is; by default "cuda" for the memory of a GPU, else "fast".

    Raises:
        TypeError: ``x`` has no ``__dlpack__``, or is neither float64 nor float32.
        ValueError: A stride is negative.
        BackendError: The backend cannot use this memory.
    """
    if not isinstance(x, dlpack.SupportsDLPack):
        raise TypeError(f"from_dlpack: {type(x).__name__} has no __dlpack__")
    if backend is None:
        backend = "cuda" if x.__dlpack_device__()[0] == dlpack.CUDA else "fast"
    backend = find_backend(backend)
    storage, shape, strides = backend.ops.adopt(x)
    require_countable("from_dlpack", shape)
    return Tensor(TensorData.on(storage, shape, strides, math.prod(shape), backend))


def zeros(shape: tuple[int, ...], backend: Any = None, *, dtype: Any = None) -> Tensor:
    """Make a tensor of zeros."""
    return _leaf(np.zeros(_shape(shape), resolve_dtype(dtype)), backend, False)


def ones(shape: tuple[int, ...], backend: Any = None, *, dtype: Any = None) -> Tensor:
    """Make a tensor of ones."""
    return _leaf(np.ones(_shape(shape), resolve_dtype(dtype)), backend, False)


def rand(
    shape: tuple[int, ...], backend: Any = None, requires_grad: bool = False, *, dtype: Any = None
) -> Tensor:
    """Make a tensor of random numbers, uniform in [0, 1)."""
    return _leaf(rng.uniform(_shape(shape)).astype(resolve_dtype(dtype)), backend, requires_grad)


def randn(
    shape: tuple[int, ...], backend: Any = None, requires_grad: bool = False, *, dtype: Any = None
) -> Tensor:
    """Make a tensor of random numbers, normal with mean 0 and standard deviation 1."""
    return _leaf(rng.normal(_shape(shape)).astype(resolve_dtype(dtype)), backend, requires_grad)


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape) if _is_list(shape) else (shape,)
    if any(not isinstance(n, int | np.integer) or n < 0 for n in sizes):
        raise IndexingError(f"shape: expected sizes of at least 0, got {shape!r}")
    require_countable("shape", sizes)
    return tuple(map(int, sizes))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an existing dimension.

    Raises:
        IndexingError: Their other sizes differ, or ``dim`` is out of range.
        TypeError: One of them is not a Tensor.
        ValueError: There is no tensor.
    """
    if not tensors:
        raise ValueError("cat: expected at least one tensor")
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"cat: expected Tensors, got {type(t).__name__}")
    return Cat.apply(*tensors, dim=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension, placed at ``dim``.

    Raises:
        IndexingError: Their shapes differ, or ``dim`` is out of range.
        TypeError: One of them is not a Tensor.
        ValueError: There is no tensor.
    """
    if not tensors:
        raise ValueError("stack: expected at least one tensor")
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"stack: expected Tensors, got {type(t).__name__}")
    shape, dim = tensors[0].shape, whole_number("stack", "dim", dim)
    axis = dim + len(shape) + 1 if dim < 0 else dim
    if not 0 <= axis <= len(shape) or any(t.shape != shape for t in tensors):
        shapes = ", ".join(str(t.shape) for t in tensors)
        raise IndexingError(f"stack: expected equal shapes, got {shapes} to stack along dimension {dim}")
    return cat([t.reshape(*shape[:axis], 1, *shape[axis:]) for t in tensors], axis)
