"""The course's convolution kernels on the CPU (tasks 4.1 and 4.2): one loop over the output, parallel with Numba.

The `fast` backend itself runs `minitorch.fast_ops.conv`. Cost: N * O * C * taps multiplications, no temporary memory.
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
    """The convolution as the course writes it: one element of ``out`` after the other, the outer loop on all cores.

    ``out[n, o, y, z] = sum of input[n, c, y + i, z + j] * weight[o, c, i, j]``, with ``y - i`` and ``z - j`` if
    ``reverse``; elements outside count as 0.
    """
    channels, height, width = input_shape[1], input_shape[2], input_shape[3]
    kh, kw = weight_shape[2], weight_shape[3]
    sign = -1 if reverse else 1
    for t in prange(out_size):
        z, y = t % out_shape[3], t // out_shape[3] % out_shape[2]
        o, n = (
            t // (out_shape[3] * out_shape[2]) % out_shape[1],
            t // (out_shape[3] * out_shape[2] * out_shape[1]),
        )
        total = 0.0
        for c in range(channels):
            for i in range(kh):
                r = y + sign * i
                if 0 <= r < height:
                    at = n * input_strides[0] + c * input_strides[1] + r * input_strides[2]
                    by = o * weight_strides[0] + c * weight_strides[1] + i * weight_strides[2]
                    for j in range(kw):
                        k = z + sign * j
                        if 0 <= k < width:
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
    for t in prange(out_size):
        z, o = t % out_shape[2], t // out_shape[2] % out_shape[1]
        n = t // (out_shape[2] * out_shape[1])
        total = 0.0
        for c in range(input_shape[1]):
            at = n * input_strides[0] + c * input_strides[1]
            by = o * weight_strides[0] + c * weight_strides[1]
            for j in range(weight_shape[2]):
                k = z + sign * j
                if 0 <= k < input_shape[2]:
                    total += input[at + k * input_strides[2]] * weight[by + j * weight_strides[2]]
        out[n * out_strides[0] + o * out_strides[1] + z * out_strides[2]] = total


tensor_conv1d = jit.njit(anchored_conv1d, parallel=True)
tensor_conv2d = jit.njit(anchored_conv2d, parallel=True)
