"""Recording of operations on and off: ``no_grad``, ``enable_grad``, ``inference_mode``, ``set_grad_enabled``."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from ... import autodiff
from ...autodiff import no_grad as _core_no_grad
from ...runtime import grad_mode


class no_grad(_core_no_grad):
    """Context manager and decorator inside which nothing is recorded."""


class inference_mode(_core_no_grad):
    """The same as `no_grad`; ``inference_mode(False)`` changes nothing."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls, mode)
        made = super().__new__(cls)
        made.mode = mode
        return made

    def __init__(self, mode: Any = True) -> None:
        super().__init__()

    def __enter__(self) -> Any:
        grad_mode.mode.before.append(grad_mode.mode.enabled)
        if self.mode:
            grad_mode.mode.enabled = False
        return self

    mode: bool = True


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded."""
    return autodiff.grad_enabled()


class set_grad_enabled(ContextDecorator):
    """Turns recording on or off: at once, and as a context manager until its end."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = grad_mode.mode.enabled
        grad_mode.mode.enabled = self.mode

    def __enter__(self) -> None:
        grad_mode.mode.enabled = self.mode

    def __exit__(self, *exc: object) -> None:
        grad_mode.mode.enabled = self._before

    def _recreate_cm(self) -> Any:
        return self

    def __call__(self, func: Any) -> Any:
        grad_mode.mode.enabled = self._before
        return super().__call__(func)


class enable_grad(ContextDecorator):
    """Context manager and decorator inside which operations are recorded, also within `no_grad`."""

    def __enter__(self) -> None:
        grad_mode.mode.before.append(grad_mode.mode.enabled)
        grad_mode.mode.enabled = True

    def __exit__(self, *exc: object) -> None:
        grad_mode.mode.enabled = grad_mode.mode.before.pop()


def is_anomaly_enabled() -> bool:
    """Return False: anomalies are not detected."""
    return False


class set_detect_anomaly(ContextDecorator):
    """Accepted, and changes nothing."""

    def __init__(self, mode: bool = True, check_nan: bool = True) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


detect_anomaly = set_detect_anomaly
