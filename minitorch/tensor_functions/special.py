"""Special functions of tensors, one element at a time, in the manner of `math`: their floats are `special_floats`.

No layer of the course needs them; `minitorch.torch` names them. Depends on `elementwise` for the two base classes.
"""

from __future__ import annotations

from . import special_floats as floats
from .elementwise import Paired, Pointwise


class Asinh(Pointwise):
    """Inverse hyperbolic sine."""

    fn, back = floats.asinh, floats.asinh_back


class Acosh(Pointwise):
    """Inverse hyperbolic cosine."""

    fn, back = floats.acosh, floats.acosh_back


class Atanh(Pointwise):
    """Inverse hyperbolic tangent."""

    fn, back = floats.atanh, floats.atanh_back


class Erfc(Pointwise):
    """1 minus the error function."""

    fn, back = floats.erfc, floats.erfc_back


class Erfinv(Pointwise):
    """Inverse of the error function."""

    fn, back = floats.erfinv, floats.erfinv_back


class Lgamma(Pointwise):
    """Logarithm of the magnitude of the gamma function."""

    fn, back = floats.lgamma, floats.lgamma_back


class Digamma(Pointwise):
    """Derivative of `Lgamma`."""

    fn, back = floats.digamma, floats.digamma_back


class Polygamma(Paired):
    """Derivative number ``b`` (a whole number, 1 or more) of `Digamma` at ``a``."""

    fn, slopes = floats.polygamma, (floats.polygamma_slope, floats.no_slope)


class Copysign(Paired):
    """Magnitude of ``a`` with the sign of ``b``."""

    fn, slopes = floats.copysign, (floats.copysign_slope, floats.no_slope)
