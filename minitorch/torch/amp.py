"""``torch.amp`` and ``torch.cuda.amp``: mixed precision as scripts write it; all numbers keep their dtype here.

`autocast` changes nothing, and `GradScaler` scales by 1: the losses and steps are those of a script without them.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from .tensor import Tensor


class autocast(ContextDecorator):
    """Context manager and decorator that is accepted, and changes nothing."""

    def __init__(
        self, device_type: str = "cuda", dtype: Any = None, enabled: bool = True, cache_enabled: Any = None
    ) -> None:
        self.device, self.fast_dtype, self.enabled = device_type, dtype, enabled

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Return False: all numbers keep their dtype."""
    return False


class GradScaler:
    """Scales losses by 1: float32 does not need more."""

    def __init__(self, device: str = "cuda", *args: Any, enabled: bool = True, **kwargs: Any) -> None:
        self._enabled = enabled

    def scale(self, outputs: Any) -> Any:
        """Return what is given."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Accepted: gradients are not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``optimizer.step()``; where a gradient is infinite or nan, the step is left out, as in PyTorch."""
        grads = [p.grad for group in optimizer.param_groups for p in group["params"]]
        if self._enabled and not all(_is_finite(g) for g in grads):
            return None
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Accepted: the scale stays 1."""

    def get_scale(self) -> float:
        """Return 1.0."""
        return 1.0

    def is_enabled(self) -> bool:
        """Tell whether steps with gradients that are not finite are left out."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Return an empty dict: there is no state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Accepted, and changes nothing."""


def _is_finite(grad: Tensor | None) -> bool:
    return grad is None or bool(grad.isfinite().all())
