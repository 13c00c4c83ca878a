"""Optimizers that the core does not have: Rprop, ASGD, Adafactor; and SparseAdam, which refuses.

The rule of an element is a function of floats, which the backend compiles; see `minitorch.optim.algorithms`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor as Core
from ..autograd import enable_grad, no_grad
from ..creation import tensor, zeros_like
from ..dtypes import finfo
from ..elementwise import add, clamp, div, mul, rsqrt, square
from ..linalg import matmul
from ..reductions import mean, norm
from ..tensor import Tensor
from .optimizer import Optimizer


def rprop_rule(
    settings: Any, weight: float, grad: float, before: float, step: float
) -> tuple[float, float, float]:
    """Step by the sign of the gradient; the step grows while the sign stays.

    Settings: factor where the sign changes, factor where it stays, smallest and largest step.
    """
    change = grad * before
    if change > 0.0:
        step = step * settings[1]
    elif change < 0.0:
        step = step * settings[0]
        grad = 0.0
    step = settings[2] if step < settings[2] else settings[3] if step > settings[3] else step
    sign = 1.0 if grad > 0.0 else -1.0 if grad < 0.0 else 0.0
    return weight - sign * step, grad, step


def asgd_rule(settings: Any, weight: float, grad: float, average: float) -> tuple[float, float]:
    """Step by the gradient and average the weights. Settings: eta, weight_decay, lambd, mu."""
    grad = grad + settings[1] * weight
    weight = weight * (1.0 - settings[2] * settings[0]) - settings[0] * grad
    return weight, average + (weight - average) * settings[3]


def _require(name: str, value: Any, valid: bool) -> None:
    if not valid:
        raise ValueError(f"Invalid {name}: {value}")


def _loss_of(closure: Callable[[], Any] | None) -> Any:
    if closure is None:
        return None
    with enable_grad():
        return closure()


class Rprop(Optimizer):
    """Resilient backpropagation (Riedmiller and Braun, 1993): only the signs of gradients count.

    Args:
        params: See `Optimizer`.
        lr: The first step of each element, by default 1e-2.
        etas: The factors of a step where the sign changes and where it stays, by default (0.5, 1.2).
        step_sizes: The smallest and the largest step, by default (1e-6, 50).
        capturable: Accepted, and changes nothing, as ``foreach`` and ``differentiable``.
        foreach: See ``capturable``.
        maximize: Whether to go up instead of down.
        differentiable: See ``capturable``.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: Any = (0.5, 1.2), step_sizes: Any = (1e-6, 50), *,
        capturable: bool = False, foreach: Any = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        _require("learning rate", lr, float(lr) >= 0)
        _require("eta values", ", ".join(map(str, etas)), 0.0 < etas[0] < 1.0 < etas[1])
        settings = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, {**settings, "differentiable": differentiable, "capturable": capturable})

    @no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient; see `Optimizer.step`."""
        loss = _loss_of(closure)
        for group, p, grad in self._with_gradients():
            state = self.state[p]
            if not state:
                state["step"], state["prev"] = tensor(0.0), zeros_like(p)
                state["step_size"] = add(zeros_like(p), float(group["lr"]))
            state["step"] += 1
            states = (state["prev"]._value, state["step_size"]._value)
            numbers = tuple(map(float, (*group["etas"], *group["step_sizes"])))
            Core.update_all_(rprop_rule, numbers, [(p._value, grad._value, *states)])
        return loss


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992); ``state[p]["ax"]`` is the average.

    Args:
        params: See `Optimizer`.
        lr: Step size, by default 1e-2.
        lambd: Decay, by default 1e-4.
        alpha: Power of the step size's decay, by default 0.75.
        t0: The step at which averaging begins, by default 1e6.
        weight_decay: L2 penalty, by default 0.
        foreach: Accepted, and changes nothing, as ``differentiable`` and ``capturable``.
        maximize: Whether to go up instead of down.
        differentiable: See ``foreach``.
        capturable: See ``foreach``.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: Any = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        _require("learning rate", lr, float(lr) >= 0)
        _require("weight_decay value", weight_decay, weight_decay >= 0)
        settings = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        settings = {**settings, "foreach": foreach, "maximize": maximize, "differentiable": differentiable}
        super().__init__(params, {**settings, "capturable": capturable})

    @no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient; see `Optimizer.step`."""
        loss = _loss_of(closure)
        for group, p, grad in self._with_gradients():
            state, lr, lambd = self.state[p], float(group["lr"]), group["lambd"]
            if not state:
                state["step"], state["eta"], state["mu"] = tensor(0.0), tensor(lr), tensor(1.0)
                state["ax"] = zeros_like(p)
            state["step"] += 1
            steps = state["step"].item()
            numbers = (state["eta"].item(), float(group["weight_decay"]), float(lambd), state["mu"].item())
            Core.update_all_(asgd_rule, numbers, [(p._value, grad._value, state["ax"]._value)])
            state["eta"] = tensor(lr / (1 + lambd * lr * steps) ** group["alpha"])
            state["mu"] = tensor(1 / max(1, steps - group["t0"]))
        return loss


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern, 2018): second moments of a matrix as one row and one column.

    Args:
        params: See `Optimizer`.
        lr: The largest relative step, by default 1e-2.
        beta2_decay: How the weight of new gradients falls: ``step ** beta2_decay``, by default -0.8.
        eps: Bounds below: of the second moments (None: that of the dtype), of the size of a parameter.
        d: The root mean square of an update that is not scaled down, by default 1.
        weight_decay: Decoupled, by default 0.
        foreach: Accepted, and changes nothing.
        maximize: Whether to go up instead of down.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8, eps: Any = (None, 1e-3), d: float = 1.0,
        weight_decay: float = 0.0, *, foreach: Any = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not float(lr) >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if beta2_decay > 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if (eps[0] is not None and eps[0] < 0) or eps[1] < 0:
            raise ValueError(f"eps should be >= 0 but is: {eps}")
        if d < 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if weight_decay < 0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        settings = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "foreach": foreach, "maximize": maximize})

    @no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient; see `Optimizer.step`."""
        loss = _loss_of(closure)
        for group, p, grad in self._with_gradients():
            state = self.state[p]
            if not state:
                state["step"] = tensor(0.0)
                if grad.ndim > 1:
                    state["row_var"] = grad.new_zeros(*grad.shape[:-1], 1)
                    state["col_var"] = grad.new_zeros(*grad.shape[:-2], 1, grad.shape[-1])
                else:
                    state["variance"] = zeros_like(grad)
            state["step"] += 1
            self._update(p, grad, state, group)
        return loss

    def _update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        small = finfo(p.dtype).eps if group["eps"][0] is None else group["eps"][0]
        steps, lr = state["step"].item(), float(group["lr"])
        new = steps ** group["beta2_decay"]
        size = norm(p.detach()).item() / math.sqrt(p.numel())
        alpha = max(group["eps"][1], size) * min(lr, 1 / math.sqrt(steps))
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        squares = square(grad)
        if grad.ndim > 1:
            state["row_var"].lerp_(mean(squares, -1, True), new)
            state["col_var"].lerp_(mean(squares, -2, True), new)
            scale = clamp(mean(state["row_var"], -2, True), min=small)
            moments = div(matmul(state["row_var"], state["col_var"]), scale)
        else:
            state["variance"].lerp_(squares, new)
            moments = state["variance"]
        update = mul(rsqrt(clamp(moments, min=small * small)), grad)
        size = norm(update).item() / (math.sqrt(update.numel()) * group["d"])
        p.add_(update, alpha=-alpha / max(1.0, size))


class SparseAdam(Optimizer):
    """Adam for sparse gradients, which minitorch does not have: a step with a gradient is an error."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: Any = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        _require("learning rate", lr, float(lr) > 0)
        _require("epsilon value", eps, eps > 0)
        for k, beta in enumerate(betas):
            _require(f"beta parameter at index {k}", beta, 0.0 <= beta < 1.0)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Refuse dense gradients.

        Raises:
            RuntimeError: A parameter has a gradient, which is dense.
        """
        loss = _loss_of(closure)
        for _ in self._with_gradients():
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
