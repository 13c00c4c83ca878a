"""Linear maps, tables and convolution, named by `functional`.

N is the batch, C the channels, H and W height and width. Images without a batch dimension are a batch of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...nn import functional as core
from ...nn.settings import conv_params, pair
from ...runtime.types import ConvParams
from ...tensor import Tensor as Core
from ...tensor_data import IndexingError, whole_number
from ...tensor_functions import arrange
from ...tensor_functions.fused import Affine
from ...tensor_functions.nn import Take
from ..autograd import no_grad
from ..elementwise import add, mul
from ..linalg.products import einsum, matmul
from ..shapes import reshape, squeeze, unsqueeze
from ..tensor import Tensor, from_array, is_float, to_array, wrap

__all__ = [
    "as_tuple",
    "batched",
    "bilinear",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "embedding",
    "linear",
    "one",
    "value_of",
]


def value_of(name: str, input: Any, like: Tensor | None = None) -> Core:
    """Return the Tensor of the core of an operand.

    Raises:
        RuntimeError: It has no fractions, or another dtype or device than ``like``.
    """
    if not is_float(input):
        got = input.dtype if isinstance(input, Tensor) else type(input).__name__
        raise RuntimeError(f"{name}: expected a Tensor of fractions, got {got}")
    v: Core = input._value
    if like is not None and (v.dtype != like._value.dtype or v.backend is not like._value.backend):
        raise RuntimeError(
            f"{name}: Input type ({input.dtype}, {input.device}) and weight type ({like.dtype}, {like.device}) should "
            "be the same"
        )
    return v


def batched(input: Tensor, dims: int, fn: Callable[[Tensor], Any]) -> Any:
    """Call ``fn`` on a batch; an input with one dimension less is a batch of one."""
    if input.ndim == dims - 1:
        out = fn(unsqueeze(input, 0))
        return tuple(squeeze(t, 0) for t in out) if isinstance(out, tuple) else squeeze(out, 0)
    if input.ndim != dims:
        raise RuntimeError(
            f"Expected {dims - 1}D (unbatched) or {dims}D (batched) input, but got input of size: {list(input.shape)}"
        )
    return fn(input)


# Linear maps


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias`` over the last dimension: (*, in) to (*, out).

    Raises:
        RuntimeError: The shapes, dtypes or devices do not fit.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"linear(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if not is_float(input) or input.dtype is not weight.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {input.dtype} and {weight.dtype}"
        )
    if input.shape[-1] != weight.shape[-1]:
        rows = math.prod(input.shape[:-1])
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1]} and "
            f"{weight.shape[1]}x{weight.shape[0]})"
        )
    value_of("linear", input, weight)
    if bias is None or weight.ndim != 2:
        out = matmul(input, weight.t())
        return out if bias is None else add(out, bias)
    rows2 = input if input.ndim == 2 else reshape(input, -1, input.shape[-1])
    out = wrap(Affine.apply(rows2._value, weight._value, bias._value, activation="none"), op="Addmm")
    if input.ndim == 2:
        return out
    return reshape(out, *input.shape[:-1], weight.shape[0])


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 @ weight[o] @ input2`` for each output ``o``, plus the bias."""
    out = einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else add(out, bias)


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: Any = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Look up rows of ``weight`` by number.

    Args:
        input: Numbers of rows, of any shape.
        weight: The table (R, C).
        padding_idx: The number of a row that gets no gradient.
        max_norm: Rows that are looked up and longer are scaled down to this length first, in place.
        norm_type: The p of this length, by default 2.
        scale_grad_by_freq: Whether to divide the gradient of a row by how often it was looked up.
        sparse: Not supported.
    """
    numbers = to_array(input)
    if numbers.dtype.kind not in "iu":
        raise RuntimeError(f"embedding: expected whole numbers (int64 or int32), got {input.dtype}")
    if numbers.size and (numbers.min() < 0 or numbers.max() >= weight.shape[0]):
        raise IndexError("index out of range in self")
    if sparse:
        raise NotImplementedError("embedding: sparse gradients are not there: use sparse=False")
    if padding_idx is not None and not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise AssertionError("Padding_idx must be within num_embeddings")
    flat = numbers.reshape(-1).astype(np.int64)
    if max_norm is not None:
        _shorten(weight, np.unique(flat), float(max_norm), float(norm_type))
    rows = wrap(Take.apply(weight._value, rows=flat), op="Embedding")
    if weight.requires_grad and (padding_idx is not None or scale_grad_by_freq):
        # A part of each row passes the gradient: none for the padding, and one for all equal numbers together.
        part = np.ones((len(flat), 1), weight.dtype.numpy)
        if padding_idx is not None:
            part[flat == padding_idx % weight.shape[0]] = 0
        if scale_grad_by_freq:
            part /= np.bincount(flat, minlength=weight.shape[0])[flat][:, None]
        keep = from_array(part, weight.device)
        rows = add(mul(rows, keep), mul(rows.detach(), 1.0 - keep))
    return reshape(rows, *numbers.shape, weight.shape[1])


def _shorten(weight: Tensor, rows: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows of a table whose norm is above ``max_norm`` down to it, in place."""
    values = to_array(weight.detach())[rows]
    norms = np.linalg.norm(values, norm_type, 1, keepdims=True)
    long = norms[:, 0] > max_norm
    if long.any():
        shorter = values[long] * (max_norm / (norms[long] + 1e-7))
        with no_grad():
            weight[from_array(rows[long])] = from_array(shorter.astype(values.dtype), weight.device)


