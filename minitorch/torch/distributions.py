"""``torch.distributions``: the distributions of policies and of variational autoencoders.

``sample`` draws constants, ``rsample`` numbers with a gradient for the parameters. Parameters broadcast; the shape of a
sample is ``sample_shape``, then that of the parameters, then that of one event.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .autograd.grad_mode import no_grad
from .creation import bernoulli, full_like, multinomial, rand, randn
from .dtypes import Size
from .elementwise import log, masked_fill, sigmoid, where
from .functions.numeric import erfinv, logit, xlogy
from .indexing import gather
from .reductions import log_softmax, softmax
from .reductions import sum as _sum
from .shapes import broadcast_tensors, expand, permute, reshape, unsqueeze
from .special import ndtr
from .tensor import Tensor, from_array, to_array

LOG_2PI = math.log(2 * math.pi)


def _together(*parameters: Any) -> tuple[Tensor, ...]:
    """Return numbers and tensors as tensors of one shape and dtype."""
    given = [p for p in parameters if isinstance(p, Tensor)]
    made = [
        p if isinstance(p, Tensor) else full_like(given[0], p) if given else from_array([p])[0].float()
        for p in parameters
    ]
    return broadcast_tensors(*made)


class Distribution:
    """A distribution of tensors.

    Attributes:
        batch_shape: The shape of the parameters.
        event_shape: The shape of one event, whose numbers have one probability together.
    """

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: Any = None) -> None:
        self.batch_shape, self.event_shape = Size(batch_shape), Size(event_shape)

    def _shape(self, sample_shape: Any) -> tuple[int, ...]:
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with a gradient for the parameters.

        Raises:
            NotImplementedError: The distribution has none.
        """
        raise NotImplementedError(f"{type(self).__name__}.rsample: samples have no gradient: use sample()")

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw a constant."""
        with no_grad():
            return self.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability, or of its density, at ``value``."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Return the entropy, in nats."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()


def _require(ok: Tensor, kind: str, name: str, words: str) -> None:
    if not to_array(ok).all():
        raise ValueError(f"{kind}: expected parameter {name} to be {words}")


class Normal(Distribution):
    """Normal distribution of mean ``loc`` and standard deviation ``scale``."""

    def __init__(self, loc: Any, scale: Any, validate_args: Any = None) -> None:
        self.loc, self.scale = _together(loc, scale)
        _require(self.scale > 0, "Normal", "scale", "positive")
        super().__init__(self.loc.shape)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale**2

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.scale

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with a gradient for the parameters."""
        noise = randn(self._shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + noise * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density."""
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - log(self.scale) - 0.5 * LOG_2PI

    def entropy(self) -> Tensor:
        """Return the entropy."""
        return 0.5 + 0.5 * LOG_2PI + log(self.scale)

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of numbers up to ``value``."""
        return ndtr((value - self.loc) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        """Return the number up to which the probability is ``value``."""
        return self.loc + self.scale * erfinv(2 * value - 1) * math.sqrt(2)


class Uniform(Distribution):
    """Uniform distribution in [``low``, ``high``)."""

    def __init__(self, low: Any, high: Any, validate_args: Any = None) -> None:
        self.low, self.high = _together(low, high)
        _require(self.low < self.high, "Uniform", "low", "below high")
        super().__init__(self.low.shape)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with a gradient for the parameters."""
        noise = rand(self._shape(sample_shape), dtype=self.low.dtype, device=self.low.device)
        return self.low + noise * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density: -inf outside."""
        inside = (value >= self.low) & (value < self.high)
        return where(inside, -log(self.high - self.low), -math.inf)

    def entropy(self) -> Tensor:
        """Return the entropy."""
        return log(self.high - self.low)


class Exponential(Distribution):
    """Exponential distribution of this rate."""

    def __init__(self, rate: Any, validate_args: Any = None) -> None:
        (self.rate,) = _together(rate)
        _require(self.rate > 0, "Exponential", "rate", "positive")
        super().__init__(self.rate.shape)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.rate**-2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with a gradient for the rate."""
        noise = rand(self._shape(sample_shape), dtype=self.rate.dtype, device=self.rate.device)
        return -(-noise).log1p() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density."""
        return log(self.rate) - self.rate * value

    def entropy(self) -> Tensor:
        """Return the entropy."""
        return 1 - log(self.rate)


class _OfLogits(Distribution):
    """A distribution that is given by probabilities or by logits, one of the two."""

    def __init__(self, probs: Any, logits: Any, events: int) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        (self._given,) = _together(logits if probs is None else probs)
        if events and self._given.ndim < 1:
            raise ValueError("`probs` or `logits` must be at least one-dimensional.")
        self._has_probs = probs is not None
        super().__init__(self._given.shape[: self._given.ndim - events])


class Bernoulli(_OfLogits):
    """1 with probability ``probs``, or ``sigmoid(logits)``, else 0."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        super().__init__(probs, logits, 0)
        if self._has_probs:
            _require((self._given >= 0) & (self._given <= 1), "Bernoulli", "probs", "in [0, 1]")

    @property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        return self._given if self._has_probs else sigmoid(self._given)

    @property
    def logits(self) -> Tensor:
        """The logarithms of the odds."""
        return logit(self._given, float(2**-23)) if self._has_probs else self._given

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw a constant."""
        return bernoulli(expand(self.probs.detach(), *self._shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability."""
        x = self.logits
        return value * x - x.clamp(min=0) - (-x.abs()).exp().log1p()

    def entropy(self) -> Tensor:
        """Return the entropy."""
        p = self.probs
        return -xlogy(p, p) - xlogy(1 - p, 1 - p)


class Categorical(_OfLogits):
    """Numbers 0, 1, ... with probabilities in the last dimension, which are divided by their sum; or with logits."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        super().__init__(probs, logits, 1)
        if self._has_probs:
            _require(self._given >= 0, "Categorical", "probs", "not negative")

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._given / _sum(self._given, -1, True) if self._has_probs else softmax(self._given, -1)

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        if self._has_probs:
            return log(self.probs.clamp(float(2**-23), 1 - float(2**-23)))
        return log_softmax(self._given, -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw numbers."""
        shape = Size(sample_shape)
        rows = reshape(self.probs.detach(), -1, self._given.shape[-1])
        drawn = multinomial(rows, shape.numel(), True)
        return reshape(permute(drawn, 1, 0), *self._shape(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of each number."""
        index, scores = broadcast_tensors(unsqueeze(value.long(), -1), self.logits)
        return gather(scores, -1, index[..., :1])[..., 0]

    def entropy(self) -> Tensor:
        """Return the entropy."""
        scores = masked_fill(self.logits, self.logits < -3e38, -3e38)
        return -_sum(self.probs * scores, -1)


class Independent(Distribution):
    """A distribution whose last dimensions of parameters belong to one event."""

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int) -> None:
        self.base_dist, self._n = base_distribution, reinterpreted_batch_ndims
        split = len(base_distribution.batch_shape) - self._n
        super().__init__(
            base_distribution.batch_shape[:split],
            base_distribution.batch_shape[split:] + base_distribution.event_shape,
        )

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.base_dist.mean

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.base_dist.variance

    def _total(self, x: Tensor) -> Tensor:
        return _sum(x, tuple(range(-self._n, 0))) if self._n else x

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with a gradient for the parameters."""
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw a constant."""
        return self.base_dist.sample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of each event."""
        return self._total(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        """Return the entropy."""
        return self._total(self.base_dist.entropy())


def _normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - log(ratio))


def _bernoulli(p: Any, q: Any) -> Tensor:
    a, b = p.probs, q.probs
    return xlogy(a, a) - xlogy(a, b) + xlogy(1 - a, 1 - a) - xlogy(1 - a, 1 - b)


def _categorical(p: Any, q: Any) -> Tensor:
    return _sum(p.probs * (p.logits - q.logits), -1)


def _exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return -log(ratio) + ratio - 1


def _uniform(p: Any, q: Any) -> Tensor:
    inside = (q.low <= p.low) & (q.high >= p.high)
    return where(inside, log((q.high - q.low) / (p.high - p.low)), math.inf)


_DIVERGENCES: dict[type[Distribution], Callable[[Any, Any], Tensor]] = {
    Normal: _normal,
    Bernoulli: _bernoulli,
    Categorical: _categorical,
    Exponential: _exponential,
    Uniform: _uniform,
}


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return the Kullback-Leibler divergence of ``q`` from ``p``, two distributions of one kind.

    Raises:
        NotImplementedError: There is no formula for these kinds here.
    """
    if isinstance(p, Independent) and isinstance(q, Independent) and p._n == q._n:
        return p._total(kl_divergence(p.base_dist, q.base_dist))
    if type(p) is not type(q) or type(p) not in _DIVERGENCES:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    return _DIVERGENCES[type(p)](p, q)
