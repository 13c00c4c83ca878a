"""Functions that a backend may compute in one kernel: convolution and linear layer with activation, and dropout.

``forward`` and ``backward`` compute on TensorData through its backend ``x.f``; what each operation means is defined in
`minitorch.tensor_ops.composite`. The setting ``activation`` is a name of `tensor_ops.activations.ACTIVATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Context, Function
from ..runtime.types import ConvParams


class ConvActivation(Function):
    """`Conv` of images ``x`` (N, C, H, W) and weights ``w`` (O, C / groups, KH, KW), plus ``b`` (O,), activated."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, activation: str, params: ConvParams) -> Any:
        y = x.f.conv_activation(x, w, b, activation, params)
        ctx.save_for_backward(x, w, y, activation, params)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        x, w, y, activation, params = ctx.saved_values
        wanted = (ctx.needs(0), ctx.needs(1))
        return d.f.conv_activation_grad(x, w, y, d, activation, wanted, params)


class Affine(Function):
    """``x @ w.T + b`` for ``x`` (N, K), ``w`` (M, K), ``b`` (M,), activated: rows (N, M)."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, activation: str) -> Any:
        y = x.f.linear(x, w, b, activation)
        ctx.save_for_backward(x, w, y, activation)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        x, w, y, activation = ctx.saved_values
        f = d.f
        d, db = f.activation_grad(y, d, activation)
        dx = f.matrix_multiply(d, w) if ctx.needs(0) else 0.0
        return dx, f.matrix_multiply(d.permute(1, 0), x) if ctx.needs(1) else 0.0, db


class ScaleShift(Function):
    """``x * w + b`` for channels ``x`` (A, C, L), scale ``w`` and shift ``b``, both (1, C, 1), activated."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, activation: str = "none") -> Any:
        y = x.f.scale_shift(x, w, b, activation)
        ctx.save_for_backward(x, w, y, activation)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        x, w, y, activation = ctx.saved_values
        d, db = d.f.activation_grad(y, d, activation)
        dx = d * w if ctx.needs(0) else 0.0
        return dx, d * x if ctx.needs(1) else 0.0, db.view(1, w.shape[1], 1)


class Drop(Function):
    """Dropout: random elements set to 0. Its settings are those of the operation ``dropout`` of a backend."""

    @staticmethod
    def forward(ctx: Context, x: Any, key: Callable[[], int], rate: float, scale: bool) -> Any:
        y, mask = x.f.dropout(x, key, rate, scale)
        ctx.save_for_backward(mask)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (mask,) = ctx.saved_values
        return d * mask
