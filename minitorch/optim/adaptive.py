"""More algorithms that adapt the step to each element: Adadelta, Adamax, NAdam, RAdam.

Rules as in `minitorch.optim.algorithms`; formulas, names and defaults are PyTorch's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..module import Parameter
from .optimizer import Optimizer, Plan


def adadelta_rule(
    settings: Any, weight: float, grad: float, square: float, delta: float
) -> tuple[float, float, float]:
    """Step by the gradient times the ratio of two running roots: of the last steps and of the gradients.

    ``square = rho * square + (1 - rho) * grad ** 2``, ``step = sqrt(delta + eps) / sqrt(square + eps) * grad``,
    ``delta = rho * delta + (1 - rho) * step ** 2``, ``weight -= lr * step``.

    Settings: lr, weight_decay, rho, 1 - rho, eps.
    """
    grad = grad + settings[1] * weight
    square = settings[2] * square + settings[3] * grad * grad
    step = math.sqrt(delta + settings[4]) / math.sqrt(square + settings[4]) * grad
    delta = settings[2] * delta + settings[3] * step * step
    return weight - settings[0] * step, square, delta


def adamax_rule(
    settings: Any, weight: float, grad: float, m: float, top: float
) -> tuple[float, float, float]:
    """Step by the first moment over the decayed largest magnitude of the gradient.

    Settings: lr / (1 - beta1 ** t), weight_decay, beta1, 1 - beta1, beta2, eps.
    """
    grad = grad + settings[1] * weight
    m = settings[2] * m + settings[3] * grad
    size = abs(grad) + settings[5]
    top = settings[4] * top if settings[4] * top > size else size
    return weight - settings[0] * m / top, m, top


def nadam_rule(settings: Any, weight: float, grad: float, m: float, v: float) -> tuple[float, float, float]:
    """Adam with the momentum of Nesterov.

    Settings: factor of the gradient, factor of the first moment, L2 penalty, factor of decoupled decay, eps,
    1 - beta2 ** t, beta1, 1 - beta1, beta2, 1 - beta2.
    """
    grad = grad + settings[2] * weight
    m = settings[6] * m + settings[7] * grad
    v = settings[8] * v + settings[9] * grad * grad
    root = math.sqrt(v / settings[5]) + settings[4]
    return weight * settings[3] - (settings[0] * grad + settings[1] * m) / root, m, v


def radam_rule(settings: Any, weight: float, grad: float, m: float, v: float) -> tuple[float, float, float]:
    """Adam whose adaptive part waits until the variance of the second moment is known.

    Settings: lr / (1 - beta1 ** t), rectification (0.0 while it waits), L2 penalty, factor of decoupled decay, eps,
    sqrt(1 - beta2 ** t), beta1, 1 - beta1, beta2, 1 - beta2.
    """
    grad = grad + settings[2] * weight
    m = settings[6] * m + settings[7] * grad
    v = settings[8] * v + settings[9] * grad * grad
    scale = settings[1] * settings[5] / (math.sqrt(v) + settings[4]) if settings[1] > 0.0 else 1.0
    return weight * settings[3] - settings[0] * m * scale, m, v


@functools.lru_cache(maxsize=64)
def _nadam_momenta(beta1: float, decay: float, steps: int) -> tuple[float, float, float]:
    """Return the momentum of this step and of the next one, and the product of all so far."""
    momenta = beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, steps + 2) * decay))
    product = np.cumprod(momenta[:-1], dtype=np.float32)[-1]  # PyTorch keeps it in float32 as well
    return float(momenta[-2]), float(momenta[-1]), float(product)


class Adadelta(Optimizer):
    """Adadelta (Zeiler, 2012): steps in the unit of the weights, from running averages of steps and gradients.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Factor of the step, by default 1.0.
        rho: How much of the running averages stays, by default 0.9.
        eps: Added under the roots, by default 1e-6.
        weight_decay: L2 penalty, by default 0.

    Raises:
        ValueError: A setting is out of range.
    """

    scalars = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Adadelta: expected rho in [0, 1], got {rho}")
        super().__init__(parameters, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 2

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        _, states = self._remember(p, 2)
        rho = group["rho"]
        return adadelta_rule, (group["lr"], group["weight_decay"], rho, 1 - rho, group["eps"]), states


class _WithMoments(Optimizer):
    scalars = False

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 2


class Adamax(_WithMoments):
    """Adamax (Kingma and Ba, 2015): Adam by the infinity norm.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size, by default 2e-3.
        betas: How much of the first moment and of the largest magnitude stays, by default (0.9, 0.999).
        eps: Added to the magnitude, by default 1e-8.
        weight_decay: L2 penalty, by default 0.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 2)
        beta1, beta2 = group["betas"]
        size = group["lr"] / (1 - beta1**steps)
        return adamax_rule, (size, group["weight_decay"], beta1, 1 - beta1, beta2, group["eps"]), states


class NAdam(_WithMoments):
    """NAdam (Dozat, 2016): Adam with the momentum of Nesterov.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size, by default 2e-3.
        betas: How much of the two moments stays, by default (0.9, 0.999).
        eps: Added to the root, by default 1e-8.
        weight_decay: L2 penalty, by default 0.
        momentum_decay: How fast the momentum reaches its final value, by default 4e-3.
        decoupled_weight_decay: Shrink the weight instead of adding the penalty to the gradient; by default False.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            betas=tuple(betas),
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 2)
        lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
        now, following, product = _nadam_momenta(beta1, group["momentum_decay"], steps)
        coupled, factor = (0.0, 1.0 - lr * decay) if group["decoupled_weight_decay"] else (decay, 1.0)
        of_grad, of_moment = lr * (1 - now) / (1 - product), lr * following / (1 - product * following)
        moments = (beta1, 1 - beta1, beta2, 1 - beta2)
        settings = (of_grad, of_moment, coupled, factor, group["eps"], 1 - beta2**steps, *moments)
        return nadam_rule, settings, states


class RAdam(_WithMoments):
    """RAdam (Liu et al., 2020): Adam that is plain momentum until the second moment is known well enough.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size, by default 1e-3.
        betas: How much of the two moments stays, by default (0.9, 0.999).
        eps: Added to the root, by default 1e-8.
        weight_decay: L2 penalty, by default 0.
        decoupled_weight_decay: Shrink the weight instead of adding the penalty to the gradient; by default False.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            betas=tuple(betas),
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 2)
        lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
        last = 2 / (1 - beta2) - 1
        length = last - 2 * steps * beta2**steps / (1 - beta2**steps)
        rectification = 0.0
        if length > 5.0:
            ratio = (length - 4) * (length - 2) * last / ((last - 4) * (last - 2) * length)
            rectification = math.sqrt(ratio)
        coupled, factor = (0.0, 1.0 - lr * decay) if group["decoupled_weight_decay"] else (decay, 1.0)
        size, root = lr / (1 - beta1**steps), math.sqrt(1 - beta2**steps)
        moments = (beta1, 1 - beta1, beta2, 1 - beta2)
        return radam_rule, (size, rectification, coupled, factor, group["eps"], root, *moments), states
