"""Part of layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from . import functional
from .containers import TakesNorm, fuses
from .linear import Size, uniform_parameter


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
        whole = functional.pair(kernel_size, "kernel_size", 1, dims)
        functional.conv_params(stride, padding, dilation, groups, whole, dims)
        kernel = whole[2 - dims :]
        self.channels, self.kernel = (in_channels, out_channels), kernel
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        bound = 1 / math.sqrt(in_channels // groups * math.prod(kernel))
        self.weight = uniform_parameter((out_channels, in_channels // groups, *kernel), bound)
        self.bias = uniform_parameter((out_channels,), bound) if bias else None

    def _convolve(
        self,
        convolution: Callable[..., Tensor],
        x: Tensor,
        activation: str,
        after: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        weight, bias = self.weight.value, None if self.bias is None else self.bias.value
        if after is not None:
            scale, shift = after
            weight = weight * scale.view(-1, *(1 for _ in weight.shape[1:]))
            bias = shift if bias is None else bias * scale + shift
        return convolution(x, weight, bias, activation=activation, **self.settings)

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
    def forward(
        self, x: Tensor, activation: str = "none", after: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Map (N, C, W) to (N, O, W'); times scale plus shift ``after``, (O,); activate ("none" or "relu")."""
        return self._convolve(functional.conv1d, x, activation, after)


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
    def forward(
        self, x: Tensor, activation: str = "none", after: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Map (N, C, H, W) to (N, O, H', W'); times scale plus shift ``after``, (O,); activate ("none" or "relu")."""
        return self._convolve(functional.conv2d, x, activation, after)
