"""MultiheadAttention as a Module; `functional.multi_head_attention_forward` computes."""

from __future__ import annotations

from typing import Any

from ...creation import empty
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module


class MultiheadAttention(Module):
    """Attention of several heads (Vaswani et al., 2017).

    Args:
        embed_dim: Width of the queries and of the result, E.
        num_heads: Into how many parts E is split.
        dropout: The probability of dropping a weight in training.
        bias: Whether the linear maps have biases.
        add_bias_kv: Whether a trained key and value are added to all.
        add_zero_attn: Whether a key and a value of zeros are added.
        kdim: Width of the keys, by default E.
        vdim: Width of the values, by default E.
        batch_first: Whether inputs are (N, L, E), not (L, N, E).
        device: Where the parameters are.
        dtype: Their dtype.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.head_dim, self.batch_first, self.add_zero_attn = (
            embed_dim // num_heads,
            batch_first,
            add_zero_attn,
        )
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        one = self._qkv_same_embed_dim
        widths = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if one:
            self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim, **made))
        for name, width in widths.items():
            self.register_parameter(name, None if one else Parameter(empty(embed_dim, width, **made)))
        if not one:
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **made)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, **made)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, **made)) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        for w in weights:
            if w is not None:
                init.xavier_uniform_(w)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for b in (self.bias_k, self.bias_v):
            if b is not None:
                init.xavier_normal_(b)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Return the attended values and the weights.

        Args:
            query: (L, N, E), with ``batch_first`` (N, L, E); or (L, E) without a batch.
            key: (S, N, E), or (N, S, E).
            value: As ``key``.
            key_padding_mask: (N, S), True for a key to be ignored, or numbers to be added.
            need_weights: Whether to return the weights; else None.
            attn_mask: (L, S) or (N * heads, L, S), True for what must not be attended to, or numbers to be added.
            average_attn_weights: Whether to average the weights over heads.
            is_causal: A hint that ``attn_mask``, which is needed then, allows earlier places only.
        """
        turned = self.batch_first and query.ndim == 3
        if turned:
            query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, None, None, average_attn_weights, is_causal,
        )  # fmt: skip
        return (out.transpose(0, 1) if turned else out), weights
