"""Tensor with PyTorch's semantics: a wrapper of a Tensor of the core, or of a NumPy array.

Fractions (float32, float64) are a Tensor of the core, which computes, records and differentiates. Integers and bools
are a NumPy array. The functions of this package are the methods too: `methods` attaches them. Nothing here computes.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Context, Function, History, grad_enabled
from ..runtime.versions import mark_changed
from ..tensor import Tensor as Core
from ..tensor_data import FLOATS, TensorData
from ..tensor_functions.late_relu import JoinedHistory
from ..tensor_ops.backend import TensorBackend, find_backend
from .dtypes import (
    Size,
    backend_on,
    bfloat16,
    device,
    dtype,
    find_dtype,
    float32,
    get_default_dtype,
)

Array = npt.NDArray[Any]
CPU = device("cpu")


class _Hooked(Function):
    """The operand itself; its derivative passes through ``hook``, which may return another one."""

    @staticmethod
    def forward(ctx: Context, a: Any, hook: Any) -> Any:
        ctx.save_for_backward(hook)
        return a

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (hook,) = ctx.saved_values
        new = hook(wrap(Core(d)))
        return d if new is None else new._value._tensor


class Layout:
    """A kind of memory layout, by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


strided = Layout("strided")


class Node:
    """What ``grad_fn`` shows: the name of the function that computed a tensor."""

    def __init__(self, name: str, history: History) -> None:
        self._name, self._history = name, history

    def name(self) -> str:
        """Return the name."""
        return f"torch::autograd::{self._name}" if self._name == "AccumulateGrad" else self._name

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The functions that computed the operands, each with the number of its result; None for a constant."""
        h = self._history
        if isinstance(h, JoinedHistory):  # a ReLU, recorded as part of the call before it
            return ((Node(_name(h), History(h.last_fn, h.ctx, h.inputs)), 0),)
        return tuple((_node(v), 0) for v in h.inputs)

    def __repr__(self) -> str:
        return f"<{self._name} object>"


_NODE_NAMES = {
    "MatMul": "Mm",
    "Affine": "Addmm",
    "ConvActivation": "Convolution",
    "Conv": "Convolution",
    "ReLU": "Relu",
}


def _node(v: Any, name: str | None = None) -> Node | None:
    h = v.history
    if h is None:
        return None
    if h.last_fn is None:
        return Node("AccumulateGrad", h)
    return Node(f"{name}Backward0" if name else _name(h), h)


def _name(h: History) -> str:
    plain = h.last_fn.__name__ if h.last_fn is not None else ""
    return f"{_NODE_NAMES.get(plain, plain)}Backward0"


class Tensor:
    """A tensor as PyTorch's.

    Args:
        *data: Sizes, for zeros of that shape; or numbers in lists, a NumPy array or a Tensor: of the default dtype.
        device: "cpu" (default) or "cuda".
    """

    _value: Any
    _place: device = CPU  # of an array; a Tensor of the core knows it itself
    _base: Tensor | None = None  # whose memory this one shows a part of
    _op: str | None = None  # what grad_fn is called
    _kept: Tensor | None = None  # the gradient of a computed tensor, after retain_grad
    _bf16 = False
    retains_grad = False  # whether `retain_grad` was called
    __array_ufunc__ = None
    __array_priority__ = 1000

    def __init__(self, *data: Any, device: Any = None) -> None:
        if len(data) == 1 and not isinstance(data[0], int):
            values = np.array(to_array(data[0]), get_default_dtype().numpy)
        else:
            values = np.zeros(data, get_default_dtype().numpy) if data else np.zeros(0, np.float32)
        self._value = Core(backend_on(device).from_array(values))

    # Operators, which `methods` attaches.
    __add__: Any
    __radd__: Any
    __sub__: Any
    __rsub__: Any
    __mul__: Any
    __rmul__: Any
    __truediv__: Any
    __rtruediv__: Any
    __floordiv__: Any
    __rfloordiv__: Any
    __mod__: Any
    __rmod__: Any
    __pow__: Any
    __rpow__: Any
    __matmul__: Any
    __rmatmul__: Any
    __and__: Any
    __or__: Any
    __xor__: Any
    __invert__: Any
    __neg__: Any
    __abs__: Any
    __lt__: Any
    __le__: Any
    __gt__: Any
    __ge__: Any
    __eq__: Any
    __ne__: Any
    backward: Any
    __float__: Any
    __int__: Any
    __getitem__: Any
    __setitem__: Any

    # What it is

    @property
    def shape(self) -> Size:
        """Sizes, outermost first."""
        return Size(self._value.shape)

    def size(self, dim: int | None = None) -> Any:
        """Return all sizes, or that of one dimension."""
        return self.shape if dim is None else self._value.shape[self._dim(dim)]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._value.shape)

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self._value.size)

    nelement = numel

    def _dim(self, dim: Any) -> int:
        """Return a dimension counted from the front.

        Raises:
            IndexError: There is no such dimension.
        """
        n = max(self.ndim, 1)
        if not -n <= dim < n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
            )
        return int(dim) % n

    @property
    def dtype(self) -> dtype:
        """The dtype of the elements."""
        return bfloat16 if self._bf16 else find_dtype(self._value.dtype)

    @property
    def device(self) -> device:
        """Where the elements are."""
        if isinstance(self._value, np.ndarray):
            return self._place
        return device("cuda", 0) if self._value.backend.ops.cuda else CPU

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self.device.type == "cuda"

    @property
    def layout(self) -> Layout:
        """The kind of memory layout: always strided."""
        return strided

    def is_floating_point(self) -> bool:
        """Tell whether the dtype has fractions."""
        return self.dtype.is_floating_point

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Tell whether the elements lie one after the other."""
        v = self._value
        return v.flags.c_contiguous if isinstance(v, np.ndarray) else v._tensor.is_contiguous()

    def stride(self, dim: int | None = None) -> Any:
        """Return the distances of neighbours in memory, of all dimensions or of one."""
        v = self._value
        steps = (
            tuple(s // v.itemsize for s in v.strides)
            if isinstance(v, np.ndarray)
            else tuple(v._tensor.strides)
        )
        return steps if dim is None else steps[self._dim(dim)]

    def element_size(self) -> int:
        """Return the bytes of an element."""
        return self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        """Return the address of the first element, for comparisons."""
        return int(to_array(self).__array_interface__["data"][0])

    # Gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded for backward; can be set on a leaf."""
        return isinstance(self._value, Core) and self._value.history is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Turn recording on or off for this leaf; return self.

        Raises:
            RuntimeError: Integers have no gradient; a computed tensor cannot be turned off.
        """
        v = self._value
        if not isinstance(v, Core):
            if requires_grad:
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
            return self
        if v.history is not None and not v.history.is_leaf():
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables: use detach() instead"
                )
            return self
        if (v.history is not None) != bool(requires_grad):
            v.requires_grad_(bool(requires_grad))
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation computed this tensor."""
        return not self.requires_grad or self._value.is_leaf()

    @property
    def grad_fn(self) -> Node | None:
        """The function that computed this tensor; None for a leaf."""
        return None if self.is_leaf else _node(self._value, self._op)

    @property
    def grad(self) -> Tensor | None:
        """The gradient, or None."""
        if self._kept is not None:
            return self._kept
        if isinstance(self._value, np.ndarray) or self._value._grad is None:
            return None
        return wrap(self._value._grad)

    @grad.setter
    def grad(self, new: Tensor | None) -> None:
        self._kept = None
        if new is not None and not isinstance(new, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(new).__name__}")
        if new is None and isinstance(self._value, np.ndarray):
            return
        if new is not None and new.shape != self.shape:
            raise RuntimeError(f"grad: expected shape {tuple(self.shape)}, got {tuple(new.shape)}")
        self._value.grad = None if new is None else new._value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def detach(self) -> Tensor:
        """Return a constant that shares the memory."""
        return wrap(
            self._value.detach() if isinstance(self._value, Core) else self._value,
            self._place,
            self if self._base is None else self._base,
        )

    def detach_(self) -> Tensor:
        """Make this tensor a constant; return self."""
        if isinstance(self._value, Core):
            self._value = self._value.detach()
        return self

    @property
    def data(self) -> Tensor:
        """A constant that shares the memory; can be set to a tensor, whose memory this one then has."""
        return self.detach()

    @data.setter
    def data(self, new: Tensor) -> None:
        if isinstance(self._value, Core) and isinstance(new._value, Core):
            kept = self._value._grad
            self._value._tensor = new._value._tensor
            if kept is not None and (kept.shape, kept.dtype, kept.backend) != (
                new._value.shape,
                new._value.dtype,
                new._value.backend,
            ):
                self._value._grad = None
        else:
            self._value, self._place = new._value, new._place

    def register_hook(self, hook: Any) -> Any:
        """Call ``hook(grad)`` when the gradient of this tensor is known; it may return another one.

        Returns:
            A handle; ``remove()`` takes the hook away.
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        handle = HookHandle()

        def called(grad: Tensor) -> Tensor | None:
            return None if handle.removed else hook(grad)

        if self._value.is_leaf():

            def replace(leaf: Core) -> None:
                assert leaf._grad is not None
                new = called(wrap(leaf._grad))
                if new is not None:
                    leaf._grad = new._value

            self._value.register_post_accumulate_grad_hook(replace)
        else:
            self._value = _Hooked.apply(self._value, hook=called)
        return handle

    def register_post_accumulate_grad_hook(self, hook: Any) -> Any:
        """Call ``hook(self)`` in each backward pass, when the gradient of this leaf is complete."""
        handle = HookHandle()
        self._value.register_post_accumulate_grad_hook(lambda _: None if handle.removed else hook(self))
        return handle

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor, to be read as ``grad`` after backward."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf:
            return

        self.retains_grad = True

        def keep(grad: Tensor) -> None:
            self._kept = grad.clone()

        self._value = _Hooked.apply(self._value, hook=keep)

    # Values

    def item(self) -> Any:
        """Return the number of a single element."""
        if self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return to_array(self).reshape(()).item()

    def tolist(self) -> Any:
        """Return the numbers in nested lists."""
        return to_array(self).tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """Return a NumPy array, on the CPU with the same memory.

        Raises:
            RuntimeError: The tensor requires a gradient.
            TypeError: It is on a GPU.
        """
        if force:
            return to_array(self).copy()
        if self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        if self.is_cuda:
            raise TypeError(
                "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to "
                "host memory first."
            )
        return to_array(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __index__(self) -> int:
        if self.is_floating_point():
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec) if self.ndim else format(self.item(), spec)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._value.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(len(self))])

    def __contains__(self, x: Any) -> bool:
        return builtins.bool((to_array(self) == to_array(x)).any())

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"'Tensor' object has no attribute {name!r} in minitorch.torch")

    def minitorch(self) -> Core:
        """Return the Tensor of the core, which shares memory and history.

        Raises:
            TypeError: Integers and bools are no Tensor of the core.
        """
        if not isinstance(self._value, Core):
            raise TypeError(f"minitorch: expected a tensor of fractions, got {self.dtype}; use float()")
        return self._value

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                "the moment: use detach()"
            )
        state = {k: v for k, v in vars(self).items() if k not in ("_value", "_place", "_base")}
        return _restored, (type(self), to_array(self).copy(), str(self.device), self.requires_grad, state)


class HookHandle:
    """Takes a hook away."""

    def __init__(self) -> None:
        self.removed = False

    def remove(self) -> None:
        """Take the hook away."""
        self.removed = True


def _restored(kind: Any, array: Array, where: str, requires_grad: bool, state: dict[str, Any]) -> Tensor:
    made: Tensor = kind.__new__(kind)
    source = from_array(array, where)
    made._value, made._place = source._value, source._place
    made.__dict__.update(state)
    if requires_grad:
        made.requires_grad_()
    return made


def require_first_order(create_graph: bool) -> None:
    """Check that no derivative of a derivative is wanted.

    Raises:
        NotImplementedError: It is.
    """
    if create_graph:
        raise NotImplementedError(
            "create_graph=True: minitorch has no derivatives of derivatives; use real PyTorch for them"
        )


def wrap(value: Any, place: device = CPU, base: Tensor | None = None, op: str | None = None) -> Tensor:
    """Return a Tensor of a Tensor of the core, or of an array that is on device ``place``."""
    made = Tensor.__new__(Tensor)
    made._value = value
    if place is not CPU:
        made._place = place
    if base is not None:
        made._base = base
    if op is not None:
        made._op = op
    return made


def from_array(array: Any, where: Any = None, d: dtype | None = None) -> Tensor:
    """Return a Tensor on an array, which is shared on the CPU where its dtype and layout allow it."""
    values = np.asarray(array)
    if d is not None and values.dtype != d.numpy:
        values = values.astype(d.numpy)
    if values.dtype in FLOATS:
        return wrap(Core(backend_on(where).from_array(np.require(values, requirements=("C", "A", "W")))))
    made = wrap(values, CPU if where is None else device(where))
    if d is bfloat16:
        made._bf16 = True
    return made


def to_array(x: Any) -> Array:
    """Return the elements of a tensor as an array, on the CPU with the same memory; anything else by NumPy's rule."""
    if not isinstance(x, Tensor):
        if isinstance(x, list | tuple) and any(isinstance(v, Tensor) for v in x):
            return np.array([to_array(v) for v in x])
        return np.asarray(x)
    v = x._value
    return v if isinstance(v, np.ndarray) else v._tensor.host()


def as_core(x: Any, d: dtype | None = None, backend: TensorBackend | None = None) -> Core:
    """Return a tensor or a number as a Tensor of the core, of a dtype of fractions; with its history.

    Raises:
        TypeError: It is neither.
    """
    wanted = None if d is None else d.numpy
    if isinstance(x, Tensor):
        v = x._value
        if isinstance(v, Core):
            return v if wanted is None or v.dtype == wanted else v.astype(wanted)
        if v.dtype == np.float16:
            raise RuntimeError(f"{x.dtype}: minitorch computes in float32 and float64: convert with float()")
        home = backend_on(x.device) if backend is None else backend
        return Core(home.from_array(np.array(v, wanted or get_default_dtype().numpy)))
    if isinstance(x, int | float | bool | np.number | np.bool_):
        home = find_backend() if backend is None else backend
        return Core(home.from_array(np.array(x, wanted or float32.numpy)))
    raise TypeError(f"expected a Tensor or a number, got {type(x).__name__}")


def is_float(x: Any) -> bool:
    """Tell whether ``x`` is a tensor that the core computes on."""
    return isinstance(x, Tensor) and isinstance(x._value, Core)


def tracked(x: Any) -> bool:
    """Tell whether an operation on ``x`` is recorded now."""
    return is_float(x) and x._value.history is not None and grad_enabled()


def overwrite(t: Tensor, new: Any) -> Tensor:
    """Write a Tensor of the core or an array, which broadcasts, into the memory of ``t``; return ``t``."""
    v = t._value
    if isinstance(v, np.ndarray):
        v[...] = new if isinstance(new, np.ndarray) else new._tensor.host()
        return t
    data: TensorData = new._tensor if isinstance(new, Core) else v.f.from_array(np.array(new, v.dtype))
    v.f.id_map(data, v._tensor)
    touched(t)
    return t


def touched(t: Tensor) -> None:
    """Note that the memory of ``t`` was changed, so that a backward pass that needs it fails."""
    changed = [x._value._tensor._storage for x in (t, t._base) if x is not None and is_float(x)]
    mark_changed(*changed)


def replace(t: Tensor, new: Tensor) -> Tensor:
    """Do an operation in place: ``t`` gets the elements of ``new``, and its history where one is recorded.

    Raises:
        RuntimeError: ``t`` is a leaf that requires a gradient, or the shapes or dtypes do not fit.
    """
    if new.shape != t.shape:
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape {list(new.shape)}"
        )
    if new.is_floating_point() and not t.is_floating_point():
        raise RuntimeError(
            f"result type {new.dtype.name} can't be cast to the desired output type {t.dtype.name}"
        )
    if tracked(t) and t.is_leaf:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if tracked(new):
        t._value = as_core(new, t.dtype)
        t._op = new._op
        return t
    return overwrite(t, new._value)
