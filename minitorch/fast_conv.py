"""The course's convolution kernels on the CPU (tasks 4.1 and 4.2): one loop over the output, parallel with Numba.

The formula, for "anchored" padding (zeros on the right and at the bottom only; the result is as large as the input):

    out[n, o, y, z] = sum over c, i, j of  weight[o, c, i, j] * input[n, c, y + i, z + j]

and ``y - i``, ``z - j`` with ``reverse``, which is what the derivatives need. Elements outside of the input count as
0. A thread takes elements of the output, and each is written once. Cost: N * O * C * KH * KW multiply-adds per pixel
of an image, and as many reads of the input and the weight; no temporary memory.

The `fast` backend itself runs `minitorch.fast_ops.conv`. The file depends on `minitorch.fast_ops.jit`.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from .fast_ops import jit


def anchored_conv2d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """Write the convolution of ``input`` (N, C, H, W) with ``weight`` (O, C, KH, KW) into ``out`` (N, O, H', W').

    Args:
        out: Storage of the result.
        out_shape: Its shape.
        out_strides: Its strides.
        out_size: Its number of elements.
        input: Storage of the input, then its shape and strides.
        input_shape: See ``input``.
        input_strides: See ``input``.
        weight: Storage of the weight, then its shape and strides.
        weight_shape: See ``weight``.
        weight_strides: See ``weight``.
        reverse: Whether the weight reaches up and left, not down and right.
    """
    channels, height, width = input_shape[1], input_shape[2], input_shape[3]
    kernel_height, kernel_width = weight_shape[2], weight_shape[3]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, y = t % out_shape[3], t // out_shape[3] % out_shape[2]
        o = t // (out_shape[3] * out_shape[2]) % out_shape[1]
        n = t // (out_shape[3] * out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(channels):
            for i in range(kernel_height):
                row = y + sign * i
                if 0 <= row < height:
                    input_row = n * input_strides[0] + c * input_strides[1] + row * input_strides[2]
                    weight_row = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(kernel_width):
                        col = z + sign * j
                        if 0 <= col < width:
                            pixel = input[input_row + col * input_strides[3]]
                            total += pixel * weight[weight_row + j * weight_strides[3]]
        out[n * out_strides[0] + o * out_strides[1] + y * out_strides[2] + z * out_strides[3]] = total


def anchored_conv1d(
    out: Any, out_shape: Any, out_strides: Any, out_size: int,
    input: Any, input_shape: Any, input_strides: Any,
    weight: Any, weight_shape: Any, weight_strides: Any,
    reverse: bool,
) -> None:  # fmt: skip
    """Do for ``input`` (N, C, W) and ``weight`` (O, C, KW) what `anchored_conv2d` does for two dimensions."""
    channels, width = input_shape[1], input_shape[2]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, o = t % out_shape[2], t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(channels):
            input_row = n * input_strides[0] + c * input_strides[1]
            weight_row = o * weight_strides[0] + c * weight_strides[1]
            for j in range(weight_shape[2]):
                col = z + sign * j
                if 0 <= col < width:
                    total += (
                        input[input_row + col * input_strides[2]] * weight[weight_row + j * weight_strides[2]]
                    )
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = jit.njit(anchored_conv1d, parallel=True)
tensor_conv2d = jit.njit(anchored_conv2d, parallel=True)
