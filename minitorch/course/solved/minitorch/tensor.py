"""The Tensor, and the functions that make and check Tensors (module 2)."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .autodiff import Context, Variable, backpropagate
from .tensor_data import IndexingError, TensorData, UserIndex, UserShape, UserStrides
from .tensor_functions import (
    EQ,
    LT,
    Add,
    All,
    Copy,
    Exp,
    Function,
    Inv,
    IsClose,
    Log,
    MatMul,
    Mul,
    Neg,
    Permute,
    ReLU,
    Sigmoid,
    Sum,
    View,
)
from .tensor_ops import SimpleBackend, TensorBackend

_numbers = itertools.count()


@dataclass
class History:
    """How a Tensor was made; a leaf has an empty one.

    Attributes:
        last_fn: The function.
        ctx: What its forward saved.
        inputs: Its operands.
    """

    last_fn: type[Function] | None = None
    ctx: Context | None = None
    inputs: Sequence[Tensor] = ()


class Tensor:
    """A grid of numbers that records how it was computed.

    Attributes:
        backend: What computes with it; ``f`` is the same.
        grad: For a leaf, after ``backward``: its derivative.
        history: How it was made; None for a constant.
    """

    def __init__(
        self,
        v: TensorData,
        back: History | None = None,
        name: str | None = None,
        backend: TensorBackend | None = None,
    ) -> None:
        self._tensor = v
        self.history = back
        self.backend = SimpleBackend if backend is None else backend
        self.f = self.backend
        self.grad: Tensor | None = None
        self.unique_id = next(_numbers)
        self.name = str(self.unique_id) if name is None else name
        if self.backend.cuda:
            v.to_cuda_()

    @staticmethod
    def make(
        storage: Any,
        shape: UserShape,
        strides: UserStrides | None = None,
        backend: TensorBackend | None = None,
    ) -> Tensor:
        """Return a Tensor on a storage."""
        return Tensor(TensorData(storage, shape, strides), backend=backend)

    def new(self, data: TensorData) -> Tensor:
        """Return a Tensor of ``data`` in this one's backend."""
        return Tensor(data, backend=self.backend)

    def record(self, fn: type[Function], vals: Sequence[Tensor]) -> Tensor:
        """Compute ``fn`` of ``vals``, and keep in the result how it was made."""
        ctx = Context(no_grad=not any(v.requires_grad() for v in vals))
        result = fn.forward(ctx, *[v.detach() for v in vals])
        back = None if ctx.no_grad else History(fn, ctx, vals)
        return Tensor(result._tensor, back, backend=result.backend)

    def _ensure_tensor(self, b: Any) -> Tensor:
        """Make a constant of a number, in this Tensor's backend."""
        return b if isinstance(b, Tensor) else Tensor.make([float(b)], (1,), backend=self.backend)

    def _vector(self, numbers: Sequence[int]) -> Tensor:
        """Make a constant of whole numbers, for a setting of a Function."""
        return Tensor.make([float(n) for n in numbers], (len(numbers),), backend=SimpleBackend)

    def requires_grad_(self, flag: bool = True) -> Tensor:
        """Make this Tensor a leaf, or a constant; return it."""
        self.history = History() if flag else None
        return self

    def requires_grad(self) -> bool:
        """Tell whether derivatives are asked for."""
        return self.history is not None

    def to_numpy(self) -> npt.NDArray[np.float64]:
        """Return the elements as an array."""
        return np.array([self[i] for i in self._tensor.indices()]).reshape(self.shape)

    @property
    def shape(self) -> UserShape:
        """The sizes."""
        return self._tensor.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._tensor.size

    @property
    def dims(self) -> int:
        """The number of dimensions."""
        return self._tensor.dims

    def item(self) -> float:
        """Return the only element."""
        if self.size != 1:
            raise IndexingError(f"item needs one element, and the shape is {self.shape}")
        return float(self._tensor._storage[0])

    def __getitem__(self, key: int | UserIndex) -> float:
        return self._tensor.get(key)

    def __setitem__(self, key: int | UserIndex, val: float) -> None:
        self._tensor.set(key, val)

    def __repr__(self) -> str:
        return self._tensor.to_string()

    def __hash__(self) -> int:
        return hash(id(self))

    def tuple(self) -> Any:
        """Return storage, shape and strides, as the kernels take them."""
        return self._tensor.tuple()

    def detach(self) -> Tensor:
        """Return a constant on the same storage."""
        return self.new(self._tensor)

    def contiguous(self) -> Tensor:
        """Return a copy that is stored row by row."""
        return Copy.apply(self)

    def zeros(self, shape: UserShape | None = None) -> Tensor:
        """Return a constant of zeros, of this shape or another, in the same backend."""
        return zeros(self.shape if shape is None else shape, backend=self.backend)

    def _type_(self, backend: TensorBackend) -> None:
        """Move this Tensor to a backend."""
        self.backend = self.f = backend
        if backend.cuda:
            self._tensor.to_cuda_()

    # Task 2.3: operators and methods. Use the functions of `tensor_functions`, and `_ensure_tensor` for numbers.

    def __add__(self, b: Any) -> Tensor:
        """Return ``self + b``. This method is complete, as an example."""
        return Add.apply(self, self._ensure_tensor(b))

    def __truediv__(self, b: Any) -> Tensor:
        """Return ``self / b``. This method is complete, as an example."""
        return Mul.apply(self, Inv.apply(self._ensure_tensor(b)))

    def __rtruediv__(self, b: Any) -> Tensor:
        """Return ``b / self``."""
        return Mul.apply(self._ensure_tensor(b), Inv.apply(self))

    def __radd__(self, b: Any) -> Tensor:
        """Return ``b + self``."""
        return self + b

    def __rmul__(self, b: Any) -> Tensor:
        """Return ``b * self``."""
        return self * b

    def __rsub__(self, b: Any) -> Tensor:
        """Return ``b - self``."""
        return -self + b

    def __matmul__(self, b: Tensor) -> Tensor:
        """Return the matrix product; backends have it from module 3 on."""
        return MatMul.apply(self, b)

    def __sub__(self, b: Any) -> Tensor:
        """Return ``self - b``."""
        return Add.apply(self, Neg.apply(self._ensure_tensor(b)))

    def __mul__(self, b: Any) -> Tensor:
        """Return ``self * b``."""
        return Mul.apply(self, self._ensure_tensor(b))

    def __lt__(self, b: Any) -> Tensor:
        """Return 1.0 where ``self < b``, else 0.0."""
        return LT.apply(self, self._ensure_tensor(b))

    def __eq__(self, b: Any) -> Tensor:  # type: ignore[override]
        """Return 1.0 where ``self == b``, else 0.0."""
        return EQ.apply(self, self._ensure_tensor(b))

    def __gt__(self, b: Any) -> Tensor:
        """Return 1.0 where ``self > b``, else 0.0."""
        return LT.apply(self._ensure_tensor(b), self)

    def __neg__(self) -> Tensor:
        """Return ``-self``."""
        return Neg.apply(self)

    def all(self, dim: int | None = None) -> Tensor:
        """Return 1.0 where all elements along ``dim`` are true; over all elements, shape (1,), if it is None."""
        if dim is None:
            return All.apply(self.contiguous().view(self.size), self._vector([0]))
        return All.apply(self, self._vector([dim]))

    def is_close(self, y: Tensor) -> Tensor:
        """Return 1.0 where the elements are close, else 0.0."""
        return IsClose.apply(self, y)

    def sigmoid(self) -> Tensor:
        """Return the logistic function of each element."""
        return Sigmoid.apply(self)

    def relu(self) -> Tensor:
        """Return the positive part of each element."""
        return ReLU.apply(self)

    def log(self) -> Tensor:
        """Return the natural logarithm of each element."""
        return Log.apply(self)

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        return Exp.apply(self)

    def sum(self, dim: int | None = None) -> Tensor:
        """Return the sums along ``dim``, which becomes 1; over all elements, shape (1,), if it is None.

        For all elements, look at the tensor as one long row first. `_vector` makes a Tensor of ``[dim]``.
        """
        if dim is None:
            return Sum.apply(self.contiguous().view(self.size), self._vector([0]))
        return Sum.apply(self, self._vector([dim]))

    def mean(self, dim: int | None = None) -> Tensor:
        """Return the means along ``dim``, or over all elements."""
        return self.sum(dim) / (self.size if dim is None else self.shape[dim])

    def permute(self, *order: int) -> Tensor:
        """Return a Tensor whose dimensions are in the given order. `_vector` makes a Tensor of it."""
        return Permute.apply(self, self._vector(order))

    def view(self, *shape: int) -> Tensor:
        """Return the same elements in another shape; they must be contiguous. `_vector` makes a Tensor of it."""
        if not self._tensor.is_contiguous():
            raise IndexingError("view needs contiguous elements: call contiguous() first")
        return View.apply(self, self._vector(shape))

    # What backpropagation asks for.

    def accumulate_derivative(self, x: Tensor) -> None:
        """Add ``x`` to ``grad``; only a leaf has one."""
        if not self.is_leaf():
            raise RuntimeError("only a leaf keeps a derivative: this Tensor was computed")
        self.grad = x if self.grad is None else self.grad + x

    def is_leaf(self) -> bool:
        """Tell whether a user made this Tensor, and no function."""
        return self.history is not None and self.history.last_fn is None

    def is_constant(self) -> bool:
        """Tell whether no derivative is asked for."""
        return self.history is None

    @property
    def parents(self) -> Iterable[Variable]:
        """The operands of the function that made this Tensor."""
        return self.history.inputs if self.history is not None else ()

    def expand(self, other: Any) -> Tensor:
        """Return the derivative ``other`` in this Tensor's shape: broadcast to it, and summed where this was."""
        grad = self._ensure_tensor(other)
        if grad.shape == self.shape:
            return grad
        both = TensorData.shape_broadcast(self.shape, grad.shape)
        grad = self.f.id_map(grad, self.zeros(both))
        missing = len(both) - self.dims
        for dim in range(len(both)):
            if dim < missing or (self.shape[dim - missing] == 1 and both[dim] > 1):
                grad = self.f.add_reduce(grad, dim)
        return Tensor.make(grad._tensor._storage, self.shape, backend=self.backend)

    def chain_rule(self, d_output: Any) -> Iterable[Any]:
        """Return each operand of the function that made this Tensor, paired with its derivative."""
        history = self.history
        if history is None or history.last_fn is None:
            raise RuntimeError("cannot go back through a leaf: no function made it")
        found = history.last_fn.backward(history.ctx, d_output)  # type: ignore[arg-type]
        parts = found if isinstance(found, tuple) else (found,)
        if len(parts) != len(history.inputs):
            name = history.last_fn.__name__
            raise TypeError(
                f"{name}.backward: expected {len(history.inputs)} derivatives, one for each operand of forward, "
                f"got {len(parts)}"
            )
        return [(operand, operand.expand(part)) for operand, part in zip(history.inputs, parts)]

    def zero_grad_(self) -> None:
        """Forget the derivative."""
        self.grad = None

    def backward(self, grad_output: Tensor | None = None) -> None:
        """Compute the derivatives of all leaves below this Tensor, and add them to the leaves.

        Args:
            grad_output: The derivative with which it begins; 1.0 for a Tensor of one element if left out.
        """
        if grad_output is None:
            if self.size != 1:
                raise RuntimeError(f"backward of several elements, shape {self.shape}, needs grad_output")
            grad_output = Tensor.make([1.0], self.shape, backend=self.backend)
        backpropagate(self, grad_output)


