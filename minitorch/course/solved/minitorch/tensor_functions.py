"""Functions of Tensors: a forward and a backward (module 2).

They take and return Tensors; ``a.f`` is the backend of ``a``, with functions such as ``a.f.add_zip``. `tensor` imports
this file, so the class `Tensor` is not imported here: the name stands for it in the annotations.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from .autodiff import Context

Tensor: TypeAlias = Any


class Function:
    """A function of Tensors. A subclass defines ``forward`` and ``backward``."""

    @classmethod
    def apply(cls, *vals: Tensor) -> Tensor:
        """Compute the result, and record the call in it."""
        first: Tensor = vals[0]
        return first.record(cls, vals)

    @classmethod
    def forward(cls, ctx: Context, /, *inputs: Tensor) -> Tensor:
        """Return the result; save in ``ctx`` what ``backward`` needs."""
        raise NotImplementedError(f"{cls.__name__} has no forward")

    @classmethod
    def backward(cls, ctx: Context, grad_output: Tensor, /) -> Any:
        """Return the derivative for the operand; a tuple of these for several. A number 0.0 means none."""
        raise NotImplementedError(f"{cls.__name__} has no backward")


class Neg(Function):
    """Negation. This class is complete, as an example."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return ``-t1``."""
        return t1.f.neg_map(t1)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative."""
        return grad_output.f.neg_map(grad_output)


class Inv(Function):
    """The reciprocal. This class is complete, as an example."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return ``1 / t1``, and save ``t1``."""
        ctx.save_for_backward(t1)
        return t1.f.inv_map(t1)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative."""
        (t1,) = ctx.saved_values
        return grad_output.f.inv_back_zip(t1, grad_output)


class Add(Function):
    """Addition. This class is complete, as an example."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor, t2: Tensor) -> Tensor:
        """Return ``t1 + t2``."""
        return t1.f.add_zip(t1, t2)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the derivatives for both; what was broadcast is summed up by the caller."""
        return grad_output, grad_output


class All(Function):
    """Whether all elements along a dimension are 1.0. It has no derivative."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, dim: Tensor) -> Tensor:
        """Return 1.0 where all elements are true."""
        return a.f.mul_reduce(a, int(dim.item()))


class Mul(Function):
    """Multiplication."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, b: Tensor) -> Tensor:
        """Return the product, and save what the derivatives need."""
        ctx.save_for_backward(a, b)
        return a.f.mul_zip(a, b)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the derivatives for ``a`` and for ``b``."""
        a, b = ctx.saved_values
        return grad_output.f.mul_zip(grad_output, b), grad_output.f.mul_zip(grad_output, a)


class Sigmoid(Function):
    """The logistic function."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return the logistic function of each element, and save what the derivative needs."""
        result = t1.f.sigmoid_map(t1)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative. As for Scalars, the result of the forward is enough."""
        (result,) = ctx.saved_values
        return grad_output * result * (1.0 - result)


class ReLU(Function):
    """The positive part."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return the positive part of each element, and save what the derivative needs."""
        ctx.save_for_backward(t1)
        return t1.f.relu_map(t1)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative. The backend has a function for it."""
        (t1,) = ctx.saved_values
        return grad_output.f.relu_back_zip(t1, grad_output)


class Log(Function):
    """The natural logarithm."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return the logarithm of each element, and save what the derivative needs."""
        ctx.save_for_backward(t1)
        return t1.f.log_map(t1)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative. The backend has a function for it."""
        (t1,) = ctx.saved_values
        return grad_output.f.log_back_zip(t1, grad_output)


class Exp(Function):
    """The exponential function."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor) -> Tensor:
        """Return e to the power of each element, and save what the derivative needs."""
        result = t1.f.exp_map(t1)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative."""
        (result,) = ctx.saved_values
        return grad_output.f.mul_zip(grad_output, result)


class Sum(Function):
    """The sum along a dimension, which becomes 1."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, dim: Tensor) -> Tensor:
        """Return the sums along the dimension ``int(dim.item())``."""
        return a.f.add_reduce(a, int(dim.item()))

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, float]:
        """Return the derivative for ``a``, which the caller broadcasts to its shape, and 0.0 for ``dim``."""
        return grad_output, 0.0


class LT(Function):
    """The comparison ``a < b``."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, b: Tensor) -> Tensor:
        """Return 1.0 where ``a`` is less than ``b``, else 0.0."""
        return a.f.lt_zip(a, b)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Any, Any]:
        """Return the derivatives for both operands. A number stands for a tensor that is full of it."""
        return 0.0, 0.0


class EQ(Function):
    """The comparison ``a == b``."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, b: Tensor) -> Tensor:
        """Return 1.0 where ``a`` equals ``b``, else 0.0."""
        return a.f.eq_zip(a, b)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Any, Any]:
        """Return the derivatives for both operands."""
        return 0.0, 0.0


class IsClose(Function):
    """Whether elements differ by less than 0.01. It has no derivative."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, b: Tensor) -> Tensor:
        """Return 1.0 where the elements are close, else 0.0."""
        return a.f.is_close_zip(a, b)


class Permute(Function):
    """Another order of the dimensions."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, order: Tensor) -> Tensor:
        """Return ``a`` with its dimensions in a new order, and save what the derivative needs.

        ``order`` is a tensor of whole numbers; ``a.new(data)`` makes a Tensor of a TensorData.
        """
        dims = [int(order[i]) for i in range(order.size)]
        ctx.save_for_backward(dims)
        return a.new(a._tensor.permute(*dims))

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, float]:
        """Return the derivative for ``a``, with its dimensions back in their old order, and 0.0 for ``order``."""
        (dims,) = ctx.saved_values
        back = [dims.index(i) for i in range(len(dims))]
        return grad_output.new(grad_output._tensor.permute(*back)), 0.0


class View(Function):
    """Another shape for the same elements. This class is complete."""

    @staticmethod
    def forward(ctx: Context, a: Tensor, shape: Tensor) -> Tensor:
        """Return ``a`` with a new shape; ``a`` must be contiguous."""
        ctx.save_for_backward(a.shape)
        sizes = tuple(int(shape[i]) for i in range(shape.size))
        return a.make(a._tensor._storage, sizes, backend=a.backend)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, float]:
        """Return the derivative in the old shape."""
        (old,) = ctx.saved_values
        grad = grad_output.contiguous()
        return grad.make(grad._tensor._storage, old, backend=grad.backend), 0.0


class Copy(Function):
    """A copy that is stored row by row. This class is complete."""

    @staticmethod
    def forward(ctx: Context, a: Tensor) -> Tensor:
        """Return the copy."""
        return a.f.id_map(a)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> Tensor:
        """Return the derivative."""
        return grad_output


class MatMul(Function):
    """The matrix product; backends have it from module 3 on. This class is complete."""

    @staticmethod
    def forward(ctx: Context, t1: Tensor, t2: Tensor) -> Tensor:
        """Return ``t1 @ t2``."""
        ctx.save_for_backward(t1, t2)
        return t1.f.matrix_multiply(t1, t2)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the derivatives for both; a batch that was broadcast is summed up by the caller."""
        t1, t2 = ctx.saved_values

        def transposed(a: Tensor) -> Tensor:
            order = [*range(a.dims - 2), a.dims - 1, a.dims - 2]
            return a.new(a._tensor.permute(*order))

        multiply = grad_output.f.matrix_multiply
        return multiply(grad_output, transposed(t2)), multiply(transposed(t1), grad_output)
