"""Part of optim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..module import Parameter
from .optimizer import Optimizer, Plan


def sgd_rule(s: Any, x: float, d: float) -> tuple[float]:
    """Step against the derivative. Settings: lr, weight_decay."""
    return (x - s[0] * (d + s[1] * x),)


def momentum_rule(s: Any, x: float, d: float, v: float) -> tuple[float, float]:
    """Step along a velocity. Settings: lr, weight_decay, momentum, share of the derivative, nesterov."""
    d = d + s[1] * x
    v = s[2] * v + s[3] * d
    return x - s[0] * (d + s[2] * v if s[4] > 0.0 else v), v


def adam_rule(s: Any, x: float, d: float, m: float, v: float) -> tuple[float, float, float]:
    """Adam.

    Settings: step size, coupled decay, decoupled factor, eps, root of the second bias, then beta1, 1 - beta1, beta2,
    1 - beta2 (the differences too: taken from narrow numbers they would lose digits).
    """
    d = d + s[1] * x
    m = s[5] * m + s[6] * d
    v = s[7] * v + s[8] * d * d
    return x * s[2] - s[0] * m / (math.sqrt(v) / s[4] + s[3]), m, v


def amsgrad_rule(
    s: Any, x: float, d: float, m: float, v: float, top: float
) -> tuple[float, float, float, float]:
    """Adam that divides by the largest second moment so far. Settings as for Adam."""
    d = d + s[1] * x
    m = s[5] * m + s[6] * d
    v = s[7] * v + s[8] * d * d
    top = v if v > top else top
    return x * s[2] - s[0] * m / (math.sqrt(top) / s[4] + s[3]), m, v, top


def rmsprop_rule(
    s: Any, x: float, d: float, v: float, g: float, b: float
) -> tuple[float, float, float, float]:
    """RMSprop. Settings: lr, weight_decay, alpha, 1 - alpha, eps, momentum, centered."""
    d = d + s[1] * x
    v = s[2] * v + s[3] * d * d
    g = s[2] * g + s[3] * d
    spread = v - g * g if s[6] > 0.0 else v
    b = s[5] * b + d / (math.sqrt(spread) + s[4])
    return x - s[0] * b, v, g, b


def adagrad_rule(s: Any, x: float, d: float, total: float) -> tuple[float, float]:
    """Adagrad. Settings: lr, weight_decay, eps."""
    d = d + s[1] * x
    total = total + d * d
    return x - s[0] * d / (math.sqrt(total) + s[2]), total


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for; formulas as PyTorch's.

    Args:
        parameters: See `Optimizer`.
        lr: Step size; 1.0 as in the course.
        momentum: How much of the velocity stays.
        dampening: How much of the derivative does not enter the velocity.
        weight_decay: L2 penalty: added to the derivative, times the weight.
        nesterov: Look ahead along the velocity (needs momentum > 0 and dampening 0).
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1.0,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"nesterov needs momentum > 0 and dampening 0, not momentum {momentum} and dampening {dampening}"
            )
        super().__init__(
            parameters,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        if group["momentum"] == 0:
            return sgd_rule, (group["lr"], group["weight_decay"]), []
        steps, states = self._remember(p, 1)
        # The first velocity is the whole derivative, whatever the dampening.
        share = 1.0 if steps == 1 else 1.0 - group["dampening"]
        settings = (group["lr"], group["weight_decay"], group["momentum"], share, float(group["nesterov"]))
        return momentum_rule, settings, states


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015); ``amsgrad`` after Reddi et al., 2018. Weight decay is an L2 penalty."""

    scalars = False
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 3 if group["amsgrad"] else 2)
        lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
        coupled, factor = (0.0, 1.0 - lr * decay) if self.decoupled else (decay, 1.0)
        size, root = lr / (1 - beta1**steps), math.sqrt(1 - beta2**steps)
        rule = amsgrad_rule if group["amsgrad"] else adam_rule
        moments = (beta1, 1 - beta1, beta2, 1 - beta2)
        return rule, (size, coupled, factor, group["eps"], root, *moments), states


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    decoupled = True

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, 2012): divide by a running root mean square of the derivative."""

    scalars = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        _, states = self._remember(p, 3)
        alpha = group["alpha"]
        settings = (group["lr"], group["weight_decay"], alpha, 1 - alpha, group["eps"], group["momentum"])
        return rmsprop_rule, (*settings, float(group["centered"])), states


class Adagrad(Optimizer):
    """Adagrad (Duchi et al., 2011): divide by the root of the sum of squared derivatives."""

    scalars = False

    def __init__(
        self,
        parameters: Sequence[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 1, group["initial_accumulator_value"])
        lr = group["lr"] / (1 + (steps - 1) * group["lr_decay"])
        return adagrad_rule, (lr, group["weight_decay"], group["eps"]), states
