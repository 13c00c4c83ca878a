"""The transformer of Vaswani et al. (2017): encoder, decoder, and both together."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from ...autograd import is_grad_enabled
from ...creation import full
from ...elementwise import add
from ...joining import triu
from ...tensor import Tensor, from_array, to_array
from .. import functional as F
from .. import init
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm


def _activation(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    known = {"relu": F.relu, "gelu": F.gelu}
    if given not in known:
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return known[given]


class _Layer(Module):
    """What the layers of encoder and decoder share: self-attention and the feedforward network."""

    def _make(
        self, d_model: int, nhead: int, dim_feedforward: int, dropout: float, layer_norm_eps: float, batch_first: bool,
        norm_first: bool, bias: bool, device: Any, dtype: Any, blocks: int,
    ) -> None:  # fmt: skip
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        attention: dict[str, Any] = {"dropout": dropout, "batch_first": batch_first, "bias": bias, **made}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        if blocks == 3:
            self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        for k in range(blocks):
            setattr(self, f"norm{k + 1}", LayerNorm(d_model, layer_norm_eps, bias=bias, **made))
        for k in range(blocks):
            setattr(self, f"dropout{k + 1}", Dropout(dropout))

    def _fed(self, x: Tensor, last: Any) -> Tensor:
        return last(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def _attended(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        found = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=is_causal
        )
        return self.dropout1(found[0])


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feedforward network, each with a residual connection and layer norm.

    Args:
        d_model: Width of the elements, E.
        nhead: Number of heads of the attention.
        dim_feedforward: Width inside the feedforward network.
        dropout: Probability of dropout.
        activation: Of the feedforward network: "relu" (default), "gelu", or a function.
        layer_norm_eps: See `LayerNorm`.
        batch_first: Whether inputs are (N, L, E), not (L, N, E).
        norm_first: Whether the norm comes before attention and network, not after the sum.
        bias: Whether linear maps and norms have biases.
        device: Where the parameters are.
        dtype: Their dtype.
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._make(
            d_model, nhead, dim_feedforward, dropout, layer_norm_eps, batch_first, norm_first, bias, device, dtype, 2
        )  # fmt: skip
        self.activation: Any = _activation(activation)

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Keep the shape (L, N, E), with ``batch_first`` (N, L, E); masks as in `MultiheadAttention`."""
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = add(src, self._attended(self.norm1(src), *masks))
            return add(x, self._fed(self.norm2(x), self.dropout2))
        x = self.norm1(add(src, self._attended(src, *masks)))
        return self.norm2(add(x, self._fed(x, self.dropout2)))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's result and a feedforward network; settings as for the encoder."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._make(
            d_model, nhead, dim_feedforward, dropout, layer_norm_eps, batch_first, norm_first, bias, device, dtype, 3
        )  # fmt: skip
        self.activation: Any = _activation(activation)

    def _looked_up(self, x: Tensor, memory: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        found = self.multihead_attn(
            x,
            memory,
            memory,
            attn_mask=mask,
            key_padding_mask=padding,
            is_causal=is_causal,
            need_weights=False,
        )
        return self.dropout2(found[0])

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Keep the shape of ``tgt``; ``memory`` is the encoder's result."""
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = add(tgt, self._attended(self.norm1(tgt), *own))
            x = add(x, self._looked_up(self.norm2(x), *other))
            return add(x, self._fed(self.norm3(x), self.dropout3))
        x = self.norm1(add(tgt, self._attended(tgt, *own)))
        x = self.norm2(add(x, self._looked_up(x, *other)))
        return self.norm3(add(x, self._fed(x, self.dropout3)))


def _is_causal(mask: Tensor | None, given: bool | None) -> bool:
    """Return ``given``, or whether a mask allows exactly the earlier places."""
    if given is not None or mask is None or mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        return bool(given)
    return bool(np.array_equal(to_array(mask), to_array(generate_square_subsequent_mask(mask.shape[0]))))


class TransformerEncoder(Module):
    """A stack of copies of an encoder layer; ``norm`` comes at the end.

    In evaluation without gradients, padded places of (N, L, E) become zeros before ``norm``, as in PyTorch.
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def _drops_padding(self, src: Tensor, mask: Any, padding: Any) -> bool:
        if padding is None or mask is not None or self.training or src.ndim != 3 or not len(self.layers):
            return False
        first = self.layers[0]
        fitting = (
            isinstance(first, TransformerEncoderLayer)
            and first.self_attn.batch_first
            and not first.norm_first
            and first.self_attn.in_proj_bias is not None
            and not first.self_attn.num_heads % 2
            and self.enable_nested_tensor
        )
        if not fitting or padding.is_floating_point():
            return False
        kept = ~to_array(padding)
        left = not (kept[:, 1:] & ~kept[:, :-1]).any()
        tracked = is_grad_enabled() and (
            src.requires_grad or any(p.requires_grad for p in first.parameters())
        )
        return left and not tracked

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:  # fmt: skip
        """Keep the shape."""
        out = src
        causal = _is_causal(mask, is_causal)
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        if src_key_padding_mask is not None and self._drops_padding(src, mask, src_key_padding_mask):
            padded = from_array(to_array(src_key_padding_mask)[:, :, None], src.device)
            out = out.masked_fill(padded, 0.0)
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """A stack of copies of a decoder layer; ``norm`` comes at the end."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Keep the shape of ``tgt``."""
        out = tgt
        causal = _is_causal(tgt_mask, tgt_is_causal)
        for layer in self.layers:
            out = layer(
                out,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return out if self.norm is None else self.norm(out)


def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
    """Return a mask (sz, sz) of numbers: 0 for a place itself and earlier ones, -inf for later ones."""
    return triu(full((sz, sz), -math.inf, dtype=dtype, device=device), 1)


class Transformer(Module):
    """An encoder and a decoder.

    Args:
        d_model: Width of the elements, E.
        nhead: Number of heads of the attention.
        num_encoder_layers: Layers of the encoder.
        num_decoder_layers: Layers of the decoder.
        dim_feedforward: Width inside the feedforward networks.
        dropout: Probability of dropout.
        activation: See `TransformerEncoderLayer`, as the settings that follow.
        custom_encoder: Another encoder.
        custom_decoder: Another decoder.
        layer_norm_eps: See `LayerNorm`.
        batch_first: Whether inputs are (N, L, E), not (L, N, E).
        norm_first: See `TransformerEncoderLayer`.
        bias: Whether linear maps and norms have biases.
        device: Where the parameters are.
        dtype: Their dtype.
    """

    generate_square_subsequent_mask = staticmethod(generate_square_subsequent_mask)

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu, custom_encoder: Any = None,
        custom_decoder: Any = None, layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        settings = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, **made)

        if custom_encoder is None:
            encoding = TransformerEncoderLayer(*settings, **made)
            custom_encoder = TransformerEncoder(encoding, num_encoder_layers, norm())
        if custom_decoder is None:
            decoding = TransformerDecoderLayer(*settings, **made)
            custom_decoder = TransformerDecoder(decoding, num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Return the decoder's result, in the shape of ``tgt``.

        Args:
            src: The source (S, N, E), with ``batch_first`` (N, S, E); or (S, E) without a batch.
            tgt: The target (T, N, E), or (N, T, E).
            src_mask: (S, S); masks are as in `MultiheadAttention`.
            tgt_mask: (T, T).
            memory_mask: (T, S).
            src_key_padding_mask: (N, S).
            tgt_key_padding_mask: (N, T).
            memory_key_padding_mask: (N, S).
            src_is_causal: A hint; None finds out.
            tgt_is_causal: A hint; None finds out.
            memory_is_causal: A hint.

        Raises:
            RuntimeError: The batches or widths do not fit.
        """
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
