"""Convolution as CUDA kernels (module 4, extra credit)."""

from __future__ import annotations

from typing import Any, TypeAlias

from . import fast_conv
from .cuda_ops import THREADS_PER_BLOCK, cuda
from .tensor_data import Shape, Storage, Strides

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
    """Write one element of the convolution of `fast_conv`: there is a thread for each element of ``out``."""
    t = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if t < out_size:
        sign = -1 if reverse else 1
        x = t % out_shape[2]
        o = t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(input_shape[1]):
            for k in range(weight_shape[2]):
                at = x + sign * k
                if 0 <= at < input_shape[2]:
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
    """Write one element of the convolution of `fast_conv`: there is a thread for each element of ``out``."""
    t = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if t < out_size:
        sign = -1 if reverse else 1
        x = t % out_shape[3]
        y = t // out_shape[3] % out_shape[2]
        o = t // (out_shape[3] * out_shape[2]) % out_shape[1]
        n = t // (out_shape[3] * out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(input_shape[1]):
            for i in range(weight_shape[2]):
                row = y + sign * i
                if 0 <= row < input_shape[2]:
                    input_row = n * input_strides[0] + c * input_strides[1] + row * input_strides[2]
                    weight_row = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(weight_shape[3]):
                        column = x + sign * j
                        if 0 <= column < input_shape[3]:
                            total += (
                                input[input_row + column * input_strides[3]]
                                * weight[weight_row + j * weight_strides[3]]
                            )
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + x * out_strides[3]] = total


tensor_conv1d: Any = cuda.jit(_tensor_conv1d)
tensor_conv2d: Any = cuda.jit(_tensor_conv2d)


def _launch(kernel: Any, out: Tensor, *rest: Any) -> None:
    blocks = (out.size + THREADS_PER_BLOCK - 1) // THREADS_PER_BLOCK
    kernel[blocks, THREADS_PER_BLOCK](*out.tuple(), out.size, *rest)


class Conv1dFun(fast_conv.Conv1dFun):
    """Convolution of one dimension on the GPU. It is complete; ``kernel`` is yours."""

    @staticmethod
    def kernel(out: Tensor, input: Tensor, weight: Tensor, reverse: bool) -> None:
        """Run the kernel."""
        _launch(tensor_conv1d, out, *input.tuple(), *weight.tuple(), reverse)


class Conv2dFun(fast_conv.Conv2dFun):
    """Convolution of two dimensions on the GPU. It is complete; ``kernel`` is yours."""

    @staticmethod
    def kernel(out: Tensor, input: Tensor, weight: Tensor, reverse: bool) -> None:
        """Run the kernel."""
        _launch(tensor_conv2d, out, *input.tuple(), *weight.tuple(), reverse)


conv1d = Conv1dFun.apply
conv2d = Conv2dFun.apply
