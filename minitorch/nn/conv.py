"""Layers of convolution, Conv1d and Conv2d: a weight and a bias around `functional.conv1d` and `functional.conv2d`.

Names, argument order, defaults, parameter names and layouts are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from ..tensor_data import whole_number
from . import functional
from .containers import FoldsNorm
from .linear import uniform_parameter
from .settings import Size, conv_params, pair


class _Conv(FoldsNorm):
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
        name = type(self).__name__
        in_channels, out_channels, groups = (
            whole_number(name, setting, value)
            for setting, value in (
                ("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)
            )
        )  # fmt: skip
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: expected groups that divide {in_channels} and {out_channels} channels, got {groups}"
            )
        if in_channels < 1 or out_channels < 1:
            raise ValueError(
                f"{name}: expected at least 1 channel, got {in_channels} in and {out_channels} out"
            )
        window = pair(kernel_size, "kernel_size", 1, dims)
        conv_params(stride, padding, dilation, groups, window, dims)  # settings out of range are an error now
        kernel = window[2 - dims :]
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        bound = 1 / math.sqrt(in_channels // groups * math.prod(kernel))
        self.weight = uniform_parameter((out_channels, in_channels // groups, *kernel), bound)
        self.bias = uniform_parameter((out_channels,), bound) if bias else None

    def _convolve(
        self,
        convolution: Callable[..., Tensor],
        x: Tensor,
        activation: str,
        norm: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        weight, bias = self.weight.value, None if self.bias is None else self.bias.value
        x = functional.as_parameters(type(self).__name__, x, weight)
        if norm is not None:
            # (w * x + b) * scale + shift = (w * scale) * x + (b * scale + shift), for each output channel.
            scale, shift = norm
            weight = weight * scale.view(-1, *(1 for _ in weight.shape[1:]))
            bias = shift if bias is None else bias * scale + shift
        return convolution(x, weight, bias, act=activation, **self.settings)

    def extra_repr(self) -> str:
        """Show channels, kernel and settings."""
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}, " + ", ".join(
            f"{k}={v}" for k, v in self.settings.items()
        )


class Conv1d(_Conv):
    """Cross-correlation of rows: (N, C, W) to (N, O, W'); see `functional.conv2d` for the settings.

    Parameters: ``weight`` (O, C / groups, K), ``bias`` (O,); at first uniform in ±1 / sqrt(C / groups * K).

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: K.
        stride: Default 1.
        padding: Zeros on both sides, by default 0; or "valid", "same", "anchored".
        dilation: Default 1.
        groups: Default 1; must divide C and O.
        bias: Whether there is a bias; by default there is.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A setting is not a number.
    """

    accepts_activation = True

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

    def forward(self, x: Tensor, act: str = "none", norm: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Map (N, C, W) to (N, O, W'), in the dtype of the parameters.

        Args:
            x: The rows.
            act: The activation that follows: "none" (default), "relu" or "relu6".
            norm: Scale and shift of the output channels before it, both (O,), or None (default).

        Raises:
            IndexingError: The shape of ``x`` does not fit, or the kernel is larger than the padded rows.
            TypeError: ``x`` is no Tensor.
        """
        return self._convolve(functional.conv1d, x, act, norm)


class Conv2d(_Conv):
    """Cross-correlation of images: (N, C, H, W) to (N, O, H', W'); see `functional.conv2d` for the settings.

    Parameters: ``weight`` (O, C / groups, KH, KW), ``bias`` (O,); at first uniform in ±1 / sqrt(C / groups * KH * KW).
    Arguments and errors are those of `Conv1d`; sizes are an int or a pair (height, width).
    """

    accepts_activation = True

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

    def forward(self, x: Tensor, act: str = "none", norm: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, O, H', W'); see `Conv1d.forward`."""
        return self._convolve(functional.conv2d, x, act, norm)
