"""``torch.fft``: frequencies and shifts. Transforms are complex, and refused with one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .dtypes import find_dtype, get_default_dtype
from .shapes import roll
from .tensor import Tensor, from_array


def fftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return the frequencies of a transform of ``n`` samples at distances ``d``."""
    made = from_array(np.fft.fftfreq(n, d), device, find_dtype(dtype, get_default_dtype()))
    return made.requires_grad_() if requires_grad else made


def rfftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return the frequencies, from 0 on, of a transform of ``n`` real samples at distances ``d``."""
    made = from_array(np.fft.rfftfreq(n, d), device, find_dtype(dtype, get_default_dtype()))
    return made.requires_grad_() if requires_grad else made


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Move frequency 0 to the middle along dimensions, by default along all."""
    dims = _dims(input, dim)
    return roll(input, tuple(input.shape[d] // 2 for d in dims), dims)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Undo `fftshift`."""
    dims = _dims(input, dim)
    return roll(input, tuple(-(input.shape[d] // 2) for d in dims), dims)


def _dims(input: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(input.ndim))
    return tuple(input._dim(d) for d in ((dim,) if isinstance(dim, int) else dim))


def _refused(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"fft.{name}: minitorch has no complex numbers; use numpy.fft.{name}(x.numpy()), and torch.from_numpy for "
            "real parts or magnitudes of the result"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Refuse: minitorch has no complex numbers."
    return function


fft, fft2, fftn = _refused("fft"), _refused("fft2"), _refused("fftn")
ifft, ifft2, ifftn = _refused("ifft"), _refused("ifft2"), _refused("ifftn")
rfft, rfft2, rfftn = _refused("rfft"), _refused("rfft2"), _refused("rfftn")
irfft, irfft2, irfftn = _refused("irfft"), _refused("irfft2"), _refused("irfftn")
hfft, ihfft = _refused("hfft"), _refused("ihfft")
