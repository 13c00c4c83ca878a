"""The CUDA backend: kernels for GPUs, or for Numba's simulator.

It imports on every machine; a GPU is looked for at the first use.
"""

from .backend import CudaOps, cuda_backend
from .course import (
    THREADS_PER_BLOCK,
    jit_mm_practice,
    jit_sum_practice,
    mm_practice,
    sum_practice,
    tensor_map,
    tensor_matrix_multiply,
    tensor_reduce,
    tensor_zip,
)
from .matmul import get_float32_matmul_precision, set_float32_matmul_precision

__all__ = [
    "THREADS_PER_BLOCK",
    "CudaOps",
    "cuda_backend",
    "get_float32_matmul_precision",
    "jit_mm_practice",
    "jit_sum_practice",
    "mm_practice",
    "set_float32_matmul_precision",
    "sum_practice",
    "tensor_map",
    "tensor_matrix_multiply",
    "tensor_reduce",
    "tensor_zip",
]
