"""``torch.cuda``: whether there is a GPU, and what scripts ask about it."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from . import amp as amp
from .creation import manual_seed as manual_seed
from .dtypes import cuda_available
from .dtypes import device as _device


def is_available() -> bool:
    """Tell whether tensors can be on a GPU."""
    return cuda_available()


def device_count() -> int:
    """Return the number of GPUs that are used: 1 or 0."""
    return int(cuda_available())


def current_device() -> int:
    """Return the number of the GPU: 0."""
    return 0


def get_device_name(device: Any = None) -> str:
    """Return the name of the GPU."""
    from numba import cuda

    name = cuda.get_current_device().name  # type: ignore[no-untyped-call]
    return name.decode() if isinstance(name, bytes) else str(name)


def set_device(device: Any) -> None:
    """Accepted: there is one GPU."""


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done all that was started."""
    if cuda_available():
        from numba import cuda

        cuda.synchronize()  # type: ignore[no-untyped-call]


def manual_seed_all(seed: int) -> None:
    """Seed all randomness."""
    manual_seed(seed)


def empty_cache() -> None:
    """Accepted, and changes nothing."""


def memory_allocated(device: Any = None) -> int:
    """Return 0: memory is not counted here; see `minitorch.memory_stats`."""
    return 0


max_memory_allocated = memory_reserved = memory_allocated


class device(ContextDecorator):
    """Accepted as a context manager: there is one GPU."""

    def __init__(self, device: Any) -> None:
        self.device = _device("cuda")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


def is_bf16_supported() -> bool:
    """Return False: numbers are float32 and float64."""
    return False


def get_rng_state_all() -> list[Any]:
    """Return no states: the GPU draws from the same randomness as the CPU."""
    return []
