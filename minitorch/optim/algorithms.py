"""The algorithms SGD, Adam, AdamW, RMSprop, Adagrad: a rule for one element each, and a class with its settings.

A rule ``(settings, weight, grad, *states) -> (weight, *states)`` is a function of floats which the backend compiles.
``settings`` is an array of numbers, the same for all elements of a step. Formulas, names and defaults are PyTorch's.
The states of a parameter start at 0, or at what `Optimizer._remember` is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..module import Parameter
from .optimizer import Optimizer, Plan


def sgd_rule(settings: Any, weight: float, grad: float) -> tuple[float]:
    """Step against the gradient: ``weight -= lr * (grad + weight_decay * weight)``.

    Settings: lr, weight_decay.
    """
    return (weight - settings[0] * (grad + settings[1] * weight),)


def momentum_rule(settings: Any, weight: float, grad: float, velocity: float) -> tuple[float, float]:
    """Step along a velocity: ``v = momentum * v + (1 - dampening) * grad``, ``weight -= lr * v``.

    Settings: lr, weight_decay, momentum, 1 - dampening, nesterov (1.0 or 0.0).
    """
    grad = grad + settings[1] * weight
    velocity = settings[2] * velocity + settings[3] * grad
    direction = grad + settings[2] * velocity if settings[4] > 0.0 else velocity
    return weight - settings[0] * direction, velocity


def adam_rule(settings: Any, weight: float, grad: float, m: float, v: float) -> tuple[float, float, float]:
    """Step by the first moment over the root of the second, in the notation of the paper.

    ``m = beta1 * m + (1 - beta1) * grad``, ``v = beta2 * v + (1 - beta2) * grad ** 2``, then
    ``weight -= lr / (1 - beta1 ** t) * m / (sqrt(v) / sqrt(1 - beta2 ** t) + eps)`` at step t.

    Settings: lr / (1 - beta1 ** t), L2 penalty, factor of decoupled decay, eps, sqrt(1 - beta2 ** t), beta1, 1 - beta1,
    beta2, 1 - beta2. The differences are settings too: computed from float32 numbers they would lose digits.
    """
    grad = grad + settings[1] * weight
    m = settings[5] * m + settings[6] * grad
    v = settings[7] * v + settings[8] * grad * grad
    return weight * settings[2] - settings[0] * m / (math.sqrt(v) / settings[4] + settings[3]), m, v


def amsgrad_rule(
    settings: Any, weight: float, grad: float, m: float, v: float, v_max: float
) -> tuple[float, float, float, float]:
    """Adam that divides by the root of the largest second moment so far. Settings as for `adam_rule`."""
    grad = grad + settings[1] * weight
    m = settings[5] * m + settings[6] * grad
    v = settings[7] * v + settings[8] * grad * grad
    v_max = v if v > v_max else v_max
    step = settings[0] * m / (math.sqrt(v_max) / settings[4] + settings[3])
    return weight * settings[2] - step, m, v, v_max


def rmsprop_rule(
    settings: Any, weight: float, grad: float, square: float, mean: float, velocity: float
) -> tuple[float, float, float, float]:
    """Step by the gradient over its running root mean square.

    ``square`` and ``mean`` are running averages of ``grad ** 2`` and ``grad``; centered, ``mean ** 2`` is subtracted.
    ``velocity = momentum * velocity + grad / (sqrt(square) + eps)``, ``weight -= lr * velocity``.

    Equal gradients have a variance of 0, and rounding may bring the difference below that, where its root is nan. So
    the variance is at least what rounding leaves of ``square``.

    Settings: lr, weight_decay, alpha, 1 - alpha, eps, momentum, centered (1.0 or 0.0), relative rounding error.
    """
    grad = grad + settings[1] * weight
    square = settings[2] * square + settings[3] * grad * grad
    mean = settings[2] * mean + settings[3] * grad
    variance = square
    if settings[6] > 0.0:
        spread, least = square - mean * mean, settings[7] * square
        variance = least if spread < least else spread
    velocity = settings[5] * velocity + grad / (math.sqrt(variance) + settings[4])
    return weight - settings[0] * velocity, square, mean, velocity


def adagrad_rule(settings: Any, weight: float, grad: float, total: float) -> tuple[float, float]:
    """Step by the gradient over the root of the sum of its squares: ``weight -= lr * grad / (sqrt(total) + eps)``.

    Settings: lr, weight_decay, eps.
    """
    grad = grad + settings[1] * weight
    total = total + grad * grad
    return weight - settings[0] * grad / (math.sqrt(total) + settings[2]), total


class SGD(Optimizer):
    """Stochastic gradient descent, by default without momentum; the only optimizer that updates Scalars too.

    Momentum is that of Polyak (1964), ``nesterov`` after Sutskever et al. (2013); formulas are PyTorch's.

    Args:
        parameters: See `Optimizer`.
        lr: Step size, by default 1.0 as in the course; at least 0, as all numbers here.
        momentum: How much of the velocity stays, by default 0: no velocity.
        dampening: How much of the gradient does not enter the velocity, by default 0.
        weight_decay: L2 penalty, by default 0: times the weight, it is added to the gradient.
        nesterov: Use the gradient plus the momentum of the new velocity; needs momentum > 0 and dampening 0.

    Raises:
        ValueError: A setting is out of range.
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
        super().__init__(
            parameters,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        momentum, dampening = group["momentum"], group["dampening"]
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: expected momentum > 0 and dampening 0 for nesterov, got {momentum} and {dampening}"
            )

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 1 if group["momentum"] else None

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        if group["momentum"] == 0:
            return sgd_rule, (group["lr"], group["weight_decay"]), []
        steps, states = self._remember(p, 1)
        # As in PyTorch, the first velocity is the whole gradient, whatever the dampening.
        undamped = 1.0 if steps == 1 else 1.0 - group["dampening"]
        settings = (group["lr"], group["weight_decay"], group["momentum"], undamped, float(group["nesterov"]))
        return momentum_rule, settings, states


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015).

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size, by default 1e-3.
        betas: How much of the first and second moment stays, each in [0, 1); by default (0.9, 0.999).
        eps: Added to the root of the second moment, by default 1e-8.
        weight_decay: L2 penalty, by default 0: times the weight, it is added to the gradient.
        amsgrad: Divide by the largest second moment so far (Reddi, Kale and Kumar, 2018); by default False.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A parameter is not of a Tensor.
    """

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
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 3 if group["amsgrad"] else 2

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
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): the weight shrinks by ``1 - lr * weight_decay``.

    Arguments and errors as for `Adam`; ``weight_decay`` is 1e-2 by default.
    """

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
    """RMSprop (Tieleman and Hinton, 2012): divides the gradient by its running root mean square.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size, by default 1e-2.
        alpha: How much of the running averages stays, by default 0.99.
        eps: Added to the root, by default 1e-8.
        weight_decay: L2 penalty, by default 0.
        momentum: How much of the velocity stays, by default 0.
        centered: Divide by the standard deviation of the gradient instead (Graves, 2013); by default False.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A parameter is not of a Tensor.
    """

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

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 3

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        _, states = self._remember(p, 3)
        alpha = group["alpha"]
        settings = (group["lr"], group["weight_decay"], alpha, 1 - alpha, group["eps"], group["momentum"])
        rounding = float(np.finfo(p.value.dtype).eps)
        return rmsprop_rule, (*settings, float(group["centered"]), rounding), states


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer, 2011): divides the gradient by the root of the sum of its squares.

    Args:
        parameters: See `Optimizer`; of Tensors.
        lr: Step size at step 1, by default 1e-2; at step t it is ``lr / (1 + (t - 1) * lr_decay)``.
        lr_decay: By default 0.
        weight_decay: L2 penalty, by default 0.
        initial_accumulator_value: Where the sum of squares starts, by default 0.
        eps: Added to the root, by default 1e-10.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A parameter is not of a Tensor.
    """

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

    def state_count(self, group: dict[str, Any]) -> int | None:
        """See `Optimizer.state_count`."""
        return 1

    def rule_for(self, p: Parameter, group: dict[str, Any]) -> Plan:
        """See `Optimizer.rule_for`."""
        steps, states = self._remember(p, 1, group["initial_accumulator_value"])
        lr = group["lr"] / (1 + (steps - 1) * group["lr_decay"])
        return adagrad_rule, (lr, group["weight_decay"], group["eps"]), states
