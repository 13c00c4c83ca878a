"""Window functions of signal processing, as vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import find_dtype, get_default_dtype
from ..tensor import Tensor, from_array


def _window(length: int, periodic: bool, shape: Any, settings: dict[str, Any]) -> Tensor:
    """Return ``shape(k / (n - 1))`` for n places, or for n + 1 places without the last one where it is periodic."""
    d = find_dtype(settings.pop("dtype", None), get_default_dtype())
    where, wanted = settings.pop("device", None), settings.pop("requires_grad", False)
    if settings:
        raise TypeError(f"window: got an unexpected keyword argument {sorted(settings)[0]!r}")
    n = length + int(periodic)
    values = np.ones(1) if length == 1 else np.asarray(shape(np.arange(length) / max(n - 1, 1)))
    made = from_array(values[:length], where, d)
    return made.requires_grad_() if wanted else made


def hann_window(window_length: int, periodic: bool = True, **settings: Any) -> Tensor:
    """Return the Hann window."""
    return hamming_window(window_length, periodic, 0.5, 0.5, **settings)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **settings: Any
) -> Tensor:
    """Return the Hamming window, ``alpha - beta * cos(2 pi t)``."""
    return _window(window_length, periodic, lambda t: alpha - beta * np.cos(2 * math.pi * t), settings)


def blackman_window(window_length: int, periodic: bool = True, **settings: Any) -> Tensor:
    """Return the Blackman window."""
    return _window(
        window_length,
        periodic,
        lambda t: 0.42 - 0.5 * np.cos(2 * math.pi * t) + 0.08 * np.cos(4 * math.pi * t),
        settings,
    )


def bartlett_window(window_length: int, periodic: bool = True, **settings: Any) -> Tensor:
    """Return the Bartlett window, a triangle."""
    return _window(window_length, periodic, lambda t: 1 - np.abs(2 * t - 1), settings)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **settings: Any) -> Tensor:
    """Return the Kaiser window of shape ``beta``."""
    return _window(
        window_length,
        periodic,
        lambda t: np.i0(beta * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))) / np.i0(beta),
        settings,
    )
