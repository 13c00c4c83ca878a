"""A convolution by loops, for the tests of both backends."""

from typing import Any

from minitorch import Tensor

from .helpers import close
from .tensor_helpers import all_indices


def check_conv(convolve: Any, input: Tensor, weight: Tensor) -> None:
    """Compare a convolution of one or two dimensions with loops over all its elements."""
    got = convolve(input, weight)
    window = all_indices(weight.shape[2:])
    for n, o, *place in all_indices(got.shape):
        expected = 0.0
        for c in range(input.shape[1]):
            for offset in window:
                at = [p + k for p, k in zip(place, offset)]
                if all(p < size for p, size in zip(at, input.shape[2:])):
                    expected += input[(n, c, *at)] * weight[(o, c, *offset)]
        close(
            got[(n, o, *place)],
            expected,
            f"convolution of {input.shape} with {weight.shape} at {(n, o, *place)}",
        )
