"""The loss of Connectionist Temporal Classification (Graves et al., 2006), computed on the host in log-space.

A path gives each of T steps a class or a blank; it spells a target when repeated classes are merged and blanks are
left out. The loss is minus the logarithm of the probability of all paths that spell the target. With the extended
target z = (blank, t1, blank, t2, ..., blank) of S = 2 L + 1 places, alpha[t, s] is the log-probability of all
beginnings of paths that are at place s at step t, and beta[t, s] that of all ends. Both cost O(T * S) for a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Context, Function

Array = npt.NDArray[Any]


def extended(targets: Array, blank: int) -> Array:
    """Return targets (N, L) with a blank before and after each: (N, 2 L + 1)."""
    found = np.full((len(targets), 2 * targets.shape[1] + 1), blank, np.int64)
    found[:, 1::2] = targets
    return found


def _log_sum(*terms: Array) -> Array:
    top = np.maximum.reduce(terms)
    base = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(sum(np.exp(t - base) for t in terms)) + base


def _shifted(x: Array, by: int) -> Array:
    out = np.full_like(x, -np.inf)
    out[:, by:] = x[:, : x.shape[1] - by]
    return out


def forward_variables(scores: Array, skip: Array) -> Array:
    """Return alpha (T, N, S) of the scores of places (T, N, S); ``skip`` tells where a blank may be left out."""
    alpha = np.full(scores.shape, -np.inf, scores.dtype)
    alpha[0, :, :2] = scores[0, :, :2]
    for t in range(1, len(scores)):
        before = alpha[t - 1]
        jump = np.where(skip, _shifted(before, 2), -np.inf)
        alpha[t] = _log_sum(before, _shifted(before, 1), jump) + scores[t]
    return alpha


class CTC(Function):
    """The loss of each of N samples: log-probabilities (T, N, C) to (N,).

    Settings: ``targets`` (N, L), an array of classes; the lengths ``steps`` and ``sizes`` of the samples, (N,);
    ``blank``, the class that stands for nothing; ``finite``, whether an infinite loss counts as 0.

    The derivative is that for scores whose log-softmax the operand is: ``e ** x`` minus the probability that a path is
    at a class. For log-probabilities both derivatives agree after `LogSoftmax`.
    """

    @staticmethod
    def forward(
        ctx: Context, x: Any, targets: Array, steps: Array, sizes: Array, blank: int, finite: bool
    ) -> Any:
        probabilities = x.host().astype(np.float64)
        z = extended(targets, blank)
        rows = np.arange(len(z))
        scores = np.take_along_axis(probabilities, np.broadcast_to(z, (len(probabilities), *z.shape)), 2)
        skip = (z != blank) & (np.roll(z, 2, 1) != z)
        skip[:, :2] = False
        alpha = forward_variables(scores, skip)
        last = np.maximum(steps - 1, 0)
        ends = alpha[last, rows, 2 * sizes], alpha[last, rows, np.maximum(2 * sizes - 1, 0)]
        total = _log_sum(ends[0], np.where(sizes > 0, ends[1], -np.inf))
        total = np.where(steps > 0, total, np.where(sizes > 0, -np.inf, 0.0))
        ctx.save_for_backward(probabilities, scores, skip, alpha, total, z, steps, sizes, finite)
        losses = np.where(np.isinf(total) & finite, 0.0, -total)
        return x.f.from_array(losses.astype(x.dtype))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        probabilities, scores, skip, alpha, total, z, steps, sizes, finite = ctx.saved_values
        rows = np.arange(len(z))
        beta = np.full(scores.shape, -np.inf)
        jumps = np.roll(skip, -2, 1)
        jumps[:, -2:] = False
        for t in reversed(range(len(scores))):
            if t + 1 < len(scores):
                after = beta[t + 1]
                back = after[:, ::-1]
                one, two = _shifted(back, 1)[:, ::-1], _shifted(back, 2)[:, ::-1]
                beta[t] = _log_sum(after, one, np.where(jumps, two, -np.inf)) + scores[t]
            ending = rows[steps == t + 1]
            beta[t, ending, 2 * sizes[ending]] = scores[t, ending, 2 * sizes[ending]]
            longer = ending[sizes[ending] > 0]
            beta[t, longer, 2 * sizes[longer] - 1] = scores[t, longer, 2 * sizes[longer] - 1]
        at_class = np.zeros(probabilities.shape)
        with np.errstate(invalid="ignore"):
            at_place = np.exp(alpha + beta - scores - total[None, :, None])
        for s in range(z.shape[1]):
            at_class[:, rows, z[:, s]] += np.where(np.isfinite(scores[:, :, s]), at_place[:, :, s], 0.0)
        grad = np.exp(probabilities) - at_class
        grad[np.arange(len(grad))[:, None] >= steps] = 0.0
        if finite:
            grad[:, np.isinf(total)] = 0.0
        return d.f.from_array((grad * d.host()[:, None]).astype(d.dtype))
