"""Functions of tensors for networks: softmax, convolution, pooling, normalisation, losses, rows of a table.

As in `minitorch.tensor_functions`, ``forward`` and ``backward`` compute on TensorData through the door of its backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import operators
from ..autodiff import Context, Function
from ..runtime.types import ConvParams, Pair, PoolParams
from ..tensor_data import IndexingError, TensorData


class LogSoftmax(Function):
    """``a - ln(sum(e ** a))`` along ``dim``, shifted by the maximum so that nothing overflows."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        """Return the logarithms of the softmax."""
        out = a.f.log_softmax(a, dim)
        ctx.save_for_backward(out, dim)
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d - softmax * sum(d)``."""
        out, dim = ctx.saved_values
        return d.f.log_softmax_grad(out, d, dim)


class Softmax(Function):
    """``e ** a / sum(e ** a)`` along ``dim``, shifted by the maximum so that nothing overflows."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        """Return the softmax."""
        f = a.f
        e = f.exp_map(f.sub_zip(a, f.max_reduce(a, dim)))
        out = f.div_zip(e, f.add_reduce(e, dim))
        ctx.save_for_backward(out, dim)
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``softmax * (d - sum(d * softmax))``."""
        out, dim = ctx.saved_values
        f = d.f
        mean = f.add_reduce(f.mul_zip(d, out), dim)
        return f.mul_zip(out, f.sub_zip(d, mean))


class Conv(Function):
    """Cross-correlation of images (N, C, H, W) with weights (O, C / groups, KH, KW). Setting: ``params``."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, params: ConvParams) -> Any:
        """Return images (N, O, H', W')."""
        ctx.save_for_backward(x, w, params)
        return x.f.conv(x, w, params)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return the derivatives of input and weight."""
        return _conv_grads(ctx, d, *ctx.saved_values)


def _conv_grads(ctx: Context, d: Any, x: Any, w: Any, params: ConvParams) -> tuple[Any, Any]:
    dx = d.f.conv_grad_input(d, w, x.shape, params) if ctx.needs(0) else 0.0
    return dx, d.f.conv_grad_weight(x, d, w.shape, params) if ctx.needs(1) else 0.0


def _anchored(w: Any) -> ConvParams:
    """Return the settings of the course's convolution: zeros at the right and at the bottom only."""
    return ConvParams(padding=(0, w.shape[2] - 1, 0, w.shape[3] - 1))


class Conv2dFun(Function):
    """The course's convolution: as large as the input, with zeros beyond its right and lower edge.

    ``out[n, o, y, z] = sum of x[n, c, y + i, z + j] * w[o, c, i, j]`` over ``c``, ``i``, ``j``.
    """

    @staticmethod
    def forward(ctx: Context, input: Any, weight: Any) -> Any:
        """Convolve images (N, C, H, W) with weights (O, C, KH, KW) into (N, O, H, W)."""
        ctx.save_for_backward(input, weight)
        _images(input, weight, 4)
        return input.f.conv(input, weight, _anchored(weight))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return the derivatives of input and weight."""
        x, w = ctx.saved_values
        return _conv_grads(ctx, d, x, w, _anchored(w))


class Conv1dFun(Function):
    """The one-dimensional form of `Conv2dFun`: input (N, C, W), weight (O, C, K), output (N, O, W)."""

    @staticmethod
    def forward(ctx: Context, input: Any, weight: Any) -> Any:
        """Convolve rows (N, C, W) with weights (O, C, K) into (N, O, W)."""
        ctx.save_for_backward(input, weight)
        _images(input, weight, 3)
        return flat(Conv2dFun.forward(Context(no_grad=True), tall(input), tall(weight)))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        """Return the derivatives of input and weight."""
        x, w = ctx.saved_values
        inner = Context(saved_values=(tall(x), tall(w)))
        inner.inputs = ctx.inputs
        dx, dw = Conv2dFun.backward(inner, tall(d))
        return flat(dx) if ctx.needs(0) else 0.0, flat(dw) if ctx.needs(1) else 0.0


def _images(x: Any, w: Any, dims: int) -> None:
    if x.dims != dims or w.dims != dims:
        raise IndexingError(
            f"a {dims - 2}-D convolution needs an input and a weight of {dims} dimensions, not {x.shape} and {w.shape}"
        )


def tall(a: Any) -> Any:
    """View rows (N, C, W) as images (N, C, 1, W)."""
    return a.contiguous().view(*a.shape[:2], 1, a.shape[2])


def flat(a: Any) -> Any:
    """View images (N, C, 1, W) as rows (N, C, W)."""
    return a.contiguous().view(*a.shape[:2], a.shape[3])


class Pool(Function):
    """Largest or average element of each window of images (N, C, H, W). Settings: ``size`` (H', W') and ``params``.

    The first of equal maxima, row by row, gets the derivative.
    """

    @staticmethod
    def forward(ctx: Context, x: Any, size: Pair, params: PoolParams) -> Any:
        """Return images (N, C, H', W')."""
        ctx.save_for_backward(x, params)
        return x.f.pool(x, size, params)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return the derivative of the input."""
        x, params = ctx.saved_values
        return d.f.pool_grad(x, d, params)


