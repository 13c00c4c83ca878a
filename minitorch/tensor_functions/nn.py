"""Functions of tensors for networks: softmax, convolution, pooling, normalization, losses, rows of a table.

``forward`` and ``backward`` compute on TensorData through its backend ``a.f``. Images are (N, C, H, W): N batch,
C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import operators
from ..autodiff import Context, Function
from ..runtime import shape_errors
from ..runtime.types import ConvParams, Pair, PoolParams
from ..tensor_data import IndexingError, TensorData


class LogSoftmax(Function):
    """``y = a - ln(sum(e ** a))`` along ``dim``, shifted by the maximum so that nothing overflows.

    The derivative is ``d - e ** y * sum(d)``.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        out = a.f.log_softmax(a, dim)
        ctx.save_for_backward(out, dim)
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        out, dim = ctx.saved_values
        return d.f.log_softmax_grad(out, d, dim)


class Softmax(Function):
    """``y = e ** a / sum(e ** a)`` along ``dim``, shifted by the maximum so that nothing overflows.

    The derivative is ``y * (d - sum(d * y))``.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        f = a.f
        e = f.exp_map(f.sub_zip(a, f.max_reduce(a, dim)))
        out = f.div_zip(e, f.add_reduce(e, dim))
        ctx.save_for_backward(out, dim)
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        out, dim = ctx.saved_values
        f = d.f
        total = f.add_reduce(f.mul_zip(d, out), dim)
        return f.mul_zip(out, f.sub_zip(d, total))


class Conv(Function):
    """Cross-correlation of images (N, C, H, W) with weights (O, C / groups, KH, KW): images (N, O, H', W')."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, params: ConvParams) -> Any:
        ctx.save_for_backward(x, w, params)
        return x.f.conv(x, w, params)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        return _conv_grads(ctx, d, *ctx.saved_values)


def _conv_grads(ctx: Context, d: Any, x: Any, w: Any, params: ConvParams) -> tuple[Any, Any]:
    dx = d.f.conv_grad_input(d, w, x.shape, params) if ctx.needs(0) else 0.0
    return dx, d.f.conv_grad_weight(x, d, w.shape, params) if ctx.needs(1) else 0.0


class Conv2dFun(Function):
    """The course's convolution of images (N, C, H, W) with weights (O, C, KH, KW): images (N, O, H, W).

    Zeros are added at the right and at the bottom only, so that the output is as large as the input:
    ``out[n, o, y, z] = sum of x[n, c, y + i, z + j] * w[o, c, i, j]`` over ``c``, ``i``, ``j``.
    """

    @staticmethod
    def forward(ctx: Context, input: Any, weight: Any) -> Any:
        ctx.save_for_backward(input, weight)
        require_images("conv2d", input, weight, 4)
        return input.f.conv(input, weight, _right_bottom_same(weight))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        x, w = ctx.saved_values
        return _conv_grads(ctx, d, x, w, _right_bottom_same(w))


class Conv1dFun(Function):
    """The one-dimensional form of `Conv2dFun`: input (N, C, W), weight (O, C, K), output (N, O, W)."""

    @staticmethod
    def forward(ctx: Context, input: Any, weight: Any) -> Any:
        ctx.save_for_backward(input, weight)
        require_images("conv1d", input, weight, 3)
        return _rows(Conv2dFun.forward(Context(no_grad=True), _images(input), _images(weight)))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        x, w = ctx.saved_values
        inner = Context(saved_values=(_images(x), _images(w)))
        inner.inputs = ctx.inputs
        dx, dw = Conv2dFun.backward(inner, _images(d))
        return _rows(dx) if ctx.needs(0) else 0.0, _rows(dw) if ctx.needs(1) else 0.0


def _right_bottom_same(w: Any) -> ConvParams:
    return ConvParams(padding=(0, w.shape[2] - 1, 0, w.shape[3] - 1))


