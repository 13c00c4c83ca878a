"""Layers of pooling: MaxPool2d, AvgPool2d and AdaptiveAvgPool2d, around the functions of the same purpose.

Names, argument order and defaults are PyTorch's. Sizes are an int or a pair (height, width).
"""

from __future__ import annotations

from ..module import Module
from ..tensor import Tensor
from . import functional
from .settings import Size


class MaxPool2d(Module):
    """Largest element of each window of images (N, C, H, W); the first of equals gets the gradient.

    Args:
        kernel_size: The window, which need not divide the images.
        stride: From one window to the next; None (default): the kernel.
        padding: Elements of -inf on each side, by default 0; at most half the kernel.
        dilation: Distance of the window's elements, by default 1.
        ceil_mode: Whether to keep the remainder at the right and at the bottom; by default it is dropped.
    """

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
        """Map (N, C, H, W) to (N, C, H', W'); errors as for `functional.maxpool2d`."""
        return functional.maxpool2d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )

    def extra_repr(self) -> str:
        """Show the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """Average of each window of images (N, C, H, W).

    Args:
        kernel_size: The window, which need not divide the images.
        stride: From one window to the next; None (default): the kernel.
        padding: Zeros on each side, by default 0; at most half the kernel.
        ceil_mode: Whether to keep the remainder at the right and at the bottom; by default it is dropped.
        count_include_pad: Whether the zeros of the padding count; by default they do.
    """

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
        """Map (N, C, H, W) to (N, C, H', W'); errors as for `functional.avgpool2d`."""
        return functional.avgpool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        """Show the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Average of images (N, C, H, W) down to a given size; see `functional.adaptive_avgpool2d` for the windows.

    Args:
        output_size: Height and width of the result.
    """

    def __init__(self, output_size: Size) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, *output_size)."""
        return functional.adaptive_avgpool2d(x, self.output_size)

    def extra_repr(self) -> str:
        """Show the size."""
        return f"output_size={self.output_size}"
