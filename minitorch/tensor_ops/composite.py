"""Kernels that a backend may fuse, and the composition of required kernels that is their meaning.

A backend that overrides none of them computes the same, more slowly: so the reference backend is their reference.
``MINITORCH_FUSE=0`` in the environment makes every backend compose.
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
from ..runtime import philox
from ..runtime.types import ConvParams
from ..tensor_data import TensorData, shape_broadcast
from .expression import Expression, Place

COMPOSITES: list[str] = []
ACTIVATIONS = {"none": (operators.id, operators.id_back), "relu": (operators.relu, operators.relu_back)}


def fusing() -> bool:
    """Tell whether backends may use their fused kernels."""
    return os.environ.get("MINITORCH_FUSE", "1") != "0"


def composite(method: Callable[..., Any]) -> Any:
    """Mark a kernel that a backend may override and need not."""
    COMPOSITES.append(method.__name__)
    return classmethod(method)


def _value(values: list[TensorData], place: Place) -> TensorData:
    """Return an earlier result, or a number in one element."""
    return values[place] if isinstance(place, int) else values[0].filled(place, ())


@functools.lru_cache(typed=True)
def dropout_scale(rate: float, scale: bool, dtype: np.dtype[Any]) -> Any:
    """Return what `CompositeOps.dropout` multiplies the elements with that it keeps, a number of ``dtype``."""
    factor = np.ones(1, dtype)
    if scale and rate < 1:
        factor /= 1 - rate
    return factor[0]


def _per_channel(x: TensorData) -> TensorData:
    """Sum (A, C, L) to (1, C, 1)."""
    return x.sum(2).sum(0)


class CompositeOps:
    """The optional kernels, composed.

    ``activation`` names the activation that follows, of `ACTIVATIONS`.
    """

    @composite
    def elementwise(cls, expression: Expression, *operands: TensorData) -> TensorData:
        """Run a expression of single elements on operands, which broadcast."""
        f, shape = operands[0].f, operands[0].shape
        for t in operands[1:]:
            shape = shape_broadcast(shape, t.shape)
        values = list(operands)
        for node in expression.nodes:
            given = [_value(values, place) for place in node.operands]
            values.append((f.map if len(given) == 1 else f.zip)(node.fn)(*given))
        return _value(values, expression.result) + operands[0].zeros(shape)

    @composite
    def conv_activation(
        cls, x: TensorData, w: TensorData, b: TensorData, activation: str, params: ConvParams
    ) -> TensorData:
        """Convolve, add ``b`` (O,) to the channels, and activate."""
        f = x.f
        return f.map(ACTIVATIONS[activation][0])(f.conv(x, w, params) + b.contiguous().view(1, b.size, 1, 1))

    @composite
    def conv_activation_grad(
        cls,
        x: TensorData,
        w: TensorData,
        y: TensorData,
        d: TensorData,
        activation: str,
        wanted: tuple[bool, bool],
        params: ConvParams,
    ) -> tuple[Any, Any, TensorData]:
        """Return the derivatives of `conv_activation` with respect to ``x``, ``w`` and ``b``; of the first two the wanted."""
        d, db = x.f.activation_grad(y, d, activation)
        dx = x.f.conv_grad_input(d, w, x.shape, params) if wanted[0] else 0.0
        return dx, x.f.conv_grad_weight(x, d, w.shape, params) if wanted[1] else 0.0, db

    @composite
    def linear(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """Activate ``x @ w.T + b`` for ``x`` (N, K), ``w`` (M, K) and ``b`` (M,)."""
        f = x.f
        return f.map(ACTIVATIONS[activation][0])(f.matrix_multiply(x, w.permute(1, 0)) + b)

    @composite
    def activation_grad(cls, y: TensorData, d: TensorData, activation: str) -> tuple[TensorData, TensorData]:
        """Turn the derivative ``d`` of activations ``y``, both (A, C, ...), into that of what was activated.

        Returns:
            It, and its sums for each channel, (C,): the derivative of a bias.
        """
        before = y.f.zip(ACTIVATIONS[activation][1])(y, d)
        channels = before.view(*y.shape[:2], math.prod(y.shape[2:]))
        return before, _per_channel(channels).view(y.shape[1])

    @composite
    def log_softmax(cls, x: TensorData, dim: int) -> TensorData:
        """Return ``x - ln(sum(e ** x))`` along ``dim``, shifted by the maximum so that nothing overflows."""
        f = x.f
        shifted = x - f.max_reduce(x, dim)
        return shifted - f.map(operators.ln)(f.exp_map(shifted).sum(dim))

    @composite
    def log_softmax_grad(cls, y: TensorData, d: TensorData, dim: int) -> TensorData:
        """Return the derivative of `log_softmax`, whose result was ``y``: ``d - softmax * sum(d)``."""
        return d - y.f.exp_map(y) * d.sum(dim)

    @composite
    def norm(
        cls, x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str
    ) -> tuple[TensorData, TensorData, TensorData]:
        """Normalise each channel of ``x`` (A, C, L) over A and L, times ``w`` plus ``b``, both (1, C, 1); activate.

        Returns:
            The result, and mean and biased variance of each channel, (1, C, 1).
        """
        count = float(x.shape[0] * x.shape[2])
        mean = _per_channel(x) / count
        centred = x - mean
        var = _per_channel(centred * centred) / count
        root = x.f.map(operators.sqrt)(var + eps)
        return x.f.map(ACTIVATIONS[activation][0])(centred / root * w + b), mean, var

    @composite
    def norm_grad(
        cls, x: TensorData, w: TensorData, b: TensorData, d: TensorData,
        mean: TensorData, var: TensorData, eps: float, activation: str,
    ) -> tuple[TensorData, TensorData, TensorData]:  # fmt: skip
        """Return the derivatives of `norm` with respect to ``x``, ``w`` and ``b``."""
        count = float(x.shape[0] * x.shape[2])
        root = x.f.map(operators.sqrt)(var + eps)
        normed = (x - mean) / root
        d = x.f.zip(ACTIVATIONS[activation][1])(normed * w + b, d)
        db, dw = _per_channel(d), _per_channel(d * normed)
        return (d - db / count - normed * (dw / count)) * (w / root), dw, db

    @composite
    def scale_shift(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """Activate ``x * w + b`` for ``x`` (A, C, L), ``w`` and ``b`` (1, C, 1)."""
        return x.f.map(ACTIVATIONS[activation][0])(x * w + b)

    @composite
    def cross_entropy(cls, x: TensorData, target: TensorData) -> tuple[TensorData, TensorData]:
        """Return minus the sum of target times log-softmax for each row of scores (N, C), and its derivative.

        Returns:
            The losses (N, 1) and their derivative with respect to the scores (N, C).
        """
        f = x.f
        shifted = x - f.max_reduce(x, 1)
        e = f.exp_map(shifted)
        total = e.sum(1)
        losses = -f.zip(operators.weigh)(shifted - f.map(operators.ln)(total), target).sum(1)
        return losses, e / total * target.sum(1) - target

    @composite
    def label_entropy(cls, x: TensorData, labels: npt.NDArray[np.int64]) -> tuple[TensorData, TensorData]:
        """Do what `cross_entropy` does for targets that are one class a row, -1 for none."""
        target, known = np.zeros(x.shape, x.dtype), np.flatnonzero(labels >= 0)
        target[known, labels[known]] = 1
        return x.f.cross_entropy(x, x.f.from_array(target))

    @composite
    def dropout(
        cls, x: TensorData, key: Callable[[], int], rate: float, scale: bool
    ) -> tuple[TensorData, TensorData]:
        """Set each element to 0 with chance ``rate``, and divide the others by ``1 - rate`` if ``scale``.

        Args:
            x: The elements.
            key: Draws a key; called once, whatever the size. The key and a element's number decide its fate.
            rate: Between 0 and 1.
            scale: Whether to divide; nothing is divided by 0.

        Returns:
            The result, and what the elements were multiplied with.
        """

        def draw() -> npt.NDArray[Any]:
            drawn = philox.generator(key()).uniform(size=x.shape)
            return (drawn >= rate).astype(x.dtype) * dropout_scale(rate, scale, x.dtype)

        mask = x.f.replay_input(draw, x.shape)
        return x * mask, mask
