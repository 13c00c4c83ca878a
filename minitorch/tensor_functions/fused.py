"""Functions that backends may fuse: a convolution or a linear layer with bias and activation, and dropout.

As in `minitorch.tensor_functions`, ``forward`` and ``backward`` compute on TensorData through the door of its backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Context, Function
from ..runtime.types import ConvParams


class ConvActivation(Function):
    """`Conv` plus a bias (O,) for the channels, activated. Settings: ``activation``, a name of `ACTIVATIONS`, and those of `Conv`."""

    @staticmethod
    def forward(
        ctx: Context, x: Any, w: Any, b: Any,
        activation: str, params: ConvParams,
    ) -> Any:  # fmt: skip
        """Return images (N, O, H', W')."""
        y = x.f.conv_activation(x, w, b, activation, params)
        ctx.save_for_backward(x, w, y, activation, params)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        """Return the derivatives of input, weight and bias."""
        x, w, y, activation, params = ctx.saved_values
        wanted = (ctx.needs(0), ctx.needs(1))
        return d.f.conv_activation_grad(x, w, y, d, activation, wanted, params)


class Affine(Function):
    """``x @ w.T + b`` for ``x`` (N, K), ``w`` (M, K), ``b`` (M,), activated. Setting: ``activation``, a name of `ACTIVATIONS`."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, activation: str) -> Any:
        """Return rows (N, M)."""
        y = x.f.linear(x, w, b, activation)
        ctx.save_for_backward(x, w, y, activation)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        """Return the derivatives of input, weight and bias."""
        x, w, y, activation = ctx.saved_values
        f = d.f
        d, db = f.activation_grad(y, d, activation)
        dx = f.matrix_multiply(d, w) if ctx.needs(0) else 0.0
        return dx, f.matrix_multiply(d.permute(1, 0), x) if ctx.needs(1) else 0.0, db


class ScaleShift(Function):
    """``x * w + b`` for channels ``x`` (A, C, L), ``w`` and ``b`` (1, C, 1), activated. Setting: ``activation``, of `ACTIVATIONS`."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, activation: str = "none") -> Any:
        """Return the scaled and shifted channels."""
        y = x.f.scale_shift(x, w, b, activation)
        ctx.save_for_backward(x, w, y, activation)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any, Any]:
        """Return the derivatives of channels, scale and shift."""
        x, w, y, activation = ctx.saved_values
        d, db = d.f.activation_grad(y, d, activation)
        dx = d * w if ctx.needs(0) else 0.0
        return dx, d * x if ctx.needs(1) else 0.0, db.view(1, w.shape[1], 1)


class Drop(Function):
    """Random elements set to 0. Settings: those of the kernel ``dropout``."""

    @staticmethod
    def forward(ctx: Context, x: Any, key: Callable[[], int], rate: float, scale: bool) -> Any:
        """Return what is left."""
        y, mask = x.f.dropout(x, key, rate, scale)
        ctx.save_for_backward(mask)
        return y

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        """Return ``d`` for the elements that were kept, scaled as they were."""
        (mask,) = ctx.saved_values
        return d * mask
