"""Convolution as Modules."""

from __future__ import annotations

import math
from typing import Any

from ...creation import empty
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ..tuples import many
from .module import Module


class _ConvNd(Module):
    dims = 2
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = many(kernel_size, self.dims), many(stride, self.dims)
        self.padding, self.dilation = many(padding, self.dims), many(dilation, self.dims)
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"padding_mode must be one of {{'zeros', 'reflect', 'replicate', 'circular'}}, but got "
                f"padding_mode='{padding_mode}'"
            )
        self.padding_mode, self.output_padding = padding_mode, (0,) * self.dims
        self._make(device, dtype, bias)

    def _make(self, device: Any, dtype: Any, bias: bool) -> None:
        inner, outer = self.in_channels, self.out_channels
        first = (inner, outer // self.groups) if self.transposed else (outer, inner // self.groups)
        self.weight = Parameter(empty(*first, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(outer, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values."""
        if not self.weight.numel():
            return
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        if self.padding != (0,) * self.dims:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.dims:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """Return the input and what is still to be padded with zeros."""
        if self.padding_mode == "zeros":
            return input, self.padding
        if self.padding == "same":
            spans = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            sides = [(n // 2, n - n // 2) for n in spans]
        else:
            sides = [(p, p) for p in ((0,) * self.dims if self.padding == "valid" else self.padding)]
        widths = [n for side in reversed(sides) for n in side]
        return F.pad(input, widths, self.padding_mode), (0,) * self.dims


class Conv1d(_ConvNd):
    """Cross-correlation of rows (N, C, L)."""

    dims = 1

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_channels, L) to (N, out_channels, L')."""
        x, padding = self._padded(input)
        return F.conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_ConvNd):
    """Cross-correlation of images (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H', W')."""
        x, padding = self._padded(input)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_ConvNd):
    """Cross-correlation of volumes (N, C, D, H, W)."""

    dims = 3

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_channels, D, H, W) to (N, out_channels, D', H', W')."""
        x, padding = self._padded(input)
        return F.conv3d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _ConvTransposeNd(_ConvNd):
    transposed = True
    fn: Any

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, "zeros", device, dtype
        )  # fmt: skip
        self.output_padding = many(output_padding, self.dims)

    def _more(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """Return the output padding that gives ``output_size``."""
        if output_size is None:
            return tuple(self.output_padding)
        size, spatial = list(output_size), input.shape[-self.dims :]
        if len(size) == self.dims + 2:
            size = size[2:]
        if len(size) != self.dims:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must have {self.dims} or {self.dims + 2} "
                f"elements (got {len(size)})"
            )
        low = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(spatial, self.stride, self.padding, self.dilation, self.kernel_size)
        ]
        high = [n + s - 1 for n, s in zip(low, self.stride)]
        if any(not a <= n <= b for a, n, b in zip(low, size, high)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {low} to {high} (for an input of "
                f"{list(spatial)})"
            )
        return tuple(n - a for n, a in zip(size, low))

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Map (N, in_channels, ...) to (N, out_channels, ...); ``output_size`` chooses among the possible sizes."""
        more = self._more(input, output_size)
        return type(self).fn(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolution of rows (N, C, L)."""

    dims, fn = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution of images (N, C, H, W)."""

    fn = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution of volumes (N, C, D, H, W)."""

    dims, fn = 3, staticmethod(F.conv_transpose3d)
