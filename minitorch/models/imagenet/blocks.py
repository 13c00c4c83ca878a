"""What the networks for ImageNet share: convolution with batch normalization, joining of channels, "same" padding.

Depends on `minitorch.nn`. A block's ``forward`` uses its children, arithmetic and methods of tensors only, so that
`minitorch.torchvision.models` can run the same code on layers of `minitorch.torch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module import Module
from ...nn.containers import Sequential, run_layers
from ...nn.conv import Conv2d
from ...nn.normalization import BatchNorm2d
from ...nn.settings import Size
from ...tensor import Tensor, cat
from ...tensor_functions.arrange import Pad
from ...tensor_functions.elementwise import ReLU
from ...tensor_functions.math import ReLU6


class ConvNorm(Module):
    """A convolution without bias, batch normalization with ``eps`` 0.001, ReLU; parameters ``conv`` and ``bn``."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.bn = BatchNorm2d(out_channels, eps=0.001)
        self.relu = ReLU()

    def forward(self, x: Any) -> Any:
        """Map (N, in_channels, H, W) to (N, out_channels, H', W')."""
        return run_layers((self.conv, self.bn, self.relu), x)


def conv_norm_relu6(in_channels: int, out_channels: int, kernel: int, stride: int, groups: int) -> Sequential:
    """Return a padded convolution without bias, batch normalization and ReLU6, named "0", "1" and "2"."""
    convolution = Conv2d(
        in_channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return Sequential(convolution, BatchNorm2d(out_channels), ReLU6())


class Concatenate(Module):
    """Joins tensors along a dimension.

    Args:
        dim: The dimension; default 1, the channels.
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *parts: Tensor) -> Tensor:
        """Map (N, C1, H, W), (N, C2, H, W), ... to (N, C1 + C2 + ..., H, W)."""
        return cat(parts, self.dim)


class SamePad(Module):
    """Adds the zeros that TensorFlow's padding "SAME" adds, so that a window with ``stride`` covers the image.

    Along an axis of n pixels the result of the window has ceil(n / stride) pixels. The zeros are divided among both
    sides; the odd one is added at the right and at the bottom.

    Args:
        kernel: Height and width of the window.
        stride: Its step.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H + zeros, W + zeros)."""
        zeros = [max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0) for n in x.shape[2:]]
        if not any(zeros):
            return x
        return Pad.apply(x, widths=((0, 0), (0, 0), *((n // 2, n - n // 2) for n in zeros)))


def layers_of(model: Module, kind: type[Any] | tuple[type[Any], ...]) -> Sequence[Any]:
    """Return the layers of a kind in a model, in order of assignment."""
    return [m for m in model.modules_recursive() if isinstance(m, kind)]
