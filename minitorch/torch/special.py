"""``torch.special``: special functions of elements, most of them under their second name."""

from __future__ import annotations

import math
from typing import Any

from .elementwise import erf as erf
from .elementwise import exp, log, mul, neg, sigmoid, sub, where
from .elementwise import expm1 as expm1
from .elementwise import log1p as log1p
from .elementwise import round as round
from .functions.numeric import digamma as digamma
from .functions.numeric import erfc as erfc
from .functions.numeric import erfinv as erfinv
from .functions.numeric import exp2 as exp2
from .functions.numeric import i0 as i0
from .functions.numeric import lgamma, mvlgamma
from .functions.numeric import logit as logit
from .functions.numeric import polygamma as polygamma
from .functions.numeric import sinc as sinc
from .functions.numeric import xlogy as xlogy
from .reductions import log_softmax as log_softmax
from .reductions import logsumexp as logsumexp
from .reductions import softmax as softmax
from .tensor import Tensor

expit, gammaln, multigammaln, psi = sigmoid, lgamma, mvlgamma, digamma


def entr(input: Tensor) -> Tensor:
    """Return ``-x * log(x)``: 0 at 0, and -inf below."""
    return where(input < 0, -math.inf, neg(xlogy(input, where(input < 0, 1.0, input))))


def xlog1py(input: Any, other: Any) -> Tensor:
    """Return ``input * log1p(other)``, and 0 where ``input`` is 0."""
    return xlogy(input, other + 1)


def ndtr(input: Tensor) -> Tensor:
    """Return the standard normal distribution function."""
    return mul(erfc(mul(input, -math.sqrt(0.5))), 0.5)


def ndtri(input: Tensor) -> Tensor:
    """Return the inverse of `ndtr`."""
    return mul(erfinv(sub(mul(input, 2.0), 1.0)), math.sqrt(2.0))


def log_ndtr(input: Tensor) -> Tensor:
    """Return the logarithm of `ndtr`; below -5 by its asymptotic series (DLMF 7.12.1)."""
    far = input < -5.0
    x = where(far, input, -5.0)
    r = 1.0 / (x * x)
    series = 1.0 - r * (1.0 - 3.0 * r * (1.0 - 5.0 * r * (1.0 - 7.0 * r)))
    tail = sub(neg(mul(mul(x, x), 0.5)), log(mul(neg(x), math.sqrt(2.0 * math.pi)))) + log(series)
    return where(far, tail, log(ndtr(where(far, 0.0, input))))


def i0e(input: Tensor) -> Tensor:
    """Return ``exp(-|x|) * i0(x)``, without a derivative."""
    return mul(exp(neg(input.abs())), i0(input))
