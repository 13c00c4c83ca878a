"""SGD, Adam and the others: names and defaults of settings and states; the rules are those of `minitorch.optim`."""

from __future__ import annotations

from typing import Any

from ...optim import adaptive, algorithms
from .optimizer import _OfCore


class SGD(_OfCore):
    """Stochastic gradient descent, with momentum and L2 penalty; see `minitorch.optim.SGD`."""

    algorithm, state_names = algorithms.SGD, ("momentum_buffer",)
    switches = ("maximize", "foreach", "differentiable", "fused")

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "nesterov": nesterov}, ignored)


class Adam(_OfCore):
    """Adam; see `minitorch.optim.Adam`."""

    algorithm, state_names = algorithms.Adam, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    switches = ("maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay")

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        amsgrad: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, settings, ignored)


class AdamW(Adam):
    """Adam with decoupled weight decay; see `minitorch.optim.AdamW`."""

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2,
        amsgrad: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, **{"decoupled_weight_decay": True, **ignored}
        )


class RMSprop(_OfCore):
    """RMSprop; see `minitorch.optim.RMSprop`."""

    algorithm, state_names = algorithms.RMSprop, ("square_avg", "grad_avg", "momentum_buffer")
    switches = ("capturable", "foreach", "maximize", "differentiable")

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        super().__init__(params, {**settings, "weight_decay": weight_decay}, ignored)


class Adagrad(_OfCore):
    """Adagrad; see `minitorch.optim.Adagrad`."""

    algorithm, state_names = algorithms.Adagrad, ("sum",)
    switches = ("maximize", "foreach", "differentiable", "fused")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, **ignored: Any,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        super().__init__(
            params, {**settings, "initial_accumulator_value": initial_accumulator_value}, ignored
        )


class Adadelta(_OfCore):
    """Adadelta; see `minitorch.optim.Adadelta`."""

    algorithm, state_names = adaptive.Adadelta, ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        **ignored: Any,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}, ignored)


class Adamax(_OfCore):
    """Adamax; see `minitorch.optim.Adamax`."""

    algorithm, state_names = adaptive.Adamax, ("exp_avg", "exp_inf")

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        **ignored: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}, ignored
        )


class NAdam(_OfCore):
    """NAdam; see `minitorch.optim.NAdam`."""

    algorithm, state_names = adaptive.NAdam, ("exp_avg", "exp_avg_sq")

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
        }
        super().__init__(params, {**settings, "decoupled_weight_decay": decoupled_weight_decay}, ignored)


class RAdam(_OfCore):
    """RAdam; see `minitorch.optim.RAdam`."""

    algorithm, state_names = adaptive.RAdam, ("exp_avg", "exp_avg_sq")

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        decoupled_weight_decay: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "decoupled_weight_decay": decoupled_weight_decay}, ignored)
