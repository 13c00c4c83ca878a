"""Task 4.4b: convolution on CUDA."""

import pytest

import minitorch
from minitorch import CudaBackend, cuda_conv

from .conv_helpers import check_conv

pytestmark = pytest.mark.task4_4b


def test_one_dimension() -> None:
    input, weight = (
        minitorch.rand((2, 2, 5), backend=CudaBackend),
        minitorch.rand((3, 2, 3), backend=CudaBackend),
    )
    check_conv(cuda_conv.conv1d, input, weight)


def test_gradient_of_one_dimension() -> None:
    input, weight = (
        minitorch.rand((1, 2, 4), backend=CudaBackend),
        minitorch.rand((2, 2, 2), backend=CudaBackend),
    )
    minitorch.grad_check(cuda_conv.conv1d, input, weight)


def test_two_dimensions() -> None:
    input = minitorch.rand((2, 2, 4, 3), backend=CudaBackend)
    check_conv(cuda_conv.conv2d, input, minitorch.rand((2, 2, 2, 3), backend=CudaBackend))


def test_gradient_of_two_dimensions() -> None:
    input = minitorch.rand((1, 2, 3, 3), backend=CudaBackend)
    minitorch.grad_check(cuda_conv.conv2d, input, minitorch.rand((2, 2, 2, 2), backend=CudaBackend))