def zeros(shape: UserShape, backend: TensorBackend = SimpleBackend) -> Tensor:
    """Return a constant of zeros."""
    return Tensor.make(np.zeros(math.prod(shape)), shape, backend=backend)


def rand(shape: UserShape, backend: TensorBackend = SimpleBackend, requires_grad: bool = False) -> Tensor:
    """Return random numbers from 0 to 1."""
    numbers = [random.random() for _ in range(math.prod(shape))]
    return Tensor.make(numbers, shape, backend=backend).requires_grad_(requires_grad)


def tensor(ls: Any, backend: TensorBackend = SimpleBackend, requires_grad: bool = False) -> Tensor:
    """Return a Tensor of a number, of nested lists of numbers or of an array."""
    array = np.array(ls, np.float64)
    shape = array.shape or (1,)
    return Tensor.make(array.reshape(-1), shape, backend=backend).requires_grad_(requires_grad)


def grad_central_difference(
    f: Any, *vals: Tensor, arg: int = 0, epsilon: float = 1e-6, ind: UserIndex
) -> float:
    """Approximate the derivative of the sum of ``f`` for one element of one argument."""
    moved = []
    for sign in (1.0, -1.0):
        step = zeros(vals[arg].shape)
        step[ind] = sign * epsilon
        step._type_(vals[arg].backend)
        operands = [v + step if i == arg else v for i, v in enumerate(vals)]
        moved.append(f(*operands).sum().item())
    return float((moved[0] - moved[1]) / (2.0 * epsilon))


def grad_check(f: Any, *vals: Tensor) -> None:
    """Compare the derivatives of ``f`` by ``backward`` with central differences, in a random element per argument.

    Raises:
        AssertionError: They differ by more than 0.01, absolute and relative; the message has both numbers.
    """
    for v in vals:
        v.requires_grad_(True).zero_grad_()
    f(*vals).sum().backward()
    for i, v in enumerate(vals):
        ind = v._tensor.sample()
        expected = grad_central_difference(f, *[w.detach() for w in vals], arg=i, ind=ind)
        assert v.grad is not None, f"argument {i} has no gradient after backward"
        message = f"gradient for argument {i} at {ind}: expected {expected:.4f}, got {v.grad[ind]:.4f}"
        np.testing.assert_allclose(v.grad[ind], expected, 1e-2, 1e-2, err_msg=message)
