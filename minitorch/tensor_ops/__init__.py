"""The backend interface, the reference backend, and the registry of backends by name."""

from .backend import TensorBackend, find_backend, get_default_backend, register_backend, set_default_backend
from .base import MapProto, TensorOps
from .reference import SimpleBackend, SimpleOps, tensor_map, tensor_reduce, tensor_zip

__all__ = [
    "MapProto",
    "SimpleBackend",
    "SimpleOps",
    "TensorBackend",
    "TensorOps",
    "find_backend",
    "get_default_backend",
    "register_backend",
    "set_default_backend",
    "tensor_map",
    "tensor_reduce",
    "tensor_zip",
]
