"""Names of the rooms, and the default one. It refuses to know Tensor."""

from __future__ import annotations

import os
from typing import Any

from .cuda_ops import cuda_backend
from .fast_ops import FastBackend
from .tensor_ops import SimpleBackend, TensorBackend

NAMES = ("simple", "fast", "cuda")


class _Default:
    name: Any = os.environ.get("MINITORCH_BACKEND") or "fast"


if _Default.name not in NAMES:
    raise ValueError(f"MINITORCH_BACKEND is {_Default.name!r}: expected one of {', '.join(NAMES)}")


def find_backend(backend: Any = None) -> TensorBackend:
    """Return the backend that ``backend`` names: "simple", "fast", "cuda", a TensorBackend, or None for the default.

    Raises:
        ValueError: The name is unknown.
        TypeError: It is neither a name nor a TensorBackend.
        BackendError: The room cannot be used on this machine.
    """
    if backend is None:
        backend = _Default.name
    if isinstance(backend, TensorBackend):
        return backend
    if not isinstance(backend, str):
        raise TypeError(f"a backend is a name or a TensorBackend, not {type(backend).__name__}")
    if backend == "fast":
        return FastBackend
    if backend == "simple":
        return SimpleBackend
    if backend == "cuda":
        return cuda_backend()
    raise ValueError(f"unknown backend {backend!r}: expected one of {', '.join(NAMES)}, or a TensorBackend")


def set_default_backend(backend: Any) -> None:
    """Set what tensors compute with when no backend is given: a name or a TensorBackend."""
    _Default.name = find_backend(backend)


def get_default_backend() -> TensorBackend:
    """Return what tensors compute with when no backend is given: `MINITORCH_BACKEND`, else "fast", at the start."""
    return find_backend()
