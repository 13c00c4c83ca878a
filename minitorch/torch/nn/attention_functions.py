"""Attention of several heads as a function, named by `functional`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..creation import zeros
from ..elementwise import add, mul
from ..joining import cat, chunk
from ..linalg import matmul
from ..reductions import softmax
from ..shapes import reshape, squeeze, transpose, unsqueeze
from ..tensor import Tensor, from_array, to_array
from .activations import dropout
from .linear_maps import linear
from .norm_functions import scaled_dot_product_attention

__all__ = ["multi_head_attention_forward"]


def _numbers(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """Return a mask as numbers to be added: -inf for what must not be attended to."""
    if mask is None or mask.is_floating_point():
        return mask
    forbidden = np.where(to_array(mask).astype(bool), -math.inf, 0.0).astype(like.dtype.numpy)
    return from_array(forbidden, like.device)


def _check_masks(
    query: Tensor, key: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, heads: int
) -> None:
    """Check the shapes of the masks; ``query`` and ``key`` are (L, N, E) and (S, N, E)."""
    steps, n, source = query.shape[0], query.shape[1], key.shape[0]
    if attn_mask is not None:
        expected: tuple[int, ...] = (steps, source)
        if attn_mask.ndim == 3:
            expected = (n * heads, steps, source)
        elif attn_mask.ndim != 2:
            raise RuntimeError(f"attn_mask's dimension {attn_mask.ndim} is not supported")
        if tuple(attn_mask.shape) != expected:
            raise RuntimeError(
                f"The shape of the {attn_mask.ndim}D attn_mask is {attn_mask.shape}, but should be {expected}."
            )
    if key_padding_mask is not None and tuple(key_padding_mask.shape) != (n, source):
        raise AssertionError(
            f"expecting key_padding_mask shape of {(n, source)}, but got {key_padding_mask.shape}"
        )


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int, in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Return attended values (L, N, E) and, where wanted, the weights; `torch.nn.MultiheadAttention` explains it.

    Args:
        query: (L, N, E), or (L, E) without a batch.
        key: (S, N, E), or (S, E).
        value: As ``key``.
        embed_dim_to_check: E.
        num_heads: Into how many parts E is split.
        in_proj_weight: The three maps of the inputs together, (3 E, E).
        in_proj_bias: Their biases, (3 E,).
        bias_k: A key that is added to all, (1, 1, E).
        bias_v: Its value.
        add_zero_attn: Whether to add a key and a value of zeros.
        dropout_p: The probability of dropping a weight in training.
        out_proj_weight: The map of the result, (E, E).
        out_proj_bias: Its bias.
        training: Whether to drop weights.
        key_padding_mask: (N, S), True for a key to be ignored, or numbers to be added.
        need_weights: Whether to return the weights.
        attn_mask: (L, S) or (N * heads, L, S), True for what must not be attended to, or numbers to be added.
        use_separate_proj_weight: Whether the next three are used instead of ``in_proj_weight``.
        q_proj_weight: (E, E).
        k_proj_weight: (E, width of the keys).
        v_proj_weight: (E, width of the values).
        static_k: Not supported.
        static_v: Not supported.
        average_attn_weights: Whether to average the weights over heads.
        is_causal: A hint that ``attn_mask``, which is needed then, allows earlier places only.
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError("multi_head_attention_forward: static_k and static_v are not there")
    alone = query.ndim == 2
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor, and key and value alike, but received {query.ndim}-D, "
            f"{key.ndim}-D and {value.ndim}-D tensors"
        )
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if query.shape[-1] != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {query.shape[-1]}"
        )
    if alone:
        query, key, value = (unsqueeze(t, 1) for t in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    _check_masks(query, key, attn_mask, key_padding_mask, num_heads)
    biases = (None,) * 3 if in_proj_bias is None else chunk(in_proj_bias, 3)
    if use_separate_proj_weight:
        maps: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        assert in_proj_weight is not None
        maps = chunk(in_proj_weight, 3)
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), maps, biases))
    steps, n, width = query.shape[0], query.shape[1], embed_dim_to_check // num_heads
    pads = 0
    if bias_k is not None and bias_v is not None:
        k, v = (cat([t, b.repeat(1, n, 1)]) for t, b in ((k, bias_k), (v, bias_v)))
        pads += 1

    def heads(x: Tensor) -> Tensor:
        return transpose(reshape(transpose(x, 0, 1), n, x.shape[0], num_heads, width), 1, 2)

    q, k, v = heads(q), heads(k), heads(v)
    if add_zero_attn:
        nothing = zeros(n, num_heads, 1, width, dtype=k.dtype, device=k.device)
        k, v = cat([k, nothing], 2), cat([v, nothing], 2)
        pads += 1
    mask = _numbers(attn_mask, q)
    if mask is not None and mask.ndim == 3:
        mask = reshape(mask, n, num_heads, *mask.shape[1:])
    padding = _numbers(key_padding_mask, q)
    if padding is not None:
        padding = reshape(padding, n, 1, 1, -1)
        mask = padding if mask is None else add(mask, padding)
    if mask is not None and pads:
        mask = cat([mask, mask.new_zeros(*mask.shape[:-1], pads)], -1)
    rate = dropout_p if training else 0.0
    weights: Tensor | None = None
    if need_weights:
        scores = mul(matmul(q, transpose(k, -2, -1)), 1 / math.sqrt(width))
        scores = scores if mask is None else add(scores, mask)
        weights = dropout(softmax(scores, -1), rate, rate > 0)
        out = matmul(weights, v)
    else:
        out = scaled_dot_product_attention(q, k, v, mask, rate)
    out = transpose(reshape(transpose(out, 1, 2), n, steps, embed_dim_to_check), 0, 1)
    out = linear(out, out_proj_weight, out_proj_bias)
    if weights is not None and average_attn_weights:
        weights = weights.mean(1)
    if alone:
        return squeeze(out, 1), None if weights is None else squeeze(weights, 0)
    return out, weights
