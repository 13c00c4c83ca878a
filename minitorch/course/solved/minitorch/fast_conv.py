"""Convolution of one and of two dimensions, compiled with Numba (module 4)."""

from __future__ import annotations

from typing import Any, TypeAlias

from numba import njit, prange

from .autodiff import Context
from .tensor_data import IndexingError, Shape, Storage, Strides
from .tensor_functions import Function

Tensor: TypeAlias = Any


def _tensor_conv1d(
    out: Storage,
    out_shape: Shape,
    out_strides: Strides,
    out_size: int,
    input: Storage,
    input_shape: Shape,
    input_strides: Strides,
    weight: Storage,
    weight_shape: Shape,
    weight_strides: Strides,
    reverse: bool,
) -> None:
    """Write the convolution of ``input`` with ``weight`` into ``out``.

    Shapes: input (N, C, W), weight (O, C, K), out (N, O, W'). An element of ``out`` is the sum, over the channels and
    over the K weights, of weight times input. The weights are laid on the input with the first one at the element's
    own place and the others to the right of it; if ``reverse`` is true, with the others to the left. Places outside of
    the input count as 0. W' is not always W: take it from ``out_shape``.

    The main loop runs in parallel, and each element of ``out`` is written once.
    """
    channels, width = input_shape[1], input_shape[2]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        x = t % out_shape[2]
        o = t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(channels):
            for k in range(weight_shape[2]):
                at = x + sign * k
                if 0 <= at < width:
                    total += (
                        input[n * input_strides[0] + c * input_strides[1] + at * input_strides[2]]
                        * weight[o * weight_strides[0] + c * weight_strides[1] + k * weight_strides[2]]
                    )
        out[n * out_strides[0] + o * out_strides[1] + x * out_strides[2]] = total


def _tensor_conv2d(
    out: Storage,
    out_shape: Shape,
    out_strides: Strides,
    out_size: int,
    input: Storage,
    input_shape: Shape,
    input_strides: Strides,
    weight: Storage,
    weight_shape: Shape,
    weight_strides: Strides,
    reverse: bool,
) -> None:
    """Write the convolution of ``input`` with ``weight`` into ``out``.

    Shapes: input (N, C, H, W), weight (O, C, KH, KW), out (N, O, H', W'). As `_tensor_conv1d`, in two dimensions: the
    first weight belongs to the element's own place, the others to the right and below; if ``reverse`` is true, to the
    left and above.

    The main loop runs in parallel, and each element of ``out`` is written once. Take the strides out of the inner loop.
    """
    channels, height, width = input_shape[1], input_shape[2], input_shape[3]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        x = t % out_shape[3]
        y = t // out_shape[3] % out_shape[2]
        o = t // (out_shape[3] * out_shape[2]) % out_shape[1]
        n = t // (out_shape[3] * out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(channels):
            for i in range(weight_shape[2]):
                row = y + sign * i
                if 0 <= row < height:
                    input_row = n * input_strides[0] + c * input_strides[1] + row * input_strides[2]
                    weight_row = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(weight_shape[3]):
                        column = x + sign * j
                        if 0 <= column < width:
                            total += (
                                input[input_row + column * input_strides[3]]
                                * weight[weight_row + j * weight_strides[3]]
                            )
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + x * out_strides[3]] = total


tensor_conv1d: Any = njit(_tensor_conv1d, parallel=True)
tensor_conv2d: Any = njit(_tensor_conv2d, parallel=True)


def check_channels(input: Tensor, weight: Tensor, dims: int) -> None:
    """Raise IndexingError unless both have ``dims`` dimensions and the same channels."""
    if input.dims != dims or weight.dims != dims or input.shape[1] != weight.shape[1]:
        raise IndexingError(
            f"convolution: input {tuple(input.shape)} and weight {tuple(weight.shape)} must have {dims} dimensions "
            "and the same size in dimension 1"
        )


class Conv1dFun(Function):
    """Convolution of one dimension. It is complete; ``kernel`` is yours."""

    dims = 3

    @staticmethod
    def kernel(out: Tensor, input: Tensor, weight: Tensor, reverse: bool) -> None:
        """Run the kernel."""
        tensor_conv1d(*out.tuple(), out.size, *input.tuple(), *weight.tuple(), reverse)

    @classmethod
    def forward(cls, ctx: Context, input: Tensor, weight: Tensor) -> Tensor:
        """Convolve; the result is as large as the input."""
        check_channels(input, weight, cls.dims)
        ctx.save_for_backward(input, weight)
        out = input.zeros((input.shape[0], weight.shape[0], *input.shape[2:]))
        cls.kernel(out, input, weight, False)
        return out

    @classmethod
    def backward(cls, ctx: Context, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        """Return both derivatives. Each is a convolution too, with batch and channels exchanged."""
        input, weight = ctx.saved_values
        swap = (1, 0, *range(2, cls.dims))

        def exchanged(a: Tensor) -> Tensor:
            return a.new(a._tensor.permute(*swap))

        grad_weight = grad_output.zeros((weight.shape[1], weight.shape[0], *weight.shape[2:]))
        cls.kernel(grad_weight, exchanged(input), exchanged(grad_output), False)
        grad_input = input.zeros(input.shape)
        cls.kernel(grad_input, grad_output, exchanged(weight), True)
        return grad_input, exchanged(grad_weight)


class Conv2dFun(Conv1dFun):
    """Convolution of two dimensions. It is complete; ``kernel`` is yours."""

    dims = 4

    @staticmethod
    def kernel(out: Tensor, input: Tensor, weight: Tensor, reverse: bool) -> None:
        """Run the kernel."""
        tensor_conv2d(*out.tuple(), out.size, *input.tuple(), *weight.tuple(), reverse)


conv1d = Conv1dFun.apply
conv2d = Conv2dFun.apply
