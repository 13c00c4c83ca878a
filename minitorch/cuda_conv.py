"""The course's convolution kernels on the GPU (task 4.4b): ``tensor_conv1d`` and ``tensor_conv2d``.

They compute the *anchored* convolution of the course, whose output is as large as the input, padded at the right and at
the bottom. A thread computes one output element: it reads C * KH * KW numbers of the input and as many of the weight,
and writes once. Neighbouring threads have neighbouring columns, so their reads are coalesced. The backend itself
launches the kernels of `minitorch.cuda_ops.conv`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cuda_ops.device.functions import unravel_image
from .cuda_ops.device.launch import kernel
from .cuda_ops.device.numba_cuda import cuda
from .runtime.placeholders import real


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """Write the anchored convolution: a thread per output element.

    ``out[n, o, y, z] = sum over c, i, j of input[n, c, y + i, z + j] * weight[o, c, i, j]``, or with ``reverse``
    ``input[n, c, y - i, z - j]``. Elements outside of the input count as 0. Operands are (storage, shape, strides)
    triples.
    """
    sign = -1 if reverse else 1
    t = cuda.grid(1)
    if t < out_size:
        n, o, y, z = unravel_image(t, out_shape[1], out_shape[2], out_shape[3])
        total = real(0)
        for c in range(input_shape[1]):
            for i in range(weight_shape[2]):
                row = y + sign * i
                if 0 <= row < input_shape[2]:
                    input_offset = n * input_strides[0] + c * input_strides[1] + row * input_strides[2]
                    weight_offset = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(weight_shape[3]):
                        col = z + sign * j
                        if 0 <= col < input_shape[3]:
                            total += (
                                input[input_offset + col * input_strides[3]]
                                * weight[weight_offset + j * weight_strides[3]]
                            )
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
        n, o, _, z = unravel_image(t, out_shape[1], 1, out_shape[2])
        total = real(0)
        for c in range(input_shape[1]):
            input_offset = n * input_strides[0] + c * input_strides[1]
            weight_offset = o * weight_strides[0] + c * weight_strides[1]
            for j in range(weight_shape[2]):
                col = z + sign * j
                if 0 <= col < input_shape[2]:
                    total += (
                        input[input_offset + col * input_strides[2]]
                        * weight[weight_offset + j * weight_strides[2]]
                    )
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = kernel(anchored_conv1d, np.float64)
tensor_conv2d = kernel(anchored_conv2d, np.float64)
