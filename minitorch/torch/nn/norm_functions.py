"""Normalization and attention as functions, named by `functional`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...nn.normalization import ema_
from ...tensor import Tensor as Core
from ...tensor_functions.fused import ScaleShift
from ...tensor_functions.nn import Norm
from ..autograd import no_grad
from ..elementwise import add, clamp, div, mul, sqrt, square
from ..linalg import matmul
from ..reductions import norm, softmax
from ..shapes import expand_as, reshape, transpose
from ..tensor import Tensor, from_array, to_array, wrap
from .activations import dropout
from .linear_maps import value_of
from .resizing import pad

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
    "scaled_dot_product_attention",
]


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel of (N, C, ...): by the batch in training, else by the running statistics.

    Raises:
        ValueError: In training, there is one value per channel.
    """
    if input.ndim < 2:
        raise RuntimeError(f"batch_norm: expected an input of at least 2 dimensions, got {input.ndim}")
    channels, count = input.shape[1], input.numel() // max(1, input.shape[1])
    for name, t in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if t is not None and t.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {t.numel()}")
    x = reshape(input, input.shape[0], channels, -1)
    v = value_of("batch_norm", x, weight)
    ones, zeros = np.ones((1, channels, 1), v.dtype), np.zeros((1, channels, 1), v.dtype)
    w = reshape(weight, 1, -1, 1)._value if weight is not None else Core(v.f.from_array(ones))
    b = reshape(bias, 1, -1, 1)._value if bias is not None else Core(v.f.from_array(zeros))
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: expected running statistics for training=False, got None")
        root = sqrt(add(running_var, eps))
        scale = reshape(div(wrap(w).view(-1), root), 1, -1, 1)
        shift = wrap(b) - reshape(running_mean, 1, -1, 1) * scale
        out = wrap(ScaleShift.apply(v, scale._value, shift._value), op="NativeBatchNorm")
        return reshape(out, *input.shape)
    if count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )

    def observe(mean: Any, var: Any) -> None:
        if running_mean is not None and running_var is not None:
            ema_(running_mean._value, Core(mean.view(channels)), momentum)
            ema_(running_var._value, Core(var.view(channels)), momentum, count / (count - 1))

    out = wrap(Norm.apply(v, w, b, eps=eps, observe=observe), op="NativeBatchNorm")
    return reshape(out, *input.shape)


def _rows(input: Tensor, size: int, eps: float) -> Tensor:
    """Normalize each row of ``size`` elements that follow each other."""
    x = reshape(input, 1, -1, size)
    v = value_of("norm", x)
    shape = (1, x.shape[1], 1)
    unit, zero = (Core(v.f.from_array(np.full(shape, k, v.dtype))) for k in (1.0, 0.0))
    return reshape(wrap(Norm.apply(v, unit, zero, eps=eps), op="NativeLayerNorm"), *input.shape)


def _shape(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each sample over its last dimensions."""
    shape = _shape(normalized_shape)
    if tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], "
            f"but got input of size{list(input.shape)}"
        )
    out = _rows(input, math.prod(shape), eps)
    out = out if weight is None else mul(out, weight)
    return out if bias is None else add(out, bias)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divide each sample by the root of its mean square over the last dimensions."""
    shape = _shape(normalized_shape)
    if tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], "
            f"but got input of size{list(input.shape)}"
        )
    dims = tuple(range(-len(shape), 0))
    small = float(np.finfo(input.dtype.numpy).eps) if eps is None else eps
    out = div(input, sqrt(add(square(input).mean(dims, True), small)))
    return out if weight is None else mul(out, weight)


def _per_channel(out: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    shape = [-1 if k == 1 else 1 for k in range(out.ndim)]
    out = out if weight is None else mul(out, reshape(weight, *shape))
    return out if bias is None else add(out, reshape(bias, *shape))


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each sample over groups of channels of (N, C, ...)."""
    if input.shape[1] % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    return _per_channel(_rows(input, math.prod(input.shape[1:]) // num_groups, eps), weight, bias)


def instance_norm(
    input: Tensor, running_mean: Any = None, running_var: Any = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel of each sample of (N, C, ...); running statistics are those of the mean sample.

    Raises:
        ValueError: There is one value per channel and sample.
    """
    count = math.prod(input.shape[2:])
    if use_input_stats and count == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    if use_input_stats and running_mean is not None and running_var is not None:
        rows = reshape(input.detach(), *input.shape[:2], -1)
        with no_grad():
            running_mean.mul_(1 - momentum).add_(rows.mean((0, 2)), alpha=momentum)
            running_var.mul_(1 - momentum).add_(rows.var(2).mean(0), alpha=momentum)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    return _per_channel(_rows(input, math.prod(input.shape[2:]), eps), weight, bias)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by a power of the squares of ``size`` neighbouring channels of (N, C, ...)."""
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    x = reshape(square(input), input.shape[0], 1, input.shape[1], -1)
    padded = pad(x, (0, 0, size // 2, (size - 1) // 2))
    total = padded[:, :, 0 : input.shape[1]]
    for j in range(1, size):
        total = add(total, padded[:, :, j : j + input.shape[1]])
    return div(input, reshape(mul(total, alpha / size), *input.shape).add(k) ** beta)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """Divide vectors along ``dim`` by their p-norm, which is at least ``eps``."""
    return div(input, expand_as(clamp(norm(input, p, dim, True), min=eps), input))


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``softmax(query @ key.T * scale + mask) @ value``.

    Args:
        query: (N, ..., L, E).
        key: (N, ..., S, E).
        value: (N, ..., S, V).
        attn_mask: (L, S) or what broadcasts with it: True where attention is allowed, or numbers to be added.
        dropout_p: The probability of dropping a weight; here always, not in training alone.
        is_causal: Whether place ``l`` attends to places up to ``l`` only.
        scale: Factor of the products, by default 1 / sqrt(E).
        enable_gqa: Whether keys and values have fewer heads (dimension -3), each for several of the queries.

    Raises:
        RuntimeError: ``attn_mask`` and ``is_causal`` are both given.
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if enable_gqa:
        key, value = (t.repeat_interleave(query.size(-3) // t.size(-3), -3) for t in (key, value))
    size = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = mul(matmul(query, transpose(key, -2, -1)), size)
    if is_causal:
        causal = np.tri(query.shape[-2], key.shape[-2], dtype=bool)
        scores = scores.masked_fill(from_array(~causal, query.device), -math.inf)
    if attn_mask is not None:
        if attn_mask.is_floating_point():
            scores = add(scores, attn_mask)
        else:
            scores = scores.masked_fill(from_array(~to_array(attn_mask), query.device), -math.inf)
    weights = softmax(scores, -1)
    if attn_mask is not None:  # a place that may attend to nothing gets zeros
        nothing = np.isneginf(to_array(scores)).all(-1, keepdims=True)
        if nothing.any():
            weights = weights.masked_fill(from_array(nothing, query.device), 0.0)
    return matmul(dropout(weights, dropout_p, dropout_p > 0), value)