class Norm(Function):
    """Each channel of ``x`` (A, C, L) normalised over A and L, times ``w`` plus ``b``, both (1, C, 1); activated.

    Ioffe and Szegedy, 2015. Settings: ``eps``, added to the variance; ``activation``, a name of `ACTIVATIONS`; ``observe``, which is
    called with mean and biased variance of the channels.
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
        """Return the normalised channels."""
        y, mean, var = x.f.norm(x, w, b, eps, activation)
        ctx.save_for_backward(x, w, b, mean, var, eps, activation)
        if observe is not None:
            observe(mean, var)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        """Return the derivatives of channels, scale and shift."""
        x, w, b, mean, var, eps, activation = ctx.saved_values
        return d.f.norm_grad(x, w, b, d, mean, var, eps, activation)


class CrossEntropy(Function):
    """Minus the sum of ``target`` times log-softmax, for each row of scores (N, C): losses (N, 1).

    Settings: ``target``, a TensorData of probabilities (N, C), or an array of N class numbers, -1 for none; ``count``:
    if given, the result is the sum of the losses divided by it, of shape (1,).
    """

    @staticmethod
    def forward(ctx: Context, x: Any, target: Any, count: int | None = None) -> Any:
        """Return the losses."""
        kernel = x.f.cross_entropy if isinstance(target, TensorData) else x.f.label_entropy
        losses, slope = kernel(x, target)
        ctx.save_for_backward(slope, count)
        return losses if count is None else losses.sum(0).view(1) / count

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return softmax minus target, times ``d``."""
        slope, count = ctx.saved_values
        return slope * (d if count is None else d / count)


class NLL(Function):
    """Minus the sum of ``target`` times ``x``, for each row (N, C) of log-probabilities: losses (N, 1).

    Where ``target`` is 0 a element counts for nothing, even one of -inf. Setting: ``target``, a TensorData (N, C).
    """

    @staticmethod
    def forward(ctx: Context, x: Any, target: TensorData) -> Any:
        """Return the losses."""
        ctx.save_for_backward(target)
        return -x.f.zip(operators.weigh)(x, target).sum(1)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``-target * d``."""
        (target,) = ctx.saved_values
        return -d * target


class Take(Function):
    """Rows of a matrix, chosen by the setting ``rows``, a flat array of their numbers."""

    @staticmethod
    def forward(ctx: Context, table: Any, rows: Any) -> Any:
        """Return the chosen rows."""
        ctx.save_for_backward(rows, table.shape)
        return table.f.take(table, rows)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Add up what each row was taken for."""
        rows, shape = ctx.saved_values
        return d.f.take_grad(d, rows, shape)
