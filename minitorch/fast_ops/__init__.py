"""The Numba backend: compiled kernels on all cores of the CPU."""

from .backend import FastBackend, FastOps
from .course import (
    broadcast_index,
    index_to_position,
    tensor_map,
    tensor_matrix_multiply,
    tensor_reduce,
    tensor_zip,
    to_index,
)

__all__ = [
    "FastBackend",
    "FastOps",
    "broadcast_index",
    "index_to_position",
    "tensor_map",
    "tensor_matrix_multiply",
    "tensor_reduce",
    "tensor_zip",
    "to_index",
]