def require_images(op: str, x: Any, w: Any, dims: int, groups: int = 1) -> None:
    """Check the input and the weight of a convolution: ``dims`` dimensions each, and the channels of rows.

    The channels of images are checked with the rest of their shapes, where rows are images already.
    """
    if x.dims != dims or w.dims != dims:
        raise IndexingError(
            f"{op}: expected an input and a weight of {dims} dimensions, got {x.shape} and {w.shape}"
        )
    if dims == 3 and min(x.shape[1], w.shape[1], groups) > 0 and x.shape[1] != w.shape[1] * groups:
        raise IndexingError(shape_errors.wrong_channels(op, x.shape, w.shape, groups))


def _images(a: Any) -> Any:
    """View rows (N, C, W) as images (N, C, 1, W)."""
    return a.contiguous().view(*a.shape[:2], 1, a.shape[2])


def _rows(a: Any) -> Any:
    """View images (N, C, 1, W) as rows (N, C, W)."""
    return a.contiguous().view(*a.shape[:2], a.shape[3])


class Pool(Function):
    """Largest or average element of each window of images (N, C, H, W): images (N, C, H', W').

    The setting ``size`` is (H', W'). The first of equal maxima, row by row, gets the derivative.
    """

    @staticmethod
    def forward(ctx: Context, x: Any, size: Pair, params: PoolParams) -> Any:
        ctx.save_for_backward(x, params)
        return x.f.pool(x, size, params)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        x, params = ctx.saved_values
        return d.f.pool_grad(x, d, params)


class Norm(Function):
    """Each channel of ``x`` (A, C, L) normalized over A and L, times ``w`` plus ``b``, both (1, C, 1), activated.

    Batch normalization (Ioffe and Szegedy, 2015). Settings: ``eps`` is added to the variance; ``activation`` is a name
    of `minitorch.tensor_ops.activations.ACTIVATIONS`; ``observe``, if given, is called with mean and biased variance of
    the channels, both (1, C, 1).
    """

    @staticmethod
    def forward(
        ctx: Context,
        x: Any,
        w: Any,
        b: Any,
        eps: float,
        activation: str = "none",
        observe: Callable[[TensorData, TensorData], None] | None = None,
    ) -> Any:
        y, mean, var = x.f.norm(x, w, b, eps, activation)
        ctx.save_for_backward(x, w, b, mean, var, eps, activation)
        if observe is not None:
            observe(mean, var)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        x, w, b, mean, var, eps, activation = ctx.saved_values
        return d.f.norm_grad(x, w, b, d, mean, var, eps, activation)


class CrossEntropy(Function):
    """Minus the sum of ``target`` times log-softmax, for each row of scores (N, C): losses (N, 1).

    Settings: ``target`` is a TensorData of probabilities (N, C), or an array of N class numbers, -1 for none. With
    ``count``, the result is the sum of the losses divided by it, of shape (1,).
    """

    @staticmethod
    def forward(ctx: Context, x: Any, target: Any, count: int | None = None) -> Any:
        kernel = x.f.cross_entropy if isinstance(target, TensorData) else x.f.label_entropy
        losses, slope = kernel(x, target)
        ctx.save_for_backward(slope, count)
        return losses if count is None else losses.sum(0).view(1) / count

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        slope, count = ctx.saved_values
        return slope * (d if count is None else d / count)


class NLL(Function):
    """Minus the sum of ``target`` times ``x``, for each row of log-probabilities (N, C): losses (N, 1).

    The setting ``target`` is a TensorData (N, C). Where it is 0, an element counts for nothing, even one of -inf.
    """

    @staticmethod
    def forward(ctx: Context, x: Any, target: TensorData) -> Any:
        ctx.save_for_backward(target)
        return -x.f.zip(operators.weigh)(x, target).sum(1)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (target,) = ctx.saved_values
        return -d * target


class Take(Function):
    """Rows of a table (R, C), chosen by the setting ``rows``, an array of N row numbers: a matrix (N, C).

    The derivative of a row is the sum over all places where it was chosen.
    """

    @staticmethod
    def forward(ctx: Context, table: Any, rows: Any) -> Any:
        ctx.save_for_backward(rows, table.shape)
        return table.f.take(table, rows)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        rows, shape = ctx.saved_values
        return d.f.take_grad(d, rows, shape)
