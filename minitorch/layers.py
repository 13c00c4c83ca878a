"""Layers: modules with parameters around the functions of `minitorch.nn`.

Names, argument order, defaults, parameter names and layouts are PyTorch's. It refuses to know the rooms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import nn, rng
from .dtypes import get_default_dtype
from .layers_sequential import TakesNorm, fuses
from .module import Module, Parameter
from .tensor import Tensor, randn, tensor
from .tensor_data import IndexingError
from .tensor_functions_nn import Take

Size = int | tuple[int, int]


def uniform_parameter(shape: tuple[int, ...], bound: float) -> Parameter:
    """Return a Parameter with values uniform in ±``bound``, of the default dtype and backend."""
    return Parameter(tensor(rng.uniform(shape, -bound, bound), dtype=get_default_dtype()))


class Linear(Module):
    """``x @ weight.T + bias`` for inputs (..., in_features).

    Parameters: ``weight`` (out_features, in_features), ``bias`` (out_features,); uniform in ±1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        self.weight = uniform_parameter((out_features, in_features), bound)
        self.bias = uniform_parameter((out_features,), bound) if bias else None

    @fuses
    def forward(self, x: Tensor, act: str = "none") -> Tensor:
        """Map (..., in_features) to (..., out_features), and activate ("none" or "relu").

        Raises:
            IndexingError: The last size of ``x`` is not in_features.
        """
        if not x.dims or x.shape[-1] != self.in_features:
            raise IndexingError(
                f"Linear expects {self.in_features} features in the last dimension, "
                f"and the input of shape {x.shape} has {x.shape[-1] if x.dims else 'none'}"
            )
        rows = x if x.dims == 2 else x.reshape(-1, self.in_features)
        bias = None if self.bias is None else self.bias.value
        out = nn.linear(rows, self.weight.value, bias, act=act)
        return out if x.dims == 2 else out.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class _Conv(TakesNorm):
    def __init__(
        self,
        dims: int,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"groups {groups} must divide {in_channels} and {out_channels} channels")
        if in_channels < 1 or out_channels < 1:
            raise ValueError(f"a convolution needs channels, not {in_channels} and {out_channels}")
        whole = nn.pair(kernel_size, "kernel_size", 1, dims)
        nn.geometry(stride, padding, dilation, whole, dims)
        kernel = whole[2 - dims :]
        self.channels, self.kernel = (in_channels, out_channels), kernel
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        bound = 1 / math.sqrt(in_channels // groups * math.prod(kernel))
        self.weight = uniform_parameter((out_channels, in_channels // groups, *kernel), bound)
        self.bias = uniform_parameter((out_channels,), bound) if bias else None

    def _convolve(
        self, convolution: Callable[..., Tensor], x: Tensor, act: str, after: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        weight, bias = self.weight.value, None if self.bias is None else self.bias.value
        if after is not None:
            scale, shift = after
            weight = weight * scale.view(-1, *(1 for _ in weight.shape[1:]))
            bias = shift if bias is None else bias * scale + shift
        return convolution(x, weight, bias, act=act, **self.settings)

    def extra_repr(self) -> str:
        """Show channels, kernel and settings."""
        return f"{self.channels[0]}, {self.channels[1]}, {self.kernel}, " + ", ".join(
            f"{k}={v}" for k, v in self.settings.items()
        )


class Conv1d(_Conv):
    """Cross-correlation of rows (N, C, W).

    Parameters: ``weight`` (O, C / groups, K), ``bias`` (O,); uniform in ±1 / sqrt(C / groups * K).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: Any = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(1, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    @fuses
    def forward(self, x: Tensor, act: str = "none", after: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Map (N, C, W) to (N, O, W'); times scale plus shift ``after``, (O,); activate ("none" or "relu")."""
        return self._convolve(nn.conv1d, x, act, after)


class Conv2d(_Conv):
    """Cross-correlation of images (N, C, H, W).

    Parameters: ``weight`` (O, C / groups, KH, KW), ``bias`` (O,); uniform in ±1 / sqrt(C / groups * KH * KW).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(2, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    @fuses
    def forward(self, x: Tensor, act: str = "none", after: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, O, H', W'); times scale plus shift ``after``, (O,); activate ("none" or "relu")."""
        return self._convolve(nn.conv2d, x, act, after)


class MaxPool2d(Module):
    """Largest cell of each window of images (N, C, H, W); sizes need not divide."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H', W')."""
        return nn.maxpool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        """Show the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """Average of each window of images (N, C, H, W); sizes need not divide."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H', W')."""
        return nn.avgpool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        """Show the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Average of images (N, C, H, W) down to a given size."""

    def __init__(self, output_size: Size) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, *output_size)."""
        return nn.adaptive_avgpool2d(x, self.output_size)

    def extra_repr(self) -> str:
        """Show the size."""
        return f"output_size={self.output_size}"


class _Drop(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"the dropout rate must be between 0 and 1, not {p}")
        self.p = p

    def extra_repr(self) -> str:
        """Show the rate."""
        return f"p={self.p}"


class Dropout(_Drop):
    """In training, sets random cells to 0 and divides the kept ones by ``1 - p``; in evaluation, the identity."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return nn.dropout(x, self.p, not self.training, scale=True)


class Dropout2d(_Drop):
    """As `Dropout`, but drops whole channels of (N, C, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        if not self.training or self.p == 0:
            return x
        kept = x.zeros((*x.shape[:2], *(1 for _ in x.shape[2:]))) + 1.0
        return x * nn.dropout(kept, self.p, scale=True)


class Flatten(Module):
    """Merges the dimensions from ``start_dim`` to ``end_dim``."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, ...) to (N, cells)."""
        return x.flatten(self.start_dim, self.end_dim)


class Embedding(Module):
    """A table of vectors, looked up by number.

    Parameter: ``weight`` (num_embeddings, embedding_dim), standard normal.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Parameter(randn((num_embeddings, embedding_dim)))

    def forward(self, numbers: Any) -> Tensor:
        """Map whole numbers of any shape (an array, a list or a Tensor) to (*shape, embedding_dim).

        Raises:
            IndexingError: A number is not that of a vector.
            TypeError: A number is not whole.
        """
        given = np.asarray(numbers)
        rows = given.astype(np.int64)
        if (rows != given).any():
            raise TypeError("Embedding looks up whole numbers")
        out: Tensor = Take.apply(self.weight.value, rows=rows.reshape(-1))
        return out.view(*rows.shape, self.embedding_dim)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"


class Identity(Module):
    """Gives its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` itself."""
        return x
