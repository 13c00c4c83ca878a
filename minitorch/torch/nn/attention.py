"""Attention and the layers of a transformer encoder: compositions of `linear`, `softmax` and norms."""

from __future__ import annotations

import copy
import math
from typing import Any

from ..creation import empty, zeros
from ..elementwise import add, mul
from ..joining import chunk
from ..linalg import matmul
from ..tensor import Tensor
from . import functional as F
from . import init
from .containers import ModuleList
from .layers import Dropout, Linear, NonDynamicallyQuantizableLinear
from .module import Module
from .norm_layers import LayerNorm
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention of several heads (Vaswani et al., 2017); keys and values are as wide as queries."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = (
            embed_dim,
            num_heads,
            dropout,
            batch_first,
        )
        self.in_proj_weight = Parameter(init.xavier_uniform_(empty(3 * embed_dim, embed_dim)))
        self.register_parameter("in_proj_bias", Parameter(zeros(3 * embed_dim)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias)
        if bias:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        """Return the attended values and the weights.

        Args:
            query: (L, N, E), with ``batch_first`` (N, L, E).
            key: (S, N, E), or (N, S, E).
            value: As ``key``.
            key_padding_mask: (N, S), True for a key to be ignored.
            need_weights: Whether to return the weights; else None.
            attn_mask: (L, S) or (N * heads, L, S), True for what must not be attended to, or numbers to be added.
            average_attn_weights: Whether to average the weights over heads.
            is_causal: Only a hint: give ``attn_mask``.
        """
        alone = query.ndim == 2
        if alone:
            query, key, value = (t.unsqueeze(0) for t in (query, key, value))
        elif not self.batch_first:
            query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        weights = chunk(self.in_proj_weight, 3)
        biases = (None,) * 3 if self.in_proj_bias is None else chunk(self.in_proj_bias, 3)
        n, width = query.shape[0], self.embed_dim // self.num_heads

        def heads(x: Tensor, w: Tensor, b: Any) -> Tensor:
            return F.linear(x, w, b).reshape(n, x.shape[1], self.num_heads, width).transpose(1, 2)

        q, k, v = (heads(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
        scores = mul(matmul(q, k.transpose(-2, -1)), 1 / math.sqrt(width))
        if attn_mask is not None:
            mask = (
                attn_mask
                if attn_mask.ndim == 2
                else attn_mask.reshape(n, self.num_heads, *attn_mask.shape[1:])
            )
            scores = add(scores, mask) if mask.is_floating_point() else scores.masked_fill(mask, -math.inf)
        if key_padding_mask is not None:
            mask = key_padding_mask.reshape(n, 1, 1, -1)
            scores = add(scores, mask) if mask.is_floating_point() else scores.masked_fill(mask, -math.inf)
        attention = F.dropout(F.softmax(scores, -1), self.dropout, self.training)
        out = self.out_proj(matmul(attention, v).transpose(1, 2).reshape(n, query.shape[1], self.embed_dim))
        if alone:
            out = out.squeeze(0)
        elif not self.batch_first:
            out = out.transpose(0, 1)
        if not need_weights:
            return out, None
        shown = attention.mean(1) if average_attn_weights else attention
        return out, shown.squeeze(0) if alone else shown


class TransformerEncoderLayer(Module):
    """Self-attention and a feedforward network, each with a residual connection and layer norm."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = "relu",
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model)
        self.norm_first = norm_first
        self.norm1, self.norm2 = LayerNorm(d_model, layer_norm_eps), LayerNorm(d_model, layer_norm_eps)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation: Any = (
            {"relu": F.relu, "gelu": F.gelu}[activation] if isinstance(activation, str) else activation
        )

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Keep the shape (L, N, E), with ``batch_first`` (N, L, E)."""

        def attended(x: Tensor) -> Tensor:
            found = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask)[0]
            return self.dropout1(found)

        def fed(x: Tensor) -> Tensor:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = add(src, attended(self.norm1(src)))
            return add(x, fed(self.norm2(x)))
        x = self.norm1(add(src, attended(src)))
        return self.norm2(add(x, fed(x)))


class TransformerEncoder(Module):
    """A stack of encoder layers."""

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, **ignored: Any
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: Any = None,
    ) -> Tensor:
        """Keep the shape."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)
