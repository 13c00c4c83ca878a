"""Convolution of the CUDA backend: which kernel serves which sizes; and the kernels for few channels.

Many channels go to `minitorch.cuda_conv_gemm`. Here one thread computes one element, and the thread of an input element looks
up the outputs that read it; a block of threads shares the positions at which one weight was used. No two threads add to
one element, so no atomics are needed, and every run gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cuda_ops.device.functions import image_element
from .cuda_ops.device.launch import kernel
from .cuda_ops.device.numba_cuda import cuda
from .runtime.placeholders import real


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The convolution as the course writes it.

    ``out[n, o, y, z] = sum of input[n, c, y + i, z + j] * weight[o, c, i, j]``, with ``y - i`` and ``z - j`` if
    ``reverse``; elements outside count as 0.
    """
    sign = -1 if reverse else 1
    t = cuda.grid(1)
    if t < out_size:
        n, o, y, z = image_element(t, out_shape[1], out_shape[2], out_shape[3])
        total = real(0)
        for c in range(input_shape[1]):
            for i in range(weight_shape[2]):
                r = y + sign * i
                if 0 <= r < input_shape[2]:
                    at = n * input_strides[0] + c * input_strides[1] + r * input_strides[2]
                    by = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(weight_shape[3]):
                        k = z + sign * j
                        if 0 <= k < input_shape[3]:
                            total += input[at + k * input_strides[3]] * weight[by + j * weight_strides[3]]
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + z * out_strides[3]] = total


def anchored_conv1d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """The one-dimensional form of `anchored_conv2d`."""
    sign = -1 if reverse else 1
    t = cuda.grid(1)
    if t < out_size:
        n, o, _, z = image_element(t, out_shape[1], 1, out_shape[2])
        total = real(0)
        for c in range(input_shape[1]):
            at, by = (
                n * input_strides[0] + c * input_strides[1],
                o * weight_strides[0] + c * weight_strides[1],
            )
            for j in range(weight_shape[2]):
                k = z + sign * j
                if 0 <= k < input_shape[2]:
                    total += input[at + k * input_strides[2]] * weight[by + j * weight_strides[2]]
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = kernel(anchored_conv1d, np.float64)
tensor_conv2d = kernel(anchored_conv2d, np.float64)