# Convolution


def _conv(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Any, settings: tuple[Any, ...]
) -> Tensor:
    def run(x: Tensor) -> Tensor:
        v = value_of(name, x, weight)
        groups = settings[3]
        if x.shape[1] != weight.shape[1] * groups:
            raise RuntimeError(
                f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have "
                f"{weight.shape[1] * groups} channels, but got {x.shape[1]} channels instead"
            )
        fn = core.conv2d if dims == 4 else core.conv1d
        try:
            out = fn(v, weight._value, None if bias is None else bias._value, *settings)
        except (IndexingError, ValueError) as error:
            raise RuntimeError(str(error)) from None
        return wrap(out, op="Convolution")

    return batched(input, dims, run)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Cross-correlate images (N, C, H, W) with (O, C / groups, KH, KW)."""
    return _conv(
        "conv2d", 4, input, weight, bias, (as_tuple(stride), as_tuple(padding), as_tuple(dilation), groups)
    )


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Cross-correlate rows (N, C, L) with (O, C / groups, K)."""
    settings = (one(stride), padding if isinstance(padding, str) else one(padding), one(dilation), groups)
    return _conv("conv1d", 3, input, weight, bias, settings)


def as_tuple(value: Any) -> Any:
    """Return a list as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else value


def one(value: Any) -> int:
    """Return a setting of one dimension, which may be a sequence of one."""
    return int(value[0]) if isinstance(value, list | tuple) else int(value)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Apply the transposed convolution with (C, O / groups, KH, KW): (N, C, H, W) to (N, O, H', W').

    ``H' = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1``, W' alike.
    """
    groups = whole_number("conv_transpose2d", "groups", groups)
    params = conv_params(
        as_tuple(stride), as_tuple(padding), as_tuple(dilation), groups, tuple(weight.shape[2:]), 2
    )
    more = pair(as_tuple(output_padding), "output_padding", 0)
    return batched(input, 4, lambda x: _transposed(x, weight, bias, params, more))


def _transposed(x: Tensor, weight: Tensor, bias: Any, params: ConvParams, more: tuple[int, int]) -> Tensor:
    v = value_of("conv_transpose2d", x, weight)
    if x.shape[1] != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have "
            f"{weight.shape[0]} channels, but got {x.shape[1]} channels instead"
        )
    sizes = [
        (n - 1) * s - before - after + d * (k - 1) + extra + 1
        for n, s, before, after, d, k, extra in zip(
            x.shape[2:],
            params.stride,
            params.padding[::2],
            params.padding[1::2],
            params.dilation,
            weight.shape[2:],
            more,
        )
    ]
    out = wrap(
        arrange.ConvTranspose.apply(v, weight._value, size=tuple(sizes), params=params), op="Convolution"
    )
    return out if bias is None else add(out, reshape(bias, 1, -1, 1, 1))


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Apply the transposed convolution of rows (N, C, L) with (C, O / groups, K)."""
    settings: Any = [
        (1, one(stride)),
        (0, one(padding)),
        (0, one(output_padding)),
        groups,
        (1, one(dilation)),
    ]
    out = conv_transpose2d(unsqueeze(input, -2), unsqueeze(weight, 2), bias, *settings)
    return squeeze(out, -2)
